"""Ratings of contestants from the results of contests: Bayesian skills, and Bradley-Terry by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError, not_installed
from ethogram.measures.estimate import Estimate, check_level

__all__ = ["Rating", "bradley_terry", "skill", "wins_of"]

STEPS, NEAR = 100, 1e-10
DRIFT = 25 / 300
"""TrueSkill's own."""


class Rating(NamedTuple):
    """What is known of a contestant's skill: a normal distribution. One that has never been seen has 25 and 25/3."""

    mean: float
    sd: float


def skill(contests: Sequence[Mapping[str, float]], *, drift: float = DRIFT) -> dict[str, Rating]:
    """Skills in the manner of TrueSkill: the Thurstone-Mosteller model, updated contest by contest (Weng & Lin 2011).

    The order of contests matters a little, as in TrueSkill: later ones tell on better known contestants. A difference of
    25/6 (beta) in skill is a chance of about 76 % to win.

    Args:
        contests: of each, the score of all who took part; the higher is the better, the same is a draw.
        drift: how far a skill may have moved from one contest to the next (tau), which keeps deviations from falling below
            about 1. 0 for contestants that never change, whose contests then all count alike.

    Returns:
        The rating of each contestant, in the order in which they first appear.

    Raises:
        ConfigError: the package openskill is not installed.
        DataError: a contest has fewer than two contestants, or a score that is no finite number.
    """
    try:
        from openskill.models import ThurstoneMostellerFull
    except ModuleNotFoundError as error:
        raise not_installed(error, "skill()") from error
    model = ThurstoneMostellerFull(tau=drift)
    known = {name: model.rating(name=name) for contest in contests for name in contest}
    for at, contest in enumerate(contests):
        if len(contest) < 2 or not all(math.isfinite(score) for score in contest.values()):
            raise DataError(f"contest {at} must have two or more contestants with finite scores, not {dict(contest)}")
        teams = model.rate([[known[name]] for name in contest], scores=[float(score) for score in contest.values()])
        known.update({name: team[0] for name, team in zip(contest, teams, strict=True)})
    return {name: Rating(rating.mu, rating.sigma) for name, rating in known.items()}


def wins_of(contests: Sequence[Mapping[str, float]]) -> dict[tuple[str, str], float]:
    """How often each beat each in contests of two or more, as `bradley_terry` takes it; a draw is half a win for both."""
    wins: dict[tuple[str, str], float] = {}
    for contest in contests:
        for a, own in contest.items():
            for b, other in contest.items():
                if a != b:
                    wins[a, b] = wins.get((a, b), 0.0) + (1.0 if own > other else 0.5 if own == other else 0.0)
    return wins


def bradley_terry(wins: Mapping[tuple[str, str], float], *, prior: float = 0.0, level: float = 0.95) -> dict[str, Estimate]:
    """Strengths s in P(a beats b) = 1 / (1 + exp(s_b - s_a)), by maximum likelihood (Bradley & Terry 1952).

    Their mean is 0. Intervals are Wald's, from the observed information. A maximum exists where, however the contestants are
    parted into two groups, somebody of each has beaten somebody of the other (Ford 1957).

    Args:
        wins: how often the first of a pair beat the second; a draw is half a win for each.
        prior: so many wins of each over each other are added. With 0.5 (as Jeffreys' prior has it for two) strengths are
            finite for those too who never lost, never won, or never met the others; all are drawn together by it.
        level: coverage of the intervals.

    Returns:
        An estimate for each contestant, in the order in which they first appear; `n` is the number of its contests.

    Raises:
        ConfigError: the prior is negative.
        DataError: wins are no finite numbers of 0 or more, someone meets itself, there are fewer than two; or there is no
            maximum, and it says who is in the way.
    """
    from scipy.special import ndtri

    check_level(level)
    if prior < 0:
        raise ConfigError(f"prior is {prior}, and must be 0 or more")
    names = list(dict.fromkeys(name for pair in wins for name in pair))
    at = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for (a, b), count in wins.items():
        if a == b or not math.isfinite(count) or count < 0:
            raise DataError(f"wins of {a!r} over {b!r} are {count}: give a number of 0 or more, for two different ones")
        table[at[a], at[b]] += count
    if len(names) < 2:
        raise DataError("bradley_terry needs the contests of two contestants or more")
    met = (table + table.T).sum(axis=1)
    table += prior * (1 - np.eye(len(names)))
    _demand_maximum(table, names)
    strengths, information = _fit(table)
    spread = np.sqrt(np.diag(np.linalg.pinv(information)))
    width = float(ndtri((1 + level) / 2))
    how = f"Bradley-Terry, {f'{prior:g} wins of each over each added' if prior else 'maximum likelihood'}, Wald interval"
    return {
        name: Estimate(float(s), float(s - width * sd), float(s + width * sd), round(n), how, level)
        for name, s, sd, n in zip(names, strengths, spread, met, strict=True)
    }


def _demand_maximum(table: NDArray[np.float64], names: list[str]) -> None:
    """DataError where a group has no win over the rest, or the rest none over it."""
    from scipy.sparse.csgraph import connected_components

    count, group = connected_components(table > 0, directed=True, connection="strong")
    if count == 1:
        return
    found = []
    for g in range(count):
        inside = group == g
        won, lost = table[np.ix_(inside, ~inside)].any(), table[np.ix_(~inside, inside)].any()
        if not (won and lost):
            what = "never met" if not (won or lost) else "never lost to" if won else "never beat"
            found.append((int(inside.sum()), what, [name for name, within in zip(names, inside, strict=True) if within]))
    _, what, who = min(found)
    raise DataError(
        f"the strengths have no maximum of likelihood: {', '.join(who)} {what} any of the others; leave out who is in the "
        "way, or give prior=0.5"
    )


def _fit(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strengths that sum to 0, and the observed information, by Newton's method with halved steps."""
    s = np.zeros(len(table))
    games = table + table.T
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(s[None, :] - s[:, None]))
        weight = games * chance * chance.T
        information = np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.pinv(information) @ (table - games * chance).sum(axis=1)
        while _likelihood(table, s + step) < _likelihood(table, s) - NEAR:
            step = step / 2
        s = s + step
        if np.abs(step).max() < NEAR:
            return s - s.mean(), information
    raise DataError(f"the strengths have no maximum of likelihood that {STEPS} steps find; give prior=0.5")


def _likelihood(table: NDArray[np.float64], s: NDArray[np.float64]) -> float:
    return float(-(table * np.logaddexp(0, s[None, :] - s[:, None])).sum())
