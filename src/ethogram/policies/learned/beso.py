"""BESO: a score-based diffusion policy, goal-conditioned or not, that acts after a few denoising steps.

Training draws noise levels from a density, sampling follows a schedule of its own: both are settings, and sampling may be
changed after training. The actions already done are context and are never noised. With `goal`, the policy learns with and
without goals at once (each sample's goal is dropped as a whole, with a probability), and `guidance` mixes the two.

Source: Reuss, Li, Jia, Lioutikov, "Goal-Conditioned Imitation Learning using Score-based Diffusion Policies" (RSS 2023).
Unlike in the published code, where noise is put on every action of the window, only the newest actions are noised.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.nn.diffusion import Density, Preconditioned, Sampling, classifier_free, drop
from ethogram.nn.networks import Encoder
from ethogram.policies.learned._denoisers import Denoiser, Denoising, DenoisingConfig, marked, masked_mean, noise_of
from ethogram.policies.learned.base import Batch, Generators, Seen

__all__ = ["BESO", "BESOConfig"]


class BESOConfig(DenoisingConfig):
    """Settings."""

    history: int = Field(default=5, ge=1, description="observations that it sees, the last one included")
    context: bool = Field(default=True, description="the actions done since the first observation seen are seen too")
    sigma_data: float = Field(default=0.5, gt=0, description="standard deviation of scaled actions")
    density: Density = Field(
        default=Density(kind="log_logistic", sigma_min=0.005, sigma_max=1.0, location=math.log(0.5), scale=0.5),
        description="of the noise levels in training",
    )
    sampling: Sampling = Field(default=Sampling(), description="how actions are drawn")
    drop: float = Field(default=0.1, ge=0, le=1, description="share of the samples whose goal is dropped in training")
    guidance: float = Field(default=1.0, description="0: the goal is ignored, 1: plain conditioning, more: stressed")


class BESO(Denoising):
    """Score-based diffusion policy; see the module."""

    Config = BESOConfig

    def build(self) -> nn.Module:
        """The preconditioned denoiser. The scale of its noise level spreads `log(sigma) / 4` over the sinusoids."""
        return Preconditioned(Denoiser(self, level_scale=250.0), self.config.sigma_data)

    @property
    def encoder(self) -> Encoder:
        """The encoder of what is seen."""
        return self.net.network.encoder

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The weighted denoising error of the newest actions."""
        clean, mask, seen, done, goals = self.parts(batch)
        sigma = self.config.density.draw(len(clean), generator)
        noise = torch.randn(clean.shape, generator=generator)
        if goals is not None:
            goals = drop(goals, self.config.drop, generator)
        return masked_mean(self.net.loss(clean, sigma, noise, seen, done, goals), mask)

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """Actions drawn by the sampler."""
        seen, done, wanted = self.encoder(observations), self.done(), marked(goals)

        def conditional(x: Tensor, sigma: Tensor) -> Tensor:
            return self.net(x, sigma, seen, done, wanted)

        def unconditional(x: Tensor, sigma: Tensor) -> Tensor:
            return self.net(x, sigma, seen, done, None if wanted is None else torch.zeros_like(wanted))

        denoise = conditional if wanted is None else classifier_free(conditional, unconditional, self.config.guidance)
        return self.config.sampling.sample(denoise, self.empty(generators), noise_of(generators))
