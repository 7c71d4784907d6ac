"""Sets: a Gaussian code of a set of vectors, and the autoencoder that learns it.

Every member gives a Gaussian over the code, and their product is the code of the set (product of experts, Hinton 2002), as
in the state-action distributional autoencoder (SADAE) of Sim2Rec (Chen et al., ICDE 2023): a set is described by the
distribution of its members, which the decoder gives back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaler
from ethogram.nn.vae import Posterior

__all__ = ["Described", "SetAutoencoder", "SetEncoder", "in_order", "product_of_experts"]

LEAST = 1e-3
"""The smallest standard deviation of an expert, and of what is decoded, in the network's scale."""


def in_order(x: Tensor) -> Tensor:
    """The members of each set, (..., n, D), in lexicographic order: the same tensor for any order of them."""
    for column in range(x.shape[-1] - 1, -1, -1):
        order = x[..., column].argsort(dim=-1, stable=True)
        x = x.gather(-2, order.unsqueeze(-1).expand_as(x))
    return x


def product_of_experts(means: Tensor, variances: Tensor) -> Posterior:
    """The normalised product of n Gaussians with diagonal covariance: (..., n, D) → (..., D).

    Its precision is the sum of theirs, and its mean is theirs weighted by precision.
    """
    precisions = 1 / variances
    precision = precisions.sum(-2)
    return Posterior((precisions * means).sum(-2) / precision, -precision.log())


class SetEncoder(nn.Module):
    """Sets (..., n, inputs) to a Gaussian code (..., code), exactly the same for any order of the members.

    Rounding depends on the order in which numbers are added; so the members are put in order first.

    Args:
        inputs: columns of a member.
        code: columns of the code.
        hidden: widths of the network that gives each member's Gaussian.
    """

    def __init__(self, inputs: int, code: int = 5, hidden: Sequence[int] = (64, 64)) -> None:
        super().__init__()
        self.experts = MLP(inputs, 2 * code, hidden, "silu")

    def forward(self, x: Tensor) -> Posterior:
        """The code of each set."""
        means, raw = self.experts(in_order(x)).chunk(2, -1)
        return product_of_experts(means, (F.softplus(raw) + LEAST).square())


class Described(NamedTuple):
    """What a code says of the members of its set: independent Gaussians, in the members' own units."""

    mean: Tensor
    """(..., inputs)."""
    deviation: Tensor
    """(..., inputs)."""


class SetAutoencoder(nn.Module):
    """Encodes a set and decodes the distribution of its members.

    Args:
        inputs: columns of a member.
        code: columns of the code.
        hidden: widths of encoder and decoder.
        scaler: of the members, in whose scale the networks compute.
    """

    def __init__(self, inputs: int, code: int = 5, hidden: Sequence[int] = (64, 64), scaler: Scaler | None = None) -> None:
        super().__init__()
        self.scaler = Scaler(inputs) if scaler is None else scaler
        self.encoder = SetEncoder(inputs, code, hidden)
        self.decoder = MLP(code, 2 * inputs, hidden, "silu")

    def encode(self, x: Tensor) -> Posterior:
        """Of sets (..., n, inputs)."""
        return self.encoder(self.scaler(x))

    def describe(self, code: Tensor) -> Described:
        """The distribution of the members that codes (..., code) stand for."""
        mean, deviation = self._decoded(code)
        at = self.scaler.inverse(mean)
        return Described(at, self.scaler.inverse(mean + deviation) - at)

    def elbo(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The evidence lower bound of each set (..., n, inputs) in nats for each member, (...), from one draw of the code.

        It is (Σ_i log p(x_i | code) - KL(code ‖ N(0, I))) / n, in the network's scale; its negative mean is the loss.
        """
        scaled = self.scaler(x)
        posterior = self.encoder(scaled)
        mean, deviation = (part.unsqueeze(-2) for part in self._decoded(posterior.sample(generator)))
        z = (scaled - mean) / deviation
        each = -0.5 * z.square() - deviation.log() - 0.5 * math.log(2 * math.pi)
        return each.sum(-1).mean(-1) - posterior.kl() / x.shape[-2]

    def _decoded(self, code: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = self.decoder(code).chunk(2, -1)
        return mean, F.softplus(raw) + LEAST
