"""STEP: a test of two success rates that may stop after any pair of rollouts, up to a largest number fixed beforehand.

Where `ethogram.measures.sequential` may go on for ever, this one knows its last pair, and spends the whole of its risk until
then: it finds more, and earlier. After every pair the tables of successes are divided into those that reject and those that
go on. The divisions are made one after the other by linear programs: of all that keep the probability of having rejected by
pair n below α n / longest at every common success rate, the one that rejects soonest what unequal rates give (Snyder et al.,
"Is Your Imitation Learning Policy Better than Mine? Policy Comparison with Near-Optimal Stopping", 2025; here re-derived).

Three things are our own. What a program maximises is the probability of rejecting now under rates drawn evenly from those of
the alternative. A table that a program would reject with a probability between zero and one goes on, so that no coin is
tossed; what that leaves of the risk is for the later pairs. And of what is rejected only that is kept which stays rejected
with more successes of the better policy or fewer of the other: the risk is then highest where the two rates are equal, which
is where it is held. (Draw both policies' rollouts from one uniform number each: with a higher rate of the one and a lower
one of the other no success of the one is lost and none of the other won, and so no rejection is.)
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ethogram.errors import DataError
from ethogram.measures.estimate import check_level, check_one_of
from ethogram.measures.sequential import check_outcomes
from ethogram.measures.success import ALTERNATIVES, Alternative

__all__ = ["Step", "step_region", "step_stops", "step_test"]

RATES = np.sin(np.linspace(0, np.pi / 4, 402)[1:]) ** 2
"""Common success rates at which the risk is held; those above one half are their mirror images."""
FEW = slice(8, None, 16)
"""Of them, those that a program begins with."""
DRAWN = (np.arange(40) + 0.5) / 40
"""Rates of which every unequal pair stands for the alternative."""


class Step(NamedTuple):
    """The outcome of the test."""

    rejected: bool
    """Whether a pair was reached at which equal rates are rejected."""
    pairs: int
    """How many pairs of rollouts were used: up to the rejection, or all there are."""
    left: int
    """How many more may follow: 0 after a rejection, and where the largest number was reached without one."""
    method: str


def step_test(a: ArrayLike, b: ArrayLike, longest: int, alternative: Alternative = "two-sided", alpha: float = 0.05) -> Step:
    """Test two success rates pair by pair, with at most so many pairs.

    Args:
        a: outcomes of the first policy's rollouts in order, 0 or 1, shape (pairs,).
        b: of the second's, shape (pairs,); what is paired should share its initial condition.
        longest: the largest number of pairs, fixed before the first was looked at.
        alternative: `greater` rejects p_a ≤ p_b, `less` p_a ≥ p_b, `two-sided` each of them at half of α.
        alpha: bound on the probability of ever rejecting where the null is true.

    Raises:
        DataError: outcomes other than 0 and 1, of different shapes, or more than `longest`.
    """
    x, y = check_outcomes(a, b)
    if x.ndim != 1:
        raise DataError(f"one sequence of pairs is tested at a time, not shape {x.shape}")
    if x.size > longest:
        raise DataError(f"{x.size} pairs are more than the {longest} that were fixed beforehand")
    region = step_region(longest, alpha, alternative)
    method = f"STEP of at most {longest} pairs ({alternative})"
    for n, (s, t) in enumerate(zip(np.cumsum(x).astype(int), np.cumsum(y).astype(int), strict=True), 1):
        if region[n - 1][s, t]:
            return Step(True, n, 0, method)
    return Step(False, x.size, longest - x.size, method)


@cache
def step_region(longest: int, alpha: float = 0.05, alternative: Alternative = "two-sided") -> tuple[np.ndarray, ...]:
    """Which tables reject after each pair.

    Takes about a second for 50 pairs, five for 100 and half a minute for 300; made once for each set of arguments.

    Args:
        longest: the largest number of pairs.
        alpha: bound on the probability of ever rejecting where the null is true.
        alternative: as in `step_test`.

    Returns:
        For n = 1 … longest a table of (successes of the first, of the second), bool (n+1, n+1), not to be changed. A table
        behind one that rejected earlier is never reached, and False.
    """
    check_level(1 - alpha)
    check_one_of(alternative, ALTERNATIVES, "alternative")
    if longest < 1:
        raise DataError(f"the largest number of pairs is at least 1, not {longest}")
    if alternative == "two-sided":
        above, below = step_region(longest, alpha / 2, "greater"), step_region(longest, alpha / 2, "less")
        tables = [up | down for up, down in zip(above, below, strict=True)]
    elif alternative == "less":
        tables = [table.T for table in step_region(longest, alpha, "greater")]
    else:
        tables = _greater(longest, alpha)
    for table in tables:
        table.flags.writeable = False
    return tuple(tables)


def step_stops(region: tuple[np.ndarray, ...], p: float, q: float) -> np.ndarray:
    """The probability of rejecting at each pair, exactly, for a test of `step_region`.

    Its sum is the power (or, where p = q, the probability of a false alarm), and from it follows the number of pairs used.

    Args:
        region: the tables that reject.
        p: success rate of the first policy.
        q: of the second.

    Returns:
        Shape (longest,).
    """
    reached, stops = np.ones((1, 1)), np.empty(len(region))
    for n, table in enumerate(region):
        reached = _next(reached, p, q)
        stops[n] = reached[table].sum()
        reached[table] = 0
    return stops


def _greater(longest: int, alpha: float) -> list[np.ndarray]:
    """The tables that reject p_a ≤ p_b."""
    paths = np.ones((1, 1))  # how many ways lead to a table without a rejection, divided by 4 to the power of pairs
    spent = np.zeros(len(RATES))
    tables: list[np.ndarray] = []
    for n in range(1, longest + 1):
        paths = _next(paths, 0.5, 0.5)
        table, risk = _divide(paths, alpha * n / longest - spent)
        spent += risk
        paths[table] = 0
        tables.append(table)
    return tables


def _next(reached: np.ndarray, p: float, q: float) -> np.ndarray:
    """The weights of tables, shape (n, n), after one more pair, shape (n+1, n+1)."""
    n = len(reached)
    more = np.zeros((n + 1, n + 1))
    for won, first in ((0, 1 - p), (1, p)):
        for lost, second in ((0, 1 - q), (1, q)):
            more[won : won + n, lost : lost + n] += first * second * reached
    return more


def _divide(paths: np.ndarray, budget: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tables that reject now, bool (n+1, n+1), and what it costs at each of `RATES`, at most `budget`."""
    from scipy.optimize import linprog

    n = len(paths) - 1
    s, t = np.nonzero(np.tril(paths, -1))
    # success and failure change places: (s, t) and (n - t, n - s) are rejected together
    orbits, of = np.unique(np.minimum(s * (n + 1) + t, (n - t) * (n + 1) + n - s), return_inverse=True)
    total, weight = s + t, paths[s, t]
    each = _binary(total, 2 * n - total, RATES) * weight  # (rates, tables)
    risk = np.stack([np.bincount(of, row, len(orbits)) for row in each]) if len(s) else np.zeros((len(RATES), 0))
    high, low = _binary(np.arange(n + 1), n - np.arange(n + 1), DRAWN), np.tri(len(DRAWN), k=-1)
    gain = np.bincount(of, ((high.T @ low) @ high)[s, t] * weight, len(orbits))
    table, cost = np.zeros_like(paths, dtype=bool), np.zeros(len(RATES))
    held = np.zeros(len(RATES), bool)
    held[FEW] = True
    room = np.ones(len(RATES))
    while len(orbits):
        unit = (budget * room)[held, None]
        found = linprog(-gain / gain.max(), A_ub=risk[held] / unit, b_ub=np.ones(held.sum()), bounds=(0, 1), method="highs")
        table[:] = False
        table[s, t] = (found.x > 1 - 1e-6)[of]
        table &= ~_under(~table & (paths > 0))
        cost = each @ table[s, t]
        over = cost > budget
        if not over.any():
            break
        worst = np.argmax(cost / budget)
        if held[worst]:  # a program keeps what it is held to up to its tolerance alone
            room[worst] *= 0.999
        held[worst] = True
    return table, cost


def _binary(successes: np.ndarray, failures: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Probability, times two to the power of trials, of such a sequence of trials at each rate, shape (rates, tables)."""
    return np.exp(np.outer(np.log(2 * rates), successes) + np.outer(np.log(2 - 2 * rates), failures))


def _under(goes_on: np.ndarray) -> np.ndarray:
    """Where a table that goes on has no fewer successes of the first and no more of the second, same shape."""
    over = np.logical_or.accumulate(goes_on[::-1], axis=0)[::-1]
    return np.logical_or.accumulate(over, axis=1)
