"""Kinds made of kinds: unions, lists, tuples, dicts and models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, product
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python
from typing_extensions import override

from ethogram.errors import ConfigError
from ethogram.spaces.kinds import ITEMS, Fault, Kind, Text, draw, show

__all__ = ["Many", "Map", "OneOf", "Record", "Row", "total"]

TRIES = 100
"""Samples drawn before a model's own validators are held to reject everything."""


@dataclass
class OneOf(Kind):
    """A value of any of several kinds."""

    members: tuple[Kind, ...]

    def __post_init__(self) -> None:
        self.form = "".join(m.form for m in self.members)
        self.exotic = any(m.exotic for m in self.members)

    @property
    @override
    def words(self) -> str:
        return " or ".join(m.words for m in self.members)

    @override
    def sample(self, rng: np.random.Generator) -> Any:
        return self.members[draw(rng, len(self.members))].sample(rng)

    @override
    def fault(self, value: Any) -> Fault | None:
        return None if any(m.fault(value) is None for m in self.members) else ((), self)

    @override
    def make_schema(self) -> dict[str, Any]:
        return {"anyOf": [m.schema for m in self.members]}

    @override
    def count(self) -> int | None:
        return total(m.count() for m in self.members)

    @override
    def values(self) -> Iterator[Any]:
        return chain.from_iterable(m.values() for m in self.members)

    @override
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
    @override
    def words(self) -> str:
        return f"a list of {self.low} to {self.high} items, each {self.item.words}"

    @override
    def sample(self, rng: np.random.Generator) -> Any:
        length = self.low + draw(rng, min(self.high - self.low, 4) + 1)
        return self.of(self.item.sample(rng) for _ in range(length))

    @override
    def fault(self, value: Any) -> Fault | None:
        if type(value) is not self.of or not self.low <= len(value) <= self.high:
            return (), self
        for i, item in enumerate(value):
            if (fault := self.item.fault(item)) is not None:
                return join(i, fault)
        return None

    @override
    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.item.schema, "maxItems": self.high}
        if self.low:
            schema["minItems"] = self.low
        return schema

    @override
    def count(self) -> int | None:
        each = self.item.count()
        if each is None:
            return 1 if self.high == 0 else None
        if each < 2:
            return self.high - self.low + 1 if each else int(self.low == 0)
        return (each ** (self.high + 1) - each**self.low) // (each - 1)  # the sum of each**n

    @override
    def values(self) -> Iterator[Any]:
        for n in range(self.low, self.high + 1):
            for items in product(*([list(self.item.values())] * n)) if n else [()]:
                yield self.of(items)

    @override
    def narrow(self, values: tuple[Any, ...]) -> Kind:
        return replace(self, item=self.item.narrow(values))

    @override
    def inside(self, step: str | int) -> Kind | None:
        return self.item if isinstance(step, int) else None


@dataclass
class Row(Kind):
    """A tuple of fixed length, with a kind for each place."""

    places: tuple[Kind, ...]

    form = "A"
    exotic = True

    @property
    @override
    def words(self) -> str:
        return f"a list of {len(self.places)}: {', then '.join(p.words for p in self.places)}"

    @override
    def sample(self, rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(p.sample(rng) for p in self.places)

    @override
    def fault(self, value: Any) -> Fault | None:
        if type(value) is not tuple or len(value) != len(self.places):
            return (), self
        for i, (place, item) in enumerate(zip(self.places, value, strict=True)):
            if (fault := place.fault(item)) is not None:
                return join(i, fault)
        return None

    @override
    def make_schema(self) -> dict[str, Any]:
        n = len(self.places)
        return {"type": "array", "prefixItems": [p.schema for p in self.places], "minItems": n, "maxItems": n}

    @override
    def count(self) -> int | None:
        return times(p.count() for p in self.places)

    @override
    def values(self) -> Iterator[Any]:
        return product(*(list(p.values()) for p in self.places))

    @override
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
    @override
    def words(self) -> str:
        return f"an object of {self.low} to {self.high} entries, each {self.item.words}"

    @override
    def sample(self, rng: np.random.Generator) -> dict[str, Any]:
        wanted = self.low + draw(rng, min(self.high - self.low, 4) + 1)
        entries: dict[str, Any] = {}
        for _ in range(wanted + TRIES):  # short keys may coincide
            if len(entries) == wanted:
                break
            entries[self.key.sample(rng)] = self.item.sample(rng)
        return entries

    @override
    def fault(self, value: Any) -> Fault | None:
        if type(value) is not dict or not self.low <= len(value) <= self.high:
            return (), self
        for key, item in value.items():
            if self.key.fault(key) is not None:
                return (), f"an object whose keys are each {self.key.words}"
            if (fault := self.item.fault(item)) is not None:
                return join(key, fault)
        return None

    @override
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

    @override
    def inside(self, step: str | int) -> Kind | None:
        return self.item if isinstance(step, str) else None


@dataclass
class Record(Kind):
    """An instance of one pydantic model, with a kind for each field."""

    model: type[BaseModel]
    fields: dict[str, Kind]
    optional: frozenset[str] = frozenset()
    """Fields that JSON may leave out."""
    tag: dict[str, str] = field(default_factory=dict)
    """Constant properties that its JSON has before the fields: the name of the verb."""
    narrowed: dict[str, tuple[Any, ...]] = field(default_factory=dict, compare=False)
    """The values that `where()` left for a field, by field; for the reader (`fields` holds what counts)."""

    form = "O"
    exotic = True

    @property
    @override
    def words(self) -> str:
        parts = [f'"{name}": {kind.words}{self._about(name, " ({})")}' for name, kind in self.fields.items()]
        return "an object {" + ", ".join(parts) + "}"

    def _about(self, name: str, form: str) -> str:
        """The description of a field put into `form`, or nothing where it has none."""
        about = self.model.model_fields[name].description
        return form.replace("{}", " ".join(about.split())) if about else ""

    @override
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

    @override
    def fault(self, value: Any) -> Fault | None:
        if type(value) is not self.model:
            return (), self
        values = value.__dict__
        for name, kind in self.fields.items():
            if name not in values:
                return (name,), "given"
            if (fault := kind.fault(values[name])) is not None:
                return join(name, fault)
        try:
            # Attributes other than fields (a cached property) are no concern of the model's validators.
            self.build(values if len(values) == len(self.fields) else {n: values[n] for n in self.fields})
        except ValidationError as error:
            return (), f"valid: {error.errors(include_url=False, include_context=False, include_input=False)[0]['msg']}"
        return None

    @override
    def make_schema(self) -> dict[str, Any]:
        properties = {key: {"type": "string", "const": value} for key, value in self.tag.items()}
        properties |= {name: self._property(name) for name in self.fields}
        required = [*self.tag, *(name for name in self.fields if name not in self.optional)]
        schema: dict[str, Any] = {"type": "object"}
        if about := summary(self.model):
            schema["description"] = about
        return {**schema, "properties": properties, "required": required, "additionalProperties": False}

    def _property(self, name: str) -> dict[str, Any]:
        """The schema of one field, with its description and, where it may be left out, its default."""
        schema, info = self.fields[name].schema, self.model.model_fields[name]
        if info.description:
            schema = {**schema, "description": info.description}
        if name in self.optional and info.default_factory is None:
            schema = {**schema, "default": to_jsonable_python(info.default)}
        return schema

    @override
    def count(self) -> int | None:
        return times(k.count() for k in self.fields.values())

    @override
    def values(self) -> Iterator[Any]:
        for values in product(*(list(k.values()) for k in self.fields.values())):
            try:
                yield self.build(dict(zip(self.fields, values, strict=True)))
            except ValidationError:
                continue  # forbidden by a validator of the model's own

    @override
    def inside(self, step: str | int) -> Kind | None:
        return self.fields.get(step) if isinstance(step, str) else None

    def where(self, name: str, values: tuple[Any, ...]) -> Record:
        """This record with the field `name` narrowed to `values`. Raises ConfigError."""
        kind = self.fields[name].narrow(values)
        info = self.model.model_fields[name]
        kept = name in self.optional and info.default_factory is None and kind.fault(info.default) is None
        if name in self.narrowed:
            values = tuple(v for v in self.narrowed[name] if v in values)
        optional = self.optional if kept else self.optional - {name}
        return Record(self.model, {**self.fields, name: kind}, optional, self.tag, {**self.narrowed, name: values})

    def describe(self) -> str:
        """The form of its JSON with the model's docstring, and a line for each field."""
        keys = [f'"{key}": "{value}"' for key, value in self.tag.items()] + [f'"{name}": ...' for name in self.fields]
        lines = [" ".join(["{" + ", ".join(keys) + "}", summary(self.model)]).rstrip()]
        for name, kind in self.fields.items():
            info, extra = self.model.model_fields[name], ""
            if name in self.optional:
                extra = " (may be left out)" if info.default_factory else f" (default {show([info.default])})"
            lines.append(f"  {name}: {kind.words}{extra}{self._about(name, '. {}')}")
        return "\n".join(lines)


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
    return (step, *fault[0]), fault[1]


def summary(model: type[BaseModel]) -> str:
    """The first paragraph of the model's docstring, on one line."""
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split())
