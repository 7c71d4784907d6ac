"""Copies: several copies of one world side by side, so that a policy acts on all of them in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.seeds import derive, fresh_seed
from ethogram.world import Agent, AsyncWorld, Step, World

__all__ = ["Copies"]


class Copies(World):
    """Copies of a world that know nothing of each other. The agent `a` of copy i is called `a@i`.

    A copy whose episode is over drops out; the others go on.

    Args:
        worlds: built alike.
        seeds: the seed of each copy's episode; by default they derive from the one that `reset` gets.
    """

    def __init__(self, worlds: Sequence[World], seeds: Sequence[int] | None = None) -> None:
        first = worlds[0]
        if isinstance(first, AsyncWorld):
            raise ConfigError(f"copies of {type(first).__name__} cannot be stepped side by side, because its step awaits")
        self.worlds = list(worlds)
        self.seeds = seeds
        self.metadata = first.metadata
        self._names = [{a: f"{a}@{i}" for a in first.possible_agents} for i in range(len(self.worlds))]
        self.home = {name: (i, a) for i, names in enumerate(self._names) for a, name in names.items()}
        """Of each agent, its copy and its name in it."""
        self.possible_agents = list(self.home)
        self.observation_spaces = {name: worlds[i].observation_space(a) for name, (i, a) in self.home.items()}
        self.action_spaces = {name: worlds[i].action_space(a) for name, (i, a) in self.home.items()}
        self.agents = []
        self._live: list[int] = []

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin an episode in each copy."""
        base = fresh_seed() if seed is None else seed
        seeds = self.seeds or [derive(base, "copy", i) for i in range(len(self.worlds))]
        seen, infos = {}, {}
        for world, own, names in zip(self.worlds, seeds, self._names, strict=True):
            observations, told = world.reset(seed=own, options=options)
            seen.update({names[a]: value for a, value in observations.items()})
            infos.update({names[a]: value for a, value in told.items()})
        self._go_on(range(len(self.worlds)))
        return seen, infos

    def _go_on(self, copies: Iterable[int]) -> None:
        """The copies among these whose episodes are not over go on."""
        self._live = [i for i in copies if self.worlds[i].agents]
        self.agents = [self._names[i][a] for i in self._live for a in self.worlds[i].agents]

    @property
    def acting(self) -> Sequence[Agent]:
        """The acting agents of all copies."""
        return [self._names[i][a] for i in self._live for a in self.worlds[i].acting]

    def time_of(self, agent: Agent) -> float | None:
        """Simulated time in the agent's copy."""
        return self.worlds[self.home[agent][0]].now

    def available(self, agent: Agent) -> Space[Any]:
        """What is open to an agent in its copy."""
        i, own = self.home[agent]
        return self.worlds[i].available(own)

    def idle(self, agent: Agent) -> Any:
        """What an agent's copy has as its idle action."""
        i, own = self.home[agent]
        return self.worlds[i].idle(own)

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """One step of each copy that goes on."""
        acted: dict[int, dict[Agent, Any]] = {i: {} for i in self._live}
        for agent, action in actions.items():
            i, own = self.home[agent]
            acted[i][own] = action
        came: tuple[dict[Agent, Any], ...] = ({}, {}, {}, {}, {})
        for i, own_actions in acted.items():
            names = self._names[i]
            for whole, part in zip(came, self.worlds[i].step(own_actions), strict=True):
                whole.update({names[a]: value for a, value in part.items()})
        self._go_on(self._live)
        return came  # type: ignore[return-value]

    def state_dict(self) -> dict[str, Any]:
        """The states of the copies."""
        return {"live": list(self._live), "worlds": [world.state_dict() for world in self.worlds]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the states back."""
        for world, kept in zip(self.worlds, state["worlds"], strict=True):
            world.load_state_dict(kept)
        self._go_on(state["live"])

    def close(self) -> None:
        """Close the copies."""
        for world in self.worlds:
            world.close()
