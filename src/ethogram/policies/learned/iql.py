"""Implicit Q-learning: values of the best recorded actions by expectile regression, and their imitation by advantage.

Kostrikov, Nair and Levine, "Offline Reinforcement Learning with Implicit Q-Learning" (ICLR 2022), equations 5 to 7: no
action outside the data is ever valued.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.nn.networks import MLP
from ethogram.policies.learned._offline import ActorCritic, Offline, OfflineConfig

__all__ = ["IQL", "IQLConfig", "expectile"]

HIGHEST_WEIGHT = 100.0


class IQLConfig(OfflineConfig):
    """Settings; the defaults are the paper's for locomotion."""

    expectile: float = Field(default=0.7, gt=0, lt=1, description="tau: 0.5 is the mean, towards 1 the best in the data")
    beta: float = Field(default=3.0, ge=0, description="inverse temperature of the weights by advantage; 0: cloning")


def expectile(difference: Tensor, tau: float) -> Tensor:
    """The loss whose least value is at the tau-expectile: `|tau - 1(u < 0)| u^2`, elementwise."""
    return torch.where(difference < 0, 1 - tau, tau) * difference.square()


class _Network(ActorCritic):
    """With a value of observations alone, and the actor's deviation, the same everywhere."""

    def __init__(self, seen: int, acted: int, hidden: tuple[int, ...]) -> None:
        super().__init__(seen, acted, hidden)
        self.value = MLP(seen, 1, hidden)
        self.log_deviation = nn.Parameter(torch.zeros(acted))


class IQL(Offline):
    """See the module. It acts by the mean of its Gaussian."""

    Config = IQLConfig

    def build(self) -> _Network:
        """Actor, critics and value."""
        return _Network(self.observed.size, self.acted.size, self.config.hidden)

    def error(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """The sum of three losses that have no weights in common: of the value, of the critics, and of the actor."""
        net, config = self.net, self.config
        seen, actions = batch["seen"], batch["actions"]
        with torch.no_grad():
            worth = net.values(seen, actions, slow=True).amin(0)
            after = net.value(batch["next_seen"])[:, 0]
            wanted = batch["rewards"] + config.gamma * batch["continues"] * after
        value = net.value(seen)[:, 0]
        loss = expectile(worth - value, config.expectile).mean()
        loss = loss + (net.values(seen, actions) - wanted).square().mean(1).sum()
        weight = (config.beta * (worth - value.detach())).exp().clamp(max=HIGHEST_WEIGHT)
        deviation = net.log_deviation.clamp(-5, 2)
        gap = (actions - net.actor(seen).tanh()) / deviation.exp()
        loss = loss + (weight * (0.5 * gap.square() + deviation).sum(-1)).mean()
        net.updates += 1
        net.follow(config.polyak)
        return loss
