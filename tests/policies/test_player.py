"""The prompted player of matrix games: what it reads, and that planted biases of letters and places cancel."""

import re

import numpy as np
import pytest

from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.policies.coded.strategies import strategy
from ethogram.policies.prompted.player import Decision, Framing, Player
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.matrix_game import MatrixGame

ASKED = re.compile(r"Which Option do you choose, Option (.) or Option (.)\?")


def biased(preference=0.7, letter=1.5, place=2.0):
    """A model that likes to cooperate, and also the letter J and what is named first."""

    def rate(request):
        text = request.messages[-1]["content"]
        kind = re.search(r"If you choose Option (.) and the other player chooses Option \1, then you win 8", text)
        asked = ASKED.search(text)
        assert kind and asked
        return [preference * (o == kind[1]) + letter * (o == "J") + place * (o == asked[1]) for o in request.options]

    return scripted(rate=rate)


def weighed(player, world):
    seen, _ = world.reset(seed=1)
    return run_coroutine(player.weigh("player 1", seen["player 1"], world.action_space("player 1")))


def test_biases_of_letters_and_places_cancel_and_are_told():
    world, logistic = MatrixGame(), lambda x: 1 / (1 + np.exp(-x))
    found = weighed(Player(biased()), world)
    assert found.scores.shape == (2, 2, 2)
    assert found.preference[0] - found.preference[1] == pytest.approx(0.7)
    # cooperation has J or F, and is named first or second: by hand, over the four ways of asking
    ways = {(j, f): logistic(0.7 + 1.5 * j + 2 * f) for j in (1, -1) for f in (1, -1)}
    first = np.mean([p if f == 1 else 1 - p for (_, f), p in ways.items()])
    letter = np.mean([p if j == 1 else 1 - p for (j, _), p in ways.items()])
    assert found.first_named == pytest.approx(first) and found.first_letter == pytest.approx(letter)
    fair = weighed(Player(biased(letter=0, place=0)), world)
    assert fair.first_named == pytest.approx(0.5) and fair.first_letter == pytest.approx(0.5)
    once = weighed(Player(biased(preference=-1), average=False), world)
    assert once.scores.shape == (1, 1, 2) and once.preference.argmax() == 0 and np.isnan(once.first_named)
    assert weighed(Player(biased(preference=-1)), world).preference.argmax() == 1


def test_three_options_have_each_letter_and_place():
    def rate(request):
        return [{"J": 1.0, "F": 0.3, "Q": 0.0}[o] for o in request.options]

    found = weighed(Player(scripted(rate=rate)), MatrixGame("rock-paper-scissors"))
    assert found.scores.shape == (3, 3, 3) and np.ptp(found.preference) < 1e-12 and found.first_letter > 0.4
    assert np.allclose(Decision(np.full((3, 3, 3), -np.inf)).probabilities, 1 / 3)


def test_the_history_is_told_in_full_sentences():
    texts = []

    def rate(request):
        texts.append(request.messages[-1]["content"])
        return [0.0] * len(request.options)

    player = Player(scripted(rate=rate), average=False, framing=Framing(story="cooking", unit="coins", letters="XQ"))
    world = MatrixGame(rounds=3)
    data = rollouts(Scene(world, {"player 1": strategy("defect once"), "player 2": player}), episodes=1, progress=False)
    assert [action.option for action in data[1].actions] == ["cooperate"] * 3  # equal scores: the first
    assert texts[2].splitlines()[:2] == [
        "You are taking part in a cooking competition with another chef. In this competition, you can choose between Dish X "
        "and Dish Q.",
        "The rules of the competition are as follows:",
    ]
    assert (
        "If you choose Dish X and the other chef chooses Dish Q, then you win 0 coins and the other chef wins 10" in texts[2]
    )
    assert (
        "In round 1, you chose Dish X and the other chef chose Dish Q. Thus, you won 0 coins and the other chef won 10 "
        "coins.\nIn round 2, you chose Dish X and the other chef chose Dish X. Thus, you won 8 coins and the other chef won "
        "8 coins.\nYou are currently playing round 3.\n"
    ) in texts[2]
    assert "points" not in texts[2] and "cooperate" not in texts[2]


def test_it_predicts_and_then_chooses():
    """A model that predicts what the other did last, and does what it predicts, follows an alternator a round behind."""

    def rate(request):
        text = request.messages[-1]["content"]
        told = re.search(r"You predict that the other player will choose Option (.) in", text)
        last = re.findall(r"and the other player chose Option (.)\.", text)
        wanted = told[1] if told else last[-1] if last else "J"
        return [float(o == wanted) for o in request.options]

    world = MatrixGame("battle-of-the-sexes", rounds=6)
    player = Player(scripted(rate=rate), predict=True)
    data = rollouts(Scene(world, {"player 1": player, "player 2": strategy("alternator")}), episodes=1, progress=False)
    done = [["football", "ballet"].index(action.option) for action in data[0].actions]
    assert done == [0, 0, 1, 0, 1, 0]
    with pytest.raises(ConfigError, match="predicts in games of two"):
        weighed(player, MatrixGame(np.zeros((2, 2, 2, 3))))


def test_games_of_three_in_turn_and_goes_on_after_a_restart():
    world = MatrixGame(np.arange(24).reshape(2, 2, 2, 3), rounds=4, in_turn=True)
    player, other = (Player(scripted(rate=lambda r: [0.1] * len(r.options)), temperature=1.0) for _ in range(2))
    seen, _ = world.reset(seed=3)
    player.reset(5, world.agents)
    spaces = {agent: world.action_space(agent) for agent in world.agents}
    chosen = []
    for turn in range(12):
        agent = world.acting[0]
        if turn == 7:
            other.load_state_dict(player.state_dict())
        action = run_coroutine(player.act({agent: seen[agent]}, spaces))
        if turn >= 7:
            assert run_coroutine(other.act({agent: seen[agent]}, spaces)) == action
        chosen.append(action[agent].option)
        seen, *_ = world.step(action)
    assert len(set(chosen)) == 2
