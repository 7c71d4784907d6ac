"""The reference models do what is known of them: exact laws, conservation, and the figures of other implementations."""

import numpy as np
import pytest
from scipy import optimize

from ethogram.columns import Columns, column, mixing, observed, pairs, total, turn
from ethogram.populations import complete
from ethogram.simulation import simulate
from ethogram.worlds.coded.epidemic import RECOVERED, Epidemic
from ethogram.worlds.coded.opinions import BoundedConfidence
from ethogram.worlds.coded.segregation import Segregation
from ethogram.worlds.coded.wealth import Wealth


class Asynchronous(Wealth):
    """One after the other, in random order; in place of all at once."""

    @turn(order="random")
    def give(row, wealth, n, u):
        if wealth[row] > 0:
            wealth[row] -= 1
            wealth[int(u * n)] += 1


def test_wealth_all_at_once():
    w = Wealth(100_000)
    table = observed(simulate(w, steps=21, seed=1))
    assert table["poor"][-1] == pytest.approx(0.414, abs=0.004)
    assert table["gini"][-1] == pytest.approx(0.580, abs=0.004)
    assert w.wealth.sum() == w.n
    # In the long run wealth is a queue that serves one and takes in a Poisson number: with a mean of 1, the share of those
    # who have something solves x + x^2 / (2 (1 - x)) = 1, so that the share of those who have nothing is sqrt(2) - 1.
    for _ in range(200):
        w.step({})
    assert (w.wealth == 0).mean() == pytest.approx(np.sqrt(2) - 1, abs=4 * np.sqrt(0.25 / w.n))


def test_wealth_one_after_the_other():
    table = observed(simulate(Asynchronous(100_000), steps=21, seed=1))
    assert 0.460 < table["poor"][-1] < 0.474
    assert 0.628 < table["gini"][-1] < 0.641


class OneAtATime(Columns):
    """One gift at a time, giver and taker drawn anew for each: the detailed balance of Boltzmann and Gibbs."""

    wealth = column("int32", 1)

    @turn(order="fixed")
    def give(wealth, n, u, u2):
        giver = int(u * n)
        if wealth[giver] > 0:
            wealth[giver] -= 1
            wealth[int(u2 * n)] += 1


def test_wealth_is_distributed_geometrically_where_gifts_come_one_by_one():
    w = OneAtATime(20_000)
    w.reset(seed=3)
    for _ in range(100):
        w.step({})
    shares = np.bincount(w.wealth)[:6] / w.n  # all divisions of n coins are equally likely: 2^-(k + 1)
    assert shares == pytest.approx(0.5 ** np.arange(1, 7), abs=4 * np.sqrt(0.25 / w.n))


def test_sir_on_a_random_network():
    table = observed(simulate(Epidemic(100_000), steps=21, seed=1))
    shares = table.select("susceptible", "infected", "recovered").row(-1)
    assert np.array(shares) / 100_000 == pytest.approx([0.157, 0.410, 0.433], abs=0.012)


@pytest.mark.parametrize("incubation", [0.0, 3.0])
def test_final_size_where_everybody_meets_everybody(incubation):
    n, gamma, reproduction, seeds = 400, 0.2, 2.0, 0.05
    w = Epidemic(n, contacts=complete(n), beta=reproduction * gamma / n, gamma=gamma, incubation=incubation, seeds=seeds)
    sizes = []
    for seed in range(40):
        w.reset(seed=seed)
        while np.isin(w.state, (0, RECOVERED)).mean() < 1:
            w.step({})
        sizes.append((w.state == RECOVERED).mean())
    # 1 - z = (1 - seeds) exp(-R z): Kermack and McKendrick's final size, whatever the time before people are infectious
    z = optimize.brentq(lambda z: 1 - z - (1 - seeds) * np.exp(-reproduction * z), 0.1, 1)
    error = np.std(sizes, ddof=1) / np.sqrt(len(sizes))
    assert error < 0.012
    assert np.mean(sizes) == pytest.approx(z, abs=3.5 * error + 0.01)  # of n = 400, a hundredth less


def test_segregation():
    w = Segregation((118, 118))
    table = observed(simulate(w, steps=40, seed=1))
    assert table["similar"][0] == pytest.approx(0.5, abs=0.02) and table["unhappy"][0] > 0.1
    assert table["similar"][-1] == pytest.approx(0.819, abs=0.012) and table["unhappy"][-1] < 1e-3
    assert np.bincount(w.kind).tolist() == [13924 - 11139, 5570, 5569]


def groups(opinion):
    """Groups of one mind that hold at least a twentieth of the people."""
    shares = np.histogram(opinion, bins=50, range=(0, 1))[0] / len(opinion)
    ends = np.diff(np.concatenate([[0], shares > 0.002, [0]]))
    return sum(shares[a:b].sum() > 0.05 for a, b in zip(np.flatnonzero(ends == 1), np.flatnonzero(ends == -1), strict=True))


class Deffuant(Columns):
    """Deffuant, Neau, Amblard & Weisbuch (2000): who meets and is near enough comes closer by half."""

    confidence: float = 0.2
    opinion = column("float64")

    def start(self, rng):
        self.opinion = rng.random(self.n)

    @pairs("opinion")
    def talk(opinion, their_opinion, confidence):
        if abs(opinion - their_opinion) > confidence:
            return opinion, their_opinion
        return (opinion + their_opinion) / 2, (opinion + their_opinion) / 2


@pytest.mark.parametrize(("confidence", "low", "high"), [(0.5, 1, 1), (0.25, 1, 2), (0.1, 4, 6)])
def test_about_one_over_twice_the_confidence_groups_are_left(confidence, low, high):
    w = Deffuant(4000, confidence=confidence)
    w.reset(seed=2)
    before = w.opinion.mean()
    for _ in range(120):
        w.step({})
    assert low <= groups(w.opinion) <= high
    assert w.opinion.mean() == pytest.approx(before, abs=1e-12)


def test_everybody_agrees_where_everybody_hears_everybody():
    w = BoundedConfidence(300, known=complete(300), confidence=0.35)
    table = observed(simulate(w, steps=15, seed=1))
    assert table["spread"][0] > 0.25 and table["spread"][-1] < 1e-3
    divided = BoundedConfidence(300, known=complete(300), confidence=0.12)
    simulate(divided, steps=15, seed=1)
    assert 2 <= groups(divided.opinion) <= 5


class Heat(Columns):
    """Whoever meets others takes on their mean."""

    heat = column("float64")
    meet = mixing(4)
    warmth = total("meet", of=lambda their_heat: their_heat / 4)


def test_random_meetings_are_a_fair_sample():
    w = Heat(20_000)
    w.reset(seed=1)
    w.heat = np.random.default_rng(1).normal(3, 2, w.n)
    found = w.warmth
    assert found.mean() == pytest.approx(w.heat.mean(), abs=4 * 1 / np.sqrt(w.n))
    assert found.var() == pytest.approx(w.heat.var() / 4, rel=0.06)
