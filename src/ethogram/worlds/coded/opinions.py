"""Bounded confidence: how people who listen only to those who think alike come to agree, or do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.columns import Columns, column, count, each, network, observe, total
from ethogram.populations.generators import barabasi_albert
from ethogram.populations.network import Network

__all__ = ["BoundedConfidence"]


def acquaintances(n: int) -> Network:
    """Few know many, many know few."""
    return barabasi_albert(n, min(5, n - 1), rng=1)


class BoundedConfidence(Columns):
    """Everybody takes on the mean opinion of those acquaintances whose opinions are near, and of their own.

    Hegselmann & Krause (2002), "Opinion dynamics and bounded confidence", on a network. Synchronous. Where everybody knows
    everybody, about 1 / (2 confidence) groups of one mind are left.
    """

    confidence: float = 0.2
    opinion = column("float32")
    known = network(acquaintances)
    near = count("known", of=lambda opinion, their_opinion, confidence: abs(their_opinion - opinion) <= confidence)
    heard = total(
        "known",
        of=lambda opinion, their_opinion, confidence: their_opinion if abs(their_opinion - opinion) <= confidence else 0.0,
    )

    def start(self, rng: np.random.Generator) -> None:
        """Any opinion between 0 and 1."""
        self.opinion = rng.random(self.n, np.float32)

    @each("opinion")
    def listen(opinion: Any, near: int, heard: float) -> float:
        """The mean of one's own and all near opinions."""
        return (opinion + heard) / (1 + near)

    @observe("mean", "spread")
    def opinions(self) -> dict[str, float]:
        """Mean and standard deviation of opinions."""
        return {"mean": float(self.opinion.mean(dtype=float)), "spread": float(self.opinion.std(dtype=float))}
