"""Kinds of values: what a field of a verb may hold, as a small algebra.

A `Kind` is one thing of which all the views of a space follow: sampling, membership, JSON schema, enumeration, words for a
reader, and narrowing to the values possible now. `ethogram.spaces.fields` reads kinds off pydantic models.

A kind's Python values are what the model's attributes hold (an `Enum` member, a `Decimal`, a tuple); its JSON values are
what `model_dump(mode="json")` writes for them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
from pydantic_core import SchemaValidator, core_schema, to_jsonable_python
from typing_extensions import override

from ethogram.errors import ConfigError

__all__ = ["ITEMS", "TEXT", "Among", "Boolean", "Choice", "Fault", "Kind", "Null", "Text", "draw"]

TEXT = 500
"""Most characters of a string whose field gives no `max_length`."""
ITEMS = 50
"""Most items of a list, tuple or dict whose field gives no `max_length`."""

ALPHABET = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"\\/()[]{}<>&%$#@*+-=_~éßñøΩЖא中日ก€–“🙂"

Fault: TypeAlias = "tuple[tuple[str | int, ...], Kind | str]"
"""Where a value is wrong (keys and indices; empty for the value itself), and the kind it should be of."""


def draw(rng: np.random.Generator, n: int) -> int:
    """A uniform whole number in [0, n), for `n` of any size."""
    if n < 2**63:
        return int(rng.integers(n))
    return int.from_bytes(rng.bytes(n.bit_length() // 8 + 9), "big") % n


def show(values: Iterable[Any]) -> str:
    """Values as JSON, separated by commas."""
    return ", ".join(json.dumps(to_jsonable_python(v), ensure_ascii=False) for v in values)


class Kind(ABC):
    """What one field may hold."""

    form: str
    """JSON types of its values, as letters: Object, Array, String, Integer, Float, Boolean, Null."""
    exotic: bool = False
    """Whether its JSON values differ from its Python values (so that a union could mistake them for another kind)."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, for a reader: `a whole number from 0 to 5`."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Any:
        """A random value, for which all randomness comes from `rng`."""

    @abstractmethod
    def fault(self, value: Any) -> Fault | None:
        """None where `value` (as Python) is of this kind; else where and why not."""

    @abstractmethod
    def make_schema(self) -> dict[str, Any]:
        """Its JSON schema (draft 2020-12), without references."""

    @cached_property
    def schema(self) -> dict[str, Any]:
        """`make_schema()`, computed once."""
        return self.make_schema()

    def count(self) -> int | None:
        """How many values there are; None for infinitely (or uncountably) many."""
        return None

    def values(self) -> Iterator[Any]:
        """All values in a fixed order; only where `count()` is a number."""
        raise NotImplementedError

    def narrow(self, values: tuple[Any, ...]) -> Kind:
        """The part of this kind with the given values only. Raises ConfigError where one is not of this kind."""
        for value in values:
            if self.fault(value) is not None:
                raise ConfigError(f"{clip(repr(value), 60)} is not {self.words}")
        return Among(self, values)

    def inside(self, step: str | int) -> Kind | None:
        """The kind of the part called `step`, if it has such parts."""
        return None


@dataclass
class Null(Kind):
    """None."""

    form = "N"

    @property
    @override
    def words(self) -> str:
        return "null"

    @override
    def sample(self, rng: np.random.Generator) -> None:
        return None

    @override
    def fault(self, value: Any) -> Fault | None:
        return None if value is None else ((), self)

    @override
    def make_schema(self) -> dict[str, Any]:
        return {"type": "null"}

    @override
    def count(self) -> int:
        return 1

    @override
    def values(self) -> Iterator[Any]:
        yield None


@dataclass
class Boolean(Kind):
    """True or False."""

    form = "B"

    @property
    @override
    def words(self) -> str:
        return "true or false"

    @override
    def sample(self, rng: np.random.Generator) -> bool:
        return bool(rng.integers(2))

    @override
    def fault(self, value: Any) -> Fault | None:
        return None if value is True or value is False else ((), self)

    @override
    def make_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    @override
    def count(self) -> int:
        return 2

    @override
    def values(self) -> Iterator[bool]:
        yield False
        yield True


@dataclass
class Choice(Kind):
    """One of the given values: a `Literal`, or the members of an `Enum`."""

    options: tuple[Any, ...]

    @cached_property
    @override
    def form(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "".join(sorted({json_form(to_jsonable_python(o)) for o in self.options}))

    @cached_property
    @override
    def exotic(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(isinstance(o, Enum) and not isinstance(o, str | int) for o in self.options)

    @cached_property
    def _keys(self) -> frozenset[Any]:
        return frozenset((type(o), o) for o in self.options)

    @property
    @override
    def words(self) -> str:
        return ("one of " if len(self.options) > 1 else "") + show(self.options)

    @override
    def sample(self, rng: np.random.Generator) -> Any:
        return self.options[draw(rng, len(self.options))]

    @override
    def fault(self, value: Any) -> Fault | None:
        try:
            return None if (type(value), value) in self._keys else ((), self)
        except TypeError:  # not hashable, hence none of the options
            return (), self

    @override
    def make_schema(self) -> dict[str, Any]:
        return enumeration(self.options)

    @override
    def count(self) -> int:
        return len(self.options)

    @override
    def values(self) -> Iterator[Any]:
        return iter(self.options)

    @override
    def narrow(self, values: tuple[Any, ...]) -> Kind:
        for value in values:
            if self.fault(value) is not None:  # in Python's words: the members of an Enum are not their values
                raise ConfigError(f"{clip(repr(value), 60)} is not one of {clip(', '.join(map(repr, self.options)), 200)}")
        return Among(self, values)


@dataclass
class Among(Kind):
    """The part of another kind that `where()` left."""

    base: Kind
    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        self.form = self.base.form
        try:
            self._keys: frozenset[Any] | tuple[Any, ...] = frozenset(self.options)
        except TypeError:  # lists, dicts and unfrozen models
            self._keys = self.options

    @property
    @override
    def words(self) -> str:
        return ("one of " if len(self.options) > 1 else "") + show(self.options)

    @override
    def sample(self, rng: np.random.Generator) -> Any:
        return self.options[draw(rng, len(self.options))]

    @override
    def fault(self, value: Any) -> Fault | None:
        try:
            # The base is asked first, as 1 == True == 1.0.
            return None if self.base.fault(value) is None and value in self._keys else ((), self)
        except TypeError:  # not hashable, while all options are
            return (), self

    @override
    def make_schema(self) -> dict[str, Any]:
        return enumeration(self.options)

    @override
    def count(self) -> int:
        return len(self.options)

    @override
    def values(self) -> Iterator[Any]:
        return iter(self.options)

    @override
    def narrow(self, values: tuple[Any, ...]) -> Kind:
        self.base.narrow(values)  # only to see that they are of the base kind
        kept = tuple(o for o in self.options if o in values)
        if not kept:
            raise ConfigError(f"none of the values is {self.words}, as an earlier where() wants")
        return Among(self.base, kept)


@dataclass
class Text(Kind):
    """A string of `low` to `high` characters (code points) that UTF-8 can write: no lone surrogates."""

    low: int = 0
    high: int = TEXT
    pattern: str | None = None
    examples: tuple[str, ...] = ()

    form = "S"

    @property
    @override
    def words(self) -> str:
        if self.pattern is not None:
            return f"text of the form {self.pattern}"
        if self.low:
            return f"text of {self.low} to {self.high} characters"
        return f"text of at most {self.high} characters"

    @override
    def sample(self, rng: np.random.Generator) -> str:
        if self.examples:
            return self.examples[draw(rng, len(self.examples))]
        length = self.low + draw(rng, min(self.high - self.low, 16) + 1)
        return "".join([ALPHABET[i] for i in rng.integers(len(ALPHABET), size=length)])

    @override
    def fault(self, value: Any) -> Fault | None:
        good = (
            type(value) is str
            and self.low <= len(value) <= self.high
            and (value.isascii() or writable(value))
            and (self.pattern is None or matches(self.pattern, value))
        )
        return None if good else ((), self)

    @override
    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string", "maxLength": self.high}
        if self.low:
            schema["minLength"] = self.low
        if self.pattern is not None:
            schema["pattern"] = self.pattern
        return schema

    @override
    def count(self) -> int | None:
        return 1 if self.high == 0 else None

    @override
    def values(self) -> Iterator[str]:
        yield ""


def enumeration(options: Iterable[Any]) -> dict[str, Any]:
    """The schema of a value out of a list."""
    values = [to_jsonable_python(o) for o in options]
    schema: dict[str, Any] = {"const": values[0]} if len(values) == 1 else {"enum": values}
    return {"type": "string", **schema} if all(isinstance(v, str) for v in values) else schema


def json_form(value: Any) -> str:
    """The letter of a JSON value's type."""
    if value is None:
        return "N"
    return {bool: "B", int: "I", float: "F", str: "S", list: "A", dict: "O"}[type(value)]


def writable(text: str) -> bool:
    """Whether UTF-8 can write it: False for lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern))


def matches(pattern: str, text: str) -> bool:
    """Whether pydantic's own regular expressions (Rust's) find `pattern` in `text`."""
    return _matcher(pattern).isinstance_python(text)


def clip(text: str, most: int) -> str:
    """At most `most` printable characters of `text`, on one line."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    return short if short.isprintable() else "".join([c if c.isprintable() else " " for c in short])
