"""Arms of an experiment under paired random numbers, and the effects between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ethogram.errors import ConfigError, DataError
from ethogram.experiments.cells import Cell, Measure, Result, compute_all
from ethogram.experiments.executors import Executor
from ethogram.experiments.tables import table_of
from ethogram.measures import Estimate, mean, paired_difference
from ethogram.measures.estimate import check_level
from ethogram.scene import Scene
from ethogram.seeds import derive

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Band", "Effect", "Effects", "compare"]


class Band(NamedTuple):
    """A series with its pointwise interval: at each point by itself it covers with probability `level`."""

    value: np.ndarray[Any, Any]
    """Shape (points,), as are `low` and `high`."""
    low: np.ndarray[Any, Any]
    high: np.ndarray[Any, Any]
    n: int
    """How many replicates stand behind it."""
    level: float = 0.95

    @classmethod
    def of(cls, series: np.ndarray[Any, Any], level: float = 0.95) -> Band:
        """The mean of replicates, shape (replicates, points), with Student t intervals; NaN bounds where there is one."""
        from scipy.special import stdtrit

        n, value = len(series), series.mean(axis=0)
        if n == 1:
            none = np.full_like(value, math.nan)
            return cls(value, none, none, n, level)
        half = float(stdtrit(n - 1, (1 + level) / 2)) * series.std(axis=0, ddof=1) / math.sqrt(n)
        return cls(value, value - half, value + half, n, level)


class Effect(NamedTuple):
    """What an arm does to a measure, against the control."""

    arm: str
    measure: str
    difference: Estimate
    """Mean of arm minus control over pairs of runs with the same seed; of a series: of its sum."""
    correlation: float
    """Between the arms over seeds; NaN where one of them does not vary."""
    variance_ratio: float
    """Variance of the paired difference over that of independent samples: so many times the runs would do without pairs,
    for the same interval, cost 1. Below 1 where pairing pays; NaN where nothing varies."""
    series: Band | None = None
    """Arm minus control at each point, where the measure is a series."""

    def __str__(self) -> str:
        """As in `closure: cases -120 [-140, -100], n = 20 (pairing leaves 12 % of the variance)`."""
        gain = "" if math.isnan(self.variance_ratio) else f" (pairing leaves {self.variance_ratio:.0%} of the variance)"
        return f"{self.arm}: {self.measure} {self.difference}{gain}"


class Effects(NamedTuple):
    """What came of an experiment with arms."""

    control: str
    table: pl.DataFrame
    """One row an arm and replicate: arm, replicate, seed, and a column a measure (lists where it is a series)."""
    means: dict[str, dict[str, Estimate | Band]]
    """By arm and measure."""
    effects: dict[str, dict[str, Effect]]
    """By arm (the control left out) and measure."""

    def __str__(self) -> str:
        """A line an effect."""
        return "\n".join(str(effect) for found in self.effects.values() for effect in found.values())


def compare(
    scene: Callable[..., Scene],
    arms: Mapping[str, Mapping[str, Any]],
    *,
    measure: Measure,
    replicates: int = 20,
    steps: int | None = None,
    seed: int = 0,
    control: str | None = None,
    level: float = 0.95,
    workers: int | Executor = 1,
    to: str | Path | None = None,
    progress: bool | None = None,
) -> Effects:
    """Run the arms of an experiment and estimate what each does against the control.

    Replicate r has the same seed in every arm (common random numbers): what happens by chance happens alike in all of them
    as far as the world keeps its random streams apart, and differences are taken between runs with the same seed.

    Args:
        scene: a function marked `@scene`.
        arms: by name, the arguments of the scene; `interventions` among them is a list of `Intervention`, and is not one.
        measure: from a run to numbers and series by name.
        replicates: runs an arm.
        steps: of each run; None: until the world ends it.
        seed: everything random derives from it.
        control: the arm that the others are held against; None: the first.
        level: coverage of the intervals.
        workers: how many processes, or `Ray(…)`.
        to: a folder that keeps runs and results. An experiment that was cut short there goes on where it was.
        progress: show a progress line; None: where the terminal can.

    Raises:
        ConfigError: wrong arguments.
        DataError: replicates have series of different lengths.
        CellsFailed: runs failed; the others are kept.
    """
    control = next(iter(arms), "") if control is None else control
    check_level(level)
    if control not in arms:
        raise ConfigError(f"the control {control!r} is not among the arms: {', '.join(arms) or 'there are none'}")
    if replicates < 1:
        raise ConfigError(f"replicates is {replicates}, and must be at least 1")
    seeds = [derive(seed, "replicate", r) for r in range(replicates)]
    cells, rows = [], []
    for arm, given in arms.items():
        arguments = {name: value for name, value in given.items() if name != "interventions"}
        done = tuple(given.get("interventions", ()))
        for r, own in enumerate(seeds):
            name = f"{arm}, replicate {r}"
            cells.append(Cell(name, scene, arguments, measure, own, steps, done, f"{folder_name(arm)}-{r:04d}"))
            rows.append({"arm": arm, "replicate": r, "seed": own})
    results = compute_all(cells, workers, to, "runs of the experiment", progress)
    by_arm = {arm: results[i * replicates : (i + 1) * replicates] for i, arm in enumerate(arms)}
    samples = {arm: columns(found, arm) for arm, found in by_arm.items()}
    means = {arm: {name: summary(values, level) for name, values in found.items()} for arm, found in samples.items()}
    others = [arm for arm in arms if arm != control]
    effects = {arm: effects_of(arm, samples[arm], samples[control], level) for arm in others}
    return Effects(control, table_of(rows, results), means, effects)


def folder_name(arm: str) -> str:
    """An arm's name as the beginning of a folder's; ConfigError where it cannot be one."""
    if not arm or arm.startswith(".") or any(sign in arm for sign in "/\\\0"):
        raise ConfigError(f"the arm {arm!r} must have a name that a folder can have")
    return arm


def columns(results: list[Result], arm: str) -> dict[str, np.ndarray[Any, Any]]:
    """Each measure over replicates, shape (replicates,) or (replicates, points)."""
    found = {}
    for name in results[0]:
        values = [result.get(name) for result in results]
        lengths = {len(value) if isinstance(value, list) else None for value in values}
        if len(lengths) > 1 or None in values:
            raise DataError(
                f"the measure {name!r} has not the same length in all runs of {arm!r}: let it fill up the series of runs "
                "that ended early"
            )
        found[name] = np.array(values, float)
    return found


def summary(values: np.ndarray[Any, Any], level: float) -> Estimate | Band:
    """The mean over replicates."""
    return mean(values, level=level) if values.ndim == 1 else Band.of(values, level)


def effects_of(
    arm: str, treated: dict[str, np.ndarray[Any, Any]], control: dict[str, np.ndarray[Any, Any]], level: float
) -> dict[str, Effect]:
    """The effect on each measure that both arms have."""
    found = {}
    for name in treated.keys() & control.keys():
        a, b = treated[name], control[name]
        if a.shape != b.shape:
            raise DataError(f"the measure {name!r} has {a.shape[1:]} points in {arm!r} and {b.shape[1:]} in the control")
        series = Band.of(a - b, level) if a.ndim == 2 else None
        x, y = (a.sum(axis=1), b.sum(axis=1)) if a.ndim == 2 else (a, b)
        found[name] = Effect(arm, name, paired_difference(x, y, level=level), *pairing(x, y), series)
    return {name: found[name] for name in treated if name in found}


def pairing(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Correlation of two samples of pairs, and variance of their difference over the sum of their variances."""
    if x.size < 2 or not (apart := x.var(ddof=1) + y.var(ddof=1)):
        return math.nan, math.nan
    varies = x.std() > 0 and y.std() > 0
    return float(np.corrcoef(x, y)[0, 1]) if varies else math.nan, float((x - y).var(ddof=1) / apart)
