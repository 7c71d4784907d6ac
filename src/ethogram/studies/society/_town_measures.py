"""What is measured in one run of the town, from its record and from interviews at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ethogram.errors import ConfigError
from ethogram.measures import meetings
from ethogram.studies.society import _diffusion as diffusion
from ethogram.studies.society import _interviews as interviews
from ethogram.worlds.coded.town import Fact, Town
from ethogram.worlds.coded.town.clock import DAY
from ethogram.worlds.coded.town.people import People

if TYPE_CHECKING:
    from ethogram.records import Run

__all__ = ["invitation", "measure"]


def invitation(people: People) -> Fact:
    """The fact that invites to a place and time.

    Raises:
        ConfigError: there is none.
    """
    for fact in people.facts:
        if fact.place and fact.start is not None and fact.end is not None:
            return fact
    raise ConfigError("the people file must have a fact with place, start and end: an invitation to something")


def measure(run: Run, seed: int, interview: bool = True) -> dict[str, Any]:
    """What the record of one run says, as JSON values; who came is left out where the run ended before the party did."""
    arguments = run.manifest.recipe["arguments"] if run.manifest.recipe else {}
    world = Town(arguments["map"], arguments["people"])
    planted = arguments["facts"]
    overhearing = bool((arguments["config"] or {}).get("overhearing"))
    names, said = world.possible_agents, diffusion.tellings(run)
    last, ended = (arguments["days"] - 1) * DAY, run.steps.select("time").max().collect().item()
    n = len(names)
    before = {(a, b) for a, p in world.people.persons.items() for b in p.knows if a in world.people.persons[b].knows}
    pairs = meetings(diffusion.talks([one for one in said if one.source in world.people.persons]))
    after = before | set(pairs.select("a", "b").rows()) | set(pairs.select("b", "a").rows())
    result: dict[str, Any] = {
        "density_before": len(before) / (n * (n - 1)),
        "density_after": len(after) / (n * (n - 1)),
        "utterances": sum(one.kind == "told" for one in said),
        "facts": {},
        "leaks": 0,
        "guesses": 0,
    }
    asked, right = interviews.questions(run, world, said, seed)
    for fact in world.people.facts:
        for name in names:
            asked[name][fact.name] = fact.question or f"Do you know of this: {fact.name}?"
    answered = interviews.answers(run, asked) if interview else {}
    if interview:
        result["interview"] = interviews.score(answered, right)
    for fact in world.people.facts:
        holders = [fact.holder] if planted is None or fact.name in planted else []
        spread = diffusion.spread(fact, said, holders, overhearing)
        remembered = diffusion.memories(run, fact)
        early = [m for m in remembered if not _explained(spread, m)]
        answering = {a for a in names if interview and fact.answered_in(answered[a][fact.name])}
        knows = answering & set(spread.told)
        named = {a for a in knows if a == fact.holder or any(t in answered[a][fact.name] for t in spread.tellers[a])}
        result["leaks"] += len(spread.unexplained) + len(early)
        result["guesses"] += len(answering - set(spread.learned))
        found = {"told": len(spread.told) / n, "known": len(knows) / n, "sourced": len(named) / n}
        if fact.place and fact.start is not None and fact.end is not None and ended >= last + fact.end:
            came = diffusion.present(run, fact.place, last + fact.start, last + fact.end)
            guests = sorted(set(came) - {fact.holder})
            invited = {a for a, t in spread.told.items() if t is not None and t.time < last + fact.start}
            found |= {
                "guests": guests,
                "invited": sorted(invited),
                "came": sorted(invited & set(came)),
                "host": fact.holder in came,
            }
        result["facts"][fact.name] = found
    return result


def _explained(spread: diffusion.Spread, memory: tuple[int, str, str]) -> bool:
    """Whether an agent that remembers a fact had been told it, or seen it, by then."""
    step, agent, _ = memory
    first = spread.learned.get(agent)
    return agent in spread.learned and (first is None or first.step <= step)
