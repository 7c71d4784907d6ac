"""Simulation: the one loop, and what its record allows: resume, replay, branch, restore."""

from ethogram.simulation.entry import simulate, simulate_async
from ethogram.simulation.forks import Replay, branch, replay, restore, scene_of
from ethogram.simulation.guides import Divergence
from ethogram.simulation.loop import Intervention

__all__ = ["Divergence", "Intervention", "Replay", "branch", "replay", "restore", "scene_of", "simulate", "simulate_async"]
