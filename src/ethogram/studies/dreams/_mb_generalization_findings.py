"""What the study finds: areas under learning curves and their differences, the theorem's counts, pictures and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures.differences import paired_difference
from ethogram.measures.estimate import Estimate
from ethogram.measures.means import mean
from ethogram.studies import Findings

if TYPE_CHECKING:
    from ethogram.studies.dreams.mb_generalization import Config

__all__ = ["FLUTES", "NAMES", "compare", "count_hypotheses", "shares", "tell"]

FLUTES = {3: "pan-flute-3", 5: "pan-flute-5", 7: "pan-flute-7"}
NAMES: dict[str, str] = {
    "replay": "experience replay",
    "simple": "simple model",
    "latent": "latent model",
    "gaussian": "Gaussian latent model",
    "perfect": "perfect model",
}
"""The agents in words."""
KINDS = tuple(name for name in NAMES if name != "replay")


def shares(result: dict[str, Any]) -> np.ndarray:
    """The greedy policy's scores (seeds, examinations), as a share of the way from random actions to the best ones."""
    random, best = (np.array(result[name])[:, None] for name in ("random", "best"))
    return (np.array(result["greedy"]) - random) / (best - random)


def compare(findings: Findings, config: Config, scores: dict[tuple[str, str], np.ndarray]) -> None:
    """The area under each learning curve, and its differences, paired by seed."""
    areas = {arm: score.mean(1) for arm, score in scores.items()}
    for (world, name), area in areas.items():
        findings.estimate("area", mean(area), "Area under the learning curve", arm=f"{world}: {name}", unit="%")
        last = scores[world, name][:, -max(1, scores[world, name].shape[1] // 10) :].mean(1)
        findings.estimate("end", mean(last), "Score in the last tenth", arm=f"{world}: {name}", unit="%")

    def differ(key: str, world: str, one: str, other: str, label: str) -> None:
        if (world, one) in areas and (world, other) in areas:
            gap = paired_difference(areas[world, one], areas[world, other])
            findings.estimate(key, gap, label, arm=f"{world}: {one}", unit="%")

    for world in config.worlds:
        for kind in KINDS:
            differ("gain", world, kind, "replay", "Area gained over experience replay")
        differ("discrete", world, "latent", "gaussian", "Area of the categorical latent model beyond the Gaussian one")
        differ("lead", world, "perfect", "simple", "Area of the perfect model beyond the simple one")
    for world in config.shortest:
        differ("short", world, "simple", "simple-1", "Area gained by rollouts of full length over those of one step")
    for world in config.more_updates:
        differ(
            "beyond", world, "simple", "replay-more", f"Area of the simple model beyond replay with {config.more} x updates"
        )
    gains = {world: areas[world, "simple"] - areas[world, "replay"] for world in config.worlds}
    for key, one, other, label in (
        ("growth", FLUTES[7], FLUTES[3], "Gain of the simple model at 7 pipes beyond that at 3"),
        ("growth-5", FLUTES[5], FLUTES[3], "Gain of the simple model at 5 pipes beyond that at 3"),
        ("structure", FLUTES[5], "control", "Gain of the simple model at 5 pipes beyond that in the control"),
    ):
        if one in gains and other in gains:
            findings.estimate(key, paired_difference(gains[one], gains[other]), label, unit="%")


def count_hypotheses(findings: Findings, items: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
    """The theorem: how often a model leaves fewer value functions than the Bellman equation, by class of models."""
    import polars as pl

    rows = []
    for item, left in zip(items, results, strict=True):
        model, bellman = np.array(left["model"]), np.array(left["bellman"])
        arm = f"{item['class']}, {item['seen']} seen"
        for key, those, label in (
            ("fewer", model < bellman, "Sets of transitions after which a model leaves strictly fewer value functions"),
            ("not-more", model <= bellman, "Sets of transitions after which it leaves no more of them"),
        ):
            findings.estimate(key, Estimate.exact(those.mean(), len(those)), label, arm=arm, unit="%")
        rows.append((item["class"], item["seen"], len(model), model.mean(), bellman.mean(), float((model < bellman).mean())))
    frame = pl.DataFrame(rows, ("models", "seen", "sets", "left by a model", "left by Bellman", "fewer"), orient="row")
    caption = "Distinct optimal value functions left by a few transitions: means over sets of them, every function counted."
    findings.table("hypotheses", frame, caption)


def tell(
    findings: Findings,
    config: Config,
    scores: dict[tuple[str, str], np.ndarray],
    results: dict[tuple[str, str], dict[str, Any]],
) -> None:
    """The table, the pictures, the summary and the notes."""
    import polars as pl

    from ethogram.studies.dreams._mb_generalization_pictures import curves, gains

    rows = []
    for (world, name), score in scores.items():
        area, end = findings.get("area", f"{world}: {name}"), findings.get("end", f"{world}: {name}")
        raw = np.array(results[world, name]["greedy"]), np.array(results[world, name]["online"])
        rows.append((world, name, len(score), area.value, area.low, area.high, end.value, *(float(r.mean()) for r in raw)))
    names = ("world", "agent", "seeds", "area", "low", "high", "last tenth", "greedy score", "reward a step while exploring")
    caption = "Areas under the learning curves, as a share of the way from random actions (0) to the best ones (1)."
    findings.table("areas", pl.DataFrame(rows, names, orient="row").sort("world", "agent"), caption)
    steps = results[config.worlds[0], "replay"]["steps"]
    caption = (
        "Learning curves of the greedy policy, as a share of the way from random actions (0) to the best possible ones (1): "
        f"mean and 95 % interval of {config.seeds} seeds. All agents make as many updates from as many transitions."
    )
    for name, those in (
        ("curves-flutes", [world for world in config.worlds if world in FLUTES.values()]),
        ("curves-others", [world for world in config.worlds if world not in FLUTES.values()]),
    ):
        if those:
            findings.figure(name, curves(those, NAMES, scores, steps), caption)
    found = {w: {k: findings.get("gain", f"{w}: {k}") for k in KINDS if (w, k) in scores} for w in config.worlds}
    caption = "What each kind of model gains over experience replay in the area under the learning curve, paired by seed."
    findings.figure("gains", gains(found, NAMES), caption)
    told = "; ".join(
        f"in {world} " + ", ".join(f"{_signed(gap)} ({kind})" for kind, gap in gaps.items()) for world, gaps in found.items()
    )
    findings.summary = (
        f"Q-learners with {config.seeds} seeds each made {config.schedule.updates:g} update(s) a step for "
        f"{config.schedule.steps:,} steps. Over experience replay, rollouts in a model gained these shares of the best "
        f"possible score, averaged over training: {told}."
    )
    agent = config.agent
    findings.note(
        f"Networks have hidden layers of {', '.join(map(str, agent.hidden))}; an update of Q takes "
        f"{agent.starts * agent.length} transitions, rollouts being {agent.starts} of {agent.length} steps; one of a model "
        f"takes {agent.real} real ones. The latent model has {agent.variables} variables of {agent.classes} classes."
    )
    findings.note(
        "All seeds of an arm are one batched network; a seed's random numbers are its own, so that its result depends on "
        "its neighbours only by the rounding of matrix products."
    )
    findings.note(
        "After the end of an episode an agent sees the new maze at once. In the authors' repository it sees the old one for "
        "one more step, and the simple model draws bits with a logit as the probability; neither slip is repeated."
    )


def _signed(gap: Estimate) -> str:
    return f"{gap.value:+.0%} [{gap.low:+.0%}, {gap.high:+.0%}]"
