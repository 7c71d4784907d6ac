"""What markets are described by: returns, the weight of their tails, their memory; and whether traders do what they say.

All are numbers of one series; an interval comes from several runs (`ethogram.measures.mean` over them), since the days of
one run are not independent. Stylised facts after Cont (2001), "Empirical properties of asset returns".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError

__all__ = ["agreement", "autocorrelation", "correlation", "excess_kurtosis", "gini", "log_returns", "tail_index"]

Series = Sequence[float] | NDArray[np.floating[Any]]


def log_returns(prices: Series) -> NDArray[np.float64]:
    """Changes of the logarithm of prices: one fewer than there are prices; DataError where one is not above 0."""
    values = np.asarray(prices, float)
    if len(values) and values.min() <= 0:
        raise DataError(f"a price is {values.min():g}, and must be above 0 to have a logarithm")
    return np.diff(np.log(values))


def excess_kurtosis(values: Series) -> float:
    """The fourth standardised moment less 3: 0 for a normal distribution, more for fatter tails; NaN where all are alike."""
    x = np.asarray(values, float) - np.mean(values)
    spread = np.mean(x**2)
    return float(np.mean(x**4) / spread**2 - 3) if spread > 0 else float("nan")


def tail_index(values: Series, share: float = 0.05) -> float:
    """Hill's estimate of a power law's exponent from the largest absolute values; about 3 in stock markets (Cont 2001).

    The smaller, the fatter the tail. Tails of a normal distribution give about 5 to 6 at `share` 0.05.

    Args:
        values: returns.
        share: of the values that count as the tail; at least two of them.
    """
    x = np.sort(np.abs(np.asarray(values, float)))[::-1]
    k = max(2, int(share * len(x)))
    if len(x) <= k or x[k] <= 0:
        return float("nan")
    return float(1 / np.mean(np.log(x[:k] / x[k])))


def correlation(x: Series, y: Series) -> float:
    """Pearson's; NaN where one of them does not vary."""
    a, b = np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def autocorrelation(values: Series, lags: Iterable[int]) -> list[float]:
    """Correlation of a series with itself so many places before, one number a lag; NaN where it does not vary."""
    x = np.asarray(values, float) - np.mean(values)
    scale = float((x**2).sum())
    return [float((x[lag:] * x[:-lag]).sum() / scale) if scale > 0 else float("nan") for lag in lags]


def gini(values: Series) -> float:
    """Inequality of what people have: 0 where all have the same, near 1 where one has all, and above it with debts."""
    x = np.sort(np.asarray(values, float))
    n, total = len(x), float(x.sum())
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * total)) if total > 0 else float("nan")


def agreement(said: Iterable[bool], done: Iterable[bool]) -> float:
    """Cohen's kappa of yes and no: 1 where they always agree, 0 where as often as by chance; NaN where neither varies."""
    a, b = np.asarray(list(said), float), np.asarray(list(done), float)
    if len(a) != len(b):
        raise DataError(f"{len(a)} things were said and {len(b)} were done: give one of each")
    by_chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()) if len(a) else 1.0
    return float((np.mean(a == b) - by_chance) / (1 - by_chance)) if by_chance < 1 else float("nan")
