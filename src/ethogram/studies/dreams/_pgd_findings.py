"""What the study pgd finds: returns by arm, likelihoods and dynamics errors, pictures and words."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures import interquartile_mean, mean, paired_difference
from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from ethogram.studies.dreams.pgd import Config

__all__ = ["ARMS", "report"]

ARMS: tuple[str, ...] = ("real", "unguided", "guided", "ensemble")


def report(
    findings: Findings, config: Config, scores: dict[str, Any], steered: list[dict[str, Any]], ends: dict[str, float]
) -> None:
    """All findings.

    Args:
        findings: where to.
        config: of the study.
        scores: scaled returns by arm, each (seeds, sets).
        steered: what guidance did, for each data set and seed.
        ends: the returns of `random` actions and of the `expert`.
    """
    _measure_learners(findings, config, scores, ends)
    _measure_steering(findings, config, steered)
    _draw(findings, config, scores, steered)
    _tell(findings, config, ends)


def _measure_learners(findings: Findings, config: Config, scores: dict[str, Any], ends: dict[str, float]) -> None:
    for arm in ARMS:
        findings.estimate("return_iqm", interquartile_mean(scores[arm]), "Scaled return, interquartile mean", arm=arm)
        for i, name in enumerate(config.sets):
            findings.estimate(f"return_{name}", mean(scores[arm][:, i]), f"Scaled return, data {name}", arm=arm)
            if arm != "real":
                gap = paired_difference(scores[arm][:, i], scores["real"][:, i])
                findings.estimate(f"gain_{name}", gap, f"Scaled return minus that of real data alone, data {name}", arm=arm)
    over = paired_difference(scores["guided"].ravel(), scores["ensemble"].ravel())
    findings.estimate("over_ensemble", over, "Scaled return with guided data minus with the ensemble's, all data sets")
    findings.note(f"A scaled return of 0 is {ends['random']:.0f} (random actions), of 1 {ends['expert']:.0f} (the policy).")


def _measure_steering(findings: Findings, config: Config, steered: list[dict[str, Any]]) -> None:
    sweep = [f"{c:g}" for c in config.sweep]
    for kind in (*(f"guided-{c}" for c in sweep), "noisy", "raw", "ensemble", *(f"matched-{c}" for c in sweep)):
        for what, label in (("likelihood", "Log-likelihood of an action under the policy"), ("error", "Dynamics error")):
            findings.estimate(what, mean([s[kind][what] for s in steered]), label, arm=kind)
    likelihoods = {c: [s[f"guided-{c}"]["likelihood"] for s in steered] for c in sweep}
    for low, high in pairwise(sweep):
        rise = paired_difference(likelihoods[high], likelihoods[low])
        findings.estimate("rise", rise, "Rise of the log-likelihood over the coefficient before", arm=high)
    label = "Log of the dynamics error over that of the ensemble at the same likelihood"
    for c in sweep:
        ratios = mean([math.log(s[f"guided-{c}"]["error"] / s[f"matched-{c}"]["error"]) for s in steered])
        findings.estimate("log_ratio", ratios, label, arm=c)
    own = findings.get("log_ratio", f"{config.coefficient:g}")
    findings.estimate("own_log_ratio", own, f"{label}, at the coefficient of the arm `guided`")


def _draw(findings: Findings, config: Config, scores: dict[str, Any], steered: list[dict[str, Any]]) -> None:
    _draw_errors(findings, config, steered)
    picture, (axes,) = canvas()
    for i, arm in enumerate(ARMS):
        for j, found in enumerate(scores[arm].T):
            x, label = j + 0.18 * (i - 1.5), arm if j == 0 else None
            axes.plot([x] * len(found), found, ".", color=SERIES[i], alpha=0.6)
            axes.plot([x - 0.07, x + 0.07], [found.mean()] * 2, color=SERIES[i], label=label)
    axes.set_xticks(range(len(config.sets)), config.sets)
    axes.set(ylabel="scaled return")
    axes.legend(ncols=2, frameon=False)
    findings.figure("returns", picture, "Scaled returns of TD3+BC: a dot for each learner, a bar for the mean of an arm.")


def _draw_errors(findings: Findings, config: Config, steered: list[dict[str, Any]]) -> None:
    diffusion, ensemble, plain = SERIES[:3]
    picture, (left, right) = canvas(columns=2)
    for kind, colour, label in (
        ("guided", diffusion, "diffusion, steered"),
        ("matched", ensemble, "ensemble, noise on its actions"),
    ):
        points = [[np.mean([s[f"{kind}-{c:g}"][w] for s in steered]) for w in ("likelihood", "error")] for c in config.sweep]
        left.plot(*np.array(points).T, "o-", color=colour, label=label)
    own = [np.mean([s["ensemble"][w] for s in steered]) for w in ("likelihood", "error")]
    left.plot(*own, "s", color=plain, label="ensemble, the policy's actions")
    left.set(xlabel="log-likelihood of actions under the policy", ylabel="dynamics error")
    left.set_ylim(bottom=0)
    left.legend(fontsize=9, frameon=False)
    c = f"{config.coefficient:g}"
    for kind, colour, label in ((f"guided-{c}", diffusion, "diffusion"), (f"matched-{c}", ensemble, "ensemble, matched")):
        curve = np.mean([s[kind]["errors"] for s in steered], 0)
        right.plot(np.arange(1, len(curve) + 1), curve, color=colour, label=label)
    right.set(xlabel="step of the rollout", ylabel="dynamics error")
    right.set_ylim(bottom=0)
    right.legend(fontsize=9, frameon=False)
    findings.figure(
        "dynamics-error",
        picture,
        "Squared error of each generated step against the simulator set to the step before, in variances of the data: left "
        f"against how likely the actions are, right along the rollout (coefficient {c}). Means over data sets and learners.",
    )


def _tell(findings: Findings, config: Config, ends: dict[str, float]) -> None:
    values = {arm: findings.get("return_iqm", arm).value for arm in ARMS}
    before, after = (findings.get("likelihood", f"guided-{c:g}").value for c in (config.sweep[0], config.coefficient))
    findings.summary = (
        "TD3+BC on HalfCheetah reached scaled returns (interquartile mean) of "
        + ", ".join(f"{values[arm]:.2f} ({arm})" for arm in ARMS)
        + f". Guidance raised the log-likelihood of generated actions from {before:.2f} to {after:.2f}; at equal likelihood "
        f"the diffusion's dynamics error was then {math.exp(findings.get('own_log_ratio').value):.2f} times the ensemble's."
    )
    findings.note("The data sets are our own stand-ins for D4RL's, far smaller, from a policy trained for minutes.")
    findings.note("Squared errors are capped at 100 variances, which favours whoever has flung states out of all bounds.")
    findings.note(
        f"{config.seeds} learners share each data set's models; an interval over them does not speak of other models."
    )
