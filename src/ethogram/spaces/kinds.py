"""Kinds of values: what a field of a verb may hold, as a small algebra.

A `Kind` is one thing of which all the views of a space follow: sampling, membership, JSON schema, enumeration, words for a
reader, and narrowing to the values possible now. `ethogram.spaces.fields` reads kinds off pydantic models.

A kind's Python values are what the model's attributes hold (an `Enum` member, a `Decimal`, a tuple); its JSON values are
what `model_dump(mode="json")` writes for them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from itertools import chain, product
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator, core_schema, to_jsonable_python

from ethogram.errors import ConfigError

__all__ = [
    "ITEMS",
    "TEXT",
    "Among",
    "Boolean",
    "Choice",
    "Fault",
    "Kind",
    "Many",
    "Map",
    "Null",
    "OneOf",
    "Record",
    "Row",
    "Text",
]

TEXT = 500
"""Most characters of a string whose field gives no `max_length`."""
ITEMS = 50
"""Most items of a list, tuple or dict whose field gives no `max_length`."""

TRIES = 100
"""Samples drawn before a model's own validators are held to reject everything."""

ALPHABET = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"\\/()[]{}<>&%$#@*+-=_~éßñøΩЖא中日ก€–“🙂"

Fault: TypeAlias = "tuple[str, Kind | str]"
"""Where a value is wrong (a path such as `gifts[2].item`; empty for the value itself), and the kind it should be of."""


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
    def words(self) -> str:
        return "null"

    def sample(self, rng: np.random.Generator) -> None:
        return None

    def fault(self, value: Any) -> Fault | None:
        return None if value is None else ("", self)

    def make_schema(self) -> dict[str, Any]:
        return {"type": "null"}

    def count(self) -> int:
        return 1

    def values(self) -> Iterator[Any]:
        yield None


@dataclass
class Boolean(Kind):
    """True or False."""

    form = "B"

    @property
    def words(self) -> str:
        return "true or false"

    def sample(self, rng: np.random.Generator) -> bool:
        return bool(rng.integers(2))

    def fault(self, value: Any) -> Fault | None:
        return None if value is True or value is False else ("", self)

    def make_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def count(self) -> int:
        return 2

    def values(self) -> Iterator[bool]:
        yield False
        yield True


@dataclass
class Choice(Kind):
    """One of the given values: a `Literal`, or the members of an `Enum`."""

    options: tuple[Any, ...]

    @cached_property
    def form(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "".join(sorted({json_form(to_jsonable_python(o)) for o in self.options}))

    @cached_property
    def exotic(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(isinstance(o, Enum) and not isinstance(o, str | int) for o in self.options)

    @cached_property
    def _keys(self) -> frozenset[Any]:
        return frozenset((type(o), o) for o in self.options)

    @property
    def words(self) -> str:
        return ("one of " if len(self.options) > 1 else "") + show(self.options)

    def sample(self, rng: np.random.Generator) -> Any:
        return self.options[draw(rng, len(self.options))]

    def fault(self, value: Any) -> Fault | None:
        try:
            return None if (type(value), value) in self._keys else ("", self)
        except TypeError:  # not hashable, hence none of the options
            return "", self

    def make_schema(self) -> dict[str, Any]:
        return enumeration(self.options)

    def count(self) -> int:
        return len(self.options)

    def values(self) -> Iterator[Any]:
        return iter(self.options)


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
    def words(self) -> str:
        return ("one of " if len(self.options) > 1 else "") + show(self.options)

    def sample(self, rng: np.random.Generator) -> Any:
        return self.options[draw(rng, len(self.options))]

    def fault(self, value: Any) -> Fault | None:
        # The base is asked first, as 1 == True == 1.0.
        return None if self.base.fault(value) is None and value in self._keys else ("", self)

    def make_schema(self) -> dict[str, Any]:
        return enumeration(self.options)

    def count(self) -> int:
        return len(self.options)

    def values(self) -> Iterator[Any]:
        return iter(self.options)

    def narrow(self, values: tuple[Any, ...]) -> Kind:
        kept = tuple(o for o in self.options if o in values)
        if not kept:
            raise ConfigError(f"nothing is left of {self.words}")
        return self.base.narrow(kept)


@dataclass
class Text(Kind):
    """A string of `low` to `high` characters (code points) that UTF-8 can write: no lone surrogates."""

    low: int = 0
    high: int = TEXT
    pattern: str | None = None
    examples: tuple[str, ...] = ()

    form = "S"

    @property
    def words(self) -> str:
        if self.pattern is not None:
            return f"text of the form {self.pattern}"
        if self.low:
            return f"text of {self.low} to {self.high} characters"
        return f"text of at most {self.high} characters"

    def sample(self, rng: np.random.Generator) -> str:
        if self.examples:
            return self.examples[draw(rng, len(self.examples))]
        length = self.low + draw(rng, min(self.high - self.low, 16) + 1)
        return "".join([ALPHABET[i] for i in rng.integers(len(ALPHABET), size=length)])

    def fault(self, value: Any) -> Fault | None:
        if type(value) is str and self.low <= len(value) <= self.high and (value.isascii() or writable(value)):
            if self.pattern is None or matches(self.pattern, value):
                return None
        return "", self

    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string", "maxLength": self.high}
        if self.low:
            schema["minLength"] = self.low
        if self.pattern is not None:
            schema["pattern"] = self.pattern
        return schema

    def count(self) -> int | None:
        return 1 if self.high == 0 else None

    def values(self) -> Iterator[str]:
        yield ""


@dataclass
class OneOf(Kind):
    """A value of any of several kinds."""

    members: tuple[Kind, ...]

    def __post_init__(self) -> None:
        self.form = "".join(m.form for m in self.members)
        self.exotic = any(m.exotic for m in self.members)

    @property
    def words(self) -> str:
        return " or ".join(m.words for m in self.members)

    def sample(self, rng: np.random.Generator) -> Any:
        return self.members[draw(rng, len(self.members))].sample(rng)

    def fault(self, value: Any) -> Fault | None:
        return None if any(m.fault(value) is None for m in self.members) else ("", self)

    def make_schema(self) -> dict[str, Any]:
        return {"anyOf": [m.schema for m in self.members]}

    def count(self) -> int | None:
        return total(m.count() for m in self.members)

    def values(self) -> Iterator[Any]:
        return chain.from_iterable(m.values() for m in self.members)

    def narrow(self, values: tuple[Any, ...]) -> Kind:
        """Narrow the items of a list among its members; else to the given values themselves."""
        if not any(isinstance(m, Many) for m in self.members):
            return super().narrow(values)
        return OneOf(tuple(m.narrow(values) if isinstance(m, Many) else m for m in self.members))


@dataclass
class Many(Kind):
    """A list (`of` list) or a tuple of any length (`of` tuple) with `low` to `high` items of one kind."""

    of: type
    item: Kind
    low: int = 0
    high: int = ITEMS

    form = "A"

    def __post_init__(self) -> None:
        self.exotic = self.of is not list or self.item.exotic

    @property
    def words(self) -> str:
        return f"a list of {self.low} to {self.high} items, each {self.item.words}"

    def sample(self, rng: np.random.Generator) -> Any:
        length = self.low + draw(rng, min(self.high - self.low, 4) + 1)
        return self.of(self.item.sample(rng) for _ in range(length))

    def fault(self, value: Any) -> Fault | None:
        if type(value) is not self.of or not self.low <= len(value) <= self.high:
            return "", self
        for i, item in enumerate(value):
            if (fault := self.item.fault(item)) is not None:
                return join(i, fault)
        return None

    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.item.schema, "maxItems": self.high}
        if self.low:
            schema["minItems"] = self.low
        return schema

    def count(self) -> int | None:
        each = self.item.count()
        if each is None:
            return 1 if self.high == 0 else None
        return sum(each**n for n in range(self.low, self.high + 1))

    def values(self) -> Iterator[Any]:
        for n in range(self.low, self.high + 1):
            for items in product(*([list(self.item.values())] * n)) if n else [()]:
                yield self.of(items)

    def narrow(self, values: tuple[Any, ...]) -> Kind:
        return replace(self, item=self.item.narrow(values))

    def inside(self, step: str | int) -> Kind | None:
        return self.item if isinstance(step, int) else None


@dataclass
class Row(Kind):
    """A tuple of fixed length, with a kind for each place."""

    places: tuple[Kind, ...]

    form = "A"
    exotic = True

    @property
    def words(self) -> str:
        return f"a list of {len(self.places)}: {', then '.join(p.words for p in self.places)}"

    def sample(self, rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(p.sample(rng) for p in self.places)

    def fault(self, value: Any) -> Fault | None:
        if type(value) is not tuple or len(value) != len(self.places):
            return "", self
        for i, (place, item) in enumerate(zip(self.places, value, strict=True)):
            if (fault := place.fault(item)) is not None:
                return join(i, fault)
        return None

    def make_schema(self) -> dict[str, Any]:
        n = len(self.places)
        return {"type": "array", "prefixItems": [p.schema for p in self.places], "minItems": n, "maxItems": n}

    def count(self) -> int | None:
        return times(p.count() for p in self.places)

    def values(self) -> Iterator[Any]:
        return product(*(list(p.values()) for p in self.places))

    def inside(self, step: str | int) -> Kind | None:
        return self.places[step] if isinstance(step, int) and step < len(self.places) else None


@dataclass
class Map(Kind):
    """A dict from text to values of one kind, with `low` to `high` entries."""

    key: Text
    item: Kind
    low: int = 0
    high: int = ITEMS

    form = "O"

    def __post_init__(self) -> None:
        self.exotic = self.item.exotic

    @property
    def words(self) -> str:
        return f"an object of {self.low} to {self.high} entries, each {self.item.words}"

    def sample(self, rng: np.random.Generator) -> dict[str, Any]:
        wanted = self.low + draw(rng, min(self.high - self.low, 4) + 1)
        entries: dict[str, Any] = {}
        for _ in range(wanted + TRIES):  # short keys may coincide
            if len(entries) == wanted:
                break
            entries[self.key.sample(rng)] = self.item.sample(rng)
        return entries

    def fault(self, value: Any) -> Fault | None:
        if type(value) is not dict or not self.low <= len(value) <= self.high:
            return "", self
        for key, item in value.items():
            if self.key.fault(key) is not None:
                return "", f"an object whose keys are each {self.key.words}"
            if (fault := self.item.fault(item)) is not None:
                return join(key, fault)
        return None

    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": self.item.schema,
            "propertyNames": {k: v for k, v in self.key.schema.items() if k != "type"},
            "maxProperties": self.high,
        }
        if self.low:
            schema["minProperties"] = self.low
        return schema

    def inside(self, step: str | int) -> Kind | None:
        return self.item if isinstance(step, str) else None


@dataclass
class Record(Kind):
    """An instance of one pydantic model, with a kind for each field."""

    model: type[BaseModel]
    fields: dict[str, Kind]
    optional: frozenset[str] = frozenset()
    """Fields that JSON may leave out."""
    narrowed: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """The values that `where()` left for a field, by field; for the reader (`fields` holds what counts)."""

    form = "O"
    exotic = True

    @property
    def words(self) -> str:
        return "an object {" + ", ".join(f'"{n}": {k.words}' for n, k in self.fields.items()) + "}"

    def sample(self, rng: np.random.Generator) -> BaseModel:
        for _ in range(TRIES):
            try:
                value = self.build({name: kind.sample(rng) for name, kind in self.fields.items()})
            except ValidationError:
                continue  # the model has validators of its own, of which kinds know nothing
            if self.fault(value) is None:
                return value
        raise ConfigError(f"{self.model.__name__} rejects all of {TRIES} random values: its validators leave too little")

    def build(self, values: Mapping[str, Any]) -> BaseModel:
        """A validated instance from Python values. Raises pydantic's ValidationError."""
        return self.model.__pydantic_validator__.validate_python(values, strict=True, by_name=True, by_alias=False)

    def fault(self, value: Any) -> Fault | None:
        if type(value) is not self.model:
            return "", self
        values = value.__dict__
        for name, kind in self.fields.items():
            if name not in values:
                return name, "given"
            if (fault := kind.fault(values[name])) is not None:
                return join(name, fault)
        try:
            # Attributes other than fields (a cached property) are no concern of the model's validators.
            self.build(values if len(values) == len(self.fields) else {n: values[n] for n in self.fields})
        except ValidationError as error:
            return "", f"valid: {error.errors(include_url=False, include_context=False, include_input=False)[0]['msg']}"
        return None

    def make_schema(self) -> dict[str, Any]:
        return self.tagged_schema({})

    def tagged_schema(self, tag: dict[str, Any]) -> dict[str, Any]:
        """The schema with the properties `tag` before the model's own."""
        properties = {**tag, **{name: self.property_schema(name) for name in self.fields}}
        required = [*tag, *(name for name in self.fields if name not in self.optional)]
        schema: dict[str, Any] = {"type": "object"}
        if about := summary(self.model):
            schema["description"] = about
        return {**schema, "properties": properties, "required": required, "additionalProperties": False}

    def property_schema(self, name: str) -> dict[str, Any]:
        """The schema of one field, with its description and, where it may be left out, its default."""
        schema, info = self.fields[name].schema, self.model.model_fields[name]
        if info.description:
            schema = {**schema, "description": info.description}
        if name in self.optional and info.default_factory is None:
            schema = {**schema, "default": to_jsonable_python(info.default)}
        return schema

    def count(self) -> int | None:
        return times(k.count() for k in self.fields.values())

    def values(self) -> Iterator[Any]:
        for values in product(*(list(k.values()) for k in self.fields.values())):
            try:
                yield self.build(dict(zip(self.fields, values, strict=True)))
            except ValidationError:
                continue  # forbidden by a validator of the model's own

    def inside(self, step: str | int) -> Kind | None:
        return self.fields.get(step) if isinstance(step, str) else None

    def where(self, name: str, values: tuple[Any, ...]) -> Record:
        """This record with the field `name` narrowed to `values`. Raises ConfigError."""
        kind = self.fields[name].narrow(values)
        info = self.model.model_fields[name]
        kept = name in self.optional and info.default_factory is None and kind.fault(info.default) is None
        return Record(
            self.model,
            {**self.fields, name: kind},
            self.optional if kept else self.optional - {name},
            {**self.narrowed, name: values},
        )


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


def total(counts: Iterable[int | None]) -> int | None:
    """The sum, or None where one of them is None."""
    known = list(counts)
    return None if None in known else sum(n for n in known if n is not None)


def times(counts: Iterable[int | None]) -> int | None:
    """The product, or None where one of them is None."""
    number = 1
    for n in counts:
        if n is None:
            return None
        number *= n
    return number


def join(step: str | int, fault: Fault) -> Fault:
    """The fault of a part, as the fault of the whole."""
    path, kind = fault
    head = f"[{step}]" if isinstance(step, int) else step
    return (head + (path if path.startswith("[") or not path else f".{path}")), kind


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


def summary(model: type[BaseModel]) -> str:
    """The first paragraph of the model's docstring, on one line."""
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())
