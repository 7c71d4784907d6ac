"""A person plays from the terminal, against whoever is named."""

import os
import pty
import signal
import subprocess

import polars as pl
import pytest

from ethogram import policies
from ethogram.errors import ConfigError
from ethogram.policies.coded.traders import Chartist
from ethogram.policy import Random
from ethogram.records import Run


def play(cli, *words, lines=()):
    return subprocess.run(
        [*cli.command, "play", *words],
        cwd=cli.folder,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
    )


def test_a_match_is_played_shown_and_kept(cli):
    done = play(
        cli,
        "matrix_game",
        "--set",
        "rounds=2",
        lines=["choose option=defect", "choose option=betray", "choose option=defect"],
    )
    assert done.returncode == 0, done.stderr
    assert "round: 1" in done.stdout and "round: 2" in done.stdout
    assert 'option must be one of "cooperate", "defect", not "betray"' in done.stdout
    run = Run(cli.folder / "runs/play/matrix_game-0")
    mine = run.steps.filter(pl.col("agent") == "player 1", pl.col("action").is_not_null()).collect()
    assert mine["action"].str.contains("defect").to_list() == [True, True]
    points = run.steps.filter(pl.col("agent") == "player 1").select(pl.col("reward").sum()).collect().item()
    assert f"points of player 1: {points:g}" in done.stdout
    assert "the same" in cli("replay", "runs/play/matrix_game-0").stdout
    assert play(cli, "matrix_game", "--set", "rounds=1", lines=["choose option=defect"]).returncode == 0
    assert (cli.folder / "runs/play/matrix_game-1").is_dir()


def test_the_other_seats_are_taken_by_whom_one_names(cli):
    words = ["stock_market", "--set", "traders=3", "--set", "days=1", "--as", "trader 2", "--others", "traders.Chartist"]
    done = play(cli, *words, lines=["wait"] * 8)
    assert done.returncode == 0, done.stderr
    assert "trader 2 observes" in done.stdout and "trader 1 observes" not in done.stdout
    assert "- name: A, price: 3000" in done.stdout


def test_the_end_of_the_input_leaves_the_game(cli):
    done = play(cli, "matrix_game", lines=["choose option=defect"])
    assert done.returncode == 130
    assert done.stderr.strip() == "ethogram: you left the game; what was played is kept in runs/play/matrix_game-0"


@pytest.mark.parametrize(
    ("world", "line", "shown"),
    [
        ("auction", "bid amount=1000", "leader"),
        ("double_auction", "call price=150", "limit"),
        ("war_game", "wait", "territory"),
        ("question_game", 'ask question="Is it an animal?"', "answer:"),
        ("survey", "e1 answer=3", "Sympathize with others"),
        ("gambling", "take gamble=B", "chance"),
    ],
)
def test_a_person_plays_any_world_of_verbs(cli, world, line, shown):
    done = play(cli, world, "--steps", "2", lines=[line, line])
    assert done.returncode in (0, 130), done.stderr
    assert shown in done.stdout
    run = Run(cli.folder / f"runs/play/{world}-0")
    mine = run.steps.filter(pl.col("step") == 0, pl.col("action").is_not_null()).collect()
    assert mine.filter(pl.col("fault").is_null()).height >= 1


def test_ctrl_c_leaves_a_game_that_waits_for_an_answer(cli):
    ours, theirs = pty.openpty()
    game = subprocess.Popen(
        [*cli.command, "play", "matrix_game"], cwd=cli.folder, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert game.stdout is not None and game.stderr is not None
    shown = b""
    while b"player 1>" not in shown:
        shown += os.read(game.stdout.fileno(), 4096)
    game.send_signal(signal.SIGINT)
    _, said = game.communicate(timeout=20)
    assert game.returncode == 130 and b"you left the game" in said
    del ours


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["matrix_gme"], "there is no world 'matrix_gme'; did you mean 'matrix_game'"),
        (["matrix_game", "--as", "Ana"], "there is no seat 'Ana' in matrix_game; there are 'player 1', 'player 2'"),
        (["matrix_game", "--others", "tradrs"], "there is no policy 'tradrs'; did you mean 'traders'"),
        (["matrix_game", "--set", "round=3"], "world 'matrix_game' does not take these options"),
        (["os:listdir"], "os:listdir is not a function marked @scene"),
        (["os:listdir", "--others", "random"], "brings its own policies, so leave out --others"),
        (["matrix_game", "--to", "."], ". is there already: choose another folder"),
    ],
)
def test_what_cannot_be_played_is_said_in_a_sentence(cli, words, sentence):
    (cli.folder / "something").touch()
    assert sentence in cli.refuses("play", *words)


def test_policies_by_name():
    assert policies.find("random") is Random and policies.find("traders.Chartist") is Chartist
    assert isinstance(policies.make("traders.Chartist", activity=0.5), Chartist)
    with pytest.raises(ConfigError, match=r"'traders' does not say which .* .*traders.Chartist, .*traders.Fundamentalist"):
        policies.find("traders")
    with pytest.raises(ConfigError, match=r"policy 'traders.Chartist' does not take these options"):
        policies.make("traders.Chartist", mood="good")
