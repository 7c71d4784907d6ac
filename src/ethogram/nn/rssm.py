"""The recurrent state-space model: a world with a hidden state, learned from what is seen and done.

Hafner et al. 2019 (PlaNet, arXiv 1811.04551, section 3); its use to infer actions: Zhang et al. 2023 (AIME, NeurIPS,
section 4). With h_t the deterministic and s_t the stochastic part of the state,

    h_t = f(h_{t-1}, s_{t-1}, a_{t-1}),  prior p(s_t | h_t),  posterior q(s_t | h_t, o_t),  decoder p(o_t | h_t, s_t),

and log p(o_1..T | a_1..T-1) >= sum over t of E_q[log p(o_t | h_t, s_t)] - KL(q(s_t | h_t, o_t) || p(s_t | h_t)).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ethogram.nn.networks import MLP

__all__ = ["RSSM", "Evidence", "Filtered", "Gaussian", "Imagined", "State"]


class Gaussian(NamedTuple):
    """Independent Gaussians."""

    mean: Tensor
    std: Tensor

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of each number apart."""
        return -0.5 * ((value - self.mean) / self.std).square() - self.std.log() - 0.5 * math.log(2 * math.pi)

    def kl(self, other: Gaussian) -> Tensor:
        """KL(self || other) of each number apart, in nats."""
        ratio = (self.std / other.std).square()
        return 0.5 * (ratio + ((self.mean - other.mean) / other.std).square() - 1 - ratio.log())


class State(NamedTuple):
    """The state at one step: h, shape (B, H), and s, shape (B, S)."""

    hidden: Tensor
    sample: Tensor

    @property
    def features(self) -> Tensor:
        """Both side by side, shape (B, H + S): what policies and heads read."""
        return torch.cat([self.hidden, self.sample], -1)


Act = Callable[[State], Tensor]
"""A policy: the actions, shape (B, A), in states. Gradients flow through what it draws by reparameterisation."""


class Filtered(NamedTuple):
    """The states of a sequence, inferred from what was seen; all of shape (B, T, ...)."""

    states: State
    prior: Gaussian
    posterior: Gaussian
    actions: Tensor
    """What was done after each but the last: shape (B, T - 1, A)."""


class Imagined(NamedTuple):
    """States that nobody has seen; all of shape (B, T, ...)."""

    states: State
    actions: Tensor
    """The action that led to each."""


class Evidence(NamedTuple):
    """The two parts of the evidence lower bound, each of shape (B, T)."""

    log_likelihood: Tensor
    kl: Tensor

    @property
    def bound(self) -> Tensor:
        """Their difference, summed over time: at most log p(o | a) in expectation, shape (B,)."""
        return (self.log_likelihood - self.kl).sum(-1)


class RSSM(nn.Module):
    """A recurrent state-space model of vectors.

    Args:
        observation: O, numbers seen, of about unit scale.
        action: A, numbers of an action.
        hidden: H, units of the gated recurrent unit.
        stochastic: S, numbers of the stochastic part of the state.
        units: of the hidden layers of all heads.
        least: the smallest standard deviation of s_t and o_t.
        spread: the standard deviation of every number of o_t; None: told by the model, each in its turn. A model that tells
            it gives up, early in its training, what it cannot predict yet, as each error counts by what is expected of it.
    """

    def __init__(
        self,
        observation: int,
        action: int,
        hidden: int = 256,
        stochastic: int = 32,
        units: int = 128,
        least: float = 0.01,
        spread: float | None = None,
    ) -> None:
        super().__init__()
        self.hidden, self.stochastic, self.least, self.spread = hidden, stochastic, least, spread
        self.embeds = MLP(observation, units, (units,), "elu")
        self.enters = nn.Linear(stochastic + action, hidden)
        self.recurs = nn.GRUCell(hidden, hidden)
        self.expects = MLP(hidden, 2 * stochastic, (units,), "elu")
        self.infers = MLP(hidden + units, 2 * stochastic, (units,), "elu")
        told = observation if spread else 2 * observation
        self.tells = MLP(hidden + stochastic, told, (units, units), "elu")
        self.action = action

    # --- the four densities ---

    def initial(self, batch: int) -> State:
        """The state before anything was seen: zeros."""
        like = self.enters.weight
        return State(like.new_zeros(batch, self.hidden), like.new_zeros(batch, self.stochastic))

    def advance(self, state: State, action: Tensor) -> Tensor:
        """f: the next h, shape (B, H)."""
        return self.recurs(F.elu(self.enters(torch.cat([state.sample, action], -1))), state.hidden)

    def prior(self, hidden: Tensor) -> Gaussian:
        """p(s_t | h_t), of shape (..., S)."""
        return self._gaussian(self.expects(hidden))

    def embed(self, observations: Tensor) -> Tensor:
        """What of an observation goes into the posterior, shape (..., E): computed for a whole sequence at once."""
        return self.embeds(observations)

    def posterior(self, hidden: Tensor, embedded: Tensor) -> Gaussian:
        """q(s_t | h_t, o_t), of shape (..., S)."""
        return self._gaussian(self.infers(torch.cat([hidden, embedded], -1)))

    def decode(self, features: Tensor) -> Gaussian:
        """p(o_t | h_t, s_t), of shape (..., O)."""
        told = self.tells(features)
        return Gaussian(told, torch.full_like(told, self.spread)) if self.spread else self._gaussian(told)

    def _gaussian(self, numbers: Tensor) -> Gaussian:
        mean, raw = numbers.chunk(2, -1)
        return Gaussian(mean, F.softplus(raw + 0.54) + self.least)  # 0.54: a standard deviation of 1 where raw is 0

    # --- sequences ---

    def filter(
        self, observations: Tensor, actions: Tensor | Act, generator: torch.Generator, start: State | None = None
    ) -> Filtered:
        """Infer the states of sequences from what was seen and done.

        Args:
            observations: shape (B, T, O).
            actions: what was done after each observation but the last, shape (B, T - 1, A), or a policy: then they are drawn
                from it in the inferred states, one after the other, and gradients flow through them.
            generator: of the stochastic states.
            start: the state *before* the first observation, after which nothing is done; None: the initial one.
        """
        batch, length, _ = observations.shape
        embedded = self.embed(observations).unbind(1)  # not indexed at each step: the gradient of that fills a whole array
        noise = torch.randn((length, batch, self.stochastic), generator=generator)
        state = start or self.initial(batch)
        action = observations.new_zeros(batch, self.action)
        hiddens, samples, means, stds, done = [], [], [], [], []
        for t in range(length):
            hidden = self.advance(state, action)
            posterior = self.posterior(hidden, embedded[t])
            state = State(hidden, posterior.mean + posterior.std * noise[t])
            for values, value in (
                (hiddens, hidden),
                (samples, state.sample),
                (means, posterior.mean),
                (stds, posterior.std),
            ):
                values.append(value)
            if t < length - 1:
                action = actions(state) if callable(actions) else actions[:, t]
                done.append(action)
        hidden = torch.stack(hiddens, 1)
        acted = torch.stack(done, 1) if done else observations.new_zeros(batch, 0, self.action)
        posterior = Gaussian(torch.stack(means, 1), torch.stack(stds, 1))
        return Filtered(State(hidden, torch.stack(samples, 1)), self.prior(hidden), posterior, acted)

    def imagine(self, state: State, actions: Tensor | Act, steps: int, generator: torch.Generator) -> Imagined:
        """Go on from a state for some steps without seeing anything.

        Args:
            state: where from, of shape (B, ...).
            actions: shape (B, steps, A), or a policy.
            steps: how many.
            generator: of the stochastic states.
        """
        hiddens, samples, done = [], [], []
        for t in range(steps):
            action = actions(state) if callable(actions) else actions[:, t]
            state = self.dream(state, action, torch.randn(state.sample.shape, generator=generator))
            for values, value in ((hiddens, state.hidden), (samples, state.sample), (done, action)):
                values.append(value)
        return Imagined(State(torch.stack(hiddens, 1), torch.stack(samples, 1)), torch.stack(done, 1))

    def dream(self, state: State, action: Tensor, noise: Tensor) -> State:
        """One unseen step; `noise` is standard normal, shape (B, S)."""
        hidden = self.advance(state, action)
        prior = self.prior(hidden)
        return State(hidden, prior.mean + prior.std * noise)

    def elbo(self, observations: Tensor, filtered: Filtered, weigh: bool = False) -> Evidence:
        """The evidence lower bound of sequences, by one draw of the states.

        Args:
            observations: shape (B, T, O).
            filtered: their states.
            weigh: multiply the log density of each number by its standard deviation, which is not differentiated: numbers
                that are predicted badly are then not given up (Seitzer et al. 2022, arXiv 2203.09168, beta = 0.5). What
                comes out is no longer a bound.
        """
        told = self.decode(filtered.states.features)
        each = told.log_prob(observations)
        if weigh:
            each = each * told.std.detach()
        return Evidence(each.sum(-1), filtered.posterior.kl(filtered.prior).sum(-1))
