"""Questionnaires: blocks of items, arms to which respondents are assigned, and what each is asked in what order."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ethogram.errors import ConfigError
from ethogram.questionnaires.conditions import Condition
from ethogram.questionnaires.items import Item, Label, Name, Text
from ethogram.questionnaires.scores import Score
from ethogram.seeds import generator

__all__ = ["Block", "Form", "Question", "Questionnaire"]

Order = Literal["fixed", "random"]
TAKEN = {"skip", "respondent", "form"}
"""Names of a verb and of columns."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Block(_Part):
    """Items that are asked one after the other."""

    name: Name
    items: list[Item] = Field(min_length=1, max_length=2000, alias="item")
    order: Order = "fixed"
    """`random`: each respondent is asked in an order of its own."""
    ask: int | None = Field(default=None, ge=1)
    """How many of the items each respondent is asked, drawn at random; None: all."""
    shown_if: str | None = Field(default=None, alias="if")
    """A condition on arms and earlier answers, under which the whole block is asked."""


class Question(NamedTuple):
    """An item as one respondent is asked it."""

    item: Any
    """An `Item`."""
    options: tuple[str, ...]
    """In the order in which they are shown; empty for items without options."""
    block: str


class Form(NamedTuple):
    """What one respondent gets."""

    number: int
    """The number of its combination of arms, from 0, in the order of `Questionnaire.combinations`."""
    arms: dict[str, str]
    """The level of each arm."""
    questions: tuple[Question, ...]
    """All that it may be asked; conditions are looked at when their turn comes."""


class Questionnaire(_Part):
    """A questionnaire.

    Raises:
        ConfigError: (from `load`; ValidationError from pydantic otherwise) names that are not unique, conditions or
            placeholders that stand for nothing that comes before, or scores of items that are not there.
    """

    title: Text
    about: str = Field(default="", max_length=4000)
    """Where it comes from, and its licence."""
    intro: str = Field(default="", max_length=4000)
    """What respondents are told at the beginning."""
    arms: dict[Name, list[Label]] = Field(default_factory=dict)
    """Between-subject arms: the levels of each. Respondents are spread evenly over all combinations, at random."""
    blocks: list[Block] = Field(min_length=1, max_length=500, alias="block")
    order: Order = "fixed"
    """Of the blocks."""
    scores: list[Score] = Field(default_factory=list, alias="score")

    @cached_property
    def items(self) -> dict[str, Any]:
        """All items by name, in the order in which they are written."""
        return {item.name: item for block in self.blocks for item in block.items}

    @cached_property
    def combinations(self) -> list[dict[str, str]]:
        """All combinations of the arms' levels."""
        return [dict(zip(self.arms, levels, strict=True)) for levels in itertools.product(*self.arms.values())]

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The conditions by the name of their block or item."""
        parts = [*self.blocks, *self.items.values()]
        return {part.name: Condition(part.shown_if) for part in parts if part.shown_if is not None}

    @model_validator(mode="after")
    def _check(self) -> Questionnaire:
        names = [*self.arms, *(b.name for b in self.blocks), *(i.name for b in self.blocks for i in b.items)]
        names += [score.name for score in self.scores]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice!r} is the name of two things: arms, blocks, items and scores need names of their own")
        if taken := TAKEN & set(names):
            raise ValueError(f"{min(taken)!r} is taken: call it something else")
        for arm, levels in self.arms.items():
            if len(levels) < 2 or len(set(levels)) < len(levels):
                raise ValueError(f"the arm {arm!r} needs at least two levels, all different")
        for score in self.scores:
            score.check(self.items)
        _check_order(self)
        return self

    def form(self, respondent: int, respondents: int, seed: int) -> Form:
        """What a respondent gets: the same for the same place, number of respondents and seed."""
        number = _assigned(len(self.combinations), respondents, seed)[respondent]
        rng = generator(seed, "form", respondent)
        blocks = _ordered(self.blocks, self.order, rng)
        questions = [
            Question(item, _shown(item, rng), block.name)
            for block in blocks
            for item in _ordered(block.items, block.order, rng, block.ask)
        ]
        return Form(number, self.combinations[number], tuple(questions))

    def asked(self, question: Question, values: Mapping[str, Any]) -> bool:
        """Whether a question is asked, after these answers and in these arms."""
        conditions = (self.conditions.get(question.block), self.conditions.get(question.item.name))
        return all(condition is None or condition(values) for condition in conditions)

    def columns(self) -> list[str]:
        """The columns of a table of answers: items and scores, in order."""
        found = itertools.chain.from_iterable(item.column(None) for item in self.items.values())
        return [*found, *(score.name for score in self.scores)]


def placeholders(text: str) -> set[str]:
    """The names between braces in a text; ValueError where a brace does not hold a name alone."""
    found = set()
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(
                f"{{{name}}} is no name: in a text braces hold the name of an arm or item (double braces are braces)"
            )
        found.add(name)
    return found


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A text with what its placeholders stand for; an item that was not answered leaves a dash."""
    known = {name: "–" if (value := values.get(name)) is None else said(value) for name in placeholders(text)}
    return text.format_map(known)


def said(answer: Any) -> str:
    """An answer in words."""
    return ", ".join(map(str, answer)) if isinstance(answer, list | tuple) else str(answer)


def _check_order(questionnaire: Questionnaire) -> None:
    """ValueError where a condition or text names something that is not an arm, nor asked before in every order."""
    known = set(questionnaire.arms)
    everything = known | set(questionnaire.items)
    for block in questionnaire.blocks:
        before = set(questionnaire.arms) if questionnaire.order == "random" else set(known)
        _check_names(block.name, block.shown_if, "", before, everything)
        for item in block.items:
            there = before if block.order == "fixed" else before - {i.name for i in block.items}
            _check_names(item.name, item.shown_if, item.text, there, everything)
            if block.order == "fixed":
                before.add(item.name)
        known |= {item.name for item in block.items}


def _check_names(name: str, condition: str | None, text: str, before: set[str], everything: set[str]) -> None:
    try:
        wanted = Condition(condition).names if condition is not None else set()
    except ConfigError as error:
        raise ValueError(str(error)) from None
    for other in sorted(wanted | placeholders(text)):
        if other not in everything:
            raise ValueError(f"{name!r} refers to {other!r}, which is neither an arm nor an item")
        if other not in before:
            raise ValueError(f"{name!r} refers to {other!r}, which is not always asked before it")


def _assigned(combinations: int, respondents: int, seed: int) -> list[int]:
    """Each respondent's combination: as many of each as can be, in random order."""
    places = np.arange(respondents) % combinations
    return generator(seed, "arms").permutation(places).tolist()


def _ordered(parts: Sequence[Any], order: Order, rng: np.random.Generator, ask: int | None = None) -> Iterator[Any]:
    count = len(parts) if ask is None else min(ask, len(parts))
    chosen = rng.permutation(len(parts))[:count]
    yield from (parts[i] for i in (chosen if order == "random" else sorted(chosen)))


def _shown(item: Any, rng: np.random.Generator) -> tuple[str, ...]:
    """The options in the order in which one respondent sees them."""
    options: tuple[str, ...] = tuple(getattr(item, "options", []))
    if not getattr(item, "shuffled", False):
        return options
    free = len(options) - min(item.last, len(options))
    return tuple(options[i] for i in rng.permutation(free)) + options[free:]
