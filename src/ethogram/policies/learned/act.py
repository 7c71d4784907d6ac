"""ACT: a conditional variational autoencoder of action chunks, made of transformers.

In training an encoder sees the chunk and what was seen, and names a style z; a decoder reconstructs the chunk from z and
what was seen. Acting, z is drawn from its prior (or is zero, as in the paper's experiments, which takes all variety away).

Source: Zhao et al., "Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware" (RSS 2023), section IV and
algorithms 1 and 2; in D3IL it is VAE-ACT.
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import ConfigError
from ethogram.nn.networks import Encoder
from ethogram.nn.transformers import Decoder
from ethogram.nn.transformers import Encoder as TransformerEncoder
from ethogram.nn.vae import kl_to_standard
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig, Seen

__all__ = ["ACT", "ACTConfig"]


class ACTConfig(LearnedConfig):
    """Settings."""

    horizon: int = Field(default=8, ge=1, description="actions that it predicts at once")
    latent: int = Field(default=16, ge=1, description="columns of the style z")
    kl: float = Field(default=1.0, ge=0, description="weight of the divergence of z from its prior")
    sample: bool = Field(default=True, description="draw z from its prior; else it is zero")
    width: int = Field(default=64, ge=2, description="of embeddings")
    layers: int = Field(default=4, ge=1, description="blocks of the decoder")
    encoder_layers: int = Field(default=2, ge=1, description="blocks of each encoder")
    heads: int = Field(default=4, ge=1, description="of each attention")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    features: int = Field(default=64, ge=1, description="columns that an image is encoded to")
    octaves: int = Field(default=0, ge=0, description="Fourier features of each observed number")


class _Network(nn.Module):
    """Style encoder, encoder and decoder."""

    def __init__(self, policy: ACT) -> None:
        super().__init__()
        config, observed, size = policy.config, policy.observed, policy.acted.size
        width, shape = config.width, (config.heads, config.dropout)
        self.horizon, self.width = config.horizon, width
        self.encoder = Encoder(observed.size, observed.images, observed.goal, config.features, config.octaves)
        self.enter, self.action = nn.Linear(self.encoder.size, width), nn.Linear(size, width)
        self.query = nn.Parameter(0.02 * torch.randn(1, width))
        tokens = 1 + config.history
        self.recognise = TransformerEncoder(tokens + config.horizon, width, config.encoder_layers, *shape)
        self.style, self.latent = nn.Linear(width, 2 * config.latent), nn.Linear(config.latent, width)
        self.reader = TransformerEncoder(tokens, width, config.encoder_layers, *shape)
        self.decoder = Decoder(config.horizon, width, config.layers, *shape)
        self.head = nn.Linear(width, size)

    def tokens(self, observations: Seen, goals: Tensor | None) -> Tensor:
        """What is seen, as tokens."""
        return self.enter(self.encoder(observations, goals))

    def posterior(self, tokens: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the style of a chunk."""
        asked = torch.cat([self.query.expand(len(tokens), 1, -1), tokens, self.action(actions)], 1)
        mean, log_variance = self.style(self.recognise(asked)[:, 0]).chunk(2, -1)
        return mean, log_variance

    def chunk(self, tokens: Tensor, style: Tensor) -> Tensor:
        """The actions of a style."""
        memory = self.reader(torch.cat([self.latent(style).unsqueeze(1), tokens], 1))
        return self.head(self.decoder(memory.new_zeros(len(memory), self.horizon, self.width), memory))


class ACT(Learned):
    """Action chunking with transformers; see the module."""

    Config = ACTConfig
    net: Any

    def build(self) -> nn.Module:
        """The network."""
        if self.acted.classes:
            raise ConfigError(f"ACT predicts continuous actions, and these are in {self.action_space}")
        return _Network(self)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Absolute error of the chunk, and the divergence of its style from the prior, in nats."""
        before = self.config.history - 1
        actions, mask = batch["actions"][:, before:], batch["mask"][:, before:, None]
        tokens = self.net.tokens(batch["observations"], batch.get("goals"))
        mean, log_variance = self.net.posterior(tokens, actions * mask)
        style = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)
        error = ((self.net.chunk(tokens, style) - actions).abs() * mask).sum() / (mask.sum() * actions.shape[-1])
        return error + self.config.kl * kl_to_standard(mean, log_variance).mean()

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The chunk of a style drawn, or of the mean one."""
        tokens = self.net.tokens(observations, goals)
        n = self.config.latent
        return self.net.chunk(tokens, generators.normal(n) if self.config.sample else tokens.new_zeros(len(tokens), n))
