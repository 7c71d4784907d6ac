"""`ethogram survey`: a user's questionnaire and population, answered, with the card."""

import json
from pathlib import Path

import polars as pl
import pytest

from ethogram.records import Run

COMMUTING = Path(__file__).parents[1] / "questionnaires" / "commuting.toml"
SHORT = """
title = "Short"
[[block]]
name = "all"
[[block.item]]
name = "car"
type = "choice"
text = "Do you own a car?"
options = ["yes", "no"]
[[block.item]]
name = "age"
type = "number"
text = "How old are you?"
low = 0
high = 120
whole = true
"""
PEOPLE = "name,age,job\nAnn,34,teacher\nBen,71,retired sailor\nCai,22,student\n"


@pytest.fixture
def people(cli):
    (cli.folder / "people.csv").write_text(PEOPLE)
    return "people.csv"


def test_an_instrument_is_answered_at_random_and_held_beside_people(cli):
    cli("survey", "mini-ipip", "--model", "random", "--respondents", 60, "--to", "first")
    found = json.loads(
        cli(
            "survey",
            "mini-ipip",
            "--model",
            "random",
            "--respondents",
            50,
            "--seed",
            1,
            "--to",
            "second",
            "--people",
            "first/answers-score.csv",
            "--json",
        ).stdout
    )
    assert found["ways"]["score"]["asked"] == found["ways"]["score"]["answered"] == 1000
    assert found["ways"]["score"]["calls"] == 0
    assert "Of 20 items, 0% are answered differently" in found["cards"]["score"]["sentences"][0]
    assert {"structure error", "detection"} <= set(found["cards"]["score"]["figures"])
    table = pl.read_csv(cli.folder / "second/answers-score.csv")
    assert table.height == 50 and {"e1", "extraversion"} <= set(table.columns)
    assert pl.read_csv(cli.folder / "second/card-items-score.csv").height == 60


def test_own_files_are_answered_by_the_embedded_model_in_ways_that_are_compared(cli, people):
    (cli.folder / "short.toml").write_text(SHORT)
    words = ["survey", "short.toml", "--population", people, "--model", "smollm2", "--no-average", "--how", "score", "--how"]
    done = cli(*words, "constrain", "--to", "out")
    assert "2 questions, 3 respondents" in done.stdout and "by score: about 6 calls" in done.stdout
    table = pl.read_csv(cli.folder / "out/answers-score.csv")
    assert table["respondent"].to_list() == ["Ann", "Ben", "Cai"] and table["job"][1] == "retired sailor"
    assert table["car"].is_in([1.0, 2.0]).all() and (cli.folder / "out/answers-constrain.csv").exists()
    again = json.loads(cli(*words, "constrain", "--to", "out", "--resume", "--json").stdout)
    assert again["ways"]["score"]["calls"] >= 6 and again["ways"]["score"]["answered"] >= 3
    assert "the same" in cli("replay", "out/score").stdout


def test_the_same_people_are_asked_at_several_depths_and_with_controls(cli, people):
    (cli.folder / "short.toml").write_text(SHORT)
    words = ["survey", "short.toml", "--population", people, "--model", "smollm2", "--no-average", "--to", "out"]
    done = cli(*words, "--depth", "biography", "--control", "shuffled")
    assert "biography-shuffled, by score: about 6 calls" in done.stdout
    own, other = (systems(cli.folder / "out" / arm)["Ben"] for arm in ("score-biography", "score-biography-shuffled"))
    assert "as Ben. Ben is 71" in own and "retired sailor" in own
    assert "as Ben. Ben is " in other and "retired sailor" not in other
    assert pl.read_csv(cli.folder / "out/answers-score-biography.csv")["respondent"].to_list() == ["Ann", "Ben", "Cai"]


def systems(path: Path) -> dict[str, str]:
    """What each respondent of a run was told to be."""
    calls = Run(path).calls.collect()
    return {row["agent"]: row["messages"][0]["content"] for row in calls.iter_rows(named=True)}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bfi"], "there is no file bfi, nor an instrument of that name; there are"),
        (["nothing.toml"], "nothing.toml cannot be read"),
        (["mini-ipip", "--how", "guess"], "--how guess: a respondent answers by score, constrain, read"),
        (["mini-ipip", "--depth", "soul"], "there is no depth 'soul'; there are name, line"),
        (["mini-ipip", "--control", "none"], "there is no control 'none'; there are shuffled, masked"),
        (["mini-ipip", "--mask", "age"], "--mask says what --control masked hides"),
        (["mini-ipip", "--depth", "spc"], "'respondent 1' has no 'social'"),
        (["mini-ipip", "--population", "nobody.csv"], "nobody.csv"),
        (["mini-ipip", "--population", "people.txt"], "people are read from .csv, .json, .toml or .parquet"),
        (["mini-ipip", "--people", "nothing.csv"], "nothing.csv cannot be read as a table of people's answers"),
        (["mini-ipip", "--group", "age"], "--key and --group say how answers are held beside people's"),
        (["mini-ipip", "--people", "people.csv"], "people.csv: the table of people has none of the columns e1"),
        (["mini-ipip", "--people", "worded.csv"], "worded.csv: the table of people has text in the column 'e1'"),
        (["mini-ipip", "--people", "told.csv", "--key", "who"], "told.csv: the table of people has no column 'who'"),
        (
            ["mini-ipip", "--people", "told.csv", "--key", "job"],
            "the key 'job' is missing or not unique in the table of people",
        ),
        (["mini-ipip", "--people", "told.csv", "--group", "job"], "nothing is known of 'job' for those who answer"),
        (["broken.toml"], "'trips' refers to 'bike', which is neither an arm nor an item"),
        (["mini-ipip", "--to", "."], ". is there already"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(cli, people, words, sentence):
    (cli.folder / "people.txt").write_text(PEOPLE)
    (cli.folder / "worded.csv").write_text("e1,job\nagree,cook\n")
    (cli.folder / "told.csv").write_text("e1,job\n1,cook\n4,cook\n")
    (cli.folder / "broken.toml").write_text(COMMUTING.read_text().replace("car == 'yes'", "bike == 'yes'"))
    assert sentence in cli.refuses("survey", *words, "--model", "random")
    assert not (cli.folder / "runs").exists()


def test_an_unknown_model_is_refused_before_anything_is_written(cli):
    assert "smollm9" in cli.refuses("survey", "mini-ipip", "--model", "smollm9")
