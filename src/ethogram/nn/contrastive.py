"""Contrastive losses: what belongs together is told from what merely is in the same batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["info_nce"]


def info_nce(queries: Tensor, keys: Tensor, temperature: float = 0.1, symmetric: bool = True) -> Tensor:
    """The InfoNCE loss: the cross-entropy of finding each query's own key among all keys of the batch, in nats, shape ().

    van den Oord et al. 2018 (arXiv:1807.03748), equation 4, with cosine similarity over a temperature; the symmetric form is
    that of Radford et al. 2021 (CLIP, figure 3). log(B) minus it is a lower bound on the mutual information.

    Args:
        queries: (B, D).
        keys: (B, D); row i belongs to query i.
        temperature: of the similarities.
        symmetric: average with the loss of finding each key's query.
    """
    similarity = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    own = torch.arange(len(similarity))
    loss = F.cross_entropy(similarity, own)
    return (loss + F.cross_entropy(similarity.T, own)) / 2 if symmetric else loss
