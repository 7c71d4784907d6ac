"""The records of repeated games: read in any order of rows and columns, and refused in one sentence."""

import os
import random

import pytest

from ethogram.errors import DataError
from ethogram.records.reference import VARIABLE
from ethogram.records.repeated_games import PLACES, coded_matches, lookups, model_matches, ordinal_games, people

ROUNDS = "round,player1,player2,answer1,answer2,points1,points2,total1,total2"
PLAYED = ["1,act_a,act_j,J,J,8,8,8,8", "2,act_a,act_j,F,J,10,0,18,8", "1,act_a,act_b,J,F,0,10,0,10"]


def written(folder):
    """A small release: one game, two matches of two games, two tables of two histories, one person."""
    (folder / "all_games" / "deep").mkdir(parents=True)
    (folder / "lookups").mkdir()
    payoffs = ";".join(f"r{i}_c{j}_p{k}" for i in (1, 2) for j in (1, 2) for k in (1, 2))
    (folder / "games.csv").write_text(f"game_number;game_name;{payoffs}\n7;Any;3;4;2;3;4;2;1;1\n")
    rows = [f"{row},7,K,J" for row in ("1,act_x,act_y,J,K,4,2,4,2", "2,act_x,act_y,K,K,3,4,7,6")]
    head = f"{ROUNDS},game_number,choice_option1,choice_option2"
    (folder / "all_games" / "deep" / "game_7.csv").write_text("\n".join([head, *rows]) + "\n")
    for name in ("pd", "bos"):
        (folder / f"experiment_{name}.csv").write_text("\n".join([ROUNDS, *PLAYED]) + "\n")
        for variant in ("", "_variation_predict"):
            (folder / "lookups" / f"{name}{variant}_gpt4_lookup.json").write_text('{"": "J", "JF": "F"}')
    (folder / "humans.csv").write_text(
        "guess,id,game,action,score,opponent,mood\nLLM,3,PD,0,10,Base,\nLLM,3,PD,1,0,Base,glad\n"
    )
    return folder


def test_a_small_release_by_hand(tmp_path):
    folder = written(tmp_path)
    game = ordinal_games(folder)[7]
    assert game.payoffs == [[[3, 4], [2, 3]], [[4, 2], [1, 1]]] and game.family == ""
    (match,) = model_matches(folder)
    assert match.game == "7" and match.players == ("x", "y") and match.moves == [(1, 0), (0, 0)]
    assert match.points == [(4, 2), (3, 4)] and match.totals[-1] == (7, 6)
    games = [(m.game, m.players, m.moves) for m in coded_matches(folder)]
    assert games[:2] == [("PD", ("a", "b"), [(0, 1)]), ("PD", ("a", "j"), [(0, 0), (1, 0)])] and len(games) == 4
    assert lookups(folder)["BoS", "Prompted"] == {(): 0, (0, 1): 1}
    (person,) = people(folder)
    assert person == ("3", "PD", "Base", "LLM", [1, 0], [10, 0])


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path):
    folder = written(tmp_path)
    known = model_matches(folder), coded_matches(folder)
    rng = random.Random(1)
    for path in (folder / "all_games" / "deep" / "game_7.csv", folder / "experiment_pd.csv"):
        head, *rows = [line.split(",") for line in path.read_text().splitlines()]
        rng.shuffle(rows)
        order = rng.sample(range(len(head)), len(head))
        lines = [";".join(["index", *(head[i] for i in order)])]
        lines += [";".join([str(n), *(f" {row[i]} " for i in order)]) for n, row in enumerate(rows)]
        path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    assert (model_matches(folder), coded_matches(folder)) == known


def test_a_copy_of_the_repository_is_read_as_well(tmp_path):
    folder = written(tmp_path)
    known = ordinal_games(folder), coded_matches(folder), lookups(folder), people(folder)
    for name, place in PLACES.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(folder / place)
    assert (ordinal_games(folder), coded_matches(folder), lookups(folder), people(folder)) == known


def test_what_is_wrong_is_said(tmp_path):
    folder = written(tmp_path)

    def refused(path, old, new, read, words):
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new))
        with pytest.raises(DataError, match=words):
            read(folder)
        (folder / path).write_text(text)

    refused("experiment_pd.csv", "2,act_a,act_j", "3,act_a,act_j", coded_matches, "not 1, 2, … to 2, each once")
    refused("experiment_pd.csv", "F,J,10", "X,J,10", coded_matches, "round 2 of act_a.*'X' is none of the options J and F")
    refused("experiment_bos.csv", "10,0,18", "ten,0,18", coded_matches, "line 3: points1 is 'ten', not a number")
    refused("experiment_bos.csv", "answer2", "reply2", coded_matches, "lacks the columns answer2")
    refused("games.csv", "3;4;2", "3;;2", ordinal_games, "line 2: r1_c1_p2 is empty")
    refused("lookups/pd_gpt4_lookup.json", '"F"', '"X"', lookups, "not a table from histories")
    refused("humans.csv", "0,Base", "0,Other", people, "opponent is 'Other'")
    refused("humans.csv", "1,0,Base", "1,0,Prompted", people, "of person 3 changes within the game PD")
    (folder / "humans.csv").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        people(folder)
    (folder / "all_games" / "deep" / "game_7.csv").unlink()
    with pytest.raises(DataError, match=r"no file game_NNN\.csv"):
        model_matches(folder)


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set: the real records are not here")
def test_the_real_records():
    games = ordinal_games()
    assert {match.game for match in model_matches()} <= {str(number) for number in games}
    assert {match.game for match in coded_matches()} == {"PD", "BoS"}
    assert all(len(table) == 2**10 - 1 for table in lookups().values())
    assert {(person.game, len(person.moves)) for person in people()} == {("PD", 10), ("BoS", 10)}
