"""Distances, gaps and effect sizes by party and year, for any way of answering, with a bootstrap over people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate
from ethogram.questionnaires.datasets.anes import LEVELS, PARTIES
from ethogram.seeds import generator
from ethogram.studies.people._deep_binding_people import DEGREES, ITEMS, SIDES, histogram, partisans, spread

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Cells", "cells", "estimated", "people_alone", "real_people"]

Array = NDArray[np.float64]


class Cells(NamedTuple):
    """What came of one way of answering; the first entry is the sample's own, the others are resamples."""

    years: tuple[int, ...]
    distance: Array
    """Wasserstein-1 distance to the people of a year and group, as a share of the range: (draws, years, groups, items)."""
    mean: Array
    """Mean degrees; the same shape."""
    variance: Array
    """Variance of degrees; the same shape."""

    def distances(self, year: int | None = None, side: str | None = None) -> Array:
        """Mean distance over items, and over years and parties where none is given: shape (draws,)."""
        found = self.distance if year is None else self.distance[:, [self.years.index(year)]]
        return (found if side is None else found[:, :, [SIDES.index(side)]]).mean((1, 2, 3))

    def gaps(self) -> Array:
        """How much warmer one's own party is than the other, in degrees: shape (draws, years, parties)."""
        return _own_less_other(self.mean)

    def growth(self) -> Array:
        """Slope of the gap, mean over parties, on the year: degrees a year, shape (draws,)."""
        centred = np.array(self.years, float) - np.mean(self.years)
        return self.gaps().mean(2) @ centred / (centred**2).sum()

    def effects(self, year: int) -> Array:
        """Cohen's d of own and other party, shape (draws, parties): the gap over the root of the mean variance."""
        at = self.years.index(year)
        return self.gaps()[:, at] / np.sqrt(self.variance[:, at].mean(-1))


def _own_less_other(table: Array) -> Array:
    gap = table[..., ITEMS.index("democrats")] - table[..., ITEMS.index("republicans")]
    return gap * np.array([1.0, -1.0])  # Democrats, Republicans


GROUPS = {"party": SIDES, "identity": tuple(level for level in LEVELS["identity"] if level != PARTIES[2])}
"""What people are grouped by: two parties, or six ways of identifying with them."""


def cells(answers: Array, people: pl.DataFrame, seed: int, draws: int, by: str = "party") -> Cells:
    """Hold simulated answers of a weighted sample beside all real people of their years and parties.

    All is resampled: who was simulated within each year and party identification, how many of a party identify with it how,
    and the real people.

    Args:
        answers: shares of the options, or of degrees, for each person and thermometer: shape (people, items, 5 or 101).
        people: what `drawn` gave.
        seed: of the resamples, which are the same for all ways of answering of the same people.
        draws: how many.
        by: `party`, or `identity` for distances to the people of each party identification.
    """
    degrees = answers if answers.shape[-1] == DEGREES else answers @ spread()
    years = tuple(sorted(set(people["year"].to_list())))
    weights = _weights(people, seed, draws)
    group, year = people[by].to_numpy(), people["year"].to_numpy()
    made = np.empty((draws + 1, len(years), len(GROUPS[by]), len(ITEMS), DEGREES))
    for i, one in enumerate(years):
        for j, name in enumerate(GROUPS[by]):
            mine = (year == one) & (group == name)
            share = weights[:, mine] / weights[:, mine].sum(1, keepdims=True)
            made[:, i, j] = np.einsum("dp,pqo->dqo", share, degrees[mine])
    return _compared(made, _real(years, seed, draws, by), years)


def people_alone(years: tuple[int, ...], seed: int, draws: int, by: str = "party") -> Cells:
    """The floor: as many people again as were asked, drawn from those who were; the first entry is the mean of all draws."""
    rng = generator(seed, "floor")
    real = _real(years, seed, draws, by)
    made = np.empty_like(real)
    for i, one in enumerate(years):
        for j, name in enumerate(GROUPS[by]):
            n = _members(one, by, name).height
            for k in range(len(ITEMS)):
                made[:, i, j, k] = rng.multinomial(n, real[0, i, j, k], draws + 1) / n
    real[1:] = real[0]
    found = _compared(made, real, years)
    for table in (found.distance, found.mean, found.variance):
        table[0] = table[1:].mean(0)
    return found


def _members(year: int, by: str, group: str) -> pl.DataFrame:
    """The real people of a year and group."""
    return partisans().filter((partisans()["year"] == year) & (partisans()[by] == group))


def _weights(people: pl.DataFrame, seed: int, draws: int) -> Array:
    """Weights of the people in each resample, shape (draws + 1, people): the sample's own first."""
    weights = np.tile(people["weight"].to_numpy(), (draws + 1, 1))
    strata = list(people.select("year", "party", "identity").iter_rows())
    for year, party in dict.fromkeys(stratum[:2] for stratum in strata):
        names = list(dict.fromkeys(stratum[2] for stratum in strata if stratum[:2] == (year, party)))
        counts = np.array([_members(year, "identity", name).height for name in names])
        rng = generator(seed, "strata", year, party)
        shares = rng.multinomial(counts.sum(), counts / counts.sum(), draws) / counts
        for name, share in zip(names, shares.T, strict=True):
            mine = np.array([stratum == (year, party, name) for stratum in strata])
            n = int(mine.sum())
            picked = generator(seed, "stratum", year, name).multinomial(n, np.full(n, 1 / n), draws)
            weights[1:, mine] *= picked * share[:, None]
    return weights


def _real(years: tuple[int, ...], seed: int, draws: int, by: str = "party") -> Array:
    """Shares of degrees among real people, resampled after the first: (draws + 1, years, groups, items, 101)."""
    rng = generator(seed, "real", by)
    real = np.empty((draws + 1, len(years), len(GROUPS[by]), len(ITEMS), DEGREES))
    for i, one in enumerate(years):
        for j, name in enumerate(GROUPS[by]):
            those = _members(one, by, name)
            for k, item in enumerate(ITEMS):
                shares = histogram(those[item]) / those.height
                real[0, i, j, k] = shares
                real[1:, i, j, k] = rng.multinomial(those.height, shares, draws) / those.height
    return real


def _compared(made: Array, real: Array, years: tuple[int, ...]) -> Cells:
    distance = np.abs(np.cumsum(made - real, -1))[..., :-1].sum(-1) / (DEGREES - 1)
    degrees = np.arange(DEGREES)
    mean = made @ degrees
    return Cells(years, distance, mean, made @ degrees**2 - mean**2)


def real_people(years: tuple[int, ...], seed: int, draws: int) -> Cells:
    """The real people themselves: their gaps and effects, resampled."""
    real = _real(years, seed, draws)
    return _compared(real, real, years)


def estimated(draws: Array, n: int, what: str, recentred: bool = False) -> Estimate:
    """The first of the draws, with the interval of the others.

    Args:
        draws: shape (draws + 1,).
        n: people.
        what: how the value was computed.
        recentred: about the value: resampling adds to a distance.
    """
    value, rest = float(draws[0]), draws[1:]
    shift = value - float(np.median(rest)) if recentred else 0.0
    low, high = np.quantile(rest + shift, [0.025, 0.975])
    return Estimate(value, float(low), float(high), n, f"{what}, bootstrap of {len(rest)} over people")
