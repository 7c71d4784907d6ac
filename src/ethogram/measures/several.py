"""Many policies at once: every pair is tested, the tests are corrected for their number, and letters say who differs."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level, sample
from ethogram.measures.proportions import check_counts, proportion, proportion_difference
from ethogram.measures.success import barnard

__all__ = ["Comparison", "Pair", "benjamini_hochberg", "compare_successes", "holm", "letters"]


class Pair(NamedTuple):
    """Two policies, and whether they can be told apart."""

    a: str
    b: str
    difference: Estimate
    """Of `a` minus `b`; its interval is that of this pair alone."""
    p: float
    adjusted: float
    """p corrected for the number of pairs."""
    separable: bool
    """Whether the corrected p is at most α."""


class Comparison(NamedTuple):
    """Several policies compared."""

    shares: dict[str, Estimate]
    """Success rates by name, best first."""
    letters: dict[str, str]
    """The compact letter display: two policies that share a letter cannot be told apart."""
    pairs: tuple[Pair, ...]
    alpha: float


def compare_successes(results: Mapping[str, tuple[int, int]], alpha: float = 0.05) -> Comparison:
    """Compare policies by `(successes, trials)`: Barnard's test of every pair, Holm's correction, letters.

    Args:
        results: successes and trials by name; the numbers of trials must have been fixed beforehand.
        alpha: bound on the probability that any two equal policies are told apart.
    """
    check_level(1 - alpha)
    for counts in results.values():
        check_counts(*counts)
    names = sorted(results, key=lambda name: (-results[name][0] / results[name][1], list(results).index(name)))
    couples = list(combinations(names, 2))
    p = [barnard(results[a], results[b]).p for a, b in couples]
    adjusted = holm(p) if p else []
    pairs = tuple(
        Pair(a, b, proportion_difference(results[a], results[b], 1 - alpha), raw, float(fixed), bool(fixed <= alpha))
        for (a, b), raw, fixed in zip(couples, p, adjusted, strict=True)
    )
    shown = letters(names, [(pair.a, pair.b) for pair in pairs if pair.separable])
    shares = {name: proportion(*results[name], "exact", 1 - alpha) for name in names}
    return Comparison(shares, shown, pairs, alpha)


def holm(p: Iterable[float]) -> np.ndarray:
    """Holm's step-down correction (Scandinavian Journal of Statistics 6:65, 1979) of p values, shape (k,).

    Rejecting where the corrected value is at most α keeps the probability of any false rejection at or below α, however the
    tests depend on each other.
    """
    values = _probabilities(p)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: Iterable[float]) -> np.ndarray:
    """Benjamini and Hochberg's step-up correction (Journal of the Royal Statistical Society B 57:289, 1995), shape (k,).

    Rejecting where the corrected value is at most α keeps the expected share of false ones among the rejections at or below
    α, where the tests are independent or positively dependent.
    """
    values = _probabilities(p)
    order = np.argsort(-values, kind="stable")
    stepped = np.minimum.accumulate(values[order] * values.size / np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _probabilities(p: Iterable[float]) -> np.ndarray:
    values = sample(p, "p values")
    if (values < 0).any() or (values > 1).any():
        raise DataError("p values lie between 0 and 1")
    return values


def letters(names: Sequence[str], separable: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The compact letter display (Piepho, Journal of Computational and Graphical Statistics 13:456, 2004).

    A letter stands for a maximal set of names of which no two are separable: a maximal clique of the graph "not separable".
    So two names share a letter exactly where they are not separable.

    Args:
        names: best first; the letter `a` goes to the set of the first name.
        separable: pairs that are told apart, in either order.

    Returns:
        The letters of each name, as in `ab`; after z comes a1.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(names)
    if len(graph) != len(names):
        raise DataError("a letter display needs names that differ")
    apart = {frozenset(pair) for pair in separable}
    if unknown := {name for pair in apart for name in pair} - set(names):
        raise DataError(f"a separable pair has {sorted(unknown)[0]!r}, which is not among the names")
    graph.add_edges_from(pair for pair in combinations(names, 2) if frozenset(pair) not in apart)
    place = {name: i for i, name in enumerate(names)}
    groups = sorted(sorted(place[name] for name in clique) for clique in nx.find_cliques(graph))
    shown = dict.fromkeys(names, "")
    for i, group in enumerate(groups):
        letter = string.ascii_lowercase[i % 26] + (str(i // 26) if i >= 26 else "")
        for member in group:
            shown[names[member]] += letter
    return shown
