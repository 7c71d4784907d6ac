"""How facts spread in a town, who met whom, and who came: from the record of a run alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

    from ethogram.records import Run
    from ethogram.worlds.coded.town import Fact

__all__ = ["Spread", "Telling", "memories", "present", "spread", "talks", "tellings"]


class Telling(NamedTuple):
    """Something that somebody took in, words or a sight, as recorded in the observation it acted on."""

    step: int
    """The step in which it acted on it."""
    time: float
    """Simulated minutes."""
    source: str
    """Who said it, or was seen."""
    target: str
    """Who took it in."""
    text: str
    kind: str
    """`told`; `heard` where it was overheard; `seen`."""


class Spread(NamedTuple):
    """How one fact got about."""

    learned: dict[str, Telling | None]
    """By agent who knows: what it first learned it from; None for the holder. In the order of learning."""
    told: dict[str, Telling | None]
    """The same of words only: who has just seen it (people at a party) is not in it."""
    tellers: dict[str, set[str]]
    """By agent: everybody who told it the fact."""
    unexplained: list[Telling]
    """Words and doings that tell the fact, of somebody who cannot have known it: leaks."""


def tellings(run: Run) -> list[Telling]:
    """All events that were perceived, in the order of the record."""
    import polars as pl

    found: list[Telling] = []
    rows = run.steps.filter(pl.col("observation").is_not_null()).select("step", "agent", "observation").collect().rows()
    for step, agent, observation in rows:
        view = json.loads(observation)
        found += [Telling(step, view["time"], e["actor"], agent, e["text"], e["kind"]) for e in view["events"]]
    return found


def spread(fact: Fact, said: Iterable[Telling], holders: Collection[str], overhearing: bool = False) -> Spread:
    """Trace a fact along what was perceived.

    Args:
        fact: what to trace.
        said: events as perceived, in order.
        holders: who knows it at the start; nobody where it was not planted.
        overhearing: whether overheard speech is understood in this run, not only speech to oneself.
    """
    learned: dict[str, Telling | None] = dict.fromkeys(holders)
    told: dict[str, Telling | None] = dict.fromkeys(holders)
    tellers: dict[str, set[str]] = {holder: set() for holder in holders}
    unexplained = []
    for one in said:
        if (one.kind == "heard" and not overhearing) or not fact.told_in(one.text):
            continue
        known = learned.get(one.source)
        # Who learned it in the step in which another took it in from him cannot be where the other has it from.
        if one.source not in learned or (known is not None and known.step >= one.step):
            unexplained.append(one)
            continue
        learned.setdefault(one.target, one)
        if one.kind != "seen":
            told.setdefault(one.target, one)
            tellers.setdefault(one.target, set()).add(one.source)
    return Spread(learned, told, tellers, unexplained)


def memories(run: Run, fact: Fact) -> list[tuple[int, str, str]]:
    """(step, agent, source) of every memory that tells the fact, as noted by the policy."""
    import polars as pl

    rows = run.notes.filter(pl.col("kind") == "memory").select("step", "agent", "data").collect().rows()
    parsed = ((step, agent, json.loads(data)) for step, agent, data in rows)
    return [(step, agent, data["source"]) for step, agent, data in parsed if fact.told_in(data["text"])]


def talks(said: Iterable[Telling]) -> pl.DataFrame:
    """Speech to somebody as contacts: columns time, source, target, as `ethogram.measures.meetings` takes them."""
    import polars as pl

    rows = [(one.time, one.source, one.target) for one in said if one.kind == "told"]
    return pl.DataFrame(rows, schema={"time": pl.Float64, "source": pl.String, "target": pl.String}, orient="row")


def present(run: Run, place: str, start: float, end: float) -> dict[str, float]:
    """Who was in a place between two times (in minutes), and since when, by the views on which they acted."""
    import polars as pl

    rows = run.steps.filter(pl.col("observation").is_not_null()).select("agent", "observation").collect().rows()
    found: dict[str, float] = {}
    for agent, observation in rows:
        view: Mapping[str, object] = json.loads(observation)
        time = view["time"]
        assert isinstance(time, float)
        if start <= time < end and view["place"] == place and not view["going"]:
            found.setdefault(agent, time)
    return found
