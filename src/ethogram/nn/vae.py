"""Variational autoencoders with Gaussian posteriors and decoders: plain, and conditioned on something seen.

Kingma and Welling 2014 (arXiv:1312.6114), section 3 and appendix B; the conditional one is Sohn et al. 2015 (NeurIPS 28).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ethogram.nn.networks import MLP, Activation

__all__ = ["CVAE", "VAE", "Posterior", "kl_to_standard"]


def kl_to_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, diag exp(log_variance)) ‖ N(0, I)) in nats: (..., D) → (...)."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(-1)


class Posterior(NamedTuple):
    """A Gaussian with diagonal covariance over the latent."""

    mean: Tensor
    """(..., latent)."""
    log_variance: Tensor
    """(..., latent)."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw each, through which gradients flow."""
        noise = torch.randn(self.mean.shape, generator=generator)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """To the standard normal, (...)."""
        return kl_to_standard(self.mean, self.log_variance)


class CVAE(nn.Module):
    """x is drawn from N(decoder(z, condition), noise²), z from the standard normal.

    Args:
        inputs: columns of x.
        condition: columns of the condition.
        latent: columns of z.
        hidden: widths of encoder and decoder; none: both are linear.
        noise: standard deviation of the decoder.
        activation: of the hidden layers.
    """

    def __init__(
        self,
        inputs: int,
        condition: int,
        latent: int,
        hidden: Sequence[int] = (256, 256),
        noise: float = 1.0,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.latent, self.noise = latent, noise
        self.encoder = MLP(inputs + condition, 2 * latent, hidden, activation)
        self.decoder = MLP(latent + condition, inputs, hidden, activation)

    def encode(self, x: Tensor, condition: Tensor) -> Posterior:
        """Of x (..., inputs) given the condition (..., condition)."""
        return Posterior(*self.encoder(torch.cat([x, condition], -1)).chunk(2, -1))

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """The mean of x, (..., inputs)."""
        return self.decoder(torch.cat([z, condition], -1))

    def elbo(self, x: Tensor, condition: Tensor, generator: torch.Generator | None = None, beta: float = 1.0) -> Tensor:
        """The evidence lower bound in nats from one draw of z, (...): E log p(x | z) - beta KL. Its negative mean is a loss.

        Args:
            x: (..., inputs).
            condition: (..., condition).
            generator: of the draw.
            beta: weight of the KL term; a bound only with 1 (Higgins et al. 2017).
        """
        posterior = self.encode(x, condition)
        error = (x - self.decode(posterior.sample(generator), condition)) / self.noise
        constant = x.shape[-1] * (math.log(self.noise) + 0.5 * math.log(2 * math.pi))
        return -0.5 * error.square().sum(-1) - constant - beta * posterior.kl()


class VAE(CVAE):
    """A `CVAE` without a condition; the methods take none."""

    def __init__(
        self,
        inputs: int,
        latent: int,
        hidden: Sequence[int] = (256, 256),
        noise: float = 1.0,
        activation: Activation = "relu",
    ) -> None:
        super().__init__(inputs, 0, latent, hidden, noise, activation)

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Posterior:
        """Of x (..., inputs)."""
        return super().encode(x, x[..., :0])

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The mean of x, (..., inputs)."""
        return super().decode(z, z[..., :0])

    def elbo(
        self, x: Tensor, condition: Tensor | None = None, generator: torch.Generator | None = None, beta: float = 1.0
    ) -> Tensor:
        """As `CVAE.elbo`."""
        return super().elbo(x, x[..., :0], generator, beta)
