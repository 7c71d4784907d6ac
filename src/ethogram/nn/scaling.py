"""Scaling of numbers and images on their way into and out of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ethogram.errors import DataError

__all__ = ["Scaler", "Scaling", "pixels"]

Scaling = Literal["standard", "range", "none"]
"""Mean 0 and standard deviation 1; the data's range to [-1, 1]; or as they are."""


class Scaler(nn.Module):
    """`(x - offset) / scale`, column by column. Made by `Scaler.fit`, or blank (the identity) to be loaded into.

    A column that is constant in the data is only shifted (to 0): what it would be divided by is rounding error.

    Args:
        shape: of what is scaled, without leading dimensions.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, shape: int | Sequence[int]) -> None:
        super().__init__()
        size = (shape,) if isinstance(shape, int) else tuple(shape)
        self.register_buffer("offset", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    @classmethod
    def fit(cls, array: np.ndarray[Any, Any], kind: Scaling = "standard") -> Scaler:
        """The scaler of some data.

        Args:
            array: of shape (N, *shape), N ≥ 1, finite.
            kind: how.
        """
        data = np.asarray(array)
        if len(data) == 0 or not np.isfinite(data).all():
            raise DataError(f"scaling needs finite data of at least one row, not an array of shape {data.shape} with gaps")
        scaler = cls(data.shape[1:])
        if kind == "none":
            return scaler
        data = data.astype(np.float64)
        if kind == "standard":
            offset, scale = data.mean(0), data.std(0)
        else:
            low, high = data.min(0), data.max(0)
            offset, scale = (low + high) / 2, (high - low) / 2
        constant = scale <= 1e-6 * np.maximum(np.abs(offset), 1e-3)
        scaler.offset.copy_(torch.as_tensor(offset))
        scaler.scale.copy_(torch.as_tensor(np.where(constant, 1.0, scale)))
        return scaler

    def forward(self, x: Tensor) -> Tensor:
        """Scale x of shape (..., *shape)."""
        buffers: Any = self._buffers  # as attributes they would be looked for elsewhere first, for as long as this takes
        return (x - buffers["offset"]) / buffers["scale"]

    def inverse(self, x: Tensor) -> Tensor:
        """Unscale x of shape (..., *shape)."""
        buffers: Any = self._buffers
        return torch.addcmul(buffers["offset"], x, buffers["scale"])


def pixels(image: Tensor) -> Tensor:
    """Images (..., H, W, C) of bytes as numbers from 0 to 1, channels first: (..., C, H, W)."""
    return image.movedim(-1, -3).float() / 255
