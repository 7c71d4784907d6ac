"""Continuous actions as a choice among bins and an offset from the bin's centre.

Source: Shafiullah et al. 2022, "Behavior Transformers: Cloning k modes with one stone", section 3.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ethogram.errors import DataError

__all__ = ["Bins", "focal_loss"]


class Bins(nn.Module):
    """Bins of vectors, centred where k-means puts them; the centres are saved with the module.

    Args:
        n: how many bins.
        size: components of a vector.
    """

    centers: Tensor

    def __init__(self, n: int, size: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(n, size))

    def fit(self, vectors: np.ndarray, seed: int = 0) -> Bins:
        """Put the centres where k-means finds them in `vectors` (N, size).

        Raises:
            DataError: there are fewer different vectors than bins, or some are not finite.
        """
        from sklearn.cluster import KMeans

        n = len(self.centers)
        if not np.isfinite(vectors).all():
            raise DataError("bins need finite actions: drop those that are not, on purpose, before")
        if len(np.unique(vectors, axis=0)) < n:
            raise DataError(f"{n} bins need as many different actions, and the data have fewer; take fewer bins")
        kmeans = KMeans(n, n_init=1, random_state=seed % 2**32)  # type: ignore[arg-type]
        found = kmeans.fit(np.asarray(vectors, np.float64))
        self.centers.copy_(torch.as_tensor(found.cluster_centers_))
        return self

    def encode(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest bin (...) of vectors (..., size), and the offset from its centre (..., size)."""
        bins = torch.cdist(vectors.reshape(-1, vectors.shape[-1]), self.centers).argmin(-1).reshape(vectors.shape[:-1])
        return bins, vectors - self.centers[bins]

    def decode(self, bins: Tensor, offsets: Tensor) -> Tensor:
        """The vectors (..., size) of bins (...) and offsets (..., size)."""
        return self.centers[bins] + offsets


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Cross-entropy weighted by `(1 - p)^gamma`, p the probability of the target (Lin et al. 2017): rare bins count more.

    Args:
        logits: (..., n).
        target: (...) indices.
        gamma: 0 is plain cross-entropy.

    Returns:
        The loss of each target, (...).
    """
    log_p = functional.log_softmax(logits, -1).gather(-1, target[..., None])[..., 0]
    return -((1 - log_p.exp()) ** gamma) * log_p
