"""Shapley values: games worked by hand, the axioms, and intervals that cover."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.measures.attribution import shapley

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
