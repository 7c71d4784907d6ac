"""What `fps-fake-news` finds: from its parts to estimates, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.measures.contagion import fit_sis
from ethogram.measures.logistic import logistic
from ethogram.seeds import generator
from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas

__all__ = ["EARLY", "ablated", "frontier", "recovery", "trait"]

EARLY = (1, 3)
"""The schedule of the paper: from the first day, every third day."""
SHUFFLES, RESAMPLES = 200, 2000


def recovery(findings: Findings, rates: Sequence[tuple[float, float]], people: int, parts: Sequence[Sequence[Any]]) -> None:
    """The fitted rates relative to the law's, and what the released order of speaking does to them."""
    errors, inflated = [], []
    for (beta, gamma), runs in zip(rates, parts, strict=True):
        arm = f"beta {beta}, gamma {gamma}"
        true = {"beta": beta * people / (people - 1), "gamma": gamma}
        fitted = {
            order: fit_sis([run[order] for run in runs], people)._asdict() for order in ("synchronous", "asynchronous")
        }
        for name, value in true.items():
            for order, found in fitted.items():
                words = f"Fitted {name} over the law's own, {order} order"
                ratio = _scaled(found[name], 1 / value)
                findings.estimate(f"sis_{name}_{order}", ratio, words, arm=arm)
                if order == "synchronous":
                    errors.append(abs(ratio.value - 1))
        early = [(np.array(run["asynchronous"]) - np.array(run["synchronous"]))[2] / people for run in runs]
        findings.estimate(
            "leak_early", mean(early), "Believers after two days, asynchronous minus synchronous", arm=arm, unit="%"
        )
        inflated += early
    findings.estimate("sis_worst", Estimate.exact(max(errors), len(errors), "largest of all"), "Largest relative error")
    findings.estimate("leak_all", mean(inflated), "Believers after two days, asynchronous minus synchronous", unit="%")
    figure, (axes,) = canvas()
    days = np.arange(len(parts[0][0]["synchronous"]))
    for k, order in enumerate(("synchronous", "asynchronous")):
        curves = np.array([run[order] for run in parts[0]]) / people
        axes.plot(days, curves.mean(0), color=SERIES[k], label=f"{order} order")
        axes.fill_between(days, *np.quantile(curves, [0.1, 0.9], axis=0), color=SERIES[k], alpha=0.15, linewidth=0)
    axes.set_xlabel("day")
    axes.set_ylabel("share of believers")
    axes.legend()
    caption = (
        f"The SIS law (beta {rates[0][0]}, gamma {rates[0][1]}) among {people} people, played in both orders with the same "
        "luck: means, and where eight of ten runs lie. Where people read whoever has spoken today, belief spreads sooner."
    )
    findings.figure("orders", figure, caption)


def _scaled(estimate: Estimate, by: float) -> Estimate:
    return estimate._replace(value=estimate.value * by, low=estimate.low * by, high=estimate.high * by)


def trait(findings: Findings, runs: Sequence[Mapping[str, Any]], seed: int) -> None:
    """The logistic slope of ever believing on credulity, and the same with credulity shuffled within each run.

    Credulity is taken from its mean in the run: shuffling leaves that mean where it is, and runs of credulous people do have
    more believers, so that otherwise a shuffle would keep a part of the effect.
    """
    kept = [np.flatnonzero(~np.array(run["first"])) for run in runs]  # the first believers did not have to be won
    traits = [np.array(run["credulity"])[rows] for run, rows in zip(runs, kept, strict=True)]
    traits = [values - values.mean() for values in traits]
    ever = np.concatenate([np.array(run["ever"], float)[rows] for run, rows in zip(runs, kept, strict=True)])
    groups = np.repeat(np.arange(len(runs)), [len(rows) for rows in kept])

    def slope(values: Sequence[np.ndarray[Any, Any]]) -> Estimate:
        x = np.concatenate(values)
        return logistic(np.stack([np.ones_like(x), x], 1), ever, groups, names=["one", "slope"])["slope"]

    found = findings.estimate("trait_slope", slope(traits), "Log-odds of ever believing, a unit of credulity within a run")
    rng = generator(seed, "shuffles")
    shuffled = [slope([rng.permutation(values) for values in traits]) for _ in range(SHUFFLES)]
    wrong = sum(one.above or one.below for one in shuffled)
    findings.estimate(
        "trait_shuffled", Estimate.exact(wrong / SHUFFLES, SHUFFLES), "Shuffles whose interval excludes zero", unit="%"
    )
    widest = max(abs(one.value) for one in shuffled)
    beyond = found._replace(value=found.value - widest, low=found.low - widest, high=found.high - widest)
    findings.estimate("trait_beyond", beyond, f"The slope, less the largest of {SHUFFLES} shuffles")


def ablated(findings: Findings, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Belief-days and the peak of each ablation, and the paired difference to the full law."""
    days = {arm: [sum(run["curve"][1:]) for run in found] for arm, found in runs.items()}
    for arm, found in runs.items():
        n = len(found[0]["first"])
        findings.estimate("belief_days", mean(days[arm]), "Days of belief, all people added up", arm=arm)
        findings.estimate("peak", mean([max(r["curve"]) / n for r in found]), "Most who believe on a day", arm=arm, unit="%")
        findings.estimate("final", mean([r["curve"][-1] / n for r in found]), "Who believe at the end", arm=arm, unit="%")
        if arm != "full":
            change = paired_difference(days[arm], days["full"])
            findings.estimate("belief_days_change", change, "Days of belief, minus those with the full law", arm=arm)
    figure, (axes,) = canvas()
    for k, (arm, found) in enumerate(runs.items()):
        axes.plot(np.mean([run["curve"] for run in found], 0) / len(found[0]["first"]), color=SERIES[k], label=arm)
    axes.set_xlabel("day")
    axes.set_ylabel("share of believers")
    axes.legend(fontsize=9)
    caption = (
        "Belief over time with the coded surrogate, whole and with one part of its law left out: means over paired seeds."
    )
    findings.figure("ablations", figure, caption)


def frontier(findings: Findings, schedules: Sequence[tuple[int, int]], parts: Sequence[Any], seed: int) -> None:
    """Statements against belief-days averted, for each schedule; which schedules no other beats in both.

    Args:
        findings: to add to.
        schedules: (start, period); the first is none at all.
        parts: a replication each: for each schedule (statements, belief-days).
        seed: of the resampling.
    """
    import polars as pl

    results = np.array(parts, float)  # (seeds, schedules, 2)
    cost, averted = results[:, :, 0], results[:, :1, 1] - results[:, :, 1]
    rng = generator(seed, "frontier")
    drawn = rng.integers(0, len(results), (RESAMPLES, len(results)))
    best = np.mean([_efficient(cost[rows].mean(0), averted[rows].mean(0)) for rows in drawn], 0)
    now = _efficient(cost.mean(0), averted.mean(0))
    rows = []
    for k, (start, period) in enumerate(schedules):
        if k:
            arm = _called(start, period)
            findings.estimate("averted", mean(averted[:, k]), "Days of belief averted", arm=arm)
            findings.estimate("statements", mean(cost[:, k]), "Statements made", arm=arm)
            rows.append((start, period, cost[:, k].mean(), averted[:, k].mean(), bool(now[k]), best[k]))
    names = ("start day", "every n days (0: once)", "statements", "belief-days averted", "efficient", "share efficient")
    table = pl.DataFrame(rows, names, orient="row").sort("statements")
    caption = (
        f"Denials: cost and benefit of each schedule over {len(results)} paired seeds. Efficient: no other averts as much "
        f"for less; in the last column, in which share of {RESAMPLES:,} resamples of the seeds."
    )
    findings.table("denials", table, caption)
    at = list(schedules).index(EARLY)
    words = f"Resamples in which no schedule beats {_called(*EARLY)}"
    findings.estimate("early_efficient", Estimate.exact(best[at], len(results), f"{RESAMPLES} resamples"), words, unit="%")
    _gains(findings, schedules, cost, averted)
    _picture(findings, schedules, cost.mean(0), averted.mean(0), now)


def _gains(findings: Findings, schedules: Sequence[tuple[int, int]], cost: Any, averted: Any) -> None:
    """Early against late, and what statements beyond every third day bring, relative to those up to it."""
    place = {pair: k for k, pair in enumerate(schedules)}
    late = (max(start for start, _ in schedules), EARLY[1])
    gain = paired_difference(averted[:, place[EARLY]], averted[:, place[late]])
    findings.estimate("early_gain", gain, f"Days of belief averted, {_called(*EARLY)} minus {_called(*late)}")
    if (1, 1) in place:
        k, d = place[EARLY], place[1, 1]
        more = (averted[:, d] - averted[:, k]) / np.maximum(cost[:, d] - cost[:, k], 1)
        words = "Days of belief averted a statement: every third day, minus what going daily adds"
        findings.estimate("diminishing", paired_difference(averted[:, k] / cost[:, k], more), words)


def _efficient(cost: Any, benefit: Any) -> np.ndarray[Any, Any]:
    """Which options no other beats: none costs as little or less and brings as much or more, one of these strictly."""
    at_least = (cost[None] <= cost[:, None]) & (benefit[None] >= benefit[:, None])
    strictly = (cost[None] < cost[:, None]) | (benefit[None] > benefit[:, None])
    return ~(at_least & strictly).any(1)


def _called(start: int, period: int) -> str:
    often = {0: "once", 1: "daily"}.get(period, f"every {period} days")
    return f"from day {start}, {often}" if period else f"once, on day {start}"


def _picture(findings: Findings, schedules: Sequence[tuple[int, int]], cost: Any, averted: Any, now: Any) -> None:
    figure, (axes,) = canvas()
    starts = sorted({start for start, _ in schedules if start})
    for j, start in enumerate(starts):
        rows = [k for k, (first, _) in enumerate(schedules) if first == start]
        axes.plot(cost[rows], averted[rows], "o", color=SERIES[j], label=f"from day {start}")
        for k in rows:
            axes.annotate(
                str(schedules[k][1] or "once"), (cost[k], averted[k]), (4, 4), textcoords="offset points", fontsize=8
            )
    edge = sorted(np.flatnonzero(now), key=lambda k: cost[k])
    axes.plot(cost[edge], averted[edge], color="#888888", linewidth=1, zorder=0)
    axes.set_xlabel("statements")
    axes.set_ylabel("belief-days averted")
    axes.legend(fontsize=9)
    caption = (
        "What denials cost and what they avert, with the coded surrogate. The number at a point says every how many days "
        "they are made; the grey line joins the efficient schedules."
    )
    findings.figure("denials", figure, caption)
