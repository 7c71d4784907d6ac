"""A model of bits that are independent of each other, given what was before (the simple model of Young et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from ethogram.nn.networks import Activation
from ethogram.nn.stacked import StackedMLP
from ethogram.worlds.learned._bit_models import BitModel

__all__ = ["BernoulliModel", "BernoulliNetwork"]


class BernoulliNetwork(nn.Module):
    """The simple model: independent Bernoulli probabilities of the next bits, the mean reward, and whether it goes on.

    One network tells the bits, another the reward and the end, so that the many bits do not drown the one reward. The bits
    are drawn with probability sigmoid(logit); the authors' repository draws them with the logit itself, a slip.

    Args:
        bits: D, the width of an observation.
        actions: how many there are.
        hidden: widths of the hidden layers.
        seeds: one for each copy.
        activation: between layers.
    """

    def __init__(
        self, bits: int, actions: int, hidden: Sequence[int], seeds: Sequence[int], activation: Activation = "elu"
    ) -> None:
        super().__init__()
        self.bits, self.actions, self.draws = bits, actions, bits
        self.network = StackedMLP([bits + actions, *hidden, bits], seeds, "bernoulli", activation)
        self.outcome = StackedMLP([bits + actions, *hidden, 2], seeds, "outcome", activation)

    def forward(self, bits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the next bits (S, B, D), mean rewards (S, B) and logits of going on (S, B)."""
        done = torch.cat([bits, one_hot(actions, self.actions).to(bits.dtype)], -1)
        rewards, ends = self.outcome(done).unbind(-1)
        return self.network(done), rewards, ends

    def features(self, bits: Tensor, luck: Tensor | None = None) -> Tensor:
        """The bits themselves."""
        return bits

    @torch.no_grad()
    def imagine(self, bits: Tensor, actions: Tensor, luck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Next bits (S, B, D) as 0.0 or 1.0, rewards (S, B) and probabilities of going on (S, B); `luck` (S, B, D)."""
        logits, rewards, ends = self(bits, actions)
        return (luck < logits.sigmoid()).to(bits.dtype), rewards, ends.sigmoid()

    def losses(
        self, bits: Tensor, actions: Tensor, rewards: Tensor, following: Tensor, continues: Tensor, luck: Tensor
    ) -> Tensor:
        """Negative log-likelihood of each copy (S,): of the next bits where it goes on, the reward (variance 1), the end."""
        logits, means, ends = self(bits, actions)
        seen = binary_cross_entropy_with_logits(logits, following, reduction="none").sum(-1) * continues
        going = binary_cross_entropy_with_logits(ends, continues, reduction="none")
        return (seen + 0.5 * (means - rewards).square() + going).mean(1)

    def rebuild(self, states: Tensor) -> Tensor:
        """The bits themselves."""
        return states


class BernoulliModel(BitModel):
    """The simple model of Young et al. (2023): factored, as no bit of what comes next depends on another one of it."""

    def network(self, bits: int, actions: int, seeds: Sequence[int]) -> nn.Module:
        """A `BernoulliNetwork`."""
        return BernoulliNetwork(bits, actions, self.config.hidden, seeds, self.config.activation)
