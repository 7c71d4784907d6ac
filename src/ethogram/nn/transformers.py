"""Small transformers: a causal GPT, and an encoder and decoder modulated by a condition (AdaLN).

Both take and give embeddings, (B, T, width): what a token means (a state, a goal, a noise level, an action) is up to the
policy that embeds it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ethogram.errors import ConfigError

__all__ = ["GPT", "Decoder", "Encoder", "fourier"]


def fourier(level: Tensor, width: int, top: float = 10_000.0) -> Tensor:
    """Sines and cosines of a number in geometrically falling frequencies: (B,) to (B, width), width even."""
    frequencies = torch.exp(-math.log(top) * torch.arange(width // 2, device=level.device) / (width // 2))
    angles = level[:, None].float() * frequencies
    return torch.cat([angles.sin(), angles.cos()], -1)


class Attention(nn.Module):
    """Multi-head attention of tokens to themselves, or to others (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ConfigError(f"tokens of width {width} cannot be shared among {heads} heads; take a multiple of {heads}")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, others: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, T, width), attending to `others` (B, S, width) or, without them, to itself."""
        batch, _, width = x.shape
        q, k, v = (
            part.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)
            for part in (self.query(x), *self.key_value(x if others is None else others).chunk(2, -1))
        )
        dropout = self.dropout if self.training else 0.0
        heard = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=causal)
        return self.out(heard.transpose(1, 2).reshape(batch, -1, width))


class Block(nn.Module):
    """Pre-norm transformer block: self-attention, attention to others if there are any, and a feed-forward network.

    With a condition, it shifts and scales what is normalised and gates what is added (AdaLN-Zero, Peebles and Xie 2023): at
    first every gate is closed, and the block is the identity.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, cross: bool = False, condition: int = 0) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.cross = Attention(width, heads, dropout) if cross else None
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout))
        parts = 3 if cross else 2
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=not condition) for _ in range(parts))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(condition, 3 * parts * width)) if condition else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation[-1].weight)  # type: ignore[arg-type]
            nn.init.zeros_(self.modulation[-1].bias)  # type: ignore[arg-type]

    def forward(
        self, x: Tensor, others: Tensor | None = None, condition: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """(B, T, width); `others` (B, S, width), `condition` (B, condition)."""
        parts = [lambda y: self.attention(y, causal=causal), self.feed]
        if self.cross is not None:
            parts.insert(1, lambda y: self.cross(y, others))  # type: ignore[misc]
        if self.modulation is None:
            for norm, part in zip(self.norms, parts, strict=True):
                x = x + part(norm(x))
            return x
        changes = self.modulation(condition)[:, None].chunk(3 * len(parts), -1)
        for i, (norm, part) in enumerate(zip(self.norms, parts, strict=True)):
            shift, scale, gate = changes[3 * i : 3 * i + 3]
            x = x + gate * part(norm(x) * (1 + scale) + shift)
        return x


class GPT(nn.Module):
    """Causal transformer: what comes out at a token depends on that one and those before it.

    Args:
        length: positions there are.
        width: of the tokens; a multiple of `heads`.
        layers: blocks.
        heads: of each attention.
        dropout: of the weights of attention, and after feed-forward, in training.
    """

    def __init__(self, length: int, width: int = 64, layers: int = 4, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Embeddings (B, T, width) to (B, T, width).

        Args:
            tokens: in the order of attention.
            positions: (T,) each one's position, where not 0, 1, 2, ...: a state and its action may share one.
        """
        x = tokens + (self.positions[: tokens.shape[1]] if positions is None else self.positions[positions])
        for block in self.blocks:
            x = block(x, causal=True)
        return self.norm(x)


class Encoder(nn.Module):
    """Transformer in which every token attends to all; arguments as of `GPT`."""

    def __init__(self, length: int, width: int = 64, layers: int = 2, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embeddings (B, T, width) to (B, T, width)."""
        x = tokens + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Decoder(nn.Module):
    """Transformer whose tokens attend to each other and to an encoder's, each block modulated by a condition (AdaLN).

    Args:
        length: positions there are.
        width: of the tokens; a multiple of `heads`.
        layers: blocks.
        heads: of each attention.
        dropout: of the weights of attention, and after feed-forward, in training.
        condition: components of the condition; 0: there is none.
        causal: whether a token attends only to those before it.
    """

    def __init__(
        self,
        length: int,
        width: int = 64,
        layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
        condition: int = 0,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout, cross=True, condition=condition) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, memory: Tensor, condition: Tensor | None = None) -> Tensor:
        """Embeddings (B, T, width) to (B, T, width), given `memory` (B, S, width) and `condition` (B, condition)."""
        x = tokens + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, memory, condition, self.causal)
        return self.norm(x)
