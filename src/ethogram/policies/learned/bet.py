"""Behavior Transformer: a causal transformer over observations that chooses an action bin and an offset from its centre.

Source: Shafiullah et al., "Behavior Transformers: Cloning k modes with one stone" (NeurIPS 2022). With one bin it is the
unimodal GPT policy of behaviour cloning: the mean action of the data, and an offset under squared error. Told a goal it is
C-BeT (Cui et al., "From Play to Policy: Conditional Behavior Generation from Uncurated Robot Data", ICLR 2023), with the
goal beside each observation in place of tokens before them.
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from ethogram.errors import ConfigError
from ethogram.nn.bins import Bins, focal_loss
from ethogram.nn.networks import Encoder
from ethogram.nn.transformers import GPT
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig, Seen
from ethogram.records.trajectories import Trajectories

__all__ = ["BeT", "BeTConfig"]


class BeTConfig(LearnedConfig):
    """Settings."""

    history: int = Field(default=5, ge=1, description="observations that it sees, the last one included")
    bins: int = Field(default=64, ge=1, description="action bins; 1 is plain behaviour cloning")
    gamma: float = Field(default=2.0, ge=0, description="of the focal loss of the choice; 0: cross-entropy")
    offset_weight: float = Field(default=10.0, ge=0, description="of the squared error of the offset")
    width: int = Field(default=64, ge=2, description="of embeddings")
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1, description="of each attention")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    features: int = Field(default=64, ge=1, description="columns that an image is encoded to")
    octaves: int = Field(default=0, ge=0, description="Fourier features of each observed number")


class _Network(nn.Module):
    """Encoder, transformer, and for each position the logits of the bins (..., n) and offsets (..., n, size)."""

    def __init__(self, policy: BeT) -> None:
        super().__init__()
        config, observed = policy.config, policy.observed
        self.size, self.n = policy.acted.size, config.bins
        self.bins = Bins(self.n, self.size)
        self.encoder = Encoder(observed.size, observed.images, observed.goal, config.features, config.octaves)
        self.enter = nn.Linear(self.encoder.size, config.width)
        self.gpt = GPT(config.history, config.width, config.layers, config.heads, config.dropout)
        self.head = nn.Linear(config.width, self.n * (1 + self.size))

    def forward(self, observations: Seen, goals: Tensor | None) -> tuple[Tensor, Tensor]:
        logits, offsets = self.head(self.gpt(self.enter(self.encoder(observations, goals)))).split(
            [self.n, self.n * self.size], -1
        )
        return logits, offsets.unflatten(-1, (self.n, self.size))


class BeT(Learned):
    """Behavior Transformer; see the module."""

    Config = BeTConfig
    net: Any

    def build(self) -> nn.Module:
        """The network; the bins' centres are put in place by `fit`."""
        if self.acted.classes:
            raise ConfigError(f"BeT bins continuous actions, and these are in {self.action_space}")
        if self.config.horizon > 1:
            raise ConfigError("BeT predicts one action at a time: leave horizon at 1")
        return _Network(self)

    def _fit_scalers(self, data: Trajectories) -> None:
        super()._fit_scalers(data)
        actions = torch.cat([torch.from_numpy(self.acted.read(trajectory.actions)) for trajectory in data])
        self.net.bins.fit(self._scalers["actions"](actions).numpy())

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Focal loss of the bin and squared error of its offset, at every observation of the window."""
        logits, offsets = self.net(batch["observations"], batch.get("goals"))
        bins, target = self.net.bins.encode(batch["actions"])
        error = (_of(offsets, bins) - target).square().sum(-1)
        each = focal_loss(logits, bins, self.config.gamma) + self.config.offset_weight * error
        return (each * batch["mask"]).sum() / batch["mask"].sum()

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """A bin drawn, and its offset."""
        logits, offsets = (part[:, -1] for part in self.net(observations, goals))
        if self.config.bins == 1:
            bins = torch.zeros(len(logits), dtype=torch.long)
        else:
            bins = (generators.uniform(1) >= logits.softmax(-1).cumsum(-1)[:, :-1]).sum(-1)
        return self.net.bins.decode(bins, _of(offsets, bins)).unsqueeze(1)


def _of(offsets: Tensor, bins: Tensor) -> Tensor:
    """The offsets (..., n, size) of the bins (...), as (..., size)."""
    return offsets.gather(-2, bins[..., None, None].expand(*bins.shape, 1, offsets.shape[-1])).squeeze(-2)
