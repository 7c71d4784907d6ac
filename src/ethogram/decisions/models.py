"""Models of choice between two gambles: what a gamble is worth, and how sure the better one is chosen.

Each gives the probability that B is chosen, as a logistic function of the difference of what the two are worth, and is
fitted by likelihood to how often people chose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.gambles import Choices, Gambles
from ethogram.errors import ConfigError

__all__ = ["MODELS", "ChoiceModel", "ExpectedUtility", "ExpectedValue", "Parametric", "ProspectTheory", "log_loss"]

Array = NDArray[np.float64]


class Observed(Protocol):
    """How often people chose, row by row."""

    @property
    def rate(self) -> Array:
        """Share that chose B."""
        ...

    @property
    def people(self) -> Array:
        """How many chose."""
        ...


@dataclass
class Parametric:
    """A model with named parameters within bounds, fitted by likelihood."""

    start: ClassVar[Mapping[str, float]] = {}
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}
    logged: ClassVar[frozenset[str]] = frozenset()
    """Parameters that are searched for on a logarithmic scale."""

    parameters: dict[str, float] = field(default_factory=dict)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if unknown := set(self.parameters) - set(self.start):
            raise ConfigError(f"{type(self).__name__} has no parameter {min(unknown)!r}; it has {', '.join(self.start)}")
        self.parameters = {**self.start, **self.parameters}
        for name, value in self.parameters.items():
            low, high = self.bounds[name]
            if not low <= value <= high:
                raise ConfigError(f"{type(self).__name__}: {name}={value:g} is out of {low:g} to {high:g}")

    def minimise(self, loss: Callable[[], float], restarts: int, seed: int) -> None:
        """Set the parameters for which `loss` is least: L-BFGS-B from `restarts` beginnings, the first at `start`."""
        from scipy.optimize import minimize

        names, rng = list(self.start), np.random.default_rng(seed)
        there = np.array([name in self.logged for name in names])
        low, high = np.array([self.bounds[name] for name in names]).T
        begin = np.array([self.start[name] for name in names])

        def searched(values: Array) -> Array:
            return np.where(there, np.log(np.where(there, values, 1.0)), values)

        def tell(at: Array) -> None:
            values = np.clip(np.where(there, np.exp(np.where(there, at, 0.0)), at), low, high)
            self.parameters = dict(zip(names, values.tolist(), strict=True))

        def at(values: Array) -> float:
            tell(values)
            return loss()

        limits = list(zip(searched(low), searched(high), strict=True))
        tried = []
        for turn in range(restarts):
            first = begin if turn == 0 else np.clip(begin * rng.uniform(0.5, 1.5, len(begin)), low, high)
            tried.append(minimize(at, searched(first), method="L-BFGS-B", bounds=limits))
        tell(min(tried, key=lambda result: result.fun).x)


class ChoiceModel(Parametric):
    """P(B) = 1 / (1 + exp(-(sensitivity (V(B) - V(A)) + bias))).

    A subclass names its parameters in `start` and `bounds` and writes `worth`. Values are divided by a scale (the standard
    deviation of expected values among the choices it is fitted to), so that parameters are alike in any currency.
    """

    start = {"sensitivity": 1.0, "bias": 0.0}
    bounds = {"sensitivity": (0.0, 50.0), "bias": (-3.0, 3.0)}

    def worth(self, gambles: Gambles) -> Array:
        """What each gamble is worth, shape (gambles,)."""
        raise NotImplementedError

    def predict(self, a: Gambles, b: Gambles) -> Array:
        """The probability that B is chosen, shape (rows,)."""
        from scipy.special import expit

        p = self.parameters
        return expit(p["sensitivity"] * (self.worth(b) - self.worth(a)) + p["bias"])

    def fit(self, data: Choices, restarts: int = 3, seed: int = 0) -> Self:
        """The parameters that make people's choices likeliest, the best of `restarts` searches."""
        self.scale = float(np.std(np.concatenate([data.a.expected, data.b.expected]))) or 1.0
        self.minimise(lambda: log_loss(self.predict(data.a, data.b), data), restarts, seed)
        return self


class ExpectedValue(ChoiceModel):
    """V = Σ p x."""

    def worth(self, gambles: Gambles) -> Array:
        """Expected values."""
        return gambles.expected / self.scale


class ExpectedUtility(ChoiceModel):
    """V = Σ p u(x), with u(x) = x^gain for gains and -(-x)^loss for losses."""

    start = {**ChoiceModel.start, "gain": 0.8, "loss": 0.8}
    bounds = {**ChoiceModel.bounds, "gain": (0.05, 2.0), "loss": (0.05, 2.0)}

    def worth(self, gambles: Gambles) -> Array:
        """Expected utilities."""
        return (gambles.probabilities * self.utility(gambles.outcomes / self.scale)).sum(1)

    def utility(self, x: Array) -> Array:
        """u(x), for outcomes in units of the scale."""
        p = self.parameters
        return np.where(x >= 0, np.abs(x) ** p["gain"], -p.get("aversion", 1.0) * np.abs(x) ** p["loss"])


class ProspectTheory(ExpectedUtility):
    """Cumulative prospect theory (Tversky and Kahneman 1992): utilities with loss aversion, weighted by ranks.

    Weights are w(p) = p^γ / (p^γ + (1 - p)^γ)^(1/γ), taken of the chance to get at least a gain, or at most a loss.
    """

    start = {**ExpectedUtility.start, "aversion": 1.5, "gamma": 0.7, "delta": 0.7}
    bounds = {**ExpectedUtility.bounds, "aversion": (0.2, 6.0), "gamma": (0.28, 1.5), "delta": (0.28, 1.5)}

    def worth(self, gambles: Gambles) -> Array:
        """Values of prospects."""
        order = np.argsort(gambles.outcomes, axis=1, kind="stable")
        x = np.take_along_axis(gambles.outcomes, order, 1) / self.scale
        p = np.take_along_axis(gambles.probabilities, order, 1)
        below = np.cumsum(p, 1)
        above = np.cumsum(p[:, ::-1], 1)[:, ::-1]
        gamma, delta = self.parameters["gamma"], self.parameters["delta"]
        gains = weight(above, gamma) - weight(above - p, gamma)
        losses = weight(below, delta) - weight(below - p, delta)
        return (np.where(x >= 0, gains, losses) * self.utility(x)).sum(1)


MODELS: dict[str, Callable[[], ChoiceModel]] = {
    "expected value": ExpectedValue,
    "expected utility": ExpectedUtility,
    "prospect theory": ProspectTheory,
}


def weight(p: Array, gamma: float) -> Array:
    """The weight of a probability; inverse-S below γ = 1, the probability itself at 1."""
    p = np.clip(p, 0.0, 1.0)
    raised = p**gamma
    return raised / (raised + (1 - p) ** gamma) ** (1 / gamma)


def log_loss(predicted: Array, data: Observed) -> float:
    """Mean negative log-likelihood of a choice, in nats."""
    q = np.clip(predicted, 1e-9, 1 - 1e-9)
    each = data.rate * np.log(q) + (1 - data.rate) * np.log(1 - q)
    return float(-(data.people @ each) / data.people.sum())
