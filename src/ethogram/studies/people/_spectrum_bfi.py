"""Half of the items of real people, predicted from who they are (S) and from the other half (P), for `spectrum`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.questionnaires.datasets.bfi import EDUCATION, bfi
from ethogram.seeds import generator
from ethogram.studies import Lab

__all__ = ["ARMS", "accuracies", "design", "halves", "predicted", "real_people"]

Array = NDArray[np.float64]
ARMS = ("mean", "S", "P", "SP", "P of another")
RIDGE = 10.0
"""Penalty on standardised predictors: little beside hundreds of people."""


def real_people(limit: int, seed: int) -> tuple[list[str], Array, Array]:
    """Those who answered all items and gave their age: item names, answers (people, items), S (people, columns).

    S is gender, age and its square, and a column for each level of education (none for those who gave none).
    """
    import polars as pl

    form, table = bfi()
    items = list(form.items)
    table = table.drop_nulls([*items, "age", "gender"])
    if limit and limit < table.height:
        table = table[np.sort(generator(seed, "bfi").permutation(table.height)[:limit])]
    age = table["age"].to_numpy() / 10
    columns = [(table["gender"] == "female").cast(pl.Float64).to_numpy(), age, age**2]
    columns += [(table["education"].fill_null("") == level).cast(pl.Float64).to_numpy() for level in EDUCATION]
    return items, table.select(items).to_numpy().astype(float), np.column_stack(columns)


def halves(items: list[str], rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Items that are given and items that are asked for: of each trait's five two or three, at random."""
    given: list[int] = []
    for letter in sorted({name[0] for name in items}):
        own = [i for i, name in enumerate(items) if name[0] == letter]
        given += rng.permutation(own)[: len(own) // 2 + int(rng.integers(2)) * (len(own) % 2)].tolist()
    return sorted(given), [i for i in range(len(items)) if i not in given]


def predicted(x: Array, y: Array, train: NDArray[np.bool_]) -> Array:
    """Ridge regression of each column of `y` on `x`, fitted to the training rows: the other rows, shape (rest, columns)."""
    centre, spread = x[train].mean(0), np.maximum(x[train].std(0), 1e-9)
    z, middle = (x - centre) / spread, y[train].mean(0)
    inside = z[train]
    weights = np.linalg.solve(inside.T @ inside + RIDGE * np.eye(z.shape[1]), inside.T @ (y[train] - middle))
    return np.clip(z[~train] @ weights + middle, 1, 6)


def design(arm: str, social: Array, given: Array, rng: np.random.Generator) -> Array:
    """The predictors of an arm; those of `P of another` belong to somebody else."""
    if arm == "mean":
        return np.zeros((len(given), 1))
    if arm == "P of another":
        order, others = rng.permutation(len(given)), np.empty_like(given)
        others[order] = given[np.roll(order, 1)]
        return others
    return np.column_stack([part for letter, part in (("S", social), ("P", given)) if letter in arm])


def accuracies(item: Mapping[str, Any], lab: Lab) -> dict[str, list[float]]:
    """By arm, the accuracy of each person's held-out items: 1 less the mean absolute error as a share of the range.

    Each of the halves and folds of `item["seed"]` predicts everybody once, from a fit to the other folds.
    """
    names, answers, social = real_people(item["people"], lab.seed)
    rng = generator(item["seed"], "halves")
    given, wanted = halves(names, rng)
    fold = rng.permutation(len(answers)) % item["folds"]
    found: dict[str, list[float]] = {}
    for arm in ARMS:
        x, error = design(arm, social, answers[:, given], rng), np.empty((len(answers), len(wanted)))
        for k in range(item["folds"]):
            train = fold != k
            error[~train] = np.abs(predicted(x, answers[:, wanted], train) - answers[np.ix_(~train, wanted)])
        found[arm] = (1 - error.mean(1) / 5).round(9).tolist()
    return found
