"""Players as recorded: move by move, and from tables."""

from itertools import pairwise

import pytest

from ethogram.errors import ConfigError
from ethogram.policies.coded.recorded_players import LookupPlayer, RecordedPlayer
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.matrix_game import MatrixGame


def test_recorded_moves_are_played():
    moves = [(0, 1), (1, 1), (1, 0)]
    data = rollouts(Scene(MatrixGame(rounds=3), RecordedPlayer(moves)), episodes=1, progress=False)
    assert [one.rewards.tolist() for one in data] == [[0, 5, 10], [10, 5, 0]]
    with pytest.raises(ConfigError, match="ends after round 3"):
        rollouts(Scene(MatrixGame(rounds=4), RecordedPlayer(moves)), episodes=1, progress=False)


def test_a_table_answers_to_the_others_moves_alone():
    table = {(): 1, (0,): 1, (1,): 0, (0, 1): 0, (1, 1): 1}
    other = RecordedPlayer([(0, 0), (1, 1), (0, 0)])
    scene = Scene(MatrixGame(rounds=3), {"player 1": other, "player 2": LookupPlayer(table)})
    data = rollouts(scene, episodes=1, progress=False)
    assert [action.option for action in data[1].actions] == ["defect", "defect", "cooperate"]
    scene = Scene(MatrixGame(rounds=2), {"player 1": other, "player 2": LookupPlayer({(): 0})})
    with pytest.raises(ConfigError, match="no answer in round 2"):
        rollouts(scene, episodes=1, progress=False)


def test_of_two_tables_one_is_drawn_in_each_round():
    histories = [(0,) * n for n in range(200)]
    player = LookupPlayer(dict.fromkeys(histories, 0), dict.fromkeys(histories, 1))
    scene = Scene(MatrixGame(rounds=200), {"player 1": RecordedPlayer([(0, 0)] * 200), "player 2": player})
    (_, data) = rollouts(scene, episodes=1, progress=False)
    second = [action.option == "defect" for action in data.actions]
    assert 70 < sum(second) < 130 and sum(a != b for a, b in pairwise(second)) > 60
