"""Diffusion policy: actions, or chunks of them, denoised by a DDPM.

With `denoiser="encoder-decoder"`, a history of 5, a horizon of 4 and a few layers this is the DDPM-ACT of D3IL (Jia et al.,
ICLR 2024), with `denoiser="mlp"` its DDPM-MLP. Source: Chi et al., "Diffusion Policy" (RSS 2023); Pearce et al., "Imitating
Human Behaviour with Diffusion Models" (ICLR 2023).
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.nn.ddpm import DDPM
from ethogram.nn.networks import Encoder
from ethogram.policies.learned._denoisers import Denoiser, Denoising, DenoisingConfig, marked, masked_mean, noise_of
from ethogram.policies.learned.base import Batch, Generators, Seen

__all__ = ["DiffusionPolicy", "DiffusionPolicyConfig"]


class DiffusionPolicyConfig(DenoisingConfig):
    """Settings."""

    denoiser: Literal["gpt", "encoder-decoder", "mlp"] = "mlp"
    width: int = Field(default=96, ge=2, multiple_of=2)
    process: DDPM = Field(default=DDPM(clip=1.0), description="noising and sampling; clip 1 fits actions scaled to a range")


class DiffusionPolicy(Denoising):
    """Denoising diffusion policy; see the module."""

    Config = DiffusionPolicyConfig

    def build(self) -> nn.Module:
        """The network that tells the noise."""
        return Denoiser(self, level_scale=1.0)

    @property
    def encoder(self) -> Encoder:
        """The encoder of what is seen."""
        return self.net.encoder

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The squared error of the noise told."""
        clean, mask, *condition = self.parts(batch)
        return masked_mean(self.config.process.loss(self.net, clean, generator, *condition), mask)

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """Actions drawn by ancestral sampling or DDIM."""
        seen, done, wanted = self.encoder(observations), self.done(), marked(goals)
        network = lambda x, t: self.net(x, t, seen, done, wanted)  # noqa: E731
        return self.config.process.sample(network, self.empty(generators), noise_of(generators))
