"""Random numbers for those who draw populations and networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ethogram.errors import ConfigError
from ethogram.seeds import generator

__all__ = ["as_generator", "uniforms"]


def as_generator(rng: np.random.Generator | int, stream: str) -> np.random.Generator:
    """A random generator as it is, or that of a named stream under a seed (so that one seed serves many functions)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if not isinstance(rng, int | np.integer):
        raise ConfigError(f"rng must be a numpy random Generator or a whole number, not {rng!r}.")
    return generator(int(rng), "populations", stream)


def uniforms(rng: np.random.Generator) -> Iterator[float]:
    """Endless uniform numbers in [0, 1) as Python floats, drawn in blocks: what a loop over single draws needs."""
    while True:
        yield from rng.random(8192).tolist()
