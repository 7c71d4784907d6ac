"""The disease of New York as a differentiable torch program, and weekly R fitted to weekly cases through it.

A second implementation of `ethogram.worlds.coded.new_york`'s disease, in which an infection is a straight-through Bernoulli
draw: forward a coin, backward the derivative of its probability. Nobody isolates in it. It counts weekly cases, and its
gradient with respect to the R of every week comes from one backward pass, whatever the number of weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ethogram.seeds import derive, generator
from ethogram.worlds.coded.new_york import EXPOSED_DAYS, INFECTIOUS_DAYS, infected_first, infectiousness

if TYPE_CHECKING:
    import torch

    from ethogram.populations import Network

__all__ = ["RANGE", "Fitted", "Outbreak", "fit", "search"]

RANGE = (1.4, 4.5)
"""Weekly R is sought between these (AgentTorch's calibration, catalogue)."""


class Outbreak:
    """The population in which the disease runs.

    Args:
        network: its contacts.
        susceptibility: of each person, shape (n,).
        infected: how many are exposed at the beginning, drawn as the world draws them.
    """

    def __init__(self, network: Network, susceptibility: np.ndarray[Any, Any], infected: int) -> None:
        import torch

        from ethogram.experiments.differentiable import Ties

        self.n, self.infected = len(network), infected
        self.ties = Ties(network)
        self.susceptibility = torch.as_tensor(susceptibility, dtype=torch.float32)
        self.contacts = float(network.degree().mean())
        self.reach = network.degree() * susceptibility.astype(np.float64)
        longest = max(EXPOSED_DAYS) + INFECTIOUS_DAYS
        # what one sheds on each day since exposure, (exposed days, day), by how long one is exposed before infectious
        table = [[infectiousness(day, days) for day in range(longest + 1)] for days in EXPOSED_DAYS]
        self.shed = torch.tensor(table, dtype=torch.float32)

    def cases(self, r: torch.Tensor, seed: int) -> torch.Tensor:
        """Weekly cases (people infected in the week) for the R of each week, shape (weeks,) to (weeks,); differentiable."""
        import torch

        from ethogram.experiments.differentiable import bernoulli_st

        days = 7 * len(r)
        luck = torch.Generator().manual_seed(derive(seed, "outbreak") % 2**63)
        rng = generator(seed, "outbreak's beginning")
        timer = torch.as_tensor(rng.integers(0, len(EXPOSED_DAYS), self.n))
        first = torch.zeros(self.n)
        first[torch.as_tensor(infected_first(self.reach, self.infected, rng))] = 1.0
        susceptible, exposed = 1.0 - first, [first]
        weekly = [torch.zeros(()) for _ in range(len(r))]
        shed = self.shed[timer]
        for day in range(1, days + 1):
            recent = range(max(0, day - self.shed.shape[1] + 1), day)
            shedding = torch.stack([exposed[s] * shed[:, day - s] for s in recent]).sum(0)
            hazard = r[(day - 1) // 7] * self.susceptibility * self.ties.sum(shedding) / self.contacts
            new = bernoulli_st(susceptible * (1 - torch.exp(-hazard)), torch.rand(self.n, generator=luck))
            susceptible = susceptible - new
            exposed.append(new)
            weekly[(day - 1) // 7] = weekly[(day - 1) // 7] + new.sum()
        return torch.stack(weekly)


class Fitted(NamedTuple):
    """What a calibration found."""

    r: list[float]
    """R of each week."""
    losses: list[float]
    """Loss of each simulator call, in order."""


def loss_of(cases: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of log(1 + cases)."""
    return (cases.log1p() - observed.log1p()).square().mean()


def fit(outbreak: Outbreak, observed: np.ndarray[Any, Any], calls: int, seed: int, by_network: bool = False) -> Fitted:
    """Weekly R by gradient descent through the simulator (Adam), other luck in each call; the mean of the last third.

    The R of each week is a number of its own; or all come from a recurrent network that reads the cases, whose
    weights are fitted (as AgentTorch has it).

    Args:
        outbreak: the population.
        observed: weekly cases, shape (weeks,).
        calls: of the simulator, each with its backward pass.
        seed: of the simulator's luck.
        by_network: whether a network gives R.
    """
    import torch

    from ethogram.experiments.differentiable import BoundedNetwork
    from ethogram.experiments.problems import Uniform
    from ethogram.nn.training import seeded

    goal = torch.as_tensor(observed, dtype=torch.float32)
    low, high = RANGE
    theta = torch.zeros(len(observed), requires_grad=True)
    with seeded(derive(seed, "network") % 2**63):
        network = BoundedNetwork({"r": Uniform(low, high)}, np.log1p(observed)[:, None])
    adam = torch.optim.Adam([theta, *network.parameters()], lr=0.03 if by_network else 0.2, betas=(0.8, 0.95))
    fall = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.1, calls)
    kept: list[torch.Tensor] = []
    losses = []
    for call in range(calls):
        r = network()["r"] if by_network else low + (high - low) * torch.sigmoid(theta)
        loss = loss_of(outbreak.cases(r, derive(seed, "fit", call)), goal)
        adam.zero_grad()
        loss.backward()
        adam.step()
        fall.step()
        losses.append(float(loss.detach()))
        if call >= calls - max(1, calls // 3):
            kept.append(r.detach())
    return Fitted(torch.stack(kept).mean(0).tolist(), losses)


def search(outbreak: Outbreak, observed: np.ndarray[Any, Any], calls: int, seed: int) -> Fitted:
    """Weekly R by random search: the best of `calls` draws, uniform in `RANGE`."""
    import torch

    rng = generator(seed, "search")
    goal = torch.as_tensor(observed, dtype=torch.float32)
    best, losses = [], []
    with torch.no_grad():
        for call in range(calls):
            r = torch.as_tensor(rng.uniform(*RANGE, len(observed)), dtype=torch.float32)
            losses.append(float(loss_of(outbreak.cases(r, derive(seed, "fit", call)), goal)))
            if losses[-1] == min(losses):
                best = r.tolist()
    return Fitted(best, losses)
