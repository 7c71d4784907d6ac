"""Epidemic readings of belief: the SIS equation fitted to curves, and how far two curves are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level
from ethogram.seeds import generator

__all__ = ["SIS", "correlation", "fit_sis", "rmse"]


class SIS(NamedTuple):
    """The rates of the SIS equation, per unit of time."""

    beta: Estimate
    """Transmission: newly infected per susceptible, at a share 1 of infected."""
    gamma: Estimate
    """Recovery: the share of the infected that return to susceptible."""


def fit_sis(infected: Sequence[ArrayLike], n: int, *, level: float = 0.95, seed: int = 0, resamples: int = 1999) -> SIS:
    """The least-squares fit of dI/dt = beta S I / N - gamma I to the daily changes of I, with S = N - I.

    All days of all runs count alike: b minimises the sum of (I[t+1] - I[t] - beta S[t] I[t] / N + gamma I[t])^2, which is
    linear in both rates. The intervals are percentiles over resampled runs (as runs, not days, are independent); of a single
    run they are Student's, as if its days were independent.

    Args:
        infected: one curve a run, the number infected day by day, shape (days + 1,) each; lengths may differ.
        n: people in the population.
        level: coverage of the intervals.
        seed: of the resampling.
        resamples: how many.

    Raises:
        DataError: a curve is no curve of 0 to n people, or the curves do not tell the two rates apart (nobody is ever
            infected, or the number never changes level).
    """
    check_level(level)
    curves = [np.asarray(curve, float) for curve in infected]
    if not curves or any(c.ndim != 1 or len(c) < 2 or (c < 0).any() or (c > n).any() for c in curves):
        raise DataError(f"fit_sis needs curves of at least two days, each a number of infected from 0 to {n}")
    parts = [_normal(curve, n) for curve in curves]
    grams = np.stack([part[0] for part in parts])
    moments = np.stack([part[1] for part in parts])
    total = grams.sum(0)
    if np.linalg.cond(total) > 1e10:
        raise DataError(
            "fit_sis cannot tell transmission from recovery: the number of infected hardly changes in the curves"
        )
    rates = np.linalg.solve(total, moments.sum(0))
    if len(curves) == 1:
        return _single(rates, curves[0], n, total, level)
    drawn = generator(seed, "sis").multinomial(len(curves), np.full(len(curves), 1 / len(curves)), resamples)
    sums = np.einsum("rk,kij->rij", drawn, grams)
    sound = np.linalg.cond(sums) < 1e10
    found = np.linalg.solve(sums[sound], (drawn[sound] @ moments)[..., None])[..., 0]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    method = f"least squares, percentile bootstrap of {int(sound.sum()):,} over runs"
    return SIS(*(Estimate(float(rates[i]), float(low[i]), float(high[i]), len(curves), method, level) for i in (0, 1)))


def _terms(curve: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The regressors (days, 2) and the daily changes (days,)."""
    now = curve[:-1]
    return np.stack([(n - now) * now / n, -now], 1), np.diff(curve)


def _normal(curve: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = _terms(curve, n)
    return x.T @ x, x.T @ y


def _single(rates: NDArray[np.float64], curve: NDArray[np.float64], n: int, gram: NDArray[np.float64], level: float) -> SIS:
    from scipy.special import stdtrit

    x, y = _terms(curve, n)
    free = len(y) - 2
    if free > 0:
        half = stdtrit(free, (1 + level) / 2) * np.sqrt(np.diag(np.linalg.inv(gram)) * ((y - x @ rates) ** 2).sum() / free)
    else:
        half = np.full(2, math.nan)
    method = "least squares, Student t interval over days"
    return SIS(*(Estimate(float(r), float(r - h), float(r + h), 1, method, level) for r, h in zip(rates, half, strict=True)))


def rmse(a: ArrayLike, b: ArrayLike) -> float:
    """The root of the mean squared difference of two arrays of the same shape."""
    x, y = _alike(a, b)
    return float(np.sqrt(((x - y) ** 2).mean()))


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson's correlation of two arrays of the same shape; NaN where one of them is constant."""
    x, y = (v - v.mean() for v in _alike(a, b))
    size = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / size if size > 0 else math.nan


def _alike(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(a, float), np.asarray(b, float)
    if x.shape != y.shape or not x.size:
        raise DataError(f"two curves must have the same shape and not be empty, not {x.shape} and {y.shape}")
    return x, y
