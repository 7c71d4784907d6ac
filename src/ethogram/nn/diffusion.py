"""Score-based diffusion after Karras et al. 2022 (EDM): preconditioning, noise densities, schedules, samplers, guidance.

A sample at noise level sigma is `x = y + sigma * noise`; a denoiser `D(x, sigma)` estimates the clean `y`, and the score of
the noised data is `(D(x, sigma) - x) / sigma**2`. Training draws sigma from a density; sampling follows a falling schedule
of sigmas. The two are independent of each other, so one network is sampled in 3 steps or in 50.

Source: Karras, Aittala, Aila, Laine, "Elucidating the Design Space of Diffusion-Based Generative Models" (NeurIPS 2022),
table 1 and algorithms 1 and 2; DPM-Solver++(2M) is algorithm 2 of Lu et al. 2022 (arXiv:2211.01095).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, Literal, Self, TypeVar

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ethogram.nn.settings import Settings

__all__ = [
    "SAMPLERS",
    "Density",
    "Preconditioned",
    "Sampling",
    "classifier_free",
    "drop",
    "guided",
    "schedule",
    "wide",
]

Denoise = Callable[[Tensor, Tensor], Tensor]
"""`denoise(x (B, ...), sigma (B,)) -> (B, ...)`: the expected clean sample."""
Noise = Callable[[Tensor], Tensor]
"""`noise(x) -> ` standard normal numbers of the shape of `x`."""
Guide = Callable[[Tensor, Tensor, Tensor], Tensor]
"""`guide(x, denoised, sigma (B,)) -> denoised`: changes what the denoiser says, at every evaluation inside a sampler."""


def wide(sigma: Tensor, x: Tensor) -> Tensor:
    """One number a sample, (B,), shaped to multiply samples `x` (B, ...)."""
    return sigma.reshape(-1, *[1] * (x.ndim - 1))


class Preconditioned(nn.Module):
    """A network as a denoiser: `D(x; sigma) = c_skip x + c_out F(c_in x; c_noise)` (EDM, equation 7 and table 1).

    Args:
        network: `network(x, c_noise (B,), *condition)` gives a tensor of the shape of `x`.
        sigma_data: standard deviation of the clean data, as the network sees it.
    """

    def __init__(self, network: nn.Module, sigma_data: float = 0.5) -> None:
        super().__init__()
        self.network = network
        self.sigma_data = sigma_data

    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`c_skip`, `c_out`, `c_in` and `c_noise` of noise levels, each of the shape of `sigma`."""
        variance = sigma**2 + self.sigma_data**2
        return self.sigma_data**2 / variance, sigma * self.sigma_data / variance.sqrt(), variance.rsqrt(), sigma.log() / 4

    def forward(self, x: Tensor, sigma: Tensor, *condition: Any) -> Tensor:
        """The denoised samples.

        Args:
            x: (B, ...) noised samples.
            sigma: (B,) their noise levels, all positive.
            *condition: handed to the network.
        """
        skip, out, scale, level = self.scalings(sigma)
        return wide(skip, x) * x + wide(out, x) * self.network(wide(scale, x) * x, level, *condition)

    def loss(self, clean: Tensor, sigma: Tensor, noise: Tensor, *condition: Any) -> Tensor:
        """The weighted denoising error, elementwise, (B, ...): `|D - y|^2 / c_out^2`, so that all levels count alike.

        It is computed as the error of F against `(y - c_skip x) / c_out`, which is the same (EDM, equation 8).
        """
        x = clean + wide(sigma, clean) * noise
        skip, out, scale, level = self.scalings(sigma)
        target = (clean - wide(skip, x) * x) / wide(out, x)
        return (self.network(wide(scale, x) * x, level, *condition) - target) ** 2


class Density(Settings):
    """Where training draws its noise levels from."""

    kind: Literal["log_normal", "log_logistic", "log_uniform"] = Field(
        default="log_logistic", description="log_logistic is cut off at sigma_min and sigma_max, log_normal is not cut off"
    )
    sigma_min: float = Field(default=0.001, gt=0)
    sigma_max: float = Field(default=80.0, gt=0)
    location: float = Field(default=math.log(0.5), description="mean (log_normal) or median (log_logistic) of log sigma")
    scale: float = Field(default=0.5, gt=0, description="spread of log sigma; EDM's log_normal has location -1.2, scale 1.2")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return _falling(self)

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` noise levels, (n,)."""
        if self.kind == "log_normal":
            return (self.location + self.scale * torch.randn(n, generator=generator)).exp()
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        if self.kind == "log_uniform":
            return (low + (high - low) * u).exp().float()
        first, last = (1 / (1 + math.exp((self.location - edge) / self.scale)) for edge in (low, high))
        return (self.location + self.scale * torch.logit(first + (last - first) * u)).exp().float()


D = TypeVar("D", "Density", "Sampling")


def _falling(settings: D) -> D:
    if settings.sigma_min > settings.sigma_max:
        raise ValueError(f"sigma_min is {settings.sigma_min:g}, and must be at most sigma_max, {settings.sigma_max:g}")
    return settings


Kind = Literal["karras", "exponential", "linear"]


@cache
def schedule(kind: Kind, steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Falling noise levels from `sigma_max` to `sigma_min`, and a final 0: (steps + 1,).

    `karras` spaces `sigma**(1/rho)` evenly (EDM, equation 5), `exponential` log sigma, `linear` sigma itself.
    """
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    if kind == "karras":
        low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
        sigmas = (high + ramp * (low - high)) ** rho
    elif kind == "exponential":
        sigmas = (math.log(sigma_max) + ramp * math.log(sigma_min / sigma_max)).exp()
    else:
        sigmas = sigma_max + ramp * (sigma_min - sigma_max)
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


# --- guidance ---


def guided(denoise: Denoise, guide: Guide) -> Denoise:
    """The denoiser with a guide's change made to whatever it says.

    To add the gradient g of a log-density to the score, `guide` returns `denoised + sigma**2 * g`.
    """
    return lambda x, sigma: guide(x, denoise(x, sigma), sigma)


def classifier_free(conditional: Denoise, unconditional: Denoise, weight: float) -> Denoise:
    """`D_0 + weight (D_g - D_0)` (Ho and Salimans 2022): 0 ignores the goal, 1 is plain conditioning, more stresses it."""
    if weight == 1:
        return conditional
    if weight == 0:
        return unconditional

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        free = unconditional(x, sigma)
        return free + weight * (conditional(x, sigma) - free)

    return denoise


def drop(goals: Tensor, probability: float, generator: torch.Generator | None = None) -> Tensor:
    """Goals (B, ...) of which each whole one is zeroed with a probability, for training with `classifier_free` in mind."""
    keep = torch.rand(len(goals), generator=generator) >= probability
    return goals * wide(keep, goals)


# --- samplers ---


class Sampling(Settings):
    """How samples are drawn: schedule, sampler and number of steps."""

    sampler: Literal["euler", "heun", "euler_ancestral", "ddim", "dpmpp_2m"] = "ddim"
    schedule: Kind = "exponential"
    steps: int = Field(default=3, ge=1)
    sigma_min: float = Field(default=0.005, gt=0)
    sigma_max: float = Field(default=1.0, gt=0)
    rho: float = Field(default=7.0, gt=0, description="of the karras schedule")
    churn: float = Field(default=0.0, ge=0, description="S_churn of euler and heun: noise put back at each step")
    eta: float = Field(default=1.0, ge=0, description="share of the noise put back by euler_ancestral; 0: none")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return _falling(self)

    def sigmas(self) -> Tensor:
        """The noise levels, (steps + 1,), the last one 0."""
        return schedule(self.schedule, self.steps, self.sigma_min, self.sigma_max, self.rho)

    def sample(self, denoise: Denoise, like: Tensor, noise: Noise = torch.randn_like, guide: Guide | None = None) -> Tensor:
        """Draw samples.

        Args:
            denoise: the denoiser.
            like: (B, ...) anything of the shape of the samples.
            noise: gives the random numbers: at first the start, then what a stochastic sampler puts back.
            guide: changes what the denoiser says, see `guided`.
        """
        sigmas = self.sigmas().to(like)
        options = {"euler_ancestral": {"eta": self.eta}, "euler": {"churn": self.churn}, "heun": {"churn": self.churn}}
        x = noise(like) * sigmas[0]
        return SAMPLERS[self.sampler](
            guided(denoise, guide) if guide else denoise, x, sigmas, noise=noise, **options.get(self.sampler, {})
        )


def euler(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise = torch.randn_like, churn: float = 0.0) -> Tensor:
    """Euler's method for the probability-flow ODE `dx/dsigma = (x - D(x, sigma)) / sigma`; first order.

    Args:
        denoise: the denoiser.
        x: (B, ...) samples at the noise level `sigmas[0]`.
        sigmas: falling noise levels.
        noise: for the churn.
        churn: EDM's S_churn.
    """
    for now, after in pairwise(sigmas.tolist()):
        x, now = _churned(x, now, churn, len(sigmas) - 1, noise)
        x = x + (after - now) / now * (x - denoise(x, _level(now, x)))
    return x


def heun(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise = torch.randn_like, churn: float = 0.0) -> Tensor:
    """Heun's second-order method (EDM, algorithm 2), two evaluations a step but for the last one to 0; as `euler` else."""
    for now, after in pairwise(sigmas.tolist()):
        x, now = _churned(x, now, churn, len(sigmas) - 1, noise)
        slope = (x - denoise(x, _level(now, x))) / now
        guess = x + (after - now) * slope
        if after > 0:
            slope = (slope + (guess - denoise(guess, _level(after, x))) / after) / 2
            guess = x + (after - now) * slope
        x = guess
    return x


def euler_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise = torch.randn_like, eta: float = 1.0
) -> Tensor:
    """Euler down to below the next level, then fresh noise up to it: the stochastic sampler of DDPM in these terms."""
    for now, after in pairwise(sigmas.tolist()):
        up = min(after, eta * math.sqrt(after**2 * (now**2 - after**2) / now**2))
        down = math.sqrt(after**2 - up**2)
        x = x + (down - now) / now * (x - denoise(x, _level(now, x)))
        if after > 0:
            x = x + up * noise(x)
    return x


def ddim(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise = torch.randn_like) -> Tensor:
    """Deterministic DDIM, exact where the denoiser's answer is constant over the step.

    In these variables (noise is added, the signal never scaled) it takes the same steps as `euler`, written without a
    division by a small sigma.
    """
    for now, after in pairwise(sigmas.tolist()):
        x = torch.lerp(denoise(x, _level(now, x)), x, after / now)
    return x


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: Noise = torch.randn_like) -> Tensor:
    """DPM-Solver++(2M): second order with one evaluation a step, extrapolating from the evaluation before."""
    before, step_before = None, 0.0
    for now, after in pairwise(sigmas.tolist()):
        denoised = target = denoise(x, _level(now, x))
        step = math.log(now / after) if after > 0 else math.inf
        if before is not None and 0 < after < now:
            target = denoised + step / (2 * step_before) * (denoised - before)
        x = torch.lerp(target, x, after / now)
        before, step_before = denoised, step
    return x


SAMPLERS: dict[str, Callable[..., Tensor]] = {f.__name__: f for f in (euler, heun, euler_ancestral, ddim, dpmpp_2m)}
"""The samplers by name: `sampler(denoise, x, sigmas, noise=..., ...) -> (B, ...)`."""


def _level(sigma: float, x: Tensor) -> Tensor:
    """A noise level for each sample, (B,)."""
    return x.new_full((len(x),), sigma)


def _churned(x: Tensor, sigma: float, churn: float, steps: int, noise: Noise) -> tuple[Tensor, float]:
    """Samples with noise put back, and the higher noise level they are then at (EDM, algorithm 2, lines 4 to 6)."""
    if churn == 0:
        return x, sigma
    raised = sigma * (1 + min(churn / steps, math.sqrt(2) - 1))
    return x + math.sqrt(raised**2 - sigma**2) * noise(x), raised
