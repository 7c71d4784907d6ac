"""`twin-2k-500` as a language model answers it: a person in a line, and one of the 25 items that the line leaves out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.populations.depths import masked, shuffled
from ethogram.questionnaires.datasets.bfi import SCORES, TEXTS
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._twin_2k_500_bfi import ITEMS, MIDDLE, People, people, related

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request
    from ethogram.language.tuning import Lesson

__all__ = ["EMBEDDED", "PERSONAS", "SURROGATE", "answered", "asked", "lessons", "rate", "tuned"]

Array = NDArray[np.float64]
SURROGATE, EMBEDDED = "coded", "smollm2"
PERSONAS = ("own", "shuffled", "masked")
"""Whose line is shown: the person's own, somebody else's, or the own one without its age, gender and answers."""
OPTIONS = ("yes", "no")
REVERSED = {item for _, reverse in SCORES.values() for item in reverse}
SAID = tuple(text.rstrip(".") for text in TEXTS.values())
"""The items as they stand in a line."""
SYSTEM = "You know people well. Say how this person answers."
SLOPE = 2.0
"""The surrogate's law: its log-odds of yes, once all answers in the line speak for it."""
TOLD = re.compile(r"([^.:]+): (yes|no)\.")
ASKED = re.compile(r"([^.:]+): yes or no\?")


def described(known: People, rows: Sequence[int], item: int, shown: NDArray[np.int64]) -> dict[int, str]:
    """Some people in a line each, by row: age, gender, and yes or no to the items that go with one."""
    found = {}
    for row in rows:
        told = (f"{SAID[other]}: {'yes' if known.answers[row, other] > MIDDLE else 'no'}." for other in shown[item])
        found[row] = " ".join([f"{known.words[row]}.", *told])
    return found


def question(line: str, item: int) -> list[dict[str, str]]:
    """What a model is asked of a person and an item."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"{line} {SAID[item]}: yes or no?"}]


def lines(known: People, rows: Sequence[int], item: int, persona: str, seed: int) -> dict[int, str]:
    """The line that is shown for each of some people, by row."""
    found = described(known, rows, item, related(known))
    if persona == "shuffled":
        source = shuffled({str(row): str(row) for row in rows}, seed)
        return {row: found[int(source[str(row)])] for row in rows}
    if persona == "own":
        return found
    return {row: masked(line, [*OPTIONS, *known.words[row].split()[1::2]]) for row, line in found.items()}


def asked(known: People, count: int, items: int, seed: int) -> list[tuple[int, int]]:
    """Which rows of those held out are asked for which items: `count` people, `items` each, drawn at random."""
    rng = generator(seed, "asked")
    rows = np.sort(rng.permutation(known.held)[: count or len(known.held)])
    return [(int(row), int(i)) for row in rows for i in np.sort(rng.permutation(len(ITEMS))[:items])]


def asking(known: People, pairs: Sequence[tuple[int, int]], persona: str, seed: int) -> list[list[dict[str, str]]]:
    """The question of each pair."""
    rows = sorted({row for row, _ in pairs})
    shown = {item: lines(known, rows, item, persona, seed) for item in sorted({i for _, i in pairs})}
    return [question(shown[item][row], item) for row, item in pairs]


# --- the models ---


def rate(request: Request) -> dict[str, float]:
    """The surrogate's scores, a stated law: `SLOPE` times the mean of the line's answers (yes 1, no -1) for yes.

    Answers to items of the same score count, turned where one of the two is reversed; where there are none it is a coin.
    """
    text = request.messages[-1]["content"]
    names = dict(zip(SAID, ITEMS, strict=True))
    found = ASKED.search(text)
    name = names.get(found[1].strip(), "") if found else ""
    signs = []
    for words, answer in TOLD.findall(text):
        other = names.get(words.strip(), "")
        if other and other[0] == name[:1]:
            turned = (other in REVERSED) != (name in REVERSED)
            signs.append((1 if answer == "yes" else -1) * (-1 if turned else 1))
    odds = SLOPE * float(np.mean(signs)) if signs else 0.0
    return {option: odds if option == "yes" else 0.0 for option in OPTIONS}


def opened(name: str, cache: str = "") -> LanguageModel:
    """The model that plays: the surrogate, the embedded one, or any endpoint."""
    if name == SURROGATE:
        return scripted(lambda request: "", rate, name="line-surrogate")
    return open_model(name, cache=cache) if cache else open_model(name)


def answered(item: dict[str, Any], lab: Lab) -> list[list[float]]:
    """How likely a model holds each of yes and no, for each pair that it is asked; shape (pairs, 2)."""
    known = people(item["people"], item["share"], item["seed"])
    pairs = asked(known, item["count"], item["items"], item["seed"])
    prompts = asking(known, pairs, item["persona"], item["seed"])
    cache = "" if item["player"] == SURROGATE else str((lab.dir / "answers.sqlite").resolve())
    player = opened(item["player"], cache)
    by = "text" if player.backend.capability == "exact" else "label"  # endpoints tell the likelihoods of letters at best

    async def ask() -> list[list[float]]:
        async def one(messages: list[dict[str, str]]) -> list[float]:
            rng = np.random.default_rng(0)  # only the probabilities are taken
            choice = await player.choose(messages, list(OPTIONS), by=by, rng=rng, purpose="answer")
            return np.round(choice.probabilities, 6).tolist()

        try:
            return await asyncio.gather(*(one(messages) for messages in prompts))
        finally:
            await player.aclose()

    return run_coroutine(ask())


def lessons(known: People, count: int, alike: int, seed: int) -> list[Lesson]:
    """Questions about people who are fitted to, and how people like them answered.

    Args:
        known: the people.
        count: how many pairs of a person and an item, drawn at random.
        alike: of how many people the shares are: the person, and those fitted to whose answers in the line are nearest.
        seed: of the draw.
    """
    from ethogram.language.tuning import Lesson

    rng = generator(seed, "lessons")
    rows = rng.choice(known.fit, count)
    items = rng.permutation(np.resize(np.arange(len(ITEMS)), count))
    shown = related(known)
    found = []
    for row, item in zip(rows.tolist(), items.tolist(), strict=True):
        gap = ((known.answers[known.fit][:, shown[item]] - known.answers[row, shown[item]]) ** 2).sum(1)
        near = known.fit[np.argsort(gap, kind="stable")[:alike]]
        share = float(np.mean(known.answers[near, item] > MIDDLE))
        (line,) = described(known, [row], item, shown).values()
        found.append(Lesson(question(line, item), OPTIONS, (share, 1 - share), by="text"))
    return found


def tuned(item: dict[str, Any], lab: Lab) -> list[list[float]]:
    """The same as `answered` from a tuned model, the options in their own order; shape (pairs, 2)."""
    from ethogram.language.tuning import Lesson, predict

    known = people(item["people"], item["share"], item["seed"])
    pairs = asked(known, item["count"], item["items"], item["seed"])
    even = (1 / len(OPTIONS),) * len(OPTIONS)
    questions = [Lesson(m, OPTIONS, even, by="text") for m in asking(known, pairs, item["persona"], item["seed"])]
    return np.round(predict(lab.dir / "made" / item["folder"], questions), 6).tolist()


def guesses(known: People, pairs: Sequence[tuple[int, int]], chances: Sequence[Sequence[float]]) -> Array:
    """Answers on the scale as a table; shape (held out, 25), NaN where nothing was asked.

    Yes and no stand for what those who are fitted to answered on either side of the middle, on average, item by item.
    """
    table = np.full((len(known.answers), len(ITEMS)), np.nan)
    fit = known.answers[known.fit]
    sides = [
        np.where(side.any(0), (fit * side).sum(0) / np.maximum(side.sum(0), 1), MIDDLE)
        for side in (fit > MIDDLE, fit < MIDDLE)
    ]
    for (row, item), (yes, no) in zip(pairs, chances, strict=True):
        table[row, item] = yes * sides[0][item] + no * sides[1][item]
    return table[known.held]
