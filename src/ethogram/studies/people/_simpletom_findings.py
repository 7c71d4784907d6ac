"""What `simpletom` finds: accuracies and sensitivities by tier, gaps between them, and what a reminder does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ethogram.measures import Estimate, bootstrap, mean
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.people._simpletom_stories import SCENARIOS, TIERS, question, stories

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["APPLIED", "d_prime", "generated", "measured", "picture", "tabulated"]

Array = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
APPLIED = TIERS[1:]
PAPER = {
    "behaviour": Reported("GPT-4o 49.5 %, with interventions 93.5 %", "abstract; stories without twins", 0.495),
    "judgement": Reported("GPT-4o 15.3 %, with interventions 94.7 %", "abstract; stories without twins", 0.153),
}


def d_prime(counts: NDArray[Any]) -> Array:
    """Sensitivity z(hits) - z(false alarms) from counts, with Hautus's (1995) log-linear correction.

    Args:
        counts: shape (..., 4): hits (the aware twin is answered as aware), aware twins, false alarms (the unaware twin is
            answered as aware), unaware twins.

    Returns:
        Shape (...): 0 for whoever answers both twins alike.
    """
    from scipy.special import ndtri

    hits, aware, alarms, unaware = np.moveaxis(np.asarray(counts, float), -1, 0)
    return ndtri((hits + 0.5) / (aware + 1)) - ndtri((alarms + 0.5) / (unaware + 1))


def right(row: Mapping[str, Any]) -> float:
    """Whether the likelier option is the right one (temperature 0, as in the paper); a half where neither is likelier."""
    return 0.5 + 0.5 * float(np.sign(round(row["right"] - 0.5, 9)))


def generated(findings: Findings) -> None:
    """What the generator yields, counted."""
    every = stories()
    texts = {story.text(aware) for story in every for aware in (False, True)}
    opposite = [question(s, True, t).right != question(s, False, t).right for s in every for t in TIERS]
    findings.estimate("stories", Estimate.exact(len(every)), "Stories, each with an aware twin")
    findings.estimate("scenarios", Estimate.exact(len({s.scenario for s in every})), "Scenarios")
    findings.estimate("texts", Estimate.exact(len(texts)), "Different texts, twins included")
    share = Estimate.exact(float(np.mean(opposite)), len(opposite))
    findings.estimate("opposite", share, "Questions to which the twins have opposite answers", unit="%")


def measured(findings: Findings, arm: str, clusters: Sequence[Rows], paper: bool = False) -> None:
    """All measures of one answerer.

    Args:
        findings: to which they are added.
        arm: its name.
        clusters: its rows, apart by what intervals are taken over: tunings, or scenarios where there is one answerer.
        paper: whether to set the paper's figures beside it.
    """

    def accuracy(tier: str, reminded: bool = False, aware: bool | None = None, severe: bool | None = None) -> Array:
        return np.array([_mean(rows, tier, reminded, aware, severe) for rows in clusters])

    explicit = accuracy("awareness")
    applied = np.mean([accuracy(tier) for tier in APPLIED], 0)
    helped = np.mean([accuracy(tier, True) for tier in APPLIED], 0)
    for tier in TIERS:
        label = f"Right: {tier}"
        findings.estimate(tier, mean(accuracy(tier)), f"{label}, both twins", arm=arm, unit="%")
        for aware, twin in ((False, "unaware"), (True, "aware")):
            beside = PAPER.get(tier) if paper and not aware else None
            found = mean(accuracy(tier, aware=aware))
            findings.estimate(f"{tier}_{twin}", found, f"{label}, {twin} twin", arm=arm, unit="%", paper=beside)
        if tier in APPLIED:
            found = mean(accuracy(tier, True))
            findings.estimate(f"{tier}_reminded", found, f"{label}, reminded of its own explicit answer", arm=arm, unit="%")
        findings.estimate(f"d_{tier}", _sensitivity(clusters, (tier,), ()), f"d' on {tier}", arm=arm)
    findings.estimate("gap", mean(explicit - applied), "Explicit minus applied accuracy", arm=arm, unit="%")
    findings.estimate("gap_reminded", mean(explicit - helped), "The same with the reminder", arm=arm, unit="%")
    findings.estimate("reminder", mean(helped - applied), "What the reminder adds to applied accuracy", arm=arm, unit="%")
    steps = accuracy("behaviour") - accuracy("judgement")
    findings.estimate("behaviour_minus_judgement", mean(steps), "Behaviour minus judgement accuracy", arm=arm, unit="%")
    findings.estimate("d_gap", _sensitivity(clusters, ("awareness",), APPLIED), "d' explicit minus d' applied", arm=arm)
    original = accuracy("awareness", aware=False) - np.mean([accuracy(t, aware=False) for t in APPLIED], 0)
    findings.estimate("original_gap", mean(original), "The gap as it were without twins", arm=arm, unit="%")
    harsh, slight = (np.mean([accuracy(t, severe=s) for t in APPLIED], 0) for s in (True, False))
    both = np.isfinite(harsh) & np.isfinite(slight)  # a scenario of few stories may lack one kind
    if both.any():
        found = mean((harsh - slight)[both])
        findings.estimate("severity", found, "Applied accuracy, severe minus mild faults", arm=arm, unit="%")


def _mean(rows: Rows, tier: str, reminded: bool, aware: bool | None, severe: bool | None) -> float:
    chosen = [
        right(row)
        for row in rows
        if row["tier"] == tier
        and row["reminded"] == reminded
        and aware in (None, row["aware"])
        and severe in (None, row["severe"])
    ]
    return float(np.mean(chosen)) if chosen else float("nan")


def _counts(rows: Rows, tier: str) -> list[float]:
    plain = [row for row in rows if row["tier"] == tier and not row["reminded"]]
    hits = [right(row) for row in plain if row["aware"]]
    alarms = [1 - right(row) for row in plain if not row["aware"]]
    return [sum(hits), len(hits), sum(alarms), len(alarms)]


def _sensitivity(clusters: Sequence[Rows], first: Sequence[str], second: Sequence[str]) -> Estimate:
    """Mean d' over the first tiers minus that over the second; counts are pooled, intervals drawn over clusters."""
    counts = np.array([[_counts(rows, tier) for rows in clusters] for tier in (*first, *second)])

    def statistic(drawn: Array, axis: int = -1) -> Any:
        pooled = counts[:, drawn.astype(int)].sum(-2)  # (tiers, ..., 4)
        found = d_prime(pooled)
        return found[: len(first)].mean(0) - (found[len(first) :].mean(0) if second else 0.0)

    return bootstrap(np.arange(len(clusters)), statistic, "percentile", resamples=2000, what="d'")


def tabulated(findings: Findings, arms: Mapping[str, Rows]) -> None:
    """Accuracy by answerer, scenario and tier."""
    lines = []
    for arm, rows in arms.items():
        for scenario in SCENARIOS:
            own = [row for row in rows if row["scenario"] == scenario]
            if own:
                line = {tier: _mean(own, tier, False, None, None) for tier in TIERS}
                helped = {f"{tier}, reminded": _mean(own, tier, True, None, None) for tier in APPLIED}
                lines.append({"answerer": arm, "scenario": scenario, **line, **helped})
    findings.table("scenarios", pl.DataFrame(lines), "Share of right answers by answerer and scenario, both twins.")


def picture(findings: Findings, arms: Sequence[str]) -> Figure:
    """Accuracy on each tier, both twins, without and with the reminder, for several answerers."""
    figure, (axes,) = canvas(7.5, 3.8)
    bars = [("awareness", "aware?"), ("behaviour", "what next?"), ("judgement", "reasonable?")]
    bars += [("behaviour_reminded", "what next?, reminded"), ("judgement_reminded", "reasonable?, reminded")]
    colours = (SERIES[0], SERIES[1], SERIES[2], SERIES[1], SERIES[2])
    for i, ((name, label), colour) in enumerate(zip(bars, colours, strict=True)):
        found = [findings.get(name, arm) for arm in arms]
        at = np.arange(len(arms)) + 0.16 * (i - 2)
        faint = 0.45 if "reminded" in name else 1.0
        axes.bar(at, [e.value for e in found], 0.14, color=colour, alpha=faint, label=label)
        for x, e in zip(at, found, strict=True):
            if e.bounded:
                axes.plot([x, x], [max(e.low, 0), min(e.high, 1)], color="#333333", linewidth=1)
    axes.axhline(0.5, color="#777777", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(arms)), arms)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("right, both twins")
    axes.legend(fontsize=8.5, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return figure
