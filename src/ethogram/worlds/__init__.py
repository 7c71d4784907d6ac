"""Worlds: where simulations happen. Drop a module here and it can be made by name.

A module `worlds/coded/foo.py` (or a package `foo/`; likewise in `learned/` and `prompted/`) makes a world `foo` known if it
has exactly one public subclass of `World` that can be constructed without arguments. No list has to be kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethogram.discovery import classes, construct, modules, nearest
from ethogram.errors import ConfigError
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
        raise ConfigError(f"there is no world {name!r}; did you mean {nearest(name, found)}?")
    module = f"{__name__}.{found[name]}.{name}"
    worlds = classes(module, World, f"the world {name!r}")
    if len(worlds) != 1:
        has = ", ".join(sorted(worlds)) or "none"
        raise ConfigError(f"module {module} must have exactly one public subclass of World, but it has {has}")
    return next(iter(worlds.values()))


def make(name: str, **options: Any) -> World:
    """A world by name, with options of its constructor.

    Raises:
        ConfigError: there is no such world, or it does not take these options.
    """
    return construct(find(name), f"world {name!r}", options)


def _found() -> dict[str, str]:
    """The kind of each world, by name. A name stands for one world: where two kinds have it, that is an error."""
    found = modules(Path(__file__).parent, KINDS)
    for name, kinds in found.items():
        if len(kinds) > 1:
            raise ConfigError(f"two worlds are called {name!r}, in {' and '.join(kinds)}; rename one")
    return {name: kind for name, (kind,) in found.items()}
