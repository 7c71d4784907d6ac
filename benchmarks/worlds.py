"""The worlds of the benchmarks: they do little, so that what is around them shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete

from ethogram.policy import Coded
from ethogram.social import Do, Event, Say, View, Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


class Meadow(World):
    """Walkers who look for room on a round meadow, written as PettingZoo's worlds are: agent by agent.

    Each sees its place and how many are on its own tile and on the four around it, in the order of `MOVES`.

    Args:
        n: how many walkers.
    """

    metadata = {"name": "meadow", "render_modes": []}
    state_fields = ("places", "crowd")

    def __init__(self, n: int) -> None:
        self.side = max(4, int(n**0.5))
        self.possible_agents = [f"walker {i}" for i in range(n)]
        seen, move = Box(0, max(n, self.side), (7,), np.float32), Discrete(5)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = dict.fromkeys(self.possible_agents, move)
        self.agents = []
        self.places: dict[Agent, list[int]] = {}
        self.crowd: list[list[int]] = []

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Everybody somewhere."""
        super().reset(seed)
        assert self.rng is not None
        drawn = self.rng.integers(0, self.side, (len(self.agents), 2)).tolist()
        self.places = dict(zip(self.agents, drawn, strict=True))
        self._count()
        return {agent: self._see(agent) for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """All walk at once."""
        for agent in self.agents:
            x, y = self.places[agent]
            dx, dy = MOVES[actions[agent]]
            self.places[agent] = [(x + dx) % self.side, (y + dy) % self.side]
        self._count()
        observations, rewards = {}, {}
        for agent in self.agents:
            seen = observations[agent] = self._see(agent)
            rewards[agent] = 1.0 / float(seen[2])
        infos: dict[Agent, dict[str, Any]] = {agent: {} for agent in self.agents}
        return observations, rewards, dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False), infos

    def _count(self) -> None:
        self.crowd = [[0] * self.side for _ in range(self.side)]
        for x, y in self.places.values():
            self.crowd[x][y] += 1

    def _see(self, agent: Agent) -> np.ndarray:
        x, y = self.places[agent]
        side, crowd = self.side, self.crowd
        around = [crowd[(x + dx) % side][(y + dy) % side] for dx, dy in MOVES]
        return np.array([x, y, *around], np.float32)


class Square(World):
    """People on a square who clap or not, excited by the share who clap; all of them in a few numpy operations.

    With less than a microsecond an agent and step it is the hardest world for a loop to be cheap on.

    Args:
        n: how many people.
    """

    metadata = {"name": "square", "render_modes": []}
    state_fields = ("excitement",)

    def __init__(self, n: int) -> None:
        self.possible_agents = [f"person {i}" for i in range(n)]
        seen, clap = Box(0.0, 1.0, (2,), np.float64), Discrete(2)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = dict.fromkeys(self.possible_agents, clap)
        self.agents = []
        self.excitement = np.zeros(n)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Everybody is somewhat excited."""
        super().reset(seed)
        assert self.rng is not None
        self.excitement = self.rng.random(len(self.agents))
        return self._seen(0.0), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """Clapping tires, and the clapping of others excites."""
        assert self.rng is not None
        claps = np.array([actions[agent] for agent in self.agents])
        share = float(claps.mean())
        noise = self.rng.normal(0, 0.05, len(claps))
        self.excitement = np.clip(self.excitement + 0.3 * share - 0.2 * claps + noise, 0, 1)
        rewards = dict(zip(self.agents, self.excitement.tolist(), strict=True))
        no = dict.fromkeys(self.agents, False)
        return self._seen(share), rewards, no, no, {agent: {} for agent in self.agents}

    def _seen(self, share: float) -> dict[Agent, Any]:
        rows = np.column_stack([self.excitement, np.full(len(self.agents), share)])
        return dict(zip(self.agents, rows, strict=True))


class Market(World):
    """People at a market who see where they are and what one other does, and act by verbs: a world for language models.

    Args:
        n: how many people.
    """

    metadata = {"name": "market", "render_modes": []}
    state_fields = ("minute", "doing")
    time_unit = "minute"

    def __init__(self, n: int) -> None:
        self.possible_agents = [f"Person {i}" for i in range(n)]
        seen, act = Typed(View), Verbs(Say, Do, Wait)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = dict.fromkeys(self.possible_agents, act)
        self.agents = []
        self.minute = 480.0
        self.doing: dict[Agent, str] = {}

    @property
    def now(self) -> float:
        """Minutes since midnight."""
        return self.minute

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Morning."""
        super().reset(seed)
        self.minute, self.doing = 480.0, dict.fromkeys(self.agents, "arriving")
        return self._seen(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """Everybody does it."""
        self.minute += 10
        for agent, action in actions.items():
            if isinstance(action, Do):
                self.doing[agent] = action.activity
        no = dict.fromkeys(self.agents, False)
        return self._seen(), dict.fromkeys(self.agents, 0.0), no, no, {agent: {} for agent in self.agents}

    def _seen(self) -> dict[Agent, View]:
        clock = f"Monday {int(self.minute) // 60 % 24:02}:{int(self.minute) % 60:02}"
        views = {}
        for agent, other in zip(self.agents, [*self.agents[1:], self.agents[0]], strict=True):
            event = Event(kind="seen", actor=other, text=f"{other} is {self.doing[other]}.", place="the market")
            views[agent] = View(
                time=self.minute,
                clock=clock,
                place="the market",
                activity=self.doing[agent],
                events=(event,),
                people=(other,),
            )
        return views


def walker() -> Coded:
    """Goes to the emptiest tile around."""
    return Coded(lambda seen, space: int(seen[2:].argmin()))


def clapper() -> Coded:
    """Claps when excited enough."""
    return Coded(lambda seen, space: int(seen[0] + seen[1] > 0.8))
