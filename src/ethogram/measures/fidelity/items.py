"""Item by item: how far a simulated sample's answers are from people's, and how far people's halves are from each other.

All statistics of an item are computed from how often each value was given, and so are their resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.measures.estimate import Estimate

__all__ = ["Beside", "compare_item"]

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array, Array, float], Array]
"""(counts of people, counts of simulated, values, range) → one number a resample; counts have shape (resamples, values)."""


class Beside(NamedTuple):
    """A figure of a simulated sample beside people."""

    value: Estimate
    low: float
    """Between two samples of these sizes from the people alone, the figure is in 95 % of cases at least this …"""
    high: float
    """… and at most this."""

    @property
    def outside(self) -> bool:
        """Whether the figure, with its whole interval, is outside of what people's own noise gives."""
        return self.value.low > self.high or self.value.high < self.low


def distance(people: Array, simulated: Array, values: Array, span: float) -> Array:
    """Wasserstein-1 distance of the distributions, as a share of the item's range."""
    gaps = np.abs(np.cumsum(_shares(people), 1) - np.cumsum(_shares(simulated), 1))[:, :-1]
    return gaps @ np.diff(values) / span


def shift(people: Array, simulated: Array, values: Array, span: float) -> Array:
    """Mean of the simulated minus mean of the people, as a share of the item's range."""
    return (_shares(simulated) - _shares(people)) @ values / span


def spread(people: Array, simulated: Array, values: Array, span: float) -> Array:
    """Standard deviation of the simulated over that of the people: below 1 they are too uniform."""
    del span
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(_variance(simulated, values) / _variance(people, values))


STATISTICS: dict[str, Statistic] = {"distance": distance, "shift": shift, "spread": spread}


def compare_item(
    people: Array, simulated: Array, span: float, rng: np.random.Generator, resamples: int
) -> dict[str, Beside]:
    """Distance, shift and spread of one item.

    The interval is a bootstrap of both samples, recentred at the value, since resampling adds to a distance. The floor is
    the central 95 % of the figure between random halves of the people, brought from the halves' size to the sizes compared
    by the ratio of their standard errors, √(1/n + 1/m) / √(4/n); the ratio of spreads is brought over as a logarithm.

    Args:
        people: answers of n people (at least 4), without missing ones.
        simulated: answers of m simulated people (at least 2).
        span: the item's range, highest minus lowest possible answer.
        rng: for the resamples.
        resamples: how many.
    """
    values, places = np.unique(np.concatenate([people, simulated]), return_inverse=True)
    n, m, k = len(people), len(simulated), len(values)
    ours, theirs = (np.bincount(p, minlength=k) for p in (places[:n], places[n:]))
    drawn = rng.multinomial(n, ours / n, resamples).astype(float), rng.multinomial(m, theirs / m, resamples).astype(float)
    half = rng.multivariate_hypergeometric(ours, n // 2, resamples, method="marginals").astype(float)
    halves = half, (ours - half).astype(float)
    scale = np.sqrt((1 / n + 1 / m) / (1 / (n // 2) + 1 / (n - n // 2)))
    found = {}
    for name, statistic in STATISTICS.items():
        value = float(statistic(ours[None].astype(float), theirs[None].astype(float), values, span)[0])
        draws = statistic(*drawn, values, span)
        finite = draws[np.isfinite(draws)]
        low, high = _quantiles(finite + value - np.median(finite) if finite.size else finite)
        noise = statistic(*halves, values, span)
        floor = np.exp(scale * np.log(_positive(noise))) if name == "spread" else scale * noise
        found[name] = Beside(Estimate(value, low, high, n, f"bootstrap of {resamples}, recentred"), *_quantiles(floor))
    return found


def _shares(counts: Array) -> Array:
    return counts / counts.sum(1, keepdims=True)


def _variance(counts: Array, values: Array) -> Array:
    shares = _shares(counts)
    centred = values - (shares @ values)[:, None]
    return (shares * centred**2).sum(1)


def _positive(ratios: Array) -> Array:
    return np.clip(np.nan_to_num(ratios, nan=1.0, posinf=1e6), 1e-6, 1e6)


def _quantiles(draws: NDArray[Any]) -> tuple[float, float]:
    finite = draws[np.isfinite(draws)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
