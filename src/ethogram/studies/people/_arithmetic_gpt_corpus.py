"""The arithmetic of `arithmetic-gpt`: a vocabulary of whole numbers, and corpora of equations from four distributions.

An equation is a sum of terms, then its value: `0.95 26 + 0.05 -1 + 1.00 -24 = 1`. A chance (or a delay) beside an amount
multiplies it, as in algebra; what is subtracted is added with its amounts negated. Each number is one token: that keeps
equations short, and leaves the network to find out from them alone that there is anything between 25 and 27.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions import Gambles
from ethogram.decisions.discounting import Payments

__all__ = ["CORPORA", "Corpus", "amounts", "chances", "condensed", "delays", "difference", "draw", "single"]

Tokens = NDArray[np.int64]
Corpus = Literal["ecological", "uniform", "ecological ablated", "uniform ablated"]
CORPORA: tuple[Corpus, ...] = ("ecological", "uniform", "ecological ablated", "uniform ablated")
"""Where numbers come from. In an ablated twin the same equations end in a random sign in place of their value."""

LARGEST = 120
"""Amounts are whole, from minus to plus this; larger ones are cut."""
DAYS = np.array([*range(31), *range(35, 183, 7), *range(210, 3651, 30)])
"""Delays: days, then weeks, then months, up to ten years. Others are taken as the nearest."""
FACTOR = 0.85
"""What is left of a value after a year."""
ECOLOGICAL = 0.27
"""Both parameters of the beta distribution of chances in the ecological corpora."""
HIDDEN = 0.1
"""Share of chances that are not told."""
TERMS = 2
"""The most terms of a gamble."""

FIRST_CHANCE = 2 * LARGEST + 1
UNKNOWN = FIRST_CHANCE + 101
FIRST_DELAY = UNKNOWN + 1
PLUS = FIRST_DELAY + len(DAYS)
MINUS, EQUALS = PLUS + 1, PLUS + 2
SIZE = EQUALS + 1
"""Tokens there are."""
LENGTH = 2 * TERMS * 3 + 1
"""Of the longest equation."""


def amounts(x: NDArray[Any]) -> Tokens:
    """Tokens of amounts, rounded and cut."""
    return np.clip(np.rint(x), -LARGEST, LARGEST).astype(np.int64) + LARGEST


def chances(p: NDArray[Any]) -> Tokens:
    """Tokens of probabilities, in whole per cents."""
    return np.rint(100 * np.asarray(p)).astype(np.int64) + FIRST_CHANCE


def delays(days: NDArray[Any]) -> Tokens:
    """Tokens of the nearest known delays."""
    return np.abs(np.asarray(days)[..., None] - DAYS).argmin(-1) + FIRST_DELAY


def condensed(gambles: Gambles, most: int = TERMS) -> Gambles:
    """Gambles of at most `most` outcomes, from the best to the worst: the two nearest are merged, until few enough are left.

    Merging keeps expected values. Gambles with fewer outcomes have probability 0 in the last columns.
    """
    p, x = np.zeros((len(gambles), most)), np.zeros((len(gambles), most))
    for i, (chance, outcome) in enumerate(zip(gambles.probabilities, gambles.outcomes, strict=True)):
        there = np.flatnonzero(chance > 0)
        there = there[np.argsort(-outcome[there], kind="stable")]
        c, o = list(chance[there]), list(outcome[there])
        while len(c) > most or (len(o) > 1 and -np.diff(o).max() == 0):
            k = int(np.argmin(-np.diff(o)))
            total = c[k] + c[k + 1]
            o[k : k + 2] = [(c[k] * o[k] + c[k + 1] * o[k + 1]) / total]
            c[k : k + 2] = [total]
        p[i, : len(c)], x[i, : len(o)] = c, o
    return Gambles(p, x)


def single(options: Gambles | Payments) -> list[Tokens]:
    """Each option's equation up to the `=`, of shape (tokens,)."""
    return [_joined(terms[None])[0] for terms in _terms(options)]


def difference(left: Gambles | Payments, right: Gambles | Payments) -> list[Tokens]:
    """The equation of `left - right` up to the `=`, of shape (tokens,): a sum, with the amounts of `right` negated."""
    pairs = zip(_terms(left), _terms(right), strict=True)
    return [_joined(np.concatenate([first, _negated(second)])[None])[0] for first, second in pairs]


def _negated(terms: Tokens) -> Tokens:
    """The same terms with amounts of the opposite sign."""
    return np.stack([terms[..., 0], 2 * LARGEST - terms[..., 1]], -1)


def _joined(terms: Tokens) -> Tokens:
    """Terms (n, terms, 2) joined by `+` and ended by `=`: (n, tokens)."""
    n, k, _ = terms.shape
    parts = np.concatenate([terms, np.full((n, k, 1), PLUS)], -1).reshape(n, -1)
    parts[:, -1] = EQUALS
    return parts


def _terms(options: Gambles | Payments) -> list[Tokens]:
    """The terms of each option, of shape (terms, 2)."""
    if isinstance(options, Payments):
        return list(np.stack([delays(options.delays), amounts(options.amounts)], -1)[:, None])
    few = condensed(options)
    both = np.stack([chances(few.probabilities), amounts(few.outcomes)], -1)
    return [terms[there] for terms, there in zip(both, few.probabilities > 0, strict=True)]


# --- equations drawn at random ---


def draw(rng: np.random.Generator, corpus: Corpus, batch: int) -> dict[str, Tokens]:
    """Equations of each kind, (equations, tokens): a gamble, a difference of two, a payment, a difference of two.

    There are `batch` equations of gambles of each kind, and a quarter as many of payments, which are simpler.
    How many terms a gamble has (one or two) is the same for all equations of one kind in a batch.
    """
    natural = corpus.startswith("ecological")
    terms, few = rng.integers(1, TERMS + 1, 3), -(-batch // 4)
    sides = {
        "gamble": [_gambles(rng, natural, batch, terms[0])],
        "gambles": [_gambles(rng, natural, batch, k) for k in terms[1:]],
        "payment": [_payments(rng, natural, few)],
        "payments": [_payments(rng, natural, few) for _ in range(2)],
    }
    found = {}
    for kind, ((tokens, value), *others) in sides.items():
        for other, less in others:
            tokens, value = np.concatenate([tokens, _negated(other)], 1), value - less
        n = len(value)
        answer = np.where(rng.random(n) < 0.5, PLUS, MINUS) if corpus.endswith("ablated") else amounts(value)
        found[kind] = np.column_stack([_joined(tokens), answer])
    return found


def _gambles(rng: np.random.Generator, natural: bool, n: int, terms: int) -> tuple[Tokens, NDArray[np.float64]]:
    """Terms (n, terms, 2) and expected values (n,) of random gambles, whose chances sum to 1."""
    rest, p = np.ones(n), np.empty((n, terms))
    for k in range(terms - 1):
        p[:, k] = rest * (rng.beta(ECOLOGICAL, ECOLOGICAL, n) if natural else rng.random(n))
        rest = rest - p[:, k]
    p[:, -1] = rest
    p = rng.permuted(p, axis=1)
    x = _drawn(rng, natural, (n, terms))
    told = np.where(rng.random((n, terms)) < HIDDEN, UNKNOWN, chances(p))
    return np.stack([told, amounts(x)], -1), (p * x).sum(1)


def _payments(rng: np.random.Generator, natural: bool, n: int) -> tuple[Tokens, NDArray[np.float64]]:
    """Terms (n, 1, 2) and present values (n,) of random payments."""
    last = DAYS[-1]
    days = np.expm1(rng.random(n) * np.log1p(last)) if natural else rng.random(n) * last
    tokens, x = delays(days), _drawn(rng, natural, (n,))
    return np.stack([tokens, amounts(x)], -1)[:, None], x * FACTOR ** (DAYS[tokens - FIRST_DELAY] / 365)


def _drawn(rng: np.random.Generator, natural: bool, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Amounts: of either sign, and falling as 1 / size in the ecological corpora (Zipf's law, cut)."""
    if not natural:
        return rng.integers(-LARGEST, LARGEST + 1, shape).astype(float)
    size = np.rint(np.expm1(rng.random(shape) * np.log1p(LARGEST)))
    return size * rng.choice([-1.0, 1.0], shape)
