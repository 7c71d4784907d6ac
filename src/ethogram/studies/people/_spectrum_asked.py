"""A model answers as real people for `spectrum`: told who they are (S), half of their answers (P), or both."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.populations.depths import answered, identity
from ethogram.questionnaires.datasets.bfi import LABELS, SCORES, TEXTS, bfi
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._spectrum_bfi import halves
from ethogram.studies.people._spectrum_judge import FIRST, SURROGATE, SYSTEM

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request

__all__ = ["ARMS", "answers_as", "asked_of", "expected"]

ARMS = ("S", "P", "SP")
LOW, HIGH, SHARP = 1, 6, 2.0
"""The ends of the scale; and how many nats a point of it costs the surrogate."""
PAIR = re.compile(r"^Question: (.+)\nAnswer: (.+)$", re.MULTILINE)
QUOTED = re.compile(r'describe you\? "(.+?)"')
LISTED = re.compile(r"^([A-F])\. (.+)$", re.MULTILINE)
SAID = [LABELS[point] for point in range(LOW, HIGH + 1)]
"""The points of the scale in words."""
KEYS = {TEXTS[i]: (letter, i in turned) for letter, turned in SCORES.values() for i in TEXTS if i[0] == letter}
"""The trait of each phrase, and whether it is reversed."""


def expected(known: Sequence[tuple[str, float]], phrase: str) -> float:
    """The surrogate's answer: the mean of what is known of the same trait, turned where keys say so; else the middle."""
    letter, turned = KEYS[phrase]
    same = [LOW + HIGH - value if KEYS[text][1] else value for text, value in known if KEYS[text][0] == letter]
    middle = float(np.mean(same)) if same else (LOW + HIGH) / 2
    return LOW + HIGH - middle if turned else middle


def rate(request: Request) -> dict[str, float]:
    """The surrogate's scores: `SHARP` nats off for each point from its answer, and `FIRST` for what stands first."""
    options = LISTED.findall(request.messages[-1]["content"])
    phrase = QUOTED.search(request.messages[-1]["content"])
    known = [(text, float(SAID.index(said) + LOW)) for text, said in PAIR.findall(request.messages[0]["content"])]
    goal = expected(known, phrase[1]) if phrase else (LOW + HIGH) / 2
    return {a: -SHARP * abs(SAID.index(said) + LOW - goal) + FIRST * (a == "A") for a, said in options}


def asked_of(people: int, items: int, seed: int) -> list[dict[str, Any]]:
    """Real people with what a model is told of them and asked.

    Returns:
        For each the description by arm (`told`), the `phrases` asked, its `answers`, and the `mean` answers of all others.
    """
    import polars as pl

    form, table = bfi()
    names = list(form.items)
    table = table.drop_nulls([*names, "age", "gender"])
    sums = table.select(pl.col(names).sum()).row(0, named=True)
    found = []
    for row in generator(seed, "asked").permutation(table.height)[:people]:
        person = table.row(int(row), named=True)
        rng = generator(seed, "asked", int(row))
        given, wanted = halves(names, rng)
        chosen = [names[wanted[int(k)]] for k in rng.permutation(len(wanted))[:items]]
        social = identity(
            social=f"Gender: {person['gender']}. Age: {person['age']:.0f}. Education: {person['education'] or 'not said'}."
        )
        personal = answered([(TEXTS[names[i]], SAID[int(person[names[i]]) - LOW]) for i in given])
        told = {"S": social, "P": personal, "SP": f"{social}\n{personal}"}
        means = [(sums[name] - person[name]) / max(table.height - 1, 1) for name in chosen]
        phrases, said = [TEXTS[name] for name in chosen], [float(person[name]) for name in chosen]
        found.append({"told": told, "phrases": phrases, "answers": said, "mean": means})
    return found


def answers_as(item: Mapping[str, Any], lab: Lab) -> list[dict[str, float]]:
    """The accuracy of a model's answers as each real person: by arm, and of the mean of everybody else.

    Args:
        item: `player`, `people` and `items`.
        lab: for its seed, and for the file in which a model's answers are kept.
    """
    people = asked_of(item["people"], item["items"], lab.seed)
    cache = str((lab.dir / "answers.sqlite").resolve())
    coded = item["player"] == SURROGATE
    player = scripted(rate=rate, name="spectrum-keys") if coded else open_model(item["player"], cache=cache)

    async def ask() -> list[dict[str, float]]:
        try:
            return [await _as(player, person) for person in people]
        finally:
            await player.aclose()

    return run_coroutine(ask())


async def _as(player: LanguageModel, person: Mapping[str, Any]) -> dict[str, float]:
    truth = np.array(person["answers"])

    async def one(told: str, phrase: str) -> float:
        question = f'How accurately does this phrase describe you? "{phrase}"'
        messages = [{"role": "system", "content": SYSTEM + told}, {"role": "user", "content": question}]
        choice = await player.choose(messages, SAID, rng=np.random.default_rng(0), purpose="answer")
        return float(choice.probabilities @ np.arange(LOW, HIGH + 1))

    found = {"mean": _accuracy(np.array(person["mean"]), truth)}
    for arm in ARMS:
        said = await asyncio.gather(*(one(person["told"][arm], phrase) for phrase in person["phrases"]))
        found[arm] = _accuracy(np.array(said), truth)
    return found


def _accuracy(said: np.ndarray, truth: np.ndarray) -> float:
    """1 less the mean absolute error as a share of the range."""
    return round(float(1 - np.abs(said - truth).mean() / (HIGH - LOW)), 9)
