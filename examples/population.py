"""A town drawn to match its census: who lives there, who knows whom, and what a language model is told of one of them."""

from typing import Annotated

import polars as pl
from pydantic import Field

from ethogram.populations import Persona, Unit, archetypes, from_margins, homophily


class Resident(Persona):
    """What a language model is told of a resident."""

    age: Annotated[str, Unit("years")]
    sex: str
    party: str = Field(description="party voted for last time")


# Few people, with all their answers (made up): they say how age, sex and party hang together.
survey = pl.DataFrame(
    {
        "age": ["18-39", "18-39", "18-39", "18-39", "40-64", "40-64", "40-64", "65+", "65+", "65+"],
        "sex": ["f", "f", "m", "m", "f", "f", "m", "f", "m", "m"],
        "party": ["green", "none", "left", "none", "left", "green", "right", "right", "right", "left"],
    }
)
# What the census and the election office know of all the people.
census = {("18-39", "f"): 16, ("18-39", "m"): 17, ("40-64", "f"): 20, ("40-64", "m"): 19, ("65+", "f"): 15, ("65+", "m"): 13}
targets = {("age", "sex"): census, "party": {"green": 18, "left": 27, "none": 20, "right": 35}}
town, fit, _ = from_margins(targets, 333, seed_table=survey, persona_type=Resident, rng=1)
print(fit)

town = town.with_network("friends", homophily(town, {"age": 3.0, "party": 2.0}, mean_degree=8, rng=1))
friends = town.networks["friends"]
print(f"\n{friends}; assortativity by age {friends.assortativity(town.table['age']):.2f}")
print(town.persona("agent-001").render())
print(f"{len(archetypes(town, ['age', 'sex', 'party']))} archetypes stand for {len(town)} residents")
