"""Decisions: gambles, what people chose, and models of how people choose, judged on problems held out."""

from ethogram.decisions.features import FeatureLogit, SmallNet, features
from ethogram.decisions.gambles import Choices, Gambles, read_choices
from ethogram.decisions.inverse import InverseChooser, read_rankings
from ethogram.decisions.models import MODELS, ChoiceModel, ExpectedUtility, ExpectedValue, ProspectTheory
from ethogram.decisions.priority import PriorityHeuristic
from ethogram.decisions.validation import Held, cross_validated

__all__ = [
    "MODELS",
    "ChoiceModel",
    "Choices",
    "ExpectedUtility",
    "ExpectedValue",
    "FeatureLogit",
    "Gambles",
    "Held",
    "InverseChooser",
    "PriorityHeuristic",
    "ProspectTheory",
    "SmallNet",
    "cross_validated",
    "features",
    "read_choices",
    "read_rankings",
]
