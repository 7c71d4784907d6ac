"""A U-Net along time: for sequences of a few dozen steps, with a noise level as condition.

Residual blocks of two convolutions with group normalisation, the condition added between them; half as many steps further
down, and skips across (Ronneberger et al. 2015; along time as in Janner et al., "Planning with Diffusion", ICML 2022,
appendix C).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ethogram.errors import ConfigError

__all__ = ["UNet1d"]


class _Block(nn.Module):
    """(B, inputs, T) and the condition (B, C) to (B, outputs, T)."""

    def __init__(self, inputs: int, outputs: int, condition: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        self.second = nn.Conv1d(outputs, outputs, kernel, padding=kernel // 2)
        self.before, self.between = nn.GroupNorm(math.gcd(8, inputs), inputs), nn.GroupNorm(math.gcd(8, outputs), outputs)
        self.condition = nn.Linear(condition, 2 * outputs)
        self.skip = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.condition(condition).unsqueeze(-1).chunk(2, 1)
        h = self.first(F.silu(self.before(x)))
        return self.skip(x) + self.second(F.silu(self.between(h) * (1 + scale) + shift))


class UNet1d(nn.Module):
    """Sequences (B, T, C) and a number for each (B,) to sequences (B, T, C).

    Args:
        columns: C.
        width: channels at full length, even.
        multiples: of the width, at each halving of the length; T must be divisible by 2 ** (len(multiples) - 1).
        kernel: steps that a convolution sees, odd.

    Raises:
        ConfigError: an odd width or an even kernel.
    """

    rates: Tensor

    def __init__(self, columns: int, width: int = 64, multiples: Sequence[int] = (1, 2, 2), kernel: int = 3) -> None:
        super().__init__()
        if width % 2 or not kernel % 2:
            raise ConfigError(f"a U-Net has an even width and an odd kernel, not {width} and {kernel}")
        widths, self.width = [width * m for m in multiples], width
        condition = 2 * width
        self.embed = nn.Sequential(nn.Linear(width, condition), nn.SiLU(), nn.Linear(condition, condition), nn.SiLU())
        self.inward = nn.Conv1d(columns, width, kernel, padding=kernel // 2)
        pairs = list(zip([width, *widths[:-1]], widths, strict=True))
        self.down = nn.ModuleList(_Block(a, b, condition, kernel) for a, b in pairs)
        self.middle = _Block(widths[-1], widths[-1], condition, kernel)
        self.up = nn.ModuleList(_Block(2 * b, a, condition, kernel) for a, b in reversed(pairs))
        self.outward = nn.Sequential(nn.GroupNorm(math.gcd(8, width), width), nn.SiLU(), nn.Conv1d(width, columns, 1))
        nn.init.zeros_(self.outward[-1].weight)  # pyright: ignore[reportArgumentType]
        self.register_buffer("rates", torch.logspace(0, 1.5, width // 2) * math.pi, persistent=False)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """See the class.

        Raises:
            ConfigError: sequences of a length that cannot be halved so often.
        """
        halvings = len(self.down) - 1
        if x.shape[1] % 2**halvings:
            raise ConfigError(f"sequences of {x.shape[1]} steps cannot be halved {halvings} times: choose another length")
        angles = level[:, None] * self.rates
        condition = self.embed(torch.cat([angles.sin(), angles.cos()], -1))
        h = self.inward(x.transpose(1, 2))
        skips: list[Tensor] = []
        for i, block in enumerate(self.down):
            h = block(h, condition)
            skips.append(h)
            if i < halvings:
                h = F.avg_pool1d(h, 2)
        h = self.middle(h, condition)
        for i, block in enumerate(self.up):
            h = block(torch.cat([h, skips.pop()], 1), condition)
            if i < halvings:
                h = F.interpolate(h, scale_factor=2)
        return self.outward(h).transpose(1, 2)
