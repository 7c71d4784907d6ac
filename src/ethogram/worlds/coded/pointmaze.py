"""PointMaze: a ball that is pushed through a maze to a goal."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict

from ethogram.errors import ConfigError
from ethogram.worlds.coded._wrapped import Wrapped, needed
from ethogram.worlds.rendering import Canvas

__all__ = ["PointMaze"]

LENGTHS = {"open": 300, "umaze": 300, "medium": 600, "large": 800}


class PointMaze(Wrapped):
    """gymnasium-robotics' PointMaze (MIT), after D4RL's maze2d (Fu et al. 2020), goal-conditioned.

    Actions, float32 (2,) in [-1, 1]: the force on a ball that keeps rolling (a step is 0.01 s; its speed at most 5 cells a
    second). Observation: `Dict(observation, achieved_goal, desired_goal)`, float32: position and velocity (4,), position
    (2,), goal (2,), in cells from the maze's centre, x to the right and y up. The goal is reached within 0.45. Start and
    goal are drawn in free cells; `reset` takes `options={"goal_cell": [row, column], "reset_cell": ...}`. Reward: 1 in steps
    at the goal. Outcome: `success`, whether the goal was reached at any time; `distance` to it at the end.

    Args:
        maze: open, umaze, medium or large, or a map of your own: rows of 1 (wall) and 0 (free), walled all around.
        steps: length of an episode; None: 300 (open, umaze), 600 (medium) or 800 (large, your own).
        stop: whether the episode ends at the goal.
        moving: whether a new goal is drawn once one is reached (then the episode does not end there).
        pixels: also observe a picture from above, `image`: uint8 (pixels, pixels, 3), drawn without GL; 0: do not.

    Raises:
        ConfigError: there is no such maze, or gymnasium-robotics is not installed.
    """

    time_unit = "s"

    def __init__(
        self,
        maze: Literal["open", "umaze", "medium", "large"] | Sequence[Sequence[int]] = "umaze",
        steps: int | None = None,
        stop: bool = True,
        moving: bool = False,
        pixels: int = 0,
    ) -> None:
        self._env = _Maze(maze, stop, moving, pixels, steps)
        super().__init__(self._env)
        self.metadata = {"name": "pointmaze", "render_modes": ["rgb_array"]}
        self.expected_steps = self._env.steps

    @property
    def maze(self) -> list[list[int]]:
        """Rows of 1 (wall) and 0 (free)."""
        return self._env.maze

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return 0.01 * len(self._actions)


class _Maze(gymnasium.Env[Any, np.ndarray]):
    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(
        self, maze: str | Sequence[Sequence[int]], stop: bool, moving: bool, pixels: int, steps: int | None
    ) -> None:
        with contextlib.redirect_stderr(io.StringIO()):  # a notice about other envs
            maps = needed("gymnasium_robotics.envs.maze.maps")
        known = {"open": maps.OPEN, "umaze": maps.U_MAZE, "medium": maps.MEDIUM_MAZE, "large": maps.LARGE_MAZE}
        if isinstance(maze, str) and maze not in known:
            raise ConfigError(f"PointMaze has no maze {maze!r}; it has {', '.join(known)}, or give rows of 1 and 0")
        rows = known[maze] if isinstance(maze, str) else maze
        self.maze = [[int(cell == 1) for cell in row] for row in rows]
        self._check()
        self.steps = steps or (LENGTHS[maze] if isinstance(maze, str) else 800)
        kind = needed("gymnasium_robotics.envs.maze.point_maze").PointMazeEnv
        self._env = kind(maze_map=self.maze, continuing_task=moving or not stop, reset_target=moving)
        os.unlink(self._env.tmp_xml_file_path)  # which it leaves behind
        numbers = {"observation": 4, "achieved_goal": 2, "desired_goal": 2}
        spaces: dict[str, Any] = {key: Box(-np.inf, np.inf, (size,), np.float32) for key, size in numbers.items()}
        self._pixels, self._walls = pixels, None
        if pixels:
            spaces["image"] = Box(0, 255, (pixels, pixels, 3), np.uint8)
        self.observation_space = Dict(spaces)
        self.action_space = Box(-1.0, 1.0, (2,), np.float32)

    def _check(self) -> None:
        cells = np.array(self.maze) if len({len(row) for row in self.maze}) == 1 else np.zeros((0, 0), int)
        if cells.ndim != 2 or min(cells.shape) < 3 or (cells == 0).sum() < 2:
            raise ConfigError("a maze needs rows of equal length, at least 3 x 3, with two free cells or more")
        if not (cells[[0, -1]].all() and cells[:, [0, -1]].all()):
            raise ConfigError("a maze must be walled all around, but a cell on its edge is free")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        cells = {key: np.array(options[key]) for key in ("goal_cell", "reset_cell") if options and key in options} or None
        seen, _ = self._env.reset(seed=seed, options=cells)
        self._done = 0
        return self._seen(seen), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        seen, reward, ended, _, info = self._env.step(action)
        self._done += 1
        far = float(np.linalg.norm(seen["achieved_goal"] - seen["desired_goal"]))
        late = self._done >= self.steps and not ended
        return self._seen(seen), float(reward), bool(ended), late, {"success": info["success"], "distance": far}

    def render(self) -> np.ndarray:
        return self._picture(self._pixels or 240)

    def _seen(self, seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        small = {key: value.astype(np.float32) for key, value in seen.items()}
        return small | {"image": self._picture(self._pixels)} if self._pixels else small

    def _picture(self, side: int) -> np.ndarray:
        """The maze from above: walls grey, the goal a red disc, the ball a green one."""
        rows, columns = len(self.maze), len(self.maze[0])
        if self._walls is None or len(self._walls.picture) != side:
            half = max(rows, columns) / 2
            self._walls = Canvas(side, (-half, -half), (half, half), (80, 80, 80))
            for row, column in np.argwhere(np.array(self.maze) == 0):
                x, y = column - columns / 2, rows / 2 - row
                self._walls.polygon(np.array([[x, y], [x + 1, y], [x + 1, y - 1], [x, y - 1]]), (235, 235, 235))
        canvas = self._walls.copy()
        canvas.disc(self._env.goal, 0.35, (220, 60, 60))
        canvas.disc(self._env.data.qpos[:2], 0.25, (40, 160, 60))
        return canvas.picture
