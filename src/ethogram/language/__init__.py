"""Language models: one `model(...)` for embedded weights, endpoints, scripts and records.

Importing this loads no back end; each is loaded when a model of its kind is first used.
"""

from ethogram.language.backends import Backend, Fault
from ethogram.language.budget import Budget, Prices, Spent, spending
from ethogram.language.cache import Cache
from ethogram.language.choice import Choice
from ethogram.language.embedder import Embedder
from ethogram.language.model import LanguageModel, Probe
from ethogram.language.names import Status, available, check, model, scripted
from ethogram.language.request import Answer, Reply, Request, Scores

__all__ = [
    "Answer",
    "Backend",
    "Budget",
    "Cache",
    "Choice",
    "Embedder",
    "Fault",
    "LanguageModel",
    "Prices",
    "Probe",
    "Reply",
    "Request",
    "Scores",
    "Spent",
    "Status",
    "available",
    "check",
    "model",
    "scripted",
    "spending",
]
