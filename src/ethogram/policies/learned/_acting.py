"""How a learned policy acts: what each agent has seen lately, the execution of predicted chunks of actions, random numbers.

This runs for every action, for one agent as for a thousand. What surrounds the network is therefore kept to what it takes: a
few microseconds count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium.spaces as gs
import numpy as np
import torch
from gymnasium import Space
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn.chunks import Chunks
from ethogram.nn.layout import Actions, Observations
from ethogram.nn.scaling import pixels
from ethogram.policies.learned._generators import Generators
from ethogram.policy import Policy
from ethogram.records.columns import collect
from ethogram.world import Agent

__all__ = ["Acting", "Seen"]

Seen = Tensor | dict[str, Tensor]
"""Scaled observations: the vectors (B, history, columns); or, where there are images, a dict with these as `vector` and
the images (B, history, C, H, W), from 0 to 1, by their key."""


class Acting(Policy):
    """The half of `Learned` that acts; the other half gives it its attributes."""

    config: Any
    observed: Observations
    acted: Actions
    observation_space: Space[Any]
    action_space: Space[Any]
    _scalers: nn.ModuleDict

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The actions from now on, (B, horizon, size): in the scale in which `loss` saw them, or whole numbers from 0.

        Args:
            observations: the last `history` of each row, the present one last.
            goals: (B, columns).
            generators: one a row, for whatever is random.
        """
        raise NotImplementedError

    def _prepare(self) -> None:
        """Set up, once the rest is there."""
        scalers = dict(self._scalers.items())
        self._observation_scaler: Any = scalers.get("observations")
        self._goal_scaler: Any = scalers.get("goals")
        self._action_scaler: Any = scalers.get("actions")
        bounds = (torch.from_numpy(bound) for bound in (self.acted.low, self.acted.high))
        self._bounds = tuple(bounds) if self.acted.bounded else None
        self._chunked = self.config.execute > 1 or self.config.ensemble is not None
        self._seed: int | None = None
        self._forget([])

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget what was seen; from here on random numbers derive from the seed."""
        self._seed = seed
        self._forget(agents)

    def _forget(self, agents: Sequence[Agent]) -> None:
        self._fits = False
        self._rows = {agent: row for row, agent in enumerate(agents)}
        self._counts = [0] * len(self._rows)
        self._memory: dict[str, np.ndarray[Any, Any]] = {}
        self._chunks = [Chunks(self.config.execute, self.config.ensemble) for _ in self._rows] if self._chunked else []

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """An action for each agent: predicted in one forward pass, or what is left of its chunk."""
        agents = list(observations)
        if not self._fits:
            self._check(list(observations.values()), [spaces[agent] for agent in agents if agent in spaces])
        rows = [self._rows[agent] if agent in self._rows else self._join(agent) for agent in agents]
        column = _stack(list(observations.values()), self.observed.single)
        seen = self._remember(rows, self.observed.read(column))
        goals = self.observed.goals(column["desired_goal"]) if self.observed.goal else None
        if not self._chunked:
            actions = self._predict(rows, agents, seen, goals)[:, 0]
            return dict(zip(agents, self.acted.members(actions)))  # noqa: B905 (as many as agents)
        due = [i for i, row in enumerate(rows) if self._chunks[row].due]
        if due:
            some = {name: array[due] for name, array in seen.items()}
            of = [rows[i] for i in due]
            chunks = self._predict(of, [agents[i] for i in due], some, None if goals is None else goals[due])
            for row, chunk in zip(of, chunks, strict=True):
                self._chunks[row].push(chunk)
        actions = np.stack([self._chunks[row].pop() for row in rows])
        return dict(zip(agents, self.acted.members(actions), strict=True))

    def _check(self, seen: list[Any], spaces: Sequence[Space[Any]]) -> None:
        """Once in an episode: whether what there is to see and to do is what it was made for."""
        name, own = type(self).__name__, self.action_space
        try:
            collect(self.observation_space, seen)
        except (DataError, KeyError, IndexError, TypeError) as error:
            raise ConfigError(
                f"this {name} was made for observations in {self.observation_space}, and in this world there are others "
                f"({error}); use it in a world of its spaces, or fit another"
            ) from error
        for space in spaces:
            if not (space == own or _within(own, space)):
                raise ConfigError(
                    f"this {name} was made for actions in {own}, and in this world they are in {space}; "
                    "use it in a world of its spaces, or fit another"
                )
        self._fits = True

    def _join(self, agent: Agent) -> int:
        """Take in an agent that was not there at the reset."""
        row = self._rows[agent] = len(self._rows)
        self._counts.append(0)
        self._memory = {name: np.concatenate([kept, kept[:1]]) for name, kept in self._memory.items()}
        if self._chunked:
            self._chunks.append(Chunks(self.config.execute, self.config.ensemble))
        return row

    def _remember(self, rows: list[int], seen: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """The last `history` observations of each row, (B, history, ...); at the beginning the first one is repeated."""
        history = self.config.history
        if history == 1:
            return {name: array[:, None] for name, array in seen.items()}
        return {name: self._shift(name, rows, array, history) for name, array in seen.items()}

    def _shift(self, name: str, rows: list[int], array: np.ndarray[Any, Any], history: int) -> np.ndarray[Any, Any]:
        if name not in self._memory:
            self._memory[name] = np.zeros((len(self._rows), history, *array.shape[1:]), array.dtype)
        kept = self._memory[name]
        first, last = rows[0], rows[-1]
        adjacent = last - first + 1 == len(rows) and rows == list(range(first, last + 1))
        at: Any = slice(first, last + 1) if adjacent else rows  # a slice is a view, and several times faster
        kept[at, :-1] = kept[at, 1:]
        kept[at, -1] = array
        for i, row in enumerate(rows):
            if not self._counts[row]:
                kept[row] = array[i]
        return kept[at]

    def _predict(
        self,
        rows: list[int],
        agents: list[Agent],
        seen: dict[str, np.ndarray[Any, Any]],
        goals: np.ndarray[Any, Any] | None,
    ) -> np.ndarray[Any, Any]:
        """Chunks of actions (B, horizon, size), within their bounds."""
        if self._seed is None:
            raise ConfigError(f"{type(self).__name__} must be reset with a seed before it acts")
        counts = self._counts
        generators = Generators(self._seed, agents, [counts[row] for row in rows])
        for row in rows:
            counts[row] += 1
        with torch.inference_mode():
            observations = self._see({name: torch.from_numpy(array) for name, array in seen.items()})
            wanted = None if goals is None else self._goal_scaler.forward(torch.from_numpy(goals))
            actions = self.predict(observations, wanted, generators)
            if self._action_scaler is not None:
                actions = self._action_scaler.inverse(actions)
                if self._bounds is not None:
                    actions = actions.clamp_(*self._bounds)
            return actions.numpy()

    def _see(self, seen: dict[str, Tensor]) -> Seen:
        """Vectors scaled, images as numbers from 0 to 1."""
        if not self.observed.images:
            return self._observation_scaler.forward(seen["vector"])  # a module's own call would cost as much again
        found = {name: pixels(seen[name]) for name in self.observed.images}
        if "vector" in seen:
            found["vector"] = self._observation_scaler.forward(seen["vector"])
        return found

    def state_dict(self) -> dict[str, Any]:
        """What each agent has seen lately, its unfinished chunks, and how often it was predicted for; not the weights."""
        return {
            "seed": self._seed,
            "agents": list(self._rows),
            "counts": list(self._counts),
            "memory": {name: kept.copy() for name, kept in self._memory.items()},
            "chunks": [chunks.state_dict() for chunks in self._chunks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave."""
        self._seed = state["seed"]
        self._forget(state["agents"])
        self._counts = list(state["counts"])
        self._memory = {name: np.array(kept) for name, kept in state["memory"].items()}
        for chunks, kept in zip(self._chunks, state["chunks"], strict=True):
            chunks.load_state_dict(kept)


def _stack(members: list[Any], single: bool) -> Any:
    """Observations of several agents as one column; `single` where each is one array."""
    if not single:
        return {key: _stack([member[key] for member in members], True) for key in members[0]}
    return np.asarray(members[0])[None] if len(members) == 1 else np.stack(members)


def _within(own: Space[Any], space: Space[Any]) -> bool:
    """Whether what is chosen in a space is in another of the same form; bounds that are not known are taken to be."""
    if type(own) is not type(space) or own.shape != space.shape:
        return False
    if isinstance(own, gs.Box) and isinstance(space, gs.Box):
        return bool(
            (np.isinf(own.low) | (own.low >= space.low)).all() and (np.isinf(own.high) | (own.high <= space.high)).all()
        )
    if isinstance(own, gs.Discrete) and isinstance(space, gs.Discrete):
        return bool(own.start >= space.start and own.start + own.n <= space.start + space.n)
    return False
