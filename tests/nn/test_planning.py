"""Planners reach a minimum that is known, and steer a system whose model is known."""

import pytest
import torch

from ethogram.errors import ConfigError
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


def test_settings_that_make_no_sense():
    with pytest.raises(ConfigError, match="elites = 300"):
        CEM(3, 1, elites=300)
    with pytest.raises(ConfigError, match="low < high"):
        MPPI(3, 1, low=1.0, high=1.0)
    with pytest.raises(ConfigError, match="temperature"):
        MPPI(3, 1, temperature=0.0)
