"""How well a model of choice does on problems that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.discounting import DelayedChoices
from ethogram.decisions.gambles import Choices
from ethogram.decisions.models import log_loss
from ethogram.errors import ConfigError

__all__ = ["Held", "Predictor", "cross_validated", "folded"]

Array = NDArray[np.float64]


class Predictor(Protocol):
    """Anything that is fitted to choices (of gambles, or of payments) and predicts them."""

    def fit(self, data: Any) -> object:
        """Learn from choices."""
        ...

    def predict(self, a: Any, b: Any) -> Array:
        """P(B), shape (rows,)."""
        ...


class Held(NamedTuple):
    """What a model predicts for each row, by a fit that has not seen the row's problem."""

    predicted: Array
    """P(B) of each row."""
    fold: NDArray[np.int64]
    """The fold in which the row was held out."""
    data: Choices | DelayedChoices

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


def cross_validated(
    make: Callable[[], Predictor],
    data: Choices | DelayedChoices,
    folds: int = 10,
    seed: int = 0,
    by: Literal["problem", "person"] = "problem",
) -> Held:
    """Fit to all folds but one, and predict that one.

    Args:
        make: gives a new model.
        data: choices of gambles, or of payments.
        folds: how many.
        seed: of the split.
        by: what is held out as a whole: the rows of a problem, or of a person where choices say who chose.

    Raises:
        ConfigError: there are fewer problems (or people) than folds, or fewer than two folds, or it is not known who chose.
    """
    if by == "person" and isinstance(data, Choices):
        raise ConfigError("choices of gambles do not say who chose: they can be split by problem only")
    fold = folded(data.problem if isinstance(data, Choices) or by == "problem" else data.person, folds, seed, by)
    predicted = np.empty(len(data))
    for k in range(folds):
        model = make()
        model.fit(data[fold != k])
        held = data[fold == k]
        predicted[fold == k] = model.predict(held.a, held.b)
    return Held(predicted, fold, data)


def folded(groups: NDArray[np.int64], folds: int, seed: int = 0, what: str = "problem") -> NDArray[np.int64]:
    """The fold of each row, shape (rows,): the same for rows of one group, and about as many groups in each fold.

    Raises:
        ConfigError: there are fewer groups than folds, or fewer than two folds.
    """
    there = np.unique(groups)
    if not 2 <= folds <= len(there):
        raise ConfigError(f"{len(there)} {'people' if what == 'person' else what + 's'} cannot be split into {folds} folds")
    places = np.random.default_rng(seed).permutation(len(there)) % folds
    return places[np.searchsorted(there, groups)]
