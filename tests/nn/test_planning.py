"""Planners reach a minimum that is known, and steer a system whose model is known."""

import math

import pytest
import torch

from ethogram.errors import ConfigError, DataError
from ethogram.nn.planning import CEM, MPPI, shifted

PLANNERS = [CEM(5, 2, iterations=12, elites=20), MPPI(5, 2, iterations=40, temperature=0.01, spread=0.15)]


def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("planner", PLANNERS)
def test_minimum_of_a_quadratic(planner):
    target = torch.linspace(-0.9, 0.9, 10).reshape(5, 2)
    found = planner(lambda plans: (plans - target).square().sum((1, 2)), generator())
    assert (found.actions - target).abs().max() < 0.12
    assert found.cost == pytest.approx((found.actions - target).square().sum().item(), abs=1e-6)


@pytest.mark.parametrize("planner", PLANNERS)
def test_minimum_outside_of_the_bounds(planner):
    found = planner(lambda plans: (plans - 3.0).square().sum((1, 2)), generator())
    assert found.actions.max() <= 1.0 and found.actions.min() > 0.85


def test_an_update_of_mppi_in_closed_form():
    """Of a linear cost g x and draws N(m, s²) the mean weighted by exp(-cost / temperature) is m - s² g / temperature."""
    slope, wide = torch.tensor([[0.7], [-0.4]]), {"low": -100.0, "high": 100.0, "spread": 0.01}  # s = 1
    planner = MPPI(2, 1, samples=200_000, iterations=1, temperature=2.0, **wide)
    found = planner(lambda plans: (plans * slope).sum((1, 2)), generator(), torch.ones(2, 1))
    assert torch.allclose(found.actions, 1 - slope / 2.0, atol=0.01)


@pytest.mark.parametrize("momentum", [0.0, 0.25])
def test_an_update_of_cem_in_closed_form(momentum):
    """The cheapest half of N(m, s²) by the cost x is a half-normal: mean m - s √(2/π), standard deviation s √(1 - 2/π)."""
    rounds = []

    def cost(plans):
        rounds.append(plans[1:])  # without the best so far
        return plans.sum((1, 2))

    wide = {"low": -100.0, "high": 100.0, "spread": 0.02}  # s = 2
    CEM(1, 1, samples=100_000, elites=50_000, iterations=2, momentum=momentum, **wide)(cost, generator(), torch.ones(1, 1))
    mean, spread = 1 - 2 * math.sqrt(2 / math.pi), 2 * math.sqrt(1 - 2 / math.pi)
    assert rounds[1].mean().item() == pytest.approx(momentum * 1 + (1 - momentum) * mean, abs=0.02)
    assert rounds[1].std().item() == pytest.approx(momentum * 2 + (1 - momentum) * spread, abs=0.02)


def test_receding_horizon_brings_a_point_to_rest_at_the_goal():
    def ahead(plans, position, velocity):
        cost = torch.zeros(len(plans))
        for t in range(plans.shape[1]):
            velocity = velocity + 0.2 * plans[:, t, 0]
            position = position + 0.2 * velocity
            cost = cost + position**2 + 0.1 * velocity**2
        return cost

    planner, noise = CEM(10, 1, samples=100, elites=10, iterations=4), generator()
    position, velocity, plan = torch.tensor(2.0), torch.tensor(0.0), None
    for _ in range(60):
        plan = planner(
            lambda plans, p=position, v=velocity: ahead(plans, p, v), noise, None if plan is None else shifted(plan.actions)
        )
        velocity = velocity + 0.2 * plan.actions[0, 0]
        position = position + 0.2 * velocity
    assert abs(position) < 0.1 and abs(velocity) < 0.1


def test_a_round_never_makes_cem_worse():
    costs = []
    for iterations in (1, 2, 4, 8):
        planner = CEM(3, 1, samples=10, elites=3, iterations=iterations)
        costs.append(planner(lambda plans: torch.sin(9 * plans).sum((1, 2)) + plans.square().sum((1, 2)), generator()).cost)
    assert costs == sorted(costs, reverse=True)


def test_a_start_outside_of_the_bounds_is_brought_inside():
    for planner in PLANNERS:
        found = planner(lambda plans: (plans - 3.0).square().sum((1, 2)), generator(), torch.full((5, 2), 3.0))
        assert found.actions.abs().max() <= 1.0


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("unknown", [float("nan"), float("inf")])
def test_plans_that_the_model_has_no_number_for_are_left_aside(planner, unknown):
    def cost(plans):  # the best plan lies at -0.5; the model breaks down where the first number is above 0
        return torch.where(plans[:, 0, 0] > 0, unknown, (plans + 0.5).square().sum((1, 2)))

    assert (planner(cost, generator()).actions + 0.5).abs().max() < 0.15
    with pytest.raises(DataError, match="none of"):
        planner(lambda plans: torch.full((len(plans),), unknown), generator())


def test_settings_that_make_no_sense():
    for wrong in ({"iterations": 0}, {"samples": 0}):
        with pytest.raises(ConfigError, match="at least one step, number, sample and iteration"):
            MPPI(3, 1, **wrong)
    with pytest.raises(ConfigError, match="elites = 300"):
        CEM(3, 1, elites=300)
    with pytest.raises(ConfigError, match="low < high"):
        MPPI(3, 1, low=1.0, high=1.0)
    with pytest.raises(ConfigError, match="temperature"):
        MPPI(3, 1, temperature=0.0)
