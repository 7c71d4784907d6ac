"""Learned policies: one module each, found by its name.

policy = find("bc")(observation_space, action_space).fit(trajectories)
policy.save("policies/mine")
policy = load("policies/mine")
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.discovery import nearest
from ethogram.errors import ConfigError, not_installed

if TYPE_CHECKING:
    from ethogram.policies.learned.base import Learned

__all__ = ["find", "load", "names"]


def names() -> list[str]:
    """The names of all learned policies, in alphabetical order, without importing any of them."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem for file in files if file.stem != "base" and not file.stem.startswith("_"))


def find(name: str) -> type[Learned]:
    """The class of a learned policy by the name of its module.

    Raises:
        ConfigError: there is no such policy, or its module does not have exactly one public subclass of `Learned`.
    """
    if name not in (known := names()):
        raise ConfigError(f"there is no learned policy {name!r}; did you mean {nearest(name, known)}?")
    module = f"{__name__}.{name}"
    try:
        from ethogram.policies.learned.base import Learned

        here = vars(importlib.import_module(module))
    except ModuleNotFoundError as error:
        raise not_installed(error, f"the learned policy {name!r}") from error
    found = [
        value
        for key, value in here.items()
        if isinstance(value, type) and issubclass(value, Learned) and value.__module__ == module and key[0] != "_"
    ]
    if len(found) != 1:
        has = ", ".join(sorted(f.__name__ for f in found)) or "none"
        raise ConfigError(f"module {module} must have exactly one public subclass of Learned, but it has {has}")
    return found[0]


def load(path: str | Path) -> Learned:
    """The policy in a folder that `save` wrote, whatever kind it is."""
    from ethogram.policies.learned.base import Learned

    return Learned.load(path)
