"""What is said to a model about a reply that is no element: one line, short, with at most an excerpt of the reply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from ethogram.errors import VerbError
from ethogram.spaces.containers import Record
from ethogram.spaces.kinds import Fault, Kind, clip

__all__ = ["described", "hint", "invalid", "quote", "wrong"]

HINT = 300
"""Most characters of a message."""
LACKING = {"missing": "is missing", "extra_forbidden": "is not a field"}
"""What pydantic's types of errors say of the keys of an object."""
RAISED = ("value_error", "assertion_error")
"""Pydantic's types of errors that a model's own validators raise."""


def quote(text: str) -> str:
    """A short excerpt of foreign text, on one line, in quotes."""
    return f'"{clip(text, 40)}"'


def hint(message: str) -> VerbError:
    """An error whose message is one printable line of at most `HINT` characters."""
    return VerbError(clip(message, HINT))


def described(value: Any) -> str:
    """A JSON value in short."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**20):
        return json.dumps(value)
    return "a huge number" if isinstance(value, int) else f"a {type(value).__name__}"


def spelled(path: Iterable[str | int]) -> str:
    """A path such as `gifts[2].item`."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).removeprefix(".")


def has(data: Any, step: str | int) -> bool:
    """Whether JSON data has a part called `step`."""
    if isinstance(data, Mapping):
        return step in data
    return isinstance(data, list | tuple) and isinstance(step, int) and step < len(data)


def invalid(one: Record, fields: Mapping[str, Any], error: ValidationError) -> str:
    """The first of pydantic's complaints, in one line."""
    if unknown := [name for name in fields if name not in one.fields]:
        return f"there is no field {quote(str(unknown[0]))}; the fields are: {', '.join(one.fields) or 'none'}"
    if missing := [name for name in one.fields if name not in fields and name not in one.optional]:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if error.error_count() > 1000:
        return "more than 1000 values are wrong"
    first = error.errors(include_url=False, include_context=False)[0]
    kind: Kind = one
    value: Any = fields
    path: list[str | int] = []
    for step in first["loc"]:  # as far as it names parts of the data; then come the members of unions, and the like
        inner = kind.inside(step)
        if inner is None or not has(value, step):
            break
        kind, value = inner, value[step]
        path.append(step)
    if first["type"] in LACKING:
        return f"{spelled(first['loc'])} {LACKING[first['type']]}"
    if kind is one or (isinstance(kind, Record) and isinstance(value, Mapping)) or first["type"] in RAISED:
        return f"{spelled(path)}: {first['msg']}".removeprefix(": ")
    return f"{spelled(path)} must be {kind.words}, not {described(value)}"


def wrong(fault: Fault, fields: Mapping[str, Any]) -> str:
    """A kind's complaint, in one line."""
    path, kind = fault
    value: Any = fields
    for step in path:
        if not has(value, step):  # a default is at fault
            value = None
            break
        value = value[step]
    must = f"must be {kind.words if isinstance(kind, Kind) else kind}"
    said = f"{spelled(path)} {must}" + ("" if value is None or value is fields else f", not {described(value)}")
    return said.strip()
