"""Epidemic fits, cascades, spreading models, logistic regression and variety of words: by hand and against oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.measures.cascades import Cascade, cascade, distance, forest, gap
from ethogram.measures.contagion import correlation, fit_sis, rmse
from ethogram.measures.logistic import logistic
from ethogram.measures.spreading import MODELS, Spreading, fit_spreading, spread
from ethogram.measures.texts import distinct
from ethogram.populations import Network, followers


def sis(beta, gamma, first, days, n):
    curve = [first]
    for _ in range(days):
        i = curve[-1]
        curve.append(i + beta * (n - i) * i / n - gamma * i)
    return np.array(curve)


@given(st.floats(0.2, 0.9), st.floats(0.05, 0.5), st.floats(2, 20))
@settings(max_examples=25, deadline=None)
def test_sis_rates_are_found_exactly_where_there_is_no_noise(beta, gamma, first):
    curves = [sis(beta, gamma, first, 12, 100), sis(beta, gamma, 60.0, 12, 100)]
    found = fit_sis(curves, 100, resamples=20)
    assert found.beta.value == pytest.approx(beta, rel=1e-6) and found.gamma.value == pytest.approx(gamma, rel=1e-6)


def test_sis_interval_covers_what_made_the_noise():
    rng, n, curves = np.random.default_rng(0), 400, []
    for _ in range(30):
        curve = [20]
        for _ in range(15):
            i = curve[-1]
            curve.append(i + rng.binomial(n - i, 0.5 * i / n) - rng.binomial(i, 0.2))
        curves.append(curve)
    found = fit_sis(curves, n)
    assert found.beta.low < 0.5 < found.beta.high and found.gamma.low < 0.2 < found.gamma.high
    assert abs(found.beta.value / 0.5 - 1) < 0.1 and abs(found.gamma.value / 0.2 - 1) < 0.1
    alone = fit_sis(curves[:1], n)
    assert alone.beta.n == 1 and alone.beta.low < alone.beta.value < alone.beta.high


@pytest.mark.parametrize("curves", [[[0, 0, 0]], [[5, 5, 5]], [[3]], [[3, 11]], []])
def test_sis_needs_curves_that_tell(curves):
    with pytest.raises(DataError):
        fit_sis(curves, 10)


def test_errors_of_curves():
    assert rmse([0, 0], [3, 4]) == pytest.approx(np.sqrt(12.5))
    assert correlation([1, 2, 3], [5, 3, 1]) == pytest.approx(-1) and np.isnan(correlation([1, 1], [1, 2]))
    with pytest.raises(DataError):
        rmse([1, 2], [1])


def test_distinct_counts_by_hand():
    texts = ["It is so. It is!", "is it"]  # it is so it is is it; it-is is-so so-it it-is, is-it
    assert distinct(texts) == 3 / 7 and distinct(texts, 2) == 4 / 5
    with pytest.raises(DataError):
        distinct(["one"], 2)


def test_logistic_agrees_with_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(600), rng.normal(size=(600, 2))])
    groups = np.repeat(np.arange(30), 20)
    shared = rng.normal(size=30)[groups]
    y = (rng.random(600) < 1 / (1 + np.exp(-(x @ [0.3, 1.0, -0.5] + shared)))).astype(float)
    plain, robust = sm.Logit(y, x).fit(disp=0), sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    mine, mine_robust = logistic(x, y), logistic(x, y, groups)
    for k, name in enumerate(mine):
        assert mine[name].value == pytest.approx(plain.params[k], abs=1e-8)
        assert (mine[name].high - mine[name].low) / 2 == pytest.approx(1.959964 * plain.bse[k], rel=1e-5)
        ratio = (mine_robust[name].high - mine_robust[name].low) / 2 / robust.bse[k]
        assert ratio == pytest.approx(2.045, rel=0.01)  # Student t with 29 degrees; statsmodels adds (n - 1) / (n - k)


def test_logistic_refuses_what_has_no_maximum():
    x = np.column_stack([np.ones(20), np.arange(20)])
    with pytest.raises(DataError, match="separates"):
        logistic(x, np.arange(20) > 9)
    with pytest.raises(DataError):
        logistic(x, np.arange(20))


def test_a_cascade_by_hand():
    parents = {1: None, 2: 1, 3: 1, 4: 2, 5: 1}
    times = {1: 1.0, 2: 2.0, 3: 2.0, 4: 3.0, 5: 5.0}
    assert cascade(parents, times) == Cascade(5, 2, 3, 2.0, 1.5, 4.0)
    both = forest(parents | {8: None, 9: 8}, times | {8: 0.0, 9: 4.0})
    assert both == [Cascade(5, 2, 3, 2.0, 1.5, 4.0), Cascade(2, 1, 1, 4.0, 4.0, 4.0)]
    assert np.isnan(cascade({1: None}, {1: 0.0}).mean_time)


@pytest.mark.parametrize(
    "parents", [{1: None, 2: 3, 3: 2}, {1: None, 2: None}, {1: None, 2: 7}, {2: 1, 1: None, 3: 4, 4: None}]
)
def test_what_is_no_cascade(parents):
    with pytest.raises(DataError):
        cascade(parents, dict.fromkeys(parents, 0.0))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_distance_is_that_of_kolmogorov_and_smirnov(a, b):
    shares = [(sum(x <= v for x in a) / len(a), sum(x <= v for x in b) / len(b)) for v in range(10)]
    assert gap(np.array(a, float), np.array(b, float)) == pytest.approx(max(abs(x - y) for x, y in shares))


def test_distances_tell_shifted_samples_apart():
    rng = np.random.default_rng(2)
    a, b, c = rng.normal(0, 1, 200), rng.normal(0, 1, 200), rng.normal(1.5, 1, 200)
    near, far = distance(a, b, resamples=200), distance(a, c, resamples=200)
    assert near.high < far.low


def graph():
    return followers(400, 3, follow_back=0.5, rng=3)


def start(n, active, attitude=0.0):
    posted = np.zeros(n, bool)
    posted[active] = True
    return Spreading(posted, posted, posted, np.full(n, attitude))


def test_a_certain_cascade_is_a_search_in_breadth():
    net = graph()
    curves = spread("independent cascade", np.array([1.0, 0.0]), net, start(400, [0, 1]), 8, np.random.default_rng(0))
    readers, known, last = net.reverse(), {0, 1}, {0, 1}
    for row in curves:
        last = {int(r) for node in last for r in readers.neighbours(node)} - known
        known |= last
        assert row[0] * 400 == pytest.approx(len(known)) and row[2] * 400 == pytest.approx(len(last))
        assert row[1] == 0


def test_opinions_move_only_by_what_is_heard():
    net = Network.from_edges([1, 2], [0, 0], 4, directed=True)  # 1 and 2 follow 0; 3 nobody
    first = Spreading(*(np.array([True, False, False, False]) for _ in range(3)), np.array([1.0, 0.0, 0.4, 0.0]))
    rng = np.random.default_rng(0)
    assert spread("DeGroot", np.array([1.0, 0.5]), net, first, 1, rng)[0, 1] == pytest.approx(2 / 4)  # 0, and 2 at 0.7
    assert spread("bounded confidence", np.array([1.0, 0.5]), net, first, 1, rng)[0, 1] == pytest.approx(1 / 4)
    assert spread("bounded confidence", np.array([1.0, 0.7]), net, first, 1, rng)[0, 1] == pytest.approx(2 / 4)
    assert spread("voter", np.array([1.0, 1.0]), net, first, 1, rng)[0].tolist() == [3 / 4, 3 / 4, 3 / 4]
    with pytest.raises(ConfigError, match="no model 'x'"):
        spread("x", np.array([1.0, 1.0]), net, first, 1, rng)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_fits_its_own_cascades(name):
    net, first = graph(), start(400, list(range(20)), 1.0)
    planted = np.array([0.8, 0.8] if name == "linear threshold" else [0.25, 0.8])
    target = np.mean([spread(name, planted, net, first, 8, np.random.default_rng(k)) for k in range(8)], axis=0)
    fitted = fit_spreading(name, net, first, target, copies=3, grid=5, zooms=2)
    assert fitted.error < 0.06 and 0.5 < fitted.parameters[0] / planted[0] < 2
