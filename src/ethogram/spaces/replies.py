"""Finding the JSON object in a language model's reply.

`objects_in(text)` takes time linear in the length of the text, whatever is in it: every failed attempt at an object either
skips the object's whole extent or ends the search.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ethogram.errors import VerbError
from ethogram.spaces.hints import quote

__all__ = ["SIZE", "Found", "objects_in", "whole_object"]

SIZE = 100_000
"""Most characters of a reply."""
COUNT = 100
"""Most objects, or malformed ones, in a reply."""

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+'  # up to the closing quote
_START = re.compile(rf'\{{[ \t\n\r]*+(?:{_STRING}"[ \t\n\r]*+:|\}})', re.DOTALL)
_OPEN_END = re.compile(rf'\{{[ \t\n\r]*+(?:{_STRING}(?:"[ \t\n\r]*+|\\)?)?\Z', re.DOTALL)
_BRACES = re.compile(rf'{_STRING}(?:"|\\?\Z)|\{{+|\}}+', re.DOTALL)
_CUT = re.compile(r"(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-|[.eE][+-]?|\\?u[0-9a-fA-F]{0,4})?\Z")
_THINKING = re.compile(r"<(?:think|thinking|reasoning)>", re.IGNORECASE)
_THOUGHT = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)


class _Bad(ValueError):
    """JSON's grammar is kept, yet the object is not acceptable."""


def _no_constant(name: str) -> Any:
    raise _Bad(f"{name} is not JSON: give a finite number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Bad(f"the key {quote(key)} occurs twice")
            seen.add(key)
    return found


# strict=False: line ends and tabs within strings are taken as they are.
_scan = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, strict=False).scan_once  # pyright: ignore


@dataclass
class Found:
    """What a reply holds: its top-level objects, what was wrong with others, and whether it ends within one."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    truncated: bool = False


def whole_object(text: str) -> dict[str, Any] | None:
    """The object that is the whole of `text`, or None where that is not so: the quick way for a clean reply."""
    text = text.strip()
    if text[:1] != "{":
        return None
    try:
        value, end = _scan(text, 0)
    except (ValueError, StopIteration, RecursionError):
        return None
    return value if end == len(text) else None


def objects_in(text: str) -> Found:
    """The top-level JSON objects in `text`, in order, skipping prose, fences and reasoning.

    Raises:
        VerbError: the reasoning never ends, an object is nested too deeply, or there are more than `COUNT` objects.
    """
    found, at = Found(), 0
    if _THINKING.match(text.lstrip("\ufeff \t\r\n")):
        thought = _THOUGHT.search(text)
        if thought is None:
            raise VerbError("the reply is truncated: its reasoning never ends; think less, then give the JSON object")
        at = thought.end()
    while (start := _START.search(text, at)) is not None:
        if _THOUGHT.search(text, at, start.start()):
            found = Found()  # what came before was reasoning
        try:
            value, at = _scan(text, start.start())
            found.objects.append(value)
        except RecursionError:
            raise VerbError("the JSON is nested too deeply; give one flat JSON object") from None
        except (ValueError, StopIteration) as error:
            if _ends_within(text, error):
                found.truncated = True
                return found
            found.problems.append(_problem(text, error))
            end = _extent(text, start.start())
            if end is None:
                return found
            at = end
        if len(found.objects) + len(found.problems) > COUNT:
            raise VerbError(f"the reply holds more than {COUNT} JSON objects; give exactly one")
    if _THOUGHT.search(text, at):
        found = Found()
    found.truncated = _OPEN_END.search(text, at) is not None
    return found


def _position(error: Exception) -> tuple[int, str] | None:
    """Where in the text the scanner failed, and why; None where it does not say."""
    if isinstance(error, StopIteration):
        return error.value, "a value is expected"
    if isinstance(error, json.JSONDecodeError):
        return error.pos, error.msg
    return None


def _ends_within(text: str, error: Exception) -> bool:
    """Whether the scanner failed because the text ends too soon."""
    if (where := _position(error)) is None:
        return False
    return where[1].startswith("Unterminated") or _CUT.match(text.rstrip(), where[0]) is not None


def _problem(text: str, error: Exception) -> str:
    """What is wrong with a malformed object."""
    if isinstance(error, _Bad):
        return str(error)
    if (where := _position(error)) is None:
        return "a number has too many digits"
    at, why = where
    return f"the JSON is malformed at character {at}, near {quote(text[max(at - 12, 0) : at + 12])}: {why}"


def _extent(text: str, start: int) -> int | None:
    """The end of the malformed object at `start`, by its braces outside of strings; None where they do not balance."""
    depth = 0
    for token in _BRACES.finditer(text, start):
        run = token[0]
        if run[0] == "{":
            depth += len(run)
        elif run[0] == "}":
            if len(run) >= depth:
                return token.end()
            depth -= len(run)
    return None
