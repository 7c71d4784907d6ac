"""How members of spaces become arrays of numbers for a network, and how its answers become actions again.

| space of observations | becomes |
|---|---|
| `Box` of bytes with three axes | an image (..., H, W, C) |
| any other `Box`, `MultiBinary` | columns of the vector |
| `Discrete`, `MultiDiscrete` | columns of the vector, one for each value (1 for the one it is, else 0) |
| `Dict` of these | images by their key, and one vector: the other entries side by side, in the order of the space |
| `Dict` of `observation`, `achieved_goal` and `desired_goal` (a GoalEnv) | what `observation` becomes, and the goal |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError

__all__ = ["GOAL", "Actions", "Observations"]

Array = np.ndarray[Any, Any]

GOAL = ("observation", "achieved_goal", "desired_goal")
"""The entries of a GoalEnv's observations."""


class Observations:
    """The vector, the images and the goal that observations of a space consist of.

    Of a GoalEnv the achieved goal is left out, and the desired one too unless it is asked for.

    Args:
        space: of the observations.
        goal: whether the desired goal of a GoalEnv is to be seen.

    Raises:
        ConfigError: a space that is not made of numbers, or a goal is wanted of one that has none.
    """

    def __init__(self, space: Space[Any], goal: bool = False) -> None:
        self.single = not isinstance(space, gs.Dict)
        """Whether an observation is one array."""
        parts: dict[str, Space[Any]] = dict(space.spaces) if isinstance(space, gs.Dict) else {"": space}
        self.has_goals = set(GOAL) <= parts.keys()
        if goal and not self.has_goals:
            raise ConfigError(
                f"a policy that is given goals needs observations of a GoalEnv, a Dict of {', '.join(GOAL)}; this is {space}"
            )
        self._goal_shape = parts["desired_goal"].shape or () if goal else ()
        self.goal = math.prod(self._goal_shape) if goal else 0
        """Columns of the goal; 0: none."""
        if self.has_goals:
            parts = {name: part for name, part in parts.items() if name not in GOAL[1:]}
        self.images: dict[str, tuple[int, ...]] = {}
        """The shape (H, W, C) of each image, by its key (`image` where it is the whole observation)."""
        self._image_keys: list[tuple[str, str]] = []
        self._vectors: list[tuple[str, Callable[[Array], Array]]] = []
        self.size = 0
        """Columns of the vector."""
        for name, part in parts.items():
            if isinstance(part, gs.Box) and part.dtype == np.uint8 and len(part.shape) == 3:
                self.images[name or "image"] = part.shape
                self._image_keys.append((name or "image", name))
            else:
                size, read = _columns(part)
                self.size += size
                self._vectors.append((name, read))

    def vector(self, column: Any) -> Array:
        """The vectors (..., size) of a column of observations with any leading axes, float32."""
        if self.single:
            return self._vectors[0][1](column)
        found = [read(column[name]) for name, read in self._vectors]
        return found[0] if len(found) == 1 else np.concatenate(found, -1)

    def read(self, column: Any) -> dict[str, Array]:
        """The vectors as `vector` (where there is one), and the images by their key."""
        found = {"vector": self.vector(column)} if self._vectors else {}
        for name, key in self._image_keys:
            found[name] = column if self.single else column[key]
        return found

    def goals(self, goals: Any) -> Array:
        """Goals of any leading axes as (..., goal) columns, float32."""
        array = np.asarray(goals, np.float32)
        return array.reshape(*array.shape[: array.ndim - len(self._goal_shape)], self.goal)


def _columns(space: Space[Any]) -> tuple[int, Callable[[Array], Array]]:
    """How many columns a part of the vector has, and the function that reads them."""
    if isinstance(space, gs.Box | gs.MultiBinary):
        axes, size = len(space.shape), math.prod(space.shape)

        def flat(values: Array) -> Array:
            array = np.asarray(values, np.float32)
            return array if axes == 1 else array.reshape(*array.shape[: array.ndim - axes], size)

        return size, flat
    if isinstance(space, gs.Discrete | gs.MultiDiscrete):
        classes, start = _classes(space)
        first = np.cumsum(classes) - classes
        total = int(classes.sum())
        flatten = isinstance(space, gs.MultiDiscrete) and len(space.shape) > 1

        def one_hot(values: Array) -> Array:
            array = np.asarray(values)
            if isinstance(space, gs.Discrete):
                array = array[..., None]
            elif flatten:
                array = array.reshape(*array.shape[: array.ndim - len(space.shape)], -1)
            found = np.zeros((*array.shape[:-1], total), np.float32)
            np.put_along_axis(found, array - start + first, 1.0, -1)
            return found

        return total, one_hot
    raise ConfigError(
        f"a network cannot read observations of a {type(space).__name__} space; make them Box, Discrete or Dict"
    )


def _classes(space: gs.Discrete | gs.MultiDiscrete) -> tuple[Array, Array]:
    """The number of values of each choice, and the first value of each."""
    if isinstance(space, gs.Discrete):
        return np.array([space.n]), np.array([space.start])
    return space.nvec.reshape(-1), space.start.reshape(-1)


class Actions:
    """Continuous actions as (..., size) numbers, discrete ones as (..., choices) whole numbers from 0.

    Args:
        space: Box, Discrete, MultiDiscrete or MultiBinary.

    Raises:
        ConfigError: another space.
    """

    def __init__(self, space: Space[Any]) -> None:
        self.classes: tuple[int, ...] = ()
        """The number of values of each choice; empty where actions are continuous."""
        self.low = self.high = np.zeros(0, np.float32)
        """The bounds of continuous actions, (size,)."""
        if isinstance(space, gs.Box):
            self.low, self.high = (b.reshape(-1).astype(np.float32) for b in (space.low, space.high))
            self.size = math.prod(space.shape)
        elif isinstance(space, gs.Discrete | gs.MultiDiscrete):
            classes, self._start = _classes(space)
            self.classes = tuple(classes.tolist())
            self.size = len(self.classes)
        elif isinstance(space, gs.MultiBinary):
            self.size = math.prod(space.shape)
            self.classes, self._start = (2,) * self.size, np.zeros(self.size, np.int64)
        else:
            raise ConfigError(
                f"a network cannot choose from a {type(space).__name__} space; learned policies act in Box, Discrete, "
                "MultiDiscrete and MultiBinary"
            )
        self.shape: tuple[int, ...] = space.shape or ()
        self.dtype: Any = space.dtype
        self._rounded = not self.classes and np.issubdtype(self.dtype, np.integer)

    @property
    def bounded(self) -> bool:
        """Whether there is a finite bound."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def read(self, column: Any) -> Array:
        """Actions with any leading axes as (..., size): float32, or int64 from 0."""
        array = np.asarray(column)
        flat = array.reshape(*array.shape[: array.ndim - len(self.shape)], self.size)
        return flat.astype(np.int64) - self._start if self.classes else flat.astype(np.float32)

    def members(self, array: Array) -> Sequence[Any]:
        """Actions (B, size) as B members of the space."""
        if self.classes:
            array = array + self._start
        elif self._rounded:
            array = np.rint(array)
        if array.dtype != self.dtype:
            array = array.astype(self.dtype)
        if self.shape != array.shape[1:]:
            array = array.reshape(len(array), *self.shape)
        return list(array)
