"""Decisions: gambles and delayed payments, what people chose, and models of how they choose, judged on what is held out."""

from ethogram.decisions.discounting import (
    DISCOUNTING,
    DelayedChoices,
    Discounting,
    Exponential,
    GeneralisedHyperbolic,
    Hyperbolic,
    Payments,
    QuasiHyperbolic,
    by_person,
    by_problem,
    read_delayed,
)
from ethogram.decisions.features import FeatureLogit, SmallNet, features
from ethogram.decisions.gambles import Choices, Gambles, read_choices
from ethogram.decisions.inverse import InverseChooser, read_rankings
from ethogram.decisions.logit import MultinomialLogit
from ethogram.decisions.models import MODELS, ChoiceModel, ExpectedUtility, ExpectedValue, ProspectTheory
from ethogram.decisions.priority import PriorityHeuristic
from ethogram.decisions.trips import MODES, Trips, read_trips, swissmetro
from ethogram.decisions.validation import Held, cross_validated, folded

__all__ = [
    "DISCOUNTING",
    "MODELS",
    "MODES",
    "ChoiceModel",
    "Choices",
    "DelayedChoices",
    "Discounting",
    "ExpectedUtility",
    "ExpectedValue",
    "Exponential",
    "FeatureLogit",
    "Gambles",
    "GeneralisedHyperbolic",
    "Held",
    "Hyperbolic",
    "InverseChooser",
    "MultinomialLogit",
    "Payments",
    "PriorityHeuristic",
    "ProspectTheory",
    "QuasiHyperbolic",
    "SmallNet",
    "Trips",
    "by_person",
    "by_problem",
    "cross_validated",
    "features",
    "folded",
    "read_choices",
    "read_delayed",
    "read_rankings",
    "read_trips",
    "swissmetro",
]
