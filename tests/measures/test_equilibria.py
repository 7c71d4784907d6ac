"""What theory says of games: textbook cases, and brute force over pure profiles."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.measures.equilibria import best_replies, dominated, equilibria, maximin, pure_equilibria
from ethogram.worlds.coded.matrix_game import GAMES

DILEMMA, SEXES, PENNIES, ROCK = (
    GAMES[name][1] for name in ("prisoners-dilemma", "battle-of-the-sexes", "matching-pennies", "rock-paper-scissors")
)


def test_textbook_equilibria():
    pytest.importorskip("nashpy")
    for method in ("support enumeration", "vertex enumeration", "lemke-howson"):
        ((mine, other),) = equilibria(DILEMMA, method)
        assert mine == pytest.approx([0, 1]) and other == pytest.approx([0, 1])
        ((mine, other),) = equilibria(PENNIES, method)
        assert mine == pytest.approx([0.5, 0.5]) and other == pytest.approx([0.5, 0.5])
    found = sorted(tuple(np.concatenate(pair).round(6)) for pair in equilibria(SEXES))
    by_hand = [(0, 1, 0, 1), (10 / 17, 7 / 17, 7 / 17, 10 / 17), (1, 0, 1, 0)]
    assert found == [pytest.approx(each, abs=1e-5) for each in by_hand]
    assert pure_equilibria(SEXES) == [(0, 0), (1, 1)] and pure_equilibria(ROCK) == []
    (mixes,) = equilibria(ROCK)
    assert np.concatenate(mixes) == pytest.approx([1 / 3] * 6)


@given(st.integers(0, 2**31), st.lists(st.integers(2, 3), min_size=2, max_size=3))
@settings(max_examples=40, deadline=None)
def test_pure_equilibria_and_best_replies_by_brute_force(seed, shape):
    payoffs = np.random.default_rng(seed).integers(0, 5, (*shape, len(shape))).astype(float)
    stable = []
    for cell in itertools.product(*map(range, shape)):
        gains = []
        for player, options in enumerate(shape):
            others = [np.eye(n)[cell[i]] for i, n in enumerate(shape) if i != player]
            scores = [payoffs[(*cell[:player], option, *cell[player + 1 :])][player] for option in range(options)]
            assert best_replies(payoffs, player, others) == [o for o, s in enumerate(scores) if s == max(scores)]
            gains.append(max(scores) - scores[cell[player]])
        if not any(gains):
            stable.append(cell)
    assert pure_equilibria(payoffs) == stable


def test_domination_and_security_by_hand():
    assert dominated(DILEMMA, 0) == dominated(DILEMMA, 1) == [0] and dominated(SEXES, 0) == []
    mixed = np.zeros((3, 2, 2))
    mixed[..., 0] = [[4, 0], [0, 4], [1, 1]]  # the third is beaten by half and half alone
    assert dominated(mixed, 0) == [2] and dominated(mixed, 1) == []
    assert dominated(np.zeros((1, 3, 2)), 0) == []  # there is nothing to choose
    assert maximin(PENNIES, 0).value == pytest.approx(0) and maximin(PENNIES, 0).mix == pytest.approx([0.5, 0.5])
    assert maximin(DILEMMA, 1).value == pytest.approx(5) and maximin(DILEMMA, 1).mix == pytest.approx([0, 1])
    assert maximin(SEXES, 0).value == pytest.approx(70 / 17)


def test_what_is_no_game_is_said():
    with pytest.raises(ConfigError, match="of no game"):
        pure_equilibria(np.zeros((2, 2)))
    with pytest.raises(ConfigError, match="games of two, not of 3"):
        equilibria(np.zeros((2, 2, 2, 3)))
    with pytest.raises(ConfigError, match="probabilities of shapes"):
        best_replies(SEXES, 0, [[0.4, 0.4]])
    with pytest.raises(ConfigError, match="no player 2"):
        maximin(SEXES, 2)
