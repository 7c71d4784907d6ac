"""Simulate the behaviour of people, populations and bodies.

    import ethogram as eg

    run = eg.simulate(world, policies, steps=100, seed=1, to="runs/first")

Everything listed in `__all__` is loaded when it is first used, so that the import itself is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ethogram.language import model
    from ethogram.measures import Estimate
    from ethogram.policy import Fault, Policy, Random, coded
    from ethogram.populations import Population
    from ethogram.records import Run, Trajectories
    from ethogram.scene import Scene
    from ethogram.simulation import Intervention, branch, replay, restore, rollouts, simulate, simulate_async
    from ethogram.spaces import Typed, Verbs
    from ethogram.world import GymWorld, World, intervention

__all__ = [
    "Estimate",
    "Fault",
    "GymWorld",
    "Intervention",
    "Policy",
    "Population",
    "Random",
    "Run",
    "Scene",
    "Trajectories",
    "Typed",
    "Verbs",
    "World",
    "__version__",
    "branch",
    "coded",
    "intervention",
    "model",
    "replay",
    "restore",
    "rollouts",
    "simulate",
    "simulate_async",
]

__version__ = "0.1.0"

_HOMES = {
    "language": ("model",),
    "measures": ("Estimate",),
    "policy": ("Fault", "Policy", "Random", "coded"),
    "populations": ("Population",),
    "records": ("Run", "Trajectories"),
    "scene": ("Scene",),
    "simulation": ("Intervention", "branch", "replay", "restore", "rollouts", "simulate", "simulate_async"),
    "spaces": ("Typed", "Verbs"),
    "world": ("GymWorld", "World", "intervention"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    module = import_module(f"ethogram.{_HOME[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
