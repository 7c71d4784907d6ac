"""The scenes of `agenttorch`: who lives in New York, the stated laws by which surrogates answer, worlds with policies."""

from __future__ import annotations

import atexit
import math
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.columns import Asked
from ethogram.errors import ConfigError
from ethogram.language import model as language_model
from ethogram.language import scripted
from ethogram.policies.prompted.archetype import Archetype, Law
from ethogram.policy import Policy
from ethogram.populations import Population, erdos_renyi
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.studies.society import _agenttorch_data as data
from ethogram.studies.society._agenttorch_synthetic import write
from ethogram.worlds.coded.new_york import NewYork, asking
from ethogram.worlds.coded.workforce import AT_WORK, Workforce

if TYPE_CHECKING:
    from ethogram.world import World

__all__ = ["GROUPS", "answers", "city", "folder", "market", "outbreak", "residents"]

GROUPS: dict[str, type[NewYork]] = {
    "everybody": asking(),
    "age": asking("age"),
    "age, gender": asking("age", "gender"),
    "age, gender, ethnicity": asking("age", "gender", "ethnicity"),
    "each person": asking("name", "age", "gender", "ethnicity"),
}
"""Worlds by whom they ask: one archetype, few, many, or all of the people."""
CARE = {"U19": -0.3, "20t29": -0.3, "30t39": 0.0, "40t49": 0.0, "50t64": 0.2, "65A": 0.5}
"""The stated law's logits by age: the old take more care."""
WILLING = {"20t29": 1.2, "30t39": 1.6, "40t49": 1.6, "50t64": 0.9}
"""The stated law's logits by age: how willing people are to work."""
OTHERS = {
    "male": -0.2,
    "female": 0.2,
    "white": 0.0,
    "black": 0.2,
    "hispanic": 0.1,
    "asian": 0.4,
    "other": 0.0,
    "native": 0.0,
}
"""The stated law's logits by what else a question names; made up, so that finer archetypes differ."""


@cache
def folder(kind: str) -> data.Folder:
    """The data that ship with agent-torch (`shipped`), or a small made-up city in their format (`synthetic`)."""
    if kind == "shipped":
        return data.shipped()
    made = Path(tempfile.mkdtemp(prefix="ethogram-new-york-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return write(made)


@lru_cache(maxsize=4)
def residents(kind: str, part: int = 0) -> Population:
    """The people of Astoria and their contact network."""
    people = _named(data.people(folder(kind)))
    return people.with_network("contacts", data.network(folder(kind), len(people), part=part))


@lru_cache(maxsize=1)
def city(kind: str, n: int | None, degree: float = 7.3, seed: int = 0) -> Population:
    """`n` people drawn from the population that ships as New York, or all of it; no contacts ship, so random ones are made.

    Args:
        kind: as for `folder`.
        n: how many; None: all.
        degree: mean number of contacts (that of Astoria's network).
        seed: of the draw and the contacts.
    """
    people = data.people(folder(kind), "NYC")
    if n is not None:
        people = people[generator(seed, "city").integers(people.height, size=n)]
    named = _named(people)
    return named.with_network("contacts", erdos_renyi(len(named), min(1.0, degree / (len(named) - 1)), rng=seed))


def _named(people: Any) -> Population:
    import polars as pl

    return Population(people.with_row_index("name").with_columns(pl.col("name").cast(pl.String)))


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + math.exp(-x))


def fear(base: float, strength: float, reference: float) -> Law:
    """Fear of cases: the logit of isolating is logit(base) + care(who) + strength · log((cases + 5) / (reference + 5)).

    Args:
        base: share that isolates at the reference.
        strength: how much it answers to cases; 0 is constant behaviour.
        reference: cases of a week per 100,000 people.
    """

    def law(asked: Asked) -> Sequence[float]:
        care = sum(CARE.get(str(word), OTHERS.get(str(word), 0.0)) for word in asked.who.values())
        answer = strength * math.log((float(asked.facts["cases"]) + 5) / (reference + 5))
        p = sigmoid(math.log(base / (1 - base)) + care + answer)
        return [p, 1 - p]

    return law


def willingness(strength: float) -> Law:
    """The logit of working is willing(age) - strength · log(1 + cases / 100), cases of a month per 100,000 people."""

    def law(asked: Asked) -> Sequence[float]:
        p = sigmoid(WILLING[str(asked.who["age"])] - strength * math.log1p(float(asked.facts["cases"]) / 100))
        return [p, 1 - p]

    return law


def answers(law: dict[str, Any], replies: int = 0, **options: Any) -> Policy:
    """A policy of archetypes: `{"law": "fear" | "willingness", …}` or `{"model": NAME}`; `scripted` says nothing."""
    settings = dict(law)
    if "model" in settings:
        name = settings["model"]
        asked = (
            scripted(rate=lambda request: [-0.7] * len(request.options or []))
            if name == "scripted"
            else language_model(name)
        )
        return Archetype(asked, replies=replies, **options)
    laws = {"fear": fear, "willingness": willingness}
    kind = settings.pop("law", "")
    if kind not in laws:
        raise ConfigError(f"{kind!r} is no stated law of this study: choose from {', '.join(laws)}")
    return Archetype(laws[kind](**settings), replies=replies, **options)


@scene
def outbreak(
    kind: str,
    law: dict[str, Any],
    r: Sequence[float],
    past: Sequence[float],
    reported: float = 0.5,
    groups: str = "age",
    replies: int = 0,
    people: int = 0,
    average: bool = True,
) -> tuple[World, Policy]:
    """The disease in Astoria, or in `people` of the shipped New York (-1: all of it).

    Args:
        kind: as for `folder`.
        law: as for `answers`.
        r: R of each week; the last goes on.
        past: infections 0, 1, 2, … days before the beginning.
        reported: share of infections that become cases.
        groups: who is asked, a key of `GROUPS`.
        replies: of an archetype to a question; 0: its probabilities.
        people: 0: Astoria.
        average: whether a model's likelihoods are averaged over orders of the options.
    """
    who = residents(kind) if not people else city(kind, None if people < 0 else people)
    world = GROUPS[groups](who, r=np.array(r, float), past=np.array(past, float), reported=reported, threads=1)
    return world, answers(law, replies, average=average)


@lru_cache(maxsize=1)
def workers(kind: str) -> Population:
    """The people of Astoria who are of working age."""
    import polars as pl

    people = residents(kind).table.filter(pl.col("age").cast(pl.String).is_in(AT_WORK))
    return Population(people.with_columns(pl.col("age").cast(pl.String)))


@scene
def market(
    kind: str,
    law: dict[str, Any],
    claims: Sequence[float],
    covid: Sequence[float],
    benefit: Sequence[float],
    replies: int = 0,
) -> tuple[World, Policy]:
    """The labour force, for as many months as there are claims."""
    known = [np.array(series, float) for series in (claims, covid, benefit)]
    return Workforce(workers(kind), claims=known[0], covid=known[1], benefit=known[2]), answers(law, replies)
