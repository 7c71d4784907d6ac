"""The scene: a town peopled by generative agents."""

from __future__ import annotations

from functools import cache
from typing import Any

from ethogram.errors import ConfigError
from ethogram.policies.prompted.character import Character, Slot
from ethogram.policies.prompted.generative import GenerativeAgents, GenerativeConfig
from ethogram.policies.prompted.surrogate import SurrogateMind
from ethogram.policy import Policy
from ethogram.scene import scene
from ethogram.world import World
from ethogram.worlds.coded.town import Person, Town

__all__ = ["CODED", "character", "town"]

CODED = "coded"
"""The word for the surrogate mind in place of a model."""


@scene
def town(
    map: str = "small",
    people: str = "",
    days: int = 1,
    start: str = "06:00",
    end: str = "24:00",
    facts: list[str] | None = None,
    model: str = "coded",
    mind: str = "choice",
    config: dict[str, Any] | None = None,
    newcomers: list[dict[str, Any]] | None = None,
) -> tuple[World, Policy]:
    """A town with generative agents.

    Args:
        map: a town that comes with ethogram, or the path of a map file or of a folder.
        people: the same for the people file; default: that of the map.
        days: number of days.
        start: clock time of the first day at which it begins.
        end: clock time of the last day at which it ends.
        facts: names of the facts of the people file that their holders remember at the start; None: all.
        model: what plays: `coded` for the surrogate mind, or the spelling of a language model.
        mind: how a language model is asked: `choice` (it picks from options) or `structured` (it writes).
        config: settings of `GenerativeConfig`.
        newcomers: people besides those of the file, described as there, whom the intervention `arrive` brings to town.
    """
    world = Town(map, people, days=days, start=start, end=end, newcomers=newcomers or ())
    known = {fact.name for fact in world.people.facts}
    if unknown := set(facts or ()) - known:
        raise ConfigError(f"the town {map} has no fact {min(unknown)!r}; it has: {', '.join(sorted(known)) or 'none'}")
    planted = [fact for fact in world.people.facts if facts is None or fact.name in facts]
    characters = {
        person.name: character(person, [fact.text for fact in planted if fact.holder == person.name])
        for person in world.persons
    }
    settings = GenerativeConfig(**config or {})
    policy = GenerativeAgents(characters, _mind(model, mind), places=world.places, embedder=_embedder(), config=settings)
    return world, policy


@cache
def _embedder() -> Any:
    """One for the process: an ablation makes hundreds of towns, and a vector depends on its text alone."""
    from ethogram.language import Embedder

    return Embedder()


def _mind(model: str, kind: str) -> Any:
    if model == CODED:
        return SurrogateMind()
    from ethogram.language import model as open_model
    from ethogram.policies.prompted.choice_mind import ChoiceMind
    from ethogram.policies.prompted.structured_mind import StructuredMind

    minds = {"choice": ChoiceMind, "structured": StructuredMind}
    if kind not in minds:
        raise ConfigError(f"a mind is one of {', '.join(minds)}, not {kind!r}")
    return minds[kind](open_model(model))


def character(person: Person, known: list[str]) -> Character:
    """A person of the town as a generative agent, with what it knows besides."""
    bed, up = (f"{t // 60 % 24:02d}:{t % 60:02d}" for t in person.sleep)
    routine = [Slot(start=up, activity="getting up", place=person.home)]
    routine += [
        Slot(start=f"{r.time // 60:02d}:{r.time % 60:02d}", activity=r.activity, place=r.place) for r in person.routine
    ]
    routine.append(Slot(start=bed, activity="sleeping", place=person.home))
    return Character(
        name=person.name,
        age=person.age,
        occupation=person.occupation,
        traits=person.traits,
        about=person.about,
        home=person.home,
        routine=tuple(routine),
        knows=person.knows,
        interests=tuple(person.interests),
        memories=(*person.memories, *known),
    )
