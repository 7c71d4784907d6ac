"""What the worlds that wrap other packages' envs share."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np

from ethogram.errors import ConfigError, not_installed
from ethogram.seeds import derive, fresh_seed
from ethogram.world import Agent, GymWorld


def needed(package: str) -> Any:
    """Import a package that a world needs; ConfigError says which extra has it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise not_installed(error, "this world") from error


class Luck:
    """Random numbers of its own in the place of the global ones (of `random` and `numpy.random`), while it is entered."""

    def __init__(self, seed: int) -> None:
        self._own: tuple[Any, Any] = random.Random(seed).getstate(), np.random.RandomState(seed % 2**32).get_state()
        self._global: tuple[Any, Any] | None = None

    def __enter__(self) -> None:
        self._global = random.getstate(), np.random.get_state()
        self._put(self._own)

    def __exit__(self, *_: object) -> None:
        self._own = random.getstate(), np.random.get_state()
        if self._global is not None:
            self._put(self._global)

    @staticmethod
    def _put(state: tuple[Any, Any]) -> None:
        random.setstate(state[0])
        np.random.set_state(state[1])


class Wrapped(GymWorld):
    """An env of another package as a world of one agent, with what such envs often lack mended.

    Its expert, where it ships one, is asked by `advise`. The state is the seed, the actions and the steps before which the
    expert was asked; putting it back repeats the episode.
    """

    global_luck: ClassVar[bool] = False
    """Whether the env draws from the global random numbers: it then gets its own in their place, seeded by `reset`."""

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin an episode."""
        seed = fresh_seed() if seed is None else seed
        self._luck = Luck(derive(seed, "luck")) if self.global_luck else nullcontext()
        self._asked: list[int] = []
        with self._luck:
            return super().reset(seed, options)

    def advance(self, action: Any) -> tuple[Any, float, bool, bool]:
        """One step of the env."""
        with self._luck:
            return super().advance(action)

    def advise(self, agent: Agent | None = None) -> Any:
        """What the expert that ships with the env would do now.

        Raises:
            ConfigError: the world has no expert for this task.
        """
        if not self._asked or self._asked[-1] != len(self._actions):
            self._asked.append(len(self._actions))
            with self._luck:
                self._advice = self._advised()
        return self._advice

    def _advised(self) -> Any:
        raise ConfigError(f"world {type(self).__name__} has no expert")

    def state_dict(self) -> dict[str, Any]:
        """The seed, the options, the actions and the steps before which the expert was asked."""
        return {**super().state_dict(), "asked": list(self._asked)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Repeat the episode up to the state kept."""
        agent, asked = self.possible_agents[0], set(state["asked"])
        self.reset(state["seed"], state["options"])
        actions = self.action_spaces[agent].from_jsonable(list(state["actions"]))
        for step, action in enumerate([*actions, None]):
            if step in asked:
                self.advise()
            if step < len(actions):
                self.step({agent: action})
        self.agents = list(state["agents"])
