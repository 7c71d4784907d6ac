"""Scenes: a world with its policies, and the recipe to build them again.

A function marked `@scene` builds a world and the policies of its agents from JSON arguments. What it returns remembers the
function and the arguments, so that a run of it can be resumed, replayed, branched and interviewed from its folder alone.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ethogram.errors import ConfigError, RunError
from ethogram.policy import Policy
from ethogram.world import Agent, World

__all__ = ["Policies", "Recipe", "Scene", "scene"]

Policies = Policy | Mapping[Agent, Policy] | Callable[[Agent], Policy]
"""One policy for all agents, a policy for each agent by name, or a function from an agent's name to its policy."""


class Recipe(NamedTuple):
    """How a scene was made: an importable `module:function` and the arguments it was called with."""

    function: str
    arguments: dict[str, Any]

    def build(self) -> Scene:
        """Build the scene again; RunError where the function is gone or is not a scene."""
        module, _, name = self.function.partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise RunError(f"cannot build the scene {self.function} of this run again: {error}") from error
        if not getattr(function, "__scene__", False):
            raise RunError(f"{self.function} is not a function marked @scene, so it is not called")
        return function(**self.arguments)


class Scene(NamedTuple):
    """A world, its policies, and (where made by a `@scene` function) the recipe for both."""

    world: World
    policies: Policies
    recipe: Recipe | None = None


def scene(function: Callable[..., tuple[World, Policies]]) -> Callable[..., Scene]:
    """Mark a module-level function from JSON arguments to `(world, policies)` as one that a run can be rebuilt from."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def build(*args: Any, **kwargs: Any) -> Scene:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        try:
            arguments = json.loads(json.dumps(dict(bound.arguments)))  # as it will come back from a record
        except (TypeError, ValueError) as error:
            raise ConfigError(f"scene {function.__name__} takes only JSON values as arguments: {error}") from error
        world, policies = function(**arguments)
        return Scene(world, policies, Recipe(f"{function.__module__}:{function.__qualname__}", arguments))

    build.__scene__ = True  # type: ignore[attr-defined]
    return build
