"""Questionnaires: items, conditions, forms, scores and files."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.questionnaires import Choice, Condition, Number, Score, filled, instrument, instruments, load
from ethogram.spaces import Verbs

COMMUTING = Path(__file__).with_name("commuting.toml")


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("age >= 18", {"age": 18}, True),
        ("age >= 18", {"age": None}, False),
        ("not (age >= 18)", {}, True),
        ("18 <= age < 30 and town == 'Oslo'", {"age": 29, "town": "Oslo"}, True),
        ("18 <= age < 30 and town == 'Oslo'", {"age": 30, "town": "Oslo"}, False),
        ("'bus' in why or town != 'Oslo'", {"why": ["train", "bus"], "town": "Oslo"}, True),
        ("town in ['Oslo', 'Bergen']", {"town": "Bergen"}, True),
        ("town not in ['Oslo']", {"town": "Bergen"}, True),
        ("age > 'x'", {"age": 3}, False),
        ("balance == -5", {"balance": -5}, True),
        ("price == '2'", {"price": "2"}, True),
    ],
)
def test_conditions(text, values, holds):
    assert Condition(text)(values) is holds


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "age + 1 > 3",
        "x.y == 1",
        "f(x)",
        "[a for a in b]",
        "age >",
        "'a'",
        "lambda: 1",
        "x[0] == 1",
        "a" * 600,
        "",
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ConfigError, match="condition"):
        Condition(text)


def test_codes_bounds_and_hints():
    cars = load(COMMUTING).items
    assert cars["car"].column("no") == {"car": 2.0} and cars["car"].column(None) == {"car": None}
    assert Choice(name="x", text="?", options=["a", "b"], codes=[-1, 3]).column("b") == {"x": 3.0}
    assert cars["why"].column(["time"]) == {"why_1": 0.0, "why_2": 1.0, "why_3": 0.0, "why_4": 0.0}
    assert cars["why"].fault(["time", "time"]) and not cars["why"].fault(["time", "price"])
    shares = {"option_1": 3, "option_2": 7, "option_3": 0}
    assert cars["budget"].column(shares) == {"budget_1": 3.0, "budget_2": 7.0, "budget_3": 0.0}
    assert not cars["budget"].fault(shares)
    assert cars["budget"].fault({**shares, "option_3": 1}) == "the shares sum to 11, and must sum to 10"
    assert cars["noise"].points() == ["0 (not at all)", "1", "2", "3", "4 (very much so)"]
    assert cars["trips"].hint() == "a whole number from 0 to 100 in trips"
    assert Number(name="x", text="?").hint() == "a number"


def test_answers_are_exactly_those_within_bounds():
    items = load(COMMUTING).items
    space = Verbs(*(item.verb for item in items.values()))

    def fits(name, answer):
        try:
            space.load({"verb": name, "answer": answer})
        except ValueError:
            return False
        return True

    assert fits("car", "yes") and not fits("car", "maybe")
    assert fits("noise", 0) and fits("noise", 4) and not fits("noise", 5)
    assert fits("trips", 100) and not fits("trips", 101) and not fits("trips", 1.5)
    assert fits("why", ["time"]) and not fits("why", []) and not fits("why", ["price", "time", "comfort", "none of these"])
    assert fits("budget", {"option_1": 1, "option_2": 2, "option_3": 7}) and not fits("budget", {"option_1": 1})
    assert fits("words", "x" * 80) and not fits("words", "x" * 81)


def test_arms_are_balanced_and_luck_repeats():
    q = load(COMMUTING)
    assert len(q.combinations) == 6 and q.combinations[0] == {"frame": "gain", "price": "2"}
    forms = [q.form(i, 20, seed=3) for i in range(20)]
    counts = Counter(form.number for form in forms)
    assert set(counts) == set(range(6)) and max(counts.values()) - min(counts.values()) <= 1
    assert forms == [q.form(i, 20, seed=3) for i in range(20)]
    assert [f.number for f in forms] != [q.form(i, 20, seed=4).number for i in range(20)]


def test_random_blocks_and_options_come_in_every_order_equally_often():
    q = load(COMMUTING)
    forms = [q.form(i, 3000, seed=1) for i in range(3000)]
    drawn = Counter(tuple(x.item.name for x in form.questions if x.block == "attitudes") for form in forms)
    assert len(drawn) == 6 and all(abs(n - 500) < 110 for n in drawn.values())  # 5 sd
    orders = Counter(next(x.options for x in form.questions if x.item.name == "why") for form in forms)
    assert len(orders) == 6 and all(abs(n - 500) < 110 for n in orders.values())
    assert all(order[-1] == "none of these" for order in orders)
    fixed = [x.item.name for x in forms[0].questions if x.block == "offer"]
    assert fixed == ["why", "budget", "words"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=3, max_size=3))
def test_scores_by_hand(given_answers):
    noise, freedom, safety = given_answers
    q = load(COMMUTING)
    table = pl.DataFrame(
        {"noise": [noise], "freedom": [freedom], "safety": [safety]},
        schema=dict.fromkeys(("noise", "freedom", "safety"), pl.Float64),
    )
    parts = [4 - noise if noise is not None else None, freedom, safety]
    there = [p for p in parts if p is not None]
    expected = sum(there) / len(there) if len(there) >= 2 else None
    found = table.select(q.scores[0].column(q.items))["liking"][0]
    assert found == (None if expected is None else pytest.approx(expected))
    summed = Score(name="s", items=["noise", "freedom"], by="sum")
    total = table.select(summed.column(q.items))["s"][0]
    assert total == (None if noise is None or freedom is None else noise + freedom)


def test_placeholders():
    assert filled("You said {car}, {{}} {trips}", {"car": ["a", "b"], "trips": None}) == "You said a, b, {} –"


def test_instruments_are_complete():
    for name in instruments():
        q = instrument(name)
        assert q.about and (q.scores or q.arms or all(item.type == "open" for item in q.items.values()))
        assert {i for s in q.scores for i in s.items} <= set(q.items)
    ipip = instrument("mini-ipip")
    assert len(ipip.items) == 20 and [len(s.items) for s in ipip.scores] == [4] * 5
    assert sum(len(s.reverse) for s in ipip.scores) == 11
    with pytest.raises(ConfigError, match="there is no instrument 'bfi'; there are"):
        instrument("bfi")


def changed(tmp_path, old, new):
    text = COMMUTING.read_text()
    assert old in text
    path = tmp_path / "survey.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "trips"', 'name = "car"', "'car' is the name of two things"),
        ('name = "trips"', 'name = "skip"', "'skip' is taken"),
        ('name = "trips"', 'name = "Trips!"', "block.1.item.2.number.name: String should match"),
        ("car == 'yes'", "bike == 'yes'", "'trips' refers to 'bike', which is neither an arm nor an item"),
        ("car == 'yes'", "noise > 2", "'trips' refers to 'noise', which is not always asked before it"),
        ("car == 'yes'", "open('x')", "only names, numbers, texts and lists may be compared"),
        ("{price}", "{price!r}", "is no name"),
        ('options = ["yes", "no"]', 'options = ["yes", "Yes"]', "two options are alike"),
        ('type = "open"', 'type = "essay"', "block.3.item.3"),
        ("whole = true", "whole = true\ncolour = 3", "Extra inputs are not permitted"),
        ("high = 100", "high = -1", "there is no number between 0 and -1"),
        ("least = 1\nmost = 3", "least = 3\nmost = 2", "fewer options may be chosen than must be"),
        ('frame = ["gain", "loss"]', 'frame = ["gain"]', "the arm 'frame' needs at least two levels"),
        ('reverse = ["noise"]', 'reverse = ["car"]', "reverses 'car', which is not among its items"),
        ('items = ["noise", "freedom", "safety"]', 'items = ["noise", "trips"]', "only choices and scales can be scored"),
        ("title =", "title", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(tmp_path, old, new, said):
    path = changed(tmp_path, old, new)
    with pytest.raises(DataError) as error:
        load(path)
    assert str(path) in str(error.value) and said in str(error.value)


def test_files_that_are_not_there_or_not_text(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "nothing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is not text in UTF-8"):
        load(tmp_path / "binary.toml")
