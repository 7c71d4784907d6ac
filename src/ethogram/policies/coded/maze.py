"""An expert for mazes that keeps a trace of its search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.policy import Policy
from ethogram.world import Agent

__all__ = ["UNKNOWN", "MazeExpert", "search", "trace"]

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
UNKNOWN = 4
"""What the map of a search holds for a cell that it has not reached."""


class MazeExpert(Policy):
    """Walks a shortest way, found by breadth-first search from the goal: the policy that procedure cloning imitates."""

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The first step of a shortest way; 0 where there is none."""
        actions = {}
        for agent, seen in observations.items():
            row, column = np.argwhere(seen[..., 2])[0]
            best = search(seen[..., 0], seen[..., 1])[1][row, column]
            actions[agent] = np.int64(best % UNKNOWN)
        return actions


def search(walls: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Breadth-first search from the goal.

    Args:
        walls: (rows, columns), not 0 where there is a wall.
        goal: (rows, columns), not 0 at the goal.

    Returns:
        The layer in which each cell is reached, which is its distance in steps (0: the goal, -1: never), int16 (rows,
        columns), and the action that leads one step nearer, the least where there are several (`UNKNOWN` for the goal, walls
        and cells never reached), int8 (rows, columns).
    """
    layer = np.where(goal != 0, 0, -1).astype(np.int16)
    action = np.full(walls.shape, UNKNOWN, np.int8)
    free, steps = walls == 0, 0
    while True:
        reached = layer == steps
        steps += 1
        fresh = np.zeros_like(free)
        for move in range(3, -1, -1):  # the least action is written last
            nearer = _shifted(reached, MOVES[move])
            nearer &= free & (layer < 0)
            action[nearer] = move
            fresh |= nearer
        if not fresh.any():
            return layer, action
        layer[fresh] = steps


def trace(observation: np.ndarray) -> np.ndarray:
    """The expert's computation for an observation of the maze: its map before the first layer and after each.

    Args:
        observation: (rows, columns, 3): walls, goal, agent.

    Returns:
        int8 (1 + layers, rows, columns): the action of each cell reached so far, else `UNKNOWN`. The last map is the first
        to hold the agent's cell.
    """
    layer, action = search(observation[..., 0], observation[..., 1])
    row, column = np.argwhere(observation[..., 2])[0]
    steps = np.arange(int(layer[row, column]) + 1)[:, None, None]
    return np.where((layer >= 1) & (layer <= steps), action, UNKNOWN).astype(np.int8)


def _shifted(mask: np.ndarray, move: tuple[int, int]) -> np.ndarray:
    """Where a step by `move` leads into the mask."""
    return np.roll(mask, (-move[0], -move[1]), axis=(0, 1))
