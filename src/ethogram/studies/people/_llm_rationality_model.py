"""`llm-rationality` as a language model answers it: forward, between gambles; inverse, between the choices of others."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.decisions import Choices, Gambles, ProspectTheory
from ethogram.decisions.asking import Outcome, TwoGambles
from ethogram.decisions.inverse import CARDS
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.policies.prompted.prompted_gambler import PromptedGambler, Weighed, gamble
from ethogram.scene import Policies, scene
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._llm_rationality_forward import clear, people
from ethogram.studies.people._llm_rationality_inverse import inferred
from ethogram.world import World
from ethogram.worlds.coded.gambling import Gambling

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request
    from ethogram.language.tuning import Lesson

__all__ = [
    "EMBEDDED",
    "FIRST",
    "SURROGATE",
    "between",
    "chosen_cards",
    "chosen_rows",
    "compared",
    "described",
    "foretold",
    "lessons",
    "preferred",
    "seen",
    "weighed",
]

Array = NDArray[np.float64]
SURROGATE, EMBEDDED = "coded", "smollm2"
FIRST, CERTAIN, INFERS = 0.8, 1.0, 3.0
"""The surrogate's law, in nats: for whatever stands first; for a dollar of expected value, once it has written it down; for
a unit of utility that a choice reveals."""
TASTE = ProspectTheory({"sensitivity": 1.5, "gain": 0.8, "loss": 0.8, "aversion": 1.5, "gamma": 0.6, "delta": 0.6}, scale=10)
OUTCOME = re.compile(r"\$(-?[\d.]+) with ([\d.]+)% chance")
LISTED = re.compile(r"^([AB])\. (.+)$", re.MULTILINE)
VALUES = re.compile(r"expected value of A is (\S+) and that of B is (\S+)\.")
WORDS = {
    "positive": dict(zip("abcdx", ("black", "yellow", "brown", "blue", "red"), strict=True)),
    "negative": dict(zip("abcdx", ("arm", "leg", "back", "foot", "hand"), strict=True)),
}
NAMES = ("first", "second")
"""Of the gambles in lessons, by which a tuned model answers: one token each, for letters it does not learn from so few."""
ASKED = {
    "positive": "Two people each had to take one of several bags of candies. Which choice more strongly suggests that the "
    "person likes red candies?",
    "negative": "Two people each had to take one of several sets of electric shocks. Which choice more strongly suggests "
    "that the person finds shocks at the hand tolerable?",
}


# --- the surrogate ---


def preferred(text: str) -> float:
    """What the surrogate's taste says of the gambles listed in a text: log-odds of B over A."""
    a, b = _gambles(text)
    return TASTE.parameters["sensitivity"] * float((TASTE.worth(b) - TASTE.worth(a))[0])


def _gambles(text: str) -> list[Gambles]:
    found = []
    for _, line in LISTED.findall(text):
        x, percent = np.array([(float(x), float(p)) for x, p in OUTCOME.findall(line)]).T
        found.append(Gambles((percent / percent.sum())[None], x[None]))  # per cent are rounded
    return found


def rate(request: Request) -> dict[str, float]:
    """The surrogate's scores: a stated law, with a bias planted to be found.

    Between gambles it goes by prospect theory (`TASTE`), for itself and others alike; if it has written down expected
    values, by these. Between choices it goes by the utility of x that they reveal. It adds `FIRST` to what stands first.
    """
    text = request.messages[-1]["content"]
    if not OUTCOME.search(text):
        cards = _revealed("positive" if "candies" in text else "negative")
        return {letter: INFERS * cards[line] + FIRST * (letter == "A") for letter, line in LISTED.findall(text)}
    known = VALUES.search("".join(m["content"] for m in request.messages if m["role"] == "assistant"))
    odds = CERTAIN * (float(known[2]) - float(known[1])) if known else preferred(text)
    return {"A": FIRST, "B": odds}


def respond(request: Request) -> str:
    """The surrogate's replies: expected values where it is to think, else a forecast by the same law."""
    text = next(m["content"] for m in request.messages if OUTCOME.search(m["content"]))
    if request.schema is None:
        a, b = (float(g.expected[0]) for g in _gambles(text))
        return f"The expected value of A is {a:.4f} and that of B is {b:.4f}."
    known = VALUES.search("".join(m["content"] for m in request.messages if m["role"] == "assistant"))
    odds = CERTAIN * (float(known[2]) - float(known[1])) if known else preferred(text)
    return json.dumps({"percent_a": round(100 / (1 + math.exp(min(odds - FIRST, 500))))})


@cache
def _revealed(condition: str) -> dict[str, float]:
    found = inferred(condition, 1000, 0)
    return {described(card, condition): float(value) for card, value in zip(CARDS, found.absolute, strict=True)}


def opened(name: str, cache: str = "") -> LanguageModel:
    """The model that plays: the surrogate, the embedded one, or any endpoint."""
    if name == SURROGATE:
        return scripted(respond, rate, name="prospect-surrogate")
    return open_model(name, cache=cache) if cache else open_model(name)


def _cache(lab: Lab, name: str) -> str:
    return "" if name == SURROGATE else str((lab.dir / "answers.sqlite").resolve())


# --- forward ---


def chosen_rows(data: Choices, count: int, outcomes: int, seed: int) -> NDArray[np.int64]:
    """At most so many clear problems with no more outcomes in both gambles together, that are not worded alike."""
    sizes = (data.a.probabilities > 0).sum(1) + (data.b.probabilities > 0).sum(1)
    short = np.flatnonzero(sizes <= outcomes)
    order = generator(seed, "asked").permutation(short)
    found = [int(i) for i in order[: 2 * count] if len({gamble(side) for side in (seen(data, i).a, seen(data, i).b)}) == 2]
    return np.array(found[:count], dtype=np.int64)


def seen(data: Choices, row: int) -> TwoGambles:
    """A problem as somebody sees it in the world."""
    a, b = (
        [Outcome(chance=p, amount=x) for p, x in zip(g.probabilities[row], g.outcomes[row], strict=True) if p > 0]
        for g in (data.a, data.b)
    )
    return TwoGambles(a=a, b=b, number=0, got=None)


def weighed(item: dict[str, Any], lab: Lab) -> list[list[list[float]]]:
    """What a model makes of problems; scores of shape (problems, orders, 2)."""
    data = clear(people(item["limit"], lab.seed))
    player = opened(item["player"], _cache(lab, item["player"]))
    policy = PromptedGambler(player, framing=item["framing"], think=item["think"], tokens=item["tokens"])
    policy.reset(lab.seed, [])

    async def ask() -> list[Weighed]:
        try:
            return await asyncio.gather(*(policy.weigh(f"problem {row}", seen(data, row)) for row in item["rows"]))
        finally:
            await player.aclose()

    return [one.scores.tolist() for one in run_coroutine(ask())]


@scene
def between(player: str, rows: list[int], limit: int = 0, seed: int = 0, cache: str = "") -> tuple[World, Policies]:
    """A language model chooses between gambles of choices13k, for itself and directly.

    Args:
        player: `coded` for the surrogate, or the spelling of a language model.
        rows: of the clear problems, which are chosen between in this order.
        limit: rows that the data are cut down to; 0: all.
        seed: of the study, by which they are cut down.
        cache: file of the model's answers.
    """
    data = clear(people(limit, seed))
    return Gambling(data.a[rows], data.b[rows], 1, feedback=False), PromptedGambler(opened(player, cache))


# --- inverse ---


def described(card: str, condition: str) -> str:
    """A choice in words: `Bags: blue, brown / red, yellow / black, red. Chosen: black, red.`"""
    words = WORDS[condition]
    bags = [", ".join(words[attribute] for attribute in sorted(bag)) for bag in card.split("/")]
    return f"{'Bags' if condition == 'positive' else 'Sets'}: {' / '.join(bags)}. Chosen: {bags[-1]}."


def chosen_cards(count: int, draws: int, seed: int) -> list[int]:
    """So many of the 47 choices, evenly over the order in which the model of absolute utility puts them."""
    order = np.argsort(inferred("positive", draws, seed).absolute, kind="stable")
    return sorted(
        int(order[i]) for i in np.unique(np.round(np.linspace(0, len(CARDS) - 1, min(count, len(CARDS))))).astype(int)
    )


def compared(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """All pairs of some choices, each asked for in both orders.

    Returns:
        `won`: the probability that the row's choice is stronger evidence than the column's, shape (cards, cards), a half
        on the diagonal; `first`: the probability of what is named first, a value a pair.
    """
    cards, condition = item["cards"], item["condition"]
    player = opened(item["player"], _cache(lab, item["player"]))
    told = [described(CARDS[i], condition) for i in cards]
    pairs = list(combinations(range(len(cards)), 2))

    async def ask() -> list[Weighed]:
        async def one(i: int, j: int) -> Weighed:
            scores = []
            for order in ((i, j), (j, i)):
                choice = await player.choose(
                    ASKED[condition],
                    [told[k] for k in order],
                    rng=np.random.default_rng(0),
                    average=False,
                    purpose="compare",
                )
                scores.append(choice.scores if order == (i, j) else choice.scores[::-1])
            return Weighed(np.array(scores))

        try:
            return await asyncio.gather(*(one(i, j) for i, j in pairs))
        finally:
            await player.aclose()

    won = np.full((len(cards), len(cards)), 0.5)
    found = run_coroutine(ask())
    for (i, j), weighed_ in zip(pairs, found, strict=True):
        won[j, i] = weighed_.chance()
        won[i, j] = 1 - won[j, i]
    return {"won": won.tolist(), "first": [one.first_named for one in found]}


def strengths(won: Array) -> Array:
    """How strong each choice is as evidence: how likely it is to win against the others, mean; shape (cards,)."""
    n = len(won)
    return np.round((won.sum(1) - 0.5) / (n - 1), 9)  # what is alike but for rounding is tied


def cyclic(won: Array) -> tuple[int, int]:
    """Of all triples, how many go round in a circle (each beats the next); and how many there are."""
    beats = won > 0.5
    triples = list(combinations(range(len(won)), 3))
    circles = sum(
        (beats[i, j] and beats[j, k] and beats[k, i]) or (beats[j, i] and beats[k, j] and beats[i, k]) for i, j, k in triples
    )
    return int(circles), len(triples)


def chances(scores: Sequence[Sequence[Sequence[float]]], temperature: float = 1.0, orders: int = 2) -> Array:
    """P(B) of each problem, by the mean over orders or by the first alone."""
    return np.array([Weighed(np.array(one)[:orders]).chance(temperature) for one in scores])


def first_named(scores: Sequence[Sequence[Sequence[float]]]) -> Array:
    """The probability of what is named first, problem by problem."""
    return np.array([Weighed(np.array(one)).first_named for one in scores])


def lesson(data: Choices, row: int, turned: bool) -> Lesson:
    """A problem as a lesson for tuning: both gambles as in prompts, B named first if turned, and how many chose which.

    The question is that of the framing `predict` in fewer words, for tuning is paid by the token.
    """
    from ethogram.language.tuning import Lesson

    one, share = seen(data, row), float(data.rate[row])
    told, shares = (gamble(one.a), gamble(one.b)), (1 - share, share)
    if turned:
        told, shares = told[::-1], shares[::-1]
    text = f"First: {told[0]}.\nSecond: {told[1]}.\nWhich machine does a person choose?"
    return Lesson([{"role": "system", "content": "Gambles."}, {"role": "user", "content": text}], NAMES, shares, by="text")


def lessons(data: Choices, rows: NDArray[np.int64]) -> list[Lesson]:
    """A lesson a problem; in every other one B is named first."""
    return [lesson(data, int(row), place % 2 == 1) for place, row in enumerate(rows)]


def foretold(folder: Path | None, base: str, data: Choices, rows: NDArray[np.int64]) -> Array:
    """P(B) of each problem by a tuned model, or by the base where there is no folder.

    Log-odds are means over both orders of the gambles, and for each over both orders of their names in the list.
    """
    from ethogram.language.tuning import predict

    odds = np.zeros(len(rows))
    for turned, second in ((False, 1), (True, 0)):
        asked = [lesson(data, int(row), turned) for row in rows]
        found = np.log(predict(folder, asked, base=base, average=True))
        odds += (found[:, second] - found[:, 1 - second]) / 2
    return 1 / (1 + np.exp(-odds))
