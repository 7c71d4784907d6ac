"""Planners: search for the actions that cost least by a model, whatever the model is.

A cost is a function from B plans, shape (B, H, A) (H steps of A numbers), to their costs, shape (B,). A plan for which the
model gives no number costs infinitely much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ethogram.errors import ConfigError, DataError

__all__ = ["CEM", "MPPI", "Cost", "Plan", "shifted"]

Cost = Callable[[Tensor], Tensor]


class Plan(NamedTuple):
    """The best that a planner found."""

    actions: Tensor
    """Shape (H, A)."""
    cost: float


class _Planner:
    """What planners share: plans are drawn around a mean, held inside of bounds, and the mean is moved.

    Args:
        horizon: H, steps of a plan.
        size: A, numbers of an action.
        low: lower bound of each number.
        high: upper bound of each number.
        samples: B, plans drawn at a time.
        iterations: how often the mean is moved.
        spread: standard deviation of the first draws, as a share of half the distance between the bounds.
    """

    def __init__(
        self,
        horizon: int,
        size: int,
        *,
        low: float = -1.0,
        high: float = 1.0,
        samples: int = 256,
        iterations: int = 6,
        spread: float = 0.5,
    ) -> None:
        if low >= high:
            raise ConfigError(f"a planner needs bounds low < high, not {low} and {high}")
        if min(horizon, size, samples, iterations) < 1:
            raise ConfigError(
                f"a planner needs at least one step, number, sample and iteration, not {horizon}, {size}, {samples} and "
                f"{iterations}"
            )
        self.horizon, self.size, self.low, self.high = horizon, size, low, high
        self.samples, self.iterations, self.spread = samples, iterations, spread * (high - low) / 2

    def _start(self, start: Tensor | None) -> Tensor:
        if start is None:
            return torch.full((self.horizon, self.size), (self.low + self.high) / 2)
        return start.clamp(self.low, self.high)

    def _draw(self, mean: Tensor, std: Tensor | float, generator: torch.Generator) -> Tensor:
        noise = torch.randn((self.samples, self.horizon, self.size), generator=generator)
        return (mean + std * noise).clamp(self.low, self.high)

    @staticmethod
    def _costs(cost: Cost, plans: Tensor) -> Tensor:
        """What plans cost; DataError where there is none with a finite cost."""
        costs = cost(plans)
        costs = torch.where(costs.isnan(), torch.inf, costs)
        if not costs.isfinite().any():
            raise DataError(f"none of {len(plans)} plans has a finite cost: look at the model's predictions")
        return costs


class CEM(_Planner):
    """The cross-entropy method (Rubinstein 1999; for planning in models: Chua et al. 2018, arXiv 1805.12114, section 5).

    Mean and standard deviation become those of the cheapest plans, again and again. The best plan ever tried is given, not
    the last mean, and it is tried again in each round, so that a round never makes things worse.

    Args:
        elites: how many of the cheapest plans the next draws follow.
        momentum: share of the old mean and standard deviation that is kept.
    """

    def __init__(self, horizon: int, size: int, *, elites: int = 32, momentum: float = 0.0, **options: float) -> None:
        super().__init__(horizon, size, **options)  # type: ignore[arg-type]
        if not 1 < elites <= self.samples:
            raise ConfigError(f"elites = {elites} must be more than 1 and at most the {self.samples} samples")
        self.elites, self.momentum = elites, momentum

    @torch.no_grad()
    def __call__(self, cost: Cost, generator: torch.Generator, start: Tensor | None = None) -> Plan:
        """Search, from the plan `start` (H, A), held inside of the bounds, or from their middle."""
        mean = best = self._start(start)
        std = torch.full_like(mean, self.spread)
        least = float("inf")
        for _ in range(self.iterations):
            plans = torch.cat([best.unsqueeze(0), self._draw(mean, std, generator)])
            costs = self._costs(cost, plans)
            order = costs.argsort()
            best, least = plans[order[0]], float(costs[order[0]])
            elite = plans[order[: self.elites]]
            mean = self.momentum * mean + (1 - self.momentum) * elite.mean(0)
            std = self.momentum * std + (1 - self.momentum) * elite.std(0)
        return Plan(best, least)


class MPPI(_Planner):
    """Model-predictive path integral control (Williams et al. 2017, arXiv 1707.02342, algorithm 2).

    The mean becomes the mean of the plans drawn around it, weighted by exp(-(cost - least cost) / temperature).

    Args:
        temperature: in the unit of the costs; near 0 only the cheapest plan counts.
    """

    def __init__(self, horizon: int, size: int, *, temperature: float = 1.0, **options: float) -> None:
        super().__init__(horizon, size, **options)  # type: ignore[arg-type]
        if temperature <= 0:
            raise ConfigError(f"temperature = {temperature} must be above 0")
        self.temperature = temperature

    @torch.no_grad()
    def __call__(self, cost: Cost, generator: torch.Generator, start: Tensor | None = None) -> Plan:
        """Search, from the plan `start` (H, A), held inside of the bounds, or from their middle."""
        mean = self._start(start)
        for _ in range(self.iterations):
            plans = self._draw(mean, self.spread, generator)
            weights = torch.softmax(-self._costs(cost, plans) / self.temperature, 0)
            mean = torch.einsum("b,bha->ha", weights, plans)
        return Plan(mean, float(cost(mean.unsqueeze(0))[0]))


def shifted(actions: Tensor) -> Tensor:
    """A plan (H, A) one step later: where the next search begins once the first action was taken. The last is repeated."""
    return torch.cat([actions[1:], actions[-1:]])
