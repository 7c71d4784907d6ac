"""From what a network makes of options to people's choices: a ridge logistic regression, with a chosen strength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions import Choices, DelayedChoices, Held, folded

__all__ = ["STRENGTHS", "predicted", "ridge_logit"]

Array = NDArray[np.float64]
STRENGTHS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
"""Weights of the squared coefficients (of standardised inputs) in the mean log-loss, from which one is chosen."""
NEWTON = 12
"""Steps at most for a fit; from the solution for a neighbouring strength two or three are enough."""


def predicted(inputs: NDArray[np.floating], data: Choices | DelayedChoices, folds: int, seed: int = 0) -> Held:
    """Each row predicted by a regression that has not seen its problem.

    The strength of the ridge is the best one, by log-loss, for a tenth of the problems of the other folds.

    Args:
        inputs: shape (rows, inputs), of the same rows as the choices.
        data: the choices.
        folds: as in `cross_validated`; so are the rows in each.
        seed: of the split.
    """
    fold = folded(data.problem, folds, seed)
    found = np.empty(len(data))
    for k in range(folds):
        seen = np.flatnonzero(fold != k)
        inner = folded(data.problem[seen], min(10, len(np.unique(data.problem[seen]))), seed + 1)
        fitting, choosing = seen[inner != 0], seen[inner == 0]
        trials = ridge_logit(inputs[fitting], data.rate[fitting], data.people[fitting], STRENGTHS, inputs[choosing])
        rate, people = data.rate[choosing], data.people[choosing]
        best = int(np.argmin([-(people @ _likelihood(p, rate)) for p in trials]))
        last = ridge_logit(inputs[seen], data.rate[seen], data.people[seen], STRENGTHS[: best + 1], inputs[fold == k])
        found[fold == k] = last[-1]
    return Held(found, fold, data)


def ridge_logit(
    x: NDArray[np.floating], rate: Array, people: Array, strengths: tuple[float, ...], new: NDArray[np.floating]
) -> list[Array]:
    """Predictions of new rows, (new,) for each strength: fitted at each in turn, by Newton's method from the one before."""
    mean, sd = x.mean(0), x.std(0)
    sd = np.where(sd > 1e-9, sd, 1.0)
    z, fresh = (np.column_stack([np.ones(len(part)), (part - mean) / sd]).astype(float) for part in (x, new))
    w, beta, found = people / people.sum(), np.zeros(z.shape[1]), []
    for strength in strengths:
        ridge = np.full(len(beta), 2 * strength)
        ridge[0] = 1e-9
        for _ in range(NEWTON):
            p = _logistic(z @ beta)
            slope = z.T @ (w * (p - rate)) + ridge * beta
            curve = (z.T * (w * np.maximum(p * (1 - p), 1e-4))) @ z
            curve[np.diag_indices(len(beta))] += ridge
            step = np.linalg.solve(curve, slope)
            beta = beta - step
            if np.abs(step).max() < 1e-3 * max(1e-2, np.abs(beta).max()):
                break
        found.append(_logistic(fresh @ beta))
    return found


def _logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def _likelihood(p: Array, rate: Array) -> Array:
    q = np.clip(p, 1e-9, 1 - 1e-9)
    return rate * np.log(q) + (1 - rate) * np.log(1 - q)
