"""Records: what happened in a run, on disk and back."""

from ethogram.records.manifest import Manifest, Usage
from ethogram.records.run import Run
from ethogram.records.trajectories import Goal, Steps, Trajectories, Trajectory, Windows

__all__ = ["Goal", "Manifest", "Run", "Steps", "Trajectories", "Trajectory", "Usage", "Windows"]
