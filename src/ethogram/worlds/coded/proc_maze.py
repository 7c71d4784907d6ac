"""ProcMaze: another random maze in every episode (Young et al. 2023, *The Benefits of Model-Based Generalization in RL*)."""

from __future__ import annotations

from math import ceil

import numpy as np

from ethogram.errors import ConfigError
from ethogram.worlds.coded._bits import MOVES, BitWorld, Moved

__all__ = ["ProcMaze"]

PLAYER, GOAL, WALL, EMPTY = range(4)


class ProcMaze(BitWorld):
    """A maze of `size` x `size` cells dug depth-first; player and goal start on random open cells, maybe the same one.

    Bits: for each cell, row by row, whether it is the player's, the goal's, a wall, empty. Actions: stay, up, left, down,
    right. Every step costs 1; the step that is taken on the goal ends the episode. With a probability of a tenth of one over
    the time that the worst maze takes (where `spontaneous`), a step ends on the goal wherever it would have led.
    """

    metadata = {"name": "proc_maze", "render_modes": []}

    def __init__(self, size: int = 4, spontaneous: bool = True, steps: int = 100) -> None:
        if size < 2:
            raise ConfigError(f"a maze has at least two cells a side, not {size}")
        self.size = size
        self.worst = (size + 1) * ceil(size / 2) - size % 2
        self.chance = 0.1 / self.worst if spontaneous else 0.0
        self._beside = [_neighbours(cell, size) for cell in range(size**2)]
        super().__init__(4 * size**2, 5, steps)

    def starts(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """New mazes, each with a player and a goal on cells drawn from the open ones."""
        grids = np.zeros((n, self.size**2, 4), bool)
        for grid in grids:
            grid[:, EMPTY] = dig(self._beside, rng)
            cells = np.flatnonzero(grid[:, EMPTY])
            grid[cells[rng.integers(len(cells))], PLAYER] = True
            grid[cells[rng.integers(len(cells))], GOAL] = True
        grids[:, :, WALL] = ~grids[:, :, EMPTY]
        return grids.reshape(n, -1)

    def transition(self, bits: np.ndarray, actions: np.ndarray, luck: np.ndarray) -> Moved:
        """Move where the way is open, or be carried to the goal."""
        copies = np.arange(len(bits))
        grids = bits.reshape(len(bits), -1, 4).copy()
        player, goal = grids[:, :, PLAYER].argmax(1), grids[:, :, GOAL].argmax(1)
        moves = MOVES[actions]
        row = np.clip(player // self.size + moves[:, 0], 0, self.size - 1)
        column = np.clip(player % self.size + moves[:, 1], 0, self.size - 1)
        wanted = row * self.size + column
        reached = np.where(grids[copies, wanted, WALL], player, wanted)
        reached = np.where(luck[:, 0] < self.chance, goal, reached)
        grids[copies, player, PLAYER] = False
        grids[copies, reached, PLAYER] = True
        return Moved(grids.reshape(bits.shape), np.full(len(bits), -1.0), player == goal)


def dig(beside: list[list[int]], rng: np.random.Generator) -> np.ndarray:
    """Which cells a depth-first walk opens, (cells,) bool.

    From a random cell it goes on to a random neighbour that touches no other open cell, and back where there is none.

    Args:
        beside: the neighbours of each cell.
        rng: of the walk.
    """
    stack = [int(rng.integers(len(beside)))]
    opened = set(stack)
    while stack:
        fresh = [cell for cell in beside[stack[-1]] if cell not in opened and len(opened.intersection(beside[cell])) == 1]
        if not fresh:
            stack.pop()
            continue
        stack.append(fresh[int(rng.integers(len(fresh)))])
        opened.add(stack[-1])
    mask = np.zeros(len(beside), bool)
    mask[list(opened)] = True
    return mask


def _neighbours(cell: int, size: int) -> list[int]:
    places = np.array(divmod(cell, size)) + MOVES[1:]
    return [int(r * size + c) for r, c in places if 0 <= r < size and 0 <= c < size]
