"""Memory: keeps what happens in a loop as trajectories, where no run folder is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.records.columns import collect
from ethogram.records.trajectories import Trajectory
from ethogram.simulation.copies import Copies
from ethogram.world import Agent, World

__all__ = ["FAULTS", "Memory", "copied"]

FAULTS = "faults"
"""The outcome that counts the actions in whose place the idle one was taken."""


def copied(value: Any) -> Any:
    """A copy of a member that its owner may write into again."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return {k: copied(v) for k, v in value.items()} if isinstance(value, dict) else value


class Path:
    """What one agent has seen, done and got so far."""

    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.actions: list[Any] = []
        self.rewards: list[float] = []
        self.times: list[float] = []
        self.terminated = False
        self.faults = 0

    def append(self, seen: Any, action: Any, time: float) -> None:
        """One action more; its reward comes later."""
        self.observations.append(seen)
        self.actions.append(action)
        self.rewards.append(0.0)
        self.times.append(time)


class Memory:
    """One episode of a world (or of copies of it side by side), as the trajectories of its agents."""

    def __init__(self, world: World) -> None:
        self.paths: dict[Agent, Path] = {}
        self._world = world
        self._time_of = world.time_of if isinstance(world, Copies) and world.worlds[0].now is not None else None

    def path(self, agent: Agent) -> Path:
        """What an agent has done so far."""
        found = self.paths.get(agent)
        if found is None:
            found = self.paths[agent] = Path()
        return found

    def acted(
        self,
        acting: Sequence[Agent],
        seen: Mapping[Agent, Any],
        actions: Mapping[Agent, Any],
        faults: Mapping[Agent, str],
        time: float,
    ) -> None:
        """The world is about to be stepped: what those see who act, what they do, and whose action was none."""
        for agent in acting:
            own = self._time_of(agent) if self._time_of else None
            path = self.path(agent)
            path.append(copied(seen[agent]), copied(actions[agent]), time if own is None else own)
            path.faults += agent in faults

    def came(self, rewards: Mapping[Agent, float], how: Mapping[Agent, str], last: Mapping[Agent, Any]) -> None:
        """The world has been stepped: rewards, ends, and the last observations of those who are through.

        A reward that comes while an agent is not asked to act counts with its last action.
        """
        for agent, reward in rewards.items():
            path = self.paths.get(agent)
            if path is not None:
                path.rewards[-1] += reward
        for agent, seen in last.items():
            path = self.paths.get(agent)
            if path is not None:
                path.observations.append(copied(seen))
                path.terminated = how.get(agent) == "terminated"

    def trajectories(self, episode: int, names: Mapping[Agent, Agent], outcome: Mapping[str, float]) -> list[Trajectory]:
        """The trajectories of those of the agents in `names` who have acted, under the names given there.

        The outcome `faults` says how many of an agent's actions were no members of their space, where any was.
        """
        world = self._world
        return [
            Trajectory(
                name,
                episode,
                collect(world.observation_space(agent), path.observations),
                collect(world.action_space(agent), path.actions),
                np.array(path.rewards, np.float64),
                np.array(path.times, np.float64),
                path.terminated,
                {**outcome, FAULTS: float(path.faults)} if path.faults else dict(outcome),
            )
            for agent, name in names.items()
            if (path := self.paths.get(agent)) is not None
        ]
