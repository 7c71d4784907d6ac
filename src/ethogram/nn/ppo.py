"""Proximal policy optimisation with a policy that recognises its surroundings from what has happened.

Schulman et al. 2017 (arXiv:1707.06347), equation 7, with generalised advantage estimation (Schulman et al. 2016,
arXiv:1506.02438). The policy is Gaussian. A recurrent extractor reads what was seen and done, and hands a vector to policy
and value; it is trained through their losses alone (context-aware policies: Sim2Rec, Chen et al., ICDE 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import DataError
from ethogram.nn.networks import MLP, Recurrent
from ethogram.nn.scaling import Scaler
from ethogram.nn.settings import Settings

__all__ = ["PPO", "ActorCritic", "Batch", "PPOSettings", "Seen", "advantages", "clipped_loss", "log_density"]


def advantages(rewards: Tensor, values: Tensor, gamma: float, lam: float) -> Tensor:
    """Generalised advantages Σ_k (γ λ)^k δ_{t+k}, with δ_t = r_t + γ V_{t+1} - V_t: (N, T) and (N, T + 1) → (N, T).

    The last value stands for all that would have followed: sequences are cut off, and do not end.
    """
    errors = rewards + gamma * values[:, 1:] - values[:, :-1]
    found, carried = torch.empty_like(errors), torch.zeros_like(errors[:, 0])
    for t in range(errors.shape[1] - 1, -1, -1):
        carried = errors[:, t] + gamma * lam * carried
        found[:, t] = carried
    return found


def clipped_loss(log_ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """The negative clipped surrogate objective, -mean min(r A, clamp(r, 1 - clip, 1 + clip) A), shape ()."""
    ratio = log_ratio.exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()


def log_density(x: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """Of Gaussians with diagonal covariance, in nats: (..., D) → (...)."""
    z = (x - mean) * (-log_deviation).exp()
    return (-0.5 * z.square() - log_deviation - 0.5 * math.log(2 * math.pi)).sum(-1)


class Seen(NamedTuple):
    """What actor and critic see of N sequences of T steps."""

    observations: Tensor
    """(N, T, columns)."""
    previous: Tensor
    """The action before each, (N, T, acted); 0 at the beginning."""
    context: Tensor
    """What is known of a sequence's surroundings throughout, (N, columns)."""


class ActorCritic(nn.Module):
    """A policy and a value with one extractor before both.

    Args:
        observed: columns of an observation.
        acted: columns of an action.
        context: columns of the context; 0: none.
        recurrent: width of the extractor, a long short-term memory over (observation, previous action, context); 0: none.
        extracted: columns of what it hands on.
        hidden: widths of policy and value, which see (observation, context, what was extracted).
        deviation: of the actions at the beginning.
        scaler: of the observations; None: they are taken as they are.
    """

    def __init__(
        self,
        observed: int,
        acted: int = 1,
        context: int = 0,
        recurrent: int = 0,
        extracted: int = 16,
        hidden: Sequence[int] = (64, 64),
        deviation: float = 0.5,
        scaler: Scaler | None = None,
    ) -> None:
        super().__init__()
        self.scaler = Scaler(observed) if scaler is None else scaler
        self.extractor = Recurrent(observed + acted + context, recurrent) if recurrent else None
        self.handed = nn.Sequential(nn.Linear(recurrent, extracted), nn.Tanh()) if recurrent else None
        inputs = observed + context + (extracted if recurrent else 0)
        self.policy, self.value = MLP(inputs, acted, hidden, "tanh"), MLP(inputs, 1, hidden, "tanh")
        self.log_deviation = nn.Parameter(torch.full((acted,), math.log(deviation)))
        with torch.no_grad():
            self.policy[-1].weight.mul_(0.01)  # pyright: ignore[reportOperatorIssue,reportCallIssue,reportArgumentType]

    def features(self, seen: Seen, state: Any = None) -> tuple[Tensor, Any]:
        """What policy and value see, (N, T, columns), and the extractor's state after the last step."""
        observations = self.scaler(seen.observations)
        context = seen.context.unsqueeze(1).expand(-1, observations.shape[1], -1)
        parts = [observations, context]
        if self.extractor is not None and self.handed is not None:
            read, state = self.extractor(torch.cat([observations, seen.previous, context], -1), state)
            parts.append(self.handed(read))
        return torch.cat(parts, -1), state

    def forward(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Mean actions (N, T, acted) and values (N, T)."""
        features, _ = self.features(seen)
        return self.policy(features), self.value(features).squeeze(-1)


class Batch(NamedTuple):
    """What was lived: N sequences of T steps."""

    seen: Seen
    """Of T + 1 steps: the last shows what followed."""
    actions: Tensor
    """(N, T, acted)."""
    rewards: Tensor
    """(N, T)."""


class PPOSettings(Settings):
    """How to learn; the defaults of clip, gamma, lam and epochs are those of Sim2Rec."""

    clip: float = Field(default=0.2, gt=0, description="of the ratio of probabilities")
    gamma: float = Field(default=0.99, ge=0, le=1, description="discount")
    lam: float = Field(default=0.95, ge=0, le=1, description="lambda of the advantages")
    epochs: int = Field(default=3, ge=1, description="passes over a batch")
    minibatches: int = Field(default=4, ge=1, description="parts of a batch; sequences are never cut")
    lr: float = Field(default=1e-3, gt=0, description="at the beginning; it falls in a straight line to a hundredth")
    entropy: float = Field(default=0.0, ge=0, description="weight of the policy's entropy")
    value: float = Field(default=0.5, ge=0, description="weight of the value's squared error")
    norm: float = Field(default=0.5, gt=0, description="highest norm of the gradient")


class PPO:
    """Learns from one batch after the other.

    Rewards are divided by the first batch's mean absolute reward over (1 - gamma), so that values are near 1; advantages are
    standardised over the batch.

    Args:
        net: what is trained, in place.
        settings: how.
        updates: how many batches there will be, over which the learning rate falls.
        generator: of the minibatches.
    """

    def __init__(self, net: ActorCritic, settings: PPOSettings, updates: int, generator: torch.Generator) -> None:
        self.net, self.settings, self.generator = net, settings, generator
        self.optimiser = torch.optim.Adam(net.parameters(), lr=settings.lr, eps=1e-5)
        self.falling = torch.optim.lr_scheduler.LinearLR(self.optimiser, 1.0, 0.01, max(1, updates - 1))
        self.scale: float | None = None

    def update(self, batch: Batch) -> float:
        """Learn from a batch; returns the mean loss.

        Raises:
            DataError: the loss is not finite.
        """
        settings, net = self.settings, self.net
        if self.scale is None:
            self.scale = max(1e-6, batch.rewards.abs().mean().item()) / (1 - min(settings.gamma, 0.999))
        with torch.no_grad():
            means, values = net(batch.seen)
            before = log_density(batch.actions, means[:, :-1], net.log_deviation)
            advantage = advantages(batch.rewards / self.scale, values, settings.gamma, settings.lam)
            wanted = advantage + values[:, :-1]
            if advantage.numel() > 1:
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        losses = []
        for _ in range(settings.epochs):
            order = torch.randperm(len(batch.actions), generator=self.generator)
            for rows in order.chunk(settings.minibatches):
                seen = Seen(*(part[rows] for part in batch.seen))
                means, values = net(Seen(seen.observations[:, :-1], seen.previous[:, :-1], seen.context))
                log_ratio = log_density(batch.actions[rows], means, net.log_deviation) - before[rows]
                surprise = (values - wanted[rows]).square().mean()
                entropy = net.log_deviation.sum()  # up to a constant
                loss = clipped_loss(log_ratio, advantage[rows], settings.clip)
                loss = loss + settings.value * surprise - settings.entropy * entropy
                self.optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), settings.norm)
                self.optimiser.step()
                losses.append(loss.item())
                if not math.isfinite(losses[-1]):
                    raise DataError(f"the loss of PPO is {losses[-1]}: lower the learning rate, or look at the rewards")
        self.falling.step()
        return sum(losses) / len(losses)
