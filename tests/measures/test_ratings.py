"""Ratings: closed forms for two, a library's fit, planted strengths, and records that leave no maximum."""

import math

import numpy as np
import pytest

from ethogram.errors import DataError
from ethogram.measures.ratings import bradley_terry, skill, wins_of


def contests(strengths, each, seed):
    rng = np.random.default_rng(seed)
    names, found = list(strengths), []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            chance = 1 / (1 + math.exp(strengths[b] - strengths[a]))
            found += [{a: float(win), b: float(not win)} for win in rng.random(each) < chance]
    return found


def test_two_have_the_log_odds_and_their_standard_error():
    found = bradley_terry({("a", "b"): 30, ("b", "a"): 12})
    gap, sd = math.log(30 / 12), math.sqrt(1 / 30 + 1 / 12)
    assert found["a"].value - found["b"].value == pytest.approx(gap)
    assert (found["a"].value, found["a"].low, found["a"].high) == pytest.approx(
        (gap / 2, gap / 2 - 1.959964 * sd / 2, gap / 2 + 1.959964 * sd / 2)
    )
    assert found["a"].n == 42


def test_strengths_and_errors_are_those_of_a_logistic_regression():
    sm = pytest.importorskip("statsmodels.api")
    played = contests({"a": 0.0, "b": 0.7, "c": -0.4, "d": 0.2}, 40, seed=2)
    found = bradley_terry(wins_of(played))
    names = list(found)
    design, won = np.zeros((len(played), 4)), np.zeros(len(played))
    for row, contest in enumerate(played):
        (a, first), (b, second) = contest.items()
        design[row, names.index(a)], design[row, names.index(b)], won[row] = 1, -1, first > second
    fit = sm.GLM(won, design[:, 1:], family=sm.families.Binomial()).fit()  # the first is 0
    assert [found[n].value - found["a"].value for n in names[1:]] == pytest.approx(list(fit.params), abs=1e-6)
    centre = np.eye(4)[:, 1:] - 1 / 4
    sds = np.sqrt(np.diag(centre @ fit.cov_params() @ centre.T))
    assert [(found[n].high - found[n].low) / 2 / 1.959964 for n in names] == pytest.approx(sds.tolist(), rel=1e-4)


def test_intervals_cover_planted_strengths():
    truth = {"a": 0.9, "b": 0.1, "c": -1.0}
    covered = [
        found[name].low <= value <= found[name].high
        for seed in range(120)
        for found in [bradley_terry(wins_of(contests(truth, 40, seed)))]
        for name, value in truth.items()
    ]
    assert 0.91 < np.mean(covered) < 0.985


def test_records_without_maximum_are_told_by_name_and_a_prior_helps():
    unbeaten = {("a", "b"): 3, ("a", "c"): 3, ("b", "c"): 1, ("c", "b"): 2}
    with pytest.raises(DataError, match=r"a never lost to any of the others; .*prior=0\.5"):
        bradley_terry(unbeaten)
    with pytest.raises(DataError, match="a, b never met any"):
        bradley_terry({("a", "b"): 1, ("b", "a"): 1, ("c", "d"): 1, ("d", "c"): 2})
    with pytest.raises(DataError, match="c never beat"):
        bradley_terry({("a", "b"): 1, ("b", "a"): 1, ("a", "c"): 2})
    found = bradley_terry(unbeaten, prior=0.5)
    assert found["a"].value > found["c"].value > found["b"].value and "0.5 wins" in found["a"].method
    alone = bradley_terry({("a", "b"): 7}, prior=0.5)
    assert alone["a"].value - alone["b"].value == pytest.approx(math.log(7.5 / 0.5))


def test_a_skill_after_one_contest_by_hand():
    """Weng & Lin (2011), algorithm 3, for one contest of two newcomers, without openskill: gain = sd^2 / c V(0, margin)."""
    pytest.importorskip("openskill")
    found = skill([{"a": 3.0, "b": 1.0}])
    assert found["a"].mean - 25 == pytest.approx(25 - found["b"].mean) and found["a"].mean > 28
    assert found["a"].sd == found["b"].sd < 25 / 3
    level = skill([{"a": 1.0, "b": 1.0}])
    assert level["a"].mean == level["b"].mean == 25
    variance, c = (25 / 3) ** 2 + (25 / 300) ** 2, math.sqrt(2 * ((25 / 3) ** 2 + (25 / 300) ** 2) + 2 * (25 / 6) ** 2)
    v = math.sqrt(2 / math.pi)  # the hazard of a standard normal at 0
    assert found["a"].mean - 25 == pytest.approx(variance / c * v, rel=0.02)


def test_skills_are_ordered_as_planted_and_three_may_meet():
    pytest.importorskip("openskill")
    found = skill(contests({"a": 1.5, "b": 0.0, "c": -1.5}, 60, seed=1))
    assert found["a"].mean > found["b"].mean > found["c"].mean
    assert all(rating.sd < 2 for rating in found.values())
    three = skill([{"x": 3, "y": 2, "z": 1}] * 5)
    assert three["x"].mean > three["y"].mean > three["z"].mean
    with pytest.raises(DataError, match="contest 1"):
        skill([{"a": 1, "b": 2}, {"a": 1}])


def test_without_drift_what_is_known_keeps_growing():
    pytest.importorskip("openskill")
    played = contests({"a": 0.5, "b": 0.0}, 400, seed=2)
    drifting, fixed = skill(played), skill(played, drift=0.0)
    assert fixed["a"].sd < 0.8 * drifting["a"].sd and fixed["a"].mean > fixed["b"].mean
