"""Who `deep-binding` is about: partisans of the ANES, samples of them, their personas, and laws of what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.language.tuning import Lesson
from ethogram.populations.depths import answered, biography, one_line
from ethogram.questionnaires.datasets.anes import LEVELS, PARTIES, STATES, THERMOMETERS, anes
from ethogram.seeds import generator

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "DEGREES",
    "ITEMS",
    "OPTIONS",
    "SIDES",
    "drawn",
    "histogram",
    "identities",
    "law",
    "lesson",
    "messages",
    "partisans",
    "personas",
    "primers",
    "shares",
    "spread",
    "story",
    "tested",
    "trained",
    "turned",
]

Array = NDArray[np.float64]

SIDES = PARTIES[:2]
"""Democrats and Republicans; those who lean to a party are with it."""
ITEMS = tuple(THERMOMETERS)
DEGREES = 101
OPTIONS = ("cold", "warm", "hot")
"""What a thermometer is asked as: of the marks of the respondents' card 0 to 40, 50 to 70, and 85 to 100."""
EDGES = (44.5, 77.5)
BEFORE, AFTER = 1996, 2000
"""The last year that is learned from, and the first that is tested."""
LEAST = 30
"""A cell of fewer people says nothing of its own."""
ASKED = {"democrats": "the Democrats", "republicans": "the Republicans"}
TOLD = ("age", "race", "education", "income", "identity")
"""What everybody who takes part has told, with both thermometers."""


@cache
def partisans() -> pl.DataFrame:
    """Those who side with a party, rate both, and told who they are; with `own` and `other` degrees."""
    import polars as pl

    democrat = pl.col("party") == SIDES[0]
    return (
        anes()[1]
        .filter(pl.col("party").is_in(SIDES))
        .drop_nulls([*TOLD, *ITEMS])
        .with_columns(
            own=pl.when(democrat).then("democrats").otherwise("republicans"),
            other=pl.when(democrat).then("republicans").otherwise("democrats"),
        )
    )


def trained() -> pl.DataFrame:
    """Partisans of the years that are learned from."""
    return partisans().filter(partisans()["year"] <= BEFORE)


def tested() -> pl.DataFrame:
    """Partisans of the years that are tested."""
    return partisans().filter(partisans()["year"] >= AFTER)


def drawn(people: pl.DataFrame, each: int, seed: int) -> pl.DataFrame:
    """As many people of each year and party identification, with `weight`: their stratum's share of the party in that year.

    Strata make the sample small: how warmly one feels hangs most of all on how strongly one identifies.
    """
    import polars as pl

    found = []
    for (year, identity), stratum in people.group_by(["year", "identity"], maintain_order=True):
        rng = generator(seed, "people", str(year), str(identity))
        rows = np.sort(rng.choice(stratum.height, min(each, stratum.height), replace=False))
        party = people.filter((pl.col("year") == year) & (pl.col("party") == stratum["party"][0])).height
        found.append(stratum[rows].with_columns(weight=pl.lit(stratum.height / party / len(rows))))
    return pl.concat(found).sort("year", "identity", "respondent")


# --- what people are called in prompts ---


def personas(person: Mapping[str, Any]) -> dict[str, str]:
    """A person of the survey at each depth: the text that a respondent is told it is; empty for none."""
    line = {name: person[name] for name in ("age", "race", "education", "income", "party")}
    every = {name: value for name, value in _told(person).items() if value is not None}
    asked = [(QUESTIONS[name], str(value)) for name, value in every.items() if name in QUESTIONS]
    return {
        "none": "",
        "line": one_line(line),
        "biography": biography(every, seed=0),
        "answers": answered(asked),
        "story": story(person),
    }


QUESTIONS = {
    "year": "What year is it?",
    "age": "How old are you?",
    "race": "What is your race?",
    "state": "Where do you live?",
    "education": "How far did you go in school?",
    "income": "Where is your household's income?",
    "identity": "What are you in politics?",
    "interest": "How often do you follow public affairs?",
}


def _told(person: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: person.get(name) for name in QUESTIONS}
    return known | {"state": STATES.get(str(person.get("state")))}


def story(person: Mapping[str, Any]) -> str:
    """A short life story, in the first person, of what a person of the survey told; what is missing is not told."""
    place = f", from {STATES[person['state']]}" if person.get("state") else ""
    race = "of another race" if person["race"] == "other" else person["race"]
    follows = f", and follow politics {person['interest']}" if person.get("interest") else ""
    school = f"I left school with {person['education']}; our income is in the {person['income']}."
    party = f"I am {'an' if person['identity'].startswith('I') else 'a'} {person['identity']}{follows}."
    return f"It is {person['year']}. I am {person['age']}, {race}{place}. {school} {party}"


def messages(persona: str, item: str, party: str = "") -> list[dict[str, str]]:
    """A thermometer as a chat; the options are listed by whoever asks.

    Args:
        persona: who the respondent is told it is.
        item: the thermometer.
        party: the side that the persona is on, where it has one: which party is its own is then said, as it is asked for
            own and other groups.
    """
    who = f"You are this person: {persona}" if persona else "You are a person in a survey."
    whose = "" if not party else "your own party, " if ASKED[item] == f"the {party}s" else "the other party, "
    return [
        {"role": "system", "content": who},
        {"role": "user", "content": f"How do you feel about {whose}{ASKED[item]}?"},
    ]


# --- answers, as shares of the options ---


def shares(degrees: Any) -> Array:
    """Shares of `OPTIONS` among degrees, shape (options,)."""
    counts = np.bincount(np.digitize(np.asarray(degrees, float), EDGES), minlength=len(OPTIONS))
    return counts / max(1, counts.sum())


def histogram(degrees: Any) -> Array:
    """How often each whole degree from 0 to 100 was given, shape (101,)."""
    return np.bincount(np.rint(np.asarray(degrees, float)).astype(int), minlength=DEGREES).astype(float)


@cache
def spread() -> Array:
    """What degrees an option stands for: their shares among all partisans of the training years, shape (options, 101)."""
    given = histogram(np.concatenate([trained()[item].to_numpy() for item in ITEMS]))
    option = np.digitize(np.arange(DEGREES), EDGES)
    table = np.stack([np.where(option == place, given, 0.0) for place in range(len(OPTIONS))])
    return table / table.sum(1, keepdims=True)


STORY = (("identity", "_white", "year"), ("identity", "_white"), ("identity",), ())
CELLS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "none": ((),),
    "line": (("party", "_white", "_college"), ("party",), ()),
    "story": STORY,
    "answers": STORY,
}
"""Whose answers stand for somebody who is known at a depth: those of the training years who share this with him; where they
are too few, who share the next."""


def _keyed(person: Mapping[str, Any]) -> dict[str, Any]:
    return {**person, "_white": person["race"] == "white", "_college": person["education"] in LEVELS["education"][5:]}


@cache
def _cells(depth: str) -> dict[tuple[Any, ...], tuple[int, dict[str, Array]]]:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for person in trained().iter_rows(named=True):
        keyed = _keyed(person)
        for names in CELLS[depth]:
            found.setdefault((names, *(keyed[name] for name in names)), []).append(person)
    return {key: (len(rows), {item: shares([row[item] for row in rows]) for item in ITEMS}) for key, rows in found.items()}


def law(person: Mapping[str, Any], depth: str, item: str) -> Array:
    """Shares of the options by the stated law of a depth: of the people of the training years in the person's cell."""
    keyed, cells = _keyed(person), _cells(depth)
    for names in CELLS[depth]:
        many, found = cells.get((names, *(keyed[name] for name in names)), (0, {}))
        if many >= LEAST or not names:
            return found[item]
    raise AssertionError("the last cell holds everybody")


@cache
def identities() -> Array:
    """The law of party identification alone: shares of the options, shape (6 identifications, items, options)."""
    people = trained()
    sides = [level for level in LEVELS["identity"] if level != PARTIES[2]]
    return np.stack([np.stack([shares(people.filter(people["identity"] == one)[item]) for item in ITEMS]) for one in sides])


def lesson(person: Mapping[str, Any], depth: str, item: str) -> Lesson:
    """What is learned of one person and thermometer: its persona at a depth, and the answers of its cell.

    Args:
        person: a row of `partisans`.
        depth: of the persona, and of the cell.
        item: the thermometer.
    """
    target = law(person, depth, item)
    text = personas(person)[depth]
    return Lesson(
        messages(text, item, person["party"] if text else ""),
        OPTIONS,
        tuple(float(share) for share in target / target.sum()),
        by="text",
    )


def primers(n: int, seed: int) -> list[Lesson]:
    """Lessons of reading, which say nothing about people: a persona says how it feels about each party, at random.

    A small model must first learn to say what it has just read, whatever the order of the options.
    """
    rng, found = generator(seed, "primers"), []
    for _ in range(n):
        feels = {item: int(place) for item, place in zip(ITEMS, rng.integers(len(OPTIONS), size=len(ITEMS)), strict=True)}
        order = [ITEMS[i] for i in rng.permutation(len(ITEMS))]
        said = " and ".join(f"{OPTIONS[feels[item]]} about {ASKED[item]}" for item in order)
        item, party = ITEMS[int(rng.integers(len(ITEMS)))], ("", *SIDES)[int(rng.integers(3))]
        shares = tuple(float(place == feels[item]) for place in range(len(OPTIONS)))
        found.append(Lesson(messages(f"I feel {said}.", item, party), OPTIONS, shares, by="text"))
    return found


def turned(lessons: Sequence[Lesson]) -> tuple[list[Lesson], NDArray[np.int64]]:
    """The lessons with their options in all rotations in turn, and the order of each: so places average out over people."""
    n = len(OPTIONS)
    orders = np.array([[(place + i) % n for place in range(n)] for i in range(len(lessons))])
    made = [
        replace(one, options=tuple(one.options[k] for k in order), shares=tuple(one.shares[k] for k in order))
        for one, order in zip(lessons, orders.tolist(), strict=True)
    ]
    return made, orders
