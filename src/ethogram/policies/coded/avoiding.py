"""Demonstrators of the obstacle-avoiding task: sampled, noisy paths through a way that is asked for, in two styles."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted

__all__ = ["AvoidingDemonstrator"]

POSTS = np.array([[0.5, -0.1], [0.425, 0.08], [0.575, 0.08], [0.35, 0.26], [0.5, 0.26], [0.65, 0.26]])
"""The obstacles, as the demonstrator knows them."""
REACH = np.array([0.04, 0.035, 0.035, 0.035, 0.035, 0.035])
"""How near the rod's centre may come to each obstacle's centre."""
GAPS = (
    ((0.40, 0.45), (0.55, 0.60)),
    ((0.32, 0.375), (0.48, 0.52), (0.625, 0.68)),
    ((0.25, 0.30), (0.405, 0.445), (0.555, 0.595), (0.70, 0.75)),
)
"""Where a path may cross each row: intervals of x."""


class AvoidingDemonstrator(Scripted):
    """Leads the desired point along a path of its own through one of the 24 ways; a stand-in for human demonstrations.

    For each row a crossing is drawn in the gap that the way asks for, entered and left straight. The path is drawn again
    until it keeps 12 mm from what would be a collision. Speeds are drawn per episode (9.5 to 12 mm a control step).

    Args:
        mode: the way, 0 to 23, as the world counts them; None: drawn for each episode.
        style: `smooth` goes along the rounded path (corners cut three times) at a slowly wandering speed; `waypoints` goes
            straight from corner to corner, slows down near each, and its hand trembles; None: drawn for each episode.

    Raises:
        ConfigError: there is no such mode or style.
    """

    def __init__(self, mode: int | None = None, style: Literal["smooth", "waypoints"] | None = None) -> None:
        if mode is not None and not 0 <= mode < 24:
            raise ConfigError(f"the avoiding task has modes 0 to 23, and {mode} is none of them")
        if style not in (None, "smooth", "waypoints"):
            raise ConfigError(f"the demonstrator of the avoiding task has the styles smooth and waypoints, not {style!r}")
        super().__init__()
        self.mode, self.style = mode, style

    def script(self, observation: Any, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        """The next move of the desired point, metres, float32 (2,)."""
        here = np.asarray(observation[:2], np.float64)
        if not memory:
            mode = int(rng.integers(24)) if self.mode is None else self.mode
            style = self.style or ("smooth", "waypoints")[rng.integers(2)]
            memory |= {"style": style, "path": _plan(here, mode, style, rng), "next": 1, "haste": 0.0}
            memory["speed"] = rng.uniform(0.0095, 0.012)
        move = _glide if memory["style"] == "smooth" else _walk
        return move(here, memory, rng).astype(np.float32)


def _plan(start: np.ndarray, mode: int, style: str, rng: np.random.Generator) -> np.ndarray:
    """Corners of a path (n, 2) from the start through the gaps of a mode to beyond the finish line."""
    choices = mode // 12, mode // 4 % 3, mode % 4
    while True:
        corners = [start]
        for (y, gaps), choice in zip(((-0.1, GAPS[0]), (0.08, GAPS[1]), (0.26, GAPS[2])), choices, strict=True):
            x, tilt = rng.uniform(*gaps[choice]), rng.normal(0, 0.004)
            corners += [
                np.array([x - tilt, y - rng.uniform(0.03, 0.05)]),
                np.array([x + tilt, y + rng.uniform(0.03, 0.045)]),
            ]
        corners.append(np.array([corners[-1][0] + rng.normal(0, 0.02), 0.42]))
        path = np.array(corners)
        if style == "smooth":
            for _ in range(3):
                path = _rounded(path)
        points = _resampled(path, 0.004)
        if (np.hypot(*(points[:, :, None] - POSTS.T).transpose(1, 0, 2)) > REACH + 0.012).all():
            return path


def _rounded(path: np.ndarray) -> np.ndarray:
    """The path with its corners cut (Chaikin)."""
    near, far = 0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]
    return np.concatenate([path[:1], np.stack([near, far], 1).reshape(-1, 2), path[-1:]])


def _resampled(path: np.ndarray, spacing: float) -> np.ndarray:
    """Points on the path at equal distances."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.arange(0.0, along[-1], spacing)
    return np.stack([np.interp(at, along, path[:, i]) for i in range(2)], 1)


def _glide(here: np.ndarray, memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Go on along the path from its point nearest to here; the speed wanders by up to some 20%."""
    memory["haste"] = 0.9 * memory["haste"] + rng.normal(0, 0.05)
    points = _resampled(memory["path"], 0.001)
    at = memory["next"]
    window = points[at : at + 30]
    at = min(at + int(np.argmin(np.hypot(*(window - here).T))), len(points) - 2)
    memory["next"] = at
    ahead = points[min(at + round(1000 * memory["speed"] * (1 + np.clip(memory["haste"], -0.3, 0.3))), len(points) - 1)]
    return ahead - here + rng.normal(0, 0.0006, 2)


def _walk(here: np.ndarray, memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Go straight towards the next corner, at half speed within a centimetre of it, with a trembling hand."""
    path = memory["path"]
    while memory["next"] < len(path) - 1 and np.hypot(*(path[memory["next"]] - here)) < 0.006:
        memory["next"] += 1
    way = path[memory["next"]] - here
    far = np.hypot(*way)
    speed = min(memory["speed"] * (0.5 if far < 0.01 else 1.0), far)
    return way / max(far, 1e-9) * speed + rng.normal(0, 0.0012, 2)
