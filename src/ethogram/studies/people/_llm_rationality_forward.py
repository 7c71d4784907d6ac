"""The forward half of `llm-rationality`: people's choices, what expected value says of them, and coded policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions import (
    Choices,
    ExpectedUtility,
    ExpectedValue,
    FeatureLogit,
    PriorityHeuristic,
    ProspectTheory,
    cross_validated,
    read_choices,
)
from ethogram.decisions.validation import Predictor
from ethogram.measures import Estimate, proportion
from ethogram.records.reference import reference
from ethogram.seeds import derive, generator
from ethogram.studies import Findings, Lab, Reported

__all__ = [
    "COUNTED",
    "HUMAN",
    "MAXIMISER",
    "POLICIES",
    "RATIONAL",
    "TRIES",
    "WHOLE",
    "clear",
    "correlations",
    "held_out",
    "people",
    "rational",
    "spearman",
    "tell_people",
    "tell_policies",
]

Array = NDArray[np.float64]
TRIES = 5
"""Choices that each person made in each problem; recorded rates are means of them."""
NEARLY = 1e-9
"""Expected values that differ by less are equal; they are sums of products of decimal fractions."""
HUMAN, RATIONAL = "people", "EV"
MAXIMISER, RANDOM = "EV maximiser", "random"


class Prospect(ProspectTheory):
    """Prospect theory, fitted from one beginning; a pilot with three found the same."""

    def fit(self, data: Choices, restarts: int = 1, seed: int = 0) -> Prospect:
        """As `ProspectTheory.fit`."""
        return super().fit(data, restarts, seed)


POLICIES: dict[str, Callable[[], Predictor] | None] = {
    MAXIMISER: None,
    "EV logit": ExpectedValue,
    "EU": ExpectedUtility,
    "PT": Prospect,
    "priority heuristic": PriorityHeuristic,
    "feature logit": FeatureLogit,
    RANDOM: None,
}
"""What predicts or stands for people. All that is fitted is fitted to other problems than those it is measured on."""
COUNTED = {
    "as often as people": "as many choices as people made: five by each",
    "once each": "one choice by each person, as in the paper",
    "probabilities": "the policy's own probabilities, without noise",
}
"""What of a policy is correlated with people's rates."""
WHOLE: dict[str, tuple[float, str]] = {
    "all rows": (0.582, "rho_people_ev"),
    "clear, with feedback": (0.638, "rho_people_ev"),
    "clear, without feedback": (0.554, "rho_people_ev"),
    "majority": (0.777, "majority"),
}
"""What was measured on the whole file (14,568 rows) while the catalogue was written, and the finding it belongs to."""


def people(rows: int = 0, seed: int = 0) -> Choices:
    """choices13k, or what there is of it; `rows`: at most so many, drawn at random (0: all)."""
    data = _read(str(reference("choices13k")))
    if 0 < rows < len(data):
        return data[np.sort(generator(seed, "rows").permutation(len(data))[:rows])]
    return data


@lru_cache(maxsize=1)
def _read(folder: str) -> Choices:
    return read_choices(folder)


def clear(data: Choices) -> Choices:
    """Problems of which everything was told: no hidden probabilities, and outcomes shown after each choice."""
    return data[data.feedback & ~data.ambiguous]


def rational(data: Choices) -> Array:
    """1 where B has the higher expected value, 0 where A has, a half where they are equal; shape (rows,)."""
    gap = data.b.expected - data.a.expected
    return np.where(np.abs(gap) < NEARLY, 0.5, (gap > 0).astype(float))


def spearman(columns: Array) -> Array:
    """Spearman's correlations of columns, shape (rows, k) to (k, k); 0 with a column that does not vary."""
    from scipy.stats import rankdata

    ranked = rankdata(columns, axis=0)
    centred = ranked - ranked.mean(0)
    length = np.sqrt((centred**2).sum(0))
    return centred.T @ centred / np.maximum(np.outer(length, length), 1e-12)


def correlations(
    columns: Mapping[str, Sequence[Array]], problem: NDArray[np.int64], resamples: int, seed: int
) -> Callable[[Callable[[Callable[[str, str], Array]], Array], str], Estimate]:
    """Correlations between columns, with a bootstrap over problems that is shared by all that is computed of them.

    Args:
        columns: by name, one array of shape (rows,) for each replication, or one alone for all.
        problem: the number of the problem of each row; rows of one problem are drawn together.
        resamples: how many.
        seed: of the resampling.

    Returns:
        A function that takes a statistic of correlations and its description: `lambda rho: rho("PT", "EV")`, where rho
        gives an array with one entry for the sample and one for each resample, means over the replications.
    """
    names = list(columns)
    replications = max(len(one) for one in columns.values())
    tables = [np.column_stack([one[min(r, len(one) - 1)] for one in columns.values()]) for r in range(replications)]
    numbers, place = np.unique(problem, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(numbers) + 1))
    rng = generator(seed, "problems")

    def drawn() -> NDArray[np.int64]:
        chosen = rng.integers(0, len(numbers), len(numbers))
        if len(numbers) == len(place):
            return order[chosen]
        return np.concatenate([order[starts[c] : starts[c + 1]] for c in chosen])

    samples = [np.arange(len(place)), *(drawn() for _ in range(resamples))]
    found = np.array([np.mean([spearman(table[rows]) for table in tables], 0) for rows in samples])

    def rho(one: str, other: str) -> Array:
        return found[:, names.index(one), names.index(other)]

    def estimate(statistic: Callable[[Callable[[str, str], Array]], Array], what: str) -> Estimate:
        values = statistic(rho)
        low, high = np.percentile(values[1:], [2.5, 97.5])
        method = f"{what}, percentile bootstrap of {resamples:,} over problems"
        return Estimate(float(values[0]), float(low), float(high), len(numbers), method)

    return estimate


def held_out(item: dict[str, Any], lab: Lab) -> list[list[float]]:
    """What a policy predicts for each clear problem by fits that have not seen it, for each seed; shape (seeds, rows)."""
    data = clear(people(item["rows"], lab.seed))
    name, make = item["policy"], POLICIES[item["policy"]]
    if make is None:
        one = rational(data) if name == MAXIMISER else np.full(len(data), 0.5)
        return [one.tolist()]
    return [
        cross_validated(make, data, item["folds"], derive(seed, "folds") % 2**32).predicted.round(6).tolist()
        for seed in lab.seeds(item["seeds"])
    ]


def sampled(chance: Array, count: Array, seed: int, name: str) -> Array:
    """Shares that chose B among `count` independent choices in each problem."""
    return generator(seed, "choices", name).binomial(count.astype(int), chance) / count


def tell_people(findings: Findings, data: Choices, resamples: int, seed: int) -> None:
    """How far people's choices go with expected value, beside what the whole file gave."""
    subsets = {
        "all rows": np.ones(len(data), bool),
        "clear, with feedback": data.feedback & ~data.ambiguous,
        "clear, without feedback": ~data.feedback & ~data.ambiguous,
    }
    for name, rows in subsets.items():
        part = data[rows]
        if len(part) < 3:
            continue
        estimate = correlations({HUMAN: [part.rate], RATIONAL: [rational(part)]}, part.problem, resamples, seed)
        found = estimate(lambda rho: rho(HUMAN, RATIONAL), "Spearman")
        value = WHOLE[name][0]
        whole = Reported(f"{value:g} in the whole file", "own measurement for the catalogue", value)
        label = "Correlation of people's rates with the choice of higher expected value"
        findings.estimate("rho_people_ev", found, label, arm=name, human=whole)
    part = clear(data)
    said = rational(part)
    decided = (said != 0.5) & (part.rate != 0.5)
    hits = int(((part.rate > 0.5) == (said > 0.5))[decided].sum())
    whole = Reported("77.7 % in the whole file", "own measurement for the catalogue", WHOLE["majority"][0])
    label = "Clear problems in which the majority chose the higher expected value (ties left out)"
    findings.estimate("majority", proportion(hits, int(decided.sum())), label, arm="majority", unit="%", human=whole)
    trials = part.rate * part.people * TRIES
    share = float(np.mean(np.abs(trials - np.round(trials)) < 1e-6))
    label = "Rows whose rate is a whole number of choices, five by each person"
    findings.estimate("whole_choices", Estimate.exact(share, len(part)), label, unit="%")
    findings.estimate("ties", Estimate.exact(float((said == 0.5).mean()), len(part)), "Equal expected values", unit="%")


def tell_policies(
    findings: Findings, data: Choices, predicted: Mapping[str, Sequence[Array]], resamples: int, seeds: Sequence[int]
) -> dict[str, tuple[Estimate, Estimate]]:
    """Correlations of each policy with people and with expected value; those of the chief count, by policy."""
    chief: dict[str, tuple[Estimate, Estimate]] = {}
    for how, described in COUNTED.items():
        count = data.people * (TRIES if how == "as often as people" else 1)
        columns: dict[str, Sequence[Array]] = {HUMAN: [data.rate], RATIONAL: [rational(data)]}
        for name, chances in predicted.items():
            if how == "probabilities":
                columns[name] = chances
            else:
                columns[name] = [
                    sampled(chances[min(r, len(chances) - 1)], count, seed, f"{name} {how}") for r, seed in enumerate(seeds)
                ]
        estimate = correlations(columns, data.problem, resamples, seeds[0])
        for name in predicted:
            arm = name if how == "as often as people" else f"{name}, {how}"
            found = measure(findings, estimate, name, arm, f"Spearman ({described})")
            if how == "as often as people":
                chief[name] = found
            if name == "PT":
                more = estimate(lambda rho: rho("PT", HUMAN) - rho(MAXIMISER, HUMAN), "difference of Spearman's")
                label = "Correlation with people: prospect theory minus the maximiser of expected value"
                findings.estimate("pt_minus_ev", more, label, arm=how)
        if how == "as often as people":
            found = estimate(lambda rho: rho(HUMAN, RATIONAL), "Spearman")
            findings.estimate("rho_ev", found, "Correlation with expected value", arm=HUMAN)
    return chief


def measure(findings: Findings, estimate: Any, name: str, arm: str, what: str) -> tuple[Estimate, Estimate]:
    """Add a policy's correlation with people and with expected value, and the gap G; the first two."""
    human = estimate(lambda rho: rho(name, HUMAN), what)
    value = estimate(lambda rho: rho(name, RATIONAL), what)
    gap = estimate(lambda rho: rho(name, RATIONAL) - rho(HUMAN, RATIONAL), what)
    findings.estimate("rho_people", human, "Correlation with people's rates", arm=arm)
    findings.estimate("rho_ev", value, "Correlation with expected value", arm=arm)
    findings.estimate("gap", gap, "Rationality gap G: that with expected value, minus people's own", arm=arm)
    return human, value
