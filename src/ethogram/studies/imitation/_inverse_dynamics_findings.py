"""Findings of `inverse-dynamics-pretraining`: estimates, tables and pictures from what the arms achieved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ethogram.measures import compare_successes, hierarchical_difference, hierarchical_mean, mean
from ethogram.studies import Findings
from ethogram.studies._plots import posterior_violins
from ethogram.studies.drawing import SERIES, canvas

Cell = tuple[str, int, int]
"""An arm's name, the episodes it was pretrained on (0: none), and the demonstrations it was fine-tuned with."""
Scores = dict[Cell, list[list[float]]]
"""Of each cell, the successes of each replication's rollouts."""

GREY = "#888888"
ID, CLONING, CONTEXT, SCRATCH, STATES = "inverse dynamics", "cloning", "cloning with context", "scratch", "true state"


def report(
    findings: Findings,
    pretraining: Sequence[int],
    demonstrations: Sequence[int],
    reaches: Sequence[int],
    found: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """All findings from the results of the items."""
    scores: Scores = {}
    probes: dict[tuple[str, int], list[float]] = {}
    for item, result in found:
        name = item["arm"] if item["reach"] == 1 else reached(item["reach"])
        for count, values in result["success"].items():
            scores.setdefault((name, item["episodes"], int(count)), []).append(values)
        if "probe" in result:
            probes.setdefault((name, item["episodes"]), []).append(result["probe"])
    least, most, few, ample = pretraining[0], pretraining[-1], demonstrations[0], demonstrations[-1]
    _levels(findings, scores, probes)
    arms = list(dict.fromkeys(name for name, _, _ in scores))
    for other in arms:
        if other != ID:
            gap = hierarchical_difference(scores[ID, most, few], scores[other, _size(other, most), few], paired=True)
            findings.estimate("ahead", gap, f"success, inverse dynamics minus this arm, {few} demonstrations", arm=other)
    gap = hierarchical_difference(scores[ID, least, few], scores[CLONING, least, few], paired=True)
    label = f"success, inverse dynamics minus this arm, {least} pretraining episodes"
    findings.estimate("ahead_least", gap, label, arm=CLONING)
    for other in (CLONING, SCRATCH):
        gap = hierarchical_difference(scores[ID, most, ample], scores[other, _size(other, most), ample], paired=True)
        findings.estimate("ahead_ample", gap, f"success, inverse dynamics minus this arm, {ample} demonstrations", arm=other)
    part = [[0.8 * x for x in values] for values in scores[STATES, 0, few]]
    near = hierarchical_difference(scores[ID, most, few], part, paired=True)
    findings.estimate("near_state", near, "success, inverse dynamics minus 0.8 times the true state")
    own, cloned, told = (np.array([np.mean(v) for v in scores[name, most, few]]) for name in (ID, CLONING, CONTEXT))
    label = "success that context adds to cloning, minus half of the gap between cloning and inverse dynamics"
    findings.estimate("gap_closed", mean(told - cloned - 0.5 * (own - cloned)), label)
    _curves(findings, scores, arms, pretraining, demonstrations)
    _letters(findings, scores, arms, most, few)
    _summary(findings, scores, most, few, least)


def reached(steps: int) -> str:
    """The name of inverse dynamics over several steps."""
    return f"{ID}, {steps} steps"


def _size(name: str, most: int) -> int:
    return 0 if name in (SCRATCH, STATES) else most


def _levels(findings: Findings, scores: Scores, probes: Mapping[tuple[str, int], list[float]]) -> None:
    """The success of every cell, and how well the position can be read out of the features."""
    import polars as pl

    rows = []
    for (name, episodes, count), values in sorted(scores.items(), key=lambda cell: (cell[0][2], -cell[0][1])):
        success = hierarchical_mean(values)
        arm = f"{name}, {episodes} episodes, {count} demonstrations" if episodes else f"{name}, {count} demonstrations"
        findings.estimate("success", success, "success rate at new goals", arm=arm)
        shown = float(np.mean(probes[name, episodes])) if episodes else None
        row = {"arm": name, "pretraining episodes": episodes or None, "demonstrations": count, "success": success.value}
        rows.append({**row, "low": success.low, "high": success.high, "error of a probe": shown})
    for (name, episodes), errors in probes.items():
        label = "error of a linear probe to the position, in units of the arena (side 0.6)"
        findings.estimate("probe_error", mean(errors), label, arm=f"{name}, {episodes} episodes")
    findings.table("success", pl.DataFrame(rows), "Success at new goals; intervals over replications and rollouts.")


def _curves(
    findings: Findings, scores: Scores, arms: Sequence[str], pretraining: Sequence[int], demonstrations: Sequence[int]
) -> None:
    figure, (left, right) = canvas(height=4.2, columns=2)
    few, most = demonstrations[0], pretraining[-1]
    colours = {name: SERIES[i % len(SERIES)] for i, name in enumerate(a for a in arms if (a, pretraining[0], few) in scores)}
    for name, colour in colours.items():
        levels = [hierarchical_mean(scores[name, n, few]) for n in pretraining]
        left.plot(pretraining, [e.value for e in levels], "o-", color=colour, label=name)
        left.fill_between(
            pretraining, [e.low for e in levels], [e.high for e in levels], color=colour, alpha=0.1, linewidth=0
        )
    for name, style in ((STATES, "--"), (SCRATCH, ":")):
        left.axhline(hierarchical_mean(scores[name, 0, few]).value, color=GREY, linestyle=style, label=name)
    for name, style in ((ID, "-"), (CLONING, "-"), (STATES, "--"), (SCRATCH, ":")):
        levels = [hierarchical_mean(scores[name, _size(name, most), n]) for n in demonstrations]
        colour = colours.get(name, GREY)
        right.plot(demonstrations, [e.value for e in levels], "o", linestyle=style, color=colour)
        right.fill_between(
            demonstrations, [e.low for e in levels], [e.high for e in levels], color=colour, alpha=0.1, linewidth=0
        )
    for axes, sizes, label in (
        (left, pretraining, "pretraining episodes"),
        (right, demonstrations, "demonstrations of the goal"),
    ):
        axes.set(xscale="log", xlabel=label, ylim=(0, 1.02))
        axes.set_xticks(list(sizes), [str(n) for n in sizes])
        axes.minorticks_off()
    left.set_ylabel("success rate at new goals")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    caption = (
        f"Success at new goals. Left: with {few} demonstrations, by the pretraining. Right: after {most} pretraining "
        "episodes, by the demonstrations. Bands: 95 % over replications and rollouts."
    )
    findings.figure("curves", figure, caption)


def _letters(findings: Findings, scores: Scores, arms: Sequence[str], most: int, few: int) -> None:
    """The posteriors of all arms after the most pretraining, with their letters."""
    pooled = {name: list(chain(*scores[name, _size(name, most), few])) for name in arms if "steps" not in name}
    results = {name: (int(sum(values)), len(values)) for name, values in pooled.items()}
    compared = compare_successes(results)
    figure, (axes,) = canvas()
    posterior_violins(axes, {name: results[name] for name in compared.shares}, compared.letters)
    caption = (
        f"Posteriors of success with {few} demonstrations after {most} pretraining episodes, rollouts of all replications "
        "pooled. Arms that share a letter cannot be told apart (Barnard, Holm)."
    )
    findings.figure("posteriors", figure, caption)


def _summary(findings: Findings, scores: Scores, most: int, few: int, least: int) -> None:
    def level(name: str, size: int) -> str:
        return f"{np.mean(scores[name, size, few]):.0%}"

    findings.summary = (
        f"With {few} demonstrations of a new goal and an encoder pretrained on {most} episodes and then frozen, the disc "
        f"arrived in {level(ID, most)} of rollouts with inverse dynamics, {level(CLONING, most)} with cloning and "
        f"{level(CONTEXT, most)} with cloning that had been told the goals; {level(STATES, 0)} with the true state, "
        f"{level(SCRATCH, 0)} from scratch. After {least} pretraining episodes it was {level(ID, least)} and "
        f"{level(CLONING, least)} with inverse dynamics and cloning."
    )
    findings.note(
        "The point mass is our own: the paper's dynamics and renderer are not used, its rules for goals, expert and noise "
        "are. Encoders and trainings are much smaller than the paper's; all arms have the same budget."
    )
