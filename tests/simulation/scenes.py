"""The scenes that victims run: a Scene, options of simulate, and how long (seconds) a step is held up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gathering import Gathering
from pond import pond

from ethogram.language import model
from ethogram.policies.prompted.prompted import Prompted
from ethogram.scene import scene


@scene
def gathering(people: int = 4, rounds: int = 30, lm: str = "smollm2", options: Mapping[str, Any] | None = None) -> Any:
    """A gathering of people played by a language model."""
    personas = {f"P{i}": f"You are P{i}, {'generous' if i % 2 else 'thrifty'}." for i in range(people)}
    return Gathering(people, rounds), Prompted(model(lm, **(options or {})), persona=personas)


def coded() -> tuple[Any, dict[str, Any], float]:
    """Frogs with random hops, two episodes, a checkpoint every seven steps."""
    return pond(frogs=4, days=120), {"episodes": 2, "seed": 11, "checkpoint_every": 7}, 0.004


def brief() -> tuple[Any, dict[str, Any], float]:
    """The same, short and unhindered."""
    return pond(frogs=4, days=20), {"seed": 11, "checkpoint_every": 7}, 0.0


def embedded() -> tuple[Any, dict[str, Any], float]:
    """Three people played by the embedded language model, one constrained call each a step."""
    return gathering(people=3, rounds=8), {"seed": 5, "checkpoint_every": 3}, 0.0
