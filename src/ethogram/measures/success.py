"""Success rates of policies: the posterior of one, and tests of two at a number of rollouts fixed beforehand.

The test whose number of rollouts need not be fixed is in `ethogram.measures.sequential`; many policies at once are compared
by `ethogram.measures.several`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np

from ethogram.measures.estimate import check_one_of
from ethogram.measures.proportions import check_counts, check_prior

__all__ = ["Alternative", "Test", "barnard", "barnard_region", "posterior_density", "probability_better"]

Alternative = Literal["two-sided", "greater", "less"]
"""What speaks against the null: that the first differs from, is greater than, or is less than the second."""
ALTERNATIVES: tuple[Alternative, ...] = get_args(Alternative)

UNIFORM = (1.0, 1.0)


class Test(NamedTuple):
    """The outcome of a test of two samples."""

    difference: float
    """The first minus the second."""
    p: float
    """The largest probability, over all that the null allows, of data that speak against it at least as much."""
    n: int
    """Size of the smaller sample."""
    method: str

    __test__ = False  # not a class of pytest's


def posterior_density(successes: int, n: int, at: np.ndarray, prior: tuple[float, float] = UNIFORM) -> np.ndarray:
    """Density of the success rate's posterior Beta(prior₀ + successes, prior₁ + failures) at rates `at` of any shape."""
    from scipy.special import betaln, xlog1py, xlogy

    check_counts(successes, n)
    check_prior(prior)
    a, b = prior[0] + successes, prior[1] + n - successes
    rate = np.asarray(at, float)
    return np.exp(xlogy(a - 1, rate) + xlog1py(b - 1, -rate) - betaln(a, b))


def probability_better(a: tuple[int, int], b: tuple[int, int], prior: tuple[float, float] = UNIFORM) -> float:
    """P(p_a > p_b | data) for two policies with `(successes, trials)` each and independent Beta priors.

    The integral of F_b over the posterior of `a`, with the quantile of `a` as its variable, by Gauss-Legendre quadrature;
    the narrower posterior of the two is integrated over, which keeps the integrand smooth (absolute error below 1e-8).
    """
    from scipy.special import betainc, betaincinv

    check_prior(prior)
    shapes = []
    for successes, n in (a, b):
        check_counts(successes, n)
        shapes.append((prior[0] + successes, prior[1] + n - successes))
    first, second = shapes
    if _variance(*first) > _variance(*second):
        return 1.0 - probability_better(b, a, prior)
    shares, weights = _quadrature()
    return float(np.clip(weights @ betainc(*second, betaincinv(*first, shares)), 0.0, 1.0))


def barnard(a: tuple[int, int], b: tuple[int, int], alternative: Alternative = "two-sided") -> Test:
    """Barnard's exact unconditional test that two success rates are equal, for `(successes, trials)` of independent trials.

    Tables are ordered by the score statistic (pooled variance); p is the largest probability, over the common rate, of a
    table at least as extreme (Barnard, Biometrika 34:123, 1947; Suissa and Shuster, JRSS A 148:317, 1985). Valid only where
    the numbers of trials were fixed beforehand. Tied tables count as extreme; `scipy.stats.barnard_exact` loses some of them
    to rounding, and its p is then too small. Takes a millisecond at 50 trials a policy, 15 ms at 200.

    Args:
        a: successes and trials of the first policy.
        b: of the second.
        alternative: `greater` tests against p_a > p_b.
    """
    check_counts(*a)
    check_counts(*b)
    check_one_of(alternative, ALTERNATIVES, "alternative")
    method = f"Barnard's exact test ({alternative})"
    return Test(a[0] / a[1] - b[0] / b[1], _barnard(*a, *b, alternative), min(a[1], b[1]), method)


@cache
def barnard_region(n: int, m: int, alpha: float = 0.05, alternative: Alternative = "two-sided") -> np.ndarray:
    """Which tables (successes of the first, of the second) Barnard's test rejects at α, bool (n+1, m+1), not to be changed.

    With it the test's power is a sum over tables, P(x | p_a) region P(y | p_b), and needs no simulation.

    Args:
        n: trials of the first policy.
        m: of the second.
        alpha: the level.
        alternative: as in `barnard`.
    """
    check_one_of(alternative, ALTERNATIVES, "alternative")
    scores = _scores(n, m, alternative)
    order = np.argsort(-scores, axis=None)  # p grows along it: the region is a beginning of it
    low, high = 0, order.size
    while low < high:
        middle = (low + high) // 2
        s, t = divmod(int(order[middle]), m + 1)
        low, high = (middle + 1, high) if _barnard(s, n, t, m, alternative) <= alpha else (low, middle)
    region = np.zeros(order.size, bool)
    region[order[:low]] = True
    region.flags.writeable = False
    return region.reshape(n + 1, m + 1)


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for an integral over (0, 1) whose integrand has unbounded slopes at the ends."""
    nodes, weights = np.polynomial.legendre.leggauss(256)
    t = (nodes + 1) / 2
    return t**3 * (10 - 15 * t + 6 * t**2), weights / 2 * 30 * (t * (1 - t)) ** 2  # u(t) is flat at 0 and 1


@lru_cache(maxsize=50_000)
def _barnard(s: int, n: int, t: int, m: int, alternative: Alternative) -> float:
    """The p of `s` of `n` against `t` of `m`: a grid over the common rate, refined around its three highest values."""
    extreme = _extreme(s, n, t, m, alternative).astype(float)
    if extreme.all():
        return 1.0
    x, y, logs = np.arange(n + 1), np.arange(m + 1), (_log_choose(n), _log_choose(m))

    def tail(rates: np.ndarray) -> np.ndarray:
        """Probability of the extreme tables at each rate, shape (k,)."""
        up, down = np.log(rates)[:, None], np.log1p(-rates)[:, None]
        first = np.exp(logs[0] + x * up + (n - x) * down)
        second = np.exp(logs[1] + y * up + (m - y) * down)
        return ((first @ extreme) * second).sum(axis=1)

    rates = np.sin(np.linspace(0, math.pi / 2, 202)[1:-1]) ** 2  # denser towards 0 and 1, where peaks are narrow
    values = tail(rates)
    edges = np.concatenate([[1e-12], rates, [1 - 1e-12]])
    peaks = [_peak(tail, float(edges[i]), float(edges[i + 2])) for i in np.argsort(values)[-3:]]
    return min(max(peaks), 1.0)


def _peak(function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    """The largest value of a function with one peak in an interval, by three ever finer grids."""
    best = 0.0
    for _ in range(3):
        at = np.linspace(low, high, 17)
        values = function(at)
        i = int(values.argmax())
        best, low, high = max(best, float(values[i])), float(at[max(i - 1, 0)]), float(at[min(i + 1, 16)])
    return best


def _extreme(s: int, n: int, t: int, m: int, alternative: Alternative) -> np.ndarray:
    """Which tables (successes of the first, of the second), shape (n+1, m+1), speak against the null at least as much."""
    scores = _scores(n, m, alternative)
    return scores >= scores[s, t] - 1e-9 * max(1.0, abs(scores[s, t]))


def _scores(n: int, m: int, alternative: Alternative) -> np.ndarray:
    """How much each table speaks against the null, shape (n+1, m+1)."""
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    pooled = (x + y) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    gap = x / n - y / m
    score = np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
    if alternative == "two-sided":
        return np.abs(score)
    return -score if alternative == "less" else score


def _log_choose(n: int) -> np.ndarray:
    """Logarithms of the binomial coefficients of n, shape (n+1,)."""
    from scipy.special import gammaln

    k = np.arange(n + 1)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _variance(a: float, b: float) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))
