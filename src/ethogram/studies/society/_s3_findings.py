"""What `s3-social-network` finds: from its replications to estimates and figures, and the language model's run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.measures.spreading import MODELS
from ethogram.policies.coded.feelings import EmotionLaw
from ethogram.studies import Findings, Lab
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.society._s3_model import CURVES
from ethogram.studies.society._s3_scene import feed

__all__ = ["BASELINES", "compare", "play", "recovery"]

BASELINES = ("independent cascade", "linear threshold", "voter", "DeGroot")
"""The paper's, as a third party lists them; bounded confidence is ours."""
LABELS = {
    "aware": "share aware",
    "positive": "share aware and positive",
    "posting": "share posting in the round",
}


def compare(findings: Findings, parts: Sequence[dict[str, Any]]) -> None:
    """Errors of all families on the second half, paired with the coupled model's, and what the ablations lose."""
    families = list(parts[0]["rmse"])
    own = [part["rmse"]["coupled"]["all"] for part in parts]
    for name in families:
        errors = [part["rmse"][name]["all"] for part in parts]
        label = "Root mean squared error of the curves forecast, on the rounds held out"
        findings.estimate("rmse", mean(errors, "bca"), label, arm=name)
        for curve in CURVES:
            each = mean([part["rmse"][name][curve] for part in parts], "bca")
            findings.estimate(f"rmse_{curve}", each, f"The same, {LABELS[curve]} alone", arm=name)
        correlations = [part["correlation"][name] for part in parts]
        known = [value for value in correlations if value is not None and np.isfinite(value)]
        if known:
            words = "Correlation of the forecast and the true curve of posting, on the rounds held out"
            findings.estimate("correlation", mean(known, "bca"), words, arm=name)
        if name != "coupled":
            words = "Error of the curves forecast, minus the coupled model's"
            findings.estimate("rmse_gain", paired_difference(errors, own, "bca"), words, arm=name)
    for name in parts[0]["auc"]:
        values = [part["auc"][name] for part in parts]
        findings.estimate("auc", mean(values, "bca"), "AUC: who posts next, on the rounds held out", arm=name)
        if name != "coupled":
            lost = paired_difference([part["auc"]["coupled"] for part in parts], values, "bca")
            findings.estimate("auc_lost", lost, "AUC of the coupled model, minus that of the ablation", arm=name)
    words = "Error of the shares moderately and intensely emotional, on the rounds held out"
    findings.estimate("density", mean([part["density"] for part in parts], "bca"), words)
    wrong = sum(part["misdelivered"] for part in parts)
    words = "Timelines that are not exactly what was posted to them in the round before"
    findings.estimate("misdelivered", Estimate.exact(wrong, len(parts)), words)
    _forecasts(findings, parts[0])
    _errors(findings, parts, families)


def recovery(findings: Findings, parts: Sequence[dict[str, Any]]) -> None:
    """Each parameter fitted to half of the rounds, over the true one."""
    for name in EmotionLaw.model_fields:
        words = "Parameter fitted to the first half, over the true one"
        findings.estimate("ratio", mean([part["ratio"][name] for part in parts]), words, arm=name)


def _forecasts(findings: Findings, part: dict[str, Any]) -> None:
    """The first cascade and what each family made of it."""
    truth = np.array(part["truth"])
    rounds, half = np.arange(1, len(truth) + 1), len(truth) // 2
    figure, axes = canvas(height=3.4, columns=3)
    for k, axis in enumerate(axes):
        axis.plot(rounds, truth[:, k], color="#888888", linewidth=4, alpha=0.6, label="true")
        axis.axvline(half + 0.5, color="#888888", linewidth=0.8, linestyle=":")
        for color, name in zip(SERIES, ("coupled", *BASELINES), strict=False):
            axis.plot(rounds[half:], np.array(part["forecasts"][name])[:, k], color=color, linewidth=1.4, label=name)
        axis.set_xlabel("round")
        axis.set_title(LABELS[CURVES[k]], fontsize=10)
        axis.set_ylim(bottom=0)
    axes[1].legend(fontsize=7.5)
    caption = (
        "The first cascade (grey) and what each family, fitted to the rounds left of the dotted line, forecast for those "
        "to the right: means of its futures."
    )
    findings.figure("forecasts", figure, caption)


def _errors(findings: Findings, parts: Sequence[dict[str, Any]], families: Sequence[str]) -> None:
    figure, (axes,) = canvas(height=3.4)
    for k, name in enumerate(families):
        values = [part["rmse"][name]["all"] for part in parts]
        color = SERIES[0] if name == "coupled" else SERIES[1] if name in MODELS else SERIES[2]
        axes.plot(values, [k + 0.25 * ((i * 7 % 10) / 10 - 0.5) for i in range(len(values))], "o", color=color, alpha=0.5)
        axes.plot([float(np.mean(values))] * 2, [k - 0.3, k + 0.3], color=color)
    axes.set_yticks(range(len(families)), families)
    axes.invert_yaxis()
    axes.set_xlabel("error of the curves forecast (root mean square)")
    axes.grid(axis="y", visible=False)
    caption = (
        "Errors on the rounds held out, a dot a cascade, a bar at the mean: the coupled model, its ablations, the baselines."
    )
    findings.figure("errors", figure, caption)


def play(findings: Findings, lab: Lab, users: int, rounds: int) -> None:
    """Play a network by the language model, then again from the cache."""
    from ethogram.records import Run
    from ethogram.simulation import replay

    cache = str((lab.dir / "answers.sqlite").resolve())
    for name in ("model", "model-again"):
        scene = feed(lab.model, users, sources=max(2, users // 20), rounds=rounds, cache=cache)
        run = lab.simulate(name, scene, seed=lab.seed, checkpoint_every=10)
        if run.manifest.status != "complete":
            findings.note(f"The model's run was cut short and is left out: {run.manifest.reason}.")
            return
    first, again = Run(lab.dir / "runs" / "model"), Run(lab.dir / "runs" / "model-again")
    arm = f"model: {lab.model}"
    outcome = first.trajectories()[0].outcome
    for key, words in (
        ("aware", "Users aware at the end, one run"),
        ("positive", "Users aware and positive at the end, one run"),
        ("intense", "Users intensely emotional at the end, one run"),
    ):
        findings.estimate(f"model_{key}", Estimate.exact(outcome[key], users), words, arm=arm, unit="%")
    findings.estimate("model_posts", Estimate.exact(outcome["posts"], users), "Posts, one run", arm=arm)
    calls = [(call.key, call.reply, call.scores) for _, call in first.all_calls()]
    made = sum(not call.cached for _, call in again.all_calls())
    same = first.arrow("steps").equals(again.arrow("steps")) and sorted(calls, key=str) == sorted(
        ((call.key, call.reply, call.scores) for _, call in again.all_calls()), key=str
    )
    findings.estimate("model_repeats", Estimate.exact(float(same)), "The run repeated from the cache is the same", arm=arm)
    findings.estimate("model_calls_again", Estimate.exact(made, len(calls)), "Calls made for the repeated run", arm=arm)
    diverged = len(replay(first).divergences)
    findings.estimate("model_diverged", Estimate.exact(diverged), "Users whose record does not replay", arm=arm)
    findings.note(
        f"{lab.model} played {users} users for {rounds} rounds; users of one kind are shown to it alike, so that they share "
        "answers. What it does is reported as what it does; no claim about language models is decided by it."
    )
