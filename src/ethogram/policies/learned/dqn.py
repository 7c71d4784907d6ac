"""Deep Q-learning (Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015), off any batches.

`QLearner` learns in many copies (seeds) at once, from batches that may come from anywhere: what was seen, a learned model,
the true dynamics. `DQN` is one copy as a policy; it can be taken from a learner, or fitted to trajectories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from gymnasium import Space
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.errors import ConfigError
from ethogram.nn.networks import Activation
from ethogram.nn.scaling import Scaling
from ethogram.nn.stacked import StackedAdam, StackedMLP
from ethogram.policies.learned._transitions import FromTransitions
from ethogram.policies.learned.base import Generators, LearnedConfig, Seen

__all__ = ["DQN", "DQNConfig", "QLearner", "Transitions", "boltzmann"]


class Transitions(NamedTuple):
    """A batch of B transitions for each of S copies."""

    observations: Tensor
    """(S, B, D) float."""
    actions: Tensor
    """(S, B) int64."""
    rewards: Tensor
    """(S, B)."""
    next_observations: Tensor
    """(S, B, D) float."""
    continues: Tensor
    """(S, B): the probability that the episode goes on after the transition; 0 or 1 for what has been seen."""
    weights: Tensor
    """(S, B): how much each counts; in a rollout, the probability that the episode has got that far."""


class DQNConfig(LearnedConfig):
    """Settings; the defaults are those of Young et al. (2023)."""

    hidden: tuple[PositiveInt, ...] = Field(default=(200, 200, 200), description="widths of the hidden layers")
    activation: Activation = Field(default="elu", description="between layers")
    gamma: float = Field(default=0.9, ge=0, lt=1, description="discount of a step")
    sync_every: int = Field(default=100, ge=1, description="updates between two copies to the target network")
    temperature: float = Field(default=0.0, ge=0, description="of the softmax over Q-values it acts by; 0: the best action")
    observation_scaling: Scaling = "none"


class QLearner:
    """A Q-network with a target network, in S independent copies.

    Args:
        inputs: D, the width of an observation.
        actions: how many there are.
        seeds: one for each copy.
        config: how to learn.
        lr: step size of AdamW, one for all or one for each copy.
    """

    def __init__(
        self, inputs: int, actions: int, seeds: Sequence[int], config: DQNConfig, lr: float | Sequence[float] = 1e-4
    ) -> None:
        sizes = [inputs, *config.hidden, actions]
        self.config, self.updates = config, 0
        self.network = StackedMLP(sizes, seeds, "q", config.activation)
        self.target = StackedMLP(sizes, seeds, "q", config.activation).requires_grad_(False)
        self.optimiser = StackedAdam(self.network, lr)

    @torch.no_grad()
    def values(self, observations: Tensor) -> Tensor:
        """Q-values (S, B, actions) of observations (S, B, D)."""
        return self.network(observations)

    def update(self, batch: Transitions) -> Tensor:
        """One step of each copy on its own batch; returns the losses, (S,)."""
        if self.updates % self.config.sync_every == 0:
            self.target.load_state_dict(self.network.state_dict())
        self.updates += 1
        losses = errors(self.network, self.target, batch, self.config.gamma)
        self.optimiser.step(losses)
        return losses.detach()


def errors(network: StackedMLP, target: StackedMLP, batch: Transitions, gamma: float) -> Tensor:
    """The weighted mean squared error of each copy (S,) to reward + gamma * continues * the target's highest next value."""
    with torch.no_grad():
        wanted = batch.rewards + gamma * batch.continues * target(batch.next_observations).amax(-1)
    chosen = network(batch.observations).gather(-1, batch.actions[..., None])[..., 0]
    return (batch.weights * (chosen - wanted).square()).mean(1)


def boltzmann(values: Tensor, temperature: float | Tensor, luck: Tensor) -> Tensor:
    """Actions drawn with probabilities softmax(values / temperature), by adding Gumbel noise and taking the largest.

    Args:
        values: (..., actions).
        temperature: above 0; may be a tensor that broadcasts with the values.
        luck: uniform in [0, 1), the shape of the values.
    """
    tiny = float(np.finfo(np.float32).tiny)
    return (values / temperature - (-luck.clamp_min(tiny).log()).clamp_min(tiny).log()).argmax(-1)


class _Network(nn.Module):
    """The Q-network and its target, one copy of each."""

    updates: Tensor

    def __init__(self, sizes: Sequence[int], seed: int, name: Activation) -> None:
        super().__init__()
        self.q = StackedMLP(sizes, [seed], "q", name)
        self.target = StackedMLP(sizes, [seed], "q", name).requires_grad_(False)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))


class DQN(FromTransitions):
    """Takes the action of the highest Q-value, or draws from their softmax; for discrete actions and vectors."""

    Config = DQNConfig
    net: _Network

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        config: LearnedConfig | Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(observation_space, action_space, config, seed)
        if len(self.acted.classes) != 1 or self.observed.images:
            raise ConfigError(f"DQN sees vectors and acts in a Discrete space, not {observation_space} and {action_space}")

    @classmethod
    def of(cls, learner: QLearner, copy: int, observation_space: Space[Any], action_space: Space[Any]) -> Self:
        """One copy of a learner as a policy, with the learner's settings."""
        policy = cls(observation_space, action_space, learner.config)
        with torch.no_grad():
            for ours, theirs in ((policy.net.q, learner.network), (policy.net.target, learner.target)):
                for parameter, stacked in zip(ours.parameters(), theirs.parameters(), strict=True):
                    parameter.copy_(stacked[copy : copy + 1])
        policy.net.updates.fill_(learner.updates)
        policy.fitted = True
        return policy

    def build(self) -> _Network:
        """A perceptron from observations to the values of the actions, twice."""
        seed = int(torch.randint(2**62, ()))
        return _Network([self.observed.size, *self.config.hidden, sum(self.acted.classes)], seed, self.config.activation)

    def done(self, actions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The actions (N,), whole numbers from 0."""
        return actions[:, 0]

    def error(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """The error of the Q-values; the target network is brought up to date where it is due."""
        net = self.net
        if net.updates % self.config.sync_every == 0:
            net.target.load_state_dict(net.q.state_dict())
        net.updates += 1
        stacked = Transitions(
            observations=batch["seen"][None],
            actions=batch["actions"][None],
            rewards=batch["rewards"][None],
            next_observations=batch["next_seen"][None],
            continues=batch["continues"][None],
            weights=torch.ones(1, 1),
        )
        return errors(net.q, net.target, stacked, self.config.gamma)[0]

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The best action, or one drawn from the softmax over the values."""
        assert isinstance(observations, Tensor)
        values = self.net.q(observations[:, -1][None])[0]
        if not self.config.temperature:
            return values.argmax(-1)[:, None, None]
        return boltzmann(values, self.config.temperature, generators.uniform(values.shape[-1]))[:, None, None]
