"""Respondents by rule."""

from pathlib import Path

import numpy as np
import pytest

from ethogram import simulate
from ethogram.policies.coded.respondents import ConstantRespondent, RandomRespondent, TabledRespondent
from ethogram.questionnaires import answers, instrument, load
from ethogram.worlds.coded.matrix_game import MatrixGame
from ethogram.worlds.coded.survey import Survey

COMMUTING = load(Path(__file__).parents[1] / "questionnaires" / "commuting.toml")


def test_random_answers_are_uniform_and_shares_sum():
    world = Survey(COMMUTING, 900)
    table = answers(simulate(world, RandomRespondent(), seed=1), COMMUTING)
    assert world.outcome()["refused"] <= 900  # only options named twice
    counts = np.bincount(table["noise"].drop_nulls().cast(int).to_numpy())
    assert len(counts) == 5 and counts.min() > 80 and counts.max() < 170  # 600 answers
    shares = table.select("budget_1", "budget_2", "budget_3").drop_nulls().to_numpy()
    assert set(shares.sum(1)) == {10.0} and shares.mean(0) == pytest.approx([10 / 3] * 3, abs=0.3)
    with pytest.raises(Exception, match=r"is this a Survey|has no attribute"):
        simulate(MatrixGame(), RandomRespondent(), seed=1)


@pytest.mark.parametrize(("place", "car", "noise"), [(0, 1.0, 0.0), (1, 2.0, 1.0), (-1, 2.0, 4.0)])
def test_constant_answers_are_exposed_by_their_codes(place, car, noise):
    table = answers(simulate(Survey(COMMUTING, 6, may_skip=True), ConstantRespondent(place), seed=1), COMMUTING)
    assert set(table["car"]) == {car} and set(table["noise"].drop_nulls()) == {noise}
    assert table["words"].null_count() == 6
    ipip = instrument("mini-ipip")
    scores = answers(simulate(Survey(ipip, 2), ConstantRespondent(-1), seed=1), ipip)
    assert scores["extraversion"].to_list() == [3.0, 3.0]  # reversed items take what the others give


def test_a_table_of_answers():
    said = {"respondent 1": {"car": "no", "noise": 2}, "respondent 2": {"car": "yes", "trips": 5}}
    table = answers(simulate(Survey(COMMUTING, 2, may_skip=True), TabledRespondent(said), seed=1), COMMUTING)
    assert table["car"].to_list() == [2.0, 1.0] and table["trips"].to_list() == [None, 5.0]
