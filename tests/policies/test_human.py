"""A person's typed answers: read, explained when wrong, recorded, and not asked for again in a replay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from gymnasium.spaces import Discrete, Text

from ethogram.policies.human import Human
from ethogram.scene import Scene
from ethogram.simulation import replay, simulate
from ethogram.social import Go, Say, Wait
from ethogram.spaces import Verbs
from ethogram.world import World


class Echo(World):
    """Repeats what was done."""

    metadata = {"name": "echo"}

    def __init__(self, space: Any, steps: int = 3) -> None:
        self.possible_agents = ["you"]
        self.agents = []
        self.left = self.steps = steps
        self.observation_spaces = {"you": Text(1000, min_length=0)}
        self.action_spaces = {"you": space}

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed)
        self.left = self.steps
        return {"you": "nothing yet"}, {"you": {}}

    def step(self, actions: Any) -> Any:
        self.left -= 1
        over = self.left == 0
        self.agents = [] if over else self.agents
        return {"you": str(actions["you"])[:900]}, {"you": 1.0}, {"you": over}, {"you": False}, {"you": {}}


def typist(*lines: str) -> tuple[Human, list[str]]:
    prompts: list[str] = []
    left: Iterator[str] = iter(lines)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return Human(ask), prompts


def test_verbs_as_words_or_json_and_a_wrong_line_is_asked_again():
    space = Verbs(Go, Say, Wait)
    human, prompts = typist(
        "fly to=Mars", 'say to=Ana text="good morning, 2"', '{"verb": "go", "to": "the park"}', "go to", "wait"
    )
    run = simulate(Echo(space), human)
    actions = run.trajectories()[0].actions
    assert actions == [Say(to="Ana", text="good morning, 2"), Go(to="the park"), Wait()]
    assert "fly" in prompts[1]
    assert "name=value" in prompts[4]
    assert "Walk to a place" in prompts[0]


def test_numbers_and_the_end_of_the_input():
    human, prompts = typist("7", "2")
    run = simulate(Echo(Discrete(3)), human)
    assert "not in Discrete(3)" in prompts[1]
    rows = run.steps.filter(pl.col("action").is_not_null()).collect()
    assert rows["action"].to_list() == [2, 0, 0]
    assert rows["fault"].to_list() == [None, *["the person gave no action"] * 2]


def test_a_replay_does_not_ask_again():
    human, prompts = typist("2", "1", "0")
    world = Echo(Discrete(3))
    run = simulate(world, human)
    asked = len(prompts)
    assert replay(run, Scene(world, human)).exact
    assert len(prompts) == asked
    assert np.array_equal(run.trajectories()[0].actions, [2, 1, 0])
