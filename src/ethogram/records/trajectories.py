"""Trajectories: what agents saw, did and got, as arrays; what `fit` takes.

    data = run.trajectories()                     # or Trajectories.load("data/expert"), or Trajectories.of(episodes, ...)
    train, held_out = data.split(0.9, 0.1, seed=1)
    batch = train.windows(history=2, horizon=8).sample(256, rng)

A saved data set is a folder: `trajectories.json` says what it is; `observations.arrow`, `actions.arrow` and
`episodes.arrow` are uncompressed Arrow files, which are mapped into memory and not read: opening takes milliseconds at any
size, and only the rows that are asked for leave the disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
from gymnasium import Space

from ethogram.discovery import nearest
from ethogram.errors import DataError
from ethogram.records.columns import Array, Column, chain, collect, gather, inside, join, members, rows
from ethogram.records.folders import fresh
from ethogram.records.store import Store, read_store, write_store
from ethogram.records.windows import Goal, Windows
from ethogram.seeds import generator

__all__ = ["Goal", "Steps", "Trajectories", "Trajectory", "Windows"]


class Trajectory(NamedTuple):
    """What one agent saw, did and got in one episode; T actions."""

    agent: str
    episode: int
    observations: Any
    """Array (T + 1, *shape) of a numeric space, dict of these for a `Dict`, else a list of members. There are only T where
    the final one was not recorded, and none where observations were not."""
    actions: Any
    """Array (T, *shape) (int64 for `Discrete`), or a list of members."""
    rewards: Array
    """What came after each action and before the next, (T,)."""
    times: Array
    """Simulated time of each action, (T,)."""
    terminated: bool
    """The episode ended by the world's rules (else: cut off)."""
    outcome: dict[str, float] = {}
    """What came of the episode: `World.outcome()` at its end."""


class Steps(NamedTuple):
    """All steps of all episodes, one below the other, N of them; without those whose next observation was not recorded."""

    observations: Column
    """(N, ...)."""
    next_observations: Column
    """(N, ...)."""
    actions: Column
    """(N, ...)."""
    rewards: Array
    """(N,) float64."""
    terminated: Array
    """(N,) bool: the episode ended with this step by the world's rules."""
    episode: Array
    """(N,) position of the trajectory among the trajectories."""
    step: Array
    """(N,) position of the step in it."""


class Trajectories(Sequence[Trajectory]):
    """Trajectories of agents whose observations are in one space and whose actions in another.

    An index gives a `Trajectory`; a slice, or an array of positions or of bools, gives the `Trajectories` selected, which
    share their arrays with these.
    """

    def __init__(
        self, store: Store, observation_space: Space[Any], action_space: Space[Any], index: Array | None = None
    ) -> None:
        """Use `of` or `load`."""
        self.observation_space = observation_space
        self.action_space = action_space
        self._store = store
        self._index = np.arange(len(store.lengths)) if index is None else index
        self._at = (store.first_seen, store.first_action)

    @classmethod
    def of(cls, episodes: Sequence[Trajectory], observation_space: Space[Any], action_space: Space[Any]) -> Trajectories:
        """Put episodes together; their observations and actions may be lists of members or arrays.

        Raises:
            DataError: where the lengths of an episode's parts do not fit each other, members do not fit their space, or a
                number acted is none or outside of it.
        """
        observations, actions = [], []
        for i, t in enumerate(episodes):
            try:
                observations.append(collect(observation_space, t.observations))
                actions.append(collect(action_space, t.actions))
            except (DataError, KeyError, IndexError) as error:
                raise DataError(f"trajectory {i} does not fit the spaces: {error}") from error
            n, seen = len(t.rewards), rows(observations[-1])
            if rows(actions[-1]) != n or len(t.times) != n or seen not in (n + 1, n, 0):
                raise DataError(
                    f"trajectory {i} has {seen} observations, {rows(actions[-1])} actions, {n} rewards and {len(t.times)} "
                    "times; give as many rewards and times as actions, and one observation more or as many"
                )
            if not (good := inside(action_space, actions[-1])).all():
                step = int(np.argmin(good))
                wrong = gather(actions[-1], slice(step, step + 1))
                raise DataError(
                    f"the action of trajectory {i} at step {step} is {wrong}, outside of {action_space}; clip such actions, "
                    "or give the space that they are in"
                )
        names = sorted({name for t in episodes for name in t.outcome})
        store = Store(
            observations=join([collect(observation_space, []), *observations]),
            actions=join([collect(action_space, []), *actions]),
            rewards=np.concatenate([np.zeros(0), *(t.rewards for t in episodes)]),
            times=np.concatenate([np.zeros(0), *(t.times for t in episodes)]),
            agents=[t.agent for t in episodes],
            episodes=np.array([t.episode for t in episodes], np.int64),
            lengths=np.array([len(t.rewards) for t in episodes], np.int64),
            seen=np.array([rows(o) for o in observations], np.int64),
            terminated=np.array([t.terminated for t in episodes], bool),
            outcomes={name: np.array([t.outcome.get(name, np.nan) for t in episodes], np.float64) for name in names},
        )
        return cls(store, observation_space, action_space)

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> Trajectory: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | Array) -> Trajectories: ...
    def __getitem__(self, index: int | slice | Sequence[int] | Array) -> Trajectory | Trajectories:
        if isinstance(index, int | np.integer):
            return self._trajectory(int(self._index[index]))
        chosen = self._index[index if isinstance(index, slice) else np.asarray(index, None if len(index) else int)]
        return Trajectories(self._store, self.observation_space, self.action_space, chosen)

    def __iter__(self) -> Iterator[Trajectory]:
        return map(self._trajectory, self._index.tolist())

    def __add__(self, other: Trajectories) -> Trajectories:
        """These and then the others, whose episodes are numbered on; nothing is copied that lies in a file."""
        if (self.observation_space, self.action_space) != (other.observation_space, other.action_space):
            raise DataError(
                f"trajectories of other spaces cannot be added: {self.observation_space} and {self.action_space} "
                f"here, {other.observation_space} and {other.action_space} there"
            )
        a, b = self._store, other._store
        if a is b:
            index = np.concatenate([self._index, other._index])
            return Trajectories(a, self.observation_space, self.action_space, index)
        nothing = [np.full(len(s.lengths), np.nan) for s in (a, b)]
        names = [*a.outcomes, *(n for n in b.outcomes if n not in a.outcomes)]
        store = Store(
            observations=chain([a.observations, b.observations]),
            actions=chain([a.actions, b.actions]),
            rewards=chain([a.rewards, b.rewards]),
            times=chain([a.times, b.times]),
            agents=[*a.agents, *b.agents],
            episodes=np.concatenate([a.episodes, b.episodes + (a.episodes.max(initial=-1) + 1)]),
            lengths=np.concatenate([a.lengths, b.lengths]),
            seen=np.concatenate([a.seen, b.seen]),
            terminated=np.concatenate([a.terminated, b.terminated]),
            outcomes={
                n: np.concatenate([s.outcomes.get(n, x) for s, x in zip((a, b), nothing, strict=True)]) for n in names
            },
        )
        index = np.concatenate([self._index, other._index + len(a.lengths)])
        return Trajectories(store, self.observation_space, self.action_space, index)

    def __repr__(self) -> str:
        return (
            f"Trajectories({len(self)} episodes, {int(self.lengths.sum())} steps, "
            f"{self.observation_space} -> {self.action_space})"
        )

    def _trajectory(self, i: int) -> Trajectory:
        s = self._store
        o, a = int(self._at[0][i]), int(self._at[1][i])
        did, seen = slice(a, a + int(s.lengths[i])), slice(o, o + int(s.seen[i]))
        outcome = {name: float(values[i]) for name, values in s.outcomes.items() if not np.isnan(values[i])}
        return Trajectory(
            s.agents[i],
            int(s.episodes[i]),
            members(gather(s.observations, seen)),
            members(gather(s.actions, did)),
            s.rewards[did],
            s.times[did],
            bool(s.terminated[i]),
            outcome,
        )

    @property
    def lengths(self) -> Array:
        """(E,) number of actions of each."""
        return self._store.lengths[self._index]

    @property
    def agents(self) -> list[str]:
        """(E,) name of the agent of each."""
        return [self._store.agents[i] for i in self._index.tolist()]

    @property
    def episodes(self) -> Array:
        """(E,) number of the episode of each, as recorded."""
        return self._store.episodes[self._index]

    @property
    def terminated(self) -> Array:
        """(E,) whether each ended by the world's rules."""
        return self._store.terminated[self._index]

    @property
    def outcome_names(self) -> list[str]:
        """The names for which `outcomes` has values."""
        return list(self._store.outcomes)

    def outcomes(self, name: str) -> Array:
        """(E,) the outcome of that name of each; NaN where it has none. Raises DataError where none has any."""
        if name not in self._store.outcomes:
            known = self.outcome_names
            silent = "their world says nothing of how they came out (an env says it in its info, as info['success'])"
            hint = f"did you mean {nearest(name, known)}?" if known else silent
            raise DataError(f"no episode of the trajectories has an outcome {name!r}; {hint}")
        return self._store.outcomes[name][self._index]

    def returns(self) -> Array:
        """(E,) sum of rewards of each."""
        own, _, did = self._rows(self.lengths, self._at[1][self._index])
        return np.bincount(own, self._store.rewards[did], minlength=len(self))

    def split(self, *shares: float, seed: int = 0) -> tuple[Trajectories, ...]:
        """Divide by episode at random: trajectories of the same episode of a run stay together.

        Args:
            *shares: relative sizes, such as 0.8, 0.1, 0.1; a part may be off by less than an episode.
            seed: of the shuffling.
        """
        if not shares or not (min(shares) >= 0 and 0 < sum(shares) < np.inf):
            raise DataError(f"shares of a split are positive numbers, such as 0.9, 0.1; {shares} were given")
        episodes, own = np.unique(self.episodes, return_inverse=True)
        rows = self._index.tolist()
        if len(set(zip(self.agents, own.tolist(), strict=True))) < len(set(rows)):  # of several sources: they name nothing
            episodes = list(dict.fromkeys(rows))
            place = {row: i for i, row in enumerate(episodes)}
            own = np.array([place[row] for row in rows], int)
        order = generator(seed, "split").permutation(len(episodes))
        ends = np.rint(np.cumsum(shares) / sum(shares) * len(episodes)).astype(int)
        part = np.searchsorted(ends, np.argsort(order), side="right")[own]
        return tuple(self[part == i] for i in range(len(shares)))

    def _rows(self, lengths: Array, first: Array) -> tuple[Array, Array, Array]:
        """For `lengths` (E,) rows each from `first` (E,) on: the trajectory of each row, its position, and its row."""
        own = np.repeat(np.arange(len(lengths)), lengths)
        step = np.arange(len(own)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return own, step, first[own] + step

    def steps(self) -> Steps:
        """All steps one below the other, copied into memory."""
        s = self._store
        lengths = np.maximum(np.minimum(self.lengths, s.seen[self._index] - 1), 0)
        own, step, seen = self._rows(lengths, self._at[0][self._index])
        did = self._at[1][self._index][own] + step
        ended = self.terminated[own] & (step == self.lengths[own] - 1)
        return Steps(
            gather(s.observations, seen),
            gather(s.observations, seen + 1),
            gather(s.actions, did),
            s.rewards[did],
            ended,
            own,
            step,
        )

    def windows(self, history: int = 1, horizon: int = 1, goal: Goal | None = None, stride: int = 1) -> Windows:
        """Windows around each `stride`-th step of each episode: see `Windows`."""
        s, i = self._store, self._index
        if (s.seen[i] < s.lengths[i]).any():
            raise DataError("windows need observations, and the run was recorded without: record with record='all'")
        seen, done = (self._at[0][i], s.seen[i]), (self._at[1][i], s.lengths[i])
        return Windows(s.observations, s.actions, seen, done, history, horizon, goal, stride)

    def save(self, path: str | Path) -> None:
        """Write a folder that `load` reads. Raises DataError where there is something else already."""
        path = Path(path)
        if path.exists() and not (path / "trajectories.json").exists() and (not path.is_dir() or any(path.iterdir())):
            raise DataError(f"{path} holds something other than trajectories: choose another folder")
        with fresh(path) as folder:
            write_store(folder, self._store, self._index, (self.observation_space, self.action_space))

    @classmethod
    def load(cls, path: str | Path) -> Trajectories:
        """Open a folder that `save` wrote, mapping its files. Raises DataError where it is none, or broken."""
        return cls(*read_store(Path(path)))
