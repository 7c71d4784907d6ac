"""Means of one sample, and any other statistic of it, with an interval."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np

from ethogram.measures.estimate import Estimate, check_level, check_one_of, sample
from ethogram.seeds import generator

__all__ = ["Bootstrap", "bootstrap", "mean"]

Bootstrap = Literal["bca", "percentile"]
"""Bias-corrected and accelerated (Efron 1987), or plain percentiles of the resampled statistic."""

NAMES = {"bca": "BCa bootstrap", "percentile": "percentile bootstrap"}


def mean(values: Iterable[float], method: Literal["t"] | Bootstrap = "t", level: float = 0.95, seed: int = 0) -> Estimate:
    """The mean of independent observations, shape (n,), with a Student t (default) or bootstrap interval.

    With one observation there is no interval; with observations that are all the same it is that value.
    """
    x = sample(values)
    if method != "t":
        return bootstrap(x, np.mean, method, level, seed, what="mean")
    from scipy.special import stdtrit  # not scipy.stats, which takes a second to import

    check_level(level)
    n, value = x.size, float(x.mean())
    if n == 1:
        return Estimate(value, math.nan, math.nan, 1, "mean of one observation", level)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * float(x.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, value - half, value + half, n, "mean, Student t interval", level)


def bootstrap(
    values: Iterable[float],
    statistic: Callable[..., Any],
    method: Bootstrap = "bca",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 9999,
    what: str = "statistic",
) -> Estimate:
    """Any statistic of one sample of shape (n,), with a bootstrap interval over its observations.

    Args:
        values: independent observations.
        statistic: `statistic(x, axis=-1)`, vectorised as `numpy.mean` and `numpy.median` are.
        method: which bootstrap.
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many.
        what: the statistic's name, for `Estimate.method`.
    """
    x = sample(values)
    check_level(level)
    check_one_of(method, NAMES, "interval of a statistic")
    value = float(statistic(x, axis=-1))
    label = f"{what}, {NAMES[method]} of {resamples:,}"
    if x.size == 1:
        return Estimate(value, math.nan, math.nan, 1, label, level)
    if (x == x[0]).all():
        return Estimate(value, value, value, x.size, label, level)
    low, high = interval((x,), statistic, method, level, seed, resamples)
    return Estimate(value, low, high, x.size, label, level)


def interval(
    data: tuple[np.ndarray, ...],
    statistic: Callable[..., Any],
    method: Bootstrap,
    level: float,
    seed: int,
    resamples: int,
) -> tuple[float, float]:
    """The bootstrap interval of a statistic of one or several samples; NaN where the resamples leave it undefined."""
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            data,
            statistic,
            method="BCa" if method == "bca" else "percentile",
            confidence_level=level,
            n_resamples=resamples,
            rng=generator(seed, "bootstrap"),
            vectorized=True,
            batch=max(1, 2_000_000 // sum(part.size for part in data)),
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
