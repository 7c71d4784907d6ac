"""What `spectrum` finds, as estimates, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures import Estimate, hierarchical_mean, mean, paired_difference
from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.people import _spectrum_bfi as real
from ethogram.studies.people import _spectrum_people as planted
from ethogram.studies.people._spectrum_judge import SURROGATE, YES_SAYER
from ethogram.studies.people._spectrum_retrieval import MASKED, MIXES, SHUFFLED, VIEWS, chance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GAIN", "PAIRS", "draw_judges", "level_share", "tell_asked", "tell_judge", "tell_real", "tell_retrieval", "who"]

PAIRS = (("C", "S"), ("C", "P"), ("SPC", "C"), ("SC", "C"), ("PC", "C"), ("SPC", "SC"), ("C", MASKED))
"""Views that are compared, as first minus second."""
GAIN = 3.0
"""How many times what S gains over the mean P must gain, to count as much more."""


def who(judge: str) -> str:
    """How a judge is called in arms."""
    return {SURROGATE: "surrogate", YES_SAYER: "yes-sayer"}.get(judge, f"model: {judge}")


def tell_retrieval(findings: Findings, results: Sequence[Mapping[str, Any]], count: int, seed: int) -> None:
    """How well statements are matched to people; seeds are populations.

    Args:
        findings: where to.
        results: of `retrieved`, one a population.
        count: people in each.
        seed: of the resampling.
    """
    labels = {
        "mrr": ("sheet", "Mean reciprocal rank of the person whose twenty statements they are"),
        "top1": ("first", "Twenty statements whose person is first"),
        "mrr_single": ("single", "Mean reciprocal rank, by one statement"),
    }
    for view in VIEWS:
        for name, (key, label) in labels.items():
            found = hierarchical_mean([one[view][key] for one in results], seed=seed)
            findings.estimate(name, found, label, arm=view, unit="%" if name == "top1" else "")
    for a, b in PAIRS:
        gaps = [np.subtract(one[a]["sheet"], one[b]["sheet"]) for one in results]
        label = "Difference of mean reciprocal ranks, pairs of the same person"
        findings.estimate("mrr_gain", hierarchical_mean(gaps, seed=seed), label, arm=f"{a} - {b}")
    level = chance(count)
    excess = [np.array(one[SHUFFLED]["sheet"]) - level for one in results]
    label = f"Mean reciprocal rank above chance ({level:.3f}), described by somebody else's life"
    findings.estimate("above_chance", hierarchical_mean(excess, seed=seed), label, arm=SHUFFLED)
    for name, scored in (("traits", list(planted.SCORED)), ("values", [])):
        keys = scored or [key for key in results[0]["recovered"] if key not in planted.SCORED]
        each = [float(np.mean([one["recovered"][key] for key in keys])) for one in results]
        findings.estimate("recovered", mean(each), "Correlation of planted latents with scores, mean", arm=name)
    shares = [level_share(one) for one in results]
    label = "Share of life in what people say from which C finds them better than S and P"
    findings.estimate("level_share", mean(shares), label, unit="%")
    _tables(findings, results)
    _pictures(findings, results, level)


def level_share(result: Mapping[str, Any]) -> float:
    """The share of life among statements above which C is ahead of S and P, between `MIXES` along a line; 1: never."""
    lead = np.subtract(result["C"]["mixed"], np.maximum(result["S"]["mixed"], result["P"]["mixed"]))
    behind = np.flatnonzero(lead <= 0)
    if not len(behind):
        return 0.0
    last = int(behind[-1])
    if last == len(MIXES) - 1:
        return 1.0
    step = MIXES[last + 1] - MIXES[last]
    return float(MIXES[last] + step * -lead[last] / (lead[last + 1] - lead[last]))


def _tables(findings: Findings, results: Sequence[Mapping[str, Any]]) -> None:
    import polars as pl

    rows = [{"description": v, **{k: _mean(results, v, "kinds", k) for k in planted.KINDS}} for v in VIEWS]
    findings.table("kinds", pl.DataFrame(rows), "Mean reciprocal rank of single statements, by what they are about.")


def _mean(results: Sequence[Mapping[str, Any]], view: str, key: str, inner: Any) -> float:
    return float(np.mean([one[view][key][inner] for one in results]))


def _pictures(findings: Findings, results: Sequence[Mapping[str, Any]], level: float) -> None:
    figure, (left, right) = canvas(7.5, 3.8, columns=2)
    places = np.arange(len(VIEWS))[::-1]
    for place, view in zip(places, VIEWS, strict=True):
        _bar(left, place, findings.get("mrr", view), SERIES[0])
    left.axvline(level, color="#777777", linestyle="--", linewidth=1)
    left.set_yticks(places, VIEWS)
    left.set_xlim(0, 1)
    left.set_xlabel("mean reciprocal rank")
    left.grid(axis="y", visible=False)
    for i, view in enumerate(("S", "P", "C", "SPC")):
        curve = np.mean([one[view]["mixed"] for one in results], axis=0)
        right.plot(MIXES, curve, marker="o", markersize=3.5, color=SERIES[i], label=view)
    right.axhline(level, color="#777777", linestyle="--", linewidth=1)
    right.set_ylim(0, 1)
    right.set_xlabel("share of life in the statements")
    right.legend(frameon=False, fontsize=8)
    findings.figure(
        "retrieval",
        figure,
        "How well twenty statements are matched to the person who makes them, by what descriptions consist of (left, "
        "with 95 % "
        "intervals over populations), and if a person's life had another share in what it says (right). Dashed: chance.",
    )


def _bar(axes: Any, place: float, found: Estimate, colour: str) -> None:
    axes.plot([found.low, found.high], [place, place], color=colour, linewidth=1.6)
    axes.plot(found.value, place, "o", color=colour, markersize=5)


def tell_real(findings: Findings, results: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """How well half of the items of real people are predicted.

    Args:
        findings: where to.
        results: of `accuracies`, one a split into halves; people are the same in all.
    """
    each = {arm: np.mean([one[arm] for one in results], axis=0) for arm in real.ARMS}
    for arm in real.ARMS:
        label = "Accuracy of the held-out half of the items: 1 - mean absolute error / range"
        findings.estimate("accuracy", mean(each[arm]), label, arm=arm, unit="%")
    for a, b in (("S", "mean"), ("P", "mean"), ("P", "S"), ("SP", "P"), ("P of another", "mean")):
        label = "Difference of accuracies, pairs of the same person"
        findings.estimate("accuracy_gain", paired_difference(each[a], each[b]), label, arm=f"{a} - {b}", unit="%")
    more = (each["P"] - each["mean"]) - GAIN * (each["S"] - each["mean"])
    label = f"What P gains over the mean less {GAIN:g} times what S gains"
    findings.estimate("p_over_s", mean(more), label, unit="%")
    findings.figure(
        "real-people",
        _real_picture(findings),
        f"Half of the 25 items of {len(each['P']):,} real people, predicted from means, from gender, age and "
        "education (S), from "
        "the other half of the items (P), from both, and from the other half of somebody else. 95 % intervals over people.",
    )


def _real_picture(findings: Findings) -> Figure:
    figure, (axes,) = canvas(7.5, 2.4)
    places = np.arange(len(real.ARMS))[::-1]
    for place, arm in zip(places, real.ARMS, strict=True):
        _bar(axes, place, findings.get("accuracy", arm), SERIES[0])
    axes.set_yticks(places, real.ARMS)
    axes.set_xlabel("accuracy of held-out items")
    axes.grid(axis="y", visible=False)
    return figure


def tell_judge(findings: Findings, judge: str, view: str, people: Sequence[Mapping[str, Sequence[float]]]) -> None:
    """What a judge accepts as the people that it plays.

    Args:
        findings: where to.
        judge: who judges.
        view: how people are described to it.
        people: of `accepted`, of all populations.
    """
    arm = f"{who(judge)}, {view}"
    own, others = (np.array([np.mean(one[whose]) for one in people]) for whose in ("own", "others"))
    share = np.array([np.mean(np.array(one["own"]) > 0.5) for one in people])
    findings.estimate("accepts_own", mean(own), "Probability of accepting a person's own statements", arm=arm, unit="%")
    findings.estimate(
        "accepts_others", mean(others), "Probability of accepting other people's statements", arm=arm, unit="%"
    )
    label = "Own statements more likely accepted than others', pairs of the same person"
    findings.estimate("tells_apart", paired_difference(own, others), label, arm=arm, unit="%")
    findings.estimate("accepted_share", mean(share), "Own statements accepted rather than not", arm=arm, unit="%")


def draw_judges(findings: Findings) -> None:
    """How likely judges are to accept own and others' statements, by what they are told: a panel for each judge."""
    arms = [m.arm for m in findings.measured if m.name == "tells_apart" and not m.arm.startswith(who(YES_SAYER))]
    panels = list(dict.fromkeys(arm.rsplit(", ", 1)[0] for arm in arms))
    figure, several = canvas(7.5, 3.4, columns=len(panels))
    for axes, judge in zip(several, panels, strict=True):
        views = [arm.rsplit(", ", 1)[1] for arm in arms if arm.rsplit(", ", 1)[0] == judge]
        places = np.arange(len(views))[::-1]
        for i, (name, label) in enumerate((("accepts_own", "own"), ("accepts_others", "others'"))):
            for place, view in zip(places, views, strict=True):
                _bar(axes, place, findings.get(name, f"{judge}, {view}"), SERIES[i])
            axes.plot([], [], "o", color=SERIES[i], label=label)
        axes.set_yticks(places, views)
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability of accepting")
        axes.set_title(judge, fontsize=9)
        axes.grid(axis="y", visible=False)
    several[0].legend(frameon=False, fontsize=8, loc="lower right")
    findings.figure(
        "judges",
        figure,
        "How likely a judge is to accept a person's own statements and those of others, by what it is told of it. What "
        "counts is the distance of the two.",
    )


def tell_asked(findings: Findings, player: str, people: Sequence[Mapping[str, float]]) -> None:
    """How well a model answers as real people.

    Args:
        findings: where to.
        player: the model.
        people: of `answers_as`.
    """
    each = {arm: np.array([one[arm] for one in people]) for arm in people[0]}
    for arm, values in each.items():
        label = "Accuracy of a model's answers as real people: 1 - mean absolute error / range"
        findings.estimate("asked_accuracy", mean(values), label, arm=f"{who(player)}, {arm}", unit="%")
    for a, b in (("P", "S"), ("SP", "P"), ("P", "mean")):
        label = "Difference of accuracies of a model's answers, pairs of the same person"
        gap = paired_difference(each[a], each[b])
        findings.estimate("asked_gain", gap, label, arm=f"{who(player)}, {a} - {b}", unit="%")
