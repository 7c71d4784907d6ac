"""Tournaments: tables and ratings by hand, orders, seeds, other worlds, being killed, and wrong arguments."""

import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.experiments.cells import CellsFailed
from ethogram.experiments.matches import cooperation, matrix_match
from ethogram.experiments.tournaments import Tournament, lineups, tournament
from ethogram.policies.coded.strategies import strategy
from ethogram.policy import Random
from ethogram.scene import scene
from ethogram.worlds.coded.auction import Auction
from ethogram.worlds.coded.matrix_game import MatrixGame

VICTIM = Path(__file__).with_name("tournament_victim.py")
NAMES = ("tit for tat", "always second", "always first")


@pytest.fixture(scope="module")
def by_hand() -> Tournament:
    pytest.importorskip("openskill")
    return tournament(NAMES, matrix_match, measure=cooperation, replicates=2, with_self=True, arguments={"rounds": 10})


def test_points_and_cooperation_by_hand(by_hand):
    assert by_hand.matches.height == 2 * 2 * (6 + 3)
    expected = {
        ("tit for tat", "always second"): (45 / 10, 0.1),
        ("always second", "tit for tat"): (55 / 10, 0),
        ("tit for tat", "always first"): (8, 1),
        ("always first", "always second"): (0, 1),
        ("always second", "always first"): (10, 0),
        ("always second", "always second"): (5, 0),
    }
    for (entrant, other), (points, share) in expected.items():
        assert by_hand.pair(entrant, other).value == pytest.approx(points)
        assert by_hand.pair(entrant, other, "cooperation").value == pytest.approx(share)
    pairs = by_hand.pairs()
    assert pairs.height == 9 and set(pairs["n"]) == {4, 2}
    assert by_hand.means()["always first"].value == pytest.approx((8 + 0) / 2)


def test_standings_and_ratings_by_hand(by_hand):
    table = by_hand.standings()
    assert table["entrant"].to_list() == ["always second", "tit for tat", "always first"]
    assert table.select("won", "drawn", "lost").rows() == [(8, 0, 0), (0, 4, 4), (0, 4, 4)]
    assert table["strength"][0] > 0 > table["strength"][1] == pytest.approx(table["strength"][2])
    assert table["skill"][0] > table["skill"][1]
    with pytest.raises(DataError, match="always second never lost"):
        by_hand.strengths()


def test_each_sits_in_each_seat_as_often_and_meets_all():
    assert lineups("abc", 2) == [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")]
    for seats in (2, 3, 4):
        found = np.array(lineups("abcde", seats))
        counts = {name: [(found[:, seat] == name).sum() for seat in range(seats)] for name in "abcde"}
        assert {count for each in counts.values() for count in each} == {len(found) // 5}
    assert lineups("ab", 2, with_self=True)[-2:] == [("a", "a"), ("b", "b")]


def test_replicates_share_the_luck_of_the_world():
    """The number of rounds is drawn by the world: the same in all matches of a replicate, not in all replicates."""
    found = tournament(NAMES, matrix_match, replicates=4, arguments={"rounds": 400, "going_on": 0.95}, measure=length)
    by_replicate = [set(group["rounds"]) for group in found.matches.partition_by("replicate")]
    assert all(len(lengths) == 1 for lengths in by_replicate) and len(set.union(*by_replicate)) > 1
    again = tournament(NAMES, matrix_match, replicates=4, arguments={"rounds": 400, "going_on": 0.95}, measure=length)
    assert again.matches.equals(found.matches)
    rules = {"rounds": 400, "going_on": 0.95}
    batched = tournament(NAMES, matrix_match, replicates=4, batch=3, arguments=rules, measure=length)
    assert batched.matches.equals(found.matches)


def length(paths, world):
    return {"points": [0.0] * len(world.possible_agents), "rounds": world.outcome()["rounds"]}


@scene
def threes(seats):
    """A game of three in which who defects gets 1."""
    payoffs = np.zeros((2, 2, 2, 3))
    for cell in np.ndindex(2, 2, 2):
        payoffs[cell] = cell
    rules = {"good": "always first", "bad": "always second"}
    world = MatrixGame(payoffs, rounds=3)
    return world, {name: strategy(rules[kind]) for name, kind in zip(world.possible_agents, seats, strict=True)}


def test_three_seats_and_specifications_in_place_of_names():
    found = tournament({"a": "good", "b": "bad", "c": "good", "d": "bad"}, threes, seats=3)
    assert found.matches.height == 4 * 3 * 3 and found.pair("b", "c").value == 3
    assert found.means()["a"].value == 0 and math.isnan(found.means()["b"].low)  # one replicate leaves no interval
    strengths = found.strengths(prior=0.5)
    assert strengths["b"].value == pytest.approx(strengths["d"].value) and strengths["b"].value > strengths["a"].value


def test_other_worlds_and_their_runs_are_kept(tmp_path):
    found = tournament(["low", "high"], auction, replicates=2, steps=30, to=tmp_path, runs=True, measure=steps_of)
    assert len(list((tmp_path / "runs").iterdir())) == 4 and found.matches["points"].max() > 0
    plain = tournament(["low", "high"], auction, replicates=2, steps=30, measure=steps_of)
    assert plain.matches.equals(found.matches)


def test_runs_that_are_kept_are_measured_without_being_played_again(tmp_path):
    def play(**more):
        rules = {"rounds": 12, "noise": 0.1}
        return tournament(NAMES, matrix_match, measure=cooperation, replicates=2, arguments=rules, **more).matches

    first = play(to=tmp_path, runs=True)
    shutil.rmtree(tmp_path / "cells")
    assert play(to=tmp_path, runs=True).equals(first) and play().equals(first)


@scene
def auction(seats):
    """Two who bid at random; what they are called makes no difference."""
    return Auction(bidders=len(seats)), Random()


def steps_of(paths, world):
    return {"points": [float(len(path.actions)) for path in paths]}


@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(tmp_path):
    folder, log = tmp_path / "kept", tmp_path / "log"

    def start():
        return subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(log)])

    with start() as victim:
        while len(list(folder.glob("cells/*.json"))) < 3:
            assert victim.poll() is None
            time.sleep(0.01)
        victim.kill()
    time.sleep(0.5)
    kept = {path.name: path.read_bytes() for path in folder.glob("cells/*.json")}
    begun = len(log.read_text().splitlines())
    assert 3 <= len(kept) < 18
    with start() as victim:
        assert victim.wait(120) == 0
    assert len(log.read_text().splitlines()) == begun + 18 - len(kept)
    assert all((folder / "cells" / name).read_bytes() == data for name, data in kept.items())
    sys.path.insert(0, str(VICTIM.parent))
    import tournament_victim

    assert tournament_victim.played(folder, log).matches.equals(tournament_victim.played(None, None).matches)


def test_what_cannot_be_played_is_said(by_hand):
    with pytest.raises(ConfigError, match="different texts"):
        tournament(["a", "a"], matrix_match)
    with pytest.raises(ConfigError, match="as many entrants: not 2 and 1"):
        tournament(["a"], matrix_match)
    with pytest.raises(ConfigError, match="marked @scene"):
        tournament(NAMES, cooperation)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="cannot be called with"):
        tournament(NAMES, matrix_match, arguments={"turns": 3})
    with pytest.raises(CellsFailed, match=r"tit for tat v\. nobody, replicate 0: there is no strategy 'nobody'"):
        tournament(["tit for tat", "nobody"], matrix_match)
    with pytest.raises(DataError, match="no series 'profit'"):
        tournament(NAMES, matrix_match, score="profit", arguments={"rounds": 2})
    with pytest.raises(ConfigError, match="have not met"):
        by_hand.pair("tit for tat", "nobody")
    with pytest.raises(ConfigError, match="nothing called 'x'"):
        by_hand.means("x")
    with pytest.raises(ConfigError, match="give to="):
        tournament(NAMES, matrix_match, runs=True)
