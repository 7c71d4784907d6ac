"""Decisions of archetypes and of whole columns."""

import numpy as np
import pytest

from ethogram import coded, replay, simulate
from ethogram.columns import Asked, Column, Columns, column, decision, each, observed, tally, with_observer
from ethogram.columns.luck import uniform
from ethogram.errors import ConfigError
from ethogram.populations import Population
from ethogram.scene import scene
from ethogram.worlds.testing import check_world


class Jobs(Columns):
    """People who work or not, as those of their age and area do."""

    risk: float = 0.5
    works = column("int8")
    tired = column("float32")
    age = column("int8", levels=("old", "young"))
    work = decision(("no", "yes"), into="works", by=("age", "area"), sees=("risk", "tired", "busy"), question="Do you work?")
    counts = tally("works", ("idle", "busy"))

    @each("tired")
    def tire(tired, works):
        return tired + works


class Habits(Columns):
    """People who all decide for themselves, every other step."""

    risk: float = 0.5
    works = column("int8")
    tired = column("float32")
    work = decision(("no", "half", "yes"), into="works", sees=("tired", "risk"), every=2)

    @each("tired")
    def tire(tired, works, u):
        return tired + works * u


def people(n=1000):
    table = {
        "name": [f"p{i}" for i in range(n)],
        "age": ["young", "old"] * (n // 2),
        "area": ["A"] * 300 + ["B"] * (n - 300),
    }
    table["area"][301] = "C"  # old
    return Population(table)


@coded
def by_age(asked, space):
    return np.array([0.3, 0.1]) if asked.who["age"] == "young" else np.array([0.0, 1.0])


@coded
def rested(seen, space):
    return np.where(seen["tired"] > seen["risk"], 0, 2).astype(np.int8)


def test_one_agent_for_each_archetype_present():
    w = Jobs(people())
    kinds = ("age=old,area=A", "age=old,area=B", "age=old,area=C", "age=young,area=A", "age=young,area=B")
    assert w.possible_agents == ["observer", *(f"work:{kind}" for kind in kinds)]
    w.reset(seed=1)
    w.tired = np.where(w.age == 1, 4.0, 2.0)
    asked = w.observe()["work:age=young,area=A"]
    facts = {"risk": 0.5, "tired": 4.0, "busy": 0.0}
    who = {"age": "young", "area": "A"}
    assert asked == Asked(decision="Do you work?", options=("no", "yes"), who=who, facts=facts, people=150)


def test_individuals_draw_from_their_groups_shares():
    w = Jobs(people())
    run = simulate(w, with_observer({"work": by_age}), steps=5, seed=3)
    young = w.age == 1
    assert w.works[~young].all()
    drawn = uniform(int(w.luck.key("work", 4)), np.arange(w.n)) >= 0.75
    assert np.array_equal(w.works[young], drawn[young]) and abs(drawn.mean() - 0.25) < 0.05
    assert run.steps.collect().height == 6 * 6  # not one row a person
    assert observed(run)["busy"].to_list()[-1] == w.works.sum()


def test_who_says_nothing_keeps_what_was_decided():
    w = Jobs(people())
    w.reset(seed=1)
    w.works = 1
    w.step({"work:age=young,area=A": np.zeros(2), "work:age=old,area=B": np.array([1.0, 0.0])})
    assert w.works[(w.age == 1)].all() and not w.works[301:][w.age[301:] == 0][1:].any() and w.works[301] == 1


def test_a_column_is_decided_in_one_call():
    w = Habits(50)
    run = simulate(w, with_observer(rested), steps=4, seed=3)
    assert set(run.manifest.agents) == {"observer", "work"}
    asked = run.steps.collect().filter(agent="work", ended="")["step"].to_list()
    assert asked == [0, 2]
    assert set(np.unique(w.works)) <= {0, 2}
    text = run.steps.collect().filter(agent="work")["action"][0]
    assert '"rows":50' in text and len(text) < 200


@scene
def habits(n: int):
    return Habits(n), with_observer(rested)


def test_columns_that_are_decided_resume_and_replay(tmp_path):
    whole = simulate(habits(40), steps=12, seed=2, to=tmp_path / "whole", checkpoint_every=3)
    assert replay(whole).exact
    calls = []

    @coded
    def breaking(seen, space):
        calls.append(seen)
        if len(calls) == 4:
            raise OSError("killed")
        return np.where(seen["tired"] > seen["risk"], 0, 2).astype(np.int8)

    arguments = {"steps": 12, "seed": 2, "to": tmp_path / "broken", "checkpoint_every": 3}
    with pytest.raises(OSError, match="killed"):
        simulate(Habits(40), with_observer(breaking), **arguments)
    resumed = simulate(Habits(40), with_observer(breaking), **arguments, resume=True)  # columns are not in the record
    assert resumed.steps.collect().equals(whole.steps.collect())


def test_the_worlds_keep_the_contract():
    check_world(lambda: Jobs(people(400)), steps=12, fresh_process=False)
    check_world(lambda: Habits(30), steps=12, fresh_process=False)


def test_column_space():
    space = Column(5, "int8", 0, 2)
    assert space.contains(np.array([0, 1, 2, 0, 1])) and not space.contains(np.array([0, 1, 3, 0, 1]))
    assert not space.contains(np.zeros(4, np.int8)) and not space.contains(np.zeros(5)) and not space.contains([0] * 5)
    space.seed(1)
    assert all(space.contains(space.sample()) for _ in range(20))
    assert space == Column(5, "int8", 0, 2) != Column(5, "int8", 0, 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="by='area' must be a column with levels"):
        Jobs(10)
    with pytest.raises(ConfigError, match="'middle' in column 'age' of the population is none of its levels"):
        Jobs(Population({"name": ["a", "b"], "age": ["old", "middle"], "area": ["A", "B"]}))
    with pytest.raises(ConfigError, match="decision 'work' has no policy"):
        with_observer({"rest": by_age})("work:age=old,area=A")
    with pytest.raises(ConfigError, match="into='none' is no whole-number column"):

        class Wrong(Columns):
            go = decision(("no", "yes"), into="none")
