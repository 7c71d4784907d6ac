"""Surveys: who is asked what, which answers count, and the table that comes of it."""

import json
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from pettingzoo.test import parallel_api_test

from ethogram import coded, simulate
from ethogram.errors import ConfigError, DataError
from ethogram.policies.human import Human
from ethogram.policy import Random
from ethogram.questionnaires import Skip, answers, asked, instrument, load
from ethogram.worlds.coded.survey import Survey
from ethogram.worlds.testing import check_world

COMMUTING = load(Path(__file__).parents[1] / "questionnaires" / "commuting.toml")
GIVEN = {
    "car": "yes",
    "trips": 12,
    "noise": 3,
    "freedom": 4,
    "safety": 0,
    "why": ["time", "comfort"],
    "budget": {"option_1": 1, "option_2": 2, "option_3": 7},
    "words": "I would rather walk.",
}


def answering(given):
    """A respondent that gives these answers."""
    return coded(lambda seen, space: space.load({"verb": seen.item, "answer": given[seen.item]}))


def test_the_world_keeps_the_contract():
    make = partial(Survey, COMMUTING, 4)
    check_world(make)
    parallel_api_test(make(), num_cycles=60)
    check_world(partial(Survey, COMMUTING, ["Ana", "Ben"], may_skip=True))


def test_everybody_is_asked_what_belongs_to_the_form_and_the_table_holds_it():
    run = simulate(Survey(COMMUTING, 12), answering(GIVEN), seed=2)
    table = answers(run, COMMUTING)
    assert table.height == 12 and table["respondent"].n_unique() == 12
    assert table.group_by("frame", "price").len()["len"].to_list() == [2] * 6
    assert table["car"].to_list() == [1.0] * 12 and table["trips"].to_list() == [12.0] * 12
    offered = table.filter((pl.col("frame") == "gain") | (pl.col("price") != "2"))
    others = table.filter((pl.col("frame") == "loss") & (pl.col("price") == "2"))
    assert offered.height == 10 and others.height == 2
    assert offered["words"].to_list() == [GIVEN["words"]] * 10 and others["words"].null_count() == 2
    assert offered.select("budget_1", "budget_2", "budget_3").rows() == [(1.0, 2.0, 7.0)] * 10
    assert offered.select("why_1", "why_2", "why_3", "why_4").rows() == [(0.0, 1.0, 1.0, 0.0)] * 10
    codes = {"noise": 4 - 3, "freedom": 4, "safety": 0}
    for row in table.iter_rows(named=True):
        there = [value for name, value in codes.items() if row[name] is not None]
        assert len(there) == 2 and row["liking"] == sum(there) / 2


def test_questions_are_put_in_the_order_of_the_form_with_what_was_said_before():
    world = Survey(COMMUTING, 6)
    run = simulate(world, answering(GIVEN), seed=5)
    put = asked(run, COMMUTING)
    for agent in world.possible_agents:
        mine = put.filter(pl.col("respondent") == agent)
        expected = [
            q.item.name for q in world.form(agent).questions if q.block != "offer" or "why" in mine["item"].to_list()
        ]
        assert mine["item"].to_list() == expected
        assert mine["number"].to_list() == list(range(len(expected)))
        why = mine.filter(pl.col("item") == "why")
        if why.height:
            price = world.form(agent).arms["price"]
            assert why["text"][0] == f"You said yes. A ticket for {price} a day: what speaks for it?"
            assert why["options"][0].to_list() == list(
                next(q.options for q in world.form(agent).questions if q.item.name == "why")
            )


def test_who_has_no_car_is_not_asked_for_trips():
    table = answers(simulate(Survey(COMMUTING, 3), answering({**GIVEN, "car": "no"}), seed=1), COMMUTING)
    assert table["trips"].null_count() == 3 and table["car"].to_list() == [2.0] * 3


def test_an_answer_that_does_not_fit_is_refused_with_the_reason_and_given_up_after_three():
    wrong = {**GIVEN, "car": "yes", "budget": {"option_1": 1, "option_2": 2, "option_3": 3}}
    reasons = []

    def answer(seen, space):
        if seen.refused:
            reasons.append(seen.refused)
        return space.load({"verb": seen.item, "answer": wrong[seen.item]})

    world = Survey(COMMUTING, 6)
    run = simulate(world, coded(answer), seed=2)
    put = asked(run, COMMUTING).filter(pl.col("item") == "budget")
    assert put["tries"].to_list() == [3] * put.height and put["answer"].null_count() == put.height > 0
    assert set(reasons) == {"the shares sum to 6, and must sum to 10"} and len(reasons) == 2 * put.height
    assert world.outcome()["refused"] == 3 * put.height and world.outcome()["unanswered"] == put.height
    assert answers(run, COMMUTING)["budget_1"].null_count() == 6


def test_an_answer_that_comes_right_counts():
    def answer(seen, space):
        last = 7 if seen.refused else 6
        shares = {"option_1": 1, "option_2": 2, "option_3": last}
        return space.load({"verb": seen.item, "answer": {**GIVEN, "budget": shares}[seen.item]})

    run = simulate(Survey(COMMUTING, 6), coded(answer), seed=2)
    put = asked(run, COMMUTING).filter(pl.col("item") == "budget")
    assert put["tries"].to_list() == [2] * put.height
    assert [json.loads(a)["option_3"] for a in put["answer"]] == [7] * put.height


def test_skipped_questions_are_left_at_once_only_where_that_is_allowed():
    ipip = instrument("mini-ipip")
    silent = coded(lambda seen, space: Skip())
    left, kept = Survey(ipip, 2, may_skip=True), Survey(ipip, 2)
    assert simulate(left, silent, seed=1).manifest.steps_done == 20
    assert left.outcome() == {"answered": 0.0, "unanswered": 40.0, "refused": 0.0}
    assert simulate(kept, silent, seed=1).manifest.steps_done == 60
    assert kept.outcome() == {"answered": 0.0, "unanswered": 40.0, "refused": 120.0}


def test_a_person_answers_from_the_terminal():
    lines = iter(["car answer=yes", "trips answer=101", "trips answer=3"])

    def ask(prompt):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    run = simulate(Survey(COMMUTING, 1), Human(ask), seed=1)
    table = answers(run, COMMUTING)
    assert table["car"].to_list() == [1.0] and table["trips"].to_list() == [3.0] and table["noise"].null_count() == 1


def test_resumed_from_any_state_the_forms_are_the_same():
    world = Survey(COMMUTING, 5)
    world.reset(seed=9)
    forms = {agent: world.form(agent) for agent in world.possible_agents}
    other = Survey(COMMUTING, 5)
    other.reset(seed=1)
    assert {agent: other.form(agent) for agent in other.possible_agents} != forms
    other.load_state_dict(world.state_dict())
    assert {agent: other.form(agent) for agent in other.possible_agents} == forms


def test_wrong_use_is_said():
    with pytest.raises(ConfigError, match="at least one respondent"):
        Survey(COMMUTING, 0)
    with pytest.raises(ConfigError, match="name of its own"):
        Survey(COMMUTING, ["Ana", "Ana"])
    run = simulate(Survey(COMMUTING, 2), Random(), seed=1)
    with pytest.raises(DataError, match="is no record of 'Mini-IPIP"):
        asked(run, instrument("mini-ipip"))
