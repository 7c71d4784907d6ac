"""`twin-2k-500`, the recorded twins of the mega-study beside the people whom they stand for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.measures import Estimate, mean
from ethogram.measures.fidelity.individuals import individuals
from ethogram.measures.fidelity.items import Beside
from ethogram.measures.fidelity.samples import Samples, samples
from ethogram.records.reference import reference
from ethogram.seeds import generator

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SCALES", "Contrast", "Mega", "contrasts", "mega", "of_contrasts", "studies", "whole"]

Array = NDArray[np.float64]
KEY = "TWIN_ID"
LEAST = 30
"""A contrast with fewer people is left out."""


class Scale(NamedTuple):
    """Questions of one study, and the ends of the scale that they were answered on."""

    study: str
    pattern: str
    low: float
    high: float


SCALES = (
    Scale("hiring algorithms", r"Q(6|8|10|13|15|16)", 1, 5),
    Scale("hiring algorithms", r"Q(9|14)", 1, 4),
    Scale("hiring algorithms", r"job\d_item\d", 1, 7),
    Scale("defaults", r"target_behavior_\w+", 0, 1),
    Scale("context effects", r"choice_target_\w+", 0, 1),
    Scale("consumer minimalism", r"Q(26|33|35|38)", 1, 7),
    Scale("privacy", r"PPV", 1, 7),
    Scale("quantitative intuition", r"[IQ]_(indiv|org)_mean", 1, 5),
    Scale("quantitative intuition", r"scenario_(close|open)_QI", 0, 1),
    Scale("affective priming", r"gratitude|lack of control|(gratitude|lack_of_control)_manipulation_check", 1, 7),
    Scale("redistribution", r"Fairness|Trust|Work vs Luck", 1, 3),
    Scale("redistribution", r"Redistribution \d", 1, 5),
    Scale("obedient twins", r"task [23] - S\d", 1, 7),
    Scale("accuracy nudges", r"(Fake|Real)\d_3", 1, 6),
    Scale("junk fees", r"fairness_average|reg_support", 1, 7),
    Scale("junk fees", r"percent_correct", 0, 100),
    Scale("promiscuous donors", r"rating_\d+_1", 1, 9),
    Scale("idea evaluation", r"rating\d+", 1, 5),
    Scale("digital certification", r"DV1", 1, 7),
    Scale("story beliefs", r"[AB]chap\d_(aro|val)", 1, 5),
    Scale("recommendation algorithms", r"(algo_knowledge|strategization_type\d)_\w+", 0, 1),
    Scale("recommendation algorithms", r"pref_control_\w+", 0, 6),
    Scale("recommendation algorithms", r"usage_\w+", 1, 5),
    Scale("infotainment", r"Profile\d+", 1, 7),
    Scale("targeting fairness", r"fair1", 1, 9),
)
"""The scales, from the studies' descriptions (github TianyiPeng/Twin-2K-500-Mega-Study, Apache-2.0) and the answers' form.
What matches none (word distances, logs of prices, changes of attitude, years of schooling) has no scale, and is left out."""


class Contrast(NamedTuple):
    """A difference within people: the mean of some items, less that of others of the same scale."""

    name: str
    one: str
    other: str
    """Patterns of the items."""


CONTRASTS = (
    Contrast("attraction effect", r"choice_target_attraction", r"choice_target_binary"),
    Contrast("compromise effect", r"choice_target_compromise", r"choice_target_binary"),
    Contrast("true over false headlines", r"Real\d_3", r"Fake\d_3"),
    Contrast("open over closed scenario", r"scenario_open_QI", r"scenario_close_QI"),
    Contrast("intuition: own over firm's", r"I_indiv_mean", r"I_org_mean"),
    Contrast("numbers: own over firm's", r"Q_indiv_mean", r"Q_org_mean"),
    Contrast("obedience 2: second over first", r"task 2 - S2", r"task 2 - S1"),
    Contrast("obedience 2: second over third", r"task 2 - S2", r"task 2 - S3"),
    Contrast("obedience 3: second over first", r"task 3 - S2", r"task 3 - S1"),
    Contrast("hiring: third over first job, item 1", r"job3_item1", r"job1_item1"),
    Contrast("hiring: third over fourth job, item 1", r"job3_item1", r"job4_item1"),
    Contrast("story A: arousal, later over earlier", r"Achap2_aro", r"Achap1_aro"),
    Contrast("story B: arousal, later over earlier", r"Bchap2_aro", r"Bchap1_aro"),
    Contrast("organic over green default", r"target_behavior_organ", r"target_behavior_green"),
)
"""Contrasts of items that the same people answered; the released table has no arms, so none is between people."""


class Mega(NamedTuple):
    """Twins and people, paired, on the items that have a scale."""

    samples: Samples
    studies: list[str]
    """Of each item."""
    left_out: list[str]
    """Items without a scale, with answers off it, or with too few."""


def mega() -> Mega:
    """The recorded twins, as they are under `ETHOGRAM_DATA`; DataError where they are not, or are of another form."""
    import polars as pl

    folder = reference("twin-mega-study")
    try:
        people, twins = (
            pl.read_csv(folder / f"combined_dv_{who}.csv", infer_schema_length=None) for who in ("human", "llm")
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{folder} holds no combined_dv_human.csv and combined_dv_llm.csv: {error}") from error
    return paired(people, twins)


def paired(people: pl.DataFrame, twins: pl.DataFrame) -> Mega:
    """The same from two tables of that layout: a row a person, the key `TWIN_ID`, a column an item."""
    known = {name: scale for name in people.columns if name in twins.columns and (scale := _scale(name))}
    bounds = {name: (scale.low, scale.high) for name, scale in known.items()}
    within = [
        name
        for name, (low, high) in bounds.items()
        if all(t[name].drop_nulls().is_between(low, high).all() for t in (people, twins))
    ]
    if not within:
        raise DataError("there are no columns of the mega-study's items in both tables, with answers on their scales")
    found = samples(people, twins, within, KEY, bounds)
    spare = [name for name in people.columns if name != KEY and name not in found.items]
    return Mega(found, [known[name].study for name in found.items], spare)


@cache
def _scale(name: str) -> Scale | None:
    return next((scale for scale in SCALES if re.fullmatch(scale.pattern, name)), None)


def whole(data: Mega, resamples: int, seed: int) -> dict[str, Beside]:
    """Accuracy, that of the items' means, and the individual correlation; floors: twins dealt to other people."""
    return individuals(data.samples, generator(seed, "individuals"), resamples)


def studies(data: Mega, seed: int) -> dict[str, dict[str, float]]:
    """By study, the mean over its items: accuracy of twins, of a random answer, of the items' means, of twins dealt anew."""
    s = data.samples
    x, y = (s.people - s.low) / s.span, (s.simulated - s.low) / s.span
    there = np.isfinite(x) & np.isfinite(y)
    rng = generator(seed, "random")
    steps = np.maximum(np.round(s.span), 1)
    dealt = y.copy()
    for k, column in enumerate(dealt.T):
        rows = np.flatnonzero(there[:, k])
        column[rows] = column[rng.permutation(rows)]
    means = np.nanmean(np.where(there, x, np.nan), 0)
    guesses = {
        "twins": y,
        "random": rng.integers(0, steps + 1, x.shape) / steps,
        "item mean": np.broadcast_to(means, x.shape),
        "dealt to others": dealt,
    }
    each = {name: 1 - np.nanmean(np.where(there, np.abs(x - guess), np.nan), 0) for name, guess in guesses.items()}
    names = np.array(data.studies)
    return {
        study: {name: float(value[names == study].mean()) for name, value in each.items()} for study in dict.fromkeys(names)
    }


def by_study(found: dict[str, dict[str, float]], name: str, less: str = "") -> Estimate:
    """The mean over studies of an accuracy, or of its difference from another; Student t over studies."""
    return mean([one[name] - (one[less] if less else 0.0) for one in found.values()])


def of_means(data: Mega, resamples: int, seed: int) -> Estimate:
    """The correlation over items of the mean answers of people and twins, as shares of the range; bootstrap over items."""
    s = data.samples
    a, b = (np.nanmean((side - s.low) / s.span, 0) for side in (s.people, s.simulated))
    rng, n = generator(seed, "means"), len(a)
    draws = []
    while len(draws) < resamples:
        i = rng.integers(n, size=n)
        if a[i].std() and b[i].std():
            draws.append(np.corrcoef(a[i], b[i])[0, 1])
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(np.corrcoef(a, b)[0, 1]), float(low), float(high), n, f"bootstrap of {resamples} over items")


def contrasts(data: Mega, resamples: int, seed: int) -> dict[str, tuple[Estimate, Estimate]]:
    """Each contrast among people and among their twins: the mean difference over the standard deviation of a mean side.

    d = (m1 - m2) / sqrt((s1² + s2²) / 2) (Cohen's d_av, Lakens 2013); bootstrap over people, the same for both.
    """
    found = {}
    s = data.samples
    for contrast in CONTRASTS:
        sides = [[i for i, name in enumerate(s.items) if re.fullmatch(p, name)] for p in (contrast.one, contrast.other)]
        if not all(sides):
            continue
        pairs = [np.column_stack([table[:, side].mean(1) for side in sides]) for table in (s.people, s.simulated)]
        there = np.isfinite(np.hstack(pairs)).all(1)
        if there.sum() < LEAST:
            continue
        rng = generator(seed, "contrast", contrast.name)
        picks = rng.integers(there.sum(), size=(resamples, there.sum()))
        found[contrast.name] = tuple(_d(pair[there], picks) for pair in pairs)
    return found


def _d(pair: Array, picks: NDArray[np.int64]) -> Estimate:
    """Of two columns of the same people."""

    def figure(values: Array) -> float:
        spread = np.sqrt(values.var(0, ddof=1).mean())
        return float(np.subtract(*values.mean(0)) / spread) if spread else 0.0

    low, high = np.quantile([figure(pair[i]) for i in picks], [0.025, 0.975])
    return Estimate(figure(pair), float(low), float(high), len(pair), f"d_av; bootstrap of {len(picks)} over people")


def of_contrasts(found: dict[str, tuple[Estimate, Estimate]], resamples: int, seed: int) -> dict[str, Estimate]:
    """What contrasts come to: `same sign` among people's clear ones, `slope` (twins' on people's), `exaggerated`.

    `exaggerated` is the share whose twins' |d| is larger. Bootstrap over contrasts.
    """
    a, b = (np.array([pair[k].value for pair in found.values()]) for k in (0, 1))
    clear = np.array([people.above or people.below for people, _ in found.values()])
    figures = {
        "same sign": lambda i: float(np.mean((a * b > 0)[i][clear[i]])) if clear[i].any() else np.nan,
        "slope": lambda i: float(a[i] @ b[i] / (a[i] @ a[i])),
        "exaggerated": lambda i: float(np.mean((np.abs(b) > np.abs(a))[i])),
    }
    rng, n = generator(seed, "contrasts"), len(a)
    picks = [rng.integers(n, size=n) for _ in range(resamples)]
    made = {}
    for name, figure in figures.items():
        low, high = np.nanquantile([figure(i) for i in picks], [0.025, 0.975])
        made[name] = Estimate(figure(np.arange(n)), float(low), float(high), n, f"bootstrap of {resamples} over contrasts")
    return made
