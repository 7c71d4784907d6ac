"""What `eda` finds: from its parts to estimates, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas

__all__ = ["at", "bound", "compared", "generalised", "information", "learning", "noisy", "released", "scored"]

Results = Mapping[str, Sequence[Mapping[str, Any]]]
"""Of each arm, a replication each: the results by noise (`0.03`), and on training things (`seen`)."""
SOURCE = "the authors' repository, things"
REPORTED = (
    ("GPT-4", 0.31, 0.26),
    ("GPT-3.5", 0.28, 0.23),
    ("Claude-2", 0.21, 0.18),
    ("Vicuna-13B", 0.18, 0.15),
    ("Vicuna-7B", 0.09, 0.07),
)
"""Success and score in the paper, with a language model as judge and 100 things, of which the questioner has no list."""


def at(arm: str, noise: float) -> str:
    """The name of an arm at a noise."""
    return f"{arm}, errors {noise:.0%}"


def bound(findings: Findings, part: Mapping[str, Any]) -> None:
    """How many questions the splitter takes to single out a thing, beside log2 of the number of things."""
    asked, n = part["questions"], part["things"]
    limit = float(np.log2(n))
    findings.estimate("bound", Estimate.exact(limit, n, "log2 of the number of things"), "Yes or no questions that it takes")
    found = Estimate.exact(float(np.mean(asked)), n, "mean over all things")
    findings.estimate("questions", found, "Questions until one thing is left", arm="splitter")
    findings.estimate(
        "questions_over_bound", Estimate.exact(found.value / limit, n, "ratio"), "The splitter's questions over the bound"
    )
    findings.estimate("bits_searching", mean(part["bits"]), "Information of a question of the splitter", unit="bits")


def released(findings: Findings, results: Results, worked: Sequence[tuple[Any, Any]]) -> None:
    """Whether our scores are those of the released evaluation: on games marked by hand, and on all games played."""
    right = sum(one == other for one, other in worked)
    findings.estimate(
        "worked", Estimate.exact(right / len(worked), len(worked)), "Games marked by hand: same marks", unit="%"
    )
    parts = [part for runs in results.values() for run in runs for part in run.values() if isinstance(part, Mapping)]
    games, agree = sum(part["games"] for part in parts), sum(part["agree"] for part in parts)
    findings.estimate("agree", Estimate.exact(agree / games, games), "Games played: same marks as the outcome", unit="%")


def scored(findings: Findings, results: Results, noises: Sequence[float]) -> None:
    """Score, success, turns and yes answers of each arm at each noise: means over replications; a table of all."""
    import polars as pl

    rows = []
    words = {
        "score": "Score on held-out things",
        "success": "Held-out things found",
        "turns": "Turns of a game",
        "yes": "Answers that were yes",
    }
    for arm, runs in results.items():
        for noise in noises:
            row: dict[str, Any] = {"questioner": arm, "judge errs": f"{noise:.0%}"}
            for name, label in words.items():
                values = [run[f"{noise:g}"][name] for run in runs]
                unit = "%" if name == "success" else ""
                found = findings.estimate(name, mean(values), label, arm=at(arm, noise), unit=unit)
                row |= {name: round(found.value, 3)}
            told = [_bits(run[f"{noise:g}"]) for run in runs if sum(run[f"{noise:g}"]["asked"])]
            if told:
                bits = findings.estimate("bits", mean(told), "Information of a question", arm=at(arm, noise), unit="bits")
                row["bits a question"] = round(bits.value, 3)
            rows.append(row)
    for name, success, score in REPORTED:
        rows.append({"questioner": f"{name} (paper)", "judge errs": "about 3%", "score": score, "success": success})
    findings.table(
        "questioners",
        pl.DataFrame(rows),
        "All questioners on held-out things; means over replications. The paper's are reported figures of another game: its "
        "questioners have no list of things and no list of questions, and its judge is a language model.",
    )


def _bits(part: Mapping[str, Any]) -> float:
    """Bits a question, over all questions of a replication."""
    return float(np.sum(part["told"]) / np.sum(part["asked"]))


def _scores(results: Results, arm: str, noise: float, name: str = "score") -> np.ndarray[Any, Any]:
    return np.array([run[f"{noise:g}"][name] for run in results[arm]])


def compared(findings: Findings, results: Results, noise: float) -> None:
    """Imitation beside its model, and what practice adds to it, replication by replication."""
    split, cloned = _scores(results, "splitter", noise), _scores(results, "BC", noise)
    if (cloned <= 0).any():
        findings.note("BC won nothing in a replication: no shares of its score can be told.")
        return
    findings.estimate("bc_share", mean(cloned / split), "BC's score over the splitter's, held-out things", unit="%")
    reported = Reported("RL from play improves Vicuna", "abstract; values not seen")
    for arm, name in (("BC + RL", "rl_gain"), ("BC, longer", "longer_gain")):
        gain = mean(_scores(results, arm, noise) / cloned - 1)
        paper = reported if name == "rl_gain" else None
        findings.estimate(name, gain, f"Score of {arm} over BC's, less 1", unit="%", paper=paper)


def generalised(findings: Findings, results: Results, noise: float) -> None:
    """Practice beside other ways of spending as much, and what is found of things that were learned from and were not."""
    for other in ("BC, longer", "RL alone", "BC, more games"):
        gap = paired_difference(_scores(results, "BC + RL", noise), _scores(results, other, noise))
        findings.estimate("rl_over", gap, "Score of BC + RL, minus that of this arm", arm=other)
    for arm in ("BC", "BC + RL", "BC, more games"):
        seen = np.array([run["seen"]["success"] for run in results[arm]])
        gap = paired_difference(seen, _scores(results, arm, noise, "success"))
        findings.estimate("gap", gap, "Training things found, minus held-out things found", arm=arm, unit="%")
        repeated = [run[f"{noise:g}"]["repeated"] / run[f"{noise:g}"]["games"] for run in results[arm]]
        findings.estimate("repeated", mean(repeated), "Questions asked again, a game", arm=arm)


def noisy(findings: Findings, results: Results, noises: Sequence[float]) -> None:
    """What a judge who errs more often costs: success at one noise minus that at the next, replication by replication."""
    for arm in results:
        if arm == "names":
            continue
        for low, high in pairwise(noises):
            fall = paired_difference(_scores(results, arm, low, "success"), _scores(results, arm, high, "success"))
            label = f"Found with {low:.0%} errors, minus with {high:.0%}"
            findings.estimate(f"fall_{round(100 * high)}", fall, label, arm=arm, unit="%")
    figure, axes = canvas(width=8.5, columns=2)
    shown = ("splitter", "BC + RL", "BC, more games", "BC", "menu", "random")
    for name, panel in zip(("success", "score"), axes, strict=True):
        for k, arm in enumerate(arm for arm in shown if arm in results):
            found = [findings.get(name, at(arm, p)) for p in noises]
            x = np.arange(len(noises)) + 0.03 * (k - 2)
            values = [one.value for one in found]
            errors = np.abs([[one.value - one.low for one in found], [one.high - one.value for one in found]])
            colour = SERIES[k % len(SERIES)]
            panel.errorbar(x, values, np.nan_to_num(errors), color=colour, marker="o", markersize=4, label=arm)
        panel.set_xticks(range(len(noises)), [f"{p:.0%}" for p in noises])
        panel.set_xlabel("how often the judge errs")
        panel.set_ylabel("found" if name == "success" else name)
        panel.set_ylim(0, 1.05)
    axes[1].legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    caption = (
        "Held-out things found within 20 turns, and the score, by how often the judge errs: means over replications with "
        "95 % intervals. The same things and the same judges for all."
    )
    findings.figure("noise", figure, caption)


def information(findings: Findings, results: Results, noise: float) -> None:
    """Information of the question asked and of the best one there was: by arm, and turn by turn in a figure."""
    figure, (axes,) = canvas()
    shown = [arm for arm in ("splitter", "BC + RL", "BC", "menu", "random") if arm in results]
    for k, arm in enumerate(shown):
        runs = [run[f"{noise:g}"] for run in results[arm]]
        share = mean([float(np.sum(run["told"]) / np.sum(run["best"])) for run in runs])
        findings.estimate("share_of_best", share, "Information of its questions, of the best there were", arm=arm, unit="%")
        told, count = (np.sum([run[name] for run in runs], 0) for name in ("told", "asked"))
        often = count >= 0.05 * count[0]
        axes.plot(
            np.flatnonzero(often) + 1, told[often] / count[often], marker="o", markersize=3.5, color=SERIES[k], label=arm
        )
    axes.set_xlabel("turn")
    axes.set_ylabel("bits")
    axes.set_xticks(range(1, 21, 2))
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    caption = (
        f"Expected information of the question asked, by turn, with a judge who errs in {noise:.0%} of answers; turns in "
        "which at least a twentieth of the games still asked."
    )
    findings.figure("information", figure, caption)


def learning(findings: Findings, results: Results, noise: float, games: int) -> None:
    """Scores in practice, round by round."""
    figure, (axes,) = canvas()
    for k, arm in enumerate(("BC + RL", "RL alone")):
        curves = np.array([run["curve"] for run in results[arm]])
        played = np.arange(1, curves.shape[1] + 1) * games
        axes.plot(played, curves.mean(0), color=SERIES[k], label=arm)
        axes.fill_between(played, curves.min(0), curves.max(0), color=SERIES[k], alpha=0.15, linewidth=0)
    split = findings.get("score", at("splitter", noise)).value
    axes.axhline(split, color="#888888", linewidth=1, linestyle="--")
    axes.annotate("splitter, held-out things", (1, split), (2, 3), textcoords="offset points", fontsize=9)
    axes.set_xlabel("games played")
    axes.set_ylabel("score in practice")
    axes.set_ylim(0, 1)
    axes.legend(fontsize=9, loc="lower right")
    caption = (
        "Scores of the games that are learned from (training things, actions drawn at temperature 1): mean over "
        "replications, and the range from the lowest to the highest."
    )
    findings.figure("learning", figure, caption)
