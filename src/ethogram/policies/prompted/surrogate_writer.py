"""A coded teller of life stories: what it tells, and how often it contradicts itself, follows from a stated law."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ethogram.policies.prompted.backstory import Story
from ethogram.questionnaires.datasets.anes import LEVELS, STATES
from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["INVENTED", "VALUES", "Slip", "SurrogateWriter", "WriterLaw"]


class WriterLaw(BaseModel):
    """The rates of the surrogate's laws."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slip: float = Field(default=0.15, ge=0, le=1, description="probability that a fact told before is told otherwise")
    oblique: float = Field(default=0.2, ge=0, le=1, description="probability that a fact told again is told in other words")


class Slip(NamedTuple):
    """A fact told otherwise than before."""

    item: str
    fact: str
    told: str


INVENTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "birthplace": tuple(STATES.values()),
        "marriage": ("married", "divorced", "widowed", "single"),
        "children": ("no", "one", "two", "three", "four"),
        "siblings": ("one", "two", "three", "four", "five"),
        "job": ("nurse", "clerk", "driver", "teacher", "mechanic", "cook", "farmer", "salesman"),
    }
)
"""Facts that are drawn for whoever they are not given for, and their values."""

VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **INVENTED,
        "age": tuple(str(age) for age in range(18, 95)),
        "home": tuple(STATES.values()),
        **{name: LEVELS[name] for name in ("identity", "education", "area", "income", "race", "interest")},
    }
)
"""All facts that a story can hold, and their values."""

TELLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "origins": ("birthplace", "age", "race", "siblings"),
        "family": ("marriage", "children", "siblings"),
        "school": ("education", "age"),
        "work": ("job", "education"),
        "home": ("home", "area", "children"),
        "turning": ("marriage", "job", "birthplace"),
        "money": ("income", "job", "home"),
        "public": ("identity", "interest", "area"),
        "hopes": ("identity", "age", "income", "interest", "race"),
    }
)
"""Which facts belong to the answer to which question of the instrument `life-story`."""

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "birthplace": "I was born in {0}.",
        "age": "I am {0} years old.",
        "race": "I am {0}, if you ask what the census asks.",
        "siblings": "I have {0} siblings.",
        "marriage": "I am {0}.",
        "children": "I have {0} children.",
        "education": "My schooling ended with {0}.",
        "job": "I work as a {0}.",
        "home": "I live in {0}.",
        "area": "I live in a {0}.",
        "income": "Our household income is in the {0}.",
        "identity": "In politics I call myself {0}.",
        "interest": "I follow public affairs {0}.",
    }
)
"""A fact as it is first told, in words that `StatementCritic` reads."""

OBLIQUE: Mapping[str, str] = MappingProxyType(
    {
        "birthplace": "The town on my birth certificate is somewhere in {0}.",
        "age": "My last birthday cake had {0} candles.",
        "race": "On forms I tick {0}.",
        "siblings": "Counting my brothers and sisters comes to {0}.",
        "marriage": "The registry office has me down as {0}.",
        "children": "Of children the Lord gave me {0}.",
        "education": "On paper I have {0}.",
        "job": "They pay me for being a {0}.",
        "home": "My letters go to {0}.",
        "area": "Around me it is {0}.",
        "income": "Of all households, ours would be in the {0}.",
        "identity": "On election day you would find {0} in me.",
        "interest": "The news has me {0}.",
    }
)
"""The same in words that `StatementCritic` does not read."""

OUT_OF_WORK = "I am unemployed."


class SurrogateWriter:
    """Tells the life of people whose facts are known, so that interviews, critics and matching can be studied with no model.

    1. *Facts*: of `VALUES`, those given; of `INVENTED`, one of the values otherwise. Anything else that is not given is not
       told. The job of whoever has `employment: unemployed` is that.
    2. *Answers*: the facts that belong to the question, a sentence each, in a fixed order.
    3. *Slips*: a fact that was told to an earlier question is told with another value, with probability `slip`: that is a
       contradiction, and `slips` lists them.
    4. *Words*: a fact that is told again is told in other words with probability `oblique`, contradiction or not.

    All draws are hashes of the seed, the person, the question, the attempt and the fact.

    Args:
        people: the facts of each.
        law: the rates.
        seed: of the draws.
    """

    def __init__(self, people: Mapping[Agent, Mapping[str, str]], law: WriterLaw | None = None, seed: int = 0) -> None:
        self.law, self.seed = law or WriterLaw(), seed
        self.facts = {agent: self._complete(agent, facts) for agent, facts in people.items()}

    def _complete(self, agent: Agent, facts: Mapping[str, str]) -> dict[str, str]:
        known = {name: facts[name] for name in VALUES if name in facts}
        if facts.get("employment") == "unemployed":
            known["job"] = "unemployed"
        for name, values in INVENTED.items():
            known.setdefault(name, values[derive(self.seed, "invented", agent, name) % len(values)])
        return known

    def _chance(self, *place: str | int) -> float:
        return derive(self.seed, "writer", *place) / 2**63

    async def answer(self, story: Story, item: str, question: str, attempt: int) -> str:
        """See `Writer`."""
        facts, slips = self.facts[story.agent], {slip.fact: slip.told for slip in self.slips(story.agent, item, attempt)}
        said = []
        for fact in self._told(story.agent, item):
            value = slips.get(fact, facts[fact])
            again = not self._first(fact, item)
            oblique = again and self._chance(story.agent, item, attempt, fact, "words") < self.law.oblique
            said.append(_sentence(fact, value, oblique))
        return " ".join(said) or "There is nothing to tell."

    def slips(self, agent: Agent, item: str, attempt: int) -> list[Slip]:
        """The contradictions in one answer: what is told there otherwise than at first."""
        found = []
        for fact in self._told(agent, item):
            if self._first(fact, item) or self._chance(agent, item, attempt, fact, "slip") >= self.law.slip:
                continue
            others = [value for value in VALUES[fact] if _contradicts(fact, value, self.facts[agent][fact])]
            place = derive(self.seed, "writer", agent, item, attempt, fact, "other") % len(others)
            found.append(Slip(item, fact, others[place]))
        return found

    def contradictions(self, story: Story) -> list[Slip]:
        """All that a story tells otherwise than at first."""
        return [slip for one in story.told for slip in self.slips(story.agent, one.item, one.attempt)]

    def _told(self, agent: Agent, item: str) -> list[str]:
        return [fact for fact in TELLS.get(item, ()) if fact in self.facts[agent]]

    @staticmethod
    def _first(fact: str, item: str) -> bool:
        return next(name for name, facts in TELLS.items() if fact in facts) == item


def _contradicts(fact: str, value: str, told: str) -> bool:
    if fact == "age":  # a year more or less would pass for a birthday
        return abs(int(value) - int(told)) > 1
    return value not in told and told not in value  # who leans to a party may leave that out


def _sentence(fact: str, value: str, oblique: bool) -> str:
    if fact == "job" and value == "unemployed":
        return "They pay me for being unemployed." if oblique else OUT_OF_WORK
    if fact in ("children", "siblings") and value == "one" and not oblique:
        return "I have one child." if fact == "children" else "I have one sibling."
    if fact == "race" and value == "other":
        value = "of another race"
    if fact == "identity":
        value = f"{'an' if value.startswith('I') else 'a'} {value}"
    return (OBLIQUE if oblique else PLAIN)[fact].format(value)
