"""Sweeps: a scene at many points of its parameters."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.experiments.cells import Cell, Measure, compute_all
from ethogram.experiments.executors import Executor
from ethogram.experiments.tables import table_of
from ethogram.scene import Scene
from ethogram.seeds import derive

if TYPE_CHECKING:
    import polars as pl

__all__ = ["grid", "sweep"]


def grid(**levels: Sequence[Any]) -> list[dict[str, Any]]:
    """The full factorial design: every combination of the levels of each argument, the last one changing fastest."""
    return [dict(zip(levels, point, strict=True)) for point in itertools.product(*levels.values())]


def sweep(
    scene: Callable[..., Scene],
    points: Sequence[Mapping[str, Any]],
    *,
    measure: Measure,
    replicates: int = 1,
    steps: int | None = None,
    seed: int = 0,
    workers: int | Executor = 1,
    to: str | Path | None = None,
    progress: bool | None = None,
) -> pl.DataFrame:
    """Measure a scene at each design point, on all cores or on a cluster.

    The table is the same, bit for bit, however many workers there are. Replicate r has the same seed at every point (common
    random numbers), so points can be compared in pairs.

    Args:
        scene: a function marked `@scene`.
        points: arguments of the scene, as `grid(beta=[0.1, 0.2], gamma=[0.05, 0.1])` makes them, or any others.
        measure: from a run to numbers and series by name.
        replicates: runs a point.
        steps: of each run; None: until the world ends it.
        seed: everything random derives from it.
        workers: how many processes, or `Ray(…)`.
        to: a folder that keeps the result of every run (not the run). A sweep that was cut short there goes on where it was;
            results are made anew where arguments, seed or the text of `scene` or `measure` are others. Where something
            changed that these call, take another folder.
        progress: show a progress line; None: where the terminal can.

    Returns:
        One row a point and replicate: its arguments, `replicate`, `seed`, and a column a measure.

    Raises:
        ConfigError: wrong arguments.
        CellsFailed: runs failed; it says with which arguments and why, and the others are kept.
    """
    if replicates < 1:
        raise ConfigError(f"replicates is {replicates}, and must be at least 1")
    seeds = [derive(seed, "replicate", r) for r in range(replicates)]
    cells, rows = [], []
    for given in points:
        point = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        shown = ", ".join(f"{name}={json.dumps(value, default=repr)}" for name, value in point.items())
        for r, own in enumerate(seeds):
            cells.append(Cell(f"{shown}, replicate {r}".lstrip(", "), scene, point, measure, own, steps))
            rows.append({**point, "replicate": r, "seed": own})
    return table_of(rows, compute_all(cells, workers, to, "runs of the sweep", progress))
