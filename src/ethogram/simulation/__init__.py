"""Simulation: the one loop, and what its record allows: resume, replay, branch, restore."""

from ethogram.simulation.entry import simulate, simulate_async
from ethogram.simulation.forks import Replay, branch, replay, restore, scene_of
from ethogram.simulation.guides import Divergence
from ethogram.simulation.loop import Intervention
from ethogram.simulation.rollouts import rollouts
from ethogram.simulation.workers import Workers

__all__ = [
    "Divergence",
    "Intervention",
    "Replay",
    "Workers",
    "branch",
    "replay",
    "restore",
    "rollouts",
    "scene_of",
    "simulate",
    "simulate_async",
]
