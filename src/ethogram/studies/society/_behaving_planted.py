"""Simulated experiments with known effects: does the machinery find what is there as often as it says, and no more?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ethogram.experiments import Contrast, Experiment, Factor, difference, interaction, trend
from ethogram.experiments.analysis import effect_of
from ethogram.experiments.layouts import Layout
from ethogram.measures import linear
from ethogram.seeds import derive, generator
from ethogram.studies import Lab

__all__ = ["PLANS", "Plan", "exact_share", "families", "predicted", "repeated", "simulated"]

RESAMPLES = 499
PERSONA, DOSE = Factor("persona", ["a", "b"]), Factor("dose", [0, 1, 2], within=True)
TOWN = Factor("town", [0, 1, 2], nuisance=True)


def draw(assignment: dict[str, Any], seed: int) -> float:
    """What a unit has of its own, and luck: standard normal both, so that two measurements correlate by 0.5."""
    return float(generator(assignment["unit"], "own").normal() + generator(seed, str(assignment.get("dose"))).normal())


def between(assignment: dict[str, Any], seed: int) -> float:
    """0.9 for persona b; towns differ by 2, which blocks take out."""
    return draw(assignment, seed) + 0.9 * (assignment["persona"] == "b") + 2.0 * assignment.get("town", 0)


def doses(assignment: dict[str, Any], seed: int) -> float:
    """0.5 a unit of dose."""
    return draw(assignment, seed) + 0.5 * assignment["dose"]


def null(assignment: dict[str, Any], seed: int) -> float:
    """Nothing but what units have of their own, towns and luck."""
    return draw(assignment, seed) + 2.0 * assignment.get("town", 0)


def yes(assignment: dict[str, Any], seed: int) -> float:
    """Yes or no: with probability 0.6 for persona b, else 0.3."""
    return float(generator(seed, "yes").random() < (0.6 if assignment["persona"] == "b" else 0.3))


def any_yes(assignment: dict[str, Any], seed: int) -> float:
    """Yes with probability 0.45, whatever the persona."""
    return float(generator(seed, "yes").random() < 0.45)


class Plan(NamedTuple):
    """A design to be simulated."""

    factors: tuple[Factor, ...]
    contrast: Contrast
    units: int
    repeats: int
    law: Any
    null: Any
    effect: float
    sd: float
    """Of one measurement, for the formula; 0 where the outcome is yes or no."""
    correlation: float


PLANS = {
    "between units": Plan((PERSONA,), difference("persona"), 24, 2, between, null, 0.9, 2**0.5, 0.5),
    "in blocks": Plan((PERSONA, TOWN), difference("persona"), 10, 1, between, null, 0.9, 2**0.5, 0.5),
    "dose within units": Plan((DOSE,), trend("dose"), 16, 1, doses, null, 0.5, 2**0.5, 0.5),
    "yes or no": Plan((PERSONA,), difference("persona"), 44, 1, yes, any_yes, 0.3, 0.0, 0.0),
}


def experiment(name: str) -> Experiment:
    """The experiment of a plan."""
    plan = PLANS[name]
    return Experiment(name, plan.law, plan.factors, [plan.contrast], plan.units, repeats=plan.repeats, resamples=RESAMPLES)


def predicted(name: str, planted: bool) -> float:
    """How often a plan should detect: by the noncentral t, by its alpha; of yes and no, by counting all tables."""
    plan = PLANS[name]
    if not plan.sd:
        return exact_share(plan.units, *((0.6, 0.3) if planted else (0.45, 0.45)))
    if not planted:
        return experiment(name).alpha
    return experiment(name).power(plan.contrast, effect=plan.effect, sd=plan.sd, correlation=plan.correlation)


def exact_share(n: int, p: float, q: float, alpha: float = 0.05) -> float:
    """How often a permutation test of two shares detects, n units each with probabilities p and q of a yes.

    With as many units in both, the permutation distribution of t given all yeses is that of Fisher's exact test.
    """
    k = np.arange(n + 1)
    ways = np.array([math.comb(n, one) for one in k], float)
    one, two = (ways * rate**k * (1 - rate) ** (n - k) for rate in (p, q))
    total = 0.0
    for a in k:
        for b in k:
            low = max(0, a + b - n)
            others = np.arange(low, min(n, a + b) + 1)
            chances = ways[others] * ways[a + b - others]
            extreme = np.abs(2 * others - a - b) >= abs(a - b)
            if chances[extreme].sum() / chances.sum() <= alpha * (1 + 1e-9):
                total += one[a] * two[b]
    return float(total)


def simulated(item: dict[str, Any], lab: Lab) -> int:
    """How many of `runs` experiments of a plan detect, with its effect (`planted`) or without."""
    plan = PLANS[item["plan"]]
    law = plan.law if item["planted"] else plan.null
    return int(experiment(item["plan"]).simulated(law, item["runs"], derive(lab.seed, "planted", item["part"])).sum())


def mixed(assignment: dict[str, Any], seed: int) -> float:
    """Persona b and dose have effects, their interaction has none."""
    return between(assignment, seed) + 0.6 * assignment["dose"]


def families(item: dict[str, Any], lab: Lab) -> list[list[bool]]:
    """Which of three contrasts (persona, dose, interaction) each experiment detects, corrected by Holm or by BH."""
    family = [difference("persona"), trend("dose"), interaction("persona", "dose")]
    law = null if item["correction"] == "holm" else mixed
    one = Experiment("family", law, [PERSONA, DOSE], family, 12, resamples=RESAMPLES, correction=item["correction"])
    return one.simulated(law, item["runs"], derive(lab.seed, "family", item["part"])).tolist()


def repeated(item: dict[str, Any], lab: Lab) -> dict[str, int]:
    """False alarms where eight measurements of each of 24 units are taken for 192 units, and where they are not.

    `naive`: least squares over all measurements; `clustered`: the same with intervals robust to clusters; `units`: the
    analysis of experiments, a score a unit.
    """
    layout = Layout((PERSONA,), units=12, repeats=8, seed=derive(lab.seed, "repeated"))
    arm = np.repeat(layout.cell_of, layout.repeats)
    design = np.column_stack([np.ones(arm.size), arm])
    unit = np.repeat(np.arange(layout.n), layout.repeats)
    counts: dict[str, int] = dict.fromkeys(("naive", "clustered", "units"), 0)
    for i in range(item["runs"]):
        rng = generator(lab.seed, "repeated", item["part"], i)
        y = rng.normal(size=(layout.n, 1, 1, 1)) + rng.normal(size=layout.shape)
        for how, groups in (("naive", None), ("clustered", unit)):
            gap = linear(design, y.ravel(), groups)["x1"]
            counts[how] += gap.above or gap.below
        tested = effect_of(difference("persona"), layout, y, test="permutation", alpha=0.05, resamples=RESAMPLES, seed=i)
        counts["units"] += tested.p <= 0.05
    return counts
