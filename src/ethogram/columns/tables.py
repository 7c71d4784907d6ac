"""What a run of a columns model observed, as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ethogram.columns.world import OBSERVER
from ethogram.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from ethogram.records.run import Run

__all__ = ["observed", "panel"]


def observed(run: Run) -> pl.DataFrame:
    """The tallies and the observers' numbers of a run: one row for the beginning and one after each step.

    Columns: `episode`, `step` (steps taken before), `time`, and each number under its name.

    Raises:
        DataError: the run has no observer, or its observations were not recorded.
    """
    seen = _seen(run)
    return seen.select("episode", "step", "time", *(name for name in seen.columns if name not in ("panel", *_PLACE)))


def panel(run: Run) -> pl.DataFrame:
    """The sampled rows of a run in full: one row for each of them and step.

    Columns: `episode`, `step`, `time`, `row` (of the population), and each column of the model under its name.

    Raises:
        DataError: the world was built without `panel=`.
    """
    seen = _seen(run)
    if "panel" not in seen.columns:
        raise DataError(f"{run.path} has no panel: build the world with panel= the number of rows to be sampled")
    rows = seen.select(*_PLACE, "panel").unnest("panel")
    return rows.explode([name for name in rows.columns if name not in _PLACE])


_PLACE = ("episode", "step", "time")


def _seen(run: Run) -> pl.DataFrame:
    import polars as pl

    rows = run.steps.filter(pl.col("agent") == OBSERVER).select(*_PLACE, "observation").collect()
    if rows.height == 0 or rows["observation"].null_count():
        raise DataError(f"{run.path} holds no observations of the agent {OBSERVER!r}")
    if rows["observation"].dtype == pl.String:  # other agents see other things: as JSON, each value in a list
        found = [_first(json.loads(text)) for text in rows["observation"]]
        rows = rows.with_columns(observation=pl.Series(found))
    return rows.unnest("observation")


def _first(value: Any) -> Any:
    return {key: _first(part) for key, part in value.items()} if isinstance(value, dict) else value[0]
