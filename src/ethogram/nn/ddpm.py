"""Denoising diffusion in discrete steps (Ho et al. 2020) with ancestral and DDIM sampling (Song et al. 2021).

A sample after step t is `x_t = sqrt(a_t) y + sqrt(1 - a_t) noise`, with a_t the product of `1 - beta` up to t; the network
tells the noise from `x_t` and t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.nn.diffusion import Noise, wide
from ethogram.nn.settings import Settings

__all__ = ["DDPM", "betas", "cumulative"]


def betas(kind: Literal["cosine", "linear"], steps: int) -> Tensor:
    """The variances added at each step, (steps,) float64.

    `cosine`: after Nichol and Dhariwal 2021, equation 17, at most 0.999. `linear`: from 1e-4 to 0.02 at 1,000 steps (Ho et
    al.), and scaled so that fewer steps destroy as much.
    """
    if kind == "linear":
        falling = torch.linspace(min(20 / steps, 0.999), 0.1 / steps, steps, dtype=torch.float64)
        return falling.flip(0)  # so that a single step is the last one, which leaves but noise
    edges = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    kept = torch.cos((edges + 0.008) / 1.008 * math.pi / 2) ** 2
    return (1 - kept[1:] / kept[:-1]).clamp(max=0.999)


@cache
def cumulative(kind: Literal["cosine", "linear"], steps: int) -> Tensor:
    """The share a_t of the signal's variance that is left after each step, (steps,) float32."""
    return (1 - betas(kind, steps)).cumprod(0).float()


class DDPM(Settings):
    """A process of noising, and how samples are drawn from it."""

    schedule: Literal["cosine", "linear"] = "cosine"
    steps: int = Field(default=16, ge=1, description="steps of noising in training")
    sampler: Literal["ancestral", "ddim"] = "ancestral"
    sampling_steps: int | None = Field(default=None, ge=1, description="of ddim; None: as many as in training")
    eta: float = Field(default=0.0, ge=0, le=1, description="of ddim: share of the ancestral noise put back")
    clip: float | None = Field(default=None, gt=0, description="bound on the clean sample, at every step of sampling")

    def loss(self, network: nn.Module, clean: Tensor, generator: torch.Generator | None = None, *condition: Any) -> Tensor:
        """The squared error of the noise that the network tells, elementwise, (B, ...) (Ho et al., equation 14).

        Args:
            network: `network(x (B, ...), t (B,), *condition)` gives the noise in `x`.
            clean: (B, ...) samples.
            generator: of the steps t and of the noise.
            *condition: handed to the network.
        """
        t = torch.randint(self.steps, (len(clean),), generator=generator)
        noise = torch.randn(clean.shape, generator=generator)
        kept = wide(cumulative(self.schedule, self.steps)[t], clean)
        return (network(kept.sqrt() * clean + (1 - kept).sqrt() * noise, t, *condition) - noise) ** 2

    def timesteps(self) -> list[int]:
        """The steps that sampling visits, from the noisiest down."""
        n = self.steps if self.sampler == "ancestral" else min(self.sampling_steps or self.steps, self.steps)
        return [round(i) for i in torch.linspace(self.steps - 1, 0, n, dtype=torch.float64).tolist()]

    def sample(self, network: Callable[[Tensor, Tensor], Tensor], like: Tensor, noise: Noise = torch.randn_like) -> Tensor:
        """Draw samples.

        Args:
            network: `network(x (B, ...), t (B,))` gives the noise in `x`.
            like: (B, ...) anything of the shape of the samples.
            noise: gives the random numbers: at first the start, then what is put back.
        """
        kept = cumulative(self.schedule, self.steps).tolist()
        times = self.timesteps()
        eta = 1.0 if self.sampler == "ancestral" else self.eta
        x = noise(like)
        for t, following in zip(times, [*times[1:], None], strict=True):
            now, after = kept[t], 1.0 if following is None else kept[following]
            told = network(x, torch.full((len(x),), t))
            clean = torch.sub(x / math.sqrt(now), told, alpha=math.sqrt((1 - now) / now))
            if self.clip is not None:
                clean = clean.clamp(-self.clip, self.clip)
            # the posterior of x at `following` given x now and the clean sample; DDIM keeps a share of its noise
            spread = eta * math.sqrt((1 - after) / (1 - now) * (1 - now / after))
            rest = math.sqrt(max(1 - after - spread**2, 0) / (1 - now))  # of the noise that is in x with this clean sample
            x = torch.add(clean * (math.sqrt(after) - rest * math.sqrt(now)), x, alpha=rest)
            if following is not None and eta > 0:
                x = torch.add(x, noise(x), alpha=spread)
        return x
