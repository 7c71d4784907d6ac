"""Benjamini and Hochberg, and least squares with clusters, against statsmodels."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from ethogram.errors import DataError
from ethogram.measures import benjamini_hochberg, linear
from ethogram.measures.logistic import logistic


def test_false_discoveries_as_in_statsmodels():
    p = np.random.default_rng(0).random(40) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1])
    with pytest.raises(DataError):
        benjamini_hochberg([0.5, 1.5])


def test_least_squares_and_clusters_as_in_statsmodels():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 5)
    x = np.column_stack([np.ones(60), rng.normal(size=60), groups % 2])
    y = x @ [1.0, 2.0, 0.5] + rng.normal(size=12)[groups] + rng.normal(size=60)
    for how, oracle in (
        (None, sm.OLS(y, x).fit()),
        (groups, sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)),
    ):
        found = linear(x, y, how, names=["one", "slope", "arm"])
        np.testing.assert_allclose([e.value for e in found.values()], oracle.params)
        np.testing.assert_allclose([[e.low, e.high] for e in found.values()], oracle.conf_int())
    assert linear(x, y, groups)["x2"].n == 12
    for x_given, groups_given in (([[1.0], [math.nan]], None), ([[1.0], [2.0]], [1])):
        with pytest.raises(DataError, match="logistic needs finite x, and groups"):
            logistic(x_given, [0, 1], groups_given)
    for fit in (linear, logistic):
        with pytest.raises(DataError, match="1 names were given for 3 columns"):
            fit(x, y > 0, names=["one"])
    with pytest.raises(DataError, match="follow from others"):
        linear(np.ones((5, 2)), np.arange(5))
