"""A head on the frozen model: what it has read of a persona and a question, as a vector, is mapped to how people answer.

It needs no letters and no lists, of which a model of this size makes little, and tells what its reading holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.language.tuning import Lesson, scoring_model
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._deep_binding_people import ITEMS, OPTIONS, drawn, lesson, tested, trained

__all__ = ["fitted", "headed", "vectors"]

Array = NDArray[np.float64]

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse penalties that are tried; the best by cross-validation within the training years is used."""
FOLDS = 5
BATCH = 16


def headed(item: dict[str, Any], lab: Lab) -> list[list[list[float]]]:
    """Shares of the options by heads that were fitted on the training years, shape (people, items, options).

    Two heads a depth: one for the own party and one for the other; without a persona, one for each party.
    """
    taught, rng = trained(), generator(item["seed"], "head")
    rows = [taught.row(int(r), named=True) for r in rng.integers(taught.height, size=item["taught"])]
    people = list(drawn(tested(), item["each"], item["seed"]).iter_rows(named=True))
    lessons, asked = ([lesson(row, item["depth"], which) for row in some for which in ITEMS] for some in (rows, people))
    x = vectors([*lessons, *asked], item["base"])
    given = np.array([one.shares for one in lessons])
    kind, other = (np.array([_kind(one) for one in some]) for some in (lessons, asked))
    found = np.empty((len(asked), len(OPTIONS)))
    for name in dict.fromkeys(kind.tolist()):
        mine, theirs = np.flatnonzero(kind == name), np.flatnonzero(other == name)
        found[theirs] = fitted(x[mine], given[mine], x[len(lessons) + theirs], item["seed"])
    return found.reshape(len(people), len(ITEMS), len(OPTIONS)).tolist()


def _kind(one: Lesson) -> str:
    """Which question it is: the own party's, the other's, or one without a persona."""
    text = str(one.messages[-1]["content"]) if not isinstance(one.messages, str) else one.messages
    return next((words for words in ("your own party", "the other party") if words in text), text)


def vectors(lessons: Sequence[Lesson], base: str) -> Array:
    """The frozen model's last vector after each question, without options: shape (lessons, hidden size)."""
    import torch

    model = scoring_model(None, base)
    places: dict[str, int] = {}
    index = [places.setdefault(json.dumps(one.messages), len(places)) for one in lessons]
    rows = [model.prompts.tokens(json.loads(text)) for text in places]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: list[Array] = [np.empty(0)] * len(rows)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            for i, vector in zip(part, model.hidden([rows[i] for i in part]), strict=True):
                found[i] = vector.double().numpy()
    return np.stack(found)[index]


def fitted(x: Array, shares: Array, new: Array, seed: int) -> Array:
    """Shares of the options for new vectors: multinomial logistic regression on shares, its penalty by cross-validation.

    Args:
        x: vectors of shape (n, d).
        shares: what was answered, shape (n, options).
        new: vectors of shape (m, d).
        seed: of the folds.
    """
    middle, scale = x.mean(0), x.std(0) + 1e-6
    x, new = (x - middle) / scale, (new - middle) / scale
    if not x.any():  # always the same question
        return np.tile(shares.mean(0), (len(new), 1))
    fold = generator(seed, "folds").permutation(len(x)) % FOLDS
    losses: Mapping[float, float] = {
        strength: float(
            np.mean(
                [_loss(x[fold != k], shares[fold != k], x[fold == k], shares[fold == k], strength) for k in range(FOLDS)]
            )
        )
        for strength in STRENGTHS
    }
    return _regressed(x, shares, new, min(losses, key=lambda strength: losses[strength]))


def _loss(x: Array, shares: Array, new: Array, true: Array, strength: float) -> float:
    return -float((true * np.log(np.maximum(_regressed(x, shares, new, strength), 1e-9))).sum(1).mean())


def _regressed(x: Array, shares: Array, new: Array, strength: float) -> Array:
    from sklearn.linear_model import LogisticRegression

    n, options = shares.shape
    made = LogisticRegression(C=strength, max_iter=500)
    made.fit(np.repeat(x, options, axis=0), np.tile(np.arange(options), n), sample_weight=np.maximum(shares.ravel(), 1e-9))
    return made.predict_proba(new)
