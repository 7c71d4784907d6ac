"""Suites of tasks: a score for each run (seed) and task, summed up so that no single task or run decides.

The measures of Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS 2021). Scores
have shape (runs, tasks) and are comparable across tasks (normalised); intervals are stratified: runs are resampled within
each task.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level, sample
from ethogram.seeds import generator

__all__ = ["Profile", "interquartile_mean", "performance_profile", "probability_of_improvement"]

METHOD = "stratified percentile bootstrap"


class Profile(NamedTuple):
    """Shares of runs with a score above each threshold, with pointwise intervals; arrays of shape (thresholds,)."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    """Runs times tasks."""
    level: float


def interquartile_mean(scores: np.ndarray, level: float = 0.95, seed: int = 0, resamples: int = 9999) -> Estimate:
    """The mean of the middle half of all runs × tasks scores, shape (runs, tasks); `n` is the number of runs.

    A quarter of the scores, rounded down, is cut off at either end.
    """
    x = _scores(scores)
    draws = _middle(_resampled(x, generator(seed, "suite"), resamples))
    return _estimate(float(_middle(x[None])[0]), draws, x.shape[0], f"interquartile mean, {METHOD}", level)


def performance_profile(
    scores: np.ndarray, thresholds: np.ndarray, level: float = 0.95, seed: int = 0, resamples: int = 2000
) -> Profile:
    """The share of runs × tasks with a score above each threshold.

    Args:
        scores: shape (runs, tasks).
        thresholds: shape (k,).
        level: coverage of each threshold's interval.
        seed: of the resampling.
        resamples: how many.
    """
    x, at = _scores(scores), sample(thresholds, "thresholds")
    check_level(level)
    drawn = _resampled(x, generator(seed, "suite"), resamples).reshape(resamples, -1)
    shares = np.stack([(drawn > threshold).mean(axis=1) for threshold in at])
    share = np.array([(x > threshold).mean() for threshold in at])
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2], axis=1)
    if x.shape[0] == 1:
        low, high = np.full_like(share, math.nan), np.full_like(share, math.nan)
    return Profile(at, share, low, high, x.size, level)


def probability_of_improvement(
    a: np.ndarray, b: np.ndarray, level: float = 0.95, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """The probability that a run of `a` beats one of `b` on the same task, ties counting half, averaged over tasks.

    Args:
        a: scores, shape (runs, tasks).
        b: scores on the same tasks, shape (other runs, tasks).
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many.
    """
    x, y = _scores(a), _scores(b)
    if x.shape[1] != y.shape[1]:
        raise DataError(f"both arms need scores on the same tasks, not on {x.shape[1]} and {y.shape[1]}")
    rng = generator(seed, "suite")
    draws = _wins(_resampled(x, rng, resamples), _resampled(y, rng, resamples))
    n = min(x.shape[0], y.shape[0])
    return _estimate(float(_wins(x[None], y[None])[0]), draws, n, f"probability of improvement, {METHOD}", level)


def _resampled(x: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Scores with each task's runs drawn with replacement, shape (resamples, runs, tasks)."""
    picks = rng.integers(x.shape[0], size=(resamples, *x.shape))
    return x[picks, np.arange(x.shape[1])]


def _middle(x: np.ndarray) -> np.ndarray:
    """The interquartile mean of each of shape (k, runs, tasks)."""
    flat = np.sort(x.reshape(len(x), -1), axis=1)
    cut = flat.shape[1] // 4
    return flat[:, cut : flat.shape[1] - cut].mean(axis=1)


def _wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """P(first beats second) averaged over tasks, for each of shapes (k, runs, tasks) and (k, other runs, tasks)."""
    total = np.zeros(len(x))
    for run in range(x.shape[1]):  # one run at a time keeps the arrays small
        gap = x[:, run, None, :] - y
        total += ((gap > 0) + 0.5 * (gap == 0)).mean(axis=(1, 2))
    return total / x.shape[1]


def _estimate(value: float, draws: np.ndarray, n: int, method: str, level: float) -> Estimate:
    check_level(level)
    if n == 1:
        return Estimate(value, math.nan, math.nan, n, method, level)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, method, level)


def _scores(scores: np.ndarray) -> np.ndarray:
    x = np.asarray(scores, float)
    if x.ndim != 2 or x.size == 0 or not np.isfinite(x).all():
        raise DataError(f"scores of a suite are finite numbers of shape (runs, tasks), not of shape {x.shape}")
    return x
