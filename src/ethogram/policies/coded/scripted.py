"""What scripted demonstrators share: a memory and random numbers for each agent of its own."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.policy import Policy
from ethogram.seeds import generator, generator_from, generator_state
from ethogram.world import Agent

__all__ = ["Scripted"]


class Scripted(Policy):
    """A policy that follows a script: a subclass writes `script`, which sees one agent at a time.

    What one agent draws never shifts what another does.
    """

    def __init__(self) -> None:
        self._seed = 0
        self._rngs: dict[Agent, np.random.Generator] = {}
        self._memories: dict[Agent, dict[str, Any]] = {}

    @abstractmethod
    def script(self, observation: Any, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The action of one agent.

        Args:
            observation: what it sees.
            space: what it may do.
            memory: empty when an episode begins; keeps JSON values and numpy arrays between calls.
            rng: the agent's own.
        """

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget the last episode."""
        self._seed, self._rngs, self._memories = seed, {}, {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Follow the script of each agent."""
        actions = {}
        for agent, seen in observations.items():
            if agent not in self._rngs:
                self._rngs[agent], self._memories[agent] = generator(self._seed, "scripted", agent), {}
            actions[agent] = self.script(seen, spaces[agent], self._memories[agent], self._rngs[agent])
        return actions

    def state_dict(self) -> dict[str, Any]:
        """What each agent remembers, and its random numbers."""
        rngs = {agent: generator_state(rng) for agent, rng in self._rngs.items()}
        return {"seed": self._seed, "rngs": rngs, "memories": copy.deepcopy(self._memories)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self._seed, self._memories = state["seed"], copy.deepcopy(dict(state["memories"]))
        self._rngs = {agent: generator_from(value) for agent, value in state["rngs"].items()}
