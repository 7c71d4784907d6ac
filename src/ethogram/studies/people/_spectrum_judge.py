"""The Twenty Statements judged: would you say this of yourself? A model plays a person of `spectrum` and accepts or rejects.

Three kinds of judges share the code: a surrogate with a stated law, the embedded model, and any endpoint.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.populations.depths import identity, shuffled
from ethogram.scene import Policies, scene
from ethogram.seeds import derive, generator
from ethogram.studies import Lab
from ethogram.studies.people import _spectrum_people as planted
from ethogram.studies.people._spectrum_retrieval import SHUFFLED, embedder
from ethogram.world import World

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request

__all__ = ["EMBEDDED", "SURROGATE", "YES_SAYER", "accepted", "judged", "rate", "twenty_statements"]

SURROGATE, EMBEDDED, YES_SAYER = "coded", "smollm2", "yes-sayer"
SLOPE, BAR, FIRST = 15.0, 0.2, 0.8
"""The surrogate's law: the log-odds of yes are `SLOPE` times (the cosine of the statement with the nearest sentence of the
description - `BAR`); and `FIRST` nats go to whatever answer stands first."""
SAYS_YES = 6.0
"""Nats for yes, of the judge that accepts everything."""
SYSTEM = "You are the double of this person, and think and feel as it does.\n"
QUOTED = re.compile(r'Would you say this of yourself\? "(.+?)"')
LISTED = re.compile(r"^([AB])\. (yes|no)$", re.MULTILINE)


def question(statement: str) -> str:
    """How a statement is put to a judge."""
    return f'Would you say this of yourself? "{statement}"'


def odds(description: str, statement: str) -> float:
    """The surrogate's log-odds of yes."""
    said = planted.sentences(description)
    vectors = embedder().embed([statement, *said]).astype(float)
    return SLOPE * (float((vectors[1:] @ vectors[0]).max()) - BAR)


def rate(request: Request) -> dict[str, float]:
    """The surrogate's scores."""
    user = request.messages[-1]["content"]
    found = QUOTED.search(user)
    yes = odds(request.messages[0]["content"], found[1] if found else "")
    return {letter: yes * (answer == "yes") + FIRST * (letter == "A") for letter, answer in LISTED.findall(user)}


def always(request: Request) -> dict[str, float]:
    """The scores of the judge that accepts everything."""
    answers = LISTED.findall(request.messages[-1]["content"])
    return {letter: SAYS_YES * (answer == "yes") for letter, answer in answers}


def opened(name: str, cache: str = "") -> LanguageModel:
    """The judge of this name."""
    if name in (SURROGATE, YES_SAYER):
        return scripted(rate=rate if name == SURROGATE else always, name=f"spectrum-{name}")
    return open_model(name, cache=cache) if cache else open_model(name)


def descriptions(everybody: Sequence[planted.Person], view: str, seed: int) -> dict[str, str]:
    """The description of each by name, in a view."""
    if view == SHUFFLED:
        return shuffled({p.name: identity(context=" ".join(p.parts["C"])) for p in everybody}, derive(seed, "shuffled"))
    return {person.name: planted.told(person, view) for person in everybody}


def put(everybody: Sequence[planted.Person], count: int, seed: int) -> dict[str, dict[str, list[str]]]:
    """For each of the first people so many statements of its own and as many of others, none that it makes itself."""
    found = {}
    for person in everybody:
        rng = generator(seed, "put", person.name)
        mine = [s.text for s in person.statements]
        others = sorted({s.text for other in everybody if other is not person for s in other.statements} - set(mine))
        found[person.name] = {
            "own": [mine[int(i)] for i in rng.permutation(len(mine))[:count]],
            "others": [others[int(i)] for i in rng.permutation(len(others))[:count]],
        }
    return found


def accepted(item: Mapping[str, Any], lab: Lab) -> list[dict[str, list[float]]]:
    """How likely a judge is to accept statements as this or that person, in one view.

    Args:
        item: `judge`, `view`, `seed`, `people` (in the population), `judged` (who are played) and `statements` (of its own,
            and as many of others, that each judges).
        lab: for the file in which a model's answers are kept.

    Returns:
        For each person the probability of yes for its `own` statements and for those of `others`.
    """
    everybody = planted.people(item["people"], item["seed"])
    texts = descriptions(everybody, item["view"], item["seed"])
    questions = put(everybody, item["statements"], item["seed"])
    coded = item["judge"] in (SURROGATE, YES_SAYER)
    judge = opened(item["judge"], "" if coded else str((lab.dir / "answers.sqlite").resolve()))

    async def ask() -> list[dict[str, list[float]]]:
        try:  # one person after the other: a model then reads each description once
            return [await judged(judge, texts[p.name], questions[p.name]) for p in everybody[: item["judged"]]]
        finally:
            await judge.aclose()

    return run_coroutine(ask())


async def judged(judge: LanguageModel, text: str, questions: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """The probability of yes for each statement, averaged over the order of the answers."""

    async def one(statement: str) -> float:
        messages = [{"role": "system", "content": SYSTEM + text}, {"role": "user", "content": question(statement)}]
        choice = await judge.choose(messages, ["yes", "no"], rng=np.random.default_rng(0), purpose="judge")
        return round(float(choice.probabilities[0]), 9)

    return {whose: list(await asyncio.gather(*map(one, some))) for whose, some in questions.items()}


@scene
def twenty_statements(
    judge: str, view: str, people: int = 60, judged: int = 4, statements: int = 3, seed: int = 0, cache: str = ""
) -> tuple[World, Policies]:
    """Some people's statements as a questionnaire, which each of them answers as it is described.

    Args:
        judge: the surrogate's word, or the spelling of a language model.
        view: of what a description consists.
        people: in the population.
        judged: how many are played.
        statements: of each that are put to all.
        seed: of the population.
        cache: file of the model's answers.
    """
    from ethogram.policies.prompted.respondent import Respondent
    from ethogram.questionnaires import Block, Choice, Questionnaire
    from ethogram.worlds.coded.survey import Survey

    everybody = planted.people(people, seed)
    texts = [s.text for person in everybody[:judged] for s in person.statements[:statements]]
    items: Any = [
        Choice(name=f"s{i + 1}", text=question(text), options=["yes", "no"]) for i, text in enumerate(dict.fromkeys(texts))
    ]
    form = Questionnaire(title="Twenty Statements", block=[Block(name="statements", item=items)])
    told = descriptions(everybody, view, seed)
    names = [person.name for person in everybody[:judged]]
    return Survey(form, names), Respondent(opened(judge, cache), {name: told[name] for name in names})
