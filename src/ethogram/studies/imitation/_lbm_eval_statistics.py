"""The tests themselves: how often each rejects where two policies are equal, and where they are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ethogram.measures import (
    Estimate,
    barnard_region,
    compare_successes,
    evidence,
    hierarchical_difference,
    letters,
    mean,
    paired_difference,
    probability_better,
    proportion,
    proportion_difference,
    rejection_rate,
    step_region,
    step_stops,
    step_test,
)
from ethogram.seeds import generator
from ethogram.studies import Lab

ALPHA = 0.05
SEEDS = 5
"""Of the fitted policies in an experiment for the hierarchical bootstrap."""
POLICIES = 4
"""Equal policies in an experiment for the family of pairwise tests."""

Rng = np.random.Generator


def _counts(rng: Rng, p: float, q: float, n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (int(rng.binomial(n, p)), n), (int(rng.binomial(n, q)), n)


def _barnard(rng: Rng, p: float, q: float, n: int) -> bool:
    (s, _), (t, _) = _counts(rng, p, q, n)
    return bool(barnard_region(n, n, ALPHA)[s, t])


def _e_value(rng: Rng, p: float, q: float, n: int) -> bool:
    return bool((evidence(rng.random(n) < p, rng.random(n) < q) >= 1 / ALPHA).any())


def _step(rng: Rng, p: float, q: float, n: int) -> bool:
    return step_test(rng.random(n) < p, rng.random(n) < q, n, alpha=ALPHA).rejected


def _letters(rng: Rng, p: float, q: float, n: int) -> bool:
    """Whether any two of several policies are told apart; all but the last have the rate p."""
    rates = [p] * (POLICIES - 1) + [q]
    found = compare_successes({str(i): (int(rng.binomial(n, rate)), n) for i, rate in enumerate(rates)}, ALPHA)
    return any(pair.separable for pair in found.pairs)


def _peeking(rng: Rng, p: float, q: float, n: int) -> bool:
    """The fixed-number test, wrongly looked at after every five pairs from the tenth on."""
    x, y = np.cumsum(rng.random(n) < p), np.cumsum(rng.random(n) < q)
    return any(barnard_region(k, k, ALPHA)[x[k - 1], y[k - 1]] for k in range(10, n + 1, 5))


@cache
def _better(s: int, t: int, n: int) -> float:
    return probability_better((s, n), (t, n))


def _posterior(rng: Rng, p: float, q: float, n: int) -> bool:
    (s, _), (t, _) = _counts(rng, p, q, n)
    return not ALPHA / 2 < _better(s, t, n) < 1 - ALPHA / 2


def _newcombe(rng: Rng, p: float, q: float, n: int) -> bool:
    return _excludes_zero(proportion_difference(*_counts(rng, p, q, n)))


def _paired_t(rng: Rng, p: float, q: float, n: int) -> bool:
    return _excludes_zero(paired_difference((rng.random(n) < p) * 1.0, (rng.random(n) < q) * 1.0))


def _hierarchical(rng: Rng, p: float, q: float, n: int) -> bool:
    """Five fitted policies an arm, whose true rates scatter by 0.05 around the arm's, n rollouts in all."""
    arms = []
    for rate in (p, q):
        own = np.clip(rng.normal(rate, 0.05, SEEDS), 0, 1)
        arms.append(list((rng.random((SEEDS, n // SEEDS)) < own[:, None]) * 1.0))
    return _excludes_zero(hierarchical_difference(*arms, seed=int(rng.integers(2**31)), resamples=400))


def _excludes_zero(difference: Estimate) -> bool:
    return difference.above or difference.below


class Rule(NamedTuple):
    """A way to conclude that two policies differ."""

    rejects: Callable[[Rng, float, float, int], bool]
    """Draws an experiment with success rates p and q and n rollouts a policy, and says whether it concludes so."""
    words: str
    kind: str
    """`guaranteed`, `approximate`, or `misused`."""


RULES = {
    "barnard": Rule(_barnard, "Barnard's exact test, looked at once", "guaranteed"),
    "e-value": Rule(_e_value, "e-value, looked at after every pair", "guaranteed"),
    "step": Rule(_step, "STEP, looked at after every pair", "guaranteed"),
    "letters": Rule(_letters, f"Barnard and Holm over all pairs of {POLICIES} policies", "guaranteed"),
    "newcombe": Rule(_newcombe, "Newcombe's interval leaves out zero", "approximate"),
    "posterior": Rule(_posterior, "posterior probability of being better beyond 0.975", "approximate"),
    "paired-t": Rule(_paired_t, "paired t interval leaves out zero", "approximate"),
    "hierarchical": Rule(_hierarchical, f"two-stage bootstrap over {SEEDS} seeds leaves out zero", "approximate"),
    "peeking": Rule(_peeking, "Barnard's test, looked at after every 5 pairs", "misused"),
}


def false_alarms(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """How often a rule tells equal policies apart: item has rule, p, n, runs."""
    rule, p, n = RULES[item["rule"]], item["p"], item["n"]
    return rejection_rate(lambda rng: rule.rejects(rng, p, p, n), item["runs"], seed=lab.seed).dump()


def exact_rate(rejected: np.ndarray, p: float, q: float) -> float:
    """The probability that a table of rejections, shape (n + 1, n + 1), rejects at success rates p and q: no simulation."""
    from scipy.stats import binom

    n = len(rejected) - 1
    x = np.arange(n + 1)
    return float(binom.pmf(x, n, p) @ rejected @ binom.pmf(x, n, q))


def power(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Power of Barnard's test at n (exact) and of the e-value by n and by `longest` pairs, for gaps around one half.

    Returns:
        gaps; for each, `barnard` (exact), `e` and `e_longest` (dumped estimates), and `pairs` the e-value used on average.
    """
    n, longest, rejected = item["n"], item["longest"], barnard_region(item["n"], item["n"], ALPHA)
    rows: dict[str, list[Any]] = {"gap": [], "barnard": [], "e": [], "e_longest": [], "pairs": []}
    for gap in item["gaps"]:
        p, q = 0.5 + gap / 2, 0.5 - gap / 2
        rng = generator(lab.seed, "power", str(gap))
        e = evidence(rng.random((item["runs"], longest)) < p, rng.random((item["runs"], longest)) < q)
        reached = e >= 1 / ALPHA
        used = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, longest)
        rows["gap"].append(gap)
        rows["barnard"].append(exact_rate(rejected, p, q))
        rows["e"].append(proportion(int((used[reached.any(axis=1)] <= n).sum()), item["runs"], "exact").dump())
        rows["e_longest"].append(proportion(int(reached.any(axis=1).sum()), item["runs"], "exact").dump())
        rows["pairs"].append(mean(used).dump())
    return rows


def stopping(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """STEP (exactly) and the e-value (simulated), both with at most n pairs, for gaps around one half.

    Returns:
        gaps; for each, `power` and `pairs` of STEP, and `e_pairs`, which the e-value used on average (a dumped estimate).
    """
    n, region = item["n"], step_region(item["n"], ALPHA)
    rows: dict[str, list[Any]] = {"gap": [], "power": [], "pairs": [], "e_pairs": []}
    for gap in item["gaps"]:
        p, q = 0.5 + gap / 2, 0.5 - gap / 2
        stops = step_stops(region, p, q)
        rng = generator(lab.seed, "stopping", str(gap))
        reached = evidence(rng.random((item["runs"], n)) < p, rng.random((item["runs"], n)) < q) >= 1 / ALPHA
        rows["gap"].append(gap)
        rows["power"].append(float(stops.sum()))
        rows["pairs"].append(float(stops @ np.arange(1, n + 1) + (1 - stops.sum()) * n))
        rows["e_pairs"].append(mean(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, n)).dump())
    return rows


def fixed_number(item: dict[str, Any], lab: Lab) -> int:
    """The least number of rollouts a policy, in steps of 5, at which Barnard's test has the `power` at rates `p` and `q`."""
    low, high = 1, 40  # in fives; power hardly ever falls with more rollouts
    while low < high:
        middle = (low + high) // 2
        enough = exact_rate(barnard_region(5 * middle, 5 * middle, ALPHA), item["p"], item["q"]) >= item["power"]
        low, high = (low, middle) if enough else (middle + 1, high)
    return 5 * low


def wrong_displays(graphs: int, seed: int) -> Estimate:
    """How many letter displays of random graphs differ from the maximal cliques found by trying every subset."""
    rng, wrong = generator(seed, "graphs"), 0
    for _ in range(graphs):
        names = [f"p{i}" for i in range(int(rng.integers(2, 9)))]
        couples = list(combinations(names, 2))
        share = rng.random()
        apart = [pair for pair in couples if rng.random() < share]
        shown = letters(names, apart)
        used = {letter for word in shown.values() for letter in word}
        groups = [frozenset(name for name in names if letter in shown[name]) for letter in used]
        wrong += set(groups) != _cliques(names, apart) or len(groups) != len(set(groups))
    return Estimate.exact(wrong, graphs, "wrong displays, counted")


def _cliques(names: list[str], apart: list[tuple[str, str]]) -> set[frozenset[str]]:
    """Maximal sets without a pair that is told apart, by brute force."""
    bad = set(apart)
    free = [
        frozenset(group)
        for k in range(1, len(names) + 1)
        for group in combinations(names, k)
        if not any(pair in bad for pair in combinations(group, 2))
    ]
    return {group for group in free if not any(group < other for other in free)}
