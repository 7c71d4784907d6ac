"""Forecasts from calibrated parameters, and how good they are on data that were not fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ethogram.errors import DataError
from ethogram.experiments.problems import Array, Problem, seeds_of
from ethogram.measures import Estimate, proportion
from ethogram.measures.estimate import check_level

__all__ = ["Forecast", "Skill", "forecast", "hold_out", "skill"]


class Fitted(Protocol):
    """What parameters can be drawn from."""

    def sample(self, n: int, seed: int = 0) -> list[dict[str, float]]:
        """Draws of the parameters."""
        ...


class Skill(NamedTuple):
    """How good a forecast of a series was."""

    rmse: float
    """Root mean squared error of the predicted mean, in the series' unit."""
    nd: float
    """Normalised deviation: sum of the absolute errors over that of the absolute values observed; NaN where they are 0."""
    pearson: float
    """Correlation of predicted mean and observed over time; NaN where one of them is constant."""
    coverage: Estimate
    """Share of points inside of the predictive interval. Points of one series hang together, so its own interval, for
    independent ones, is too narrow."""
    level: float
    """The share that should be."""

    def __str__(self) -> str:
        """As in `RMSE 12.1, ND 0.15, r 0.93, 90 % interval covers 0.86`."""
        return (
            f"RMSE {self.rmse:.4g}, ND {self.nd:.3f}, r {self.pearson:.3f}, "
            f"{self.level:.0%} interval covers {self.coverage.value:.2f} of {self.coverage.n} points"
        )


class Forecast(NamedTuple):
    """What is predicted of a series."""

    draws: Array
    """Simulated series, shape (draws, points)."""
    level: float

    @property
    def mean(self) -> Array:
        """Shape (points,)."""
        return self.draws.mean(axis=0)

    @property
    def low(self) -> Array:
        """Lower bound of the pointwise predictive interval, shape (points,)."""
        return np.quantile(self.draws, (1 - self.level) / 2, axis=0)

    @property
    def high(self) -> Array:
        """Upper bound."""
        return np.quantile(self.draws, (1 + self.level) / 2, axis=0)


def hold_out(series: Mapping[str, Sequence[float]], at: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Series cut in two before point `at`: what is fitted, and what the fit is tested on.

    Raises:
        DataError: a part would be empty.
    """
    arrays = {name: np.asarray(values, float) for name, values in series.items()}
    if short := [name for name, values in arrays.items() if not 0 < at < len(values)]:
        raise DataError(f"the series {short[0]!r} has {len(arrays[short[0]])} points, so it cannot be cut before point {at}")
    return {n: v[:at] for n, v in arrays.items()}, {n: v[at:] for n, v in arrays.items()}


def forecast(
    whole: Problem, fitted: Fitted, *, since: int, draws: int = 100, level: float = 0.9, seed: int = 0
) -> dict[str, Forecast]:
    """Simulate on with parameters drawn from what was fitted: each draw with its own, and with its own luck.

    The interval therefore has both in it: what is not known of the parameters, and what is chance.

    Args:
        whole: a problem whose simulator runs to the end of the series (that of the fit stops where the data do).
        fitted: a `Posterior`, or whatever parameters can be drawn from.
        since: the first point of the forecast; those before were fitted.
        draws: how many simulations.
        level: of the predictive interval.
        seed: everything random derives from it.

    Raises:
        RunError: a simulation failed.
        DataError: a series ends before `since`.
    """
    check_level(level)
    found = whole.series(fitted.sample(draws, seed), seeds_of(seed, "forecast", draws))
    made = {}
    for name in found[0]:
        rows = np.array([result[name] for result in found], float)
        if rows.ndim != 2 or rows.shape[1] <= since:
            raise DataError(f"{name!r} must be a series with more than {since} points, but has the shape {rows.shape[1:]}")
        made[name] = Forecast(rows[:, since:], level)
    return made


def skill(predicted: Forecast, observed: Sequence[float]) -> Skill:
    """Hold a forecast beside what came, shape (points,).

    Raises:
        DataError: they are not of the same length.
    """
    came, mean = np.asarray(observed, float), predicted.mean
    if came.shape != mean.shape:
        raise DataError(f"the forecast has {mean.size} points, and what was observed {came.size}")
    gap, size = mean - came, np.abs(came).sum()
    varies = came.size > 1 and came.std() > 0 and mean.std() > 0
    inside = int(((predicted.low <= came) & (came <= predicted.high)).sum())
    return Skill(
        rmse=float(np.sqrt((gap**2).mean())),
        nd=float(np.abs(gap).sum() / size) if size else float("nan"),
        pearson=float(np.corrcoef(mean, came)[0, 1]) if varies else float("nan"),
        coverage=proportion(inside, came.size, "exact"),
        level=predicted.level,
    )
