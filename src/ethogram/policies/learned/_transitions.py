"""What policies that learn from single transitions and rewards have in common: the fit, and what they cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from gymnasium import Space
from torch import Tensor

from ethogram.errors import ConfigError, DataError
from ethogram.nn.training import Training, train
from ethogram.policies.learned.base import Learned, LearnedConfig
from ethogram.records.trajectories import Trajectories

__all__ = ["FromTransitions"]


class FromTransitions(Learned):
    """Learns from (observation, action, reward, next observation). A subclass writes `build`, `error` and `done`.

    A fit goes on from what the policy is; its optimiser begins anew.
    """

    rate: ClassVar[float] = 1e-3
    """The learning rate where the fit is not told one."""
    net: Any

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(observation_space, action_space, config, seed)
        if self.config.history > 1 or self.config.horizon > 1 or self.config.goal:
            kind = type(self).__name__
            raise ConfigError(
                f"{kind} sees one observation, takes one action and has no goal: leave history, horizon and goal"
            )

    def error(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """The number to make small, shape ().

        Args:
            batch: `seen` and `next_seen` (B, D) scaled, `actions` as `done` gives them, `rewards` and `continues` (B,).
            noise: for whatever is random.
        """
        raise NotImplementedError

    def done(self, actions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The actions (N, size) that were taken, in the form in which `error` wants them."""
        raise NotImplementedError

    def fit(
        self,
        data: Trajectories,
        training: Training | Mapping[str, Any] | None = None,
        *,
        weights: np.ndarray[Any, Any] | None = None,
        validation: Trajectories | None = None,
        to: str | Path | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Learn from the transitions of trajectories, drawn with repetition (by `weights`, one a step, where given).

        Raises:
            DataError: data in other spaces, or without a transition.
            ConfigError: held-out data is given, on which there is no loss that would say anything.
        """
        if validation is not None:
            raise ConfigError(f"{type(self).__name__} has no loss to validate by: its target moves; leave validation out")
        training = Training.of(training, lr=self.rate)
        self._windows(data)
        steps = data.steps()
        if not len(steps.rewards):
            raise DataError("there is nothing to learn from: no step of the trajectories has a next observation")
        if not self.fitted:
            self._fit_scalers(data)
        scale = self._scalers["observations"]
        columns = {
            "seen": scale(torch.from_numpy(self.observed.vector(steps.observations))).numpy(),
            "next_seen": scale(torch.from_numpy(self.observed.vector(steps.next_observations))).numpy(),
            "actions": self.done(self.acted.read(steps.actions)),
            "rewards": steps.rewards.astype(np.float32),
            "continues": (~steps.terminated).astype(np.float32),
        }
        n = len(steps.rewards)
        if weights is not None and (np.shape(weights) != (n,) or not (weights.min() >= 0 and 0 < weights.sum() < np.inf)):
            raise DataError(f"weights are one a transition, none negative and not all zero; there are {n} transitions")
        summed = None if weights is None else np.cumsum(weights / weights.sum())

        def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
            if summed is None:
                index = rng.integers(len(steps.rewards), size=training.batch)
            else:
                index = np.searchsorted(summed, rng.random(training.batch), side="right").clip(max=len(summed) - 1)
            return {name: column[index] for name, column in columns.items()}

        self.history = train(self.net, self.error, draw, training, to=None if to is None else Path(to), progress=progress)
        self.fitted = True
        return self
