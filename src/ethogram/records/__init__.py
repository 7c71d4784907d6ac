"""Records: what happened in a run, on disk and back."""

from ethogram.records.manifest import Manifest, Usage
from ethogram.records.run import Run, Trajectory

__all__ = ["Manifest", "Run", "Trajectory", "Usage"]
