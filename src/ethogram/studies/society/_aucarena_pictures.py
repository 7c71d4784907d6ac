"""The pictures of `aucarena`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.studies import Findings
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.society._aucarena_findings import second_highest
from ethogram.studies.society._aucarena_scene import BIDDERS

__all__ = ["course", "draw_ablations", "draw_curse", "draw_skill"]

COLOURS = dict(zip(BIDDERS, SERIES, strict=False))


def draw_skill(findings: Findings) -> None:
    """Skill with three standard deviations, and profit, of each coded bidder."""
    figure, (left, right) = canvas(columns=2, height=3.0)
    for i, kind in enumerate(BIDDERS):
        skill, profit = findings.get("skill", kind), findings.get("contest_profit", kind)
        three = 3 * (skill.high - skill.low) / 2 / 1.96
        left.errorbar(skill.value, -i, xerr=three, fmt="o", color=COLOURS[kind], capsize=3)
        spread = [[profit.value - profit.low], [profit.high - profit.value]]
        right.errorbar(profit.value, -i, xerr=spread, fmt="o", color=COLOURS[kind], capsize=3)
    for axes, label in ((left, "skill, ± 3 standard deviations"), (right, "profit of an auction, 95 %")):
        axes.set_yticks([-i for i in range(len(BIDDERS))], list(BIDDERS))
        axes.set_ylim(-len(BIDDERS) + 0.5, 0.5)
        axes.set_xlabel(label)
    figure_words = "Skill of the coded bidders by profit in contests of three, and their mean profit."
    findings.figure("skill", figure, figure_words)


def course(findings: Findings, shown: Mapping[str, Any], kinds: Sequence[str], budget: int) -> None:
    """How the price of each item climbed in one auction, and how everybody's wealth moved."""
    figure, (left, right) = canvas(columns=2, height=3.9)
    for place, price in enumerate(shown["prices"]):
        bids = [(amount / price, leader) for at, amount, leader in shown["bids"] if at == place]
        for step, (height, leader) in enumerate(bids):
            left.plot(place + 0.8 * step / max(len(bids), 8), height, "o", color=COLOURS[leader], markersize=3.5)
        if bids:
            left.plot(
                [place, place + 0.8 * (len(bids) - 1) / max(len(bids), 8)], [bids[0][0], bids[-1][0]], lw=0.6, color="#888"
            )
    left.axhline(2, color="#888888", lw=1, ls="--")
    left.annotate("value", (0, 2), xytext=(0, 3), textcoords="offset points")
    left.set_xticks(np.arange(len(shown["prices"])) + 0.3, [str(i + 1) for i in range(len(shown["prices"]))])
    left.set(xlabel="item", ylabel="bid over the price called out", ylim=(0.9, 2.25))
    for kind in kinds:
        money, wealth = [budget], [0]
        for _, winner, price, value in shown["sales"]:
            money.append(money[-1] - (price if winner == kind else 0))
            wealth.append(wealth[-1] + (value - price if winner == kind else 0))
        right.step(range(len(money)), np.array(money) / 1000, where="post", color=COLOURS[kind], lw=1.2, ls=":")
        right.step(range(len(wealth)), np.array(wealth) / 1000, where="post", color=COLOURS[kind], label=kind)
    right.set(xlabel="items sold", ylabel="profit (line), money left (dotted), thousands", ylim=(-1, budget / 1000 * 1.05))
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=9)
    words = (
        "One auction. Left: each dot is a bid that led, in the colour of its bidder, over the price at which the item was "
        "called out. Right: profit (lines) and money left (dotted) of each bidder after each item."
    )
    findings.figure("course", figure, words)


def draw_curse(
    findings: Findings, levels: Sequence[float], numbers: Sequence[int], rooms: Sequence[float], noise: float
) -> None:
    """Profit over overestimation, over the number of bidders, and in rooms of one kind."""
    figure, (left, middle, right) = canvas(columns=3, width=9.5, height=3.3)
    _band(left, levels, [findings.get("cursed", f"overestimate {level:.0%}") for level in levels], SERIES[0], 100)
    left.plot(np.array(levels) * 100, -np.array(levels) * 100, color="#888888", lw=1, ls="--", label="price = estimate")
    left.set(xlabel="overestimation, %", ylabel="profit over value, %")
    left.legend()
    found = [findings.get("cursed_by_number", f"{n} bidders") for n in numbers]
    _band(middle, numbers, found, SERIES[0], 100, 1)
    theory = [-noise * second_highest(n) * 100 for n in numbers]
    middle.plot(numbers, theory, color="#888888", lw=1, ls="--", label="second-highest estimate")
    middle.set(xlabel=f"bidders with errors of {noise:.0%}", xticks=list(numbers))
    middle.legend()
    for kind in BIDDERS:
        found = [findings.get("room_profit", f"{kind} {level}") for level in rooms]
        _band(right, rooms, found, COLOURS[kind], 1 / 1000, 100, kind)
    right.set(xlabel="overestimation, %", ylabel="profit among its like, thousands")
    right.set_ylim(bottom=-2.2)
    right.legend(loc="lower left", ncols=2, fontsize=8)
    for axes in (left, middle, right):
        axes.axhline(0, color="#888888", lw=0.8)
    words = (
        "The winner's curse. Left: profit of a sale among truthful bidders with ample money, by how much all overestimate. "
        "Middle: the same without bias but with private errors, by the number of bidders. Right: profit of each coded "
        "bidder in a room of three of its kind, with the usual budget."
    )
    findings.figure("curse", figure, words)


def _band(
    axes: Any, x: Sequence[float], found: Sequence[Any], colour: str, scale: float, across: float = 100, label: str = ""
) -> None:
    at = np.array(x) * across
    values, low, high = (np.array([getattr(one, part) for one in found]) * scale for part in ("value", "low", "high"))
    axes.plot(at, values, "o-", color=colour, markersize=3.5, lw=1.4, label=label or None)
    axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)


def draw_ablations(findings: Findings, arms: Sequence[str], name: str, words: str) -> None:
    """Profit, refused bids and wrong beliefs of each arm."""
    shown = (
        ("conduct_profit", "profit", 1.0),
        ("conduct_refused", "refused bids, %", 100.0),
        ("conduct_left_self", "own status wrong, %", 100.0),
    )
    figure, axes = canvas(columns=3, width=9.5, height=0.7 + 0.32 * len(arms))
    for k, (measure, label, scale) in enumerate(shown):
        for i, arm in enumerate(arms):
            found = next((m.estimate for m in findings.measured if m.name == measure and m.arm == arm), None)
            if found is None:
                continue
            colour = SERIES[1] if arm in BIDDERS or "at its seat" in arm else SERIES[0]
            spread = [[(found.value - found.low) * scale], [(found.high - found.value) * scale]] if found.bounded else None
            axes[k].errorbar(found.value * scale, -i, xerr=spread, fmt="o", color=colour, capsize=3)
        axes[k].set_yticks([-i for i in range(len(arms))], [arm.removeprefix("model: ") for arm in arms] if k == 0 else [])
        axes[k].set_ylim(-len(arms) + 0.5, 0.5)
        axes[k].set_xlabel(label)
    findings.figure(name, figure, words)
