"""What the tests of generative agents share: a town to live in, an embedder without weights, a mind that is listened to."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from ethogram.policies.prompted.character import Character, Slot
from ethogram.policies.prompted.generative import GenerativeAgents, GenerativeConfig
from ethogram.policies.prompted.mind import Moment
from ethogram.policies.prompted.surrogate import SurrogateMind
from ethogram.worlds.coded.town import Town


class BagOfWords:
    """Unit vectors of word counts, hashed into 64 dimensions."""

    def embed(self, texts):
        rows = np.full((len(texts), 64), 1e-3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace(".", "").split():
                row[crc32(word.encode()) % 64] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def characters(town: Town) -> dict[str, Character]:
    """The people of a town as characters."""
    found = {}
    for p in town.persons:
        day = [Slot(start=hhmm(r.time), activity=r.activity, place=r.place) for r in p.routine]
        day.append(Slot(start=hhmm(p.sleep.start), activity="sleeping", place=p.home))
        found[p.name] = Character(
            name=p.name, age=p.age, occupation=p.occupation, traits=p.traits, about=p.about, home=p.home,
            routine=tuple(day), knows=p.knows, memories=tuple(p.memories),
        )  # fmt: skip
    return found


def hhmm(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@cache
def places() -> dict[str, list[str]]:
    return {place.name: list(place.things) for place in Town("small").layout.places}


def agents(town: Town, mind: Any = None, seed: int = 0, **config: Any) -> GenerativeAgents:
    """Generative agents for a town, reset."""
    policy = GenerativeAgents(
        characters(town),
        mind or SurrogateMind(),
        places=places(),
        embedder=BagOfWords(),
        config=GenerativeConfig(**config),
    )
    policy.reset(seed, town.possible_agents)
    return policy


def step(town: Town, policy: GenerativeAgents, views: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One step by hand: what was done, and the next views."""
    spaces = {agent: town.available(agent) for agent in town.acting}
    actions = asyncio.run(policy.act({agent: views[agent] for agent in spaces}, spaces))  # type: ignore[arg-type]
    for agent, verb in actions.items():
        assert spaces[agent].contains(verb), (agent, verb)
    return actions, town.step(actions)[0]


def live(
    town: Town, policy: GenerativeAgents, views: dict[str, Any], until: float = 1e9
) -> tuple[list[Any], dict[str, Any]]:
    """Run until a time; returns what each agent did, as (time, agent, verb), and the last views."""
    done = []
    while town.agents and town.now < until:
        time = town.now
        actions, views = step(town, policy, views)
        done += [(time, agent, verb) for agent, verb in actions.items()]
    return done, views


class Overheard(SurrogateMind):
    """A surrogate whose questions are listened to: `listen(method, arguments)` is called with each."""

    def __init__(self, listen: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__()
        self._listen = listen

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not inspect.iscoroutinefunction(found):
            return found

        async def asked(moment: Moment, *args: Any) -> Any:
            bound = inspect.signature(found).bind(moment, *args)
            self._listen(name, dict(bound.arguments))
            return await found(moment, *args)

        return asked
