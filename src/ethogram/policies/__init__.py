"""Policies: who acts. Drop a module into `coded/`, `learned/` or `prompted/` and its policies can be made by name.

A name is that of a module, where it has one public policy, or `module.Class`: `traders.Chartist`. No list has to be kept.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from ethogram.discovery import classes, construct, modules, nearest
from ethogram.errors import ConfigError
from ethogram.policy import Policy, Random

__all__ = ["KINDS", "find", "make"]

KINDS = ("coded", "learned", "prompted")
"""The folders in which policies are found."""


def find(name: str) -> type[Policy]:
    """The class of a policy by name; `random` is `Random`.

    Raises:
        ConfigError: there is no such policy, or its module has several and the name does not say which.
    """
    if name == "random":
        return Random
    module, _, wanted = name.partition(".")
    found = modules(Path(__file__).parent, KINDS)
    if module not in found:
        raise ConfigError(f"there is no policy {name!r}; did you mean {nearest(module, ['random', *found])}?")
    there: dict[str, type[Policy]] = {}
    for kind in found[module]:
        there |= classes(f"{__name__}.{kind}.{module}", Policy, f"the policy {name!r}")
    concrete = {key: policy for key, policy in there.items() if not inspect.isabstract(policy)}
    if wanted in concrete:
        return concrete[wanted]
    if not wanted and len(concrete) == 1:
        return next(iter(concrete.values()))
    known = ", ".join(f"{module}.{key}" for key in sorted(concrete)) or "none"
    raise ConfigError(f"{name!r} does not say which policy is meant: the module has {known}")


def make(name: str, **options: Any) -> Policy:
    """A policy by name, with options of its constructor.

    Raises:
        ConfigError: there is no such policy, or it does not take these options.
    """
    return construct(find(name), f"policy {name!r}", options)
