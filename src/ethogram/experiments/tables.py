"""Results of cells as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.errors import ConfigError
from ethogram.experiments.cells import Result

if TYPE_CHECKING:
    import polars as pl

__all__ = ["table_of"]


def table_of(rows: Sequence[Mapping[str, Any]], results: Sequence[Result]) -> pl.DataFrame:
    """One row a cell: what it was, then a column a measure (of lists where it is a series; null where it has none).

    Raises:
        ConfigError: a measure is called as an argument is.
    """
    import polars as pl

    measures = dict.fromkeys(name for result in results for name in result)
    arguments = dict.fromkeys(name for row in rows for name in row)
    if both := [name for name in measures if name in arguments]:
        raise ConfigError(f"a measure is called {both[0]!r}, which is the name of another column: give it another one")
    data = {name: [row.get(name) for row in rows] for name in arguments}
    return pl.DataFrame({**data, **{name: [result.get(name) for result in results] for name in measures}}, strict=False)
