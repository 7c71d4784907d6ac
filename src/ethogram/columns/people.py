"""A population's table as columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.populations.population import Population

__all__ = ["coded"]

LEVELS = 1000
"""Whole numbers below it name a level."""


def coded(
    population: Population, wanted: Sequence[str], levels: Mapping[str, Sequence[str]], model: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, NDArray[Any]]]:
    """The wanted columns that a population's table has, as numbers, and the names of their values.

    Text becomes the number of its level: of those given for the column, else of its distinct values in alphabetical order
    (of an enumeration: in its own). Numbers stay what they are; whole ones from 0 to 999 are levels, too.

    Raises:
        ConfigError: a value is missing, or is not among the levels of its column.
    """
    import polars as pl

    names: dict[str, tuple[str, ...]] = {name: tuple(found) for name, found in levels.items()}
    numbers: dict[str, NDArray[Any]] = {}
    for name in wanted:
        if name not in population.table.columns:
            continue
        column = population.table[name]
        if column.null_count():
            raise ConfigError(f"{model}: column {name!r} of the population has {column.null_count()} missing values")
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            found = numbers[name] = column.to_numpy()
            if name not in names and found.dtype.kind in "biu" and found.min() >= 0 and found.max() < LEVELS:
                names[name] = tuple(map(str, range(int(found.max()) + 1)))
            continue
        if name not in names:
            enumerated = isinstance(column.dtype, pl.Enum)
            names[name] = tuple(column.dtype.categories if enumerated else column.cast(pl.String).unique().sort())  # pyright: ignore
        codes = column.cast(pl.String).replace_strict(
            list(names[name]), range(len(names[name])), default=None, return_dtype=pl.Int32
        )
        if codes.null_count():
            strange = column.cast(pl.String).filter(codes.is_null())[0]
            raise ConfigError(f"{model}: {strange!r} in column {name!r} of the population is none of its levels")
        numbers[name] = codes.to_numpy().astype(np.int32)
    return names, numbers
