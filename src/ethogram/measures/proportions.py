"""Proportions (success rates, shares of a population) and their differences."""

from __future__ import annotations

import math
from typing import Literal

from ethogram.errors import ConfigError, DataError
from ethogram.measures.estimate import Estimate, check_level, check_one_of

__all__ = ["check_counts", "check_prior", "proportion", "proportion_difference"]


def proportion(
    successes: int,
    n: int,
    method: Literal["wilson", "exact", "beta"] = "wilson",
    level: float = 0.95,
    prior: tuple[float, float] = (1.0, 1.0),
) -> Estimate:
    """The share of `successes` in `n` independent trials.

    Args:
        successes: how many, 0 ≤ successes ≤ n.
        n: how many trials, at least one.
        method: `wilson` (score interval, Wilson 1927), `exact` (Clopper and Pearson 1934: at least the stated coverage),
            or `beta` (equal-tailed interval of the posterior; the value stays the plain share).
        level: coverage of the interval.
        prior: the two parameters of the Beta prior, for `beta`, both above 0; uniform by default.
    """
    from scipy.special import betaincinv, ndtri

    check_counts(successes, n)
    check_level(level)
    check_one_of(method, ("wilson", "exact", "beta"), "interval of a share")
    tail, share = (1 - level) / 2, successes / n
    if method == "beta":
        check_prior(prior)
        shape = successes + prior[0], n - successes + prior[1]
        low, high = betaincinv(*shape, tail), betaincinv(*shape, 1 - tail)
        label = f"share, Beta({prior[0]:g}, {prior[1]:g}) posterior"
    elif method == "exact":
        low = betaincinv(successes, n - successes + 1, tail) if successes else 0.0
        high = betaincinv(successes + 1, n - successes, 1 - tail) if successes < n else 1.0
        label = "share, exact (Clopper–Pearson) interval"
    else:
        z2 = float(ndtri(1 - tail)) ** 2
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
        low, high = max(centre - half, 0.0), min(centre + half, 1.0)
        label = "share, Wilson interval"
    return Estimate(share, float(low), float(high), n, label, level)


def proportion_difference(a: tuple[int, int], b: tuple[int, int], level: float = 0.95) -> Estimate:
    """Share in `a` minus share in `b`, each `(successes, trials)` of independent trials.

    Newcombe's hybrid score interval (Statistics in Medicine 17:873, 1998, method 10); n is the smaller of the two.
    """
    one, two = proportion(*a, level=level), proportion(*b, level=level)
    value = one.value - two.value
    low = value - math.hypot(one.value - one.low, two.high - two.value)
    high = value + math.hypot(one.high - one.value, two.value - two.low)
    return Estimate(value, low, high, min(a[1], b[1]), "difference of shares, Newcombe interval", level)


def check_counts(successes: int, n: int) -> None:
    """DataError where `successes` of `n` are not counts of a share."""
    if n < 1 or not 0 <= successes <= n or successes != int(successes) or n != int(n):
        raise DataError(f"a share needs at least one trial and a count 0 ≤ successes ≤ trials, not {successes} of {n}")


def check_prior(prior: tuple[float, float]) -> None:
    """ConfigError where these are not the parameters of a Beta distribution."""
    if not min(prior) > 0:
        raise ConfigError(f"the parameters of a Beta prior are above 0, not {prior[0]} and {prior[1]}")
