"""A probabilistic ensemble: networks that each tell mean and variance of what comes next, from one step to the next.

Chua, Calandra, McAllister and Levine, "Deep Reinforcement Learning in a Handful of Trials using Probabilistic Dynamics
Models" (NeurIPS 2018), section 4: members differ in their initial weights and in the batches they see; in a dream each step
is told by a member drawn anew (TS1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import Space
from gymnasium.spaces import Box
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn.scaling import Scaler
from ethogram.nn.stacked import StackedMLP
from ethogram.nn.training import Training, train
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive
from ethogram.worlds.learned._base import Dream, LearnedWorld, LearnedWorldConfig, Moment

__all__ = ["Ensemble", "EnsembleConfig"]

LEAST, MOST = -10.0, 1.0
"""Bounds of a log variance in scaled units, approached softly."""


class EnsembleConfig(LearnedWorldConfig):
    """Settings of `Ensemble`."""

    members: int = Field(default=5, ge=1, description="networks")
    hidden: tuple[PositiveInt, ...] = Field(default=(200, 200, 200), min_length=1, description="widths of each")
    noisy: bool = Field(default=True, description="draw what comes next; else take the member's mean")


class Ensemble(LearnedWorld):
    """Tells the change of an observation, the reward, and whether the episode ends, of observations that are vectors."""

    Config = EnsembleConfig

    def build(self) -> nn.Module:
        """Members, scales, and the beginnings of dreams."""
        if self.observed.images:
            raise ConfigError(f"an ensemble tells vectors, not the images of {self.lived_space}")
        seen, acted, config = self.observed.size, self.acted.size, self.config
        seeds = torch.randint(2**62, (config.members,)).tolist()
        told = 2 * (seen + 1) + 1  # means and log variances of the changes and the reward; and the end
        scales = {"seen": Scaler(seen), "change": Scaler(seen + 1)}
        members = StackedMLP([seen + acted, *config.hidden, told], seeds, "ensemble", "silu")
        module = nn.ModuleDict({**scales, "members": members})
        module.register_buffer("starts", torch.zeros(config.starts, seen))
        module.register_buffer("low", torch.full((seen,), -torch.inf))
        module.register_buffer("high", torch.full((seen,), torch.inf))
        return module

    def shown(self) -> Space[Any]:
        """Vectors."""
        return Box(-np.inf, np.inf, (self.observed.size,), np.float32)

    # --- fitting ---

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fit each member by maximum likelihood to batches of its own; see `LearnedWorld.fit`."""
        self.check(data)
        training, config = Training.of(training, steps=5000, batch=128, weight_decay=1e-4), self.config
        steps = data.steps()
        if not len(steps.rewards):
            raise DataError("there is nothing to fit a world to: no step of the trajectories has a next observation")
        before, after = (self.observed.vector(column) for column in (steps.observations, steps.next_observations))
        columns = {
            "seen": before,
            "actions": self.acted.vector(steps.actions),
            "change": np.concatenate([after - before, steps.rewards[:, None].astype(np.float32)], 1),
            "ended": steps.terminated.astype(np.float32),
        }
        for name in ("seen", "change"):
            self.module[name].load_state_dict(Scaler.fit(columns[name]).state_dict())
        rng = np.random.default_rng(derive(training.seed, "beginnings"))
        starts = before[np.resize(rng.permutation(np.flatnonzero(steps.step == 0)), config.starts)]
        widest = 2 * before.std(0) + 1e-3  # a dream may leave what was seen, but not for infinity
        for name, value in (("starts", starts), ("low", before.min(0) - widest), ("high", before.max(0) + widest)):
            getattr(self.module, name).copy_(torch.from_numpy(value))

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            index = rng.integers(len(before), size=(config.members, training.batch))
            return {name: column[index] for name, column in columns.items()}

        train(self.module, self._loss, draw, training, to=None if to is None else Path(to), progress=progress)
        self.module.eval()
        return self

    def _tell(self, seen: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means and log variances (members, n, seen + 1) in scaled units, and the logit of the end (members, n)."""
        mean, spread, end = self.module.members(torch.cat([self.module.seen(seen), actions], -1)).split(
            [self.observed.size + 1, self.observed.size + 1, 1], -1
        )
        spread = MOST - F.softplus(MOST - spread)
        return mean, LEAST + F.softplus(spread - LEAST), end[..., 0]

    def _loss(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """Negative log-likelihood of change and reward, and cross-entropy of the end, summed over members."""
        mean, spread, end = self._tell(batch["seen"], batch["actions"])
        surprise = 0.5 * ((self.module.change(batch["change"]) - mean).square() * (-spread).exp() + spread).mean(-1)
        wrong = F.binary_cross_entropy_with_logits(end, batch["ended"], reduction="none")
        return (surprise + wrong).mean(-1).sum()

    # --- dreaming ---

    def begin(self, n: int, rng: np.random.Generator) -> Dream:
        """Beginnings of episodes."""
        return {"seen": self.module.starts[torch.from_numpy(rng.integers(self.config.starts, size=n))].clone()}

    def advance(self, dream: Dream, actions: Tensor, rng: np.random.Generator) -> Moment:
        """One step, each dream's told by a member drawn for it."""
        seen, members, module = dream["seen"], self.config.members, self.module
        n = len(seen)
        mean, spread, end = self._tell(seen.expand(members, -1, -1), actions.expand(members, -1, -1))
        member, rows = torch.from_numpy(rng.integers(members, size=n)), torch.arange(n)
        change = mean[member, rows]
        luck = torch.from_numpy(rng.standard_normal(change.shape, np.float32))
        if self.config.noisy:
            change = change + luck * (spread[member, rows] / 2).exp()
        change = module.change.inverse(change)
        ended = torch.from_numpy(rng.random(n, np.float32)) < end[member, rows].sigmoid()
        following = (seen + change[:, :-1]).clamp(module.low, module.high)
        return Moment({"seen": following}, change[:, -1], ended)

    def show(self, dream: Dream) -> np.ndarray[Any, Any]:
        """The vector."""
        return dream["seen"].numpy()
