"""Person by person: whether each simulated person answers as the one does whom it stands for; and answers given twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate
from ethogram.measures.fidelity.items import Beside
from ethogram.measures.fidelity.samples import Samples

__all__ = ["agreement", "individuals"]

Array = NDArray[np.float64]


def individuals(s: Samples, rng: np.random.Generator, resamples: int) -> dict[str, Beside]:
    """How well single people are met, by paired samples.

    Returns:
        - `accuracy`: 1 - |simulated - person| / range, the mean over all answers that both gave;
        - `accuracy of the item mean`: the same, where each answer is guessed to be the mean of the item among people;
        - `individual correlation`: between what is left of both sides once each item's mean is taken off, in shares of the
          range. Guessing means gives a high accuracy and no correlation.

        Intervals: bootstrap of people. Floors: simulated people dealt to other people at random.

    Raises:
        DataError: the samples are not paired.
    """
    if not s.paired:
        raise DataError("single people can only be compared where a key says who stands for whom")
    x, y = (s.people - s.low) / s.span, (s.simulated - s.low) / s.span
    mean = np.nanmean(np.where(np.isfinite(x) & np.isfinite(y), x, np.nan), axis=0)
    measured = {
        "accuracy": lambda a, b, w: _accuracy(a, b, w),
        "accuracy of the item mean": lambda a, b, w: _accuracy(a, np.broadcast_to(mean, a.shape), w),
        "individual correlation": lambda a, b, w: _correlation(a, b, w),
    }
    rows, ones = len(x), np.ones(len(x))
    dealt = [_dealt(y, rng) for _ in range(min(resamples, 100))]
    weights = [np.bincount(rng.integers(rows, size=rows), minlength=rows).astype(float) for _ in range(resamples)]
    found = {}
    for name, figure in measured.items():
        low, high = np.quantile([figure(x, y, w) for w in weights], [0.025, 0.975])
        chance = np.quantile([figure(x, other, ones) for other in dealt], [0.025, 0.975])
        method = f"{int((np.isfinite(x) & np.isfinite(y)).sum())} pairs of answers; bootstrap of {resamples} over people"
        estimate = Estimate(figure(x, y, ones), float(low), float(high), rows, method)
        found[name] = Beside(estimate, float(chance[0]), float(chance[1]))
    return found


def agreement(
    first: Array, second: Array, low: Array, high: Array, seed: int = 0, resamples: int = 500
) -> dict[str, Estimate]:
    """How alike two sets of answers of the same respondents are: a test and its retest, another order, other labels.

    Args:
        first: answers, shape (respondents, items), NaN where there is none.
        second: the same respondents' answers to the same items, the other time.
        low: the lowest possible answer of each item.
        high: the highest.
        seed: of the bootstrap.
        resamples: of the bootstrap, over respondents.

    Returns:
        `same`, the share of answers that are equal; `accuracy`, 1 - |difference| / range; `correlation`, as `individual
        correlation` in `individuals`.

    Raises:
        DataError: the shapes differ, or there is no answer that was given twice.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise DataError(f"answers of shapes {first.shape} and {second.shape} cannot be compared")
    x, y = ((np.asarray(a, dtype=float) - low) / (np.asarray(high) - low) for a in (first, second))
    both = np.isfinite(x) & np.isfinite(y)
    if not both.any():
        raise DataError("no answer was given both times")
    figures: dict[str, Any] = {
        "same": lambda w: float(((x == y) & both).sum(1) @ w / (both.sum(1) @ w)),
        "accuracy": lambda w: _accuracy(x, y, w),
        "correlation": lambda w: _correlation(x, y, w),
    }
    rng, rows = np.random.default_rng(seed), len(x)
    weights = [np.bincount(rng.integers(rows, size=rows), minlength=rows).astype(float) for _ in range(resamples)]
    found = {}
    for name, figure in figures.items():
        low_, high_ = np.nanquantile([figure(w) for w in weights], [0.025, 0.975])
        found[name] = Estimate(
            figure(np.ones(rows)), float(low_), float(high_), rows, f"bootstrap of {resamples} over respondents"
        )
    return found


def _dealt(y: Array, rng: np.random.Generator) -> Array:
    """The answers of each item dealt out anew among those who answered it."""
    other = y.copy()
    for column in other.T:
        there = np.flatnonzero(np.isfinite(column))
        column[there] = column[rng.permutation(there)]
    return other


def _accuracy(x: Array, y: Array, w: Array) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    gap = np.where(both, np.abs(np.where(both, x, 0) - np.where(both, y, 0)), 0)
    return float(1 - (w @ gap.sum(1)) / (w @ both.sum(1)))


def _correlation(x: Array, y: Array, w: Array) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    a, b = (_centred(np.where(both, v, 0.0), both, w) for v in (x, y))
    norm = np.sqrt((w @ (a**2).sum(1)) * (w @ (b**2).sum(1)))
    return float((w @ (a * b).sum(1)) / norm) if norm > 1e-9 else 0.0


def _centred(values: Array, there: NDArray[np.bool_], w: Array) -> Array:
    """Each column less its weighted mean, 0 where there is no answer."""
    n = w @ there
    return np.where(there, values - (w @ values) / np.where(n > 0, n, 1), 0.0)
