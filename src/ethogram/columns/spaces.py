"""Columns as a space: what all rows decide at once, and what they see."""

from __future__ import annotations

import hashlib
from typing import Any

import gymnasium.spaces as gs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "shares_of"]


class Column(gs.Space[NDArray[Any]]):
    """An array with one number a row, from `low` to `high`: a decision of all rows at once, or what they see.

    In a record stands a summary (rows, mean and a digest), not the numbers: a record does not grow with the population, and
    a replay still sees where a column differs.

    Args:
        n: the number of rows.
        dtype: of the numbers.
        low: the least; None: any.
        high: the greatest; None: any.
    """

    def __init__(self, n: int, dtype: Any, low: float | None = None, high: float | None = None) -> None:
        self.n, self.low, self.high, self.kind = n, low, high, np.dtype(dtype)
        self.awaited: list[NDArray[Any]] = []
        """Arrays that were read from a record, to be filled when the world's state is put back."""
        super().__init__((n,), self.kind)

    def sample(self, mask: Any = None, probability: Any = None) -> NDArray[Any]:
        """Uniform numbers between the bounds, or from 0 to 1 where there are none."""
        low, high = 0 if self.low is None else self.low, 1 if self.high is None else self.high
        if self.kind.kind == "f":
            return self.np_random.uniform(low, high, self.n).astype(self.kind)
        return self.np_random.integers(int(low), int(high) + 1, self.n).astype(self.kind)

    def contains(self, x: Any) -> bool:
        """Whether it is an array of n numbers of this kind within the bounds."""
        if not isinstance(x, np.ndarray) or x.shape != (self.n,) or not np.can_cast(x.dtype, self.kind, "same_kind"):
            return False
        return (self.low is None or bool(x.min() >= self.low)) and (self.high is None or bool(x.max() <= self.high))

    def to_jsonable(self, sample_n: Any) -> list[Any]:
        """A summary of each."""
        return [x if isinstance(x, dict) else self._summary(np.asarray(x)) for x in sample_n]

    def _summary(self, column: NDArray[Any]) -> dict[str, Any]:
        digest = hashlib.blake2b(np.ascontiguousarray(column).tobytes(), digest_size=8).hexdigest()
        return {"rows": len(column), "mean": float(column.mean()), "digest": digest}

    def from_jsonable(self, sample_n: Any) -> list[Any]:
        """Arrays to be filled, for the summaries do not have the numbers."""
        made = [np.zeros(self.n, self.kind) for _ in sample_n]
        self.awaited += made
        return made

    def __eq__(self, other: object) -> bool:
        """Whether the other has as many rows, the same type and bounds."""
        mine = (self.n, self.kind, self.low, self.high)
        return isinstance(other, Column) and mine == (other.n, other.kind, other.low, other.high)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"Column({self.n}, {self.kind})"


def shares_of(answer: Any, options: int) -> NDArray[np.float64] | None:
    """Shares of options that add up to 1, from numbers in their proportion; None where all of them are 0."""
    shares = np.clip(np.asarray(answer, np.float64).reshape(options), 0, None)
    whole = shares.sum()
    return shares / whole if whole > 0 else None
