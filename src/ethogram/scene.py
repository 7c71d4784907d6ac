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

import gymnasium.spaces as gs

from ethogram.errors import ConfigError, RunError
from ethogram.policy import Coded, Policy
from ethogram.world import Agent, World

__all__ = ["Policies", "Recipe", "Scene", "policies_for", "scene"]

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


def policies_for(world: World, policies: Policies | None) -> Policies:
    """The policies given; or, in a world in which nobody has a choice, one that takes the only action there is.

    Raises:
        ConfigError: none are given, and an agent of the world has a choice.
    """
    if policies is not None:
        return policies
    spaces = (world.action_space(agent) for agent in world.possible_agents)
    if not all(isinstance(space, gs.Discrete) and space.n == 1 for space in spaces):
        raise ConfigError("a world needs policies: simulate(world, policies)")
    return Coded(lambda _, space: space.start)


def scene(function: Callable[..., tuple[World, Policies | None]]) -> Callable[..., Scene]:
    """Mark a module-level function from JSON arguments to `(world, policies)` as one that a run can be rebuilt from.

    `policies` may be None where nobody in the world has a choice.
    """
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
        recipe = Recipe(f"{function.__module__}:{function.__qualname__}", arguments)
        return Scene(world, policies_for(world, policies), recipe)

    build.__scene__ = True  # type: ignore[attr-defined]
    return build
