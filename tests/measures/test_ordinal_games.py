"""Families of 2×2 games: known games, their mirror images, and the released table."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.errors import DataError
from ethogram.measures.ordinal_games import FAMILIES, family
from ethogram.records.reference import VARIABLE
from ethogram.records.repeated_games import ordinal_games

KNOWN = {
    "PD Family": [[[3, 3], [1, 4]], [[4, 1], [2, 2]]],
    "Win-win": [[[4, 4], [1, 3]], [[3, 1], [2, 2]]],  # stag hunt
    "Biased": [[[2, 2], [3, 4]], [[4, 3], [1, 1]]],  # hero
    "Cyclic": [[[4, 1], [1, 4]], [[2, 3], [3, 2]]],
    "Second Best": [[[3, 3], [4, 1]], [[1, 4], [2, 2]]],
    "Unfair": [[[2, 4], [4, 1]], [[1, 3], [3, 2]]],
    "Tragic": [[[2, 3], [1, 4]], [[4, 1], [3, 2]]],
}


def test_known_games():
    assert {name: family(game) for name, game in KNOWN.items()} == {name: name for name in KNOWN}
    assert set(KNOWN) == set(FAMILIES)
    assert family([[[8, 8], [0, 10]], [[10, 0], [5, 5]]]) == "PD Family"
    with pytest.raises(DataError, match="shape"):
        family([[1, 2], [3, 4]])


@given(st.permutations([1, 2, 3, 4]), st.permutations([1, 2, 3, 4]))
def test_names_of_options_and_players_do_not_matter(mine, other):
    game = np.stack([np.reshape(mine, (2, 2)), np.reshape(other, (2, 2))], -1)
    same = {family(game[::-1]), family(game[:, ::-1]), family(game.swapaxes(0, 1)[..., ::-1]), family(game * 7 - 3)}
    assert same == {family(game)}


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set: the released table is not here")
def test_the_released_table_where_its_payoffs_are_ranks():
    strict = [
        game
        for game in ordinal_games().values()
        if game.family and (np.sort(np.reshape(game.payoffs, (4, 2)), axis=0).T == [1, 2, 3, 4]).all()
    ]
    assert [family(game.payoffs) for game in strict] == [game.family for game in strict]
