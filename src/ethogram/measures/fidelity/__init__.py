"""How far simulated people can be trusted: their answers beside those of people, with intervals and noise floors."""

from ethogram.measures.fidelity.card import Card, fidelity_card
from ethogram.measures.fidelity.effects import Contrast, Effect, compare_effects, contrasts, summary_of_effects
from ethogram.measures.fidelity.individuals import agreement
from ethogram.measures.fidelity.items import Beside, compare_item

__all__ = [
    "Beside",
    "Card",
    "Contrast",
    "Effect",
    "agreement",
    "compare_effects",
    "compare_item",
    "contrasts",
    "fidelity_card",
    "summary_of_effects",
]
