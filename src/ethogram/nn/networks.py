"""Small networks: multilayer perceptron, Gaussian mixture head, recurrent core, image encoder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ethogram.errors import ConfigError

__all__ = [
    "MLP",
    "Activation",
    "ConvEncoder",
    "Encoder",
    "GaussianMixture",
    "Mixture",
    "Recurrent",
    "SpatialSoftmax",
    "activation",
]

Activation = Literal["relu", "elu", "gelu", "silu", "tanh"]
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def activation(name: Activation) -> nn.Module:
    """An activation by its name."""
    return _ACTIVATIONS[name]()


class MLP(nn.Sequential):
    """A multilayer perceptron: (..., inputs) → (..., outputs).

    Args:
        inputs: columns in.
        outputs: columns out, without an activation after them.
        hidden: the widths between.
        activation: after each hidden layer.
        norm: layer normalisation before each activation.
        dropout: share of a hidden layer's outputs left out in training.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int] = (256, 256),
        activation: Activation = "relu",
        norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = []
        for width in hidden:
            layers.append(nn.Linear(inputs, width))
            if norm:
                layers.append(nn.LayerNorm(width))
            layers.append(_ACTIVATIONS[activation]())
            if dropout:
                layers.append(nn.Dropout(dropout))
            inputs = width
        super().__init__(*layers, nn.Linear(inputs, outputs))


class Mixture(NamedTuple):
    """Gaussian mixtures with diagonal covariance, a batch of them: K components of D dimensions."""

    logits: Tensor
    """Of the components, (..., K)."""
    means: Tensor
    """(..., K, D)."""
    deviations: Tensor
    """Standard deviations, (..., K, D)."""

    def log_likelihood(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Log of Σ_k w_k Π_d N(x_d; μ_kd, σ_kd), in nats: (..., D) → (...), without the dimensions not in `mask`."""
        z = (x.unsqueeze(-2) - self.means) / self.deviations
        each = -0.5 * z * z - self.deviations.log() - 0.5 * math.log(2 * math.pi)
        if mask is not None:
            each = each * mask.unsqueeze(-2)
        return torch.logsumexp(F.log_softmax(self.logits, -1) + each.sum(-1), -1)

    def mean(self) -> Tensor:
        """(..., D)."""
        return (self.logits.softmax(-1).unsqueeze(-1) * self.means).sum(-2)

    def mode(self) -> Tensor:
        """The mean of the likeliest component, (..., D)."""
        return self._pick(self.means, self.logits.argmax(-1))

    def sample(self, uniform: Tensor, normal: Tensor, deviation: float = 1.0) -> Tensor:
        """A draw from each mixture, out of random numbers of the caller's own.

        Args:
            uniform: between 0 and 1, (...): which component.
            normal: standard normal, (..., D): where in it.
            deviation: factor on the standard deviations; 0 gives the means of drawn components.
        """
        cumulative = self.logits.softmax(-1).cumsum(-1)
        which = (uniform.unsqueeze(-1) >= cumulative[..., :-1]).sum(-1)
        return self._pick(self.means, which) + deviation * self._pick(self.deviations, which) * normal

    @staticmethod
    def _pick(values: Tensor, which: Tensor) -> Tensor:
        at = which[..., None, None].expand(*which.shape, 1, values.shape[-1])
        return values.gather(-2, at).squeeze(-2)


class GaussianMixture(nn.Module):
    """A head that gives a mixture: (..., inputs) → `Mixture`. Deviations are softplus, as robomimic has them.

    Args:
        inputs: columns in.
        outputs: D, dimensions of what is distributed.
        components: K.
        least: the smallest standard deviation.
    """

    def __init__(self, inputs: int, outputs: int, components: int = 5, least: float = 1e-2) -> None:
        super().__init__()
        self.outputs, self.components, self.least = outputs, components, least
        self.layer = nn.Linear(inputs, components * (1 + 2 * outputs))

    def forward(self, x: Tensor) -> Mixture:
        """The mixture for each row of features."""
        k, d = self.components, self.outputs
        logits, means, raw = self.layer(x).split([k, k * d, k * d], -1)
        return Mixture(logits, means.unflatten(-1, (k, d)), F.softplus(raw).unflatten(-1, (k, d)) + self.least)


class Recurrent(nn.Module):
    """A recurrent core: (B, T, inputs) → (B, T, hidden), and the state after the last step.

    Args:
        inputs: columns in.
        hidden: columns out.
        layers: stacked.
        kind: long short-term memory or gated recurrent unit.
    """

    def __init__(self, inputs: int, hidden: int = 256, layers: int = 1, kind: Literal["lstm", "gru"] = "lstm") -> None:
        super().__init__()
        self.core = (nn.LSTM if kind == "lstm" else nn.GRU)(inputs, hidden, layers, batch_first=True)

    def forward(self, x: Tensor, state: Tensor | tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, object]:
        """Outputs of every step; `state` is what an earlier call gave, None at the beginning."""
        return self.core(x, state)


class SpatialSoftmax(nn.Module):
    """The expected position of each channel's activation: (..., C, H, W) → (..., 2C), in [-1, 1].

    Finn et al., "Deep Spatial Autoencoders for Visuomotor Learning" (ICRA 2016), section IV-A; first all x, then all y.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Positions."""
        height, width = x.shape[-2:]
        weights = x.flatten(-2).softmax(-1).unflatten(-1, (height, width))
        across = (weights.sum(-2) * torch.linspace(-1, 1, width, device=x.device)).sum(-1)
        down = (weights.sum(-1) * torch.linspace(-1, 1, height, device=x.device)).sum(-1)
        return torch.cat([across, down], -1)


class ConvEncoder(nn.Module):
    """Images to features: (..., C, H, W) with values from 0 to 1 → (..., outputs).

    Args:
        channels: of the images.
        outputs: columns out.
        widths: channels of the 3x3 convolutions, each of which halves the image.
        size: (H, W) of the images; only needed without the spatial softmax.
        spatial_softmax: end in the positions of features; else in all of the last layer, flattened.
    """

    def __init__(
        self,
        channels: int = 3,
        outputs: int = 64,
        widths: Sequence[int] = (16, 32, 32),
        size: tuple[int, int] | None = None,
        spatial_softmax: bool = True,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, 2, 1), nn.ReLU()]
            before = width
        if spatial_softmax:
            self.body = nn.Sequential(*layers[:-1], SpatialSoftmax())  # no ReLU before it: its logits may be negative
            flat = 2 * before
        elif size is not None:
            self.body = nn.Sequential(*layers, nn.Flatten())
            shrink = 2 ** len(widths)
            flat = before * math.prod(-(-side // shrink) for side in size)
        else:
            raise ConfigError("an image encoder without spatial softmax must be told the size of the images")
        self.head = nn.Linear(flat, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Features of each image."""
        lead = x.shape[:-3]
        return self.head(self.body(x.reshape(-1, *x.shape[-3:]))).reshape(*lead, -1)


class Encoder(nn.Module):
    """Observations of any kind to features: vectors and goals as they are, images through an encoder of their own.

    Args:
        size: columns of the vector.
        images: (H, W, C) of each image by its name.
        goal: columns of the goal; 0: none.
        features: columns for each image.
        octaves: sines and cosines of each of the vector's columns x, of x, 2x, 4x ..., added as columns of their own: a
            network then tells positions apart that are near each other (Tancik et al. 2020, "Fourier features").
    """

    def __init__(
        self,
        size: int,
        images: Mapping[str, Sequence[int]] | None = None,
        goal: int = 0,
        features: int = 64,
        octaves: int = 0,
    ) -> None:
        super().__init__()
        self.octaves = octaves
        self.images = nn.ModuleDict({name: ConvEncoder(shape[-1], features) for name, shape in (images or {}).items()})
        self.size = size * (1 + 2 * octaves) + goal + features * len(self.images)
        """Columns out."""

    def forward(self, observations: Tensor | Mapping[str, Tensor], goals: Tensor | None = None) -> Tensor:
        """Features (B, T, size).

        Args:
            observations: vectors (B, T, columns); or these as `vector` and images (B, T, C, H, W) by their names.
            goals: (B, columns), seen at every step.
        """
        if isinstance(observations, Tensor):
            if goals is None and not self.octaves:
                return observations
            parts = [observations]
        else:
            parts = [observations["vector"]] if "vector" in observations else []
            parts += [encoder(observations[name]) for name, encoder in self.images.items()]
        if self.octaves and (isinstance(observations, Tensor) or "vector" in observations):
            angles = torch.cat([parts[0] * 2**k for k in range(self.octaves)], -1)
            parts += [angles.sin(), angles.cos()]
        if goals is not None:
            parts.append(goals.unsqueeze(1).expand(-1, parts[0].shape[1], -1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)
