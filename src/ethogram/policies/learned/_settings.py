"""What all learned policies can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ethogram.nn.scaling import Scaling
from ethogram.nn.settings import Settings

__all__ = ["LearnedConfig", "Relabel"]


class Relabel(Settings):
    """Which later state of the episode takes the place of the goal in training (see `Goal`); `desired`: the goal it had."""

    kind: Literal["future", "geometric", "last", "desired"] = "future"
    p: float = Field(default=0.1, gt=0, le=1)
    steps: tuple[int, int] | None = None


class LearnedConfig(Settings):
    """What all learned policies can be told; a subclass adds its architecture."""

    history: int = Field(default=1, ge=1, description="observations that it sees, the last one included")
    horizon: int = Field(default=1, ge=1, description="actions that it predicts at once")
    execute: int = Field(default=1, ge=1, description="of these, how many are executed before it predicts again")
    ensemble: float | None = Field(default=None, ge=0, description="m of temporal ensembling: overlapping chunks averaged")
    goal: bool = Field(default=False, description="conditioned on the goal of a GoalEnv's observation")
    relabel: Relabel = Field(default=Relabel(), description="what the goal is in training")
    observation_scaling: Scaling = "standard"
    action_scaling: Scaling = "range"
