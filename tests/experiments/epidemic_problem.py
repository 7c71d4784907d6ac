"""Simulators to calibrate, that take less than a millisecond."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from ethogram.experiments import LogUniform, Problem, Uniform
from ethogram.seeds import generator


def epidemic(parameters: dict[str, float], seed: int, days: int = 40, n: int = 1000) -> dict[str, list[float]]:
    """Daily cases of a chain-binomial SIR (normal approximation, so that the same luck gives nearly the same course)."""
    luck = generator(seed, "epidemic").standard_normal((days, 2)).tolist()
    s, i, cases = n - 10, 10, []
    for y, z in luck:
        new = binomial(y, s, 1 - exp(-parameters["beta"] * i / n))
        s, i = s - new, i + new - binomial(z, i, 1 - exp(-parameters["gamma"]))
        cases.append(float(new))
    return {"cases": cases}


def binomial(z: float, n: int, p: float) -> int:
    return min(max(round(n * p + z * sqrt(n * p * (1 - p))), 0), n)


def gauss(parameters: dict[str, float], seed: int) -> dict[str, list[float]]:
    """Eight measurements with standard deviation 1."""
    if parameters["mean"] < -8:
        raise ValueError("too low")
    return {"x": list(parameters["mean"] + generator(seed, "gauss").standard_normal(8))}


EPIDEMIC = Problem(
    epidemic, {"beta": Uniform(0.2, 1), "gamma": LogUniform(0.05, 0.5), "idle": Uniform(0, 1)}, transform=np.sqrt
)
"""`idle` has no effect on anything."""
GAUSS = Problem(gauss, {"mean": Uniform(-5, 5)})
"""Its posterior is the normal one of mean x̄ and variance 1/8, as far as the bounds are not felt."""
