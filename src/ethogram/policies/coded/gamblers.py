"""Gamblers who choose by a model of choice: expected value, expected utility, prospect theory, or one fitted to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import Space

from ethogram.decisions.asking import Take, TwoGambles
from ethogram.decisions.models import ExpectedValue
from ethogram.policies.coded.scripted import Scripted

if TYPE_CHECKING:
    from ethogram.decisions.validation import Predictor

__all__ = ["Gambler"]


class Gambler(Scripted):
    """Chooses B with the probability that a model of choice gives it, on luck of its own.

    Args:
        model: the model, with its parameters or fitted (`ProspectTheory().fit(choices)`). Default: expected value, chosen
            almost surely.
    """

    def __init__(self, model: Predictor | None = None) -> None:
        super().__init__()
        self.model = model if model is not None else ExpectedValue({"sensitivity": 50.0})

    def script(self, observation: TwoGambles, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Take:
        """A or B."""
        chance = float(self.model.predict(*observation.gambles())[0])
        return Take(gamble="B" if rng.random() < chance else "A")
