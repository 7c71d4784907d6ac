"""How well a model of choice does on problems that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.gambles import Choices, Gambles
from ethogram.decisions.models import log_loss
from ethogram.errors import ConfigError

__all__ = ["Held", "Predictor", "cross_validated"]

Array = NDArray[np.float64]


class Predictor(Protocol):
    """Anything that is fitted to choices and predicts them."""

    def fit(self, data: Choices) -> object:
        """Learn from choices."""
        ...

    def predict(self, a: Gambles, b: Gambles) -> Array:
        """P(B), shape (rows,)."""
        ...


class Held(NamedTuple):
    """What a model predicts for each row, by a fit that has not seen the row's problem."""

    predicted: Array
    """P(B) of each row."""
    fold: NDArray[np.int64]
    """The fold in which the row was held out."""
    data: Choices

    def r_squared(self, rows: NDArray[np.bool_] | None = None) -> float:
        """1 - Σ (rate - predicted)² / Σ (rate - mean rate)²."""
        keep = slice(None) if rows is None else rows
        rate, predicted = self.data.rate[keep], self.predicted[keep]
        return float(1 - ((rate - predicted) ** 2).sum() / ((rate - rate.mean()) ** 2).sum())

    def squared_error(self) -> float:
        """Mean squared error of rates."""
        return float(((self.data.rate - self.predicted) ** 2).mean())

    def log_loss(self) -> float:
        """Mean negative log-likelihood of a choice, in nats."""
        return log_loss(self.predicted, self.data)

    def by_fold(self) -> list[float]:
        """R² of each fold."""
        return [self.r_squared(self.fold == fold) for fold in range(int(self.fold.max()) + 1)]


def cross_validated(make: Callable[[], Predictor], data: Choices, folds: int = 10, seed: int = 0) -> Held:
    """Fit to all folds but one, and predict that one; rows of one problem are in one fold.

    Raises:
        ConfigError: there are fewer problems than folds, or fewer than two folds.
    """
    problems = np.unique(data.problem)
    if not 2 <= folds <= len(problems):
        raise ConfigError(f"{len(problems)} problems cannot be split into {folds} folds")
    places = np.random.default_rng(seed).permutation(len(problems)) % folds
    fold = places[np.searchsorted(problems, data.problem)]
    predicted = np.empty(len(data))
    for k in range(folds):
        model = make()
        model.fit(data[fold != k])
        held = data[fold == k]
        predicted[fold == k] = model.predict(held.a, held.b)
    return Held(predicted, fold, data)
