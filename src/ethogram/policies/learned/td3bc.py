"""TD3+BC: deterministic actor-critic from recorded transitions, kept near the recorded actions.

Fujimoto and Gu, "A Minimalist Approach to Offline Reinforcement Learning" (NeurIPS 2021): TD3 whose actor maximises
`lambda Q(s, pi(s)) - (pi(s) - a)^2` with `lambda = alpha / mean |Q|` (equations 3 and 5), on standardised observations.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from ethogram.policies.learned._offline import Offline, OfflineConfig

__all__ = ["TD3BC", "TD3BCConfig"]


class TD3BCConfig(OfflineConfig):
    """Settings; the defaults are the paper's (table 2)."""

    alpha: float = Field(default=2.5, ge=0, description="weight of the value against closeness to the data; 0: cloning")
    delay: int = Field(default=2, ge=1, description="updates of the critics to one of the actor")
    noise: float = Field(default=0.2, ge=0, description="standard deviation of what is added to the target's actions")
    noise_clip: float = Field(default=0.5, ge=0, description="the most that is added")


class TD3BC(Offline):
    """See the module."""

    Config = TD3BCConfig

    def error(self, batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        """Squared error of both critics; every `delay` updates the actor's loss as well."""
        net, config = self.net, self.config
        seen, actions = batch["seen"], batch["actions"]
        with torch.no_grad():
            luck = torch.randn(actions.shape, generator=noise) * config.noise
            following = net.slow_actor(batch["next_seen"]).tanh() + luck.clamp(-config.noise_clip, config.noise_clip)
            worth = net.values(batch["next_seen"], following.clamp(-1, 1), slow=True).amin(0)
            wanted = batch["rewards"] + config.gamma * batch["continues"] * worth
        loss = (net.values(seen, actions) - wanted).square().mean(1).sum()
        net.updates += 1
        if net.updates % config.delay == 0:
            chosen = net.actor(seen).tanh()
            values = net.values(seen, chosen, fixed=True)[0]
            weight = config.alpha / values.detach().abs().mean().clamp_min(1e-6)
            loss = loss - weight * values.mean() + (chosen - actions).square().mean()
            net.follow(config.polyak)
        return loss
