"""Somebody new in a world that is under way.

Who takes part in a run is fixed when it begins. A world that somebody can join has a class attribute `newcomer`, the type by
which such a person is described, and an intervention `arrive(agent, place)`; its scene takes descriptions as `newcomers`. A
branch is then made of the same scene with one more, who is not there until the fork.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ethogram.records import Run
from ethogram.scene import Recipe, Scene

__all__ = ["ADD", "arguments_of", "with_newcomers"]

ADD = "add_agent"
"""What the intervention is called in the form."""
SIMPLE = ("str", "int", "float", "list[str]", "dict[str, str]")


def arguments_of(run: Run, scene: Scene) -> dict[str, dict[str, Any]]:
    """What describes somebody who joins, as `options_of` says arguments; empty where nobody can."""
    kind, recipe = getattr(type(scene.world), "newcomer", None), run.manifest.recipe
    if recipe is None or not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    module, _, name = recipe["function"].partition(":")
    if "newcomers" not in inspect.signature(getattr(importlib.import_module(module), name)).parameters:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for field, about in kind.model_fields.items():
        annotation = about.annotation
        spelled = annotation.__name__ if annotation in (str, int, float) else str(annotation)
        found[field] = {
            "kind": spelled if spelled in SIMPLE else "str",
            "needed": about.is_required(),
            "default": None,
        }
    return {**found, "place": {"kind": "str", "needed": False, "default": ""}}


def with_newcomers(run: Run, people: Sequence[Mapping[str, Any]]) -> Scene:
    """The scene of a run, with people more who may arrive.

    Raises:
        ConfigError: a description is wrong.
        RunError: the scene cannot be built again.
    """
    recipe = run.manifest.recipe
    assert recipe is not None, "arguments_of finds none where there is no recipe"
    before = recipe["arguments"].get("newcomers") or ()
    return Recipe(recipe["function"], {**recipe["arguments"], "newcomers": [*before, *map(dict, people)]}).build()
