"""What offline reinforcement learning has in common: bounded actions and twin critics."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import Space
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.func import functional_call

from ethogram.errors import ConfigError
from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaling
from ethogram.nn.stacked import StackedMLP
from ethogram.policies.learned._transitions import FromTransitions
from ethogram.policies.learned.base import Generators, LearnedConfig, Seen

__all__ = ["ActorCritic", "Offline", "OfflineConfig"]


class OfflineConfig(LearnedConfig):
    """Settings of all of them."""

    hidden: tuple[PositiveInt, ...] = Field(default=(256, 256), min_length=1, description="widths of all networks")
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


class Offline(FromTransitions):
    """Learns to act from recorded transitions, never acting. A subclass writes `error`.

    Actions are those of a bounded Box, in [-1, 1] inside.
    """

    Config = OfflineConfig
    rate = 3e-4
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
        if (self.acted.low == self.acted.high).any():
            raise ConfigError(
                f"{type(self).__name__} needs room between the bounds of each action, and {action_space} has none"
            )
        self._middle = torch.from_numpy((self.acted.high + self.acted.low) / 2)
        self._half = torch.from_numpy((self.acted.high - self.acted.low) / 2)

    def build(self) -> ActorCritic:
        """Actor and critics."""
        return ActorCritic(self.observed.size, self.acted.size, self.config.hidden)

    def done(self, actions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The actions (N, A) in [-1, 1]."""
        return ((torch.from_numpy(actions) - self._middle) / self._half).numpy()

    def decide(self, observations: Tensor) -> Tensor:
        """The policy's actions (B, A) in [-1, 1] for observations (B, D) as they are."""
        return self.net.actor(self._scalers["observations"](observations)).tanh()

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The actor's action."""
        assert isinstance(observations, Tensor)
        return torch.addcmul(self._middle, self.net.actor(observations[:, -1]).tanh(), self._half)[:, None]
