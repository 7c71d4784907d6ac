"""A test of two success rates that may be looked at after every pair of rollouts, and stopped at any time.

The evidence e against the null is a product over pairs of rollouts, one of each policy. Before each pair the two rates are
estimated from the pairs so far; the factor is the probability of what then happens under these estimates, divided by that
under the closest pair of rates that the null allows. Whatever rates the null allows, the factor's mean is at most one, so
that e exceeds 1/α *ever* with probability at most α (Ville's inequality): peeking costs nothing.

The construction is that of Turner, Ly and Grünwald ("Generic E-variables for exact sequential k-sample tests that allow for
optional stopping", 2021) for blocks of one rollout of each policy. That a factor's mean is at most one for the one-sided
null p_a ≤ p_b, derived: with the estimates c + d for `a` and c - d for `b` around their average c, d > 0, and v = c(1 - c),
the mean under (p_a, p_b) is (1 + d(p_a - c)/v) (1 - d(p_b - c)/v). Both brackets are means of non-negative ratios, and
p_a ≤ p_b makes the first at most 1 + d(p_b - c)/v; the product is then at most 1 - (d(p_b - c)/v)² ≤ 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ethogram.errors import DataError
from ethogram.measures.estimate import check_level, check_one_of
from ethogram.measures.success import ALTERNATIVES, Alternative

__all__ = ["Sequential", "check_outcomes", "evidence", "sequential_test"]

FAVOURED, OTHER = (2.0, 1.0), (1.0, 2.0)
"""Beta priors of the policy that the alternative says is better, and of the other."""


class Sequential(NamedTuple):
    """The outcome of a sequential test."""

    rejected: bool
    """Whether the evidence reached 1/α at any pair."""
    pairs: int
    """How many pairs of rollouts were used: up to the rejection, or all there are."""
    e: float
    """The evidence when it stopped."""
    p: float
    """Anytime-valid p: the inverse of the largest evidence so far, at most one."""
    method: str


def evidence(a: ArrayLike, b: ArrayLike, alternative: Alternative = "two-sided") -> np.ndarray:
    """The evidence against equal success rates after each pair of rollouts.

    Args:
        a: outcomes of the first policy's rollouts in order, 0 or 1, shape (..., pairs).
        b: of the second's, same shape; what is paired should share its initial condition.
        alternative: `greater` is evidence against p_a ≤ p_b, `less` against p_a ≥ p_b, `two-sided` the mean of the two.

    Returns:
        e after each pair, shape (..., pairs); at the null its expected value is at most 1 at any stopping time.
    """
    x, y = check_outcomes(a, b)
    check_one_of(alternative, ALTERNATIVES, "alternative")
    if alternative == "two-sided":
        return (_one_sided(x, y) + _one_sided(y, x)) / 2
    return _one_sided(x, y) if alternative == "greater" else _one_sided(y, x)


def sequential_test(a: ArrayLike, b: ArrayLike, alternative: Alternative = "two-sided", alpha: float = 0.05) -> Sequential:
    """Test two success rates pair by pair, stopping as soon as the evidence reaches 1/α.

    Args:
        a: outcomes of the first policy's rollouts in order, 0 or 1, shape (pairs,).
        b: of the second's, shape (pairs,).
        alternative: as in `evidence`.
        alpha: bound on the probability of ever rejecting where the null is true.
    """
    check_level(1 - alpha)
    e = evidence(a, b, alternative)
    if e.ndim != 1:
        raise DataError(f"one sequence of pairs is tested at a time, not shape {e.shape}: use evidence() for many")
    reached = np.flatnonzero(e >= 1 / alpha)
    last = int(reached[0]) if reached.size else e.size - 1
    p = min(1.0, 1.0 / float(e[: last + 1].max()))
    return Sequential(bool(reached.size), last + 1, float(e[last]), p, f"e-value of paired rollouts ({alternative})")


def _one_sided(better: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """Evidence against p_better ≤ p_worse, shape (..., pairs)."""
    high, low = _running(better, *FAVOURED), _running(worse, *OTHER)
    average = (high + low) / 2
    within = high <= low  # the estimates satisfy the null, which then explains the data as well: the factor is one
    factor = _likelihood(better, high) * _likelihood(worse, low)
    factor /= _likelihood(better, average) * _likelihood(worse, average)
    with np.errstate(over="ignore"):  # evidence may be so strong that it is infinite as a floating-point number
        return np.exp(np.cumsum(np.log(np.where(within, 1.0, factor)), axis=-1))


def _running(x: np.ndarray, successes: float, failures: float) -> np.ndarray:
    """The posterior mean of the rate before each rollout, shape (..., pairs)."""
    before = np.cumsum(x, axis=-1) - x
    return (successes + before) / (successes + failures + np.arange(x.shape[-1]))


def _likelihood(x: np.ndarray, rate: np.ndarray) -> np.ndarray:
    return np.where(x == 1, rate, 1 - rate)


def check_outcomes(a: ArrayLike, b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The outcomes of two policies' rollouts as arrays of one shape, or a DataError."""
    try:
        x, y = np.asarray(a, float), np.asarray(b, float)
    except (TypeError, ValueError) as error:
        raise DataError(f"outcomes of rollouts are arrays of 0 and 1: {error}") from error
    if not (np.isin(x, (0.0, 1.0)).all() and np.isin(y, (0.0, 1.0)).all()):
        raise DataError("outcomes of rollouts are 0 or 1 (failure or success)")
    if x.shape != y.shape or x.ndim == 0 or x.shape[-1] == 0:
        raise DataError(f"the outcomes of two policies come in pairs, not in shapes {x.shape} and {y.shape}")
    return x, y
