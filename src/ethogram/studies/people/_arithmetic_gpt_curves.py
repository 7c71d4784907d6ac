"""What a network makes of single chances, amounts and delays: a line through them, and the curves of the field along it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.models import weight

__all__ = ["discount", "fitted", "scaled", "utility", "weighting"]

Array = NDArray[np.float64]
ROUNDS = 200


def scaled(points: NDArray[np.floating]) -> Array:
    """Points (n, width) on a line so that distances are kept as well as they can be: 1-D metric scaling, (n,).

    Begins at the first axis of classical scaling (Torgerson 1952) and lowers the squared error of distances by majorisation
    (de Leeuw 1977). The sign and the origin are arbitrary.
    """
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    at = centred @ axes[0]
    apart = np.linalg.norm(centred[:, None] - centred[None], axis=-1)
    for _ in range(ROUNDS):
        new = (apart * np.sign(at[:, None] - at[None])).mean(1)
        if np.abs(new - at).max() < 1e-9 * max(1e-12, np.abs(at).max()):
            break
        at = new
    return at - at.mean()


def weighting(places: Array, p: Array) -> dict[str, float]:
    """γ of the weights p^γ / (p^γ + (1 - p)^γ)^(1/γ) (Tversky and Kahneman 1992) that are nearest to a line of chances."""
    return fitted(places, lambda gamma: weight(p, gamma[0]), ((0.28, 2.5),), ("gamma",))


def utility(places: Array, x: Array) -> dict[str, float]:
    """α, β and λ of u = x^α, and -λ (-x)^β for losses, nearest to a line of amounts in units of the largest."""
    size = np.abs(x) / np.abs(x).max()

    def worth(at: Array) -> Array:
        return np.where(x >= 0, size ** at[0], -at[2] * size ** at[1])

    return fitted(places, worth, ((0.05, 3.0), (0.05, 3.0), (0.1, 10.0)), ("alpha", "beta", "lambda"))


def discount(places: Array, years: Array) -> dict[str, float]:
    """K of 1 / (1 + k t), t in years, that is nearest to a line of delays."""
    return fitted(places, lambda at: 1 / (1 + at[0] * years), ((1e-3, 100.0),), ("k",))


def fitted(
    places: Array, curve: Callable[[Array], Array], bounds: tuple[tuple[float, float], ...], names: tuple[str, ...]
) -> dict[str, float]:
    """Parameters of the curve nearest to the places, once shifted and stretched (or turned round); and how near, `r2`."""
    from scipy.optimize import minimize

    def left(logs: Array) -> float:
        y = curve(np.exp(logs))
        return 1 - float(np.corrcoef(y, places)[0, 1] ** 2) if y.std() > 1e-12 else 1.0

    limits = np.log(bounds)
    begins = [np.clip(np.full(len(names), at), *limits.T) for at in (-0.7, 0.0, 0.5)]
    best = min((minimize(left, b, method="L-BFGS-B", bounds=limits) for b in begins), key=lambda found: found.fun)
    return {**dict(zip(names, np.exp(best.x).tolist(), strict=True)), "r2": 1 - float(best.fun)}
