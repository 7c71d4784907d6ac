"""New York: the law of infection against its formula, final size against its equation, who is asked, the labour force."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from ethogram.columns import observed, with_observer
from ethogram.policies.prompted.archetype import Archetype
from ethogram.populations import Network, Population, complete, erdos_renyi
from ethogram.simulation import simulate
from ethogram.worlds.coded.new_york import (
    AGES,
    EXPOSED,
    EXPOSED_DAYS,
    INFECTED,
    INFECTIOUS_DAYS,
    RECOVERED,
    SUSCEPTIBILITY,
    NewYork,
    asking,
    infectiousness,
    reproduced,
)
from ethogram.worlds.coded.workforce import AT_WORK, Workforce


def people(n, ages=("30t39",), **networks):
    who = {"name": [str(i) for i in range(n)], "age": [ages[i % len(ages)] for i in range(n)]}
    who |= {"gender": ["female", "male"] * (n // 2) + ["male"] * (n % 2), "ethnicity": ["other"] * n}
    return Population(pl.DataFrame(who), networks)


def test_infectiousness_is_a_gamma_law_by_stages():
    # the gamma law of mean 5.5 and standard deviation 2.4, integrated by trapezia
    shape, scale = (5.5 / 2.4) ** 2, 2.4**2 / 5.5
    x = np.linspace(2, 3, 2001)
    density = x ** (shape - 1) * np.exp(-x / scale) / (math.gamma(shape) * scale**shape)
    third_day = float(((density[1:] + density[:-1]) / 2 * np.diff(x)).sum())
    assert infectiousness(3, exposed=3) == pytest.approx(0.33 * third_day, rel=1e-5)
    assert infectiousness(3, exposed=2) == pytest.approx(0.72 * third_day, rel=1e-5)
    assert infectiousness(0, 3) == 0 and infectiousness(9, 3) == 0 and infectiousness(8, 3) > 0
    assert reproduced(2.0) == pytest.approx(2 * reproduced())


def test_one_day_follows_the_hazard():
    """Many pairs, one of each infected: the share infected on day 1 is 1 - exp(-hazard), by the age of the other."""
    pairs = 60_000
    rows = np.arange(2 * pairs)
    network = Network.from_edges(rows[::2], rows[1::2], 2 * pairs)
    r = 40.0

    class Pairs(NewYork):
        def start(self, rng):
            super().start(rng)
            self.stage[::2], self.since[::2], self.timer[::2] = EXPOSED, 0, 0

    ages = [age for age in ("U19", "65A") for _ in range(2)]
    world = Pairs(people(2 * pairs, ages, contacts=network), r=np.array([r]), past=np.zeros(1), threads=1)
    world.reset(1)
    world.step({"observer": 0})
    for age in ("U19", "65A"):
        of_age = world.age[1::2] == AGES.index(age)
        p = 1 - math.exp(-r * SUSCEPTIBILITY[age] * infectiousness(1, EXPOSED_DAYS[0]))
        found = (world.stage[1::2] == EXPOSED)[of_age].mean()
        assert abs(found - p) < 4 * math.sqrt(p * (1 - p) / of_age.sum())


def test_stages_last_as_long_as_they_should():
    world = NewYork(people(300, contacts=erdos_renyi(300, 0.05, rng=1)), r=np.zeros(1), past=np.array([30.0]), threads=1)
    world.reset(2)
    exposed = np.array(EXPOSED_DAYS)[world.timer]
    ill = world.stage > 0
    assert ill.sum() == 30
    for day in range(1, 12):
        world.step({"observer": 0})
        expected = np.where(day < exposed, EXPOSED, np.where(day < exposed + INFECTIOUS_DAYS, INFECTED, RECOVERED))
        assert (world.stage[ill] == expected[ill]).all() and (world.stage[~ill] == 0).all()


def test_the_past_is_put_where_the_disease_would_have_been():
    n = 2000
    network = Network.from_edges(np.zeros(999, int), np.arange(1, 1000), n)  # a star; half have no contacts
    world = NewYork(people(n, ("U19", "65A"), contacts=network), past=np.array([5.0, 0.0, 4.0, 1.0]), threads=1)
    hub = 0
    for seed in range(5):
        world.reset(seed)
        ill = np.flatnonzero(world.stage)
        assert hub in ill and ill.max() < 1000 and np.bincount(world.since[ill], minlength=4).tolist() == [5, 0, 4, 1]


def test_final_size_on_a_complete_graph():
    """Kermack and McKendrick's equation for ages of different susceptibility, from the mean of a few outbreaks."""
    from ethogram.studies.society._agenttorch_parts import final_size

    n, r = 800, 4.5
    ages = np.array([0.5, 0.0, 0.0, 0.0, 0.0, 0.5])
    world = NewYork(people(n, ("U19", "65A"), contacts=complete(n)), r=np.array([r]), past=np.array([24.0]), threads=1)
    sizes = []
    for seed in range(8):
        world.reset(seed)
        for _ in range(150):
            world.step({"observer": 0})
        assert world.tally("stages")["infected"] == 0
        sizes.append(world.tally("stages")["recovered"] / n)
    expected = final_size(r, ages, 24 / n)
    assert abs(np.mean(sizes) - expected) < 4 * np.std(sizes) / np.sqrt(8) + 0.01
    # the plain equation, z = 1 - exp(-R z), where all are alike and hardly anybody is infected at first
    z, alike = 0.9, np.array([0.0, 1.0, 0, 0, 0, 0])
    for _ in range(500):
        z = 1 - math.exp(-1.03 * reproduced(r) * z)
    assert final_size(r, alike, 0.0) == pytest.approx(z)
    assert final_size(1.0, alike, 0.0) < 1e-6  # below the threshold nothing happens


def share(p):
    return with_observer(Archetype(lambda asked: [p, 1 - p]))


def test_who_isolates_neither_infects_nor_is_infected():
    build = {"r": np.array([4.0]), "past": np.array([40.0]), "threads": 1}
    who = people(1000, AGES, contacts=erdos_renyi(1000, 0.01, rng=1))
    total = {}
    for p in (0.0, 0.5, 1.0):
        run = simulate(asking("age")(who, **build), share(p), steps=14, seed=3, progress=False)
        total[p] = observed(run)["infections"][1:].sum()
    assert total[1.0] == 0 and 0 < total[0.5] < 0.6 * total[0.0]


def test_archetypes_are_asked_once_a_week_whatever_their_number():
    asked = []

    def law(question):
        asked.append(question)
        return [0.2, 0.8]

    for world, groups in ((asking(), 1), (asking("age"), 6), (asking("name", "age"), 60)):
        asked.clear()
        n = 60
        made = world(people(n, AGES, contacts=erdos_renyi(n, 0.1, rng=1)), past=np.full(7, 2.0), threads=1)
        simulate(made, Archetype(law), steps=8, seed=1, progress=False)
        assert len(asked) == 2 * groups and sum(q.people for q in asked) == 2 * n
    assert asked[0].facts["cases"] == pytest.approx(1e5 * 14 / 60)


def test_workforce_counts_the_willing_and_limits_wages():
    n = 8000
    series = {"claims": np.array([100.0, 200.0]), "covid": np.zeros(2), "benefit": np.ones(2)}
    who = people(n, AT_WORK)
    world = Workforce(who, **series, people=10.0, a=0.0, b=2.0, c=1.0, normal=5.0, response=0.01, limit=0.02)
    policy = with_observer(Archetype(lambda asked: [0.75, 0.25] if asked.who["age"] == "50t64" else [0.9, 0.1]))
    run = simulate(world, policy, steps=2, seed=1, progress=False)
    seen = observed(run)
    force = seen["labour_force"][1:].to_numpy() / 10
    assert np.abs(force - n * (0.75 + 3 * 0.9) / 4).max() < 4 * np.sqrt(n * 0.1)
    # unemployment is 2 log(claims) + 1, so that wages fall by the limit, and by 0.01 times 5 - 2 log(200) - 1, limited, too
    first = 1 + max(-0.02, 0.01 * (5 - 1 - 2 * math.log(100)))
    second = first * (1 + max(-0.02, 0.01 * (5 - 1 - 2 * math.log(200))))
    assert seen["wages_now"].to_list() == pytest.approx([1.0, first, second])
