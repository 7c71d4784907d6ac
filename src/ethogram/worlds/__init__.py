"""Worlds: where simulations happen. Drop a module here and it can be made by name.

A module `worlds/coded/foo.py` (or a package `foo/`; likewise in `learned/` and `prompted/`) makes a world `foo` known if it
has exactly one public subclass of `World` that can be constructed without arguments. No list has to be kept.
"""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import Any

from ethogram.errors import ConfigError, not_installed
from ethogram.world import World

__all__ = ["KINDS", "find", "make", "names"]

KINDS = ("coded", "learned", "prompted")
"""The folders in which worlds are found."""


def names(kind: str | None = None) -> list[str]:
    """The names of all worlds (of one kind), in alphabetical order, without importing any of them."""
    return sorted(name for name, where in _found().items() if kind in (None, where))


def find(name: str) -> type[World]:
    """The class of a world by name.

    Raises:
        ConfigError: there is no such world, or its module does not have exactly one public subclass of `World`.
    """
    found = _found()
    if name not in found:
        close = difflib.get_close_matches(name, found, n=3, cutoff=0.4) or sorted(found)
        raise ConfigError(f"there is no world {name!r}; did you mean {' or '.join(map(repr, close))}?")
    module = f"{__name__}.{found[name]}.{name}"
    try:
        here = vars(importlib.import_module(module))
    except ModuleNotFoundError as error:
        raise not_installed(error, f"the world {name!r}") from error
    worlds = {
        value
        for key, value in here.items()
        if isinstance(value, type) and issubclass(value, World) and value.__module__.startswith(module) and key[0] != "_"
    }
    if len(worlds) != 1:
        found_names = ", ".join(sorted(w.__name__ for w in worlds)) or "none"
        raise ConfigError(f"module {module} must have exactly one public subclass of World, but it has {found_names}")
    return worlds.pop()


def make(name: str, **options: Any) -> World:
    """A world by name, with options of its constructor.

    Raises:
        ConfigError: there is no such world, or it does not take these options.
    """
    world = find(name)
    try:
        return world(**options)
    except TypeError as error:
        if "__init__" not in str(error) and "takes no arguments" not in str(error):
            raise
        raise ConfigError(f"world {name!r} does not take these options: {error}") from error


def _found() -> dict[str, str]:
    """The kind of each world, by name. A name stands for one world: where two kinds have it, that is an error."""
    found: dict[str, str] = {}
    for kind in KINDS:
        for path in sorted((Path(__file__).parent / kind).iterdir()):
            module = path.suffix == ".py" or (path / "__init__.py").is_file()
            if not module or path.name.startswith("_"):
                continue
            if path.stem in found:
                raise ConfigError(f"two worlds are called {path.stem!r}, in {found[path.stem]} and {kind}; rename one")
            found[path.stem] = kind
    return found
