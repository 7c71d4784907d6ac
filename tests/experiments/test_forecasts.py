"""Fit on some weeks, test on others."""

import numpy as np
import pytest
from epidemic_problem import EPIDEMIC, epidemic

from ethogram.errors import DataError
from ethogram.experiments import Forecast, Problem, fit_moments, forecast, hold_out, skill


def test_skill_by_hand():
    predicted = Forecast(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]]), 0.9)  # mean 2, 2, 4
    found = skill(predicted, [2.0, 3.0, 6.0])
    assert found.rmse == pytest.approx(np.sqrt((0 + 1 + 4) / 3)) and found.nd == pytest.approx(3 / 11)
    assert found.pearson == pytest.approx(np.corrcoef([2, 2, 4], [2, 3, 6])[0, 1])
    assert (found.coverage.value, found.coverage.n) == (pytest.approx(1 / 3), 3)
    assert str(found) == "RMSE 1.291, ND 0.273, r 0.971, 90% interval covers 0.33 of 3 points"
    flat = skill(Forecast(np.ones((2, 2)), 0.9), [0.0, 0.0])
    assert np.isnan(flat.nd) and np.isnan(flat.pearson)
    with pytest.raises(DataError, match="has 3 points, and what was observed 2"):
        skill(predicted, [1.0, 2.0])


def test_days_that_were_not_fitted_are_forecast_better_than_by_the_mean_so_far():
    planted = {"beta": 0.5, "gamma": 0.15, "idle": 0.5}
    fitted, tested = hold_out(epidemic(planted, 3), 20)
    begun = Problem(twenty_days, EPIDEMIC.priors, EPIDEMIC.transform)
    posterior = fit_moments(begun, fitted, seed=1, replicates=10)
    found = forecast(EPIDEMIC, posterior, since=20, draws=100, seed=1)["cases"]
    scored = skill(found, tested["cases"])
    naive = np.sqrt(((fitted["cases"].mean() - tested["cases"]) ** 2).mean())
    assert scored.rmse < naive and scored.coverage.value > 0.5 and found.draws.shape == (100, 20)
    assert (found.low <= found.high).all()
    with pytest.raises(DataError, match="more than 40 points"):
        forecast(EPIDEMIC, posterior, since=40, draws=2)
    with pytest.raises(DataError, match="cannot be cut before point 40"):
        hold_out({"cases": range(40)}, 40)


def twenty_days(parameters, seed):
    return epidemic(parameters, seed, days=20)
