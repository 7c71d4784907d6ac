"""Experiments on scenes: arms with paired random numbers, sweeps on many cores, calibration to observed series."""

from ethogram.experiments.arms import Band, Effect, Effects, compare
from ethogram.experiments.cells import CellsFailed
from ethogram.experiments.executors import Processes, Ray
from ethogram.experiments.sweeps import grid, sweep

__all__ = ["Band", "CellsFailed", "Effect", "Effects", "Processes", "Ray", "compare", "grid", "sweep"]
