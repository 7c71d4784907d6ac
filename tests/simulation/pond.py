"""A small world that uses every feature of the contract: agents that come and go, partial acting, time, interventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete

from ethogram.policy import coded
from ethogram.scene import scene
from ethogram.world import Agent, World, intervention


class Pond(World):
    """Frogs that jump; odd frogs act on odd steps only; a frog far out is gone; the pond dries up after `days` steps."""

    metadata = {"name": "pond", "render_modes": []}
    time_unit = "hour"
    state_fields = ("clock", "position", "wind")

    def __init__(self, frogs: int = 5, days: int = 60) -> None:
        self.possible_agents = [f"frog {i}" for i in range(frogs)]
        self.agents = []
        self.days = days
        space = Box(-np.inf, np.inf, (2,), np.float64)
        self.observation_spaces = dict.fromkeys(self.possible_agents, space)
        self.action_spaces = dict.fromkeys(self.possible_agents, Discrete(3, start=-1))
        self.clock = 0
        self.position: dict[str, float] = {}
        self.wind = 0.0

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed)
        assert self.rng is not None
        self.clock, self.wind = 0, 0.0
        self.position = {a: float(self.rng.normal()) for a in self.agents}
        return {a: self._see(a) for a in self.agents}, {a: {} for a in self.agents}

    def _see(self, agent: Agent) -> np.ndarray[Any, Any]:
        return np.array([self.position[agent], self.wind])

    @property
    def acting(self) -> list[Agent]:
        return [a for a in self.agents if (int(a.split()[1]) + self.clock) % 2 == 0 or a == "frog 0"]

    @property
    def now(self) -> float:
        return self.clock * 1.5

    @intervention
    def blow(self, wind: float) -> None:
        """Set the wind."""
        self.wind = wind

    def observe(self) -> dict[Agent, Any]:
        return {a: self._see(a) for a in self.agents}

    def step(self, actions: Mapping[Agent, Any]) -> Any:
        assert self.rng is not None
        awaited = set(self.acting)
        self.clock += 1
        for agent in self.agents:
            jump = int(actions.get(agent, 0)) if agent in awaited else 0
            self.position[agent] += jump + self.wind + float(self.rng.normal(0, 0.3))
        live = list(self.agents)
        gone = {a: abs(self.position[a]) > 9 for a in live}
        dry = self.clock >= self.days
        self.agents = [] if dry else [a for a in live if not gone[a]]
        return (
            {a: self._see(a) for a in live},
            {a: -abs(self.position[a]) for a in live},
            gone,
            {a: dry and not gone[a] for a in live},
            {a: {} for a in live},
        )


def hop(observation: Any, space: Any, rng: np.random.Generator) -> int:
    """Jump towards the middle, or anywhere."""
    return int(rng.integers(-1, 2)) if rng.random() < 0.5 else int(np.clip(-round(observation[0]), -1, 1))


@scene
def pond(frogs: int = 5, days: int = 60) -> Any:
    """A pond with hopping frogs."""
    return Pond(frogs, days), coded(hop)
