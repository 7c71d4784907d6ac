"""Measures of markets: by hand, against closed forms, and on planted series."""

import math

import numpy as np
import pytest

from ethogram.errors import DataError
from ethogram.measures.markets import agreement, autocorrelation, correlation, excess_kurtosis, gini, log_returns, tail_index


def test_returns_by_hand():
    assert log_returns([100, 110, 99]).tolist() == pytest.approx([math.log(1.1), math.log(0.9)])
    assert len(log_returns([5])) == 0
    with pytest.raises(DataError, match="above 0"):
        log_returns([1, 0])


def test_kurtosis_of_known_distributions():
    rng = np.random.default_rng(0)
    assert excess_kurtosis([1, -1, 1, -1]) == pytest.approx(-2)  # the least there is
    assert abs(excess_kurtosis(rng.normal(size=50_000))) < 0.1
    assert excess_kurtosis(rng.laplace(size=200_000)) == pytest.approx(3, abs=0.3)
    assert math.isnan(excess_kurtosis([2, 2]))


def test_the_tail_index_of_a_power_law_is_its_exponent():
    rng = np.random.default_rng(1)
    for exponent in (2.0, 4.0):
        values = rng.pareto(exponent, 40_000) + 1
        assert tail_index(values * rng.choice([-1, 1], 40_000)) == pytest.approx(exponent, rel=0.08)
    assert tail_index([4, 1, 1], share=0.3) == pytest.approx(1 / np.mean([math.log(4), 0]))
    assert math.isnan(tail_index([0, 0, 0, 0])) and math.isnan(tail_index([1]))


def test_correlations_by_hand():
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1) and correlation([1, 2, 3], [1, 0, -1]) == pytest.approx(-1)
    assert math.isnan(correlation([1, 1], [1, 2]))
    assert autocorrelation([1, -1, 1, -1], [1, 2]) == pytest.approx([-3 / 4, 2 / 4])
    rng = np.random.default_rng(2)
    x = np.zeros(20_000)
    for i in range(1, len(x)):
        x[i] = 0.6 * x[i - 1] + rng.normal()
    assert autocorrelation(x, [1, 2]) == pytest.approx([0.6, 0.36], abs=0.03)


def test_gini_by_hand():
    assert gini([3, 3, 3]) == 0 and gini([0, 0, 0, 8]) == pytest.approx(0.75) and gini([1, 3]) == pytest.approx(0.25)
    assert math.isnan(gini([0, 0]))


def test_agreement_is_cohens_kappa():
    assert agreement([True, False, True], [True, False, True]) == 1
    said, done = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert agreement(map(bool, said), map(bool, done)) == pytest.approx(0.4)  # 0.7 observed, 0.5 by chance
    rng = np.random.default_rng(3)
    assert abs(agreement(rng.random(20_000) < 0.3, rng.random(20_000) < 0.8)) < 0.02
    assert math.isnan(agreement([True, True], [True, True])) and math.isnan(agreement([], []))
    with pytest.raises(DataError, match="one of each"):
        agreement([True], [])
