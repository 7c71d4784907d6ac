"""Planted people for `spectrum`: a latent identity, its three descriptions, and what each says of itself.

The law. Five traits are independent and standard normal; so are ten values. Both instruments are answered from them: an
item is its middle plus 0.9 (traits) or 1.0 (values) times the latent, turned round where it is reversed, plus normal noise
of 0.8, rounded and cut off at the ends. A person's job, home, household and education are drawn evenly; six pastimes with
odds exp(0.8 times the trait that they lean on), five loves and five hates evenly.

S lists age, gender, job, home, household and education. P gives the scored traits in verbal levels (none where a score is in
the middle) and the four highest values. C tells a weekday, a weekend, loves and hates. It never names the job.

Of a person's statements `SHARES` are about social facts, about personality, and about life, each in other words than the
descriptions have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.populations.depths import identity
from ethogram.questionnaires import Questionnaire, instrument
from ethogram.seeds import generator
from ethogram.studies.people import _spectrum_words as words

__all__ = ["COMBINATIONS", "KINDS", "PARTS", "SHARES", "Person", "Statement", "people", "scores", "sentences", "told"]

Array = NDArray[np.float64]
PARTS = ("S", "P", "C")
COMBINATIONS = ("S", "P", "C", "SP", "SC", "PC", "SPC")
KINDS = ("social", "personal", "life")
SHARES = {"social": 4, "personal": 6, "life": 10}
"""How many of the twenty statements are of each kind."""
TRAITS, VALUES = "ipip-50", "value-portraits"
SCORED = {"extraversion": "e", "agreeableness": "a", "conscientiousness": "c", "emotional_stability": "s", "intellect": "i"}
SLOPES = {TRAITS: 0.9, VALUES: 1.0}
NOISE, LEAN = 0.8, 0.8
LEVELS = ((-1.2, "Very {low}."), (-0.4, "Rather {low}."), (0.4, ""), (1.2, "Rather {high}."), (np.inf, "Very {high}."))
"""Verbal levels of a trait, by the standardised score below which they hold."""


class Statement(NamedTuple):
    """A sentence that a person says of itself."""

    text: str
    kind: str
    hidden: bool
    """Whether it is of the hidden self: told to nobody."""


class Person(NamedTuple):
    """A planted person."""

    name: str
    traits: dict[str, float]
    values: dict[str, float]
    parts: dict[str, list[str]]
    """The sentences of S, P and C."""
    statements: list[Statement]
    answers: dict[str, dict[str, float]]
    """To both instruments, by item."""


def people(count: int, seed: int) -> list[Person]:
    """So many planted people."""
    drafts = [_draft(f"person {i + 1}", generator(seed, "person", i)) for i in range(count)]
    trait_scores = scores(TRAITS, [draft["answers"][TRAITS] for draft in drafts])
    value_scores = scores(VALUES, [draft["answers"][VALUES] for draft in drafts])
    found = []
    for i, draft in enumerate(drafts):
        rng = generator(seed, "said", i)
        traits = {SCORED[name]: float(z[i]) for name, z in _standardised(trait_scores).items()}
        values = priorities({name: float(column[i]) for name, column in value_scores.items()})
        parts = {"S": draft["social"], "P": _personal(traits, values), "C": draft["context"]}
        statements = [*draft["statements"], *_of_self(draft["traits"], draft["values"], rng)]
        order = rng.permutation(len(statements))
        found.append(
            Person(draft["name"], draft["traits"], draft["values"], parts, [statements[k] for k in order], draft["answers"])
        )
    return found


def scores(name: str, answers: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    """The scores of an instrument, by name, shape (people,)."""
    import polars as pl

    form = instrument(name)
    table = pl.DataFrame({item: [float(one[item]) for one in answers] for item in form.items})
    found = table.select(score.column(form.items) for score in form.scores)
    return {column: found[column].to_numpy() for column in found.columns}


def priorities(values: Mapping[str, float]) -> dict[str, float]:
    """Values less their mean: what matters more to a person than the rest (Schwartz 1992)."""
    middle = float(np.mean(list(values.values())))
    return {name: value - middle for name, value in values.items()}


def told(person: Person, combination: str) -> str:
    """A description, as a prompt shows it."""
    said = {part: " ".join(person.parts[part]) if part in combination else "" for part in PARTS}
    return identity(said["S"], said["P"], said["C"])


def sentences(text: str) -> list[str]:
    """The sentences of a description, without its headings."""
    lines = [line.split(": ", 1)[-1] for line in text.splitlines()]
    return [sentence for line in lines for sentence in re.split(r"(?<=[.!?])\s+", line) if sentence]


def _draft(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """A person before its scores are known: latents, social facts, life, answers."""
    traits = {letter: float(rng.normal()) for letter in words.TRAITS}
    values = {value: float(rng.normal()) for value in words.VALUES}
    facts = [_one(pool, rng) for pool in (words.JOBS, words.HOMES, words.HOUSEHOLDS, words.EDUCATION)]
    age, gender = int(rng.integers(19, 80)), ("woman", "man")[int(rng.integers(2))]
    job, home, household, education = facts
    social = [f"Age: {age}.", f"Gender: {gender}.", f"Job: {job.told}.", f"Home: {home.told}."]
    social += [f"Household: {household.told}.", f"Education: {education.told}."]
    lean = np.exp([LEAN * _leaning(fact.leans, traits) for fact in words.PASTIMES])
    chosen = rng.choice(len(words.PASTIMES), 6, replace=False, p=lean / lean.sum())
    pastimes = [words.PASTIMES[int(k)] for k in chosen]
    loves, hates = (_some(pool, 5, rng) for pool in (words.LOVES, words.HATES))
    life = [*_some(pastimes, 4, rng), *_some(loves, 3, rng), *_some(hates, 3, rng)]
    said = [Statement(fact.said, "social", False) for fact in facts]
    said += [Statement(fact.said, "life", fact in hates) for fact in life]
    answers = {TRAITS: _answers(instrument(TRAITS), traits, rng), VALUES: _answers(instrument(VALUES), values, rng)}
    context = _context(pastimes, loves, hates, rng)
    about = {"name": name, "traits": traits, "values": values, "social": social, "context": context}
    return {**about, "statements": said, "answers": answers}


def _context(
    pastimes: Sequence[words.Fact], loves: Sequence[words.Fact], hates: Sequence[words.Fact], rng: np.random.Generator
) -> list[str]:
    """A weekday, a weekend, five loves and five hates."""
    hour = int(rng.integers(6, 10))
    weekday = [
        f"On a weekday this person gets up at {hour} and goes to work.",
        f"After work this person {pastimes[0].told}.",
    ]
    weekday += [f"Then this person {pastimes[1].told}.", f"Some evenings this person {pastimes[2].told}."]
    weekend = [f"On Saturday this person {pastimes[3].told}.", f"In the afternoon this person {pastimes[4].told}."]
    weekend += [f"On Sunday this person {pastimes[5].told}."]
    return [*weekday, *weekend, *(f"Loves {fact.told}." for fact in loves), *(f"Hates {fact.told}." for fact in hates)]


def _answers(form: Questionnaire, latents: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """What a person answers to an instrument, by the law above."""
    reversed_items = {item for score in form.scores for item in score.reverse}
    owner = {item: SCORED.get(score.name, score.name) for score in form.scores for item in score.items}
    slope = SLOPES[TRAITS] if len(form.scores) == len(SCORED) else SLOPES[VALUES]
    found = {}
    for name, item in form.items.items():
        sign = -1 if name in reversed_items else 1
        value = (item.low + item.high) / 2 + sign * slope * latents[owner[name]] + NOISE * rng.normal()
        found[name] = float(np.clip(np.rint(value), item.low, item.high))
    return found


def _standardised(columns: Mapping[str, Array]) -> dict[str, Array]:
    return {name: (column - column.mean()) / max(float(column.std()), 1e-9) for name, column in columns.items()}


def _personal(traits: Mapping[str, float], values: Mapping[str, float]) -> list[str]:
    """P: traits in verbal levels, and what matters most."""
    found = []
    for letter, (low, high) in words.TRAITS.items():
        if frame := next(frame for bound, frame in LEVELS if traits[letter] < bound):
            found.append(frame.format(low=low.told, high=high.told))
    order = sorted(values, key=lambda name: -values[name])
    return [*found, *(f"What matters to this person is {words.VALUES[name].told}." for name in order[:4])]


def _of_self(traits: Mapping[str, float], values: Mapping[str, float], rng: np.random.Generator) -> list[Statement]:
    """Three statements about the most marked traits and three about the chief values, half of them for nobody's ears."""
    extreme = sorted(traits, key=lambda letter: -abs(traits[letter]))[:3]
    poles = [words.TRAITS[letter][int(traits[letter] > 0)] for letter in extreme]
    poles += [words.VALUES[name] for name in sorted(values, key=lambda name: -values[name])[:3]]
    return [Statement(pole.said[k := int(rng.integers(2))], "personal", k == 1) for pole in poles]


def _leaning(leans: str, traits: Mapping[str, float]) -> float:
    """How much a trait makes for a fact; `n` and `o` are emotional stability turned round, and intellect."""
    if not leans:
        return 0.0
    letter, sign = leans[0], 1 if leans[1] == "+" else -1
    latent = -traits["s"] if letter == "n" else traits["i" if letter == "o" else letter]
    return sign * latent


def _one(pool: Sequence[words.Fact], rng: np.random.Generator) -> words.Fact:
    return pool[int(rng.integers(len(pool)))]


def _some(pool: Sequence[words.Fact], count: int, rng: np.random.Generator) -> list[words.Fact]:
    return [pool[int(k)] for k in rng.permutation(len(pool))[:count]]
