"""Shapley values: games worked by hand, the axioms, and intervals that cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.measures.attribution import (
    coalitions,
    efficiency_residual,
    leave_one_out,
    mean_values,
    noise_share,
    shapley,
    shapley_values,
)

GLOVES = {"left": "L", "right one": "R", "right two": "R"}


def pairs(coalition):
    """A pair of gloves is worth 1."""
    sides = [GLOVES[name] for name in coalition]
    return float(min(sides.count("L"), sides.count("R")))


def test_the_glove_game_by_hand():
    found = {name: e.value for name, e in shapley(pairs, list(GLOVES)).items()}
    assert found == pytest.approx({"left": 2 / 3, "right one": 1 / 6, "right two": 1 / 6})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
def test_values_share_out_what_all_are_worth(table):
    parts = "abcd"

    def worth(coalition):
        return table[sum(1 << parts.index(p) for p in coalition)]

    exact = shapley(worth, parts)
    assert sum(e.value for e in exact.values()) == pytest.approx(table[15] - table[0], abs=1e-9)
    drawn = shapley(worth, parts, permutations=5, seed=1)
    assert sum(e.value for e in drawn.values()) == pytest.approx(table[15] - table[0], abs=1e-9)


def test_a_part_that_adds_nothing_has_nothing_and_likes_have_alike():
    found = shapley(lambda c: float({"a", "b"} <= c), ["a", "b", "idle"])
    assert found["idle"].value == 0 and found["a"].value == found["b"].value == 0.5


def test_intervals_of_drawn_orders_cover_the_exact_values():
    names = [f"p{i}" for i in range(8)]

    def worth(coalition):
        size = len(coalition)
        return size**2 + 5.0 * ({"p0", "p3"} <= coalition) - 3.0 * ("p5" in coalition and size > 4)

    exact = shapley(worth, names)
    covered = total = 0
    for seed in range(40):
        for name, e in shapley(worth, names, permutations=40, seed=seed).items():
            covered += e.low - 1e-9 <= exact[name].value <= e.high + 1e-9  # some are exact in every draw
            total += 1
    assert 0.9 <= covered / total <= 0.99


def test_each_coalition_is_asked_for_once():
    asked = []
    shapley(lambda c: asked.append(c) or 0.0, "abc", permutations=50)
    assert len(asked) == len(set(asked)) == 8


@pytest.mark.parametrize(
    ("parts", "permutations", "said"),
    [
        ([], None, "at least one part"),
        (["a", "a"], None, "a name of its own"),
        (list("abcdefghijklm"), None, "8,192 coalitions"),
        (["a"], 1, "at least 2"),
    ],
)
def test_wrong_arguments_are_refused(parts, permutations, said):
    with pytest.raises(ConfigError, match=said):
        shapley(len, parts, permutations=permutations)


def test_many_games_at_once_are_as_one_by_one():
    tables = np.random.default_rng(0).normal(size=(3, 2, 16))
    at = {coalition: number for number, coalition in enumerate(coalitions("abcd"))}
    assert at[frozenset()] == 0 and at[frozenset("ac")] == 5
    values = shapley_values(tables)
    for place in np.ndindex(3, 2):
        drawn = shapley(lambda c, place=place: tables[place][at[c]], "abcd", permutations=3000)
        assert [e.value for e in drawn.values()] == pytest.approx(values[place], abs=0.08)
    assert efficiency_residual(values, tables).max() < 1e-12


def test_leave_one_out_does_not_share_out_what_several_do_together():
    both = [0.0, 0.0, 0.0, 1.0]  # a and b are worth something together only
    either = [0.0, 1.0, 1.0, 1.0]
    assert leave_one_out([both, either]).tolist() == [[1, 1], [0, 0]]
    assert efficiency_residual(leave_one_out([both, either]), [both, either]).tolist() == [1, 1]
    assert shapley_values([both, either]).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_noise_share_by_hand():
    values = [[0.3, -0.1, 0.0], [-0.3, 0.1, 0.2]]
    assert noise_share(values, [False, True, True]).value == pytest.approx(0.4)
    nothing = noise_share([[0.3, 0.0], [-0.3, 0.0]], [False, True])
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    means = mean_values(values, "abc")
    assert {k: e.value for k, e in means.items()} == pytest.approx({"a": 0, "b": 0, "c": 0.1})
    with pytest.raises(DataError, match="no part has any effect"):
        noise_share([[0.0, 0.0]], [False, True])
    with pytest.raises(ConfigError, match="3 levels of a factor for 2 games"):
        noise_share(values, [False, True, True], [[1, 2, 3]])
    with pytest.raises(ConfigError, match="a power of 2"):
        shapley_values([1.0, 2.0, 3.0])


def test_intervals_of_crossed_games_cover_where_those_of_single_games_do_not():
    """Games of 6 × 6 levels share the luck of their levels: 36 games are not 36 independent ones."""
    crossed, single, times = 0, 0, 60
    levels = [np.repeat(np.arange(6), 6).tolist(), np.tile(np.arange(6), 6).tolist()]
    for seed in range(times):
        rng = np.random.default_rng(seed)
        table = (rng.normal(size=(6, 1)) + rng.normal(size=(1, 6)) + 0.1 * rng.normal(size=(6, 6))).reshape(-1, 1)
        wide, narrow = mean_values(table, "a", levels)["a"], mean_values(table, "a")["a"]
        crossed += wide.low <= 0 <= wide.high
        single += narrow.low <= 0 <= narrow.high
    assert crossed / times > 0.8 > single / times
