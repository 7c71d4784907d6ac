"""Starsim. Its infections last exponentially distributed times in place of a daily chance: figures differ a little."""

import numpy as np
import starsim as ss
from common import BETA, GAMMA, INFECTED, main, ties

ss.options(verbose=0)


class Contacts(ss.Network):
    def __init__(self, n, **options):
        super().__init__(**options)
        self.people = n

    def init_post(self):
        super().init_post()
        source, target = ties("random", self.people)
        once = source < target
        one, other = source[once].astype(ss.dtypes.int), target[once].astype(ss.dtypes.int)
        self.append({"p1": one, "p2": other, "beta": np.ones(len(one), ss.dtypes.float)})

    def step(self):
        pass


class Sir:
    def __init__(self, n):
        disease = ss.SIR(
            beta=ss.probperday(BETA),
            init_prev=ss.bernoulli(p=INFECTED),
            dur_inf=ss.expon(scale=ss.days(1 / GAMMA)),
            p_death=ss.bernoulli(p=0),
        )
        times = {"dt": ss.days(1), "start": ss.date("2020-01-01"), "dur": ss.days(200)}
        self.sim = ss.Sim(n_agents=n, rand_seed=1, **times, verbose=0, diseases=disease, networks=Contacts(n))
        self.sim.init()

    def run(self, steps):
        for _ in range(steps):
            self.sim.run_one_step()

    def found(self):
        disease = self.sim.diseases[0]
        return {name: float(getattr(disease, name).mean()) for name in ("susceptible", "infected", "recovered")}


main({"sir": Sir})
