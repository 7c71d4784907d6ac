"""Behaviour retrieval: estimates, tables and pictures from the parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ethogram.measures import Estimate, hierarchical_difference, hierarchical_mean, mean, paired_difference
from ethogram.studies import Findings, Reported
from ethogram.studies.imitation._behavior_retrieval import KINDS
from ethogram.studies.imitation._behavior_retrieval_goals import GOAL_ARMS

__all__ = ["BASELINES", "report"]

BASELINES = ("target only", "balanced", "prior only", "oracle", "states only", *GOAL_ARMS)
REPORTED = {
    "retrieval": Reported("0.72 (Square, one seed)", "the authors' logs, averaged in the catalogue", 0.72),
    "balanced": Reported("0.41 (Square, one seed)", "the authors' logs, averaged in the catalogue", 0.41),
}


def report(
    findings: Findings, tasks: Sequence[str], delta: float, deltas: Sequence[float], found: list[tuple[Any, Any]]
) -> None:
    """All findings.

    Args:
        findings: where to.
        tasks: the targets.
        delta: the threshold that was fixed beforehand.
        deltas: the others.
        found: item and result of each part.
    """
    parts = {task: [result for item, result in found if item["task"] == task] for task in tasks}
    curve = sorted({0.0, delta, *deltas})
    for task in tasks:
        for arm in ("retrieval", *BASELINES, *(f"delta {d:g}" for d in deltas if d != delta)):
            label = f"success in {task}, {arm}"
            findings.estimate(_key(task), hierarchical_mean(_successes(parts[task], arm)), label, arm=arm, unit="%")
        _retrieved(findings, task, parts[task])
    for arm in BASELINES:
        for task in (*tasks, "all"):
            of = tasks if task == "all" else (task,)
            ours, theirs = ([s for t in of for s in _successes(parts[t], name)] for name in ("retrieval", arm))
            gap = hierarchical_difference(ours, theirs, paired=True)
            findings.estimate(f"ahead-{_key(task)}", gap, f"success in {task}, retrieval minus {arm}", arm=arm, unit="%")
    for threshold in curve:
        scores = [s for t in tasks for s in _successes(parts[t], _arm_at(threshold, delta))]
        findings.estimate(
            "success-by-delta",
            hierarchical_mean(scores),
            "success over all tasks",
            arm=f"{threshold:g}",
            unit="%",
            paper=REPORTED.get({delta: "retrieval", 0.0: "balanced"}.get(threshold, "")),
        )
    if curve[-1] > delta:
        ours, strict = ([s for t in tasks for s in _successes(parts[t], _arm_at(d, delta))] for d in (delta, curve[-1]))
        findings.estimate(
            "ahead-of-strictest",
            hierarchical_difference(ours, strict, paired=True),
            f"success over all tasks, threshold {delta:g} minus {curve[-1]:g}",
            unit="%",
        )
    _tables(findings, tasks, parts)
    _arms_picture(findings, tasks)
    _delta_picture(findings, tasks, parts, curve, delta)


def _key(task: str) -> str:
    return task.replace("_", "-")


def _arm_at(threshold: float, delta: float) -> str:
    return "retrieval" if threshold == delta else "balanced" if threshold == 0 else f"delta {threshold:g}"


def _successes(results: Sequence[Any], arm: str) -> list[list[int]]:
    return [result["arms"][arm]["successes"] for result in results]


def precision(result: Any, arm: str) -> float:
    """Share of the kept prior pairs that come from the useful source; the base rate where nothing is kept."""
    kept = result["arms"][arm]["kept"]
    return kept[0] / sum(kept) if sum(kept) else result["base"]


def _retrieved(findings: Findings, task: str, results: Sequence[Any]) -> None:
    """Precision and enrichment of what was kept, and what of the useful pairs was."""
    shares = {arm: [precision(r, arm) for r in results] for arm in ("retrieval", "states only")}
    label = f"share of kept pairs that are useful, {task}"
    for arm, values in shares.items():
        findings.estimate(f"precision-{_key(task)}", mean(values), label, arm=arm, unit="%")
    enrichment = mean([p / r["base"] for p, r in zip(shares["retrieval"], results, strict=True)])
    findings.estimate(f"enrichment-{_key(task)}", enrichment, f"times the base rate of useful pairs, {task}")
    gap = paired_difference(shares["retrieval"], shares["states only"])
    findings.estimate(f"precision-gain-{_key(task)}", gap, f"precision with actions minus without, {task}", unit="%")


def _tables(findings: Findings, tasks: Sequence[str], parts: dict[str, list[Any]]) -> None:
    import polars as pl

    rows = [
        {
            "task": task,
            "seed": i,
            "arm": arm,
            "success": float(np.mean(of["successes"])),
            **{f"kept: {kind}": n for kind, n in zip(KINDS, of["kept"], strict=True)},
        }
        for task in tasks
        for i, result in enumerate(parts[task])
        for arm, of in result["arms"].items()
    ]
    findings.table("arms", pl.DataFrame(rows), "What each arm kept of the prior (pairs by their source), and its success.")


def _arms_picture(findings: Findings, tasks: Sequence[str]) -> None:
    from ethogram.studies.drawing import SERIES, canvas

    figure, axes = canvas(7.5, 3.6, len(tasks))
    arms = ("retrieval", "balanced", *GOAL_ARMS, "target only", "states only", "prior only", "oracle")
    for task, axis in zip(tasks, axes, strict=True):
        for row, arm in enumerate(arms):
            e = findings.get(_key(task), arm)
            _dot(axis, e, row, SERIES[1] if arm == "retrieval" else SERIES[5] if arm == "oracle" else SERIES[0])
        axis.set(title=task, xlim=(-3, 103), ylim=(len(arms) - 0.5, -0.5), xlabel="success, %", yticks=range(len(arms)))
        axis.set_yticklabels(arms if axis is axes[0] else [])
    findings.figure(
        "arms",
        figure,
        "Success of policies fitted to the same few demonstrations with different use of the prior; 95 % intervals over "
        "seeds and rollouts. gc-bc is told a goal, and tuned on the demonstrations or not; the oracle knows which of the "
        "prior is useful.",
    )


def _dot(axis: Any, e: Estimate, row: float, colour: str) -> None:
    if e.bounded:
        axis.plot([100 * e.low, 100 * e.high], [row, row], color=colour)
    axis.plot(100 * e.value, row, "o", color=colour)


def _delta_picture(
    findings: Findings, tasks: Sequence[str], parts: dict[str, list[Any]], curve: Sequence[float], delta: float
) -> None:
    from ethogram.studies.drawing import SERIES, canvas

    figure, (left, right) = canvas(7.5, 3.2, 2)
    at = range(len(curve))
    for i, task in enumerate(tasks):
        success = [100 * np.mean(_successes(parts[task], _arm_at(d, delta))) for d in curve]
        useful = [100 * np.mean([precision(r, _arm_at(d, delta)) for r in parts[task]]) for d in curve]
        left.plot(at, success, "o-", color=SERIES[i], label=task, lw=1.2, ms=4)
        right.plot(at, useful, "o-", color=SERIES[i], label=task, lw=1.2, ms=4)
    pooled = [findings.get("success-by-delta", f"{d:g}") for d in curve]
    left.plot(at, [100 * e.value for e in pooled], "k-", label="all")
    if all(e.bounded for e in pooled):
        left.fill_between(
            at, [100 * e.low for e in pooled], [100 * e.high for e in pooled], color="#888888", alpha=0.25, lw=0
        )
    for axis, label in ((left, "success, %"), (right, "useful among the kept, %")):
        axis.set(xlabel="least similarity kept", ylabel=label, ylim=(-3, 103), xticks=at)
        axis.set_xticklabels([f"{d:g}" for d in curve])
    left.legend(fontsize=8, frameon=False)
    findings.figure(
        "delta",
        figure,
        "Success and the share of useful pairs, by the similarity from which on pairs of the prior are kept; 0 keeps all. "
        f"Shaded: 95 % interval over all tasks. {delta:g} was fixed beforehand.",
    )
