"""STEP: what it promises at equal rates, what it finds, and its exact figures against every sequence that there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.measures import barnard_region, evidence, step_region, step_stops, step_test


def test_by_hand():
    # α n / longest is 0.1, 0.2, 0.3. One pair: (1, 0) costs p(1-p), at most 1/4, and goes on. Two: (2, 0) costs p²(1-p)², at
    # most 1/16, and rejects; (1, 0) and (2, 1), which go together, would cost 4/16 more at one half. Three: (2, 0) is new.
    first, second, third = step_region(3, 0.3, "greater")
    assert not first.any() and np.argwhere(second).tolist() == [[2, 0]]
    assert [2, 0] in np.argwhere(third).tolist() and not third[np.triu_indices(4)].any()


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_exact_figures_are_those_of_all_sequences(alternative):
    region, p, q = step_region(4, 0.4, alternative), 0.7, 0.2
    stops = np.zeros(4)
    for pairs in product(product((0, 1), repeat=2), repeat=4):
        a, b = zip(*pairs, strict=True)
        got = step_test(a, b, 4, alternative, 0.4)
        chance = np.prod([p if x else 1 - p for x in a]) * np.prod([q if y else 1 - q for y in b])
        stops[got.pairs - 1] += chance * got.rejected
        assert got.left == 0
    assert step_stops(region, p, q) == pytest.approx(stops) and stops.sum() > 0


@pytest.mark.parametrize("longest, alpha", [(15, 0.05), (40, 0.05), (25, 0.2)])
def test_the_risk_spent_by_a_pair_is_its_share_at_most(longest, alpha):
    share = alpha * np.arange(1, longest + 1) / longest
    for alternative in ("greater", "two-sided"):
        region = step_region(longest, alpha, alternative)
        spent = np.array([np.cumsum(step_stops(region, p, p)) for p in np.linspace(0.0013, 0.9987, 333)])
        assert (spent <= share + 1e-4).all()  # rates in between those it is held at
        assert spent[:, -1].max() > 0.85 * alpha  # and is spent


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1), st.floats(0, 1))
def test_where_the_second_is_better_the_risk_is_no_higher(p, q):
    region, (low, high) = step_region(25, 0.2, "greater"), sorted((p, q))
    assert step_stops(region, low, high).sum() <= min(step_stops(region, r, r).sum() for r in (low, high)) + 1e-12


def test_a_risk_that_is_the_budget_but_for_rounding_goes_on():
    # at one half (1, 0) costs 1/4; a program that allows for rounding would reject it at a hair less, over and over
    assert [table.sum() for table in step_region(1, 0.2499999999, "greater")] == [0]
    assert np.argwhere(step_region(1, 0.2500001, "greater")[0]).tolist() == [[1, 0]]


def test_policies_and_outcomes_may_change_places():
    for n, (up, down, both) in enumerate(zip(*(step_region(30, a, s) for a, s in SIDES), strict=True), 1):
        assert (down == up.T).all() and (both == (up | down)).all()
        turned = up[::-1, ::-1].T  # failures for successes, and the one policy for the other
        assert (turned == up).all() and up.shape == (n + 1, n + 1)


SIDES = ((0.05, "greater"), (0.05, "less"), (0.1, "two-sided"))


def test_it_finds_nearly_what_one_look_finds_and_more_than_the_e_value():
    n, p, q, x = 50, 0.65, 0.35, np.arange(51)
    stops = step_stops(step_region(n), p, q)
    once = stats.binom.pmf(x, n, p) @ barnard_region(n, n) @ stats.binom.pmf(x, n, q)
    rng = np.random.default_rng(5)
    e = (evidence(rng.random((2000, n)) < p, rng.random((2000, n)) < q) >= 20).any(axis=1).mean()
    assert once - 0.07 < stops.sum() < once and stops.sum() > e + 0.15
    assert stops @ np.arange(1, n + 1) + (1 - stops.sum()) * n < 35


def test_what_it_says_and_refuses():
    got = step_test(np.ones(12), np.zeros(12), 30)
    assert got.rejected and 3 < got.pairs < 12 and got.left == 0
    level = step_test(np.ones(12), np.ones(12), 30)
    assert not level.rejected and (level.pairs, level.left) == (12, 18)
    with pytest.raises(DataError, match="more than the 10"):
        step_test(np.ones(12), np.zeros(12), 10)
    with pytest.raises(DataError, match="pairs"):
        step_test(np.ones(12), np.zeros(11), 30)
    with pytest.raises(DataError, match="one sequence"):
        step_test(np.ones((2, 3)), np.zeros((2, 3)), 30)
    with pytest.raises(DataError, match="at least 1"):
        step_region(0)
    with pytest.raises(ConfigError):
        step_region(10, alpha=1.5)
