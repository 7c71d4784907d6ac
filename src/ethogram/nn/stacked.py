"""Many small networks of one shape as one batched network: all seeds of an experiment are trained at once.

Parameters carry a leading axis of copies, products are `torch.bmm` over it, and nothing is ever summed across it; so a copy
learns what it would learn alone, up to the rounding of a differently blocked matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ethogram.nn.networks import Activation, activation
from ethogram.seeds import generator

__all__ = ["StackedAdam", "StackedMLP", "Streams"]


class StackedMLP(nn.Module):
    """One multi-layer perceptron for each seed: (S, B, sizes[0]) to (S, B, sizes[-1]).

    Args:
        sizes: width of the input, of each hidden layer and of the output.
        seeds: one for each copy; the initial weights of a copy depend on its own seed alone.
        name: of the stream of random numbers the weights come from, so that two networks of one seed differ.
        between: the activation between layers.
    """

    def __init__(self, sizes: Sequence[int], seeds: Sequence[int], name: str = "mlp", between: Activation = "elu") -> None:
        super().__init__()
        self.activation = activation(between)
        rngs = [generator(seed, "weights", name) for seed in seeds]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(sizes):
            drawn = np.stack([rng.standard_normal((inputs, outputs), np.float32) for rng in rngs])
            self.weights.append(nn.Parameter(torch.from_numpy(drawn / np.float32(math.sqrt(inputs)))))
            self.biases.append(nn.Parameter(torch.zeros(len(rngs), 1, outputs)))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of each copy for its own inputs."""
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if i < last:
                x = self.activation(x)
        return x


class StackedAdam:
    """AdamW (Loshchilov & Hutter 2019) on stacked parameters, with a step size for each copy if wanted.

    Args:
        module: all of its parameters have the leading axis of copies. They become views into one flat array (S, P).
        lr: one step size, or one for each copy.
        betas: decay of the first and second moment.
        eps: added to the root of the second moment.
        weight_decay: decoupled, times the step size.
    """

    def __init__(
        self,
        module: nn.Module,
        lr: float | Sequence[float],
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-5,
        weight_decay: float = 1e-6,
    ) -> None:
        self.parameters = list(module.parameters())
        copies = self.parameters[0].shape[0]
        self.flat = torch.cat([p.detach().reshape(copies, -1) for p in self.parameters], 1)
        at = 0
        for p in self.parameters:
            width = p[0].numel()
            p.data = self.flat[:, at : at + width].view(p.shape)
            at += width
        self.lr = torch.as_tensor(lr, dtype=torch.float32).expand(copies).reshape(copies, 1)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.steps = 0
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self._gradient, self._change = torch.empty_like(self.flat), torch.empty_like(self.flat)  # room that is used again

    def step(self, losses: Tensor) -> None:
        """One step down the gradient of each copy's own loss, shape (S,)."""
        gradients = torch.autograd.grad(losses.sum(), self.parameters)
        self.steps += 1
        one, two = self.betas
        with torch.no_grad():
            gradient, change = self._gradient, self._change
            torch.cat([g.reshape(len(g), -1) for g in gradients], 1, out=gradient)
            self.first.lerp_(gradient, 1 - one)
            self.second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
            torch.div(self.second, 1 - two**self.steps, out=change).sqrt_().add_(self.eps)
            torch.div(self.first, change, out=change).div_(1 - one**self.steps)
            self.flat.sub_(change.add_(self.flat, alpha=self.weight_decay).mul_(self.lr))


class Streams:
    """A stream of random numbers for each copy: what one draws never shifts what another does.

    Args:
        seeds: one for each copy.
        *names: of the streams, as in `ethogram.seeds.derive`.
    """

    def __init__(self, seeds: Sequence[int], *names: str) -> None:
        self.rngs = [generator(seed, *names) for seed in seeds]

    def random(self, *shape: int) -> np.ndarray:
        """Uniform numbers in [0, 1), shape (S, *shape), float32."""
        out = np.empty((len(self.rngs), *shape), np.float32)
        for rng, row in zip(self.rngs, out, strict=True):
            rng.random(out=row, dtype=np.float32)
        return out
