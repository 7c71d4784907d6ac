"""Choices between gambles: each agent chooses problem by problem, and gets what its gamble brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.decisions import Gambles
from ethogram.decisions.asking import Outcome, Take, TwoGambles
from ethogram.errors import ConfigError
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

__all__ = ["Gambling"]

PAIRS = (
    [[[0.8, 40.0], [0.2, 0.0]], [[1.0, 30.0]]],
    [[[0.2, 40.0], [0.8, 0.0]], [[0.25, 30.0], [0.75, 0.0]]],
    [[[0.8, -40.0], [0.2, 0.0]], [[1.0, -30.0]]],
    [[[0.001, 50.0], [0.999, 0.0]], [[1.0, 0.05]]],
)
"""Four choices in the manner of Kahneman and Tversky (1979): certainty, common ratio, reflection, a long shot."""


class Gambling(World):
    """All agents choose between the same pairs of gambles, one pair a step, each with luck of its own.

    Args:
        a: the first gamble of each problem. Default, with `b`: four choices after Kahneman and Tversky.
        b: the second.
        agents: their names, or how many.
        feedback: whether agents are told what their choices brought.

    The reward is what the gamble brings. The outcome has `chose b`, the share over all choices.

    Raises:
        ConfigError: there are no problems, or not as many of one gamble as of the other.
    """

    metadata = {"name": "gambling", "render_modes": []}
    time_unit = "problem"
    state_fields = ("place", "chosen", "got")

    def __init__(
        self,
        a: Gambles | None = None,
        b: Gambles | None = None,
        agents: int | Sequence[str] = 1,
        *,
        feedback: bool = True,
    ) -> None:
        self.a = a if a is not None else Gambles.of([pair[0] for pair in PAIRS])
        self.b = b if b is not None else Gambles.of([pair[1] for pair in PAIRS])
        names = [f"chooser {i + 1}" for i in range(agents)] if isinstance(agents, int) else list(agents)
        if not len(self.a) == len(self.b) > 0 or not names or len(set(names)) < len(names):
            raise ConfigError(
                f"Gambling: {len(self.a)} and {len(self.b)} gambles for {len(names)} agents: give as many of both"
            )
        self.possible_agents, self.feedback = names, feedback
        self.agents = []
        self.observation_spaces = dict.fromkeys(names, Typed(TwoGambles))
        self.action_spaces = dict.fromkeys(names, Verbs(Take).where(Take, gamble=["A", "B"]))
        self.expected_steps = len(self.a)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """The first problem."""
        super().reset(seed)
        self.place = 0
        self.chosen: list[int] = []
        self.got: dict[Agent, float | None] = dict.fromkeys(self.agents)
        return self._seen(), {agent: {} for agent in self.agents}

    def idle(self, agent: Agent) -> Take:
        """Gamble A: not to choose is not possible."""
        return Take(gamble="A")

    def step(self, actions: Mapping[Agent, Take]) -> Step:
        """Play what each has chosen."""
        assert self.rng is not None
        alive, rewards = list(self.agents), {}
        for agent in alive:
            side = int(actions[agent].gamble == "B")
            gambles = self.b if side else self.a
            luck = self.rng.random()
            at = int(np.searchsorted(np.cumsum(gambles.probabilities[self.place]), luck, side="right"))
            rewards[agent] = float(gambles.outcomes[self.place, min(at, gambles.outcomes.shape[1] - 1)])
            self.chosen.append(side)
        self.got = {**self.got, **(rewards if self.feedback else {})}
        self.place += 1
        over = self.place == len(self.a)
        seen = self._seen()
        self.agents = [] if over else alive
        return seen, rewards, dict.fromkeys(alive, over), dict.fromkeys(alive, False), {agent: {} for agent in alive}

    def outcome(self) -> Mapping[str, float]:
        """The share of choices that were B."""
        return {"chose b": float(np.mean(self.chosen))} if self.chosen else {}

    def _seen(self) -> dict[Agent, TwoGambles]:
        at = min(self.place, len(self.a) - 1)
        a, b = (_outcomes(gambles, at) for gambles in (self.a, self.b))
        return {agent: TwoGambles(a=a, b=b, number=self.place, got=self.got[agent]) for agent in self.agents}


def _outcomes(gambles: Gambles, row: int) -> list[Outcome]:
    pairs = zip(gambles.probabilities[row].tolist(), gambles.outcomes[row].tolist(), strict=True)
    return [Outcome(chance=p, amount=x) for p, x in pairs if p > 0]
