"""The scene of `fps-fake-news`: people with traits who meet at random, and who plays them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from ethogram.policies.coded.opinions import Contagious, Opinionated, OpinionLaw
from ethogram.policy import Policy
from ethogram.populations.persona import Persona, Unit
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.world import World
from ethogram.worlds.coded.random_mixing import RandomMixing

__all__ = ["ABLATIONS", "CODED", "EDUCATION", "TOPICS", "Citizen", "citizens", "credulity", "mixing"]

CODED = "coded"
"""The word for the surrogate in place of a model."""

TOPICS = {
    "politics": "The minister has secretly sold the archives of the parliament.",
    "science": "Researchers have found that magnets cure the common cold.",
    "terrorism": "The fire at the station was an attack that is being kept secret.",
    "urban legend": "A ghost bus drives through the old tunnel every night.",
    "disaster": "The dam above the town will break within a month.",
    "finance": "The savings bank will freeze all accounts next week.",
}
"""The six subjects of the paper, each with an invented claim of ours."""

POLES = (
    ("open to experience", "closed to experience"),
    ("conscientious", "careless"),
    ("extraverted", "introverted"),
    ("agreeable", "antagonistic"),
    ("neurotic", "emotionally stable"),
)
EDUCATION = (
    "no schooling",
    "primary school",
    "lower secondary school",
    "upper secondary school",
    "vocational training",
    "some college",
    "a bachelor's degree",
    "a master's degree",
    "a doctorate",
)
FIRST = "Ada Ben Clara David Elena Felix Grace Hugo Iris Jonas Klara Leo Maria Nils Olga Paul Quinn Rosa Simon Tara Uwe Vera"
NAMES = (*FIRST.split(), "Walter", "Xenia", "Yusuf", "Zoe", "Anton", "Berta", "Carl", "Dora")

ABLATIONS: dict[str, tuple[dict[str, float], dict[str, bool]]] = {
    "full": ({}, {}),
    "no short memory": ({"short": 0.0}, {"short": False}),
    "no long memory": ({"long": 0.0}, {"long": False}),
    "no persona": ({"credulity": 0.0}, {"persona": False}),
    "no confirmation bias": ({"bias": 0.0}, {"bias": False}),
}
"""Each ablation as it is made in the surrogate's law, and in the prompts of a model."""


class Citizen(Persona):
    """A person with an adjective for each of the five factors, and an education."""

    age: Annotated[int, Unit("years")]
    traits: tuple[str, ...] = Field(description="character")
    education: str


def citizens(n: int, seed: int) -> list[Citizen]:
    """People drawn at random: age 18 to 64, either pole of each factor, any education, all alike and independent."""
    rng = generator(seed, "citizens")
    found = []
    for i in range(n):
        poles = tuple(pair[int(rng.integers(2))] for pair in POLES)
        name = NAMES[i % len(NAMES)] + (f" {i // len(NAMES) + 1}" if i >= len(NAMES) else "")
        age, level = int(rng.integers(18, 65)), int(rng.integers(len(EDUCATION)))
        found.append(Citizen(name=name, age=age, traits=poles, education=EDUCATION[level]))
    return found


def credulity(person: Citizen) -> float:
    """What the surrogate takes for credulity: (agreeable + neurotic) / 2, each 1 or -1, less a half at most for education.

    The direction is the paper's (agreeable and neurotic people were more susceptible); the size is ours.
    """
    warm = sum(1.0 if trait in person.traits else -1.0 for trait in ("agreeable", "neurotic"))
    return warm / 2 - (EDUCATION.index(person.education) - 4) / 8


@scene
def mixing(
    player: str = CODED,
    people: int = 30,
    believers: int = 2,
    days: int = 15,
    order: str = "synchronous",
    denials: Sequence[int] = (),
    topic: str = "politics",
    population: int = 0,
    ablation: str = "full",
    rates: Sequence[float] = (),
    mind: str = "choice",
    cache: str = "",
) -> tuple[World, Policy]:
    """People who meet at random.

    Args:
        player: `coded` for the surrogate, or the spelling of a language model.
        people: how many.
        believers: how many believe at the start.
        days: at most.
        order: in which people read and speak; see `RandomMixing`.
        denials: days with an official denial.
        topic: of `TOPICS`.
        population: seed of who the people are.
        ablation: of `ABLATIONS`.
        rates: beta and gamma: the surrogate is then the SIS law.
        mind: how a language model is asked: see `Citizens`.
        cache: file in which a model's answers are kept.
    """
    claim = TOPICS[topic]
    world = RandomMixing(
        people,
        believers,
        days=days,
        order=order,
        denials=denials,
        believing=f"I have heard it from people I trust: {claim[:1].lower()}{claim[1:]}",
        doubting="I have not heard of any such thing.",
        denial="The authorities have looked into it: there is no truth in this story.",
    )
    if rates:
        return world, Contagious(*rates)
    drawn = dict(zip(world.possible_agents, citizens(people, population), strict=True))
    changed, parts = ABLATIONS[ablation]
    if player == CODED:
        law = OpinionLaw(**changed)
        return world, Opinionated(law, {agent: credulity(person) for agent, person in drawn.items()})
    return world, _prompted(player, claim, drawn, dict(parts), mind, cache)


def _prompted(player: str, claim: str, drawn: dict[str, Citizen], parts: dict[str, Any], mind: Any, cache: str) -> Policy:
    from ethogram.language import model as open_model
    from ethogram.policies.prompted.citizens import Citizens

    known = drawn if parts.pop("persona", True) else None
    return Citizens(open_model(player, cache=cache or None), claim, known, mind=mind, **parts)
