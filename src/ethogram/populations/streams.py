"""Random numbers for those who draw populations and networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.seeds import generator

__all__ = ["as_generator", "kernel_state"]


def as_generator(rng: np.random.Generator | int, stream: str) -> np.random.Generator:
    """A random generator as it is, or that of a named stream under a seed (so that one seed serves many functions)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if not isinstance(rng, int | np.integer):
        raise ConfigError(f"rng must be a numpy random Generator or a whole number, not {rng!r}.")
    return generator(int(rng), "populations", stream)


def kernel_state(rng: np.random.Generator) -> NDArray[np.uint64]:
    """The state from which a compiled loop draws its random numbers (see `growth_kernels.uniform`), shape (1,)."""
    return rng.integers(0, 2**64, 1, dtype=np.uint64)
