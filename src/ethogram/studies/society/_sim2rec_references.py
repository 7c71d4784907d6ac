"""What can be had at best from the users of long-term satisfaction, by dynamic programming, and from one item for all.

Both are means over all users: memory and sensitivity are integrated by Gauss-Legendre quadrature, without noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ethogram.worlds.coded.long_term_satisfaction import HIGHEST, LOWEST, respond

__all__ = ["Users", "constants", "optimum", "quadrature"]


class Users(NamedTuple):
    """Users that stand for all, with weights."""

    memory: np.ndarray
    """(U,)."""
    sensitivity: np.ndarray
    """(U,)."""
    weights: np.ndarray
    """(U,), adding up to 1."""


def quadrature(nodes: int = 10) -> Users:
    """`nodes` times `nodes` users, which integrate polynomials of exp(memory) and exp(sensitivity) exactly."""
    at, weights = np.polynomial.legendre.leggauss(nodes)
    parameter = np.log((HIGHEST - LOWEST) / 2 * at + (HIGHEST + LOWEST) / 2)
    memory, sensitivity = (part.ravel() for part in np.meshgrid(parameter, parameter))
    return Users(memory, sensitivity, np.outer(weights, weights).ravel() / 4)


def constants(choc: float, users: Users, clickbait: np.ndarray, horizon: int) -> np.ndarray:
    """Mean engagement of a session with the same item all along, for each clickbait (C,): (C,)."""
    memory, sensitivity = users.memory[:, None], users.sensitivity[:, None]
    exposure, total = np.repeat(0.5 / (1 - memory), len(clickbait), 1), 0.0
    for _ in range(horizon):
        engagement, exposure = respond(exposure, clickbait, choc, memory, sensitivity)
        total = total + engagement
    return users.weights @ total / horizon


def optimum(choc: float, users: Users, horizon: int, items: int = 21, points: int = 161) -> float:
    """Mean engagement of a session in which everybody is shown the items that are best for them.

    By backward induction over the exposure times (1 - memory), which stays in [-1, 1], with linear interpolation.

    Args:
        choc: of the group.
        users: of whom everything is known.
        horizon: steps of the session.
        items: clickbait that may be chosen, evenly spaced from 0 to 1.
        points: of the grid; of 4 k + 1 points one is where a session begins.
    """
    memory, sensitivity = users.memory[:, None, None], users.sensitivity[:, None, None]
    grid, clickbait = np.linspace(-1, 1, points)[:, None], np.linspace(0, 1, items)
    engagement, exposure = respond(grid / (1 - memory), clickbait, choc, memory, sensitivity)  # (U, points, items)
    at = (exposure * (1 - memory) + 1) / 2 * (points - 1)
    below = np.clip(at.astype(int), 0, points - 2)
    share = at - below
    below += points * np.arange(len(memory))[:, None, None]
    worth = np.zeros((len(memory), points))
    for _ in range(horizon):
        low, high = worth.ravel()[below], worth.ravel()[below + 1]
        worth = (engagement + low + share * (high - low)).max(-1)
    return float(users.weights @ worth[:, 3 * (points - 1) // 4]) / horizon
