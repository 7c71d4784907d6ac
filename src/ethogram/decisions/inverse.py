"""Inverse decision-making: what a choice says about what the chooser likes (Jern, Lucas and Kemp 2017, Cognition 168).

A choice is written as in the authors' release: options by their attributes, separated by `/`, the chosen one last. In
`dc/bx/ax` somebody had three bags to choose from (candies d and c; b and x; a and x) and took the last. What is asked is
how strongly that suggests that the chooser likes x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError

__all__ = [
    "ATTRIBUTES",
    "CARDS",
    "CONDITIONS",
    "FEATURES",
    "InverseChooser",
    "Revealed",
    "feature_counts",
    "options",
    "ranks",
    "read_rankings",
]

Array = NDArray[np.float64]
ATTRIBUTES = "abcdx"
"""The attributes that options may have; x is the one asked about, the others are interchangeable."""
RELEASED = (
    "a/x dcb/ax dx/cx/bx/ax ab/ax dcba/x dcb/a/x dcx/bax bdx/cax/bax bad/bcx/bax dc/ba/x d/c/b/a/x bdc/bax cb/a/x bax "
    "bdx/bcx/bax cb/ax ad/ac/bx/ax d/c/bax x dc/bax b/a/x dc/b/a/x ad/cx/bx/ax ac/bx/ax dc/b/ax ax c/b/ax dcax/bcax "
    "ac/ab/ax dc/bx/ax ba/x bx/ax cx/bx/ax d/c/b/ax b/ax c/bax cba/x cax/bax cbax dcbax cbad/cbax bad/bax ad/ac/ab/ax "
    "dc/ab/ax c/b/a/x d/cbax bad/bac/bax"
)
CARDS = tuple(RELEASED.split())
"""The choices of experiment 1, in the order of the columns of the released rankings."""
CONDITIONS = ("positive", "negative")
"""Whether attributes are wanted (candies in bags) or borne (electric shocks in sets)."""
FEATURES = ("chosen", "forgone", "options", "options with x")
SETTLED = 9
"""Decimals to which values are rounded before they are ranked: what differs by less is tied."""


def options(card: str) -> Array:
    """The options of a choice as rows of 0 and 1, shape (options, attributes), the chosen one last.

    Raises:
        ConfigError: an option is empty, has an attribute that is unknown or twice, or the chosen one lacks x.
    """
    bags = card.split("/")
    for bag in bags:
        if not bag or len(set(bag)) < len(bag) or set(bag) - set(ATTRIBUTES):
            raise ConfigError(f"the choice {card!r} has an option {bag!r}: give each some of the letters {ATTRIBUTES}, once")
    if "x" not in bags[-1]:
        raise ConfigError(f"in the choice {card!r} the last option, which is the chosen one, has no x")
    return np.array([[float(attribute in bag) for attribute in ATTRIBUTES] for bag in bags])


class Revealed(NamedTuple):
    """What choices reveal, each of shape (choices,)."""

    absolute: Array
    """The posterior mean of the utility of x: how much x is liked."""
    relative: Array
    """The posterior probability that x has the highest utility of all attributes: whether x is liked best."""
    surprise: Array
    """1 / the prior probability of the choice."""


@dataclass(frozen=True)
class InverseChooser:
    """Infers utilities from a choice, by Bayes' rule and importance sampling from the prior.

    Attributes have independent Gaussian utilities; an option's utility is their sum; the chooser takes an option with a
    probability proportional to exp(utility / temperature).

    Draws are made symmetric: each is used with all orders of the other attributes and mirrored in the utility of x, so
    that choices which say the same come out the same but for rounding, and one that does not depend on x says nothing.

    Args:
        mean: of the prior; below zero for attributes that are borne. The paper's has its mean at two standard deviations.
        sd: of the prior.
        temperature: of the chooser; towards 0 it takes the best.
        draws: from the prior, each used 48 times.
        seed: of the draws.
    """

    mean: float = 4.0
    sd: float = 2.0
    temperature: float = 1.0
    draws: int = 4000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sd <= 0 or self.temperature <= 0 or self.draws < 1:
            raise ConfigError(
                f"sd={self.sd}, temperature={self.temperature}, draws={self.draws}: give positive numbers for all three"
            )

    def infer(self, cards: Sequence[str]) -> Revealed:
        """What each choice reveals, choice by choice."""
        base = np.random.default_rng(self.seed).normal(self.mean, self.sd, (self.draws, len(ATTRIBUTES)))
        mirrored = np.column_stack([base[:, :-1], 2 * self.mean - base[:, -1]])
        utilities = np.concatenate([base, mirrored])
        x, highest = utilities[:, -1], utilities.argmax(1) == len(ATTRIBUTES) - 1
        found = np.array([self._of(options(card), utilities, x, highest) for card in cards]).reshape(len(cards), 3)
        return Revealed(*found.T)

    def _of(self, offered: Array, utilities: Array, x: Array, highest: NDArray[np.bool_]) -> tuple[float, float, float]:
        weight = liked = best = 0.0
        orders = list(permutations(range(len(ATTRIBUTES) - 1)))
        for order in orders:
            u = utilities @ offered[:, [*order, len(ATTRIBUTES) - 1]].T / self.temperature
            chance = 1 / np.exp(u - u[:, -1:]).sum(1)
            weight += float(chance.sum())
            liked += float(chance @ x)
            best += float(chance @ highest)
        return liked / weight, best / weight, len(orders) * len(x) / weight


def feature_counts(cards: Sequence[str]) -> Array:
    """What can be counted of choices, shape (choices, 4), in the order of `FEATURES`.

    Attributes of the chosen option; different attributes of the others that the chosen one lacks; options forgone; and how
    many of these have x. The paper's rival to inference weights such features.
    """
    rows = []
    for card in cards:
        offered = options(card)
        others, chosen = offered[:-1], offered[-1]
        forgone = (others.max(0) > chosen).sum() if len(others) else 0
        rows.append((chosen.sum(), forgone, len(others), others[:, -1].sum()))
    return np.array(rows, dtype=float)


def ranks(values: Array) -> Array:
    """Ranks from 1, the weakest evidence first; ties share the mean of their ranks."""
    from scipy.stats import rankdata

    return rankdata(np.round(values, SETTLED))


def read_rankings(folder: str | Path) -> dict[str, Array]:
    """How people ranked the choices of experiment 1, as github.com/alanjern/preferencelearning has them (no licence stated).

    Args:
        folder: a copy of the repository, of which `Experiment 1/Data/Raw data/Positive-attributes/rawdata_fractional.csv`
            and the same of `Negative-attributes` are read: a row a person, a column a choice in the order of `CARDS`.

    Returns:
        By condition, the ranks, shape (people, choices): 1 for the weakest evidence, ties at the mean of their ranks.

    Raises:
        DataError: a file is missing, or is not of this form; the message says which.
    """
    found = {}
    for condition in CONDITIONS:
        below = Path("Experiment 1", "Data", "Raw data", f"{condition.capitalize()}-attributes", "rawdata_fractional.csv")
        path = Path(folder) / below
        if not path.is_file():
            raise DataError(
                f"there is no {below.as_posix()} in {folder}: get it from github.com/alanjern/preferencelearning"
            )
        found[condition] = _ranking(path)
    return found


def _ranking(path: Path) -> Array:
    lines = [line.strip().rstrip(",").split(",") for line in path.read_text("utf-8").splitlines() if line.strip()]
    try:
        table = np.array([[float(value) for value in line] for line in lines])
    except ValueError:
        raise DataError(f"{path} is not a table of numbers, as long in each row") from None
    n = len(CARDS)
    if table.ndim != 2 or table.shape[1] != n:
        raise DataError(f"{path} has rows that do not rank {n} choices")
    wrong = [i for i, row in enumerate(table) if not math.isclose(row.sum(), n * (n + 1) / 2)]
    if wrong:
        raise DataError(f"{path}, row {wrong[0] + 1}: its ranks do not add up to {n * (n + 1) // 2}, as ranks of {n} do")
    return table
