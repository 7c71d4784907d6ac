"""Two samples that answered the same items: people, and those who are to stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Samples", "samples"]

LEAST = 10
"""An item with fewer answers in either sample is left out."""
SPARE = ("episode", "respondent")
"""Columns that are never items."""


@dataclass(frozen=True)
class Samples:
    """Answers as numbers, NaN where there is none."""

    items: list[str]
    people: NDArray[np.float64]
    """Shape (people, items)."""
    simulated: NDArray[np.float64]
    """Shape (simulated, items)."""
    low: NDArray[np.float64]
    """Lowest possible answer of each item."""
    high: NDArray[np.float64]
    """Highest possible answer of each item."""
    paired: bool
    """Whether row i of one sample stands for row i of the other."""
    left_out: list[str]
    """Items with too few answers, or only one answer in both samples."""

    @property
    def span(self) -> NDArray[np.float64]:
        """Each item's range."""
        return self.high - self.low


def samples(
    people: pl.DataFrame,
    simulated: pl.DataFrame,
    items: Sequence[str] | None = None,
    key: str | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Samples:
    """Bring two tables together.

    Args:
        people: a row a person.
        simulated: a row a simulated person.
        items: the columns to compare. None: all numeric columns that both have, but the key.
        key: the column by which a simulated person stands for a person; rows without a counterpart are left out.
        bounds: lowest and highest possible answer of items. Default: the lowest and highest given in either sample.

    Raises:
        DataError: an item is not in both tables or not numeric, nothing is left to compare, the key is not in both tables or
            not unique, or an answer is out of its bounds.
    """
    names = _items(people, simulated, items, key)
    if key is not None:
        people, simulated = _matched(people, simulated, key)
    ours, theirs = (_numbers(table, names) for table in (people, simulated))
    low, high = _bounds(names, ours, theirs, bounds or {})
    enough = [min(np.isfinite(a).sum(), np.isfinite(b).sum()) >= LEAST for a, b in zip(ours.T, theirs.T, strict=True)]
    kept = np.asarray(enough, dtype=bool) & (high > low)
    if not kept.any():
        raise DataError(f"there is nothing to compare: no item has {LEAST} answers in both tables, and two different ones")
    left_out = [name for name, keep in zip(names, kept, strict=True) if not keep]
    chosen = [name for name, keep in zip(names, kept, strict=True) if keep]
    return Samples(chosen, ours[:, kept], theirs[:, kept], low[kept], high[kept], key is not None, left_out)


def _items(people: pl.DataFrame, simulated: pl.DataFrame, items: Sequence[str] | None, key: str | None) -> list[str]:
    if items is None:
        spare = {*SPARE, key}
        both = [c for c in people.columns if c in simulated.columns and c not in spare]
        return [c for c in both if _numeric(people, c) and _numeric(simulated, c)]
    for name in items:
        for table, whose in ((people, "people"), (simulated, "simulated")):
            if name not in table.columns:
                raise DataError(f"the item {name!r} is not in the table of the {whose}")
            if not _numeric(table, name):
                raise DataError(f"the item {name!r} is {table.schema[name]} in the table of the {whose}: code it as numbers")
    return list(items)


def _numeric(table: pl.DataFrame, column: str) -> bool:
    dtype = table.schema[column]
    return dtype.is_numeric() or str(dtype) in ("Boolean", "Null")


def _matched(people: pl.DataFrame, simulated: pl.DataFrame, key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    for table, whose in ((people, "people"), (simulated, "simulated")):
        if key not in table.columns:
            raise DataError(f"the key {key!r} is not a column of the table of the {whose}")
        if table[key].is_duplicated().any() or table[key].null_count():
            raise DataError(f"the key {key!r} is missing or not unique in the table of the {whose}")
    there = people.join(simulated.select(key), on=key, how="semi").sort(key)
    return there, simulated.join(there.select(key), on=key, how="semi").sort(key)


def _numbers(table: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    import polars as pl

    if not names or not table.height:
        return np.empty((table.height, len(names)))
    return table.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names).to_numpy()


def _bounds(
    names: Sequence[str],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    given: Mapping[str, tuple[float, float]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    both = np.concatenate([ours, theirs])
    empty = ~np.isfinite(both).any(0)
    filled = np.where(empty, 0.0, both)
    low, high = np.nanmin(filled, 0, initial=np.inf), np.nanmax(filled, 0, initial=-np.inf)
    for i, name in enumerate(names):
        if name in given:
            if low[i] < given[name][0] or high[i] > given[name][1]:
                raise DataError(
                    f"the item {name!r} has answers from {low[i]:g} to {high[i]:g}, out of its bounds {given[name]}"
                )
            low[i], high[i] = given[name]
    return low, high
