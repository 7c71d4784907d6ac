"""Windows: what a step of training draws from trajectories."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ethogram.errors import DataError
from ethogram.records.columns import Array, Column, gather

__all__ = ["Goal", "Windows"]


class Goal(NamedTuple):
    """How windows get goals in hindsight: states that the agent came to later in the episode.

    With t the step of the window and `first` the least distance (`steps[0]`, else the horizon, so that goals come after the
    window), the goal is the state at t + d, or the last one of the episode where that is sooner:

    - "future": d uniform over `first` ... the end of the episode (at most `steps[1]`);
    - "geometric": d = first - 1 + Geometric(p) (at most `steps[1]`): the discounted state occupancy for p = 1 - discount;
    - "last": the last state.
    """

    kind: Literal["future", "geometric", "last"]
    p: float = 0.1
    steps: tuple[int, int] | None = None
    """Least and greatest distance d."""
    key: str | None = None
    """The entry of a Dict observation that is the goal; by default `achieved_goal`, and of other spaces all of it."""


class Windows:
    """Windows of all episodes: of `history` observations up to a step, and the actions from there `horizon` steps on.

    A window lies at each `stride`-th step t = 0, stride, ... < T of an episode. It has the observations
    t - history + 1 ... t and the actions t - history + 1 ... t + horizon - 1, so the action taken on the last observation
    is number `history - 1`. Before the beginning the first observation and action are repeated, after the end the last
    action; such actions are False in `mask`.
    """

    def __init__(
        self,
        observations: Column,
        actions: Column,
        seen: tuple[Array, Array],
        done: tuple[Array, Array],
        history: int = 1,
        horizon: int = 1,
        goal: Goal | None = None,
        stride: int = 1,
    ) -> None:
        """Use `Trajectories.windows`. `seen`, `done`: of each episode, first row and number of observations and actions."""
        for name, value in (("history", history), ("horizon", horizon), ("stride", stride)):
            if value < 1:
                raise DataError(f"{name} of windows is {value}; it is at least 1")
        self.history, self.horizon, self.goal, self.stride = history, horizon, goal, stride
        self._observations, self._actions = observations, actions
        self._first_seen, self._last_seen = seen[0], seen[1] - 1
        self._first_action, self._lengths = done
        counts = -(-self._lengths // stride)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        self._seen_at = np.arange(1 - history, 1)
        self._done_at = np.arange(1 - history, horizon)
        self._goals = observations if goal is None else _goals(observations, goal)
        self._weights: tuple[Array, Array] | None = None

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def where(self, indices: Array) -> tuple[Array, Array]:
        """The positions of the episodes and the steps at which windows lie, (B,) each."""
        episode = np.searchsorted(self._ends, indices, side="right")
        return episode, (indices - self._starts[episode]) * self.stride

    def batch(self, indices: Array, rng: np.random.Generator | None = None) -> dict[str, Any]:
        """The windows number `indices` (B,), as arrays.

        Args:
            indices: (B,) whole numbers from 0 to `len(self) - 1`.
            rng: draws the goals; needed where goals are drawn.

        Returns:
            observations (B, history, ...), actions and mask (B, history - 1 + horizon, ...), goals (B, ...) if relabelled,
            episode (B,) and step (B,).
        """
        indices = np.asarray(indices)
        episode, step = self.where(indices)
        seen = np.clip(step[:, None] + self._seen_at, 0, None) + self._first_seen[episode][:, None]
        done, last = step[:, None] + self._done_at, self._lengths[episode][:, None] - 1
        did = np.clip(done, 0, last)
        found = {
            "observations": gather(self._observations, seen),
            "actions": gather(self._actions, did + self._first_action[episode][:, None]),
            "mask": done == did,
            "episode": episode,
            "step": step,
        }
        if self.goal is not None:
            to = np.minimum(step + self._distance(step, episode, rng), self._last_seen[episode])
            found["goals"] = gather(self._goals, to + self._first_seen[episode])
        return found

    def _distance(self, step: Array, episode: Array, rng: np.random.Generator | None) -> Array:
        """(B,) how many steps later the goal is; may point beyond the end."""
        goal, left = self.goal, self._last_seen[episode] - step
        assert goal is not None
        if goal.kind == "last":
            return left
        if rng is None:
            raise DataError(f"goals of kind {goal.kind!r} are drawn: give batch() a random generator")
        least, most = goal.steps or (self.horizon, None)
        if goal.kind == "geometric":
            distance = least - 1 + rng.geometric(goal.p, len(step))
            return distance if most is None else np.minimum(distance, most)
        top = np.maximum(left if most is None else np.minimum(left, most), least)
        return rng.integers(least, top, endpoint=True)

    def sample(self, n: int, rng: np.random.Generator, weights: Array | None = None) -> dict[str, Any]:
        """A batch of `n` windows drawn with replacement, uniformly or in proportion to `weights` (one a window)."""
        if not len(self):
            raise DataError("there is no window to draw: the trajectories hold no step")
        if weights is None:
            return self.batch(rng.integers(len(self), size=n), rng)
        if self._weights is None or self._weights[0] is not weights:
            if np.shape(weights) != (len(self),) or not (np.min(weights) >= 0 and 0 < np.sum(weights) < np.inf):
                raise DataError(f"weights are one a window, none negative and not all zero; there are {len(self)} windows")
            self._weights = weights, np.cumsum(weights, dtype=np.float64)
        sums = self._weights[1]
        drawn = np.searchsorted(sums, rng.random(n) * sums[-1], side="right")
        return self.batch(np.minimum(drawn, len(self) - 1), rng)


def _goals(observations: Column, goal: Goal) -> Column:
    """The column that goals are taken from. Raises DataError for a goal that cannot be."""
    if goal.kind not in ("future", "geometric", "last"):
        raise DataError(f"there are no goals of kind {goal.kind!r}: there are future, geometric and last")
    if goal.steps is not None and not 0 <= goal.steps[0] <= goal.steps[1]:
        raise DataError(f"the steps of a goal are its least and greatest distance; {goal.steps} were given")
    if not 0 < goal.p <= 1:
        raise DataError(f"p of a geometric goal is a probability above 0; {goal.p} was given")
    key = goal.key or ("achieved_goal" if isinstance(observations, dict) else None)
    if key is None:
        return observations
    if not isinstance(observations, dict) or key not in observations:
        raise DataError(f"observations have no entry {key!r} to take goals from")
    return observations[key]
