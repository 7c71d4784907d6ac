import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.errors import DataError
from ethogram.measures import contacts, curve, density, leaks, meetings, reachable


def told(*rows):
    return pl.DataFrame(rows, schema={"time": pl.Float64, "source": pl.String, "target": pl.String}, orient="row")


def test_contacts_out_of_a_steps_table():
    def say(to, text):
        return json.dumps({"verb": "say", "to": to, "text": text})

    steps = pl.DataFrame(
        {
            "episode": [0] * 6,
            "step": [0, 0, 1, 2, 3, 4],
            "time": [480.0, 480, 490, 500, 510, 520],
            "agent": ["Ana", "Ben", "Ben", "Ana", "Ana", "Ben"],
            "action": [
                say("Ben", 'Hi: "you"'),
                json.dumps({"verb": "wait"}),
                say("Ana", "Hello"),
                say("Ben", "x"),
                None,
                say("the moon", "x"),
            ],
            "fault": [None, None, None, "not JSON", None, None],
        }
    )
    got = contacts(steps.lazy())
    assert got.rows() == [(0, 0, 480, "Ana", "Ben", 'Hi: "you"'), (0, 1, 490, "Ben", "Ana", "Hello")]


def test_a_world_of_numbers_has_no_contacts():
    steps = pl.DataFrame(
        {"episode": [0], "step": [0], "time": [0.0], "agent": ["a"], "action": [3], "fault": [None]},
        schema_overrides={"fault": pl.String},
    )
    assert contacts(steps).is_empty()


def test_meetings_forget_who_began():
    got = meetings(told((1, "Ben", "Ana"), (2, "Ana", "Ben"), (3, "Ana", "Ana"), (4, "Cy", "Ana")))
    assert got.rows() == [("Ana", "Ben", 2, 1.0, 2.0), ("Ana", "Cy", 1, 4.0, 4.0)]


def test_density_by_hand():
    edges = told((1, "Ana", "Ben"), (2, "Ben", "Ana"), (3, "Ana", "Cy"), (4, "Cy", "Cy"))
    assert density(edges, 4).value == pytest.approx(2 / 6)  # two ties of six possible among four
    assert density(edges, 4, directed=True).value == pytest.approx(3 / 12)
    assert density(meetings(edges), 4) == density(edges, 4)
    with pytest.raises(DataError, match="more than 2 agents"):
        density(edges, 2)
    with pytest.raises(DataError):
        density(edges, 1)


def test_density_agrees_with_networkx():
    import networkx as nx

    graph = nx.gnp_random_graph(30, 0.2, seed=4)
    edges = pl.DataFrame(list(graph.edges), schema=["source", "target"], orient="row")
    assert density(edges, 30).value == pytest.approx(nx.density(graph))


def test_curve_counts_each_agent_once():
    knowledge = pl.DataFrame({"agent": ["Ana", "Ben", "Ben", "Cy"], "time": [0.0, 5.0, 9.0, 5.0]})
    assert curve(knowledge, 8).rows() == [(0.0, 1, 0.125), (5.0, 3, 0.375)]
    with pytest.raises(DataError, match="of only 2"):
        curve(knowledge, 2)


def test_a_fact_travels_only_forward_in_time():
    talk = told((1, "Ben", "Cy"), (2, "Ana", "Ben"), (3, "Ben", "Dee"))
    assert reachable(talk, ["Ana"]).rows() == [("Ana", None, None), ("Ben", 2.0, "Ana"), ("Dee", 3.0, "Ben")]


def test_leaks_are_found():
    talk = told((2, "Ana", "Ben"))
    knowledge = pl.DataFrame({"agent": ["Ana", "Ben", "Cy"], "time": [0.0, 2.0, 3.0]})
    assert leaks(knowledge, talk, ["Ana"])["agent"].to_list() == ["Cy"]
    early = pl.DataFrame({"agent": ["Ben"], "time": [1.0]})
    assert leaks(early, talk, ["Ana"]).height == 1


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=40))
def test_nothing_reachable_leaks(rows):
    talk = told(*rows)
    reached = reachable(talk, ["a"]).with_columns(pl.col("time").fill_null(0.0))
    assert leaks(reached.select("agent", "time"), talk, ["a"]).is_empty()


def test_missing_columns_are_named():
    with pytest.raises(DataError, match="target is missing"):
        meetings(pl.DataFrame({"source": ["a"], "time": [1.0]}))
