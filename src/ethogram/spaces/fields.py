"""Reading the kinds of a pydantic model's fields off their annotations."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo

from ethogram.errors import ConfigError
from ethogram.spaces.containers import Many, Map, OneOf, Record, Row
from ethogram.spaces.kinds import ITEMS, TEXT, Boolean, Choice, Kind, Null, Text
from ethogram.spaces.numbers import Grid, Real

__all__ = ["record"]

LOWER, UPPER = ("ge", "gt", "min_length"), ("le", "lt", "max_length")
OTHER = ("multiple_of", "pattern", "max_digits", "decimal_places")


def record(model: type[BaseModel], tag: dict[str, str]) -> Record:
    """The kind of the instances of `model`, whose JSON has the constants `tag` before its fields.

    Raises:
        ConfigError: a field has none; the message names model, field and type.
    """
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ConfigError(f"{model!r} is not a pydantic model: give a class derived from pydantic.BaseModel")
    for key in tag:
        if key in model.model_fields:
            raise ConfigError(f"{model.__name__}.{key}: this key is taken by the name of the verb; rename the field")
    try:
        return replace(_record(model, ()), tag=tag)
    except RecursionError:
        raise ConfigError(f"{model.__name__} has a type that contains itself: its values have no bounded depth") from None


def _record(model: type[BaseModel], within: tuple[type, ...]) -> Record:
    name = model.__name__
    if model in within:
        raise ConfigError(f"{name} contains itself: its values have no bounded depth; give it fields of other types")
    if issubclass(model, RootModel) or model.model_config.get("extra") == "allow":
        raise ConfigError(f"{name} may hold any fields: declare each field, and not extra='allow'")
    try:
        model.model_rebuild()
    except (PydanticUndefinedAnnotation, PydanticUserError) as error:
        raise ConfigError(f"{name} is not complete: {str(error).splitlines()[0]}") from error
    kinds: dict[str, Kind] = {}
    optional: set[str] = set()
    for field, info in model.model_fields.items():
        try:
            kinds[field] = _kind(info.annotation, *_facets(info.metadata, info.examples), (*within, model))
        except ConfigError as error:
            raise ConfigError(f"{name}.{field}: {error}") from None
        if info.exclude:
            raise ConfigError(f"{name}.{field}: exclude=True would lose it: a verb must be dumped whole")
        if info.is_required():
            continue
        optional.add(field)
        if info.default_factory is None and kinds[field].fault(info.default) is not None:
            raise ConfigError(f"{name}.{field}: the default {info.default!r} is not {kinds[field].words}")
    return Record(model, kinds, frozenset(optional))


def _facets(metadata: Iterable[Any], examples: list[Any] | None) -> tuple[dict[str, Any], list[Any] | None]:
    """The constraints in a field's metadata, the tightest of each sort, and its examples.

    The attributes are the same for annotated_types' (Ge, MaxLen, Interval ...) and for pydantic's own markers.
    """
    facets: dict[str, Any] = {}
    for item in metadata:
        if isinstance(item, FieldInfo):
            inner, inner_examples = _facets(item.metadata, item.examples)
            facets, examples = _tighten(facets, inner), examples or inner_examples
        else:
            found = {key: getattr(item, key, None) for key in (*LOWER, *UPPER, *OTHER)}
            facets = _tighten(facets, {key: value for key, value in found.items() if value is not None})
    return facets, examples


def _tighten(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {**old, **new}
    for key in old.keys() & new.keys():
        if key in LOWER:
            both[key] = max(old[key], new[key])
        elif key in UPPER:
            both[key] = min(old[key], new[key])
    return both


def _kind(annotation: Any, facets: dict[str, Any], examples: list[Any] | None, within: tuple[type, ...]) -> Kind:
    """The kind of a type with constraints. Raises ConfigError."""
    if hasattr(annotation, "__value__"):  # type X = ...
        return _kind(annotation.__value__, facets, examples, within)
    if hasattr(annotation, "__supertype__"):  # NewType
        return _kind(annotation.__supertype__, facets, examples, within)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, inner_examples = _facets(args[1:], None)
        return _kind(args[0], _tighten(inner, facets), examples or inner_examples, within)
    if origin is Union or origin is types.UnionType:
        return _union(args, facets, examples, within)
    if origin is Literal:
        if any(isinstance(a, Enum) for a in args):
            raise ConfigError("a Literal of Enum members cannot be read from JSON: use the Enum, or a Literal of its values")
        return _choice(args)
    if origin in (list, tuple, dict) and args:
        return _container(origin, args, facets, within)
    if annotation is None or annotation is type(None):
        return Null()
    if annotation is bool:
        return Boolean()
    if annotation is int or annotation is float or annotation is Decimal:
        return _number(annotation, facets)
    if annotation is str:
        return _text(facets, examples)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice(tuple(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _record(annotation, within)
    shown = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    raise ConfigError(
        f"the type {shown or annotation} is not supported: use bool, int, float, Decimal, str, Literal, Enum, list, tuple, "
        "dict[str, ...], a pydantic model, or a union of these"
    )


def _choice(options: tuple[Any, ...]) -> Choice:
    if not options:
        raise ConfigError("the Enum has no members")
    for option in options:
        value = option.value if isinstance(option, Enum) else option
        if not (value is None or isinstance(value, bool | int | float | str)):
            raise ConfigError(f"the value {option!r} is neither text, number, bool nor None, so JSON cannot write it")
    return Choice(options)


def _union(args: tuple[Any, ...], facets: dict[str, Any], examples: list[Any] | None, within: tuple[type, ...]) -> Kind:
    members = tuple(_kind(a, {} if a is type(None) else facets, examples, within) for a in args)
    for i, one in enumerate(members):
        for other in members[:i]:
            if _told_apart(one, other):
                continue
            raise ConfigError(
                f"JSON does not tell {one.words} from {other.words}: keep one of them, or give each model a Literal field "
                "whose values differ"
            )
    return members[0] if len(members) == 1 else OneOf(members)


def _told_apart(one: Kind, other: Kind) -> bool:
    """Whether no JSON value could be read as either: of other JSON types, or models with a Literal that differs.

    Kinds whose JSON values are their Python values may share a type, as pydantic prefers the exact one. Beside a kind that
    has other JSON values (a Decimal is written as text) pydantic might convert, so any two scalars are too close.
    """
    forms = [set("SIFB") | set(k.form) if set(k.form) & set("SIFB") else set(k.form) for k in (one, other)]
    if not (one.exotic or other.exotic) or not forms[0] & forms[1]:
        return True
    if not (isinstance(one, Record) and isinstance(other, Record)):
        return False
    shared = [(one.fields[n], other.fields[n]) for n in one.fields if n in other.fields]
    return any(isinstance(a, Choice) and isinstance(b, Choice) and not {*a.options} & {*b.options} for a, b in shared)


def _container(origin: Any, args: Any, facets: dict[str, Any], within: tuple[type, ...]) -> Kind:
    low = facets.get("min_length", 0)
    high = facets.get("max_length", max(ITEMS, low))
    if low > high:
        raise ConfigError(f"it must have at least {low} and at most {high} items, which nothing can")
    if origin is dict:
        key = _kind(args[0], {}, None, within)
        if not isinstance(key, Text):
            raise ConfigError("the keys of a dict must be str: for fixed keys use a nested model")
        return Map(key, _kind(args[1], {}, None, within), low, high)
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return Row(tuple(_kind(a, {}, None, within) for a in args))
    return Many(origin, _kind(args[0], {}, None, within), low, high)


def _text(facets: dict[str, Any], examples: list[Any] | None) -> Text:
    low = facets.get("min_length", 0)
    high = facets.get("max_length", max(TEXT, low))
    if low > high:
        raise ConfigError(f"it must have at least {low} and at most {high} characters, which no text has")
    pattern = facets.get("pattern")
    if pattern is None:
        return Text(low, high)
    pattern = getattr(pattern, "pattern", pattern)  # a compiled one
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise ConfigError(f"the pattern {pattern!r} must begin with ^ and end with $: constrained decoding needs the whole")
    if not examples:
        raise ConfigError(f"text with the pattern {pattern!r} cannot be sampled: give Field(examples=[...])")
    kind = Text(low, high, pattern, tuple(examples))
    for example in examples:
        if kind.fault(example) is not None:
            raise ConfigError(f"the example {example!r} does not fit the pattern {pattern!r} and the lengths given")
    return kind


def _number(of: type, facets: dict[str, Any]) -> Kind:
    """The kind of a number: a grid where it has steps (all ints, decimals, floats with `multiple_of`)."""
    low, low_open = _bound(facets, "ge", "gt", max)
    high, high_open = _bound(facets, "le", "lt", min)
    multiple = facets.get("multiple_of")
    if of is float:
        low, high = (b if b is None or isinstance(b, int) else float(b) for b in (low, high))
    if of is float and multiple is None:
        return Real(low, high, low_open, high_open)
    if multiple is not None and (multiple <= 0 or (of is int and multiple != int(multiple))):
        raise ConfigError(f"multiple_of={multiple} must be above 0, and whole for an int")
    step = Fraction(str(1 if multiple is None else multiple))
    if of is not Decimal:
        first, last = _multiples(step, low, low_open), _multiples(step, high, high_open, below=True)
        return Grid(of, step, first, last, (0, 0), True, low, high, low_open, high_open)
    places, most = facets.get("decimal_places"), facets.get("max_digits")
    after = places if places is not None else 12 if most is None else min(12, most)
    first = last = None
    # Without given places, they are as many as the bounds need for samples between them.
    for drawn in [places] if places is not None else range(min(after, 2), after + 1):
        step = Fraction(1, 10**drawn) if multiple is None else step
        first, last = _multiples(step, low, low_open), _multiples(step, high, high_open, below=True)
        if most is not None and multiple is None:
            reach = 10**most - 1
            first, last = max(-reach if first is None else first, -reach), min(reach if last is None else last, reach)
        if first is None or last is None or first <= last:
            break
    digits = (20 if most is None else max(most - (places or 0), 1), after)
    exact = multiple is not None or places is not None
    return Grid(of, step, first, last, digits, exact, low, high, low_open, high_open)


def _bound(facets: dict[str, Any], closed: str, opened: str, tighter: Any) -> tuple[Any, bool]:
    """The tighter of a closed and an open bound, and whether it is the open one; an infinite one is none."""
    found = {key: facets[key] for key in (closed, opened) if key in facets and math.isfinite(facets[key])}
    if not found:
        return None, False
    bound = tighter(found.values())
    return bound, found.get(opened) == bound


def _multiples(step: Fraction, bound: Any, is_open: bool, below: bool = False) -> int | None:
    """The first multiple of `step` above `bound` (or the last one below it), as a number of steps."""
    if bound is None:
        return None
    turns = Fraction(str(bound)) / step
    skipped = int(is_open and turns.denominator == 1)
    return math.floor(turns) - skipped if below else math.ceil(turns) + skipped
