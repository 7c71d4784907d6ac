"""Worlds in which nobody has a choice are simulated without policies."""

import gymnasium.spaces as gs
import pytest

from ethogram.errors import ConfigError
from ethogram.scene import scene
from ethogram.simulation import simulate
from ethogram.world import World


class Clock(World):
    def __init__(self, choices: int = 1) -> None:
        self.possible_agents, self.agents = ["watcher"], []
        self.observation_spaces = {"watcher": gs.Discrete(1000)}
        self.action_spaces = {"watcher": gs.Discrete(choices, start=3)}
        self.t = 0

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.t = 0
        return {"watcher": 0}, {"watcher": {}}

    def step(self, actions):
        self.t += 1
        assert actions["watcher"] == 3
        return {"watcher": self.t}, {"watcher": 0.0}, {"watcher": False}, {"watcher": False}, {"watcher": {}}


@scene
def clock():
    return Clock(), None


def test_a_world_without_a_choice_needs_no_policies():
    for run in (simulate(Clock(), steps=4), simulate(clock(), steps=4)):
        assert run.steps.collect()["observation"].to_list() == [0, 1, 2, 3, 4]  # the last: what follows the last action


def test_a_world_with_a_choice_does():
    with pytest.raises(ConfigError, match="needs policies"):
        simulate(Clock(choices=2), steps=4)
