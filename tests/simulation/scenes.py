"""The scenes that victims run: a Scene, options of simulate, and how long (seconds) a step is held up."""

from __future__ import annotations

from typing import Any

from pond import pond


def coded() -> tuple[Any, dict[str, Any], float]:
    """Frogs with random hops, two episodes, a checkpoint every seven steps."""
    return pond(frogs=4, days=120), {"episodes": 2, "seed": 11, "checkpoint_every": 7}, 0.004


def brief() -> tuple[Any, dict[str, Any], float]:
    """The same, short and unhindered."""
    return pond(frogs=4, days=20), {"seed": 11, "checkpoint_every": 7}, 0.0
