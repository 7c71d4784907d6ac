"""How items hang together, and whether one can tell who answered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import not_installed
from ethogram.measures.estimate import Estimate
from ethogram.measures.fidelity.items import Beside
from ethogram.measures.fidelity.samples import Samples

__all__ = ["correlations", "detection", "structure"]

Array = NDArray[np.float64]
JOINT = 30
"""A correlation with fewer joint answers in either sample is left out."""
FOLDS = 5


def correlations(answers: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Pairwise correlations of columns over the rows that have both, and how many rows those are.

    Args:
        answers: shape (n, items), NaN where there is none.
        weights: how often each row counts, shape (n,); None: once.

    Returns:
        Correlations and (weighted) numbers of joint answers, both of shape (items, items). Correlations of constant columns
        are NaN.
    """
    there = np.isfinite(answers)
    x = np.where(there, answers - np.nanmean(np.where(there, answers, np.nan), axis=0), 0.0)
    mask = there.astype(float)
    w = np.ones(len(answers)) if weights is None else weights
    wx, wm = x * w[:, None], mask * w[:, None]
    n = wm.T @ mask
    sx, sxx, sxy = wx.T @ mask, (wx * x).T @ mask, wx.T @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = sxy / n - (sx / n) * (sx.T / n)
        variance = sxx / n - (sx / n) ** 2
        r = covariance / np.sqrt(variance * variance.T)
    r[~((variance > 1e-12) & (variance.T > 1e-12))] = np.nan
    return r, n


def ranks(answers: Array) -> Array:
    """Ranks within each column, ties at their mean, missing answers left missing: correlations of them are Spearman's."""
    from scipy.stats import rankdata

    return rankdata(answers, axis=0, nan_policy="omit")


def structure(s: Samples, rng: np.random.Generator, resamples: int) -> dict[str, Beside]:
    """Whether the items' correlations (Spearman, pairwise) are those of people.

    Returns:
        `structure error`, the root mean square difference of correlations, and `structure agreement`, the correlation of the
        two sets of correlations, over all pairs of items with enough joint answers. Empty where there are fewer than three
        pairs. Intervals: bootstrap of rows, recentred. Floors: between halves of the people, errors brought to the sizes
        compared as in `compare_item`, agreements as found.
    """
    ours, theirs = ranks(s.people), ranks(s.simulated)
    (r, n), (q, m) = correlations(ours), correlations(theirs)
    pairs = np.triu(np.minimum(n, m) >= JOINT, 1) & np.isfinite(r) & np.isfinite(q)
    if pairs.sum() < 3:
        return {}

    def figures(a: Array, b: Array) -> tuple[float, float]:
        x, y = a[pairs], b[pairs]
        good = np.isfinite(x) & np.isfinite(y)
        return float(np.sqrt(np.mean((x - y)[good] ** 2))), float(np.corrcoef(x[good], y[good])[0, 1])

    def drawn(rows: int) -> Array:
        return np.bincount(rng.integers(rows, size=rows), minlength=rows).astype(float)

    values, booted, noise = figures(r, q), [], []
    for _ in range(resamples):
        if s.paired:
            w = v = drawn(len(ours))
        else:
            w, v = drawn(len(ours)), drawn(len(theirs))
        booted.append(figures(correlations(ours, w)[0], correlations(theirs, v)[0]))
        half = (rng.permutation(len(ours)) < len(ours) // 2).astype(float)
        noise.append(figures(correlations(ours, half)[0], correlations(ours, 1 - half)[0]))
    scale = np.sqrt((1 / len(ours) + 1 / len(theirs)) / (4 / len(ours)))
    found = {}
    for i, name in enumerate(("structure error", "structure agreement")):
        draws = np.array([b[i] for b in booted])
        low, high = np.quantile(draws + values[i] - np.median(draws), [0.025, 0.975])
        floor = np.array([b[i] for b in noise]) * (scale if i == 0 else 1.0)
        method = f"bootstrap of {resamples}, recentred; {int(pairs.sum())} pairs of items"
        estimate = Estimate(values[i], float(low), float(high), len(ours), method)
        found[name] = Beside(estimate, *(float(f) for f in np.quantile(floor, [0.025, 0.975])))
    return found


def detection(s: Samples, rng: np.random.Generator, resamples: int) -> Beside:
    """Whether a classifier can tell simulated answers from people's: area under the ROC curve on rows it was not fitted to.

    A classifier two-sample test (Lopez-Paz and Oquab 2017) with boosted trees in five folds; 0.5 is chance. A person and the
    one who stands for it are in one fold. The floor is the same test between random halves of the people.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    both = np.concatenate([s.people, s.simulated])
    labels = np.repeat([0, 1], [len(s.people), len(s.simulated)])
    groups = np.concatenate([np.arange(len(s.people)), np.arange(len(s.simulated))]) if s.paired else np.arange(len(both))
    scores = _scores(both, labels, groups, rng)
    value = _auc(scores, labels)
    unit = len(s.people) if s.paired else len(both)
    draws = [
        _auc(scores, labels, np.bincount(rng.integers(unit, size=unit), minlength=unit)[groups]) for _ in range(resamples)
    ]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    half = (rng.permutation(len(s.people)) < len(s.people) // 2).astype(int)
    alone = _scores(s.people, half, np.arange(len(half)), rng)
    null = [_auc(alone, rng.permutation(half)) for _ in range(resamples)]
    found = _auc(alone, half)
    floor = np.quantile(null, [0.025, 0.975])
    estimate = Estimate(value, float(low), float(high), unit, f"boosted trees, {FOLDS} folds; bootstrap of {resamples}")
    return Beside(estimate, float(min(floor[0], found)), float(max(floor[1], found)))


def _scores(rows: Array, labels: NDArray[np.int64], groups: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """The probability of label 1 for each row, from a model fitted to the other folds."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.model_selection import GroupKFold
    except ModuleNotFoundError as error:
        raise not_installed(error, "telling samples apart") from error
    scores = np.empty(len(rows))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    for train, test in folds.split(rows, labels, groups):
        trees: Any = HistGradientBoostingClassifier
        model = trees(max_iter=60, max_depth=4, early_stopping=False, random_state=0)
        scores[test] = model.fit(rows[train], labels[train]).predict_proba(rows[test])[:, 1]
    return scores


def _auc(scores: Array, labels: NDArray[np.int64], weights: NDArray[Any] | None = None) -> float:
    """The area under the ROC curve; NaN where a label is missing."""
    w = np.ones(len(scores)) if weights is None else weights.astype(float)
    order = np.argsort(scores, kind="stable")
    _, at = np.unique(scores[order], return_inverse=True)
    ones = np.bincount(at, w[order] * (labels[order] == 1))
    zeros = np.bincount(at, w[order] * (labels[order] == 0))
    total = ones.sum() * zeros.sum()
    if not total:
        return float("nan")
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + zeros / 2)).sum() / total)
