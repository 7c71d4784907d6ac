"""Random numbers for the rows of a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["Generators"]


class Generators(Sequence[torch.Generator]):
    """A source of random numbers for each row of a prediction, seeded when it is first looked at.

    What is drawn for one row never depends on which others are beside it.

    Args:
        seed: of the policy.
        agents: of each row.
        counts: how often it was predicted for each row's agent before.
    """

    def __init__(self, seed: int, agents: Sequence[Agent], counts: Sequence[int]) -> None:
        self._from = seed, agents, counts
        self._made: list[torch.Generator] | None = None

    def _all(self) -> list[torch.Generator]:
        if self._made is None:
            seed, agents, counts = self._from
            seeds = [derive(seed, "learned", agent, count) for agent, count in zip(agents, counts, strict=True)]
            self._made = [torch.Generator().manual_seed(one) for one in seeds]
        return self._made

    def __len__(self) -> int:
        return len(self._from[1])

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __iter__(self) -> Iterator[torch.Generator]:
        return iter(self._all())

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, (B, *shape)."""
        return torch.stack([torch.randn(shape, generator=g) for g in self])

    def uniform(self, *shape: int) -> Tensor:
        """Numbers from 0 to 1, (B, *shape)."""
        return torch.stack([torch.rand(shape, generator=g) for g in self])
