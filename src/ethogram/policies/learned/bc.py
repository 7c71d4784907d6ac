"""Behaviour cloning: the actions of the data by maximum likelihood, given what was seen.

Continuous actions are the mean of a Gaussian of fixed width (squared error) or a mixture of Gaussians, discrete ones are
categorical; the network is a perceptron over the last observations or a recurrent core along them. The recurrent mixture is
the BC-RNN-GMM of Mandlekar et al., "What Matters in Learning from Offline Human Demonstrations for Robot Manipulation"
(CoRL 2021), section 3, here with a window that slides with each step in place of a state that is reset every so often.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ethogram.nn.networks import MLP, Activation, Encoder, GaussianMixture, Mixture, Recurrent, activation
from ethogram.policies.learned.base import Batch, Generators, Learned, LearnedConfig, Seen

__all__ = ["BC", "BCConfig"]


class BCConfig(LearnedConfig):
    """Settings."""

    head: Literal["mean", "gmm"] = Field(default="mean", description="how continuous actions are distributed")
    components: int = Field(default=5, ge=1, description="of the mixture")
    core: Literal["mlp", "lstm", "gru"] = Field(default="mlp", description="what reads the observations")
    hidden: tuple[PositiveInt, ...] = Field(
        default=(256, 256), min_length=1, description="widths of the perceptron; one a layer of a recurrent core"
    )
    activation: Activation = "relu"
    norm: bool = Field(default=False, description="layer normalisation in the perceptron")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    features: int = Field(default=64, ge=1, description="columns that an image is encoded to")
    octaves: int = Field(default=0, ge=0, description="Fourier features of each observed number")
    sample: bool = Field(default=False, description="draw discrete actions and mixture components; else take the likeliest")
    deviation: float = Field(
        default=0.0, ge=0, description="factor on a mixture's standard deviations where it is drawn from"
    )


class _Network(nn.Module):
    """Encoder, core and head: a distribution of `horizon` actions at P positions (recurrent: all; else the last)."""

    def __init__(self, policy: BC) -> None:
        super().__init__()
        config, observed, acted = policy.config, policy.observed, policy.acted
        self.encoder = Encoder(observed.size, observed.images, observed.goal, config.features, config.octaves)
        self.recurrent = config.core != "mlp"
        outputs = config.horizon * (sum(acted.classes) or acted.size)
        mixed = config.head == "gmm" and not acted.classes
        if self.recurrent:
            width = config.hidden[0]
            self.core: nn.Module = Recurrent(self.encoder.size, width, len(config.hidden), config.core)
        else:
            *before, width = config.hidden
            body = MLP(self.encoder.size * config.history, width, before, config.activation, config.norm, config.dropout)
            self.core = nn.Sequential(*body, activation(config.activation))
        self.head = GaussianMixture(width, outputs, config.components) if mixed else nn.Linear(width, outputs)

    def forward(self, observations: Seen, goals: Tensor | None) -> Any:
        """A mixture, or numbers (B, P, outputs)."""
        features = self.encoder(observations, goals)
        features = self.core(features)[0] if self.recurrent else self.core(features.flatten(1)).unsqueeze(1)
        return self.head(features)

    def last(self, observations: Seen, goals: Tensor | None) -> Any:
        """What `forward` gives at the last position alone: a mixture, or numbers (B, outputs)."""
        if not self.recurrent:
            return self.head(self.core(self.encoder(observations, goals).flatten(1)))
        found = self(observations, goals)
        return Mixture(*(part[:, -1] for part in found)) if isinstance(found, Mixture) else found[:, -1]


class BC(Learned):
    """Behaviour cloning; see the module."""

    Config = BCConfig
    net: Any

    def build(self) -> nn.Module:
        """Encoder, core and head."""
        return _Network(self)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean negative log-likelihood (squared error) of the actions in the mask, an action's dimensions together."""
        found = self.net(batch["observations"], batch.get("goals"))
        actions = batch["actions"].unfold(1, self.config.horizon, 1).transpose(2, 3)  # (B, history, horizon, size)
        mask = batch["mask"].unfold(1, self.config.horizon, 1)
        if not self.net.recurrent:
            actions, mask = actions[:, -1:], mask[:, -1:]
        count = mask.sum()
        if self.acted.classes:
            logits = found.unflatten(-1, (self.config.horizon, -1)).split(self.acted.classes, -1)
            each = [F.cross_entropy(part.movedim(-1, 1), actions[..., i], reduction="none") for i, part in enumerate(logits)]
            return (torch.stack(each).sum(0) * mask).sum() / count
        if isinstance(found, Mixture):
            masked = mask.unsqueeze(-1).expand_as(actions).flatten(2)
            return -found.log_likelihood(actions.flatten(2), masked).sum() / count
        error = (found.unflatten(-1, (self.config.horizon, -1)) - actions).square().sum(-1)
        return (error * mask).sum() / count

    def predict(self, observations: Seen, goals: Tensor | None, generators: Generators) -> Tensor:
        """The mean, the likeliest component's mean or class, or a draw where the settings say so."""
        found = self.net.last(observations, goals)
        if isinstance(found, Mixture):
            if self.config.sample:
                flat = found.sample(generators.uniform(), generators.normal(found.means.shape[-1]), self.config.deviation)
            else:
                flat = found.mode()
            return flat.unflatten(-1, (self.config.horizon, -1))
        last = found.reshape(found.shape[0], self.config.horizon, -1)
        if not self.acted.classes:
            return last
        logits = last.split(self.acted.classes, -1)
        if not self.config.sample:
            return torch.stack([part.argmax(-1) for part in logits], -1)
        uniform = generators.uniform(self.config.horizon, len(logits), 1)
        chosen = [(uniform[:, :, i] >= part.softmax(-1).cumsum(-1)[..., :-1]).sum(-1) for i, part in enumerate(logits)]
        return torch.stack(chosen, -1)
