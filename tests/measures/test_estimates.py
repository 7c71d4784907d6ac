import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.measures import (
    Estimate,
    bootstrap,
    mean,
    mean_difference,
    paired_difference,
    permutation_test,
    proportion,
    proportion_difference,
)

SLEEP = ([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
"""Student's own data (Biometrika 1908): extra hours of sleep of ten people under two drugs."""

numbers = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=2, max_size=30)


def test_mean_by_hand():
    # 2, 4, 6: mean 4, s = 2, t(0.975, 2) = 4.3027, half = 4.3027 * 2 / sqrt(3) = 4.968
    got = mean([2, 4, 6])
    assert got.value == 4 and got.n == 3 and got.level == 0.95
    assert got.low == pytest.approx(4 - 4.968, abs=1e-3) and got.high == pytest.approx(4 + 4.968, abs=1e-3)


@given(numbers)
def test_mean_agrees_with_scipy(values):
    if np.std(values) < 1e-6:
        return
    got = mean(values, level=0.9)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    scale = max(abs(low), abs(high), 1)
    assert abs(got.low - low) < 1e-9 * scale and abs(got.high - high) < 1e-9 * scale


def test_too_few_for_an_interval():
    got = mean([3.0])
    assert got.value == 3 and not got.bounded and not got.above
    assert str(got) == "3, n = 1"
    assert not bootstrap([3.0], np.median).bounded
    assert not mean_difference([1.0], [2.0, 3.0]).bounded


def test_constant_samples_have_a_point_interval():
    assert mean([2, 2, 2])[:3] == (2, 2, 2)
    assert mean([2, 2, 2], "bca")[:3] == (2, 2, 2)
    assert mean_difference([2, 2], [1, 1])[:3] == (1, 1, 1)
    assert mean_difference([2, 2], [1, 1], "bca")[:3] == (1, 1, 1)
    assert mean_difference([0.3] * 3, [0.1] * 3, "bca")[:3] == pytest.approx(
        (0.2, 0.2, 0.2)
    )  # equal, though not by their std


@pytest.mark.parametrize(("method", "name"), [("bca", "BCa"), ("percentile", "percentile")])
def test_bootstrap_agrees_with_scipy(method, name):
    x = np.random.default_rng(1).exponential(size=40)
    got = bootstrap(x, np.median, method, seed=3, resamples=4000)
    want = stats.bootstrap((x,), np.median, method=name, n_resamples=4000, rng=np.random.default_rng(9))
    assert got.low == pytest.approx(want.confidence_interval.low, abs=0.05)
    assert got.high == pytest.approx(want.confidence_interval.high, abs=0.05)
    assert got == bootstrap(x, np.median, method, seed=3, resamples=4000)
    assert got != bootstrap(x, np.median, method, seed=4, resamples=4000)


def test_intervals_cover():
    rng = np.random.default_rng(5)
    trials = 400
    hits = sum(e.low <= 1 <= e.high for e in (mean(rng.exponential(size=30)) for _ in range(trials)))
    assert 0.88 < hits / trials < 0.98  # a skewed sample of 30: slightly under 0.95
    hits = sum(e.low <= 0.3 <= e.high for e in (proportion(int(rng.binomial(25, 0.3)), 25) for _ in range(trials)))
    assert 0.91 < hits / trials < 0.99


def test_proportions_by_hand():
    # Wilson for 15 of 20 with z = 1.96: centre (0.75 + 3.8415/40) / (1 + 3.8415/20) = 0.7097, [0.5313, 0.8881]
    got = proportion(15, 20)
    assert (got.value, got.n) == (0.75, 20)
    assert got.low == pytest.approx(0.5313, abs=1e-4) and got.high == pytest.approx(0.8881, abs=1e-4)
    # Clopper and Pearson for 0 of 10: upper 1 - 0.025 ** (1/10)
    got = proportion(0, 10, "exact")
    assert got.low == 0 and got.high == pytest.approx(1 - 0.025**0.1)
    # Uniform prior, 0 of 9: the posterior is Beta(1, 10), its quantile q at 1 - (1 - q) ** (1/10)
    got = proportion(0, 9, "beta")
    assert got.low == pytest.approx(1 - 0.975**0.1) and got.high == pytest.approx(1 - 0.025**0.1)
    assert got.value == 0


@given(st.integers(1, 200), st.integers(0, 200), st.sampled_from(["wilson", "exact", "beta"]))
def test_proportion_lies_in_its_interval(n, k, method):
    k = min(k, n)
    got = proportion(k, n, method)
    assert 0 <= got.low <= got.high <= 1
    if method != "beta":
        want = stats.binomtest(k, n).proportion_ci(method=method)
        assert got.low == pytest.approx(want.low, abs=1e-9) and got.high == pytest.approx(want.high, abs=1e-9)
        assert got.low - 1e-12 <= got.value <= got.high + 1e-12


def test_difference_of_proportions_as_newcombe_prints_it():
    # Newcombe 1998, table II, case (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339
    got = proportion_difference((56, 70), (48, 80))
    assert got.value == pytest.approx(0.2)
    assert got.low == pytest.approx(0.0524, abs=1e-4) and got.high == pytest.approx(0.3339, abs=1e-4)


def test_differences_of_the_sleep_data():
    one, two = SLEEP
    paired = paired_difference(two, one)
    # Student 1908: mean difference 1.58; the paired t interval known from R's t.test: 0.7001 to 2.4599
    assert paired.value == pytest.approx(1.58)
    assert paired.low == pytest.approx(0.7001, abs=1e-4) and paired.high == pytest.approx(2.4599, abs=1e-4)
    assert paired.above and not paired.below
    welch = mean_difference(two, one)
    # R's t.test on the same data, unpaired: -0.2055 to 3.3655
    assert welch.low == pytest.approx(-0.2055, abs=1e-4) and welch.high == pytest.approx(3.3655, abs=1e-4)
    assert not welch.above
    boot = paired_difference(two, one, "bca")
    assert boot.above and 0.7 < boot.low < 1.3 and "paired" in boot.method
    assert mean_difference(two, one, "percentile").low < 0.3


@given(numbers, numbers)
def test_welch_agrees_with_scipy(a, b):
    if min(np.std(a), np.std(b)) < 1e-6:
        return
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    got = mean_difference(a, b)
    scale = max(abs(low), abs(high), 1)
    assert abs(got.low - low) < 1e-9 * scale and abs(got.high - high) < 1e-9 * scale


def test_permutation_by_hand():
    # {1, 2} against {3, 4}: 6 splits; only the two extreme ones are as far apart, so p = 2/6, one-sided 1/6
    got = permutation_test([3, 4], [1, 2])
    assert got.difference == 2 and got.p == pytest.approx(2 / 6)
    assert permutation_test([3, 4], [1, 2], alternative="greater").p == pytest.approx(1 / 6)
    # three pairs, all in the same direction: 2 of 2**3 sign patterns
    assert permutation_test([2, 3, 5], [1, 1, 1], paired=True).p == pytest.approx(2 / 8)


def test_permutation_is_uniform_where_nothing_is_there():
    rng = np.random.default_rng(2)
    p = [permutation_test(rng.normal(size=8), rng.normal(size=8), resamples=199, seed=i).p for i in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("bad", [[], [[1, 2]], [1, math.nan], [1, math.inf], ["a"], 3])
def test_bad_samples_are_refused(bad):
    with pytest.raises(DataError, match="values must be"):
        mean(bad)


def test_bad_arguments_are_refused():
    with pytest.raises(DataError, match="2 and 3"):
        paired_difference([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="5 of 3"):
        proportion(5, 3)
    with pytest.raises(DataError):
        proportion(0, 0)
    with pytest.raises(ConfigError, match="95"):
        mean([1, 2], level=95)
    with pytest.raises(DataError, match=r"2\.5 of 5"):
        proportion(2.5, 5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="above 0"):
        proportion(0, 5, "beta", prior=(0, 0))  # had an interval of NaN
    for wrong in (
        lambda: mean([1, 2, 3], "bac"),  # type: ignore[arg-type]
        lambda: mean_difference([1, 2], [3, 4], "student"),  # type: ignore[arg-type]
        lambda: proportion(1, 2, "willson"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ConfigError, match="there is no interval of"):
            wrong()
    with pytest.raises(DataError, match="two observations"):
        permutation_test([1.0], [2.0])
    with pytest.raises(ConfigError, match="no alternative 'both'"):
        permutation_test([1, 2], [3, 4], alternative="both")  # type: ignore[arg-type]


@given(st.floats(allow_nan=True, allow_infinity=False), st.integers(0, 10**6))
def test_an_estimate_survives_json(value, n):
    estimate = Estimate(value, math.nan, 1.5, n, "made up")
    back = Estimate.read(json.loads(json.dumps(estimate.dump(), allow_nan=False)))
    assert str(back) == str(estimate) and back.n == n and math.isnan(back.low)


def test_an_estimate_reads_well():
    assert str(Estimate(0.52, 0.4, 0.6412, 25, "share")) == "0.52 [0.4, 0.641], n = 25"
    assert Estimate.exact(3).below is False and Estimate.exact(-3).below
