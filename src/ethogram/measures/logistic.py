"""Logistic regression by maximum likelihood, with intervals that allow for people who act on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level

__all__ = ["logistic"]

STEPS, NEAR = 50, 1e-10


def logistic(
    x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, names: Sequence[str] = (), level: float = 0.95
) -> dict[str, Estimate]:
    """Coefficients of P(y = 1) = 1 / (1 + exp(-x b)), by Newton's method; `x` has no constant but what you put in it.

    Args:
        x: shape (n, k).
        y: shape (n,), of 0 and 1.
        groups: shape (n,): observations of one group (a run, a household) may depend on each other. Intervals are then
            cluster-robust (Liang and Zeger 1986, with the factor g / (g - 1)) and Student t with g - 1 degrees of freedom;
            without groups they are Wald's.
        names: of the columns; default: `x0`, `x1`, ….
        level: coverage of the intervals.

    Returns:
        An estimate for each column; `n` is the number of groups where there are groups.

    Raises:
        DataError: shapes or the number of names do not fit, numbers are not finite, `y` is not binary, or the likelihood has
            no maximum (the classes can be separated, or columns depend on each other).
    """
    from scipy.special import expit, ndtri, stdtrit

    design, target = np.asarray(x, float), np.asarray(y, float)
    check_level(level)
    if design.ndim != 2 or target.shape != design.shape[:1] or not np.isin(target, (0, 1)).all():
        raise DataError(f"logistic needs x of shape (n, k) and y of n zeros and ones, not {design.shape} and {target.shape}")
    if not np.isfinite(design).all() or (groups is not None and np.shape(groups) != target.shape):
        raise DataError(f"logistic needs finite x, and groups, where there are any, of each of {len(target)} observations")
    named = list(names) or [f"x{i}" for i in range(design.shape[1])]
    if len(named) != design.shape[1]:
        raise DataError(f"logistic: {len(named)} names were given for {design.shape[1]} columns")
    b = np.zeros(design.shape[1])
    information = np.eye(len(b))
    for _ in range(STEPS):
        p = expit(design @ b)
        information = (design * (p * (1 - p))[:, None]).T @ design
        if np.linalg.cond(information) > 1e12:
            raise DataError("logistic: the likelihood has no maximum: a column separates the classes or follows from others")
        change = np.linalg.solve(information, design.T @ (target - p))
        b = b + change
        if np.abs(change).max() < NEAR:
            break
    else:
        raise DataError(f"logistic: no maximum of the likelihood after {STEPS} steps: a column separates the classes")
    covariance = np.linalg.inv(information)
    size, quantile, method = len(target), float(ndtri((1 + level) / 2)), "logistic coefficient, Wald interval"
    if groups is not None:
        covariance, size = _robust(design * (target - expit(design @ b))[:, None], np.asarray(groups), covariance)
        quantile = float(stdtrit(size - 1, (1 + level) / 2)) if size > 1 else math.nan
        method = "logistic coefficient, cluster-robust interval"
    half = quantile * np.sqrt(np.diag(covariance))
    return {
        name: Estimate(float(v), float(v - h), float(v + h), size, method, level)
        for name, v, h in zip(named, b, half, strict=True)
    }


def _robust(
    scores: NDArray[np.float64], groups: NDArray[np.generic], bread: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """The sandwich covariance, and the number of groups."""
    known, at = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(known), scores.shape[1]))
    np.add.at(sums, at, scores)
    count = len(known)
    return bread @ (sums.T @ sums) @ bread * (count / max(count - 1, 1)), count
