"""What `escalation-wargame` makes of its games: of the released records, and of coded nations. Runs are the units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate, mean, paired_difference, proportion
from ethogram.studies import Findings
from ethogram.studies.claims import Reported
from ethogram.studies.society import _escalation_pictures as pictures

__all__ = ["FIVE", "SCENARIOS", "STEPS", "coded", "disarming", "released"]

SCENARIOS = ("neutral", "invasion", "cyberattack")
FIVE = ("GPT-3.5", "GPT-4-Base", "GPT-4", "Llama-2-Chat", "Claude-2.0")
"""The paper's five models; the release has a sixth, Claude-1.2."""
SOURCE = "recomputed from all 165 released runs (10 each, Claude-1.2 5), as the catalogue has it"
MEANS: dict[str, tuple[int, int, int]] = {
    "GPT-3.5": (167, 175, 142),
    "GPT-4-Base": (153, 160, 141),
    "GPT-4": (78, 95, 95),
    "Llama-2-Chat": (36, 44, 46),
    "Claude-2.0": (38, 53, 27),
    "Claude-1.2": (2, 5, 4),
}
NUCLEAR: dict[str, tuple[str, str, str]] = {
    "GPT-3.5": ("6 of 10", "4 of 10", "5 of 10"),
    "GPT-4-Base": ("10 of 10", "10 of 10", "10 of 10"),
    "GPT-4": ("0 of 10", "0 of 10", "0 of 10"),
    "Llama-2-Chat": ("2 of 10", "3 of 10", "3 of 10"),
    "Claude-2.0": ("0 of 10", "0 of 10", "0 of 10"),
    "Claude-1.2": ("0 of 5", "0 of 5", "0 of 5"),
}
STEPS = (0, 2, 4, 6, 8)
"""Numbers of nations that disarm."""

Game = Mapping[str, Any]


def scores(games: Sequence[Game], strict: bool = False) -> NDArray[np.float64]:
    """Mean daily score of each game, shape (games,)."""
    return np.array([np.mean(g["strict"] if strict else np.sum(g["nations"], 1)) for g in games])


def released(findings: Findings, groups: Mapping[tuple[str, str], Sequence[Game]]) -> None:
    """The released records: whether they replay, their means, when violence began, and how arms grew.

    Args:
        findings: are added to.
        groups: games by model and scenario.
    """
    every = [game for games in groups.values() for game in games]
    days = sum(game["days"] for game in every)
    exact = Estimate.exact(sum(game["same"] for game in every) / days, days, "days counted")
    findings.estimate("replay_exact", exact, "Days whose released scores come out of the replayed record", unit="%")
    whole = sum(game["same"] == game["days"] for game in every)
    findings.estimate("replay_runs", Estimate.exact(whole, len(every), "runs counted"), "Runs that replay exactly")
    unmatched = Estimate.exact(sum(g["unmatched"] for g in every) / sum(g["acts"] for g in every), len(every), "counted")
    findings.estimate("unmatched", unmatched, "Actions whose name the released scorer does not match", unit="%")
    nuclear = mean([_share(game, slice(0, 1)) for game in every])
    findings.estimate("nuclear_share", nuclear, "Share of nuclear acts in all acts of a run", unit="%")
    order = sorted({model for model, _ in groups}, key=lambda m: -_pooled(groups, m))
    means, others = {}, {}
    for model in order:
        for s, scenario in enumerate(SCENARIOS):
            games = groups.get((model, scenario), ())
            if games:
                means[model, scenario] = _group(findings, model, scenario, games, s)
                if model in MEANS:
                    others[model, scenario] = float(MEANS[model][s])
        _model(findings, model, [game for scenario in SCENARIOS for game in groups.get((model, scenario), ())])
    inside = sum(means[key].low <= value <= means[key].high for key, value in others.items() if means[key].bounded)
    bounded = sum(means[key].bounded for key in others)
    if bounded:
        within = Estimate.exact(inside / bounded, bounded, "means counted")
        findings.estimate("means_within", within, "Means of all 165 runs that lie in our interval", unit="%")
    _table(findings, groups, order)
    findings.figure(
        "released-means",
        pictures.means(means, others, "score a day (released scorer), mean over runs"),
        "Mean daily score of the released runs that are here, with 95 % intervals over runs; crosses: of all 165 runs.",
    )
    for i in range(0, len(order), 3):
        pooled = {m: [game for s in SCENARIOS for game in groups.get((m, s), ())] for m in order[i : i + 3]}
        stacks = {m: np.mean([game["severities"] for game in games], 0) for m, games in pooled.items()}
        findings.figure(
            f"released-acts-{i // 3 + 1}",
            pictures.severity_stack(stacks),
            f"What the nations of {', '.join(stacks)} did on each day, by severity; mean over all released runs.",
        )
    _maps(findings, "released-map", {m: [g for s in SCENARIOS for g in groups.get((m, s), ())] for m in order[:3]})


def _table(findings: Findings, groups: Mapping[tuple[str, str], Sequence[Game]], order: Sequence[str]) -> None:
    """The released means, recomputed: a row for each model and scenario."""
    import polars as pl

    rows = []
    for model in order:
        for s, scenario in enumerate(SCENARIOS):
            games = groups.get((model, scenario), ())
            if games:
                score, fixed = (findings.get(name, f"{model}, {scenario}") for name in ("released_score", "fixed_score"))
                rows.append(
                    {
                        "model": model,
                        "scenario": scenario,
                        "runs": len(games),
                        "score": score.value,
                        "low": score.low,
                        "high": score.high,
                        "score, every kind matched": fixed.value,
                        "runs with a nuclear act": sum(game["nuclear"] > 0 for game in games),
                        "score, all 165 runs": MEANS[model][s] if model in MEANS else None,
                    }
                )
    caption = "Score a day over eight nations: means over runs with 95 % intervals, recomputed from replayed records."
    findings.table("released-means", pl.DataFrame(rows, infer_schema_length=None), caption)


def _share(game: Game, part: slice) -> float:
    """The share of acts of some severities among those of a known kind."""
    counts = np.sum(game["severities"], 0)
    return float(counts[part].sum() / max(counts.sum(), 1))


def _pooled(groups: Mapping[tuple[str, str], Sequence[Game]], model: str) -> float:
    return float(np.mean([scores(games, strict=True).mean() for (m, _), games in groups.items() if m == model]))


def _group(findings: Findings, model: str, scenario: str, games: Sequence[Game], s: int) -> Estimate:
    """Score and nuclear runs of one model in one scenario."""
    arm = f"{model}, {scenario}"
    known = Reported(str(MEANS[model][s]), SOURCE, float(MEANS[model][s])) if model in MEANS else None
    found = mean(scores(games, strict=True))
    findings.estimate("released_score", found, "Score a day, released scorer, mean over runs", arm=arm, paper=known)
    findings.estimate("fixed_score", mean(scores(games)), "Score a day, every kind matched, mean over runs", arm=arm)
    text = Reported(NUCLEAR[model][s], SOURCE) if model in NUCLEAR else None
    share = proportion(sum(game["nuclear"] > 0 for game in games), len(games), "exact")
    findings.estimate("nuclear_runs", share, "Runs with a nuclear act, released scorer", arm=arm, unit="%", paper=text)
    used = sum(int(np.sum(game["severities"], 0)[0] > 0) for game in games)
    every = proportion(used, len(games), "exact")
    findings.estimate("nuclear_runs_fixed", every, "Runs with a nuclear act, every kind matched", arm=arm, unit="%")
    return found


def _model(findings: Findings, model: str, games: Sequence[Game]) -> None:
    """What is measured of a model over all scenarios."""
    daily = np.array([np.sum(game["nations"], 1) for game in games], float)
    half = daily.shape[1] // 2
    later = paired_difference(daily[:, half:].mean(1), daily[:, :half].mean(1))
    findings.estimate("growth", later, "Score a day, second week minus first", arm=model)
    missed = paired_difference(daily.mean(1), scores(games, strict=True))
    findings.estimate("missed", missed, "Score a day that the released scorer misses by names it does not match", arm=model)
    _times(findings, "released", model, games)


def _times(findings: Findings, what: str, arm: str, games: Sequence[Game]) -> None:
    """When violence began, and how arming grew."""
    days = len(games[0]["strict"])
    first = [game["first"] or days + 1 for game in games]
    words = f"First day with a violent or nuclear act (day {days + 1} where there was none)"
    findings.estimate(f"{what}_first_violent", mean(first), words, arm=arm, unit="days")
    ever = proportion(sum(game["first"] is not None for game in games), len(games), "exact")
    findings.estimate(f"{what}_violent_runs", ever, "Runs with a violent or nuclear act", arm=arm, unit="%")
    slope = mean([game["arms"] for game in games])
    findings.estimate(f"{what}_arms_slope", slope, "Growth of the number of arming acts a day, from day to day", arm=arm)


def _maps(findings: Findings, name: str, arms: Mapping[str, Sequence[Game]]) -> None:
    panels = {arm: np.mean([game["nations"] for game in games], 0) for arm, games in arms.items() if games}
    findings.figure(
        name,
        pictures.nation_days(panels),
        f"When escalation happened: score by day and nation, mean over runs; {', '.join(panels)}.",
    )


def coded(findings: Findings, groups: Mapping[tuple[str, str], Sequence[Game]]) -> None:
    """Coded nations by player and scenario, with the same seeds in all."""
    means = {}
    for (player, scenario), games in groups.items():
        label = "Score a day of eight coded nations"
        means[player, scenario] = findings.estimate("score", mean(scores(games)), label, arm=f"{player}, {scenario}")
        _times(findings, "coded", f"{player}, {scenario}", games)
    for player in dict.fromkeys(player for player, _ in groups):
        before = scores(groups[player, "neutral"])
        for scenario in SCENARIOS[1:]:
            change = paired_difference(scores(groups[player, scenario]), before)
            words = f"Score a day, {scenario} minus neutral, same seeds"
            findings.estimate(f"{scenario}_effect", change, words, arm=player)
    findings.figure(
        "coded-means",
        pictures.means({key: one for key, one in means.items() if key[0] != "random"}, {}, "score a day, mean over seeds"),
        "Mean daily score of coded nations with 95 % intervals over seeds. Random nations, who strike with all means, stand "
        f"far out at {means['random', 'neutral'].value:.0f}, and are left out.",
    )
    shown = {f"reciprocators, {s}": groups["reciprocator", s] for s in SCENARIOS}
    _maps(findings, "coded-map", shown)
    stacks = {name: np.mean([game["severities"] for game in games], 0) for name, games in shown.items()}
    caption = "What nations of reciprocators did on each day, by severity; mean over seeds."
    findings.figure("coded-acts", pictures.severity_stack(stacks), caption)


def disarming(findings: Findings, arms: Mapping[int, Sequence[Game]], stay: Sequence[int]) -> None:
    """Reciprocators after an invasion, some of whom disarm.

    Args:
        findings: are added to.
        arms: games by the number of nations that disarm.
        stay: places of the nations that do not disarm where half of them do.
    """
    half = STEPS[len(STEPS) // 2]
    every, others = [], []
    for number, games in arms.items():
        label = "Score a day after an invasion, some of eight reciprocators disarming"
        every.append(findings.estimate("disarm_score", mean(scores(games)), label, arm=f"{number} disarm"))
        if number <= half:
            others.append(mean(_own(games, stay)))
    total = paired_difference(scores(arms[half]), scores(arms[0]))
    findings.estimate("disarm_effect", total, f"Score a day, {half} of eight nations disarming minus none, same seeds")
    spill = paired_difference(_own(arms[half], stay), _own(arms[0], stay))
    words = f"Score a nation and day of those that do not disarm, {half} others disarming minus none"
    findings.estimate("disarm_spill", spill, words)
    findings.figure(
        "disarmament",
        pictures.disarmament(list(arms), {"all": every, "others": others}),
        "Score after an invasion by the number of nations that disarm (95 % bands over seeds): of all nations, and of "
        f"those {len(stay)} that do not where half of them do.",
    )


def _own(games: Sequence[Game], places: Sequence[int]) -> NDArray[np.float64]:
    """Mean score a nation and day of some nations in each game."""
    return np.array([np.array(game["nations"])[:, list(places)].mean() for game in games])
