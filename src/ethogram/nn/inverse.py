"""Inverse dynamics: which action led from one observation to the next (VPT, Baker et al. 2022, arXiv:2206.11795, 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ethogram.nn.networks import MLP, Encoder

__all__ = ["InverseDynamics"]


class InverseDynamics(nn.Module):
    """Actions from windows of observations, of vectors or images: the one between the two in the middle.

    Args:
        size: columns of the vectors; 0: none.
        actions: columns of continuous actions, where there are no `classes`.
        classes: number of values of each choice, where actions are discrete.
        images: (H, W, C) of each image by its name.
        length: observations in a window; 2 are before and after the action.
        hidden: widths of the perceptron.
        features: columns for each image.
    """

    def __init__(
        self,
        size: int,
        actions: int,
        classes: Sequence[int] = (),
        images: Mapping[str, Sequence[int]] | None = None,
        length: int = 2,
        hidden: Sequence[int] = (256, 256),
        features: int = 64,
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.encoder = Encoder(size, images, features=features)
        self.body = MLP(self.encoder.size * length, sum(classes) or actions, hidden)

    def forward(self, observations: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Actions, or logits side by side, (B, outputs), from observations (B, length, ...) as `Encoder` takes them."""
        return self.body(self.encoder(observations).flatten(1))

    def loss(self, observations: Tensor | Mapping[str, Tensor], actions: Tensor) -> Tensor:
        """Mean squared error of actions (B, actions), or cross-entropy of choices (B, choices), their sum; shape ()."""
        found = self(observations)
        if not self.classes:
            return F.mse_loss(found, actions)
        logits = found.split(self.classes, -1)
        return torch.stack([F.cross_entropy(part, actions[:, i]) for i, part in enumerate(logits)]).sum()

    @torch.no_grad()
    def predict(self, observations: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Actions (B, actions), or the likeliest choices (B, choices)."""
        found = self(observations)
        return torch.stack([part.argmax(-1) for part in found.split(self.classes, -1)], -1) if self.classes else found
