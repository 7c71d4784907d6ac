"""Who chooses in `shapley-llm`: the logit that people's choices give, a biased twin of it, and language models.

The coded ones are models that read the prompt's text and score its options by a stated law, so that the whole way from
prompts to attributions is judged by what is known to be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.logit import MultinomialLogit
from ethogram.decisions.trips import swissmetro
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.studies.people._shapley_llm_prompts import INFORMATIVE

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request

__all__ = [
    "BIASED",
    "CODED",
    "COLOUR",
    "FIRST",
    "FORM",
    "LOGIT",
    "LOSS",
    "analytic",
    "drawn_effects",
    "effects",
    "opened",
    "people",
]

Array = NDArray[np.float64]
LOGIT, BIASED = "logit", "biased"
CODED = (LOGIT, BIASED)
FORM, COLOUR, FIRST = 0.4, -0.2, 1.0
"""What is planted in the biased twin, in nats: a form's number speaks for Swissmetro, the ticket's colour against it, and
whatever is listed first is preferred."""
LOSS = 0.8
"""Both coded policies prefer the gamble by so much more for each option that tells of deaths; the biased one goes by `FORM`
where programmes are called R and S."""
COLUMNS = {"price": "cost", "time": "time", "wait": "headway"}
NUMBERS = {
    "price": re.compile(r"Price: (\d+(?:\.\d+)?) francs by train, (\d+(?:\.\d+)?) francs"),
    "time": re.compile(r"Duration: (\d+(?:\.\d+)?) minutes by train, (\d+(?:\.\d+)?) minutes"),
    "wait": re.compile(r"Departures: every (\d+(?:\.\d+)?) minutes by train, every (\d+(?:\.\d+)?) minutes"),
}
LISTED = re.compile(r"^([AB])\. (.+)$", re.MULTILINE)


@cache
def people() -> MultinomialLogit:
    """The logit of all recorded choices between train, Swissmetro and car; its covariance is robust to persons."""
    trips = swissmetro()
    x, names = trips.attributes()
    return MultinomialLogit(names).fit(x, trips.chosen, trips.available, trips.person)


def effects(pairs: Array) -> Array:
    """What each informative part adds to people's log-odds of Swissmetro over train, shape (prompts, 3).

    Args:
        pairs: price, time and wait by train and by Swissmetro, shape (prompts, 3, 2).
    """
    logit = people()
    weights = np.array([logit.coefficient(COLUMNS[part]) for part in INFORMATIVE])
    return weights * (pairs[..., 1] - pairs[..., 0]) / 100


def drawn_effects(pairs: Array, draws: int, seed: int = 0) -> Array:
    """The same for coefficients drawn from their distribution, shape (draws, prompts, 3)."""
    logit = people()
    at = [list(logit.names).index(COLUMNS[part]) for part in INFORMATIVE]
    weights = np.random.default_rng(seed).multivariate_normal(logit.coefficients[at], logit.cov[np.ix_(at, at)], draws)
    return weights[:, None] * (pairs[..., 1] - pairs[..., 0]) / 100


def analytic(adds: Array, constant: float) -> Array:
    """Shapley values of P = 1 / (1 + exp(-(constant + Σ adds))), worked out order by order, shape (..., parts)."""
    found, orders = np.zeros(adds.shape), list(permutations(range(adds.shape[-1])))
    for order in orders:
        total = np.full(adds.shape[:-1], constant)
        for part in order:
            more = total + adds[..., part]
            found[..., part] += 1 / (1 + np.exp(-more)) - 1 / (1 + np.exp(-total))
            total = more
    return found / len(orders)


def liking(text: str, biased: bool) -> float:
    """The log-odds of the second option (Swissmetro, or the gamble with lives) over the first, by a prompt's text."""
    planted = 0.0
    if "Programme" in text:
        planted = FORM * biased * ("Programme R" in text)
        return (
            LOSS * len(re.findall(r"^[AB]\. Programme \w: (?:\d+ people will die|1/3 probability that nobody)", text, re.M))
            + planted
        )
    if biased:
        planted = FORM * bool(re.search(r"Form \w-\d+", text)) + COLOUR * bool(re.search(r"ticket: \w+ by train", text))
    told = [NUMBERS[part].search(text) for part in INFORMATIVE]
    pairs = np.array([[float(found[1]), float(found[2])] if found else [0.0, 0.0] for found in told])
    return float(effects(pairs[None]).sum()) - people().coefficient("train") + planted


def rater(biased: bool) -> Callable[[Request], dict[str, float]]:
    """The scores of a coded policy."""

    def rate(request: Request) -> dict[str, float]:
        text = request.messages[-1]["content"]
        second = liking(text, biased)
        return {
            letter: second * ("Swissmetro" in line or "1/3" in line) + FIRST * (biased and letter == "A")
            for letter, line in LISTED.findall(text)
        }

    return rate


def opened(name: str, cache: str = "") -> LanguageModel:
    """A coded policy, the embedded model, or any endpoint."""
    if name in CODED:
        return scripted(rate=rater(name == BIASED), name=f"{name}-surrogate")
    return open_model(name, cache=cache) if cache else open_model(name)
