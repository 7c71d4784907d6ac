"""Calibration against posteriors in closed form, and planted parameters."""

import numpy as np
import pytest
from epidemic_problem import EPIDEMIC, GAUSS, epidemic, gauss
from hypothesis import given
from hypothesis import strategies as st
from outbreak import cases, outbreak
from scipy import stats

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments import (
    LogUniform,
    Posterior,
    Problem,
    SceneSimulator,
    Uniform,
    abc_smc,
    fit_moments,
    learn_summaries,
    neural_posterior,
    planted_coverage,
)
from ethogram.experiments.planted import binomial_p
from ethogram.experiments.problems import weighted_quantiles
from ethogram.simulation import simulate


def exact(observed, seed, narrow=1.0):
    """The posterior of `GAUSS`, drawn; `narrow` makes it overconfident."""
    mean = np.mean(observed["x"])
    draws = np.clip(mean + narrow * np.sqrt(1 / 8) * np.random.default_rng(seed).standard_normal(500), -4.99, 4.99)
    return Posterior(GAUSS, stats.norm.ppf(GAUSS.priors["mean"].cdf(draws))[:, None], np.full(500, 1 / 500), "exact", 0)


def moments(posterior, name):
    table = posterior.table()
    mean = np.average(table[name], weights=table["weight"])
    return mean, np.sqrt(np.average((table[name] - mean) ** 2, weights=table["weight"]))


@given(st.floats(0.01, 10), st.floats(1.1, 100), st.floats(0.001, 0.999))
def test_quantiles_of_priors_and_their_distribution_functions_are_inverse(low, factor, u):
    for prior in (Uniform(low, low * factor), LogUniform(low, low * factor)):
        value = prior.quantile(np.array(u))
        assert low <= value <= low * factor and prior.cdf(value) == pytest.approx(u)
    assert LogUniform(low, low * factor).quantile(np.array(0.5)) == pytest.approx(low * factor**0.5)


def test_parameters_and_scores():
    scores = EPIDEMIC.draw(5, seed=1)
    for row, parameters in zip(scores, EPIDEMIC.parameters(scores), strict=True):
        np.testing.assert_allclose(EPIDEMIC.scores(parameters), row)
    with pytest.raises(DataError, match="within the bounds"):
        EPIDEMIC.scores({"beta": 1.5, "gamma": 0.1, "idle": 0.5})
    with pytest.raises(ConfigError, match="bounds of 'x' are 0 and 1"):
        Problem(epidemic, {"x": LogUniform(0, 1)})


def test_failed_simulations_are_named():
    with pytest.raises(RunError, match=r"\{'mean': -8.5\} with seed 3 failed: ValueError: too low"):
        GAUSS.series([{"mean": -8.5}], [3])
    ragged = Problem(lambda p, seed: {"x": [0.0] * (1 + seed)}, GAUSS.priors)
    with pytest.raises(DataError, match=r"lengths \{'x': 1\} and \{'x': 2\}"):
        ragged.simulate(np.zeros((2, 1)), [0, 1])


def test_what_is_observed_is_matched_by_name():
    pair = Problem(lambda p, seed: {"b": [p["mean"]] * 2, "a": 7.0}, GAUSS.priors)
    assert pair.simulate(np.zeros((1, 1)), [0]).tolist() == [[7, 0, 0]]
    assert pair.observed({"a": 1, "b": [2, 3]}, {"a": 1, "b": 2}).tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"lengths \{'x': 3\}, but simulations give \{'x': 8\}"):
        fit_moments(GAUSS, {"x": [1, 2, 3]}, replicates=2)


def test_a_calibration_is_the_same_on_two_processes_and_goes_on_where_it_was_cut_short(tmp_path):
    asked, observed = [], gauss({"mean": 1.0}, 5)

    def dying(parameters, seed):
        asked.append((parameters["mean"], seed))
        if len(asked) == 150:
            raise KeyboardInterrupt
        return gauss(parameters, seed)

    problem = Problem(dying, GAUSS.priors, to=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit_moments(problem, observed, replicates=5, seed=1)
    found = fit_moments(problem, observed, replicates=5, seed=1)
    assert len(set(asked)) == len(asked) - 1 and asked.count(asked[149]) == 2  # nothing twice but what was under way
    both = fit_moments(Problem(gauss, GAUSS.priors, workers=2), observed, replicates=5, seed=1)
    assert (both.scores == found.scores).all()


def test_a_scene_is_a_simulator():
    simulator = SceneSimulator(outbreak, cases, steps=5, arguments={"n": 100})
    assert simulator({"beta": 0.7}, 4) == cases(simulate(outbreak(beta=0.7, n=100), steps=5, seed=4))


def test_weighted_quantiles():
    assert weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.25, 0.25, 0.5]), [0.5]) == 2
    assert weighted_quantiles(np.array([0.0, 1.0]), np.array([0.5, 0.5]), [0.5, 0.01, 0.99]).tolist() == [0.5, 0, 1]


@pytest.mark.parametrize("method", ["abc", "moments", "neural"])
def test_the_posterior_is_the_one_in_closed_form(method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    observed = gauss({"mean": 1.3}, 17)
    if method == "abc":
        posterior = abc_smc(GAUSS, observed, simulations=2000, seed=1)
        again = abc_smc(GAUSS, observed, simulations=2000, seed=1)
        assert (again.scores == posterior.scores).all() and posterior.simulations == 3000
    elif method == "moments":
        posterior = fit_moments(GAUSS, observed, replicates=60, seed=1)
    else:
        posterior = neural_posterior(GAUSS, simulations=400, seed=1).given(observed)
    mean, sd = moments(posterior, "mean")
    truth = np.mean(observed["x"])
    assert mean == pytest.approx(truth, abs=0.12) and sd == pytest.approx(np.sqrt(1 / 8), rel=0.3)
    estimate = posterior.estimate("mean", 0.9)
    assert estimate.low == pytest.approx(mean - 1.645 * sd, abs=0.15) and estimate.level == 0.9
    draws = [p["mean"] for p in posterior.sample(2000, seed=3)]
    assert np.mean(draws) == pytest.approx(mean, abs=0.05)
    assert not list(tmp_path.iterdir())  # nothing is left where one happens to be


def test_a_parameter_that_nothing_depends_on_keeps_its_prior():
    observed = epidemic({"beta": 0.6, "gamma": 0.15}, 5)
    for posterior in (abc_smc(EPIDEMIC, observed, simulations=1600, seed=2), fit_moments(EPIDEMIC, observed, seed=2)):
        idle = [p["idle"] for p in posterior.sample(60, seed=1)]
        assert stats.kstest(idle, "uniform").pvalue > 0.01
        assert posterior.estimate("idle").high - posterior.estimate("idle").low == pytest.approx(0.9, abs=0.1)
        beta = posterior.estimate("beta")
        assert beta.low < 0.6 < beta.high and beta.high - beta.low < 0.5  # the prior's interval has width 0.72


def test_coverage_tells_right_intervals_from_overconfident_ones():
    right = planted_coverage(GAUSS, exact, n=60, seed=1)
    wrong = planted_coverage(GAUSS, lambda o, s: exact(o, s, narrow=0.5), n=60, seed=1)
    assert right.p["mean"] > 0.05 and stats.kstest(right.table["rank"], "uniform").pvalue > 0.01
    assert wrong.p["mean"] < 0.001 and wrong.shares["mean"].high < 0.9
    assert "mean covered: " in str(right) and right.table.height == 60
    for k, n, p in [(20, 20, 0.9), (12, 20, 0.9), (18, 20, 0.9), (0, 5, 0.5)]:
        assert binomial_p(k, n, p) == pytest.approx(stats.binomtest(k, n, p).pvalue)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["abc", "moments"])
def test_intervals_of_an_epidemic_cover_what_was_planted(method):
    """Twenty planted epidemics a method; a cover of 14 of 20 or fewer has p = 0.011 where it should be 90 %."""
    summaries = learn_summaries(EPIDEMIC, 1000, seed=9)

    def fit(observed, seed):
        if method == "abc":
            return abc_smc(EPIDEMIC, observed, simulations=1200, particles=150, summaries=summaries, seed=seed)
        return fit_moments(EPIDEMIC, observed, summaries=summaries, seed=seed)

    found = planted_coverage(EPIDEMIC, fit, n=20, seed=4)
    assert min(found.p.values()) > 0.01, str(found)
    gamma = found.table.filter(found.table["parameter"] == "gamma")
    assert stats.spearmanr(gamma["planted"], gamma["value"]).statistic > 0.6
    assert (gamma["high"] - gamma["low"]).mean() < 0.3  # 0.39 is the prior's
