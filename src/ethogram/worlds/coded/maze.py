"""Mazes of tunnels on a grid, made from a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete

from ethogram.errors import ConfigError
from ethogram.seeds import generator
from ethogram.world import Step, World

__all__ = ["Maze", "tunnels"]

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
"""Up, right, down and left as changes of row and column, in the order of the actions."""


class Maze(World):
    """Walk from a free cell to the goal of a maze; walls are all seen.

    The 16 x 16 "tunnel" mazes that procedure cloning was tested on (Yang et al., NeurIPS 2022, section 6), of any size. A
    maze, which is walls and goal, is made from a number, so that training and test mazes can be told apart; the start is
    drawn for each episode among the cells from which the goal can be reached, none nearer than two steps.

    Observation, uint8 (size, size, 3): 1 for a wall, for the goal and for the agent. Actions: 0 up (to the row before), 1
    right, 2 down, 3 left; walking into a wall changes nothing. Reward: 1 at the goal, where the episode ends. Outcome:
    `success`, `steps`, `shortest` (steps of a shortest way from the start) and `maze`, its number.

    Args:
        size: rows and columns, walls included; at least 5.
        maze: the number of the maze; None: drawn for each episode. `reset` takes `options={"maze": number}`.
        steps: length of an episode.
        shortcuts: probability that a dug tunnel is joined to one it meets (0: the maze is a tree).

    Raises:
        ConfigError: a number is out of range.
    """

    metadata = {"name": "maze", "render_modes": ["rgb_array"]}
    state_fields = ("walls", "goal", "place", "number", "elapsed", "shortest")

    def __init__(self, size: int = 16, maze: int | None = None, steps: int = 100, shortcuts: float = 0.1) -> None:
        if size < 5 or steps < 1 or not 0 <= shortcuts <= 1:
            raise ConfigError("a maze needs a size of at least 5, steps of at least 1 and shortcuts in [0, 1]")
        self.size, self.steps, self.shortcuts, self._given = size, steps, shortcuts, maze
        self.expected_steps = steps
        self.possible_agents, self.agents = ["agent"], []
        self.observation_spaces = {"agent": Box(0, 1, (size, size, 3), np.uint8)}
        self.action_spaces = {"agent": Discrete(4)}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Dig a maze, and put the agent somewhere in it."""
        super().reset(seed)
        assert self.rng is not None
        given = (options or {}).get("maze", self._given)
        self.number = int(self.rng.integers(2**31)) if given is None else int(given)
        digger = generator(self.number, "maze", self.size)
        self.walls = tunnels(self.size, digger, self.shortcuts)
        free = np.argwhere(self.walls == 0)
        self.goal = free[digger.integers(len(free))]
        far = self._distances()
        starts = np.argwhere(far >= min(2, far.max()))
        self.place = starts[self.rng.integers(len(starts))]
        self.shortest, self.elapsed = int(far[tuple(self.place)]), 0
        return {"agent": self._seen()}, {"agent": {}}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Walk one cell."""
        there = self.place + MOVES[int(actions["agent"])]
        if not self.walls[tuple(there)]:
            self.place = there
        self.elapsed += 1
        won = bool((self.place == self.goal).all())
        late = self.elapsed >= self.steps and not won
        if won or late:
            self.agents = []
        return {"agent": self._seen()}, {"agent": float(won)}, {"agent": won}, {"agent": late}, {"agent": {}}

    def outcome(self) -> dict[str, float]:
        """Success, steps taken, steps of a shortest way, and the maze's number."""
        won = float((self.place == self.goal).all())
        values = {"steps": self.elapsed, "shortest": self.shortest, "maze": self.number}
        return {"success": won} | {key: float(value) for key, value in values.items()}

    def render(self) -> np.ndarray:
        """The maze, 8 x 8 pixels a cell: walls dark, the goal red, the agent green."""
        picture = np.where(self.walls[..., None] == 1, np.uint8(60), np.uint8(235)).repeat(3, axis=2)
        picture[tuple(self.goal)], picture[tuple(self.place)] = (214, 48, 49), (0, 148, 50)
        return picture.repeat(8, axis=0).repeat(8, axis=1)

    def _seen(self) -> np.ndarray:
        seen = np.zeros((self.size, self.size, 3), np.uint8)
        seen[..., 0] = self.walls
        seen[(*self.goal, 1)] = seen[(*self.place, 2)] = 1
        return seen

    def _distances(self) -> np.ndarray:
        """Steps from each cell to the goal; -1 for walls and where there is no way."""
        far = np.full(self.walls.shape, -1)
        far[tuple(self.goal)], steps = 0, 0
        while (edge := far == steps).any():
            steps += 1
            inner = edge[1:-1, :-2] | edge[1:-1, 2:] | edge[:-2, 1:-1] | edge[2:, 1:-1]
            far[1:-1, 1:-1][inner & (self.walls[1:-1, 1:-1] == 0) & (far[1:-1, 1:-1] < 0)] = steps
        return far


def tunnels(size: int, rng: np.random.Generator, shortcuts: float = 0.1) -> np.ndarray:
    """Walls (1) and tunnels (0), int8 (size, size), dug by depth-first search from the upper left.

    Every second cell is a junction. From each the search goes on in a random order of directions; where it meets a junction
    that has been dug, it breaks through with probability `shortcuts`. The outermost rows and columns are walls, and with an
    even size those next to the last as well.
    """
    walls = np.ones((size, size), np.int8)
    last = size - 2 if size % 2 else size - 3
    walls[1, 1] = 0
    stack = [((1, 1), rng.permutation(4).tolist())]
    while stack:
        (row, column), directions = stack[-1]
        if not directions:
            stack.pop()
            continue
        move = MOVES[directions.pop()]
        there = (row + 2 * int(move[0]), column + 2 * int(move[1]))
        if not (1 <= there[0] <= last and 1 <= there[1] <= last):
            continue
        between = (row + int(move[0]), column + int(move[1]))
        if walls[there]:
            walls[between] = walls[there] = 0
            stack.append((there, rng.permutation(4).tolist()))
        elif walls[between] and rng.random() < shortcuts:
            walls[between] = 0
    return walls
