"""Models without a theory: a logistic regression on features of two gambles, and a small network on the same."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.gambles import Choices, Gambles

__all__ = ["FeatureLogit", "SmallNet", "features"]

Array = NDArray[np.float64]


def features(a: Gambles, b: Gambles) -> Array:
    """What is plain to see of two gambles: expected values, spreads, worst and best outcomes, chances; shape (rows, 15).

    The last three are differences of expected value, spread and worst outcome.
    """
    sides = [_side(gambles) for gambles in (a, b)]
    gap = sides[1] - sides[0]
    return np.column_stack([*sides, gap[:, [0, 1, 2]]])


def _side(g: Gambles) -> Array:
    there = g.probabilities > 0
    worst = np.where(there, g.outcomes, np.inf).min(1)
    best = np.where(there, g.outcomes, -np.inf).max(1)
    loss = (g.probabilities * (g.outcomes < 0)).sum(1)
    likely = (g.probabilities * (g.outcomes == best[:, None])).sum(1)
    return np.column_stack([g.expected, g.spread, worst, best, loss, likely])


class FeatureLogit:
    """Logistic regression on standardised features and their squares (multinomial logit with two alternatives).

    Args:
        ridge: weight of the squared coefficients in the mean log-loss.
    """

    def __init__(self, ridge: float = 1e-4) -> None:
        self.ridge = ridge

    def fit(self, data: Choices) -> Self:
        """Coefficients that make people's choices likeliest."""
        from scipy.optimize import minimize
        from scipy.special import expit

        raw = features(data.a, data.b)
        self.mean, self.sd = raw.mean(0), np.where(raw.std(0) > 0, raw.std(0), 1.0)
        x, w = self._inputs(raw), data.people / data.people.sum()

        def loss(beta: Array) -> tuple[float, Array]:
            z = x @ beta
            value = w @ (np.logaddexp(0, z) - data.rate * z) + self.ridge * (beta[1:] @ beta[1:])
            slope = x.T @ (w * (expit(z) - data.rate))
            slope[1:] += 2 * self.ridge * beta[1:]
            return float(value), slope

        self.beta: Array = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
        return self

    def predict(self, a: Gambles, b: Gambles) -> Array:
        """P(B), shape (rows,)."""
        from scipy.special import expit

        return expit(self._inputs(features(a, b)) @ self.beta)

    def _inputs(self, raw: Array) -> Array:
        z = (raw - self.mean) / self.sd
        return np.column_stack([np.ones(len(z)), z, z**2])


class SmallNet:
    """A perceptron with two hidden layers on standardised features, stopped early on a tenth of the rows (scikit-learn).

    Args:
        width: units of each hidden layer.
        seed: of the initial weights and the rows held back.
    """

    def __init__(self, width: int = 32, seed: int = 0) -> None:
        self.width, self.seed = width, seed

    def fit(self, data: Choices) -> Self:
        """Fit to the rates, by squared error."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        raw = features(data.a, data.b)
        self.mean, self.sd = raw.mean(0), np.where(raw.std(0) > 0, raw.std(0), 1.0)
        self.net = MLPRegressor(
            hidden_layer_sizes=(self.width, self.width), early_stopping=True, max_iter=300, random_state=self.seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped early anyway
            self.net.fit((raw - self.mean) / self.sd, data.rate)
        return self

    def predict(self, a: Gambles, b: Gambles) -> Array:
        """P(B), kept within 0.001 and 0.999, shape (rows,)."""
        return np.clip(self.net.predict((features(a, b) - self.mean) / self.sd), 0.001, 0.999)
