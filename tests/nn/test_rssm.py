"""The RSSM on linear-Gaussian systems, whose evidence is known exactly."""

import math

import numpy as np
import pytest
import torch

from ethogram.nn.rssm import RSSM, Gaussian, State
from ethogram.nn.training import Training, train

DRIFT, PUSH, NOISE, BLUR = 0.9, 0.5, 0.6, 0.4
"""s_t = DRIFT s_{t-1} + PUSH a_{t-1} + NOISE e;  o_t = s_t + BLUR e'."""


class Exact(RSSM):
    """The system itself, with the posterior of s_t that is exact given s_{t-1}, a_{t-1} and o_t."""

    def __init__(self, drift):
        super().__init__(1, 1, hidden=1, stochastic=1, units=1)
        self.drift = drift

    def advance(self, state, action):
        return self.drift * state.sample + PUSH * action

    def prior(self, hidden):
        return Gaussian(hidden, torch.full_like(hidden, NOISE))

    def embed(self, observations):
        return observations

    def posterior(self, hidden, embedded):
        gain = NOISE**2 / (NOISE**2 + BLUR**2)
        return Gaussian(hidden + gain * (embedded - hidden), torch.full_like(hidden, math.sqrt(gain) * BLUR))

    def decode(self, features):
        return Gaussian(features[..., 1:], torch.full_like(features[..., 1:], BLUR))


def sequences(rng, batch, length, drift=DRIFT):
    """Observations (B, T, 1) and actions (B, T - 1, 1)."""
    actions = rng.normal(size=(batch, length - 1))
    state, seen = np.zeros(batch), []
    for t in range(length):
        push = PUSH * actions[:, t - 1] if t else 0.0
        state = drift * state + push + NOISE * rng.normal(size=batch)
        seen.append(state + BLUR * rng.normal(size=batch))
    return np.stack(seen, 1)[..., None].astype(np.float32), actions[..., None].astype(np.float32)


def normal(x, mean, variance):
    return -0.5 * (x - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)


def kalman(observations, actions, drift=DRIFT):
    """log p(o | a) of each sequence."""
    mean = variance = total = np.zeros(len(observations))
    for t in range(observations.shape[1]):
        push = PUSH * actions[:, t - 1, 0] if t else 0.0
        mean, variance = drift * mean + push, drift**2 * variance + NOISE**2
        seen = observations[:, t, 0]
        total = total + normal(seen, mean, variance + BLUR**2)
        gain = variance / (variance + BLUR**2)
        mean, variance = mean + gain * (seen - mean), (1 - gain) * variance
    return total


def filtering_bound(observations, actions):
    """The bound of the filtering posterior in closed form: the sum of E_q[log p(o_t | s_{t-1})]."""
    gain, surprise = NOISE**2 / (NOISE**2 + BLUR**2), NOISE**2 + BLUR**2
    mean = variance = total = np.zeros(len(observations))
    for t in range(observations.shape[1]):
        ahead = DRIFT * mean + (PUSH * actions[:, t - 1, 0] if t else 0.0)
        seen = observations[:, t, 0]
        total = total + normal(seen, ahead, surprise) - DRIFT**2 * variance / (2 * surprise)
        mean = ahead + gain * (seen - ahead)
        variance = (1 - gain) ** 2 * DRIFT**2 * variance + gain * BLUR**2
    return total


def bounds(model, observations, actions, draws=200_000, seed=0):
    """Mean and standard error of the bound over draws, for each sequence."""
    noise = torch.Generator().manual_seed(seed)
    found = []
    for seen, done in zip(observations, actions, strict=True):
        many = torch.from_numpy(seen).expand(draws, -1, -1)
        states = model.filter(many, torch.from_numpy(done).expand(draws, -1, -1), noise)
        bound = model.elbo(many, states).bound.double()
        found.append((bound.mean().item(), bound.std().item() / math.sqrt(draws)))
    return np.array(found).T


def test_the_bound_is_the_evidence_where_the_posterior_is_exact():
    seen, done = sequences(np.random.default_rng(0), 4, 6, drift=0.0)
    mean, error = bounds(Exact(0.0), seen, done)
    assert np.abs(mean - kalman(seen, done, drift=0.0)).max() < 4 * error.max() < 0.03


def test_the_bound_is_what_filtering_can_give_and_below_the_evidence():
    seen, done = sequences(np.random.default_rng(1), 4, 6)
    mean, error = bounds(Exact(DRIFT), seen, done)
    assert np.abs(mean - filtering_bound(seen, done)).max() < 4 * error.max() < 0.03
    assert (mean + 4 * error < kalman(seen, done)).all()


@pytest.mark.parametrize("spread", [None, BLUR], ids=["told", "given"])
def test_a_trained_model_comes_close_to_the_evidence_from_below(spread):
    torch.manual_seed(0)
    model = RSSM(1, 1, hidden=24, stochastic=2, units=24, spread=spread)

    def draw(rng):
        seen, done = sequences(rng, 64, 6)
        return {"observations": seen, "actions": done}

    def loss(batch, noise):
        states = model.filter(batch["observations"], batch["actions"], noise)
        return -model.elbo(batch["observations"], states).bound.mean()

    train(model, loss, draw, Training(steps=450, lr=5e-3, schedule="cosine", clip=10.0))
    seen, done = sequences(np.random.default_rng(5), 2000, 6)
    with torch.no_grad():
        states = model.filter(torch.from_numpy(seen), torch.from_numpy(done), torch.Generator().manual_seed(1))
        bound = model.elbo(torch.from_numpy(seen), states).bound.double().numpy()
    gap = kalman(seen, done) - bound
    error = gap.std() / math.sqrt(len(gap))
    assert -4 * error < gap.mean() < 0.5  # nats for six observations; a model that ignores actions is 1.5 away
    fixed = normal(seen[..., 0], seen[..., 0].mean(0), seen[..., 0].var(0)).sum(-1)  # the best that is blind to the past
    assert (kalman(seen, done) - fixed).mean() > 1.5


def test_weighing_takes_the_spread_out_of_the_gradient_of_the_mean():
    """With beta = 1/2 the gradients of the log density are times s: (x - m) / s for m, ((x - m)² / s² - 1) for s."""
    model = Exact(DRIFT)
    seen, done = (torch.from_numpy(x) for x in sequences(np.random.default_rng(3), 5, 4))
    states = model.filter(seen, done, torch.Generator().manual_seed(0))
    mean, std = torch.full((5, 4, 1), 0.3, requires_grad=True), torch.full((5, 4, 1), 2.5, requires_grad=True)
    model.decode = lambda features: Gaussian(mean, std)
    plain, weighed = (model.elbo(seen, states, weigh).log_likelihood for weigh in (False, True))
    torch.testing.assert_close(weighed, 2.5 * plain)
    slopes = torch.autograd.grad(weighed.sum(), (mean, std))
    torch.testing.assert_close(slopes[0], (seen - 0.3) / 2.5)
    torch.testing.assert_close(slopes[1], ((seen - 0.3) / 2.5) ** 2 - 1)


def test_gradients_flow_through_sampled_actions_and_not_into_a_frozen_model():
    """Maximising the evidence over actions finds those that were really done (Zhang et al. 2023, section 4.2)."""
    model = Exact(DRIFT).requires_grad_(False)
    truth = torch.tensor([1.5, -2.0, 0.5, 2.0, -1.0])
    state, seen = torch.zeros(()), []
    for t in range(6):  # a demonstration without noise
        state = DRIFT * state + (PUSH * truth[t - 1] if t else 0.0)
        seen.append(state)
    observations = torch.stack(seen)[None, :, None].expand(256, -1, -1)
    guess = torch.zeros(5, requires_grad=True)
    optimizer = torch.optim.Adam([guess], 0.1)
    noise = torch.Generator().manual_seed(0)
    for _ in range(150):
        optimizer.zero_grad()
        steps = iter(guess)
        states = model.filter(observations, lambda _, a=steps: next(a) + 0.05 * torch.randn(256, 1, generator=noise), noise)
        assert states.actions.shape == (256, 5, 1)
        (-model.elbo(observations, states).bound.mean()).backward()
        optimizer.step()
    assert (guess - truth).abs().max() < 0.35
    assert all(parameter.grad is None for parameter in model.parameters())


def test_imagination_follows_the_system_and_shapes_are_as_said():
    model = Exact(DRIFT)
    start = State(torch.zeros(50_000, 1), torch.full((50_000, 1), 2.0))
    found = model.imagine(start, torch.ones(50_000, 3, 1), 3, torch.Generator().manual_seed(0))
    mean, variance = 2.0, 0.0
    for t in range(3):
        mean, variance = DRIFT * mean + PUSH, DRIFT**2 * variance + NOISE**2
        assert found.states.sample[:, t].mean().item() == pytest.approx(mean, abs=0.02)
        assert found.states.sample[:, t].var().item() == pytest.approx(variance, rel=0.03)
    whole = RSSM(3, 2, hidden=8, stochastic=4, units=8)
    states = whole.filter(torch.randn(5, 7, 3), torch.randn(5, 6, 2), torch.Generator())
    evidence = whole.elbo(torch.randn(5, 7, 3), states)
    assert states.states.features.shape == (5, 7, 12) and evidence.kl.shape == (5, 7) and evidence.bound.shape == (5,)
    going = whole.imagine(State(*(x[:, -1] for x in states.states)), lambda s: s.features[:, :2], 4, torch.Generator())
    assert going.actions.shape == (5, 4, 2) and whole.decode(going.states.features).mean.shape == (5, 4, 3)
