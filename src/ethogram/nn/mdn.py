"""The mixture-density LSTM: what is seen next, as a mixture of Gaussians for each of its numbers.

Ha & Schmidhuber 2018, "Recurrent World Models Facilitate Policy Evolution" (arXiv 1809.01999, section 2.2 and appendix A.2);
the mixture density network is Bishop's (1994). Dropout of what goes into the LSTM and of what it hands on to itself is
that of Gal & Ghahramani 2016 (arXiv 1512.05287): one mask for a whole sequence. A dream that keeps it on is that of Wellmer
& Kwok 2021 (Dropout's Dream Land, section 3).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ethogram.nn.networks import Mixture

__all__ = ["MDNLSTM", "Masks", "Memory", "Prediction"]

LOG_STD = (-7.0, 3.0)
"""Bounds of the logarithm of a component's standard deviation."""


class Memory(NamedTuple):
    """What the LSTM keeps, each of shape (B, H)."""

    hidden: Tensor
    cell: Tensor


class Masks(NamedTuple):
    """What dropout leaves: factors 0 or 1 / (1 - rate)."""

    latent: Tensor
    """For what is seen, shape (B, D). Actions are never masked: an agent always knows what it does."""
    hidden: Tensor
    """For what the LSTM hands on to itself, shape (B, H)."""

    @classmethod
    def of(cls, uniform: Tensor, latent: int, rate: float) -> Masks:
        """Masks out of uniform numbers of shape (B, D + H), D = `latent`."""
        keep = (uniform >= rate).to(uniform.dtype) / (1 - rate)
        return cls(keep[:, :latent], keep[:, latent:])


class Prediction(NamedTuple):
    """What comes after a step."""

    latent: Mixture
    """Of each of the D numbers seen next, independent of each other: logits (..., D, K), means (..., D, K, 1)."""
    reward: Tensor
    """Expected, shape (...)."""
    ended: Tensor
    """Logit of the probability that the episode ends with this step, shape (...)."""

    def log_likelihood(self, latent: Tensor) -> Tensor:
        """Log density of what was seen next, shape (..., D): the sum over its numbers, shape (...)."""
        return self.latent.log_likelihood(latent.unsqueeze(-1)).sum(-1)

    def sample(self, uniform: Tensor, normal: Tensor, temperature: float = 1.0) -> Tensor:
        """Draw what is seen next, (..., D), out of one uniform and one standard normal number for each.

        Temperature divides the logits and multiplies the variances (Ha & Schmidhuber, appendix A.2): below 1 the draws are
        more alike, at 0 they are the mean of the likeliest component.
        """
        if temperature == 0:
            return self.latent.mode().squeeze(-1)
        mixture = self.latent._replace(logits=self.latent.logits / temperature)
        return mixture.sample(uniform, normal.unsqueeze(-1), math.sqrt(temperature)).squeeze(-1)


class MDNLSTM(nn.Module):
    """An LSTM that reads what is seen and done, and predicts what is seen next, the reward and the end.

    Args:
        latent: D, how many numbers are seen.
        action: A, how many numbers an action has.
        hidden: H, units of the LSTM.
        mixtures: K, Gaussians for each number.
    """

    def __init__(self, latent: int, action: int, hidden: int = 256, mixtures: int = 5) -> None:
        super().__init__()
        self.latent, self.hidden, self.mixtures = latent, hidden, mixtures
        self.reads = nn.Linear(latent + action, 4 * hidden)
        self.recurs = nn.Linear(hidden, 4 * hidden, bias=False)
        self.tells = nn.Linear(hidden, 3 * latent * mixtures + 2)
        with torch.no_grad():
            self.reads.bias[hidden : 2 * hidden] = 1.0  # the forget gate begins open (Jozefowicz et al. 2015)

    def begin(self, batch: int) -> Memory:
        """The memory at the beginning of an episode: nothing."""
        zeros = self.reads.weight.new_zeros(batch, self.hidden)
        return Memory(zeros, zeros)

    def forward(
        self, latents: Tensor, actions: Tensor, memory: Memory | None = None, masks: Masks | None = None
    ) -> tuple[Prediction, Memory]:
        """Predict what comes after each of T steps.

        Args:
            latents: what was seen before each step, shape (B, T, D).
            actions: what was done in it, shape (B, T, A).
            memory: from before the first step; None: the beginning of an episode.
            masks: of dropout, the same in all T steps; None: no dropout.

        Returns:
            The prediction, its parts of shape (B, T, ...), and the memory after the last step.
        """
        hidden, cell = memory or self.begin(latents.shape[0])
        seen = latents if masks is None else latents * masks.latent.unsqueeze(1)
        read = self.reads(torch.cat([seen, actions], -1))
        outputs = []
        for t in range(latents.shape[1]):
            before = hidden if masks is None else hidden * masks.hidden
            take, keep, new, tell = (read[:, t] + self.recurs(before)).chunk(4, -1)
            cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(new)
            hidden = torch.sigmoid(tell) * torch.tanh(cell)
            outputs.append(hidden)
        return self.predict(torch.stack(outputs, 1)), Memory(hidden, cell)

    def step(self, latent: Tensor, action: Tensor, memory: Memory, masks: Masks | None = None) -> Memory:
        """The memory after one step in which `latent` (B, D) was seen and `action` (B, A) done."""
        return self.forward(latent.unsqueeze(1), action.unsqueeze(1), memory, masks)[1]

    def predict(self, hidden: Tensor) -> Prediction:
        """The prediction that follows from the LSTM's output, shape (..., H)."""
        told = self.tells(hidden)
        parts = told[..., :-2].unflatten(-1, (3, self.latent, self.mixtures))
        logits, means, log_stds = parts.unbind(-3)
        mixture = Mixture(logits, means.unsqueeze(-1), log_stds.clamp(*LOG_STD).exp().unsqueeze(-1))
        return Prediction(mixture, told[..., -2], told[..., -1])
