"""The people of a town, as a file describes them: who they are, how they live, whom they know and what they know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ethogram.errors import ConfigError
from ethogram.worlds.coded.town.clock import ClockTime, Hours, OpeningHours, minutes
from ethogram.worlds.coded.town.layout import Layout
from ethogram.worlds.coded.town.source import Source, nearest

__all__ = ["Fact", "People", "Person", "Routine", "Tie"]


class Routine(NamedTuple):
    """One habit of a person's day: what it does, where and from when (minutes since midnight)."""

    time: int
    place: str
    activity: str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Strict):
    """A person."""

    name: str = Field(min_length=1, max_length=80)
    age: int = Field(ge=0, le=120)
    occupation: str = ""
    traits: str = ""
    about: str = ""
    home: str
    work: str = ""
    """The place at which the person has a key, besides home."""
    sleep: OpeningHours = Hours(23 * 60, 7 * 60)
    """When the person is in bed."""
    plan: list[str] = []
    """Habits of a day, each `HH:MM place: activity`."""
    interests: list[str] = []
    knows: dict[str, str] = {}
    """People this person knows and what they are to it: `"Ana Kopp" = "sister"`."""
    memories: list[str] = []
    """What the person remembers at the start, a sentence each."""

    @property
    def routine(self) -> list[Routine]:
        """The habits, in the order of the day."""
        parts = [re.fullmatch(r"\s*(\d{1,2}:\d{2})\s+(.+?):\s+(.+?)\s*", line) for line in self.plan]
        return sorted(Routine(minutes(p[1]), p[2], p[3]) for p in parts if p is not None)


class Tie(_Strict):
    """Two people who are the same to each other."""

    between: tuple[str, str]
    kind: str


class Fact(_Strict):
    """Something that one person knows at the start and the others do not, to see whether it gets about."""

    name: str
    holder: str
    text: str = Field(min_length=1)
    """The fact as its holder remembers it."""
    keywords: list[str] = Field(min_length=1)
    """A sentence tells the fact if it has each of them; `runs|stands` is one that is met by either word."""
    question: str = ""
    """What an interviewer asks to see whether somebody knows it."""
    answer: list[str] = []
    """An answer shows that one knows it if it has each of these, written like `keywords`; default: the keywords."""
    place: str = ""
    start: ClockTime | None = None
    end: ClockTime | None = None
    """For a fact that invites: where and when (of the last day) to come."""

    def told_in(self, text: str) -> bool:
        """Whether a text tells the fact: all its keywords are in it, as whole words, in any case."""
        return _has(text, self.keywords)

    def answered_in(self, text: str) -> bool:
        """Whether an answer to `question` shows that one knows the fact."""
        return _has(text, self.answer or self.keywords)


def _has(text: str, keywords: list[str]) -> bool:
    return all(re.search(rf"\b(?:{word})\b", text, re.IGNORECASE) for word in keywords)


class _File(_Strict):
    people: list[Person] = Field(min_length=1)
    ties: list[Tie] = []
    facts: list[Fact] = []


class People:
    """The people of a file, checked against the map they live on.

    Args:
        path: a people file (TOML).
        layout: the map.

    Raises:
        ConfigError: the file cannot be read or something in it is wrong; the message names file and line.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.source = Source(path)
        file = self.source.read(_File)
        self.names = [person.name for person in file.people]
        self.facts = file.facts
        for i, name in enumerate(self.names):
            self._check_name(i, name, layout)
        for i, person in enumerate(file.people):
            self._check_person(i, person, layout)
        self._check_ties(file.ties)
        self._check_facts(layout)
        extra: dict[str, dict[str, str]] = {name: {} for name in self.names}
        for tie in file.ties:
            for one, other in (tie.between, tie.between[::-1]):
                extra[one][other] = tie.kind
        self.persons = {p.name: p.model_copy(update={"knows": extra[p.name] | p.knows}) for p in file.people}

    def newcomers(self, given: Sequence[Mapping[str, Any]], layout: Layout) -> list[Person]:
        """People besides those of the file, described as there.

        Raises:
            ConfigError: a description is wrong.
        """
        found: list[Person] = []
        for one in given:
            try:
                person = Person.model_validate(one)
            except ValidationError as error:
                where = ".".join(map(str, error.errors()[0]["loc"]))
                raise ConfigError(f"town: a newcomer's {where or 'description'}: {error.errors()[0]['msg']}") from None
            who = f"town: the newcomer {person.name!r}"
            if person.name in layout.index or person.name in [*self.names, *(other.name for other in found)]:
                raise ConfigError(f"{who} is called as somebody or some place in it: give another name")
            if len(person.routine) < len(person.plan):
                raise ConfigError(f'{who} has a plan whose entries are not all written "HH:MM place: activity"')
            for place in filter(None, (person.home, person.work, *(habit.place for habit in person.routine))):
                if place not in layout.index:
                    raise ConfigError(f"{who} has an unknown place {place!r}{nearest(place, layout.names)}")
            for other in person.knows:
                if other not in self.names:
                    raise ConfigError(f"{who} knows an unknown person {other!r}{nearest(other, self.names)}")
            found.append(person)
        return found

    def _check_name(self, i: int, name: str, layout: Layout) -> None:
        line = self.source.line("people", i, "name")
        if name in self.names[:i]:
            raise self.source.error(line, f"there are two people called {name!r}; give each their own name")
        if name in layout.index:
            raise self.source.error(line, f"{name!r} is the name of a place; give the person another")

    def _check_person(self, i: int, person: Person, layout: Layout) -> None:
        error, line = self.source.error, self.source.line
        for key, place in (("home", person.home), ("work", person.work)):
            if place not in layout.index and (place or key == "home"):
                raise error(
                    line("people", i, key),
                    f"the {key} of {person.name} is an unknown place {place!r}{nearest(place, layout.names)}",
                )
        for other in person.knows:
            if other not in self.names:
                raise error(
                    line("people", i, "knows", other),
                    f"{person.name} knows an unknown person {other!r}{nearest(other, self.names)}",
                )
            if other == person.name:
                raise error(line("people", i, "knows", other), f"{other} cannot be a relation of themselves")
        for entry in person.plan:
            self._check_habit(i, person, entry, layout)

    def _check_habit(self, i: int, person: Person, entry: str, layout: Layout) -> None:
        at = self.source.line_of(entry, "people", i, "plan")
        match = re.fullmatch(r"\s*(\d{1,2}:\d{2})\s+(.+?):\s+(.+?)\s*", entry)
        if match is None:
            raise self.source.error(
                at, f'an entry of a plan is written "HH:MM place: activity", not {entry!r} (plan of {person.name})'
            )
        try:
            minutes(match[1])
        except ValueError as error:
            raise self.source.error(at, f"{error} (plan of {person.name})") from error
        if match[2] not in layout.index:
            raise self.source.error(
                at, f"the plan of {person.name} names an unknown place {match[2]!r}{nearest(match[2], layout.names)}"
            )

    def _check_ties(self, ties: list[Tie]) -> None:
        for i, tie in enumerate(ties):
            for name in tie.between:
                if name not in self.names:
                    raise self.source.error(
                        self.source.line_of(name, "ties", i, "between"),
                        f"this tie names an unknown person {name!r}{nearest(name, self.names)}",
                    )
            if tie.between[0] == tie.between[1]:
                raise self.source.error(self.source.line("ties", i, "between"), "a tie is between two different people")

    def _check_facts(self, layout: Layout) -> None:
        seen: set[str] = set()
        for i, fact in enumerate(self.facts):
            line = self.source.line
            if fact.name in seen:
                raise self.source.error(line("facts", i, "name"), f"there are two facts called {fact.name!r}")
            seen.add(fact.name)
            if fact.holder not in self.names:
                raise self.source.error(
                    line("facts", i, "holder"),
                    f"the holder of fact {fact.name!r} is unknown: {fact.holder!r}{nearest(fact.holder, self.names)}",
                )
            if fact.place and fact.place not in layout.index:
                raise self.source.error(
                    line("facts", i, "place"),
                    f"fact {fact.name!r} names an unknown place {fact.place!r}{nearest(fact.place, layout.names)}",
                )
            if not fact.told_in(fact.text):
                raise self.source.error(
                    line("facts", i, "keywords"), f"the text of fact {fact.name!r} does not have all of its own keywords"
                )
            if not fact.answered_in(fact.text):
                raise self.source.error(
                    line("facts", i, "answer"), f"the text of fact {fact.name!r} does not have all the words of its answer"
                )
            if fact.question and fact.answered_in(fact.question):
                raise self.source.error(
                    line("facts", i, "question"),
                    f"the question about fact {fact.name!r} gives its answer away; ask otherwise, or give another answer",
                )
