"""A city as columns: a disease that spreads along contacts, while people decide whether to isolate.

The mechanism is that of AgentTorch's Covid-19 model (Chopra et al. 2025, "On the limits of agency in
agent-based models"), written from a description. Two of its figures are ambiguous there and are read as follows. The gamma
law of infectiousness "scale 5.5, rate 2.4" has a mean of 5.5 days and a standard deviation of 2.4 (as shape and rate its
mean would be 2.3 days, before anybody's infectious stage begins). Of relative susceptibility the youngest's 0.35 and the
oldest's 1.52 are given; all between have 1.03 (OpenABM-Covid19's, from memory).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.columns import Columns, column, decision, each, network, observe, tally, total
from ethogram.populations.generators import erdos_renyi
from ethogram.populations.network import Network

SUSCEPTIBLE, EXPOSED, INFECTED, RECOVERED = range(4)

__all__ = [
    "AGES",
    "EXPOSED_DAYS",
    "INFECTIOUS_DAYS",
    "SUSCEPTIBILITY",
    "NewYork",
    "asking",
    "infected_first",
    "infectiousness",
    "reproduced",
]

SUSCEPTIBILITY = {"U19": 0.35, "20t29": 1.03, "30t39": 1.03, "40t49": 1.03, "50t64": 1.03, "65A": 1.52}
AGES = tuple(SUSCEPTIBILITY)
"""Age bands, as the data spell them."""
EXPOSED_DAYS = (3, 4, 5)
"""Days from infection to the infectious stage, equally likely."""
INFECTIOUS_DAYS = 5
INFECTIVITY = (0.33, 0.72)
"""While exposed, and while infected."""
OPTIONS = ("isolate at home", "go out")
QUESTION = (
    "There is an epidemic of Covid-19 in the city. The number of cases is that of the last seven days in 100,000 people. "
    "What would one of these people do in the week that begins?"
)
GENERATION = (5.5, 2.4)
"""Mean and standard deviation, in days, of the gamma law of infectiousness since infection."""
SHORTEST = EXPOSED_DAYS[0]
LONGEST = EXPOSED_DAYS[-1] + INFECTIOUS_DAYS
WIDTH = LONGEST + 2
OLD = 120
"""Days since infection are counted up to this."""


@cache
def generated(day: int) -> float:
    """G(day) - G(day - 1), G the gamma distribution of the time since infection at which one infects."""
    from scipy.special import gammainc

    mean, sd = GENERATION
    shape, scale = (mean / sd) ** 2, sd**2 / mean
    return float(gammainc(shape, day / scale) - gammainc(shape, (day - 1) / scale)) if day > 0 else 0.0


def infectiousness(day: int, exposed: int) -> float:
    """How much one sheds `day` days after infection, if infectious after `exposed` days; to be multiplied by R.

    Its sum over days is the reproduction number for R = 1, where all are susceptible with 1.
    """
    if not 0 < day <= exposed + INFECTIOUS_DAYS:
        return 0.0
    return INFECTIVITY[day > exposed] * generated(day)


def reproduced(r: float = 1.0) -> float:
    """The reproduction number that R = r makes where all are susceptible with 1 and nobody isolates."""
    return r * float(np.mean([sum(infectiousness(d, e) for d in range(LONGEST + 1)) for e in EXPOSED_DAYS]))


def infected_first(reach: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` rows, drawn one after the other in proportion to `reach`, shape (n,); fewer, where fewer can be reached."""
    waits = np.divide(rng.exponential(size=len(reach)), reach, out=np.full(len(reach), np.inf), where=reach > 0)
    return np.argsort(waits)[: min(count, int((reach > 0).sum()))]


def shedding_table() -> NDArray[np.float64]:
    """`infectiousness` by exposed days, then by day, in one row."""
    return np.array([[infectiousness(day, days) for day in range(WIDTH)] for days in EXPOSED_DAYS]).ravel()


def random_contacts(n: int) -> Network:
    """Seven contacts a person, on average."""
    return erdos_renyi(n, min(7 / max(n - 1, 1), 1), rng=1)


class NewYork(Columns):
    """A disease on a contact network; a step is a day.

    A susceptible person i who does not isolate is infected with probability 1 - exp(-sum over contacts j of
    R(week) · susceptibility(age of i) · infectivity(stage of j) · [G(t_j) - G(t_j - 1)] / mean contacts), t_j the days since
    j's infection; contacts who isolate do not count. Exposed for 3 to 5 days, infected for 5, then recovered.

    Nobody isolates; in `asking(...)` people decide about that every week. A case is an infection that is reported, on the
    day on which it happens.

    The world is built from a population with a column `age` of the words `AGES`, and a network `contacts`; from a number of
    people alone, all are of the first band and have random contacts.
    """

    r: NDArray[np.float64] = np.full(200, 2.0)  # R of each week
    past: NDArray[np.float64] = np.full(1, 10.0)  # how many were infected 0, 1, 2, … days before the beginning
    reported: float = 1.0  # share of infections that become cases
    susceptible_by_age: NDArray[np.float64] = np.array(list(SUSCEPTIBILITY.values()))
    mean_contacts: float = 1.0  # of the network; `start` sets it
    shed: NDArray[np.float64] = np.zeros(3 * WIDTH)  # `start` sets it

    age = column("int8", levels=AGES)
    stage = column("int8")  # susceptible, exposed, infected, recovered
    since = column("int8")  # days since infection
    timer = column("int8")  # which of EXPOSED_DAYS
    isolating = column("int8", 1)  # 0: isolates, 1: goes out, in the order of the options
    shedding = column("float32")
    contacts = network(random_contacts)
    reached = total(
        "contacts",
        of=lambda their_shedding: their_shedding,
        where=lambda stage, isolating: stage == SUSCEPTIBLE and isolating == 1,
    )
    stages = tally("stage", ("susceptible", "exposed", "infected", "recovered"))

    def start(self, rng: np.random.Generator) -> None:
        """Infect those of the past: the more susceptible, and the more contacts, the sooner, as the disease does."""
        degree = self.networks["contacts"].degree()
        self.mean_contacts = float(degree.mean())
        self.shed = shedding_table()
        self.timer = rng.integers(0, len(EXPOSED_DAYS), self.n)
        days = np.repeat(np.arange(len(self.past)), np.round(self.past).astype(int))
        first = infected_first(degree * self.susceptible_by_age[self.age], len(days), rng)
        days = days[: len(first)]
        exposed = np.array(EXPOSED_DAYS)[self.timer[first]]
        self.since[first] = np.minimum(days, OLD)
        self.stage[first] = np.where(days < exposed, 1, np.where(days < exposed + INFECTIOUS_DAYS, 2, 3))

    @each("shedding")
    def shed_today(stage, since, timer, isolating, shed):
        """How infectious one is today, to those one meets."""
        if stage in (SUSCEPTIBLE, RECOVERED) or isolating == 0:
            return 0.0
        return shed[timer * WIDTH + since + 1]

    @each("stage", "since")
    def disease(stage, since, timer, age, reached, r, susceptible_by_age, mean_contacts, step, u):
        """Infection, and what a day more does to the infected."""
        if stage == SUSCEPTIBLE:
            hazard = r[min(step // 7, len(r) - 1)] * susceptible_by_age[age] * reached / mean_contacts
            if u < 1 - math.exp(-hazard):
                return EXPOSED, 0
            return SUSCEPTIBLE, 0
        day = min(since + 1, OLD)
        if stage == EXPOSED and day >= timer + SHORTEST:
            return INFECTED, day
        if stage == INFECTED and day >= timer + SHORTEST + INFECTIOUS_DAYS:
            return RECOVERED, day
        return stage, day

    @observe("infections", "cases")
    def reports(self) -> dict[str, float]:
        """Infections of the last day, and cases of the last seven per 100,000 people."""
        ill = self.stage > 0
        week = np.count_nonzero(ill & (self.since < 7))
        return {
            "infections": float(np.count_nonzero(ill & (self.since == 0))),
            "cases": 1e5 * self.reported * week / self.n,
        }


@cache
def asking(*by: str) -> type[NewYork]:
    """New York, where once a week each archetype is asked whether to isolate.

    Args:
        by: the columns whose combinations are the archetypes; none: all people are one. With `name` among them every person
            is asked, the limit of ever finer archetypes.
    """
    body: dict[str, Any] = {"__module__": __name__, "__doc__": f"An archetype is of one {', '.join(by) or 'city'}."}
    if not by:
        body["city"] = column("int8", levels=("New York",))  # the same for all
    body["isolate"] = decision(OPTIONS, into="isolating", by=by or ("city",), sees=("cases",), every=7, question=QUESTION)
    return type("NewYorkAsked", (NewYork,), body)
