"""TOML files that people write: read, checked, and every complaint with the file and line it is about."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from ethogram.errors import ConfigError

__all__ = ["Source", "nearest", "town_file"]

Model = TypeVar("Model", bound=BaseModel)
Key = str | int

_HEADER = re.compile(r"""^\s*(\[\[?)\s*((?:[^\s"'\]]|\s(?=\s*\.)|"[^"]*"|'[^']*')+)\s*\]\]?\s*(?:#.*)?$""")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*[.=]""")
_KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "string_type": "a text in quotes",
    "dict_type": "a table of name = value",
    "list_type": "a list in square brackets",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """The known names that come closest to `name`, as the end of a sentence: `; did you mean 'Ana'?`, or nothing."""
    known = list(known)
    lower = {k.lower(): k for k in known}
    close = [lower[c] for c in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    if close:
        return f"; did you mean {' or '.join(repr(c) for c in close)}?"
    return f"; known are: {', '.join(known[:12])}{', …' if len(known) > 12 else ''}" if known else ""


def town_file(given: str | Path, file: str) -> Path:
    """The path of a town's file: given as such, as its folder, or by the name of a town that comes with ethogram."""
    towns = Path(__file__).parent / "towns"
    for path in (towns / given / file, Path(given) / file, Path(given)):
        if path.is_file():
            return path
    names = sorted(p.name for p in towns.iterdir() if p.is_dir())
    raise ConfigError(
        f"there is no town {str(given)!r}: give one of {', '.join(names)}, or the path of a {file} (or of its folder)"
    )


class _Section(NamedTuple):
    """A table header and the lines below it, up to the next header."""

    path: tuple[Key, ...]
    first: int
    last: int


class Source:
    """A TOML file that knows in which line things stand.

    Args:
        path: the file.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.lines = path.read_text(encoding="utf-8").splitlines()
            self.data: dict[str, Any] = tomllib.loads("\n".join(self.lines) + "\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read {path}: {error}; give a TOML file in UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+), column (\d+)\)", str(error))
            place = f"{path}:{at[1]}:{at[2]}" if at else f"{path}:{len(self.lines)}"
            reason = re.sub(r" \(at .*\)$", "", str(error))
            raise ConfigError(f"{place}: this is not TOML: {reason[:1].lower()}{reason[1:]}") from error
        self._sections = self._find_sections()

    def _find_sections(self) -> list[_Section]:
        """All table headers, with the index of each entry of an array of tables in its path."""
        starts: list[tuple[tuple[Key, ...], int]] = [((), 1)]
        count: dict[tuple[Key, ...], int] = {}
        quote = ""
        for number, line in enumerate(self.lines, 1):
            inside, quote = bool(quote), _still_open(line, quote)
            header = None if inside else _HEADER.match(line)
            if header is None:
                continue
            path: tuple[Key, ...] = ()
            names = _split(header[2])
            for depth, name in enumerate(names):
                path = (*path, name)
                if depth == len(names) - 1 and header[1] == "[[":
                    count[path] = count.get(path, -1) + 1
                if path in count:
                    path = (*path, count[path])
            starts.append((path, number))
        ends = [number - 1 for _, number in starts[1:]] + [len(self.lines)]
        return [_Section(path, first, last) for (path, first), last in zip(starts, ends, strict=True)]

    def line(self, *keys: Key) -> int:
        """The line at which the entry that `keys` lead to begins; that of the nearest entry around it if it has none."""
        section = max(
            (s for s in self._sections if s.path == keys[: len(s.path)]),
            key=lambda s: (len(s.path), -s.first),
        )
        below = [s.first for s in self._sections if s.path[: len(keys)] == keys and len(s.path) > len(section.path)]
        if below:
            return below[0]
        found, first = section.first, section.first
        for key in keys[len(section.path) :]:
            line = next((n for n in range(first, section.last + 1) if self._has(n, key)), None)
            if line is None:
                break
            found = first = line
        return found

    def _has(self, number: int, key: Key) -> bool:
        """Whether the line holds the key, at its start or in an inline table."""
        if isinstance(key, int):
            return False
        text = self.lines[number - 1]
        start = _KEY.match(text)
        if start and start[1].strip("\"'") == key:
            return True
        return re.search(rf"""["']?{re.escape(key)}["']?\s*=""", text) is not None

    def line_of(self, text: str, *keys: Key) -> int:
        """The first line from that of `keys` on in which `text` stands; the line of `keys` if in none."""
        first = self.line(*keys)
        return next((n for n in range(first, len(self.lines) + 1) if text in self.lines[n - 1]), first)

    def error(self, line: int, message: str) -> ConfigError:
        """The error for something that is wrong in a line."""
        return ConfigError(f"{self.path}:{line}: {message}")

    def read(self, model: type[Model]) -> Model:
        """The file's content as `model`; ConfigError for the first thing that does not fit, with its line."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            found = error.errors()
            # A misspelled key is unknown and missing at once: the first says more.
            first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
            keys = tuple(k for k in first["loc"] if k != "[key]")
            name = str(keys[-1]) if keys else ""
            if first["type"] == "extra_forbidden":
                message = f"unknown key {name!r}{nearest(name, _fields(model, keys[:-1]))}"
            elif first["type"] == "missing":
                message = f"{_owner(keys)} has no {name!r}; add {name} = …"
                keys = keys[:-1]
            elif first["type"] in _KINDS:
                message = f"{name!r} must be {_KINDS[first['type']]}, not {_short(first['input'])}"
            elif first["type"] == "value_error":
                message = first["msg"].removeprefix("Value error, ")
            else:
                message = f"{name!r}: {first['msg'][:1].lower()}{first['msg'][1:]}, not {_short(first['input'])}"
            value = first["input"]
            line = self.line_of(value, *keys) if isinstance(value, str) and "\n" not in value else self.line(*keys)
            raise self.error(line, message) from error


def _still_open(line: str, quote: str) -> str:
    """The triple quote that is open after `line`, given the one open before it; empty if none."""
    for mark in re.findall(r'"""|\'\'\'', line):
        quote = "" if quote == mark else (quote or mark)
    return quote


def _split(header: str) -> list[str]:
    """The keys of a table header."""
    return [part.strip().strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^."']+""", header) if part.strip(" .")]


def _owner(keys: tuple[Key, ...]) -> str:
    """What an incomplete entry is called in a message."""
    return "the file" if len(keys) == 1 else f"this entry of {keys[0]!r}"


def _short(value: Any) -> str:
    """A value, shortened for a message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _fields(model: type[BaseModel], keys: tuple[Key, ...]) -> list[str]:
    """The names of the fields that the entry at `keys` may have."""
    for key in keys:
        if isinstance(key, str) and key in model.model_fields:
            inner = _arguments(model.model_fields[key].annotation)
            model = next((a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), model)
    return list(model.model_fields)


def _arguments(annotation: Any) -> list[Any]:
    """A type and the types it is made of."""
    return [annotation, *(inner for a in getattr(annotation, "__args__", ()) for inner in _arguments(a))]
