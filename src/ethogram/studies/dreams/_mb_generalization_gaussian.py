"""The latent model of the study with Gaussian variables in place of categorical ones: the paper's ablation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot, softplus

from ethogram.nn.networks import Activation
from ethogram.nn.stacked import StackedMLP

__all__ = ["GaussianNetwork", "divergence"]

LEAST = 0.1
"""The least standard deviation of a variable, as in Dreamer (Hafner et al. 2020)."""


class GaussianNetwork(nn.Module):
    """Independent Gaussian variables encode an observation, and a network predicts those of the next one.

    All else is as in `CategoricalNetwork`: a network of its own for the reward and the end, the reconstruction of the bits,
    and a divergence that counts 0.8 towards the prediction and 0.2 towards the code. Samples are mean plus deviation times
    noise, so that gradients pass.

    Args:
        bits: D, the width of an observation.
        actions: how many there are.
        hidden: widths of the hidden layers of each network.
        seeds: one for each copy.
        variables: K.
        activation: between layers.
    """

    def __init__(
        self,
        bits: int,
        actions: int,
        hidden: Sequence[int],
        seeds: Sequence[int],
        variables: int,
        activation: Activation = "elu",
    ) -> None:
        super().__init__()
        self.actions = actions
        self.draws = self.width = variables
        self.encoder = StackedMLP([bits, *hidden, 2 * variables], seeds, "encoder", activation)
        self.decoder = StackedMLP([variables, *hidden, bits], seeds, "decoder", activation)
        self.dynamics = StackedMLP([variables + actions, *hidden, 2 * variables], seeds, "dynamics", activation)
        self.outcome = StackedMLP([variables + actions, *hidden, 2], seeds, "outcome", activation)

    def predict(self, latents: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Means and deviations (S, B, K) of the next latents, mean rewards (S, B) and logits of going on (S, B)."""
        done = torch.cat([latents, one_hot(actions, self.actions).to(latents.dtype)], -1)
        rewards, ends = self.outcome(done).unbind(-1)
        return *_gaussian(self.dynamics(done)), rewards, ends

    @torch.no_grad()
    def features(self, bits: Tensor, luck: Tensor | None = None) -> Tensor:
        """A sample of the latents of observations (S, B, K); their means without luck, which is uniform, (S, B, K)."""
        means, deviations = _gaussian(self.encoder(bits))
        return means if luck is None else means + deviations * _normal(luck)

    @torch.no_grad()
    def imagine(self, latents: Tensor, actions: Tensor, luck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Next latents (S, B, K), rewards (S, B) and probabilities of going on (S, B); `luck` is uniform, (S, B, K)."""
        means, deviations, rewards, ends = self.predict(latents, actions)
        return means + deviations * _normal(luck), rewards, ends.sigmoid()

    def losses(
        self, bits: Tensor, actions: Tensor, rewards: Tensor, following: Tensor, continues: Tensor, luck: Tensor
    ) -> Tensor:
        """The loss of each copy (S,); `luck` is (S, B, K). What would follow after the end is not predicted."""
        copies = bits.shape[1]
        means, deviations = _gaussian(self.encoder(torch.cat([bits, following], 1)))
        latents = means[:, :copies] + deviations[:, :copies] * _normal(luck)
        rebuilt = binary_cross_entropy_with_logits(self.decoder(latents), bits, reduction="none").sum(-1)
        *predicted, expected, ends = self.predict(latents, actions)
        later = means[:, copies:], deviations[:, copies:]
        still, foreseen = [part.detach() for part in later], [part.detach() for part in predicted]
        apart = 0.8 * divergence(*still, *predicted) + 0.2 * divergence(*later, *foreseen)
        going = binary_cross_entropy_with_logits(ends, continues, reduction="none")
        return (rebuilt + apart * continues + 0.5 * (expected - rewards).square() + going).mean(1)


def divergence(means: Tensor, deviations: Tensor, others: Tensor, spreads: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(others, spreads) from N(means, deviations), (..., K), summed over the variables."""
    shift = ((means - others) / spreads).square()
    return (spreads.log() - deviations.log() + 0.5 * ((deviations / spreads).square() + shift - 1)).sum(-1)


def _gaussian(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Means and standard deviations out of a network's answer (..., 2 K)."""
    means, spreads = outputs.chunk(2, -1)
    return means, softplus(spreads) + LEAST


def _normal(luck: Tensor) -> Tensor:
    """Standard normal numbers out of uniform ones, by inverting the distribution function."""
    return torch.special.ndtri(luck.clamp(1e-6, 1 - 1e-6))
