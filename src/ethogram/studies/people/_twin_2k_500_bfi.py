"""`twin-2k-500`, people's answers left out: what is predicted of each of 25 items from a person's other answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate
from ethogram.questionnaires.datasets.bfi import EDUCATION, GENDER, SCORES, TEXTS, bfi
from ethogram.seeds import generator
from ethogram.studies import Lab

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ITEMS",
    "MIDDLE",
    "MOST",
    "People",
    "accuracy",
    "correlation",
    "fitted",
    "halves",
    "people",
    "ratio",
    "split_half",
]

Array = NDArray[np.float64]
ITEMS = tuple(TEXTS)
LEAST, MOST = 1.0, 6.0
"""Ends of the scale; the range is theirs, whatever was answered."""
SPAN = MOST - LEAST
MIDDLE = (LEAST + MOST) / 2
"""Above it an item is accurate of a person: yes; below it is not."""
SHOWN = 4
"""Of how many of a person's answers a line tells."""
FITTED = ("demographics", "ridge on the line", "ridge", "gradient boosting")


class People(NamedTuple):
    """Those who answered all items, and who of them are held out."""

    answers: Array
    """Shape (people, 25)."""
    about: Array
    """Age, gender (1 for women) and education as a number (its mean where missing); shape (people, 3)."""
    words: list[str]
    """Age and gender in words."""
    fit: NDArray[np.int64]
    held: NDArray[np.int64]
    """Rows that are predicted; nothing is fitted to them."""


@cache
def people(count: int, share: float, seed: int) -> People:
    """The people of `bfi` who answered all items.

    Args:
        count: so many of them, drawn at random; 0: all.
        share: who is held out.
        seed: of both draws.
    """
    return arranged(bfi()[1], count, share, seed)


def arranged(table: pl.DataFrame, count: int, share: float, seed: int) -> People:
    """The same for any table of the layout of `bfi`."""
    table = table.drop_nulls([*ITEMS, "gender", "age"])
    rng = generator(seed, "people")
    rows = rng.permutation(len(table))[: count or len(table)]
    table = table[np.sort(rows)]
    education = np.array([EDUCATION.index(e) + 1 if e is not None else np.nan for e in table["education"]])
    known = np.nanmean(education) if np.isfinite(education).any() else 0.0
    female = (table["gender"] == GENDER[1]).to_numpy().astype(float)
    about = np.column_stack(
        [table["age"].to_numpy().astype(float), female, np.where(np.isfinite(education), education, known)]
    )
    words = [f"A {'woman' if f else 'man'} of {age:.0f}" for age, f in zip(about[:, 0], female, strict=True)]
    order = rng.permutation(len(table))
    cut = max(1, round(share * len(table)))
    return People(table.select(ITEMS).to_numpy().astype(float), about, words, np.sort(order[cut:]), np.sort(order[:cut]))


def related(known: People) -> NDArray[np.int64]:
    """For each item the `SHOWN` others that go with it most closely among those who are fitted to; shape (25, SHOWN)."""
    with np.errstate(invalid="ignore", divide="ignore"):  # an item that all answer alike goes with none
        strength = np.nan_to_num(np.abs(np.corrcoef(known.answers[known.fit].T)))
    np.fill_diagonal(strength, -1)
    return np.argsort(-strength, axis=1, kind="stable")[:, :SHOWN]


# --- what is fitted ---


def fitted(item: dict[str, Any], lab: Lab) -> list[list[float]]:
    """What a method predicts of each item of those held out, who answered all the others; shape (held out, 25)."""
    known = people(item["people"], item["share"], item["seed"])
    return np.round(predicted(known, item["method"]), 6).tolist()


def predicted(known: People, method: str) -> Array:
    """What a method of `FITTED`, or `item mean`, predicts; shape (held out, 25)."""
    fit, held, answers = known.fit, known.held, known.answers
    found = np.empty((len(held), len(ITEMS)))
    shown = related(known)
    for i in range(len(ITEMS)):
        y = answers[fit, i]
        if method == "item mean":
            found[:, i] = y.mean()
            continue
        x = _inputs(known, method, i, shown[i])
        found[:, i] = _model(method).fit(x[fit], y).predict(x[held])
    return np.clip(found, LEAST, MOST)


def _inputs(known: People, method: str, item: int, shown: NDArray[np.int64]) -> Array:
    if method == "demographics":
        return known.about
    if method == "ridge on the line":
        return np.column_stack([(known.answers[:, shown] > MIDDLE).astype(float), known.about[:, :2]])
    return np.column_stack([np.delete(known.answers, item, 1), known.about])


def _model(method: str) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if method == "gradient boosting":
        return HistGradientBoostingRegressor(max_iter=60, learning_rate=0.08, max_leaf_nodes=8, random_state=0)
    return make_pipeline(StandardScaler(), Ridge(10.0))


def at_random(known: People, seed: int) -> Array:
    """Any of the six answers, all equally likely; shape (held out, 25)."""
    return generator(seed, "random").integers(int(LEAST), int(MOST) + 1, (len(known.held), len(ITEMS))).astype(float)


# --- measures ---


def accuracy(guess: Array, true: Array, weights: Array, span: Array | float = SPAN) -> float:
    """1 - |guess - true| / range, the mean over all answers; NaN where there is none.

    Args:
        guess: shape (people, items).
        true: the same people's answers to the same items.
        weights: of people, shape (people,).
        span: the range of each item's scale, not of its answers.
    """
    gap = np.abs(guess - true) / span
    there = np.isfinite(gap)
    return float(1 - weights @ np.where(there, gap, 0).sum(1) / (weights @ there.sum(1)))


def correlation(guess: Array, true: Array, weights: Array, span: Array | float = SPAN) -> float:
    """Between what is left of guesses and answers once each item's mean is taken off either; 0 where nothing is."""
    there = np.isfinite(guess) & np.isfinite(true)
    n = np.maximum(weights @ there, 1e-12)
    a, b = (np.where(there, values / span, 0.0) for values in (guess, true))
    a, b = (np.where(there, values - weights @ values / n, 0.0) for values in (a, b))
    norm = np.sqrt((weights @ (a**2).sum(1)) * (weights @ (b**2).sum(1)))
    return float(weights @ (a * b).sum(1) / norm) if norm > 1e-9 else 0.0


def ratio(guesses: dict[str, Array], true: Array, resamples: int, seed: int) -> dict[str, dict[str, Array]]:
    """Both figures of several guesses, and their bootstrap over people: `[0]` is the figure, the rest are resamples.

    All guesses share the resampled people, so that the difference of two entries is a paired one.
    """
    rng, rows = generator(seed, "bootstrap"), len(true)
    weights = [np.ones(rows), *(np.bincount(rng.integers(rows, size=rows), minlength=rows) * 1.0 for _ in range(resamples))]
    figures = {"accuracy": accuracy, "correlation": correlation}
    return {
        name: {figure: np.array([f(guess, true, w) for w in weights]) for figure, f in figures.items()}
        for name, guess in guesses.items()
    }


def estimated(draws: Array, n: int, what: str = "") -> Estimate:
    """An estimate from what `ratio` gives, or from a difference of two."""
    low, high = np.quantile(draws[1:], [0.025, 0.975])
    return Estimate(float(draws[0]), float(low), float(high), n, f"{what}bootstrap of {len(draws) - 1} over people")


def halves(answers: Array) -> Array:
    """Correlations of halves of each score (two items with the other three), all ten ways; shape (5, 10)."""
    found = []
    for letter, reverse in SCORES.values():
        columns = [i for i, name in enumerate(ITEMS) if name[0] == letter]
        turned = np.column_stack([-answers[:, i] if ITEMS[i] in reverse else answers[:, i] for i in columns])
        pairs = [list(pair) for pair in combinations(range(5), 2)]
        rest = [[i for i in range(5) if i not in pair] for pair in pairs]
        found.append(
            [np.corrcoef(turned[:, p].mean(1), turned[:, r].mean(1))[0, 1] for p, r in zip(pairs, rest, strict=True)]
        )
    return np.array(found)


def split_half(answers: Array, resamples: int, seed: int) -> Estimate:
    """Reliability of the five scores, their mean: split halves, brought to full length by Spearman and Brown (1910)."""
    rng, rows = generator(seed, "halves"), len(answers)

    def figure(some: Sequence[int] | NDArray[np.int64]) -> float:
        r = halves(answers[some]).mean(1)
        return float((2 * r / (1 + r)).mean())

    draws = np.array([figure(np.arange(rows)), *(figure(rng.integers(rows, size=rows)) for _ in range(resamples))])
    return estimated(draws, rows, "mean of five scores and ten splits, Spearman-Brown; ")
