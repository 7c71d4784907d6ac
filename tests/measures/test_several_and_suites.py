"""Many policies at once, seeds with episodes, suites of tasks."""

import importlib.util
import sys
import types
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from ethogram.errors import DataError
from ethogram.measures import (
    compare_successes,
    hierarchical_difference,
    hierarchical_mean,
    holm,
    interquartile_mean,
    letters,
    performance_profile,
    probability_of_improvement,
)


@settings(max_examples=15, deadline=None)  # statsmodels collects garbage each time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_agrees_with_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.04 times 3, 2, 1: 0.03, 0.04, 0.04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    with pytest.raises(DataError):
        holm([1.2])


def maximal_cliques(names, apart):
    """All maximal sets without a separable pair, by trying every subset."""
    free = [
        frozenset(group)
        for k in range(1, len(names) + 1)
        for group in combinations(names, k)
        if not any(frozenset(pair) in apart for pair in combinations(group, 2))
    ]
    return {group for group in free if not any(group < other for other in free)}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.data())
def test_letters_are_the_maximal_cliques(k, data):
    names = [f"p{i}" for i in range(k)]
    couples = list(combinations(names, 2))
    chosen = data.draw(st.lists(st.sampled_from(couples), unique=True)) if couples else []
    shown = letters(names, chosen)
    apart = {frozenset(pair) for pair in chosen}
    used = {letter for word in shown.values() for letter in word}
    groups = [frozenset(name for name in names if letter in shown[name]) for letter in used]
    assert len(set(groups)) == len(groups) and set(groups) == maximal_cliques(names, apart)
    assert all(bool(set(shown[a]) & set(shown[b])) == (frozenset((a, b)) not in apart) for a, b in couples)


def test_letters_are_not_those_of_sorted_neighbours():
    # c and a cannot be told apart though b, in between, differs from both
    assert letters(["a", "b", "c"], [("a", "b"), ("c", "b")]) == {"a": "a", "b": "b", "c": "a"}
    with pytest.raises(DataError, match="x"):
        letters(["a"], [("a", "x")])
    with pytest.raises(DataError):
        letters(["a", "a"], [])


def test_policies_are_compared():
    found = compare_successes({"poor": (10, 50), "best": (46, 50), "good": (40, 50)})
    assert list(found.shares) == ["best", "good", "poor"]
    assert found.letters == {"best": "a", "good": "a", "poor": "b"}
    assert [pair.separable for pair in found.pairs] == [False, True, True]
    first = found.pairs[0]
    assert first.adjusted >= first.p and first.difference.value == pytest.approx(0.12)
    assert compare_successes({"alone": (1, 2)}).letters == {"alone": "a"}
    with pytest.raises(DataError, match="0 of 0"):
        compare_successes({"none": (0, 0), "one": (1, 2)})


def test_hierarchical_mean_covers_where_pooling_does_not():
    rng = np.random.default_rng(4)
    hits = pooled = 0
    for i in range(200):
        seeds = rng.normal(0.5, 0.1, 8)
        scores = (rng.random((8, 40)) < seeds[:, None]).astype(float)
        got = hierarchical_mean(list(scores), seed=i, resamples=200)
        hits += got.low <= 0.5 <= got.high
        half = 1.96 * scores.std() / np.sqrt(scores.size)
        pooled += abs(scores.mean() - 0.5) <= half
    assert hits / 200 > 0.9 > pooled / 200


def test_hierarchical_differences():
    a, b = [[1, 1, 0], [1, 1]], [[0, 0], [0, 1, 1]]
    got = hierarchical_difference(a, b)
    assert got.value == pytest.approx((2 / 3 + 1) / 2 - (0 + 2 / 3) / 2) and got.n == 2
    assert got == hierarchical_difference(a, b)
    assert hierarchical_mean([[2.0, 2.0], [2.0]])[:3] == (2, 2, 2)
    assert not hierarchical_mean([[1, 2]]).bounded
    rng = np.random.default_rng(0)
    level = rng.normal(0, 1, 10)  # what a pair of seeds shares cancels only where they are paired
    one, two = [[x + 0.1] * 3 for x in level], [[x] * 3 for x in level]
    paired, free = hierarchical_difference(one, two, paired=True), hierarchical_difference(one, two)
    assert paired.low == pytest.approx(0.1) and free.high - free.low > 1
    with pytest.raises(DataError, match="same seeds"):
        hierarchical_difference(a, b[:1], paired=True)
    with pytest.raises(DataError):
        hierarchical_mean([])


@pytest.fixture(scope="module")
def rliable():
    """The authors' library. Of `arch`, whose other parts break beside pandas 3, only the bootstrap is loaded."""
    spec = importlib.util.find_spec("arch")
    assert spec is not None
    stub = types.ModuleType("arch")
    stub.__path__ = list(spec.submodule_search_locations or [])
    before = set(sys.modules)
    sys.modules["arch"] = stub
    from rliable import library, metrics

    yield library, metrics
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("arch", "rliable"):
            del sys.modules[name]


def test_suites_agree_with_rliable(rliable):
    library, metrics = rliable
    rng = np.random.default_rng(6)
    a, b = rng.beta(3, 2, (10, 7)), np.round(rng.beta(2, 2, (8, 7)), 1)
    a[:4] = np.round(a[:4], 1)  # ties
    np.random.seed(1)
    iqm = library.get_interval_estimates({"a": a}, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=4000)
    got = interquartile_mean(a, resamples=4000)
    assert got.value == pytest.approx(iqm[0]["a"][0])
    assert (got.low, got.high) == pytest.approx(iqm[1]["a"][:, 0], abs=0.01)

    taus = np.linspace(0, 1, 11)
    share, bounds = library.create_performance_profile({"b": b}, taus, reps=2000)
    profile = performance_profile(b, taus)
    assert profile.share == pytest.approx(share["b"])
    assert np.abs(np.stack([profile.low, profile.high]) - bounds["b"]).max() < 0.03

    better = library.get_interval_estimates(
        {"ab": [a, b]}, lambda x, y: np.array([metrics.probability_of_improvement(x, y)]), reps=500
    )
    got = probability_of_improvement(a, b)
    assert got.value == pytest.approx(better[0]["ab"][0])
    assert (got.low, got.high) == pytest.approx(better[1]["ab"][:, 0], abs=0.03)


def test_suites_by_hand():
    scores = np.array([[0.0, 1.0], [2.0, 9.0]])
    assert interquartile_mean(scores).value == 1.5
    assert interquartile_mean(np.full((3, 4), 0.7))[:3] == pytest.approx((0.7, 0.7, 0.7))
    assert performance_profile(scores, np.array([0.0, 5.0])).share.tolist() == [0.75, 0.25]
    # task 1: {0, 2} against {1}: one win in two; task 2: {1, 9} against {1}: a tie and a win
    assert probability_of_improvement(scores, np.array([[1.0, 1.0]])).value == pytest.approx((0.5 + 0.75) / 2)
    assert not probability_of_improvement(scores, np.array([[1.0, 1.0]])).bounded
    assert np.isnan(performance_profile(scores[:1], np.array([0.5])).low).all()
    with pytest.raises(DataError, match="thresholds must be"):
        performance_profile(scores, np.array(0.5))
    with pytest.raises(DataError, match="tasks"):
        probability_of_improvement(scores, np.ones((2, 3)))
    with pytest.raises(DataError):
        interquartile_mean(np.ones(4))
