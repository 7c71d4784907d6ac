"""A policy that does what the expert that ships with a world would do, with a trembling hand if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box

from ethogram.errors import ConfigError
from ethogram.policy import Policy
from ethogram.seeds import generator, generator_from, generator_state
from ethogram.world import Agent

__all__ = ["Advised", "Advisor"]


class Advisor(Protocol):
    """A world that ships an expert."""

    possible_agents: list[Agent]

    def advise(self, agent: Agent | None = None) -> Any:
        """What the expert would do now, in the agent's place."""


class Advised(Policy):
    """Takes the advice of `world.advise`, which may know more than the agent sees.

    Args:
        world: the world that is simulated; where several copies are stepped, each needs a policy of its own.
        noise: standard deviation of what is added to numeric actions, as a share of half the action's range. Actions are
            clipped to what is allowed.
        memory: correlation of that noise from step to step, in [0, 1).
    """

    def __init__(self, world: Advisor, noise: float = 0.0, memory: float = 0.0) -> None:
        if noise < 0 or not 0 <= memory < 1:
            raise ConfigError(f"noise must not be negative and memory in [0, 1), but they are {noise} and {memory}")
        self.world, self.noise, self.memory = world, noise, memory
        self._rng, self._drift = generator(0, "advised"), np.zeros(0)

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Start the noise of an episode."""
        others = set(agents) - set(self.world.possible_agents)
        if others:
            raise ConfigError(f"an expert of one world cannot act for {sorted(others)}: step its copies one at a time")
        self._rng, self._drift = generator(seed, "advised"), np.zeros(0)

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Ask the expert, and add the noise."""
        return {agent: self._blurred(self.world.advise(agent), spaces[agent]) for agent in observations}

    def _blurred(self, action: Any, space: Space[Any]) -> Any:
        if not self.noise or not isinstance(space, Box):
            return action
        fresh = self._rng.normal(0, self.noise, space.shape)
        self._drift = self.memory * self._drift + np.sqrt(1 - self.memory**2) * fresh if self._drift.size else fresh
        return np.clip(action + self._drift * (space.high - space.low) / 2, space.low, space.high).astype(space.dtype)

    def state_dict(self) -> dict[str, Any]:
        """The noise's random numbers and where it has drifted."""
        return {"rng": generator_state(self._rng), "drift": self._drift.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put them back."""
        self._rng, self._drift = generator_from(state["rng"]), np.array(state["drift"])
