"""Discovery: what is dropped into a folder is known by the name of its file. No list has to be kept."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ethogram.errors import ConfigError, not_installed

__all__ = ["classes", "construct", "modules", "nearest"]

T = TypeVar("T")


def modules(folder: Path, kinds: Sequence[str]) -> dict[str, list[str]]:
    """The kinds (subfolders) in which there is a public module or package, by its name, without importing any."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        for path in sorted((folder / kind).iterdir()):
            module = path.suffix == ".py" or (path / "__init__.py").is_file()
            if module and not path.name.startswith("_"):
                found.setdefault(path.stem, []).append(kind)
    return found


def nearest(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Names like one that is not there, for a sentence."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
    return " or ".join(map(repr, close))


def classes(module: str, base: type[T], what: str) -> dict[str, type[T]]:
    """The public classes of a module that are a `base`, by name.

    Raises:
        ConfigError: a package that the module needs is not installed.
    """
    try:
        here = vars(importlib.import_module(module))
    except ModuleNotFoundError as error:
        raise not_installed(error, what) from error
    return {
        value.__name__: value
        for key, value in here.items()
        if isinstance(value, type) and issubclass(value, base) and value.__module__.startswith(module) and key[0] != "_"
    }


def construct(made: type[T], what: str, options: Mapping[str, Any]) -> T:
    """An instance; ConfigError where the constructor does not take these options."""
    known = inspect.signature(made).parameters
    unknown = [name for name in options if name not in known]
    if known and unknown and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        near = nearest(unknown[0], list(known))
        raise ConfigError(f"{what} does not take these options: there is no {unknown[0]!r}; did you mean {near}?")
    try:
        return made(**options)
    except TypeError as error:
        if "__init__" not in str(error) and "takes no arguments" not in str(error):
            raise
        raise ConfigError(f"{what} does not take these options: {error}") from error
