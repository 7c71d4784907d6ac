"""AMBER (PyPI: ambr), its vectorised lane. It ships no network: that part of `sir` is numpy, as its users write it."""

import ambr
import numpy as np
from common import BETA, GAMMA, main, network, sir_found, states, wealth_found


class WealthModel(ambr.Model):
    def setup(self):
        self.add_agents(self.p["n"], wealth=1)

    def step_vectorized(self):
        givers = self.agents.where(self.agents.wealth > 0)
        givers.wealth -= 1
        self.agents.at[self.rng.choice(self.agents.ids.to_numpy(), size=len(givers))].scatter_add(wealth=1)


class SirModel(ambr.Model):
    def setup(self):
        n = self.p["n"]
        self.add_agents(n, state=states(n, np.int64))
        self.indptr, self.indices = network("random", n)

    def step_vectorized(self):
        state = self.agents.state.to_numpy().copy()
        infected = np.flatnonzero(state == 1)
        begin, degree = self.indptr[infected], np.diff(self.indptr)[infected]
        before = np.cumsum(degree) - degree
        contacts = self.indices[np.arange(degree.sum()) + np.repeat(begin - before, degree)]
        new = contacts[(state[contacts] == 0) & (self.rng.random(contacts.size) < BETA)]
        recovered = infected[self.rng.random(infected.size) < GAMMA]
        state[new], state[recovered] = 1, 2
        self.agents.set(state=state)


class Runs:
    def __init__(self, model, n):
        self.model, self.step = model({"n": n, "seed": 1, "show_progress": False}), 0
        self.model.cpu(mode="vectorized")

    def run(self, steps):
        self.step += steps
        self.model.run(steps=self.step)


class Wealth(Runs):
    def __init__(self, n):
        super().__init__(WealthModel, n)

    def found(self):
        return wealth_found(self.model.agents_df["wealth"].to_numpy())


class Sir(Runs):
    def __init__(self, n):
        super().__init__(SirModel, n)

    def found(self):
        return sir_found(self.model.agents_df["state"].to_numpy())


main({"wealth": Wealth, "sir": Sir})
