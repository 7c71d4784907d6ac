"""PanFlute: pipes that must sound together (Young et al. 2023, *The Benefits of Model-Based Generalization in RL*)."""

from __future__ import annotations

import numpy as np

from ethogram.errors import ConfigError
from ethogram.worlds.coded._bits import BitWorld, Moved

__all__ = ["PanFlute"]


class PanFlute(BitWorld):
    """`pipes` shift registers of lengths 1 to n; action i blows into pipe i, and every breath moves on by one cell a step.

    The bits are the cells of pipe 0, then of pipe 1, ... each from its mouth to its end: n (n + 1) / 2. Whoever acts while
    all n ends sound has the reward 1; so notes must be blown longest pipe first, one a step. With probability 1 / n² (where
    `spontaneous`) all ends sound by themselves after a step. The dynamics of each pipe is independent of the others, and the
    task has 2^(n (n + 1) / 2) states. It never ends; an episode is cut off after `steps`.
    """

    metadata = {"name": "pan_flute", "render_modes": []}

    def __init__(self, pipes: int = 5, spontaneous: bool = True, steps: int = 100) -> None:
        if pipes < 1:
            raise ConfigError(f"a pan flute has at least one pipe, not {pipes}")
        self.pipes = pipes
        self.chance = 1 / pipes**2 if spontaneous else 0.0
        self.ends = np.cumsum(np.arange(1, pipes + 1)) - 1
        self.mouths = self.ends - np.arange(pipes)
        super().__init__(pipes * (pipes + 1) // 2, pipes, steps)

    def starts(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Silence: no cell sounds."""
        return np.zeros((n, self.ends[-1] + 1), bool)

    def transition(self, bits: np.ndarray, actions: np.ndarray, luck: np.ndarray) -> Moved:
        """Reward for what sounds now, then all breaths move on and the new note enters."""
        rewards = bits[:, self.ends].all(1).astype(float)
        moved = np.empty_like(bits)
        moved[:, 1:] = bits[:, :-1]
        moved[:, self.mouths] = actions[:, None] == np.arange(self.pipes)
        moved[:, self.ends] |= luck[:, :1] < self.chance
        return Moved(moved, rewards, np.zeros(len(bits), bool))
