"""Pictures without a screen: MuJoCo scenes through EGL at a fortieth of the usual cost, and flat shapes with numpy alone.

Importing this module (which importing any coded world does) chooses off-screen drivers for MuJoCo (EGL) and pygame (dummy)
on Linux, unless the environment names others.
"""

from __future__ import annotations

import copy
import importlib
import os
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Camera", "Canvas", "cheap"]

if sys.platform.startswith("linux"):
    os.environ.setdefault("MUJOCO_GL", "egl")  # read when mujoco is imported
    if os.environ["MUJOCO_GL"] == "egl":
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def cheap(model: Any, height: int, width: int) -> Any:
    """A `mujoco.Renderer` without shadows, reflections and multisampling, which is what frames cost in software.

    It changes `model.vis`, so that a renderer which the env makes for itself later is cheap too.
    """
    mujoco: Any = importlib.import_module("mujoco")

    model.vis.quality.shadowsize = 0
    model.vis.quality.offsamples = 0
    model.vis.global_.offheight = max(height, model.vis.global_.offheight)
    model.vis.global_.offwidth = max(width, model.vis.global_.offwidth)
    renderer = mujoco.Renderer(model, height, width)
    renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
    renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    return renderer


class Camera:
    """Takes pictures of a MuJoCo model; `close()` gives the graphics context back.

    Args:
        model: an `MjModel`.
        height: of the pictures, in pixels.
        width: likewise.
        camera: a camera's name or number, an `MjvCamera`, or None: one that sees the whole model.
    """

    def __init__(self, model: Any, height: int = 64, width: int = 64, camera: Any = None) -> None:
        mujoco: Any = importlib.import_module("mujoco")

        self._renderer = cheap(model, height, width)
        self.close = weakref.finalize(self, self._renderer.close)  # at the latest before the drivers go
        if camera is None:
            camera = mujoco.MjvCamera()
            mujoco.mjv_defaultFreeCamera(model, camera)
        self.camera = camera

    def take(self, data: Any) -> np.ndarray:
        """A picture of the state in an `MjData`: uint8 (height, width, 3)."""
        self._renderer.update_scene(data, camera=self.camera)
        return self._renderer.render()


class Canvas:
    """A picture of flat shapes, drawn with numpy: cheap enough for an observation.

    Args:
        size: pixels on each side.
        low: the point of the plane at the lower left corner.
        high: the one at the upper right.
        background: a colour (0 to 255 each of red, green, blue).
    """

    def __init__(self, size: int, low: Sequence[float], high: Sequence[float], background: Sequence[int] = (255, 255, 255)):
        x = low[0] + (np.arange(size) + 0.5) * (high[0] - low[0]) / size
        y = high[1] - (np.arange(size) + 0.5) * (high[1] - low[1]) / size
        self._x, self._y = x[None, :], y[:, None]
        self.picture = np.empty((size, size, 3), np.uint8)
        self.picture[:] = background

    def copy(self) -> Canvas:
        """Another canvas with the same picture, to be drawn on."""
        other = copy.copy(self)
        other.picture = self.picture.copy()
        return other

    def disc(self, centre: Sequence[float] | np.ndarray, radius: float, colour: Sequence[int]) -> None:
        """Fill a disc."""
        self.picture[(self._x - centre[0]) ** 2 + (self._y - centre[1]) ** 2 <= radius**2] = colour

    def polygon(self, corners: np.ndarray, colour: Sequence[int]) -> None:
        """Fill a convex polygon, corners (n, 2) in either direction."""
        area = np.ones(self.picture.shape[:2], bool)
        (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[1]
        turn = np.sign(ax * by - ay * bx)
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            area &= turn * ((x1 - x0) * (self._y - y0) - (y1 - y0) * (self._x - x0)) >= 0
        self.picture[area] = colour
