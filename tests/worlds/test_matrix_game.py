"""Matrix games: payoffs by hand, ends, turns, noise, and bad arguments."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test

from ethogram import coded, simulate
from ethogram.errors import ConfigError
from ethogram.policy import Random
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.matrix_game import Choose, MatrixGame
from ethogram.worlds.testing import check_world


def always(option):
    return coded(lambda seen, space: Choose(option=option))


@coded
def tit_for_tat(seen, space):
    return Choose(option=seen.last[1 - seen.you] if seen.last else "cooperate")


@pytest.mark.parametrize(
    "make",
    [
        MatrixGame,
        partial(MatrixGame, "rock-paper-scissors", going_on=0.8, noise=0.1),
        partial(MatrixGame, np.arange(3 * 2 * 2 * 3).reshape(3, 2, 2, 3), in_turn=True, tell=False),
    ],
)
def test_is_a_world(make):
    check_world(make, fresh_process=False)
    parallel_api_test(make(), num_cycles=40)


def test_points_of_tit_for_tat_and_a_defector_by_hand():
    run = simulate(MatrixGame(rounds=4), {"player 1": tit_for_tat, "player 2": always("defect")})
    rows = run.sql("select reward from steps where agent = 'player 1' and reward is not null order by step")
    assert rows["reward"].to_list()[:4] == [0, 5, 5, 5]
    (outcome,) = rollouts(Scene(MatrixGame(rounds=4), {"player 1": tit_for_tat, "player 2": always("defect")}), episodes=1)[
        :1
    ]
    assert outcome.outcome == {"points of player 1": 15, "points of player 2": 25, "rounds": 4}


@given(st.integers(0, 2**31), st.data())
@settings(max_examples=30, deadline=None)
def test_rewards_are_the_cell_of_what_was_played(seed, data):
    shape = tuple(data.draw(st.lists(st.integers(2, 4), min_size=2, max_size=3)))
    payoffs = np.random.default_rng(seed).integers(-9, 10, (*shape, len(shape)))
    world = MatrixGame(payoffs, rounds=3, in_turn=data.draw(st.booleans()))
    world.reset(seed=seed)
    totals = dict.fromkeys(world.possible_agents, 0.0)
    while world.agents:
        moves = {agent: world.action_spaces[agent].sample() for agent in world.acting}
        _, rewards, *_ = world.step(moves)
        for agent, reward in rewards.items():
            totals[agent] += reward
        if any(rewards.values()):
            cell = tuple(own.index(done) for own, done in zip(world.options, world.last, strict=True))
            assert list(rewards.values()) == payoffs[cell].tolist()
    assert [world.outcome()[f"points of {agent}"] for agent in totals] == pytest.approx(list(totals.values()))


def test_those_who_move_later_see_what_was_moved_before():
    world = MatrixGame(in_turn=True)
    seen, _ = world.reset(seed=0)
    assert list(world.acting) == ["player 1"] and seen["player 2"].before == []
    seen, rewards, *_ = world.step({"player 1": Choose(option="defect")})
    assert list(world.acting) == ["player 2"] and seen["player 2"].before == ["defect"]
    assert rewards == {"player 1": 0, "player 2": 0} and seen["player 2"].round == 1
    seen, rewards, *_ = world.step({"player 2": Choose(option="cooperate")})
    assert rewards == {"player 1": 10, "player 2": 0} and seen["player 1"].last == ["defect", "cooperate"]


def test_a_random_end_has_the_stated_law_and_is_not_told():
    world = MatrixGame(rounds=1000, going_on=0.75)
    lengths = []
    for seed in range(2000):
        seen, _ = world.reset(seed=seed)
        lengths.append(world.length)
    assert seen["player 1"].left is None and "probability 0.75" in seen["player 1"].rules
    assert np.mean(lengths) == pytest.approx(4, abs=0.31)  # 4 standard errors of a geometric law


def test_noise_carries_out_other_options_as_often_as_said():
    world = MatrixGame("rock-paper-scissors", rounds=3000, noise=0.3)
    world.reset(seed=1)
    done = []
    while world.agents:
        world.step(dict.fromkeys(world.agents, Choose(option="rock")))
        done += world.last
    share = {option: done.count(option) / len(done) for option in ("rock", "paper", "scissors")}
    assert share["rock"] == pytest.approx(0.7, abs=0.024)
    assert share["paper"] == pytest.approx(0.15, abs=0.019)


def test_players_are_told_the_rules_from_their_side():
    one, two = MatrixGame("battle-of-the-sexes", rounds=3).rules
    assert "If you choose football and player 2 chooses football, you get 10 points and player 2 7." in one
    assert "If you choose football and player 1 chooses football, you get 7 points and player 1 10." in two
    assert one.endswith("There are 3 rounds.")
    assert "rounds" not in MatrixGame(tell=False).rules[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"game": "poker"}, "no game 'poker'"),
        ({"game": [[1, 2], [3, 4]]}, "of no game"),
        ({"game": [[[1, 2]], [[3, 4]]]}, "at least two options"),
        ({"game": [[[1, 2], [3]], 4]}, "nested lists"),
        ({"options": ["a", "a"]}, "as many different names"),
        ({"players": ["Ana"]}, "2 players"),
        ({"rounds": 0}, "rounds=0"),
        ({"noise": 2}, "noise=2"),
    ],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ConfigError, match=said):
        MatrixGame(**arguments)


def test_the_same_match_can_be_played_again():
    scene = Scene(MatrixGame(going_on=0.9, noise=0.2, rounds=50), Random())
    one, other = (simulate(*scene[:2], seed=5).steps.collect() for _ in range(2))
    assert one.equals(other)
