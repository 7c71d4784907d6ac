"""Matching: which virtual person stands for which real one, by what is known of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Match", "match", "trait_weights"]

LEAST = 1e-6
"""No trait is held to be less likely than this, so that one wrong trait does not rule a pair out."""


class Match(NamedTuple):
    """Who stands for whom."""

    virtual: NDArray[np.int64]
    """Rows of virtual people, one for each real person that has one."""
    real: NDArray[np.int64]
    """The row of the real person that each stands for, in ascending order."""
    weight: float
    """The sum of the weights of all pairs."""


def match(weights: ArrayLike, method: str = "assignment") -> Match:
    """Pair virtual with real people so that the sum of weights is the largest there is; nobody is in two pairs.

    Args:
        weights: shape (virtual, real): how well each would stand for each.
        method: `assignment`, maximum-weight bipartite matching; or `greedy`, the best pair first, as a baseline.

    Raises:
        DataError: the weights are no table of numbers, or the method is another.
    """
    from scipy.optimize import linear_sum_assignment

    table = np.asarray(weights, dtype=float)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise DataError(f"weights must be a table of finite numbers (virtual × real), not of shape {table.shape}")
    if method == "assignment":
        virtual, real = linear_sum_assignment(table, maximize=True)
    elif method == "greedy":
        virtual, real = _greedy(table)
    else:
        raise DataError(f"method={method!r}: people are matched by 'assignment' or 'greedy'")
    order = np.argsort(real)
    return Match(virtual[order], real[order], float(table[virtual, real].sum()))


def trait_weights(
    probabilities: Mapping[str, ArrayLike], levels: Mapping[str, Sequence[str]], people: pl.DataFrame
) -> NDArray[np.float64]:
    """Log-probability that a virtual person has the traits of a real one, traits being independent: shape (virtual, real).

    Args:
        probabilities: of each trait, the probability of each level for each virtual person, shape (virtual, levels), as it
            comes from asking the virtual person many times.
        levels: the levels of each trait, in the order of the columns.
        people: a row a real person, a column a trait; a missing trait says nothing.

    Raises:
        DataError: a trait is not in all three, the shapes do not fit, or a person has a level that is not listed.
    """
    total: NDArray[np.float64] | None = None
    for trait, given in probabilities.items():
        if trait not in levels or trait not in people.columns:
            raise DataError(f"the trait {trait!r} must have levels, and be a column of the people")
        known = {level: i for i, level in enumerate(levels[trait])}
        p = np.asarray(given, dtype=float)
        if p.ndim != 2 or p.shape[1] != len(known) or (p < 0).any():
            raise DataError(f"the probabilities of {trait!r} have shape {p.shape}, for {len(known)} levels")
        values = people[trait].to_list()
        if unknown := next((v for v in values if v is not None and str(v) not in known), None):
            raise DataError(f"{unknown!r} is no level of {trait!r}; there are {', '.join(known)}")
        logs = np.log(np.maximum(p, LEAST))
        columns = [logs[:, known[str(v)]] if v is not None else np.zeros(len(p)) for v in values]
        added = np.stack(columns, axis=1)
        if total is not None and total.shape != added.shape:
            raise DataError(f"the probabilities of {trait!r} are of {len(p)} virtual people, those before of {len(total)}")
        total = added if total is None else total + added
    if total is None:
        raise DataError("give the probabilities of at least one trait")
    return total


def _greedy(table: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    virtual, real = np.unravel_index(np.argsort(-table, axis=None, kind="stable"), table.shape)
    free_virtual, free_real = np.ones(table.shape[0], bool), np.ones(table.shape[1], bool)
    pairs = []
    for v, r in zip(virtual.tolist(), real.tolist(), strict=True):
        if free_virtual[v] and free_real[r]:
            free_virtual[v] = free_real[r] = False
            pairs.append((v, r))
            if len(pairs) == min(table.shape):
                break
    found = np.array(pairs, dtype=np.int64)
    return found[:, 0], found[:, 1]
