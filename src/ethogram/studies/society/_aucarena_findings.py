"""What `aucarena` finds: from its parts to estimates and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ethogram.measures import Estimate, mean, paired_difference, proportion
from ethogram.measures.ratings import Rating, bradley_terry, skill, wins_of
from ethogram.seeds import generator
from ethogram.studies import Findings
from ethogram.studies.society._aucarena_parts import RAISE
from ethogram.studies.society._aucarena_scene import BIDDERS, FULL

__all__ = ["MEASURES", "ablations", "audits", "conducts", "curse", "rated", "second_highest", "second_price"]

MEASURES = {
    "profit": "Profit of an auction",
    "items": "Items won in an auction",
    "refused": "Bids that were refused, of all bids tried",
    "wrong_self": "Points about itself that the first draft of a status has wrong",
    "wrong_others": "Points about others that the first draft of a status has wrong",
    "left_self": "Points about itself that are wrong in the status it goes by",
    "left_others": "Points about others that are wrong in the status it goes by",
    "effort": "Rank correlation of an item's priority with the bids tried for it",
    "paid": "Rank correlation of an item's priority with the price paid (0: not won) over the price called out",
    "changed": "Priorities that a new plan changes",
}
"""What is measured of a bidder's conduct, in words."""
SHARES = ("refused", "wrong_self", "wrong_others", "left_self", "left_others", "changed")


def second_price(findings: Findings, apart: Sequence[Sequence[int]], close: Sequence[Sequence[int]]) -> None:
    """The outcomes of one-item auctions among truthful bidders, held against Vickrey's theorem."""
    near = [abs(price - second) <= RAISE for price, _, second, _ in apart]
    best = [value == first for _, first, _, value in apart]
    findings.estimate(
        "second_price", _share(near), "One item, truthful bidders: the price is the second-highest value within a raise"
    )
    findings.estimate("highest_wins", _share(best), "The highest value wins, where values are a raise apart or more")
    worst = max(abs(price - second) for price, _, second, _ in [*apart, *close])
    findings.estimate(
        "second_price_off", Estimate.exact(worst, len(apart) + len(close)), "The furthest that a price is from it"
    )
    wins = [value == first for _, first, _, value in close]
    findings.estimate("highest_wins_any", _share(wins), "The highest value wins, where values may be closer", unit="%")
    lost = [first - value for _, first, _, value in close]
    findings.estimate("surplus_lost", Estimate.exact(max(lost), len(lost)), "The most by which the winner's value is lower")


def _share(found: Sequence[bool]) -> Estimate:
    return Estimate.exact(float(np.mean(found)), len(found), "share of all draws")


def rated(findings: Findings, contests: Sequence[Sequence[Mapping[str, Mapping[str, float]]]], seed: int) -> None:
    """Ratings of the coded bidders by profit, how far the adaptive one is ahead, and how often it earns more.

    Skills do not drift: the bidders are what they are, and all contests count alike. With TrueSkill's drift deviations do
    not fall below about 1, however many the contests; what that leaves of the separation is reported beside it.
    """
    order = generator(seed, "contests").permutation(sum(map(len, contests)))
    played = [{kind: found["profit"] for kind, found in one.items()} for part in contests for one in part]
    mixed = [played[i] for i in order]
    ratings, drifting = skill(mixed, drift=0.0), skill(mixed)
    for kind, rating in ratings.items():
        interval = Estimate(
            rating.mean, rating.mean - 1.96 * rating.sd, rating.mean + 1.96 * rating.sd, len(played), "skill by profit"
        )
        findings.estimate("skill", interval, "Skill in contests of three", arm=kind)
        for what, label in (("profit", "Profit of an auction of three"), ("items", "Items won in an auction of three")):
            each = [float(np.mean([one[kind][what] for one in part if kind in one])) for part in contests]
            findings.estimate(f"contest_{what}", mean(each), label, arm=kind)
    for kind, strength in bradley_terry(wins_of(played)).items():
        findings.estimate("strength", strength, "Bradley-Terry strength in the same contests", arm=kind, unit="nats")
    label = "Skill of the adaptive bidder above it, in standard deviations of the difference"
    for kind in ratings:
        if kind == "adaptive":
            continue
        for name, words, found in (("separation", "", ratings), ("separation_drift", ", if skills drifted", drifting)):
            sigmas = Estimate.exact(_sigmas(found["adaptive"], found[kind]), len(played), "skill by profit")
            findings.estimate(name, sigmas, label + words, arm=kind)
        shares = []
        for part in contests:
            both = [one for one in part if {"adaptive", kind} <= one.keys()]
            shares.append(float(np.mean([_ahead(one["adaptive"]["profit"], one[kind]["profit"]) for one in both])))
        findings.estimate(
            "earns_more", mean(shares), "Contests in which the adaptive bidder earns more than it", arm=kind, unit="%"
        )


def _sigmas(a: Rating, b: Rating) -> float:
    return (a.mean - b.mean) / math.hypot(a.sd, b.sd)


def _ahead(a: float, b: float) -> float:
    return 1.0 if a > b else 0.5 if a == b else 0.0


def second_highest(n: int) -> float:
    """The mean of the second-highest of n standard normal draws, by numerical integration (0 for three, by symmetry)."""
    from scipy.stats import norm

    x = np.linspace(-8, 8, 4001)
    below, density = norm.cdf(x), norm.pdf(x)
    return float(np.trapezoid(x * n * (n - 1) * (1 - below) * below ** (n - 2) * density, x))


def curse(
    findings: Findings,
    over: Mapping[float, Sequence[float]],
    many: Mapping[int, Sequence[float]],
    rooms: Mapping[tuple[str, float], Sequence[Sequence[float]]],
    noise: float,
) -> None:
    """Profit over overestimation, over the number of bidders, and in rooms of one kind."""
    words = "Profit of a sale over the value: truthful bidders whose money is no limit"
    for level, found in over.items():
        findings.estimate("cursed", mean(found), words, arm=f"overestimate {level:.0%}", unit="%")
    x = np.repeat(list(over), [len(found) for found in over.values()])
    y = np.concatenate([np.asarray(found) for found in over.values()])
    n = len(next(iter(over.values())))
    slopes = [np.polyfit(list(over), [found[i] for found in over.values()], 1)[0] for i in range(n)]
    findings.estimate("curse_slope", mean(slopes), "Change of that for each unit of overestimation")
    slope, start = np.polyfit(x, y, 1)
    findings.estimate(
        "curse_zero",
        Estimate.exact(round(-start / slope, 6) + 0.0, len(y), "least squares"),
        "Overestimation at which it is zero",
        unit="%",
    )
    words = f"The same without bias, but with private errors of {noise:.0%}"
    for bidders, found in many.items():
        findings.estimate("cursed_by_number", mean(found), words, arm=f"{bidders} bidders", unit="%")
    for (kind, level), found in rooms.items():
        each = [float(np.mean(one)) for one in found]
        findings.estimate(
            "room_profit", mean(each), f"Profit among its like, overestimate {level:.0%}", arm=f"{kind} {level}"
        )


def audits(findings: Findings, parts: Sequence[Sequence[int]]) -> None:
    """How many planted errors the belief audit finds, and how many it finds where there are none."""
    errors, caught, statuses, alarms = np.sum(parts, axis=0).tolist()
    findings.estimate("errors_found", proportion(caught, errors), "Planted errors of belief that the audit finds", unit="%")
    findings.estimate("false_alarms", proportion(alarms, statuses), "True statuses in which it finds an error", unit="%")


def conducts(findings: Findings, label: str, found: Sequence[Mapping[str, Any]]) -> None:
    """The measures of a bidder's conduct over its auctions; those that it does not have are left out."""
    for name, words in MEASURES.items():
        values = [one[name] for one in found if one.get(name) is not None]
        if values:
            unit = "%" if name in SHARES else ""
            findings.estimate(f"conduct_{name}", mean(values), words, arm=label, unit=unit)


def ablations(findings: Findings, arms: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """The planner's arms and the coded bidders in the same seat, and what each ablation changes, seed by seed."""
    for arm, found in arms.items():
        conducts(findings, arm, found)
    full = arms[FULL]
    for arm, found in arms.items():
        if arm in (FULL, *BIDDERS):
            continue
        for name in ("profit", "items", "refused", "left_self", "left_others"):
            pairs = [(one[name], other[name]) for one, other in zip(full, found, strict=True)]
            pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
            change = paired_difference([a for a, _ in pairs], [b for _, b in pairs])
            findings.estimate(f"gain_{name}", change, f"{MEASURES[name]}: the full planner minus this", arm=arm)
    rows = [{"bidder": arm, **{name: _cell(findings, f"conduct_{name}", arm) for name in MEASURES}} for arm in arms]
    findings.table("conduct", pl.DataFrame(rows), "Each bidder in the same seat of the same auctions: means")


def _cell(findings: Findings, name: str, arm: str) -> float | None:
    found = next((m.estimate.value for m in findings.measured if m.name == name and m.arm == arm), None)
    return None if found is None else round(found, 3)
