"""Seeds derived from seeds: every random stream is named, so that none disturbs another.

`derive(seed, *names)` hashes the names into a new seed. Two arms of an experiment that share `seed` then share the luck of
every stream whose names they share (common random numbers), whatever else happens in either.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["derive", "fresh_seed", "generator", "generator_from", "generator_state"]


def derive(seed: int, *names: str | int) -> int:
    """A seed in [0, 2**63) that depends on `seed` and on each of `names`, in order."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A random generator on the stream that `names` name under `seed` (counter-based Philox, so cheap and independent)."""
    return np.random.Generator(np.random.Philox(key=derive(seed, *names)))


def fresh_seed() -> int:
    """A seed from the operating system, for a reset that names none."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The complete state of a generator, as JSON-able values and arrays."""
    return dict(rng.bit_generator.state)


def generator_from(state: dict[str, Any]) -> np.random.Generator:
    """The generator whose state `generator_state` gave."""
    kind = getattr(np.random, str(state["bit_generator"]))
    bits = kind()
    bits.state = state
    return np.random.Generator(bits)
