"""Posteriors, Barnard's test, the sequential test, and how often they reject."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betaln

from ethogram.errors import ConfigError, DataError
from ethogram.measures import (
    barnard,
    barnard_region,
    evidence,
    posterior_density,
    probability_better,
    rejection_rate,
    sequential_test,
    step_region,
)

counts = st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ALTERNATIVES = ("two-sided", "greater", "less")


def beats(a, b):
    """The closed form for whole parameters: a finite sum, by parts."""
    (a1, b1), (a2, b2) = ((1 + s, 1 + n - s) for s, n in (a, b))
    terms = (betaln(a2 + i, b1 + b2) - math.log(b1 + i) - betaln(1 + i, b1) - betaln(a2, b2) for i in range(a1))
    return sum(math.exp(term) for term in terms)


@settings(deadline=None)
@given(counts, counts)
def test_probability_better_has_a_closed_form(a, b):
    assert probability_better(a, b) == pytest.approx(beats(a, b), abs=1e-8)
    assert probability_better(a, b) + probability_better(b, a) == pytest.approx(1, abs=1e-8)


def test_probability_better_by_hand():
    # densities 2p and 2(1-p): P(p_a > p_b) = ∫ 2p (2p - p²) dp = 4/3 - 1/2 = 5/6
    assert probability_better((1, 1), (0, 1)) == pytest.approx(5 / 6)
    assert probability_better((900, 1000), (0, 1)) == pytest.approx(
        beats((900, 1000), (0, 1)), abs=1e-8
    )  # very unequal widths
    one_way, other = (90_000, 100_000), (0, 1)  # the one is nearly a step where the other is smooth
    assert probability_better(one_way, other) == pytest.approx(beats(one_way, other), abs=1e-8)
    rates = np.linspace(0, 1, 7)
    assert posterior_density(3, 10, rates) == pytest.approx(stats.beta(4, 8).pdf(rates))
    with pytest.raises(DataError):
        probability_better((3, 2), (1, 2))
    with pytest.raises(ConfigError, match="above 0, not 0 and 1"):
        posterior_density(0, 3, rates, prior=(0, 1))
    with pytest.raises(ConfigError, match="above 0"):
        probability_better((1, 2), (1, 2), prior=(1, -1))


def exact_extreme(s, n, t, m, alternative):
    """Which tables are at least as extreme, in rational arithmetic (the sign of the gap times its squared score)."""

    def score(i, j):
        gap, pooled = Fraction(i, n) - Fraction(j, m), Fraction(i + j, n + m)
        squared = Fraction(0) if pooled in (0, 1) else gap * gap / (pooled * (1 - pooled))
        signed = squared if gap > 0 else -squared
        return {"two-sided": squared, "greater": signed, "less": -signed}[alternative]

    return np.array([[score(i, j) >= score(s, t) for j in range(m + 1)] for i in range(n + 1)])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(2, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from(ALTERNATIVES),
)
def test_barnard_is_the_largest_tail_over_the_common_rate(a, b, alternative):
    extreme = exact_extreme(*a, *b, alternative)
    rates = np.linspace(0, 1, 4001)
    first, second = (stats.binom.pmf(np.arange(n + 1)[:, None], n, rates) for _, n in (a, b))
    want = np.einsum("ir,ij,jr->r", first, extreme.astype(float), second).max()
    got = barnard(a, b, alternative)
    assert got.p == pytest.approx(want, rel=1e-4) and got.p >= want - 1e-9


def test_barnard_agrees_with_scipy_where_no_tables_tie():
    # 7/15 against 12/15 is scipy's own example (Mato and Andres); in the last two scipy loses tied tables and is too small
    for a, b in (((7, 15), (12, 15)), ((18, 30), (25, 28)), ((3, 20), (11, 23)), ((40, 50), (30, 50))):
        for alternative in ALTERNATIVES:
            table = [[a[0], b[0]], [a[1] - a[0], b[1] - b[0]]]
            want = stats.barnard_exact(table, alternative=alternative).pvalue
            assert barnard(a, b, alternative).p == pytest.approx(want, abs=1e-4)
    tied = stats.barnard_exact([[15, 5], [11, 1]]).pvalue
    assert barnard((15, 26), (5, 6)).p > tied + 0.03


def test_barnard_at_the_edges():
    assert barnard((0, 5), (0, 9)).p == barnard((5, 5), (9, 9)).p == 1
    assert barnard((0, 1), (1, 1)).p == pytest.approx(0.5)  # 2 p (1 - p) at p = 1/2
    assert barnard((9, 10), (2, 10)).difference == pytest.approx(0.7)
    with pytest.raises(DataError):
        barnard((0, 0), (1, 2))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_the_region_of_barnard_is_where_it_rejects(alternative):
    region = barnard_region(9, 6, 0.1, alternative)
    want = [[barnard((s, 9), (t, 6), alternative).p <= 0.1 for t in range(7)] for s in range(10)]
    assert (region == want).all() and 0 < region.sum() < region.size


def mean_evidence(p, q, pairs, alternative):
    """The expected evidence after each pair, over all outcomes, shape (pairs,)."""
    x = np.array(list(product((0, 1), repeat=2 * pairs)))
    a, b = x[:, :pairs], x[:, pairs:]
    weight = np.prod(np.where(a, p, 1 - p), axis=1) * np.prod(np.where(b, q, 1 - q), axis=1)
    return weight @ evidence(a, b, alternative)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_evidence_is_at_most_one_on_average_under_the_null(p, q):
    low, high = min(p, q), max(p, q)
    assert (mean_evidence(low, high, 5, "greater") <= 1 + 1e-9).all()
    assert (mean_evidence(high, low, 5, "less") <= 1 + 1e-9).all()
    assert (mean_evidence(p, p, 5, "two-sided") <= 1 + 1e-9).all()


def test_evidence_by_hand():
    # priors 2/3 and 1/3, average 1/2. First pair (1, 0): (2/3)(2/3) / (1/2)(1/2) = 16/9.
    # Then the means are 3/4 and 1/4, average 1/2. Second pair (0, 0): (1/4)(3/4) / (1/4) = 3/4.
    assert evidence(np.array([1, 0]), np.array([0, 0]), "greater") == pytest.approx([16 / 9, 4 / 3])
    # against p_a ≥ p_b: (1/3)(1/3) / (1/4) = 4/9, then estimates 1/2 and 1/2 satisfy that null: factor 1
    assert evidence(np.array([1, 0]), np.array([0, 0]), "less") == pytest.approx([4 / 9, 4 / 9])
    assert evidence(np.array([1, 0]), np.array([0, 0])) == pytest.approx([10 / 9, 8 / 9])


def test_the_sequential_test_stops_and_reports():
    won, lost = np.ones(30), np.zeros(30)
    got = sequential_test(won, lost)
    assert got.rejected and got.pairs < 10 and got.e >= 20 and got.p <= 0.05
    again = evidence(won, lost)
    assert again[got.pairs - 1] == got.e and (again[: got.pairs - 1] < 20).all()
    level = sequential_test(won, won)
    assert not level.rejected and level.pairs == 30
    with pytest.raises(DataError, match="pairs"):
        evidence(won, lost[1:])
    with pytest.raises(DataError, match="0 or 1"):
        evidence(won, lost + 0.5)
    with pytest.raises(DataError, match="arrays of 0 and 1"):
        evidence([[1], [1, 0]], [0, 1])
    with pytest.raises(ConfigError):
        sequential_test(won, lost, alpha=0)


def test_evidence_may_outgrow_the_largest_number():
    e = evidence(np.ones(1000), np.zeros(1000))
    assert e[-1] == math.inf and (np.diff(np.log(e[:200])) > 0).all()
    assert sequential_test(np.ones(1000), np.zeros(1000)).p <= 0.05


@pytest.mark.parametrize("wrong", ["two_sided", "larger"])
def test_no_test_takes_an_alternative_that_it_does_not_know_for_another(wrong):
    for test in (
        lambda: barnard((3, 5), (1, 5), wrong),
        lambda: barnard_region(5, 5, alternative=wrong),
        lambda: evidence([1], [0], wrong),
        lambda: step_region(5, alternative=wrong),
    ):
        with pytest.raises(ConfigError, match=f"no alternative '{wrong}'; it is one of two-sided, greater, less"):
            test()


def test_the_sequential_test_may_be_peeked_at_and_barnard_may_not():
    rng = np.random.default_rng(3)
    for p in (0.1, 0.5, 0.9):
        x, y = rng.random((2, 2000, 200)) < p
        assert (evidence(x, y) >= 20).any(axis=1).mean() < 0.05

    def peeking(rng):
        x, y = rng.random((2, 60)) < 0.5
        return any(barnard((int(x[:n].sum()), n), (int(y[:n].sum()), n)).p <= 0.05 for n in range(10, 61, 5))

    assert rejection_rate(peeking, 400, seed=1).low > 0.06


def test_rejection_rates():
    got = rejection_rate(lambda rng: rng.random() < 0.3, 1000, seed=2)
    assert got.low < 0.3 < got.high and got.n == 1000
    assert got == rejection_rate(lambda rng: rng.random() < 0.3, 1000, seed=2)

    def null(rng):
        s, t = rng.binomial(30, 0.5, 2)
        return barnard((int(s), 30), (int(t), 30)).p <= 0.05

    found = rejection_rate(null, 2000)
    assert found.low <= 0.05 and found.value > 0.03
