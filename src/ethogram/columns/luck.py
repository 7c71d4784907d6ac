"""Counter-based random numbers: each is a function of (seed, name, step, draw, row), and of nothing else.

So a row draws the same number whichever thread serves it and in whatever order, and two arms of an experiment that share a
seed share their luck, row by row. The function is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators", figure 17), applied to counters. This is its numpy form; `ethogram.columns.kernels` has the
compiled twin, which gives the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.seeds import derive

__all__ = ["Luck", "below", "key_of", "permutation", "stream", "uniform"]

GOLDEN = 0x9E3779B97F4A7C15
"""The odd number by which counters advance: 2⁶⁴ over the golden ratio."""
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
MASK = 2**64 - 1
ROUNDS = 6
"""Rounds of the Feistel network that permutes rows."""


def mixed(z: int) -> int:
    """The finaliser of SplitMix64, of one number."""
    z = (z ^ z >> 30) * FIRST & MASK
    z = (z ^ z >> 27) * SECOND & MASK
    return z ^ z >> 31


def bits(key: int, rows: ArrayLike) -> NDArray[np.uint64]:
    """64 random bits for each of `rows`, which are whole numbers from 0."""
    z = np.uint64(key) + np.asarray(rows).astype(np.uint64).reshape(-1) * np.uint64(GOLDEN)
    z = (z ^ z >> np.uint64(30)) * np.uint64(FIRST)
    z = (z ^ z >> np.uint64(27)) * np.uint64(SECOND)
    return z ^ z >> np.uint64(31)


def key_of(base: int, step: int) -> int:
    """The key of a step, from the base of what draws."""
    return mixed((base + (step + 1) * GOLDEN) & MASK)


def stream(key: int, draw: int) -> int:
    """The key of a row's first, second, third ... number (`draw` 0, 1, 2 ...) under one key."""
    return mixed((key + (draw + 1) * GOLDEN) & MASK)


def uniform(key: int, rows: ArrayLike, draw: int = 0) -> NDArray[np.float64]:
    """A number in [0, 1) for each of `rows`, shape (rows,): what a rule calls u (draw 0), u2 (draw 1) and u3 (draw 2)."""
    return (bits(stream(key, draw), rows) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(key: int, rows: ArrayLike, n: int, draw: int = 0) -> NDArray[np.int64]:
    """A whole number in [0, n) for each of `rows`, shape (rows,)."""
    return (uniform(key, rows, draw) * n).astype(np.int64)


def permutation(key: int, n: int) -> NDArray[np.int64]:
    """A random order of the numbers below `n`, each place of it computed on its own (a Feistel network, cycle-walked)."""
    total = max(8, (n - 1).bit_length())
    low = total // 2
    place = np.arange(n, dtype=np.uint64)
    todo = np.arange(n)
    while len(todo):
        left, right = place[todo] >> np.uint64(low), place[todo] & np.uint64(2**low - 1)
        for turn in range(ROUNDS):
            if turn % 2:
                right ^= bits(stream(key, turn), left) & np.uint64(2**low - 1)
            else:
                left ^= bits(stream(key, turn), right) & np.uint64(2 ** (total - low) - 1)
        place[todo] = left << np.uint64(low) | right
        todo = todo[place[todo] >= n]
    return place.astype(np.int64)


class Luck:
    """The keys of one episode, by what draws (a substep, a neighbourhood, a decision) and by step."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._bases: dict[str, int] = {}

    def key(self, name: str, step: int) -> Any:
        """The key of `name` at a step, as kernels take it."""
        if name not in self._bases:
            self._bases[name] = derive(self.seed, "columns", name)
        return np.uint64(key_of(self._bases[name], step))
