"""Matching of virtual to real people."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import DataError
from ethogram.populations.matching import match, trait_weights

LEVELS = {f"trait {t}": [f"{t}{i}" for i in range(4)] for t in "abcdefgh"}


def planted(n, noise, seed):
    """Real people, and virtual ones that know their own traits but for noise, in another order."""
    rng = np.random.default_rng(seed)
    true = {trait: rng.integers(4, size=n) for trait in LEVELS}
    order = rng.permutation(n)
    chances = {
        trait: (1 - noise) * np.eye(4)[values[order]] + noise * rng.dirichlet(np.ones(4), n)
        for trait, values in true.items()
    }
    people = pl.DataFrame({trait: [LEVELS[trait][v] for v in values] for trait, values in true.items()})
    return people, chances, order


def test_planted_pairs_are_recovered_and_greedy_is_never_better():
    people, chances, order = planted(300, 0.7, 1)
    weights = trait_weights(chances, LEVELS, people)
    best, greedy = match(weights), match(weights, "greedy")
    assert (order[best.virtual] == best.real).mean() >= 0.95
    assert (
        best.weight > greedy.weight
        and (order[greedy.virtual] == greedy.real).mean() <= (order[best.virtual] == best.real).mean()
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=4, max_size=4))
def test_no_other_pairing_is_worth_more(table):
    weights = np.array(table, dtype=float)
    found = match(weights)
    assert found.weight == max(sum(weights[v, r] for r, v in enumerate(order)) for order in permutations(range(4)))
    assert match(weights, "greedy").weight <= found.weight
    assert found.real.tolist() == [0, 1, 2, 3] and sorted(found.virtual) == [0, 1, 2, 3]


def test_weights_by_hand_and_missing_traits():
    people = pl.DataFrame({"sex": ["f", None], "age": ["old", "young"]})
    found = trait_weights({"sex": [[0.9, 0.1]], "age": [[0.0, 1.0]]}, {"sex": ["f", "m"], "age": ["old", "young"]}, people)
    assert found == pytest.approx(np.array([[np.log(0.9) + np.log(1e-6), 0.0]]))


def test_more_virtual_than_real_people_leaves_some_over():
    found = match([[1.0, 0.0], [0.0, 1.0], [5.0, 0.0]])
    assert found.virtual.tolist() == [2, 1] and found.real.tolist() == [0, 1] and found.weight == 6


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: match([1.0]), "virtual × real"),
        (lambda: match([[1.0]], "luck"), "'assignment' or 'greedy'"),
        (lambda: trait_weights({}, {}, pl.DataFrame()), "at least one trait"),
        (lambda: trait_weights({"sex": [[1.0]]}, {"sex": ["f"]}, pl.DataFrame({"sex": ["x"]})), "'x' is no level of 'sex'"),
        (lambda: trait_weights({"sex": [[1.0]]}, {"sex": ["f", "m"]}, pl.DataFrame({"sex": ["f"]})), "for 2 levels"),
        (lambda: trait_weights({"age": [[1.0]]}, {}, pl.DataFrame()), "must have levels"),
    ],
)
def test_wrong_use_is_said(act, said):
    with pytest.raises(DataError, match=said):
        act()
