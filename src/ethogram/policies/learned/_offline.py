"""What offline reinforcement learning has in common: transitions drawn from trajectories, bounded actions, twin critics."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from gymnasium import Space
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from ethogram.errors import ConfigError, DataError
from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaling
from ethogram.nn.stacked import StackedMLP
from ethogram.nn.training import Training, train
from ethogram.policies.learned.base import Generators, Learned, LearnedConfig, Seen
from ethogram.records.trajectories import Trajectories

__all__ = ["ActorCritic", "Offline", "OfflineConfig"]


class OfflineConfig(LearnedConfig):
    """Settings of all of them."""

    hidden: tuple[int, ...] = Field(default=(256, 256), min_length=1, description="widths of all networks")
    gamma: float = Field(default=0.99, ge=0, lt=1, description="discount of a step")
    polyak: float = Field(default=0.005, gt=0, le=1, description="how far the target networks move at an update")
    action_scaling: Scaling = "none"


class ActorCritic(nn.Module):
    """An actor and two critics of observations and actions, each with a copy that follows it slowly.

    Args:
        seen: columns of an observation.
        acted: columns of an action.
        hidden: widths.
    """

    updates: Tensor

    def __init__(self, seen: int, acted: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.actor = MLP(seen, acted, hidden)
        seeds = torch.randint(2**62, (2,)).tolist()
        self.critics = StackedMLP([seen + acted, *hidden, 1], seeds, "critic", "relu")
        self.slow_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.slow_critics = copy.deepcopy(self.critics).requires_grad_(False)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def values(self, seen: Tensor, actions: Tensor, *, slow: bool = False, fixed: bool = False) -> Tensor:
        """What each critic says, (2, B); `fixed`: without a gradient to the critics' own weights."""
        x = torch.cat([seen, actions], -1).expand(2, -1, -1)
        if fixed:
            weights = {name: p.detach() for name, p in self.critics.named_parameters()}
            return functional_call(self.critics, weights, (x,))[..., 0]
        return (self.slow_critics if slow else self.critics)(x)[..., 0]

    @torch.no_grad()
    def follow(self, share: float) -> None:
        """Move the slow copies a share of the way."""
        for slow, fast in ((self.slow_actor, self.actor), (self.slow_critics, self.critics)):
            ours, theirs = ([p.detach() for p in network.parameters()] for network in (slow, fast))
            torch._foreach_lerp_(ours, theirs, share)  # pyright: ignore[reportPrivateImportUsage]


class Offline(Learned):
    """Learns to act from recorded transitions and rewards, never acting. A subclass writes `build` and `error`.

    Actions are those of a bounded Box, in [-1, 1] inside. A fit goes on from what the policy is; its optimiser begins anew.
    """

    Config = OfflineConfig
    net: Any
    """An `ActorCritic`."""

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(observation_space, action_space, config, seed)
        finite = self.acted.bounded and np.isfinite([self.acted.low, self.acted.high]).all()
        if not finite or self.observed.images:
            kind = type(self).__name__
            raise ConfigError(f"{kind} sees vectors and acts in a bounded Box, not {observation_space} and {action_space}")
        if self.config.history > 1 or self.config.horizon > 1 or self.config.goal:
            kind = type(self).__name__
            raise ConfigError(f"{kind} sees one observation, takes one action and has no goal: leave these settings")
        self._middle = torch.from_numpy((self.acted.high + self.acted.low) / 2)
        self._half = torch.from_numpy((self.acted.high - self.acted.low) / 2)

    def build(self) -> ActorCritic:
        """Actor and critics."""
        return ActorCritic(self.observed.size, self.acted.size, self.config.hidden)

    def error(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """The number to make small, shape ().

        Args:
            batch: `seen` and `next_seen` (B, D) scaled, `actions` (B, A) in [-1, 1], `rewards` and `continues` (B,).
            noise: for whatever is random.
        """
        raise NotImplementedError

    def fit(
        self,
        data: Trajectories,
        training: Training | None = None,
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
            raise ConfigError("an offline critic has no loss to validate by: its target moves; leave validation out")
        training = training or Training(lr=3e-4)
        self._windows(data)
        steps = data.steps()
        if not len(steps.rewards):
            raise DataError("there is nothing to learn from: no step of the trajectories has a next observation")
        if not self.fitted:
            self._fit_scalers(data)
        scale = self._scalers["observations"]
        actions = torch.from_numpy(self.acted.read(steps.actions))
        columns = {
            "seen": scale(torch.from_numpy(self.observed.vector(steps.observations))).numpy(),
            "next_seen": scale(torch.from_numpy(self.observed.vector(steps.next_observations))).numpy(),
            "actions": ((actions - self._middle) / self._half).numpy(),
            "rewards": steps.rewards.astype(np.float32),
            "continues": (~steps.terminated).astype(np.float32),
        }
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

    def decide(self, observations: Tensor) -> Tensor:
        """The policy's actions (B, A) in [-1, 1] for observations (B, D) as they are."""
        return self.net.actor(self._scalers["observations"](observations)).tanh()

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The actor's action."""
        assert isinstance(observations, Tensor)
        return torch.addcmul(self._middle, self.net.actor(observations[:, -1]).tanh(), self._half)[:, None]
