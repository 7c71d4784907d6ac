"""Worlds fitted to records: dreams. One module each, found by its name like any other world.

dream = worlds.make("rssm", observation_space=..., action_space=...).fit(trajectories)
dream.save("dreams/mine")
dream = worlds.learned.load("dreams/mine")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethogram.worlds.learned._base import Dream, LearnedWorld, LearnedWorldConfig, Moment, Sequences

__all__ = ["Dream", "LearnedWorld", "LearnedWorldConfig", "Moment", "Sequences", "load"]


def load(path: str | Path, *, copies: int = 1, **settings: Any) -> LearnedWorld:
    """The world in a folder that `save` wrote, whatever kind it is.

    Args:
        path: the folder.
        copies: how many agents dream it side by side.
        **settings: other settings than those it was saved with; not of its architecture.

    Raises:
        DataError: the folder is damaged, or the settings are of another architecture.
        ConfigError: there is no such setting.
    """
    return LearnedWorld.load(path, copies=copies, **settings)
