"""What the study aime finds: returns, errors of inferred actions, leads over rivals, a picture and words."""

from __future__ import annotations

from typing import Any

from ethogram.measures import hierarchical_difference, hierarchical_mean, mean
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.dreams.aime import BODIES, MAIN, SOURCE, Config

__all__ = ["report"]


def report(config: Config, found: dict[str, list[dict[str, Any]]], expert: list[float]) -> Findings:
    """All findings.

    Args:
        config: of the study.
        found: what came of each arm's seeds.
        expert: the expert's returns.
    """
    findings = Findings()
    _measure(findings, found, expert)
    _draw(findings, found)
    _tell(findings, config)
    return findings


def _measure(findings: Findings, found: dict[str, list[dict[str, Any]]], expert: list[float]) -> None:
    best = findings.estimate("expert", mean(expert), "Return of the expert, of 1000").value
    scores = {arm: [[100 * r / best for r in result["returns"]] for result in results] for arm, results in found.items()}
    told = {f"aime, {MAIN}": Reported("72.2", SOURCE, 72.2), f"bco, {MAIN}": Reported("41.4", SOURCE, 41.4)}
    for arm, results in found.items():
        estimate = hierarchical_mean(scores[arm])
        findings.estimate("score", estimate, "Return, expert = 100", arm=arm, paper=told.get(arm))
        shares = [result["error"] / result["nothing"] for result in results]
        label = "Squared error of inferred actions, as a share of that of no action"
        findings.estimate("action_error", mean(shares), label, arm=arm)
    for which in BODIES:
        for rival in ("bco", "bco-stacked"):
            if f"{rival}, {which}" not in scores:
                continue
            lead = hierarchical_difference(scores[f"aime, {which}"], scores[f"{rival}, {which}"], paired=True)
            findings.estimate("lead", lead, "Score of AIME minus this one's", arm=f"{rival}, {which}")
    for arm in ("aime, random", f"reconstruction, {MAIN}", f"kl, {MAIN}"):
        if arm in scores:
            lead = hierarchical_difference(scores[f"aime, {MAIN}"], scores[arm], paired=True)
            findings.estimate("lead", lead, "Score of AIME minus this one's", arm=arm)


def _draw(findings: Findings, found: dict[str, list[dict[str, Any]]]) -> None:
    picture, (left, right) = canvas(height=0.32 * len(found) + 1, columns=2)
    for i, arm in enumerate(found):
        colour = SERIES[0 if arm.startswith("aime") else 1 if arm.startswith("bco") else 5]
        score, error = findings.get("score", arm), findings.get("action_error", arm)
        for axes, e in ((left, score), (right, error)):
            axes.plot([e.value], [i], "o", color=colour)
            if e.bounded:
                axes.plot([e.low, e.high], [i, i], "-", color=colour)
    left.set_yticks(range(len(found)), list(found))
    right.set_yticks(range(len(found)), [])
    left.invert_yaxis()
    right.invert_yaxis()
    left.set(xlabel="return (expert = 100)")
    left.set_xlim(left=0)
    right.axvline(1, color="#888888", ls=":")
    right.set(xlabel="error of inferred actions\n(no action = 1)")
    right.set_xlim(left=0)
    caption = (
        "Imitators of the walking expert by method and by what their body had done before. Left: return. Right: squared "
        "error of the actions read off the demonstrations. Mean and 95 % interval over seeds."
    )
    findings.figure("imitators", picture, caption)


def _tell(findings: Findings, config: Config) -> None:
    ours, rival = findings.get("score", f"aime, {MAIN}"), findings.get("score", f"bco, {MAIN}")
    oracle = findings.get("score", "oracle")
    findings.summary = (
        f"From {config.demonstrations} demonstrations without actions, a body with mixed experience came to "
        f"{ours.value:.0f} % of the expert's return by AIME and to {rival.value:.0f} % by BCO(0); cloning the true actions "
        f"gives {oracle.value:.0f} %. {config.seeds} seed{'s' * (config.seeds > 1)}, {config.test} episodes each."
    )
    findings.note(
        f"The expert is soft actor-critic stopped early: {findings.get('expert').value:.0f} of 1000. It sees velocities, "
        "which those who imitate it do not."
    )
    findings.note("With three seeds an interval over them is a rough one. The demonstrations are the same for all seeds.")
