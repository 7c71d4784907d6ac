"""ethogram's column engine, on models as a user writes them, without observers: nobody else's collect data here either."""

import os

from common import (
    BETA,
    GAMMA,
    NEAR,
    WANTED,
    main,
    network,
    opinion_found,
    opinions,
    side,
    sir_found,
    states,
    town,
    town_found,
    wealth_found,
)

from ethogram.columns import OBSERVER, Columns, column, count, each, grid, relocate, total, transfer
from ethogram.columns import network as ties
from ethogram.populations.network import Network


class Wealth(Columns):
    wealth = column("int32", 1)

    @transfer("wealth", to="anyone")
    def give(wealth):
        return 1 if wealth > 0 else 0


class Sir(Columns):
    beta: float = BETA
    gamma: float = GAMMA
    state = column("int8")
    contacts = ties()
    infected = count("contacts", of=lambda their_state: their_state == 1, where=lambda state: state == 0)

    def start(self, rng):
        self.state[:] = states(self.n)

    @each("state")
    def disease(state, infected, beta, gamma, u):
        if state == 0 and infected > 0 and u < 1 - (1 - beta) ** infected:
            return 1
        if state == 1 and u < gamma:
            return 2
        return state


class Schelling(Columns):
    wanted: int = WANTED
    kind = column("int8")
    around = grid()
    alike = count("around", of=lambda kind, their_kind: their_kind == kind, where=lambda kind: kind != 0)
    people: int = 0

    def start(self, rng):
        self.kind[:] = town(self.people).ravel()

    @relocate("kind", empty=lambda kind: kind == 0)
    def unhappy(alike, wanted):
        return alike < wanted


class Opinion(Columns):
    confidence: float = NEAR
    opinion = column("float32")
    known = ties()
    near = count("known", of=lambda opinion, their_opinion, confidence: abs(their_opinion - opinion) <= confidence)
    heard = total(
        "known",
        of=lambda opinion, their_opinion, confidence: their_opinion if abs(their_opinion - opinion) <= confidence else 0.0,
    )

    def start(self, rng):
        self.opinion = opinions(self.n)

    @each("opinion")
    def listen(opinion, near, heard):
        return (opinion + heard) / (1 + near)


class Runs:
    """A model, stepped as `simulate` does it."""

    def __init__(self, world, found):
        self.world, self.found = world, lambda: found(world)
        world.reset(seed=1)

    def run(self, steps):
        for _ in range(steps):
            self.world.step({OBSERVER: 0})


THREADS = int(os.environ["OMP_NUM_THREADS"])


def loaded(kind, n):
    return Network(*network(kind, n))


main(
    {
        "wealth": lambda n: Runs(Wealth(n, threads=THREADS), lambda w: wealth_found(w.wealth)),
        "sir": lambda n: Runs(Sir(n, contacts=loaded("random", n), threads=THREADS), lambda w: sir_found(w.state)),
        "schelling": lambda n: Runs(
            Schelling((side(n), side(n)), people=n, threads=THREADS), lambda w: town_found(w.kind.reshape(w.shape))
        ),
        "opinion": lambda n: Runs(
            Opinion(n, known=loaded("scale-free", n), threads=THREADS), lambda w: opinion_found(w.opinion)
        ),
    }
)
