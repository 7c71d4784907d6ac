"""Models written in torch whose draws have derivatives, and their calibration through the simulator.

def simulate(rates, noise):                                  # SIR on a network, a day a step
    for _ in range(days):
        hazard = rates["beta"] * ties.sum(infected)
        new = bernoulli_st(susceptible * (1 - torch.exp(-hazard)), torch.rand(n, generator=noise))
        ...
    return torch.stack(daily)

rates = Bounded({"beta": Uniform(0, 1)})
fit_through(rates, simulate, observed, Training(steps=200, lr=0.05))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.experiments.problems import LogUniform, Uniform
from ethogram.nn.training import History, Training, train

if TYPE_CHECKING:
    from ethogram.populations import Network

__all__ = ["Bounded", "BoundedNetwork", "Ties", "bernoulli_st", "bernoulli_stochastic", "categorical_st", "fit_through"]

Bounds = Mapping[str, "Uniform | LogUniform"]
Simulate = Callable[[dict[str, Tensor], torch.Generator], Tensor]
"""From parameters by name and the source of its luck to the series, shape (points,) or (points, series)."""


class _StraightThroughBernoulli(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, u: Tensor) -> Tensor:
        return (u < p).to(p.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


class _StochasticBernoulli(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, u: Tensor) -> Tensor:
        drawn = (u < p).to(p.dtype)
        ctx.save_for_backward(p, drawn)
        return drawn

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        p, drawn = ctx.saved_tensors
        weight = 0.5 / torch.where(drawn > 0, p, 1 - p).clamp_min(torch.finfo(p.dtype).eps)
        certain = (p <= 0) | (p >= 1)
        return grads[0] * torch.where(certain, 1.0, weight), None


class _StraightThroughCategorical(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, u: Tensor) -> Tensor:
        below = p.cumsum(-1) <= u.unsqueeze(-1) * p.sum(-1, keepdim=True)
        drawn = below.sum(-1).clamp_max(p.shape[-1] - 1)
        return nn.functional.one_hot(drawn, p.shape[-1]).to(p.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def bernoulli_st(p: Tensor, u: Tensor) -> Tensor:
    """Draws that are 1 where `u < p`, with the straight-through derivative (Bengio et al. 2013): that of p itself.

    Right on average for what is linear in each draw; biased for what is not.

    Args:
        p: probabilities.
        u: uniform numbers of the same shape; the same ones give arms and steps of a fit the same luck.
    """
    return _apply(_StraightThroughBernoulli, p, u)


def bernoulli_stochastic(p: Tensor, u: Tensor) -> Tensor:
    """The same draws with a smoothed stochastic derivative (Arya et al., NeurIPS 2022): 1/2p for a 1, 1/2(1-p) for a 0.

    The mean of the derivatives to the left and right, which weigh what a draw that flips would change by how likely it is to
    flip. It is right on average where what follows is linear or quadratic in each draw; its variance grows where p is near 0
    or 1.
    """
    return _apply(_StochasticBernoulli, p, u)


def categorical_st(p: Tensor, u: Tensor) -> Tensor:
    """One-hot draws of shape (..., k) from probabilities of that shape, with the straight-through derivative.

    Args:
        p: probabilities, shape (..., k), or weights of any sum.
        u: uniform numbers, shape (...).
    """
    return _apply(_StraightThroughCategorical, p, u)


class _TieSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, there: _Half, back: _Half) -> Tensor:
        ctx.back = back
        return there.sum(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.back.sum(grads[0].contiguous()), None, None


def _apply(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    made: Any = function.apply(*inputs)
    return made


class _Half:
    """A network read in one direction, as torch tensors."""

    def __init__(self, indptr: Any, indices: Any, weights: Any) -> None:
        self.offsets = torch.as_tensor(indptr, dtype=torch.int64)
        self.indices = torch.as_tensor(indices, dtype=torch.int64)
        self.weights = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)

    def sum(self, values: Tensor) -> Tensor:
        gathered = values[self.indices]
        if self.weights is not None:
            weights = self.weights.to(values.dtype)
            gathered = gathered * weights.reshape(-1, *[1] * (values.ndim - 1))
        return torch.segment_reduce(gathered, "sum", offsets=self.offsets, initial=0.0)


class Ties:
    """A network's neighbour sums, with derivatives.

    The backward pass is a neighbour sum too, over the ties read the other way: nothing is kept of a tie from step to step.

    Args:
        network: the network; where it is directed, a row sums over the targets of its edges.
    """

    def __init__(self, network: Network) -> None:
        copies = (np.array(network.indptr), np.array(network.indices))
        weights = None if network.weights is None else np.array(network.weights)
        self._there = self._back = _Half(*copies, weights)
        if network.directed:
            order = np.argsort(network.indices, kind="stable")
            indptr = np.concatenate([[0], np.cumsum(np.bincount(network.indices, minlength=len(network)))])
            self._back = _Half(indptr, network.rows()[order], None if weights is None else weights[order])

    def sum(self, values: Tensor) -> Tensor:
        """Of each row, the sum over its ties of weight times value; shape (n,) or (n, columns), as `values`."""
        return _apply(_TieSum, values, self._there, self._back)


class Bounded(nn.Module):
    """Constant parameters within bounds, to be fitted; they begin in the middle.

    Args:
        bounds: by parameter.
    """

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self.bounds = dict(bounds)
        self.raw = nn.Parameter(torch.zeros(len(self.bounds)))

    def forward(self) -> dict[str, Tensor]:
        """Each parameter, shape ()."""
        return {name: within(prior, self.raw[i]) for i, (name, prior) in enumerate(self.bounds.items())}


class BoundedNetwork(nn.Module):
    """Parameters that change over time, as a recurrent network makes them of covariates, as in AgentTorch.

    Args:
        bounds: by parameter.
        covariates: what is known at each point of time, shape (points, covariates); standardised here.
        hidden: width of the network.
    """

    def __init__(self, bounds: Bounds, covariates: Any, hidden: int = 16) -> None:
        super().__init__()
        self.bounds = dict(bounds)
        known = numbers_of(covariates)
        if known.ndim != 2 or len(known) < 2:
            raise DataError(f"covariates must have the shape (points, covariates), not {tuple(known.shape)}")
        self.register_buffer("covariates", (known - known.mean(0)) / known.std(0).clamp_min(1e-6))
        self.recurrent = nn.GRU(known.shape[1], hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(self.bounds))

    def forward(self) -> dict[str, Tensor]:
        """Each parameter, shape (points,)."""
        states, _ = self.recurrent(self.get_buffer("covariates")[None])
        raw = self.head(states[0])
        return {name: within(prior, raw[:, i]) for i, (name, prior) in enumerate(self.bounds.items())}


def numbers_of(data: Any) -> Tensor:
    """Whatever is an array, as a float32 tensor of its own."""
    return torch.tensor(data.detach().numpy() if isinstance(data, Tensor) else np.asarray(data, float), dtype=torch.float32)


def within(prior: Uniform | LogUniform, raw: Tensor) -> Tensor:
    """A number without bounds brought within those of a prior, by the logistic function."""
    share = torch.sigmoid(raw)
    if isinstance(prior, LogUniform):
        return torch.exp(np.log(prior.low) + np.log(prior.high / prior.low) * share)
    return prior.low + (prior.high - prior.low) * share


def fit_through(
    parameters: nn.Module,
    simulate: Simulate,
    observed: Any,
    training: Training | Mapping[str, Any] | None = None,
    *,
    replicates: int = 1,
    to: Path | None = None,
    progress: bool | None = None,
) -> History:
    """Fit parameters, or a network that gives them, by descending the gradient of the simulator.

    The loss is the squared distance of the series from what is observed, over the variance of what is observed. Each update
    has luck of its own, which derives from the training's seed.

    Args:
        parameters: `Bounded`, `BoundedNetwork`, or any module that gives parameters by name; trained in place.
        simulate: the model.
        observed: the series, shape (points,) or (points, series).
        training: how; a number of steps and a learning rate are what it takes.
        replicates: simulations an update, whose mean is held beside what is observed.
        to: a folder in which the training is kept, so that it can be gone on with.
        progress: show progress; None: where the terminal can.

    Raises:
        ConfigError: a simulation has another shape than what is observed.
        DataError: the loss is not finite.
    """
    goal = numbers_of(observed)
    scale = goal.var(0, correction=0).clamp_min(1e-12)

    def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        rates = parameters()
        series = torch.stack([simulate(rates, noise) for _ in range(replicates)]).mean(0)
        if series.shape != goal.shape:
            raise ConfigError(
                f"the simulation has the shape {tuple(series.shape)}, and what is observed {tuple(goal.shape)}"
            )
        return ((series - goal).square() / scale).mean()

    return train(parameters, loss, lambda rng: {"observed": goal.numpy()}, training, to=to, progress=progress)
