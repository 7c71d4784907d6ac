"""Policy: who decides.

One `act` serves all the agents a policy is in charge of, so that a learned policy makes one forward pass and a prompted one
keeps all of its model calls in flight at once.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.seeds import derive, generator, generator_from, generator_state
from ethogram.world import Agent

__all__ = ["Coded", "Fault", "Policy", "Random", "coded"]


class Fault(NamedTuple):
    """Stands in `act`'s answer for an action that could not be had: the world's idle action is taken, `reason` recorded."""

    reason: str


class Policy(ABC):
    """Decides for one or many agents.

    A policy's whole changing state goes through `state_dict` / `load_state_dict`: JSON values and numpy arrays only.
    Whatever is random in it derives from the seed that `reset` gives.
    """

    repeatable: ClassVar[bool] = True
    """Whether it does the same again in the same run. Of one that does not (a person), the recorded actions are taken
    where a run is resumed, replayed or forked, and it is not asked."""
    calls_per_step: float | None = 0
    """How many model calls it makes for an agent in a step, at a guess; None where nobody knows."""

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """An episode begins in which this policy is in charge of `agents`."""

    @abstractmethod
    def act(
        self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]
    ) -> Mapping[Agent, Any] | Awaitable[Mapping[Agent, Any]]:
        """An action (or a `Fault`) for each agent in `observations`, out of the space it has in `spaces` now.

        Agents may be absent in a step in which the world does not await their action. May be a coroutine.
        """

    def ask(self, agent: Agent, question: str) -> str | Awaitable[str]:
        """Answer an interviewer's question as the agent, from what it knows now, changing nothing."""
        raise ConfigError(f"policy {type(self).__name__} cannot be interviewed")

    def intervene(self, agent: Agent, name: str, arguments: Mapping[str, Any]) -> None:
        """Carry out an intervention (a method marked `@intervention`, called with the agent first) on one agent."""
        method = getattr(self, name, None)
        if not getattr(method, "__intervention__", False):
            raise ConfigError(f"policy {type(self).__name__} has no intervention {name!r}")
        try:
            method(agent, **arguments)  # type: ignore[misc]
        except TypeError as error:
            raise ConfigError(f"intervention {name!r} does not take {dict(arguments)}: {error}") from error

    def state_dict(self) -> dict[str, Any]:
        """The complete state between two steps; nothing by default."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave (after `reset` with the same agents)."""


class Coded(Policy):
    """A policy from a plain function of one agent's observation and space, and of its own random generator if it asks.

    Args:
        function: `function(observation, space)` or `function(observation, space, rng)`, where `rng` is a numpy Generator
            of the agent's own: what one agent draws never shifts what another does.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._random = len(inspect.signature(function).parameters) > 2
        self._rngs: dict[Agent, np.random.Generator] = {}
        self._seed: int | None = None

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Give each agent a generator of its own."""
        self._seed = seed
        self._rngs = {a: generator(seed, "coded", a) for a in agents} if self._random else {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Call the function for each agent."""
        function = self.function
        if not self._random:
            return {agent: function(seen, spaces[agent]) for agent, seen in observations.items()}
        if self._seed is None:
            raise ConfigError("a coded policy that draws random numbers must be reset with a seed before it acts")
        rngs = self._rngs
        for agent in observations:
            if agent not in rngs:
                rngs[agent] = generator(self._seed, "coded", agent)
        return {agent: function(seen, spaces[agent], rngs[agent]) for agent, seen in observations.items()}

    def alone(self, agent: Agent, space: Space[Any]) -> Callable[[Any], Any]:
        """`act` for one agent with one space, without mappings: a function of its observation, good until the next reset."""
        function = self.function
        if not self._random:
            return lambda seen: function(seen, space)
        if self._seed is None:
            raise ConfigError("a coded policy that draws random numbers must be reset with a seed before it acts")
        if agent not in self._rngs:
            self._rngs[agent] = generator(self._seed, "coded", agent)
        rng = self._rngs[agent]
        return lambda seen: function(seen, space, rng)

    def state_dict(self) -> dict[str, Any]:
        """The generators' states."""
        return {"seed": self._seed, "rngs": {agent: generator_state(rng) for agent, rng in self._rngs.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the generators back."""
        self._seed = state["seed"]
        self._rngs = {agent: generator_from(value) for agent, value in state["rngs"].items()}


def coded(function: Callable[..., Any]) -> Coded:
    """Decorator: make a function `(observation, space[, rng]) -> action` a policy."""
    return Coded(function)


class Random(Policy):
    """Draws from the space that is open to each agent."""

    def __init__(self) -> None:
        self._seed = 0
        self._counts: dict[Agent, int] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Start each agent's own sequence of draws."""
        self._seed, self._counts = seed, {}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """A sample of each agent's space, seeded by (seed, agent, how often it has drawn)."""
        actions = {}
        for agent in observations:
            count = self._counts[agent] = self._counts.get(agent, 0) + 1
            spaces[agent].seed(derive(self._seed, "random", agent, count))
            actions[agent] = spaces[agent].sample()
        return actions

    def state_dict(self) -> dict[str, Any]:
        """How often each agent has drawn."""
        return {"seed": self._seed, "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the counts back."""
        self._seed, self._counts = state["seed"], dict(state["counts"])
