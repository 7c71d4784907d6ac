"""Entropies of modes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.measures import conditional_mode_entropy, mode_divergence, mode_entropy


def test_entropy_by_hand():
    assert mode_entropy([0, 1, 2, 3], 4).value == pytest.approx(1)
    assert mode_entropy([0, 1, 0, 1], 4).value == pytest.approx(0.5)  # base 4, not 2
    assert mode_entropy([2] * 9, 4).value == 0
    # 3/4 and 1/4: (3/4 ln 4/3 + 1/4 ln 4) / ln 2 = 0.8113; with Miller and Madow 1 / (2 · 4 · ln 2) more: 0.9916
    assert mode_entropy([0, 0, 0, 1], 2).value == pytest.approx(0.8113, abs=1e-4)
    assert mode_entropy([0, 0, 0, 1], 2, "miller-madow").value == pytest.approx(0.9916, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.sampled_from(["none", "miller-madow"]))
def test_entropy_agrees_with_scipy_and_is_bounded(modes, correction):
    got = mode_entropy(modes, 6, correction, resamples=50)
    want = stats.entropy(np.bincount(modes, minlength=6), base=6)
    assert got.value == pytest.approx(want, abs=1e-9) if correction == "none" else got.value >= want - 1e-9
    assert 0 <= got.low <= got.high <= 1 and -1e-12 <= got.value <= 1


def test_one_mode_seen_does_not_prove_that_there_is_one():
    # 95 % of the time a mode of share 1 - 0.05^(1/20) = 0.139 or more shows among 20 rollouts
    got, rest = mode_entropy([3] * 20, 24), 1 - 0.05 ** (1 / 20)
    want = (-(1 - rest) * math.log(1 - rest) - rest * math.log(rest / 23)) / math.log(24)
    assert got.low == 0 and got.high == pytest.approx(want) and 0.2 < got.high < 0.3
    assert mode_entropy([3] * 480, 24).high < 0.03
    # one or two rollouts leave more than half to the other of two modes: they may well be equally frequent
    assert mode_entropy([1], 2).high == mode_entropy([1, 1], 2).high == pytest.approx(1)
    assert mode_entropy([1] * 5, 2).high == pytest.approx(float(stats.entropy([0.05**0.2, 1 - 0.05**0.2], base=2)))


def test_one_mode_seen_leaves_the_divergence_open():
    demonstrated = [0] * 30 + [1] * 10 + [2] * 5
    shares = (np.array([30, 10, 5, 0]) + 0.5) / 47
    for seen, n in ((0, 3), (0, 20), (1, 20), (3, 8)):
        got, rest = mode_divergence([seen] * n, demonstrated, 4), 1 - 0.05 ** (1 / n)
        drawn = np.random.default_rng(0).dirichlet([0.3] * 3, 4000) * np.linspace(0, rest, 4000)[:, None]
        allowed = np.insert(drawn, seen, 1 - drawn.sum(1), axis=1)
        within = stats.entropy(allowed, shares, axis=1) / math.log(4)
        assert got.value == pytest.approx(-math.log(shares[seen]) / math.log(4))
        assert got.low <= within.min() and within.max() <= got.high + 1e-12
        assert within.min() - got.low < 0.03 and got.high - within.max() < 0.03
    assert mode_divergence([0] * 3, demonstrated, 4).low == pytest.approx(0)


def test_the_interval_of_the_entropy_covers_despite_the_bias():
    rng, p = np.random.default_rng(7), np.array([0.4, 0.3, 0.15, 0.1, 0.05, 0])
    truth = float(stats.entropy(p, base=6))
    for correction in ("none", "miller-madow"):
        found = [mode_entropy(rng.choice(6, 100, p=p), 6, correction, seed=i, resamples=300) for i in range(300)]
        assert 0.9 < np.mean([e.low <= truth <= e.high for e in found]) < 0.99
        bias = np.mean([e.value for e in found]) - truth
        assert (-0.018 < bias < -0.006) if correction == "none" else abs(bias) < 0.005


def test_diversity_of_starts_is_not_diversity():
    modes, starts = [0, 0, 1, 1, 2, 2], ["a", "a", "b", "b", "c", "c"]
    assert mode_entropy(modes, 3).value == pytest.approx(1)
    got = conditional_mode_entropy(modes, starts, 3)
    assert got.value == 0 and got.n == 3
    mixed = conditional_mode_entropy([0, 1, 0, 0], [7, 7, 8, 8], 2)
    assert mixed.value == pytest.approx(0.5) and (mixed.low, mixed.high) == pytest.approx((0, 1))


def test_divergence_by_hand():
    demonstrated = [0] * 30 + [1] * 10  # with half a demonstration added: 30.5/41 and 10.5/41
    got = mode_divergence([0, 0, 1, 1], demonstrated, 2)
    want = (0.5 * math.log(0.5 / (30.5 / 41)) + 0.5 * math.log(0.5 / (10.5 / 41))) / math.log(2)
    assert got.value == pytest.approx(want) and got.low >= 0
    assert mode_divergence([0] * 305 + [1] * 105, demonstrated, 2).value == pytest.approx(0, abs=1e-12)
    split = mode_divergence([0, 0, 1, 1], demonstrated, 2, starts=[1, 1, 2, 2])
    assert split.value > got.value and split.n == 2
    unseen = mode_divergence([2, 2], demonstrated, 3)
    assert math.isfinite(unseen.value) and unseen.value > 3


def test_bad_modes_are_refused():
    with pytest.raises(DataError, match="no successful"):
        mode_entropy([], 4)
    with pytest.raises(DataError, match="0 to 3"):
        mode_entropy([0, 4], 4)
    with pytest.raises(DataError, match="0 to 3"):
        mode_entropy([0, np.nan], 4)
    with pytest.raises(DataError, match="0 to 3"):
        mode_entropy(["left"], 4)  # type: ignore[list-item]
    with pytest.raises(DataError, match="there are 2 and 1 of them"):
        conditional_mode_entropy([0, 1], [1], 2)
    with pytest.raises(ConfigError):
        mode_entropy([0], 1)
