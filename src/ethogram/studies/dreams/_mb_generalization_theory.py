"""The theorem of the paper, counted out: how many optimal value functions are left by a model, and by the Bellman equation.

A world of two bits and two actions, deterministic, with the reward 1 while both bits are on. Of a class of models of it and
some transitions that were seen, two sets of value functions can be compared: the optimal ones of the models that agree with
what was seen; and, of the optimal ones of all models in the class, those that satisfy the Bellman equation at what was seen.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from ethogram.seeds import generator

__all__ = ["Left", "counted", "factored", "optimal", "unfactored"]

BITS, ACTIONS, GAMMA = 2, 2, 0.6
STATES = 2**BITS
REWARDS = (np.arange(STATES) == STATES - 1).astype(float)


class Left(NamedTuple):
    """How many distinct optimal value functions are left, for each of n sets of transitions."""

    model: np.ndarray
    """By the models that agree with them, (n,) int."""
    bellman: np.ndarray
    """By the Bellman equation at them, (n,) int."""


def factored() -> np.ndarray:
    """All models in which a next bit depends on that bit and the action alone: the next states, (256, states, actions)."""
    rules = np.array(list(product((0, 1), repeat=2 * ACTIONS))).reshape(-1, 2, ACTIONS)  # next bit by bit and action
    low, high = rules[:, np.arange(STATES) % 2], rules[:, np.arange(STATES) // 2]
    return (2 * high[:, None] + low[None]).reshape(-1, STATES, ACTIONS)


def unfactored() -> np.ndarray:
    """All models: the next states, (65536, states, actions)."""
    return np.stack(np.unravel_index(np.arange(STATES**8), (STATES,) * 8), 1).reshape(-1, STATES, ACTIONS)


def optimal(models: np.ndarray, sweeps: int = 50) -> np.ndarray:
    """The optimal values (M, states, actions) of models, by value iteration; the error is below 1e-9."""
    values = np.zeros((len(models), STATES))
    rows = np.arange(len(models))[:, None, None]
    for _ in range(sweeps):
        values = REWARDS + GAMMA * values[rows, models].max(2)
    return REWARDS[:, None] + GAMMA * values[rows, models]


def counted(models: np.ndarray, seen: int, sets: int, seed: int) -> Left:
    """Count both sets for transitions of a random factored world at `seen` random pairs of state and action.

    Args:
        models: the class.
        seen: how many transitions.
        sets: n, how many worlds with a set of transitions each.
        seed: of these.
    """
    values = np.round(optimal(models), 7)
    distinct, names = np.unique(values.reshape(len(models), -1), axis=0, return_inverse=True)
    distinct, flat = distinct.reshape(-1, STATES, ACTIONS), models.reshape(len(models), -1)
    best, worlds, rng = distinct.max(2), factored().reshape(-1, STATES * ACTIONS), generator(seed, "theory")
    by_model, by_bellman = [], []
    for _ in range(sets):
        world = worlds[rng.integers(len(worlds))]
        pairs = rng.choice(STATES * ACTIONS, seen, replace=False)
        agree = (flat[:, pairs] == world[pairs]).all(1)
        by_model.append(len(np.unique(names[agree])))
        wanted = REWARDS[pairs // ACTIONS] + GAMMA * best[:, world[pairs]]
        kept = np.abs(distinct.reshape(len(distinct), -1)[:, pairs] - wanted) < 1e-5
        by_bellman.append(int(kept.all(1).sum()))
    return Left(np.array(by_model), np.array(by_bellman))
