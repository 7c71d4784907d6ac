"""Means over seeds that each have several episodes: the episodes of one seed are not independent of each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level, sample
from ethogram.seeds import generator

__all__ = ["hierarchical_difference", "hierarchical_mean"]

Seeds = Sequence[Iterable[float]]
"""The scores of the episodes of each seed; seeds may have different numbers of them."""

METHOD = "hierarchical bootstrap (seeds, then episodes)"


def hierarchical_mean(scores: Seeds, level: float = 0.95, seed: int = 0, resamples: int = 2000) -> Estimate:
    """The mean over seeds of the mean over a seed's episodes, with a percentile interval of the two-stage bootstrap.

    Seeds (fitted models, towns) are drawn with replacement, then episodes within each drawn seed (Davison and Hinkley,
    Bootstrap Methods, section 3.8). Its `n` is the number of seeds; with one there is no interval. Resampling the episodes
    too adds their variance a second time, which about makes up for the factor (k-1)/k by which k seeds understate theirs;
    with fewer than five seeds read the interval as a rough one.

    Args:
        scores: of each seed, the scores of its episodes.
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many.
    """
    groups = _groups(scores)
    value = float(np.mean([group.mean() for group in groups]))
    rng = generator(seed, "hierarchical")
    draws = None if len(groups) == 1 else _means(groups, _picks(rng, groups, resamples), rng)
    return _estimate(value, draws, len(groups), f"mean of seeds' means, {METHOD}", level)


def hierarchical_difference(
    a: Seeds, b: Seeds, paired: bool = False, level: float = 0.95, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """Mean of `a` minus mean of `b`, each as in `hierarchical_mean`.

    Args:
        a: of each seed, the scores of its episodes.
        b: the same of the other arm.
        paired: seed i is the same data, initial weights or town in both arms: pairs of seeds are drawn. Episodes are
            drawn in each arm apart.
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many.
    """
    first, second = _groups(a), _groups(b)
    if paired and len(first) != len(second):
        raise DataError(f"paired arms have the same seeds, not {len(first)} and {len(second)} of them")
    value = float(np.mean([group.mean() for group in first]) - np.mean([group.mean() for group in second]))
    n, draws = min(len(first), len(second)), None
    if n > 1:
        rng = generator(seed, "hierarchical")
        picks = _picks(rng, first, resamples)
        draws = _means(first, picks, rng)
        draws = draws - _means(second, picks if paired else _picks(rng, second, resamples), rng)
    kind = "paired difference" if paired else "difference"
    return _estimate(value, draws, n, f"{kind} of seeds' means, {METHOD}", level)


def _picks(rng: np.random.Generator, groups: list[np.ndarray], resamples: int) -> np.ndarray:
    """Which seeds are in each resample, shape (resamples, seeds)."""
    return rng.integers(len(groups), size=(resamples, len(groups)))


def _means(groups: list[np.ndarray], picks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean over the picked seeds of the means of their resampled episodes, shape (resamples,)."""
    means = np.empty(picks.shape)
    for i, group in enumerate(groups):
        rows, columns = np.nonzero(picks == i)
        block = max(1, 2_000_000 // group.size)  # resamples at a time, to bound the memory
        for start in range(0, rows.size, block):
            at = rows[start : start + block], columns[start : start + block]
            means[at] = group[rng.integers(group.size, size=(at[0].size, group.size))].mean(axis=1)
    return means.mean(axis=1)


def _estimate(value: float, draws: np.ndarray | None, n: int, method: str, level: float) -> Estimate:
    check_level(level)
    if draws is None:
        return Estimate(value, math.nan, math.nan, n, method, level)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, method, level)


def _groups(scores: Seeds) -> list[np.ndarray]:
    groups = [sample(group, f"the scores of seed {i}") for i, group in enumerate(scores)]
    if not groups:
        raise DataError("a mean over seeds needs at least one seed")
    return groups
