"""Whose statement is it? Retrieval of planted people by their descriptions, for `spectrum`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.language.embedder import Embedder
from ethogram.populations.depths import masked, shuffled
from ethogram.seeds import derive
from ethogram.studies import Lab
from ethogram.studies.people import _spectrum_people as planted

__all__ = ["MASKED", "MIXES", "SHUFFLED", "VIEWS", "chance", "likeness", "ranked", "retrieved", "shared_masked", "sheets"]

Array = NDArray[np.float64]
SHUFFLED, MASKED = "C of another", "C without shared words"
VIEWS = (*planted.COMBINATIONS, SHUFFLED, MASKED)
MIXES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares that a person's life has in its statements, tried beside those of the law."""
STOP = {"this", "that", "with", "from", "into", "person", "work", "then", "some", "what", "have", "than", "when", "goes"}


@cache
def embedder() -> Embedder:
    """The embedding model."""
    return Embedder()


def likeness(statements: Sequence[str], described: Sequence[Sequence[str]]) -> Array:
    """How near each statement is to the nearest sentence of each description: cosines, shape (statements, people).

    A description is looked at sentence by sentence, so that saying more about a person does not blur what is said. Equal
    sentences have exactly equal cosines, wherever they stand.
    """
    known = {text: i for i, text in enumerate(dict.fromkeys(s for one in described for s in one))}
    cosines = (_centred(statements) @ _centred(list(known)).T).round(9)
    return np.stack([cosines[:, [known[s] for s in one]].max(1) for one in described], axis=1)


def _centred(texts: Sequence[str]) -> Array:
    """The vectors of texts less what all have in common ("I am", "this person"), of length 1 again."""
    vectors = embedder().embed(texts).astype(np.float64)
    vectors -= vectors.mean(0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def ranked(near: Array, owners: NDArray[np.int64]) -> tuple[Array, Array]:
    """What a search finds: the reciprocal rank of each statement's owner, and whether it is first; shapes (statements,).

    Among people who are equally near the order is random, and both are means over the orders.
    """
    own = near[np.arange(len(near)), owners][:, None]
    above, tied = (near > own).sum(1), (near == own).sum(1)
    reciprocal = np.array([np.mean(1 / np.arange(a + 1, a + t + 1)) for a, t in zip(above, tied, strict=True)])
    return reciprocal, np.where(above == 0, 1 / tied, 0.0)


def chance(count: int) -> float:
    """The mean reciprocal rank of a search that knows nothing, among so many people: H(n) / n."""
    return float(np.mean(1 / np.arange(1, count + 1)))


def shared_masked(sentences: Sequence[str], statements: Sequence[str]) -> list[str]:
    """The sentences with every longer word masked that the statements have too."""
    said = {word for text in statements for word in re.findall(r"[a-z]{4,}", text.lower())} - STOP
    return [masked(sentence, said) for sentence in sentences]


def sheets(near: Array, owners: NDArray[np.int64], weights: Array) -> Array:
    """How near each person's statements, taken together, are to each description, shape (people, people).

    Args:
        near: shape (statements, people).
        owners: whose each statement is, shape (statements,).
        weights: of each statement, shape (statements,).
    """
    count = near.shape[1]
    return np.stack([np.average(near[owners == i], 0, weights[owners == i]) for i in range(count)]).round(9)


def retrieved(item: Mapping[str, Any], lab: Lab) -> dict[str, Any]:
    """One population: how well its people's statements are matched to them in each view.

    Returns:
        By view, `sheet` and `first` (reciprocal rank and first place of each person's twenty statements together), `single`
        (mean reciprocal rank of each person's statements one by one) and `kinds` (the same by kind, over people), and for
        `MIXES` of kinds the mean reciprocal rank of sheets (`mixed`). `recovered`: see there.
    """
    everybody = planted.people(item["people"], item["seed"])
    statements = [(i, s) for i, person in enumerate(everybody) for s in person.statements]
    owners, kinds = np.array([i for i, _ in statements]), np.array([s.kind for _, s in statements])
    found: dict[str, Any] = {"recovered": recovered(everybody)}
    for view in VIEWS:
        near = likeness([s.text for _, s in statements], described(everybody, view, item["seed"]))
        each, own = np.arange(len(everybody)), ranked(near, owners)[0]
        reciprocal, first = ranked(sheets(near, owners, np.ones(len(owners))), each)
        found[view] = {
            "sheet": reciprocal.tolist(),
            "first": first.tolist(),
            "single": [float(own[owners == i].mean()) for i in each],
            "kinds": {kind: float(own[kinds == kind].mean()) for kind in planted.KINDS},
            "mixed": [float(ranked(sheets(near, owners, _weights(kinds, mix)), each)[0].mean()) for mix in MIXES],
        }
    return found


def _weights(kinds: NDArray[Any], life: float) -> Array:
    """Weights of statements in which life has this share, and the other kinds share the rest evenly."""
    share = {"life": life, "social": (1 - life) / 2, "personal": (1 - life) / 2}
    return np.array([share[str(kind)] / planted.SHARES[str(kind)] for kind in kinds])


def described(everybody: Sequence[planted.Person], view: str, seed: int) -> list[list[str]]:
    """The sentences by which each is described in a view."""
    if view == SHUFFLED:
        by_name = {person.name: person for person in everybody}
        source = shuffled({name: name for name in by_name}, derive(seed, "shuffled"))
        return [by_name[source[person.name]].parts["C"] for person in everybody]
    if view == MASKED:
        return [shared_masked(p.parts["C"], [s.text for s in p.statements]) for p in everybody]
    return [planted.sentences(planted.told(person, view)) for person in everybody]


def recovered(everybody: Sequence[planted.Person]) -> dict[str, float]:
    """The correlation of each planted latent with its score, over people; values as priorities on both sides."""
    found = {}
    traits = planted.scores(planted.TRAITS, [p.answers[planted.TRAITS] for p in everybody])
    for name, letter in planted.SCORED.items():
        found[name] = _correlation(traits[name], np.array([p.traits[letter] for p in everybody]))
    raw = planted.scores(planted.VALUES, [p.answers[planted.VALUES] for p in everybody])
    middle, own = np.mean(list(raw.values()), axis=0), [planted.priorities(p.values) for p in everybody]
    for name, column in raw.items():
        found[name] = _correlation(column - middle, np.array([one[name] for one in own]))
    return found


def _correlation(x: Array, y: Array) -> float:
    return float(np.corrcoef(x, y)[0, 1])
