"""Differences between two arms of an experiment, and the test that there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level, check_one_of, sample
from ethogram.measures.means import NAMES, Bootstrap, interval, mean
from ethogram.measures.success import ALTERNATIVES, Alternative
from ethogram.seeds import generator

__all__ = ["Permutation", "mean_difference", "paired_difference", "permutation_test"]

RESAMPLES = 9999


def mean_difference(
    a: Iterable[float],
    b: Iterable[float],
    method: Literal["welch"] | Bootstrap = "welch",
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean of `a` minus mean of `b`, two independent samples of shapes (n,) and (m,); n is the smaller size.

    `welch` is the t interval that lets the variances differ (Welch 1947); the bootstraps resample each sample apart.
    """
    x, y = sample(a, "the first sample"), sample(b, "the second sample")
    check_level(level)
    check_one_of(method, ("welch", *NAMES), "interval of a difference")
    value, n = float(x.mean() - y.mean()), min(x.size, y.size)
    label = "difference of means, " + ("Welch t interval" if method == "welch" else NAMES[method])
    if n == 1:
        return Estimate(value, math.nan, math.nan, n, label, level)
    if not np.ptp(x) and not np.ptp(y):
        return Estimate(value, value, value, n, label, level)
    if method == "welch":
        from scipy.special import stdtrit

        a_part, b_part = float(x.var(ddof=1)) / x.size, float(y.var(ddof=1)) / y.size  # squared standard errors
        freedom = (a_part + b_part) ** 2 / (a_part**2 / (x.size - 1) + b_part**2 / (y.size - 1))
        half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(a_part + b_part)
        low, high = value - half, value + half
    else:
        low, high = interval((x, y), _gap, method, level, seed, RESAMPLES)
    return Estimate(value, low, high, n, label, level)


def paired_difference(
    a: Iterable[float], b: Iterable[float], method: Literal["t"] | Bootstrap = "t", level: float = 0.95, seed: int = 0
) -> Estimate:
    """Mean of `a[i] - b[i]` over pairs (the same seed, person or scene in both arms), shapes (n,) and (n,)."""
    x, y = _pairs(a, b)
    result = mean(x - y, method, level, seed)
    return result._replace(method=f"paired difference, {result.method}")


class Permutation(NamedTuple):
    """The outcome of a permutation test."""

    difference: float
    """Mean of the first sample minus mean of the second."""
    p: float
    """Two-sided (or one-sided) probability of a difference at least as large if the labels meant nothing."""
    n: int
    method: str


def permutation_test(
    a: Iterable[float],
    b: Iterable[float],
    paired: bool = False,
    alternative: Alternative = "two-sided",
    seed: int = 0,
    resamples: int = 9999,
) -> Permutation:
    """Test that labels do not matter for the mean: labels are permuted, or within pairs swapped.

    All permutations are gone through where there are at most `resamples` of them; else that many are drawn. Samples have
    two observations or more.
    """
    from scipy import stats

    x, y = _pairs(a, b) if paired else (sample(a, "the first sample"), sample(b, "the second sample"))
    check_one_of(alternative, ALTERNATIVES, "alternative")
    if min(x.size, y.size) < 2:
        raise DataError("a permutation test needs two observations or more of each sample")
    result = stats.permutation_test(
        (x, y),
        _gap,
        permutation_type="samples" if paired else "independent",
        n_resamples=resamples,
        alternative=alternative,
        vectorized=True,
        batch=max(1, 2_000_000 // (x.size + y.size)),
        rng=generator(seed, "permutation"),
    )
    kind = "paired" if paired else "unpaired"
    return Permutation(float(x.mean() - y.mean()), float(result.pvalue), min(x.size, y.size), f"{kind} permutation test")


def _gap(x: np.ndarray, y: np.ndarray, axis: int = -1) -> Any:
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def _pairs(a: Iterable[float], b: Iterable[float]) -> tuple[np.ndarray, np.ndarray]:
    x, y = sample(a, "the first sample"), sample(b, "the second sample")
    if x.size != y.size:
        raise DataError(f"paired samples have the same size, not {x.size} and {y.size}")
    return x, y
