"""The priority heuristic: choosing between two gambles by one reason at a time, without trade-offs."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.gambles import Choices, Gambles

__all__ = ["PriorityHeuristic"]

Array = NDArray[np.float64]
ENOUGH = 0.1
"""Differences of outcomes count from a tenth of the largest, those of probabilities from ten per cent."""
PROMINENT = np.array([base * 10.0**power for power in range(-4, 8) for base in (1, 2, 5)])


class PriorityHeuristic:
    """Brandstätter, Gigerenzer and Hertwig (2006), Psychological Review 113, with the extension to several outcomes.

    Of gains, and of gains and losses mixed: take the gamble with the better worst outcome, if the two differ by a tenth of
    the largest outcome (rounded to a prominent number) or more; else the one whose worst outcome is less likely, if by ten
    per cent or more; else the one with the better best outcome; else the one where that is likelier. Of losses alone: begin
    with the best outcome (the smallest loss) and take the gamble where it is better, then likelier; then the worst.

    Args:
        lapse: how often the other gamble is taken; `fit` sets it to how often people did.
    """

    def __init__(self, lapse: float = 0.0) -> None:
        self.lapse = lapse

    def fit(self, data: Choices) -> Self:
        """The rate of lapses that makes people's choices likeliest, at most a half."""
        says = self.says(data.a, data.b)
        against = np.where(says > 0, 1 - data.rate, data.rate)
        weight = data.people * (says != 0)
        self.lapse = float(np.clip(weight @ against / max(weight.sum(), 1e-12), 1e-3, 0.5))
        return self

    def predict(self, a: Gambles, b: Gambles) -> Array:
        """P(B), shape (rows,); a half where no reason decides."""
        return 0.5 + self.says(a, b) * (0.5 - self.lapse)

    def says(self, a: Gambles, b: Gambles) -> Array:
        """What the heuristic takes: 1 for B, -1 for A, 0 where no reason decides; shape (rows,)."""
        sides = [_reasons(g) for g in (a, b)]
        largest = np.maximum(*(np.where(g.probabilities > 0, np.abs(g.outcomes), 0).max(1) for g in (a, b)))
        aspired = PROMINENT[np.abs(PROMINENT - ENOUGH * largest[:, None]).argmin(1)]
        (worst, unlikely, best, likely), losses = sides[1] - sides[0], _losses(a) & _losses(b)
        # of losses the best outcome and its chance come first, of anything else the worst and its chance
        first, chance = np.where(losses, best, worst), np.where(losses, likely, unlikely)
        third, last = np.where(losses, worst, best), np.where(losses, unlikely, likely)
        by_outcome, by_chance = np.abs(first) >= aspired, np.abs(chance) >= ENOUGH - 1e-9
        rest = np.where(third != 0, third, last)
        return np.sign(np.where(by_outcome, first, np.where(by_chance, chance, rest)))


def _reasons(g: Gambles) -> Array:
    """Worst outcome, minus its chance, best outcome, its chance: more of each speaks for a gamble; shape (4, rows)."""
    there = g.probabilities > 0
    worst = np.where(there, g.outcomes, np.inf).min(1)
    best = np.where(there, g.outcomes, -np.inf).max(1)
    at_worst, at_best = ((g.probabilities * (g.outcomes == end[:, None])).sum(1) for end in (worst, best))
    return np.array([worst, -at_worst, best, at_best])


def _losses(g: Gambles) -> NDArray[np.bool_]:
    return np.where(g.probabilities > 0, g.outcomes, 0.0).max(1) <= 0
