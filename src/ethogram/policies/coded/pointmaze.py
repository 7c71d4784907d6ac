"""An expert for PointMaze: the shortest way on the map, and a controller that drives along it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted

__all__ = ["PointMazeExpert", "distances"]

STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))


class PointMazeExpert(Scripted):
    """Drives the ball from cell to cell along a shortest way (drawn where there are several) by a PD controller.

    Args:
        maze: the map, rows of 1 (wall) and 0 (free), as `world.maze` has it.
        noise: standard deviation of what is added to the actions, which lie in [-1, 1].
        play: go to free cells drawn one after the other, in place of the goal asked for: data to be relabelled.
    """

    def __init__(self, maze: Sequence[Sequence[int]], noise: float = 0.0, play: bool = False) -> None:
        super().__init__()
        self.maze, self.noise, self.play = np.array(maze), noise, play
        if noise < 0:
            raise ConfigError(f"noise must not be negative, but it is {noise}")

    def script(self, observation: Any, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        """The force on the ball, float32 (2,)."""
        here, speed = np.asarray(observation["observation"], float).reshape(2, 2)
        goal = self._aim(here, np.asarray(observation["desired_goal"], float), memory, rng)
        cell, last = self._cell(here), self._cell(goal)
        if memory.get("goal") != [*last]:
            memory["goal"], memory["far"] = [*last], distances(self.maze, last)
            memory["next"] = [*cell]
        target = goal
        if cell != last:
            if memory["next"] == [*cell] or memory["far"][cell] < memory["far"][tuple(memory["next"])]:
                memory["next"] = [*self._onward(cell, memory["far"], rng)]
            target = self._centre(memory["next"])
        force = 10.0 * (target - here) - 1.5 * speed + rng.normal(0, self.noise, 2) * (self.noise > 0)
        return np.clip(force, -1, 1).astype(np.float32)

    def _aim(self, here: np.ndarray, asked: np.ndarray, memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        """Where to go: the goal asked for, or in play a cell's centre that changes once it is near."""
        if not self.play:
            return asked
        if "aim" not in memory or np.hypot(*(memory["aim"] - here)) < 0.35:
            free = np.argwhere(self.maze == 0)
            memory["aim"] = self._centre(free[rng.integers(len(free))])
        return memory["aim"]

    def _onward(self, cell: tuple[int, int], far: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
        """A neighbour that is a step nearer; the cell itself where there is none."""
        near = [(cell[0] + i, cell[1] + j) for i, j in STEPS if far[cell[0] + i, cell[1] + j] == far[cell] - 1]
        return near[rng.integers(len(near))] if near else cell

    def _cell(self, point: np.ndarray) -> tuple[int, int]:
        rows, columns = self.maze.shape
        row = int(np.clip((rows / 2 - point[1]) // 1, 0, rows - 1))
        return row, int(np.clip((point[0] + columns / 2) // 1, 0, columns - 1))

    def _centre(self, cell: Sequence[int]) -> np.ndarray:
        rows, columns = self.maze.shape
        return np.array([cell[1] + 0.5 - columns / 2, rows / 2 - cell[0] - 0.5])


def distances(maze: np.ndarray, goal: tuple[int, int]) -> np.ndarray:
    """Steps from each cell to the goal through free cells (0 in the maze), by breadth-first search; -1: there is no way."""
    far = np.full(maze.shape, -1)
    far[goal] = 0
    queue = deque([goal])
    while queue:
        row, column = queue.popleft()
        for i, j in STEPS:
            cell = row + i, column + j
            inside = 0 <= cell[0] < maze.shape[0] and 0 <= cell[1] < maze.shape[1]
            if inside and maze[cell] == 0 and far[cell] < 0:
                far[cell] = far[row, column] + 1
                queue.append(cell)
    return far
