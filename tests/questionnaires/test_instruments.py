"""The instruments that come with ethogram: keys, counts, ranges, and scores worked out by hand."""

import polars as pl
import pytest

from ethogram.questionnaires import instrument

FIVE = [10] * 5
KEYS = {
    # name: items, lowest, highest, items of each score, reversed items of each score
    "mini-ipip": (20, 1, 5, [4] * 5, [2, 2, 2, 2, 3]),
    "ipip-50": (50, 1, 5, FIVE, [5, 4, 4, 8, 3]),
    "ipip-neo-120": (120, 1, 5, [24, 4, 4, 4, 4, 4, 4] * 5, None),
    "ces-d": (20, 0, 3, [20], [4]),
    "phq-9": (9, 0, 3, [9], [0]),
    "value-portraits": (20, 1, 6, [2] * 10, [0] * 10),
}


def scored(name: str, answers: dict[str, float]) -> dict[str, float]:
    q = instrument(name)
    table = pl.DataFrame({item: [answers.get(item)] for item in q.items}, schema=dict.fromkeys(q.items, pl.Float64))
    return table.select(score.column(q.items) for score in q.scores).row(0, named=True)


@pytest.mark.parametrize("name", KEYS)
def test_counts_keys_and_ranges(name: str) -> None:
    q = instrument(name)
    items, low, high, sizes, reversed_items = KEYS[name]
    assert len(q.items) == items and len({item.text for item in q.items.values()}) == items
    assert {(item.low, item.high) for item in q.items.values()} == {(low, high)}
    assert all({low, high} <= set(item.labels) for item in q.items.values()), "both ends are named"
    assert [len(score.items) for score in q.scores] == sizes
    if reversed_items is not None:
        assert [len(score.reverse) for score in q.scores] == reversed_items
    for score in q.scores:
        times = len(score.items) if score.by == "sum" else 1
        best = {i: float(low if i in score.reverse else high) for i in score.items}
        worst = {i: low + high - v for i, v in best.items()}
        assert scored(name, best)[score.name] == high * times and scored(name, worst)[score.name] == low * times


def test_ipip_50_by_hand() -> None:
    answers = dict.fromkeys(instrument("ipip-50").items, 3.0) | {"e1": 5.0, "e2": 1.0, "s9": 1.0, "s2": 4.0, "i2": 5.0}
    found = scored("ipip-50", answers)
    assert found["extraversion"] == pytest.approx((5 + (6 - 1) + 8 * 3) / 10)
    assert found["emotional_stability"] == pytest.approx(((6 - 1) + 4 + 8 * 3) / 10)
    assert found["intellect"] == pytest.approx(((6 - 5) + 9 * 3) / 10)
    assert found["agreeableness"] == found["conscientiousness"] == 3


def test_the_120_items_go_round_facets_and_are_keyed_as_published() -> None:
    q = instrument("ipip-neo-120")
    order = list(q.items)
    assert order[:7] == ["n1_1", "e1_1", "o1_1", "a1_1", "c1_1", "n2_1", "e2_1"] and order[30] == "n1_2"
    domains = {s.name: set(s.items) for s in q.scores if len(s.items) == 24}
    assert set.union(*domains.values()) == set(order) and sum(map(len, domains.values())) == 120
    facets = [s for s in q.scores if len(s.items) == 4]
    assert sum(len(s.reverse) for s in facets) == 55 == sum(len(s.reverse) for s in q.scores if len(s.items) == 24)
    assert {s.name: len(s.reverse) for s in facets if len(s.reverse) == 4} == dict.fromkeys(
        ("morality", "cooperation", "modesty", "cautiousness"), 4
    )
    answers = dict.fromkeys(order, 2.0) | {"n1_1": 5.0, "c6_1": 1.0}
    found = scored("ipip-neo-120", answers)
    assert found["anxiety"] == (5 + 2 + 2 + 2) / 4 and found["cautiousness"] == (5 + 4 + 4 + 4) / 4
    assert found["immoderation"] == (2 + 3 * 4) / 4
    reverse = next(s for s in q.scores if s.name == "neuroticism").reverse
    assert found["neuroticism"] == pytest.approx((23 * 2 + 5 + 2 * len(reverse)) / 24)


def test_symptoms_are_summed_and_missing_answers_are_made_up_for() -> None:
    none = dict.fromkeys(instrument("ces-d").items, 0.0)
    assert scored("ces-d", none)["depression"] == 12, "four items of well-being, reversed"
    assert scored("ces-d", none | {"d4": 3.0, "d8": 3.0, "d12": 3.0, "d16": 3.0})["depression"] == 0
    partly = {item: value for item, value in none.items() if item not in ("d1", "d2", "d3", "d5")}
    assert scored("ces-d", partly)["depression"] == pytest.approx(12 / 16 * 20)
    assert scored("ces-d", {k: v for k, v in partly.items() if k != "d6"})["depression"] is None
    assert scored("phq-9", dict.fromkeys(instrument("phq-9").items, 1.0) | {"p9": 3.0})["depression"] == 11


def test_values_by_hand() -> None:
    answers = {item: float(1 + place % 6) for place, item in enumerate(instrument("value-portraits").items)}
    found = scored("value-portraits", answers)
    assert found["self_direction"] == (1 + 5) / 2 and found["universalism"] == (4 + 2) / 2
