"""An epidemic on a network of contacts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.columns import Columns, column, count, each, network, tally
from ethogram.populations.generators import erdos_renyi
from ethogram.populations.network import Network

__all__ = ["EXPOSED", "INFECTED", "RECOVERED", "SUSCEPTIBLE", "Epidemic"]

SUSCEPTIBLE, EXPOSED, INFECTED, RECOVERED = range(4)


def random_contacts(n: int) -> Network:
    """Ten contacts a person, on average."""
    return erdos_renyi(n, min(10 / max(n - 1, 1), 1), rng=1)


class Epidemic(Columns):
    """Susceptible, exposed, infected and recovered people (Kermack & McKendrick 1927), in discrete time on a network.

    At every step each infected contact infects a susceptible person with probability `beta`, who is then exposed for
    `incubation` steps on average (0: infected at once, the SIR model); the infected recover with probability `gamma`.
    """

    beta: float = 0.05
    gamma: float = 0.1
    incubation: float = 0.0
    seeds: float = 0.01
    state = column("int8", SUSCEPTIBLE)
    contacts = network(random_contacts)
    infected = count("contacts", of=lambda their_state: their_state == INFECTED, where=lambda state: state == SUSCEPTIBLE)
    tallies = tally("state", ("susceptible", "exposed", "infected", "recovered"))

    def start(self, rng: np.random.Generator) -> None:
        """A share of the people, `seeds`, is infected."""
        self.state[rng.permutation(self.n)[: round(self.seeds * self.n)]] = INFECTED

    @each("state")
    def disease(state: Any, infected: int, beta: float, gamma: float, incubation: float, u: float) -> int:
        """What the next day brings."""
        if state == SUSCEPTIBLE and infected > 0 and u < 1 - (1 - beta) ** infected:
            return EXPOSED if incubation > 0 else INFECTED
        if state == EXPOSED and u * incubation < 1:
            return INFECTED
        if state == INFECTED and u < gamma:
            return RECOVERED
        return state
