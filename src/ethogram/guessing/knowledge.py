"""A base of knowledge: things, and what is true of them.

The base that comes along, `things.txt`, is ours. It was written down by hand in 2026, out of what everybody knows, without
a source: kinds with what is usual in them (a mammal walks on four legs), things with what is special about them (a bat does
not), and a question for each property. "It depends" is said where it does. It is a base to play with, not one to learn
biology from: whatever is not said is taken as a no, and what is usual in one part of the world stands for all of it.

The form of a file, which anybody can write:

    [questions]                     # property | the question that asks for it
    animal | Is it an animal?
    barks | Does it bark?
    [implications]                  # whoever is the first is the second
    barks -> animal
    [kinds]                         # kind < its own kind: properties; a word is a yes, -word a no, ?word depends
    beast: animal
    [things]                        # name or names < kind: the same
    dog|hound < beast: barks
    fox < beast: ?barks
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.guessing.vocabulary import names_it

__all__ = ["DEPENDS", "NO", "YES", "Knowledge", "things"]

NO, YES, DEPENDS = 0, 1, 2
"""The values of a property."""

_SIGNS = {"-": NO, "?": DEPENDS}
_SECTIONS = ("questions", "implications", "kinds", "things")


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Things and their properties; read a file with `Knowledge.load`.

    Raises:
        DataError: two things that no question tells apart, a question that names a thing, a broken implication.
    """

    names: tuple[str, ...]
    """Of the N things; where one has several names, they are divided by |."""
    properties: tuple[str, ...]
    """Keys of the K properties."""
    questions: tuple[str, ...]
    """What asks for each of them."""
    values: NDArray[np.uint8]
    """NO, YES or DEPENDS, shape (N, K)."""
    implications: tuple[tuple[str, str], ...] = ()
    """Whoever is the first is the second."""

    def __post_init__(self) -> None:
        """Check that the base can be played with."""
        for what, given in (("thing", self.names), ("property", self.properties), ("question", self.questions)):
            twice = sorted({one for one in given if given.count(one) > 1})
            if twice:
                raise DataError(f"the {what} {twice[0]!r} is there twice: take one of them away")
        if len(self.names) < 2 or not self.properties or self.values.shape != (len(self.names), len(self.properties)):
            raise DataError(
                f"{len(self.names)} things and {len(self.properties)} properties with values of shape {self.values.shape} "
                "are no base: give two things or more, and a value of each property for each"
            )
        for question in self.questions:
            for name in self.names:
                if names_it(question, name):
                    raise DataError(f"the question {question!r} names the thing {name!r}, and would win: rename one of them")
        for first, second in self.implications:
            wrong = (self.column(first) == YES) & (self.column(second) != YES)
            if wrong.any():
                raise DataError(f"{self.names[int(wrong.argmax())]!r} is {first} but not {second}, which {first} implies")
        self._check_distinct()

    def _check_distinct(self) -> None:
        """Every two things differ in a property that both are known to have or not to have."""
        yes, no = (self.values == YES).astype(np.int32), (self.values == NO).astype(np.int32)
        told = yes @ no.T + no @ yes.T + np.eye(len(self.names), dtype=np.int32)
        if not told.all():
            a, b = (self.names[int(i)] for i in np.argwhere(told == 0)[0])
            raise DataError(f"no question tells {a!r} and {b!r} apart: say what only one of them is, or take one away")

    def __len__(self) -> int:
        """The number of things."""
        return len(self.names)

    def column(self, key: str) -> NDArray[np.uint8]:
        """The values of a property, shape (N,). Raises DataError where there is none of that name."""
        if key not in self.properties:
            raise DataError(f"there is no property {key!r} among the questions")
        return self.values[:, self.properties.index(key)]

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        single = {name: i for i, names in enumerate(self.names) for name in names.split("|")}
        return single | {names: i for i, names in enumerate(self.names)}

    def index(self, name: str) -> int:
        """The place of a thing, by one of its names; DataError where there is none."""
        if name not in self._places:
            raise DataError(f"the base has no thing {name!r}")
        return self._places[name]

    def called(self, i: int) -> str:
        """The first name of a thing."""
        return self.names[i].partition("|")[0]

    def split(self, *shares: float, seed: int = 0) -> tuple[list[int], ...]:
        """Divide the things at random into parts of these shares, each in order: no thing is in two of them."""
        from ethogram.seeds import generator

        order = generator(seed, "split things").permutation(len(self))
        ends = np.rint(np.cumsum(shares) / sum(shares) * len(self)).astype(int)
        return tuple(sorted(part.tolist()) for part in np.split(order, ends)[: len(shares)])

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file of the form above.

        Raises:
            DataError: it cannot be read, is not of that form, or is no base; the message has the line.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"the base of knowledge {path} cannot be read: {error}") from error
        try:
            return cls(**_read(text))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


@functools.cache
def things() -> Knowledge:
    """The base that comes with ethogram."""
    return Knowledge.load(Path(__file__).with_name("things.txt"))


def _read(text: str) -> dict[str, Any]:
    """The fields of a base, from the text of its file."""
    parts: dict[str, list[tuple[int, str]]] = {name: [] for name in _SECTIONS}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[]")
            if section not in parts:
                raise DataError(f"line {number}: there is no section [{section}]; there are {', '.join(_SECTIONS)}")
        elif line:
            if not section:
                raise DataError(f"line {number}: a base begins with a section, such as [questions]")
            parts[section].append((number, line))
    questions = [_halves(number, line, "|") for number, line in parts["questions"]]
    keys = [key for key, _ in questions]
    implications = [_halves(number, line, "->") for number, line in parts["implications"]]
    kinds: dict[str, dict[str, int]] = {}
    for number, line in parts["kinds"]:
        name, values = _one(number, line, kinds, keys)
        kinds[name] = values
    rows = [_one(number, line, kinds, keys) for number, line in parts["things"]]
    return {
        "names": tuple(name for name, _ in rows),
        "properties": tuple(keys),
        "questions": tuple(question for _, question in questions),
        "values": _table([values for _, values in rows], keys),
        "implications": tuple(implications),
    }


def _halves(number: int, line: str, sign: str) -> tuple[str, str]:
    first, found, second = (part.strip() for part in line.partition(sign))
    if not (first and found and second):
        raise DataError(f"line {number}: {line[:60]!r} is not of the form 'first {sign} second'")
    return first, second


def _one(number: int, line: str, kinds: dict[str, dict[str, int]], keys: Sequence[str]) -> tuple[str, dict[str, int]]:
    """The name and the values of a kind or thing: those of its kind, and over them its own."""
    head, _, words = line.partition(":")
    name, _, kind = (part.strip() for part in head.partition("<"))
    if not name:
        raise DataError(f"line {number}: {line[:60]!r} has no name; write 'name < kind: properties'")
    if kind and kind not in kinds:
        raise DataError(f"line {number}: {name!r} is of a kind {kind!r} that is not among the kinds above it")
    values = dict(kinds.get(kind, {}))
    for word in words.split():
        key = word.lstrip("-?")
        if key not in keys:
            raise DataError(f"line {number}: {name!r} has {word!r}, which no question asks for")
        values[key] = _SIGNS.get(word[0], YES)
    return name, values


def _table(rows: list[dict[str, int]], keys: Sequence[str]) -> NDArray[np.uint8]:
    place = {key: k for k, key in enumerate(keys)}
    values = np.zeros((len(rows), len(keys)), np.uint8)
    for i, row in enumerate(rows):
        for key, value in row.items():
            values[i, place[key]] = value
    values.flags.writeable = False
    return values
