"""A random Markov decision process seen as one-hot states: nothing that is learned of one state says anything of another."""

from __future__ import annotations

import numpy as np

from ethogram.errors import ConfigError
from ethogram.seeds import generator
from ethogram.worlds.coded._bits import BitWorld, Moved

__all__ = ["RandomMDP"]


class RandomMDP(BitWorld):
    """`states` states, one bit each; every action in every state leads to one other, drawn once for all from `layout`.

    Whoever acts in state 0 has the reward 1 and comes to a random state; with probability 1 / states (where `spontaneous`)
    any step leads to state 0. It never ends; an episode is cut off after `steps`. It is the control of a comparison that
    claims something of factored worlds.
    """

    metadata = {"name": "random_mdp", "render_modes": []}
    draws = 2

    def __init__(
        self, states: int = 64, actions: int = 5, layout: int = 0, spontaneous: bool = True, steps: int = 100
    ) -> None:
        if states < 2 or actions < 1:
            raise ConfigError(f"a random MDP has at least 2 states and 1 action, not {states} and {actions}")
        self.states = states
        self.chance = 1 / states if spontaneous else 0.0
        self.successors = generator(layout, "random_mdp").integers(1, states, (states, actions))
        self.successors[generator(layout, "random_mdp", "goal").integers(1, states), 0] = 0
        super().__init__(states, actions, steps)

    def starts(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Random states."""
        return self._rows(rng.random(n))

    def transition(self, bits: np.ndarray, actions: np.ndarray, luck: np.ndarray) -> Moved:
        """Follow the table; from state 0 anywhere."""
        at = bits.argmax(1)
        to = self.successors[at, actions]
        to = np.where(at == 0, (luck[:, 1] * self.states).astype(int), to)
        to = np.where(luck[:, 0] < self.chance, 0, to)
        return Moved(np.eye(self.states, dtype=bool)[to], (at == 0).astype(float), np.zeros(len(bits), bool))

    def _rows(self, luck: np.ndarray) -> np.ndarray:
        return np.eye(self.states, dtype=bool)[(luck * self.states).astype(int)]
