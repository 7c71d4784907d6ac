"""Linear regression by least squares, with intervals that allow for repeated measurements of the same units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level

__all__ = ["linear"]


def linear(
    x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, names: Sequence[str] = (), level: float = 0.95
) -> dict[str, Estimate]:
    """Coefficients of y = x b + error; `x` has no constant but what you put in it.

    Args:
        x: shape (n, k).
        y: shape (n,).
        groups: shape (n,): observations of one group (the rounds of a match, the trials of a unit) may depend on each other.
            Intervals are then cluster-robust (Liang and Zeger 1986, with the factor g/(g-1) (n-1)/(n-k)) and Student t with
            g - 1 degrees of freedom; without groups they are the classical ones.
        names: of the columns; default: `x0`, `x1`, ….
        level: coverage of the intervals.

    Returns:
        An estimate for each column; `n` is the number of groups where there are groups.

    Raises:
        DataError: shapes or the number of names do not fit, there are too few observations or groups, or columns depend on
            each other.
    """
    from scipy.special import stdtrit

    design, target = np.asarray(x, float), np.asarray(y, float)
    check_level(level)
    if (
        design.ndim != 2
        or target.shape != design.shape[:1]
        or not np.isfinite(design).all()
        or not np.isfinite(target).all()
    ):
        raise DataError(f"linear needs finite x of shape (n, k) and y of n, not {design.shape} and {target.shape}")
    n, k = design.shape
    named = list(names) or [f"x{i}" for i in range(k)]
    if len(named) != k:
        raise DataError(f"linear: {len(named)} names were given for {k} columns")
    if n <= k or np.linalg.matrix_rank(design) < k:
        raise DataError(f"linear: {n} observations do not determine {k} coefficients: columns follow from others")
    bread = np.linalg.inv(design.T @ design)
    b = bread @ design.T @ target
    left = target - design @ b
    if groups is None:
        covariance, size, freedom = bread * float(left @ left) / (n - k), n, n - k
        method = "least squares coefficient, t interval"
    else:
        known, at = np.unique(np.asarray(groups), return_inverse=True)
        size, freedom = len(known), len(known) - 1
        if at.shape != (n,) or size < 2:
            raise DataError(f"linear needs the group of each of {n} observations, and two groups or more")
        sums = np.zeros((size, k))
        np.add.at(sums, at, design * left[:, None])
        covariance = bread @ (sums.T @ sums) @ bread * (size / (size - 1)) * ((n - 1) / (n - k))
        method = "least squares coefficient, cluster-robust interval"
    half = float(stdtrit(freedom, (1 + level) / 2)) * np.sqrt(np.diag(covariance))
    return {
        name: Estimate(float(v), float(v - h), float(v + h), size, method, level)
        for name, v, h in zip(named, b, half, strict=True)
    }
