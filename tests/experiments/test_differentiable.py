"""Draws with derivatives, neighbour sums, and fits through the simulator."""

import numpy as np
import pytest
import torch

from ethogram.errors import ConfigError
from ethogram.experiments import LogUniform, Uniform
from ethogram.experiments.differentiable import (
    Bounded,
    BoundedNetwork,
    Ties,
    bernoulli_st,
    bernoulli_stochastic,
    categorical_st,
    fit_through,
)
from ethogram.nn.training import Training
from ethogram.populations import Network, erdos_renyi


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def derivative(draw, p, f, n=200_000):
    """The mean derivative of f(draw) by p, over many draws."""
    probability = torch.full((n,), p, dtype=torch.float64, requires_grad=True)
    u = torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    f(draw(probability, u)).sum().backward()
    assert probability.grad is not None
    return float(probability.grad.mean())


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_derivatives_of_draws(p):
    """E[f] = (1 - p) f(0) + p f(1), so the derivative is f(1) - f(0); straight through is biased where f is not linear."""
    for draw in (bernoulli_st, bernoulli_stochastic):
        assert derivative(draw, p, lambda x: 3 * x + 1) == pytest.approx(3, abs=0.05)
    assert derivative(bernoulli_stochastic, p, torch.square) == pytest.approx(1, abs=0.03)
    assert derivative(bernoulli_st, p, torch.square) == pytest.approx(2 * p, abs=0.03)


def test_draws_are_their_distribution():
    u = torch.rand(50_000, generator=torch.Generator().manual_seed(2))
    drawn = bernoulli_st(torch.full_like(u, 0.3), u)
    assert set(drawn.tolist()) == {0.0, 1.0} and float(drawn.mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.equal(drawn, bernoulli_stochastic(torch.full_like(u, 0.3), u))
    p = torch.tensor([0.5, 0.0, 1.5]).expand(50_000, 3).clone().requires_grad_()
    chosen = categorical_st(p, u)
    np.testing.assert_allclose(chosen.detach().mean(0), [0.25, 0, 0.75], atol=0.01)
    assert (chosen.detach().sum(-1) == 1).all()
    (chosen * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert p.grad is not None and p.grad[0].tolist() == [1, 2, 3]
    sure = torch.tensor([0.0, 1.0], requires_grad=True)
    bernoulli_stochastic(sure, torch.tensor([0.5, 0.5])).sum().backward()
    assert sure.grad is not None and sure.grad.tolist() == [1, 1]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_neighbour_sums_and_their_derivatives_are_those_of_the_matrix(directed, weighted):
    rng = np.random.default_rng(3)
    ends = np.array(
        [
            (i, j)
            for i in range(12)
            for j in range(12)
            if (i != j if directed else i < j) and rng.random() < 0.3 and 11 not in (i, j)
        ]
    )
    weights = rng.random(len(ends)) if weighted else None
    network = Network.from_edges(ends[:, 0], ends[:, 1], 12, weights=weights, directed=directed)
    matrix = np.zeros((12, 12))
    matrix[ends[:, 0], ends[:, 1]] = 1.0 if weights is None else weights
    matrix = torch.tensor(matrix if directed else matrix + matrix.T)
    values = torch.tensor(rng.random((12, 2)), requires_grad=True)
    tie_sum = Ties(network).sum
    torch.testing.assert_close(tie_sum(values), matrix @ values, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(tie_sum(values[:, 0]), matrix @ values[:, 0], rtol=1e-6, atol=1e-6)
    (found,) = torch.autograd.grad((tie_sum(values) ** 2).sum(), values)
    (true,) = torch.autograd.grad(((matrix @ values) ** 2).sum(), values)
    torch.testing.assert_close(found, true, rtol=1e-6, atol=1e-6)
    assert float(tie_sum(values)[11].detach().sum()) == 0  # nobody is tied to the last row


class Epidemic:
    """SIR on a network in torch, with daily infections and recoveries; beta may change from day to day."""

    def __init__(self, n=1500, days=15):
        self.n, self.days = n, days
        self.ties = Ties(erdos_renyi(n, 8 / n, rng=1))

    def __call__(self, rates, noise):
        infected = (torch.arange(self.n) < 60).float()
        susceptible, daily = 1 - infected, []
        for day in range(self.days):
            beta = rates["beta"] if rates["beta"].ndim == 0 else rates["beta"][day]
            p = susceptible * (1 - torch.exp(-beta * self.ties.sum(infected)))
            new = bernoulli_st(p, torch.rand(self.n, generator=noise))
            well = bernoulli_st(rates["gamma"] * infected, torch.rand(self.n, generator=noise))
            susceptible, infected = susceptible - new, infected + new - well
            daily.append(torch.stack([new.sum(), well.sum()]))
        return torch.stack(daily)


def test_planted_rates_are_found_through_the_simulator():
    simulate = Epidemic()
    planted = {"beta": torch.tensor(0.05), "gamma": torch.tensor(0.15)}
    observed = torch.stack([simulate(planted, torch.Generator().manual_seed(100 + i)) for i in range(8)]).mean(0)
    rates = Bounded({"beta": Uniform(0.0, 0.2), "gamma": LogUniform(0.02, 0.5)})
    history = fit_through(rates, simulate, observed, Training(steps=120, lr=0.08, schedule="cosine", seed=1))
    found = {name: float(value.detach()) for name, value in rates().items()}
    assert found["beta"] == pytest.approx(0.05, rel=0.1) and found["gamma"] == pytest.approx(0.15, rel=0.15), found
    assert history.losses[-20:].mean() < 0.2 * history.losses[:5].mean()


def test_a_network_finds_rates_that_follow_a_covariate():
    simulate = Epidemic(days=16)
    policy = np.where(np.arange(16) < 8, 0.0, 1.0)[:, None]  # a closure on day 8
    planted = {
        "beta": torch.tensor(np.where(policy[:, 0] == 0, 0.06, 0.015), dtype=torch.float32),
        "gamma": torch.tensor(0.1),
    }

    def known_gamma(rates, noise):
        return simulate({**rates, "gamma": planted["gamma"]}, noise)

    observed = torch.stack([simulate(planted, torch.Generator().manual_seed(i)) for i in range(6)]).mean(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = BoundedNetwork({"beta": Uniform(0.0, 0.15)}, policy, hidden=8)
    fit_through(network, known_gamma, observed, Training(steps=150, lr=0.02, seed=2))
    beta = network()["beta"].detach()
    assert float(beta[:7].mean()) == pytest.approx(0.06, rel=0.2) and float(beta[9:].mean()) == pytest.approx(
        0.015, abs=0.008
    )


def test_a_series_of_another_shape_is_refused():
    with pytest.raises(ConfigError, match=r"shape \(15, 2\), and what is observed \(14,\)"):
        fit_through(Bounded({"beta": Uniform(0, 1), "gamma": Uniform(0, 1)}), Epidemic(n=50), np.arange(14.0))
