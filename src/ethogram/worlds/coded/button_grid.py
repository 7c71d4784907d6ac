"""ButtonGrid: switch all buttons on (Young et al. 2023, *The Benefits of Model-Based Generalization in RL*)."""

from __future__ import annotations

import numpy as np

from ethogram.errors import ConfigError
from ethogram.worlds.coded._bits import MOVES, BitWorld, Moved

__all__ = ["ButtonGrid"]

PLAYER, ON, OFF = range(3)


class ButtonGrid(BitWorld):
    """An open grid of `size` x `size` cells with `buttons` in it, each toggled by stepping onto it.

    Bits: for each cell, row by row, whether the player is there, a button that is on, a button that is off. Actions: stay,
    up, left, down, right. The step taken while all buttons are on has the reward 1 and leads to a new random layout with all
    of them off. With probability 1 / (10 size²) (where `spontaneous`) a step switches all on. It never ends; an episode is
    cut off after `steps`.
    """

    metadata = {"name": "button_grid", "render_modes": []}

    def __init__(self, size: int = 10, buttons: int = 3, spontaneous: bool = True, steps: int = 100) -> None:
        if not 1 <= buttons <= size**2:
            raise ConfigError(f"a grid of {size} x {size} cells holds 1 to {size**2} buttons, not {buttons}")
        self.size, self.buttons = size, buttons
        self.chance = 1 / (10 * size**2) if spontaneous else 0.0
        self.draws = 2 + buttons
        super().__init__(3 * size**2, 5, steps)

    def starts(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Random layouts, all buttons off."""
        return self._layouts(rng.random((n, 1 + self.buttons)))

    def transition(self, bits: np.ndarray, actions: np.ndarray, luck: np.ndarray) -> Moved:
        """Reward where all buttons are on, and a new layout; else move, toggle, and maybe all go on by themselves."""
        copies = np.arange(len(bits))
        grids = bits.reshape(len(bits), -1, 3).copy()
        solved = ~grids[:, :, OFF].any(1)
        player, moves = grids[:, :, PLAYER].argmax(1), MOVES[actions]
        row = np.clip(player // self.size + moves[:, 0], 0, self.size - 1)
        column = np.clip(player % self.size + moves[:, 1], 0, self.size - 1)
        reached = row * self.size + column
        grids[copies, player, PLAYER] = False
        grids[copies, reached, PLAYER] = True
        button = grids[copies, reached, ON] | grids[copies, reached, OFF]
        toggled = button & (reached != player)
        grids[copies, reached, ON] ^= toggled
        grids[copies, reached, OFF] ^= toggled
        lucky = luck[:, 0] < self.chance
        grids[lucky, :, ON] |= grids[lucky, :, OFF]
        grids[lucky, :, OFF] = False
        moved = grids.reshape(bits.shape)
        moved[solved] = self._layouts(luck[solved, 1:])
        return Moved(moved, solved.astype(float), np.zeros(len(bits), bool))

    def _layouts(self, luck: np.ndarray) -> np.ndarray:
        """Layouts from uniform numbers (B, 1 + buttons): the player's cell, and distinct cells of the buttons."""
        n, copies = self.size**2, np.arange(len(luck))
        grids = np.zeros((len(luck), n, 3), bool)
        grids[copies, (luck[:, 0] * n).astype(int), PLAYER] = True
        taken = np.zeros((len(luck), 0), int)
        for j in range(self.buttons):
            cell = (luck[:, 1 + j] * (n - j)).astype(int)  # the number of a free cell: count past those taken below it
            for other in np.sort(taken, 1).T:
                cell += cell >= other
            grids[copies, cell, OFF] = True
            taken = np.column_stack([taken, cell])
        return grids.reshape(len(luck), 3 * n)
