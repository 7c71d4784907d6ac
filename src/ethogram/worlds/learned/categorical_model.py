"""A model of bits by way of codes of categorical variables (the latent model of Young et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, kl_div, log_softmax, one_hot

from ethogram.nn.networks import Activation
from ethogram.nn.stacked import StackedMLP
from ethogram.worlds.learned._bit_models import BitModel, BitModelConfig

__all__ = ["CategoricalModel", "CategoricalModelConfig", "CategoricalNetwork"]


class CategoricalNetwork(nn.Module):
    """The latent model: K one-hot variables of C classes encode an observation, and a network predicts the next ones.

    As in DreamerV2 (Hafner et al. 2021) without recurrence: samples pass their gradient straight through; the loss is the
    reconstruction of the bits, the error of the reward, the end, and the divergence of the next code from its prediction,
    which counts 0.8 towards the prediction and 0.2 towards the code.

    Args:
        bits: D, the width of an observation.
        actions: how many there are.
        hidden: widths of the hidden layers of each network.
        seeds: one for each copy.
        variables: K.
        classes: C.
        activation: between layers.
    """

    def __init__(
        self,
        bits: int,
        actions: int,
        hidden: Sequence[int],
        seeds: Sequence[int],
        variables: int = 32,
        classes: int = 32,
        activation: Activation = "elu",
    ) -> None:
        super().__init__()
        self.bits, self.actions, self.variables, self.classes = bits, actions, variables, classes
        self.draws, self.width = variables, variables * classes
        self.encoder = StackedMLP([bits, *hidden, self.width], seeds, "encoder", activation)
        self.decoder = StackedMLP([self.width, *hidden, bits], seeds, "decoder", activation)
        self.dynamics = StackedMLP([self.width + actions, *hidden, self.width], seeds, "dynamics", activation)
        self.outcome = StackedMLP([self.width + actions, *hidden, 2], seeds, "outcome", activation)

    def encode(self, bits: Tensor) -> Tensor:
        """Logits (S, B, K, C) of the encoding of observations."""
        return self.encoder(bits).unflatten(-1, (self.variables, self.classes))

    def predict(self, latents: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (S, B, K, C) of the next encoding, mean rewards (S, B) and logits of going on (S, B)."""
        done = torch.cat([latents, one_hot(actions, self.actions).to(latents.dtype)], -1)
        rewards, ends = self.outcome(done).unbind(-1)
        return self.dynamics(done).unflatten(-1, (self.variables, self.classes)), rewards, ends

    @torch.no_grad()
    def features(self, bits: Tensor, luck: Tensor | None = None) -> Tensor:
        """A sample of the encoding of observations (S, B, K * C); the likeliest one without luck, which is (S, B, K)."""
        logits = self.encode(bits)
        return _one_hot(logits.argmax(-1) if luck is None else _draw(logits.softmax(-1), luck), self.classes)

    @torch.no_grad()
    def imagine(self, latents: Tensor, actions: Tensor, luck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Next latents (S, B, K * C), rewards (S, B) and probabilities of going on (S, B); `luck` is (S, B, K)."""
        logits, rewards, ends = self.predict(latents, actions)
        return _one_hot(_draw(logits.softmax(-1), luck), self.classes), rewards, ends.sigmoid()

    def losses(
        self, bits: Tensor, actions: Tensor, rewards: Tensor, following: Tensor, continues: Tensor, luck: Tensor
    ) -> Tensor:
        """The loss of each copy (S,); `luck` is (S, B, K). What would follow after the end is not predicted."""
        copies = bits.shape[1]
        logs = log_softmax(self.encode(torch.cat([bits, following], 1)), -1)
        chances, later = logs[:, :copies].exp(), logs[:, copies:]
        latents = _one_hot(_draw(chances.detach(), luck), self.classes) + (chances - chances.detach()).flatten(-2)
        rebuilt = binary_cross_entropy_with_logits(self.decoder(latents), bits, reduction="none").sum(-1)
        predicted, means, ends = self.predict(latents, actions)
        predicted = log_softmax(predicted, -1)
        apart = 0.8 * _divergence(later.detach(), predicted) + 0.2 * _divergence(later, predicted.detach())
        going = binary_cross_entropy_with_logits(ends, continues, reduction="none")
        return (rebuilt + apart * continues + 0.5 * (means - rewards).square() + going).mean(1)

    @torch.no_grad()
    def rebuild(self, states: Tensor) -> Tensor:
        """The likeliest bits (S, B, D) of latents (S, B, K * C)."""
        return (self.decoder(states) > 0).to(states.dtype)


class CategoricalModelConfig(BitModelConfig):
    """Settings of `CategoricalModel`."""

    fixed: ClassVar[frozenset[str]] = BitModelConfig.fixed | {"variables", "classes"}

    variables: int = Field(default=32, ge=1, description="one-hot variables of a code")
    classes: int = Field(default=32, ge=2, description="classes of each")


class CategoricalModel(BitModel):
    """The latent model of Young et al. (2023): dreams are codes, and what is seen of them is decoded."""

    Config = CategoricalModelConfig

    def network(self, bits: int, actions: int, seeds: Sequence[int]) -> nn.Module:
        """A `CategoricalNetwork`."""
        sizes = self.config.variables, self.config.classes
        return CategoricalNetwork(bits, actions, self.config.hidden, seeds, *sizes, self.config.activation)


def _draw(chances: Tensor, luck: Tensor) -> Tensor:
    """Classes (...) drawn from probabilities (..., C) by inverting their sum."""
    return (chances.cumsum(-1) <= luck[..., None]).sum(-1).clamp_max(chances.shape[-1] - 1)


def _one_hot(classes: Tensor, n: int) -> Tensor:
    """(..., K) as one-hot rows in one vector, (..., K * n) float."""
    return torch.zeros(*classes.shape, n).scatter_(-1, classes[..., None], 1.0).flatten(-2)


def _divergence(logs: Tensor, others: Tensor) -> Tensor:
    """Kullback-Leibler divergence of `others` from `logs`, (..., K, C) log-probabilities, summed over the variables."""
    return kl_div(others, logs, reduction="none", log_target=True).sum((-2, -1))
