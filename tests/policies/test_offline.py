"""Offline reinforcement learning: on a problem whose best policy is known, and its parts against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from ethogram.errors import ConfigError, DataError
from ethogram.nn.training import Training
from ethogram.policies.learned import load
from ethogram.policies.learned.iql import IQL, expectile
from ethogram.policies.learned.td3bc import TD3BC
from ethogram.records.trajectories import Trajectories, Trajectory

SEEN, ACTED = Box(-10, 10, (1,), np.float32), Box(-2, 2, (1,), np.float32)
TINY = {"hidden": (32, 32), "gamma": 0.5, "polyak": 0.05}


@pytest.fixture(scope="module")
def wandering() -> Trajectories:
    """A point pushed at random, `s' = s + a / 2`, with reward `-s'^2`: the best push is `-2 s`, as far as it goes."""
    rng = np.random.default_rng(0)
    episodes = []
    for i in range(100):
        actions = rng.uniform(-2, 2, (20, 1)).astype(np.float32)
        seen = rng.uniform(-1, 1) + np.concatenate([[[0]], np.cumsum(actions / 2, 0)]).astype(np.float32)
        rewards = -(seen[1:, 0].astype(np.float64) ** 2)
        episodes.append(Trajectory("agent", i, seen, actions, rewards, np.arange(20.0), False, {}))
    return Trajectories.of(episodes, SEEN, ACTED)


def chosen(policy: TD3BC | IQL, *places: float) -> np.ndarray:
    policy.reset(0, [str(p) for p in places])
    spaces = dict.fromkeys(map(str, places), ACTED)
    actions = policy.act({str(p): np.array([p], np.float32) for p in places}, spaces)
    return np.array([actions[str(p)][0] for p in places])


def test_td3bc_finds_what_is_better_than_the_data(wandering, tmp_path):
    training = Training(steps=1000, batch=128, lr=2e-3)
    policy = TD3BC(SEEN, ACTED, {**TINY, "alpha": 10.0}).fit(wandering, training)
    assert np.allclose(chosen(policy, -0.6, 0.0, 0.6), [1.2, 0, -1.2], atol=0.35)
    with torch.no_grad():
        decided = policy.decide(torch.tensor([[0.6]]))
    assert chosen(policy, 0.6) == pytest.approx(2 * decided[0].numpy())  # in [-1, 1] inside, in the space outside
    policy.save(tmp_path / "kept")
    assert np.array_equal(chosen(load(tmp_path / "kept"), 0.3), chosen(policy, 0.3))


def test_weights_and_bounds_that_do_not_fit_are_refused(wandering):
    n = len(wandering.steps().rewards)
    for weights in (np.ones(n + 1), np.full(n, np.nan), np.zeros(n), -np.ones(n)):
        with pytest.raises(DataError, match=f"there are {n} transitions"):
            TD3BC(SEEN, ACTED, TINY).fit(wandering, {"steps": 1}, weights=weights)
    with pytest.raises(ConfigError, match="needs room between the bounds"):
        IQL(SEEN, Box(np.array([-1, 0], np.float32), np.array([1, 0], np.float32)), TINY)
    for hidden in ((), (0,), (-3,)):
        with pytest.raises(ConfigError, match="setting hidden"):
            IQL(SEEN, ACTED, {"hidden": hidden})


def test_with_alpha_zero_it_is_cloning_and_weights_choose_what_is_cloned(wandering):
    pushed = wandering.steps().actions[:, 0] > 0
    training = Training(steps=250, batch=128, lr=3e-3)
    policy = TD3BC(SEEN, ACTED, {**TINY, "alpha": 0.0}).fit(wandering, training, weights=pushed.astype(float))
    assert np.allclose(chosen(policy, -1.0, 0.0, 1.0), 1.0, atol=0.25)  # the mean of U(0, 2)


def test_iql_prefers_the_better_of_what_was_done(wandering):
    training = Training(steps=500, batch=128, lr=3e-3)
    greedy = chosen(IQL(SEEN, ACTED, TINY).fit(wandering, training), -0.8, 0.8)
    cloned = chosen(IQL(SEEN, ACTED, {**TINY, "beta": 0.0}).fit(wandering, training), -0.8, 0.8)
    assert greedy[0] > 0.6
    assert greedy[1] < -0.6
    assert np.abs(cloned).max() < 0.4


def test_the_expectile_is_where_its_loss_is_least():
    sample, tau = torch.tensor([0.0, 0.0, 0.0, 1.0]), 0.8
    at = torch.linspace(0, 1, 1001)
    found = at[expectile(sample[:, None] - at, tau).sum(0).argmin()]
    assert found == pytest.approx(0.8 * 1 / (0.8 * 1 + 0.2 * 3), abs=1e-3)


def test_spaces_it_cannot_work_in():
    for acted in (Discrete(3), Box(-np.inf, np.inf, (2,)), Box(0, np.inf, (2,))):
        with pytest.raises(ConfigError, match="bounded Box"):
            TD3BC(SEEN, acted)
    with pytest.raises(ConfigError, match="takes one action"):
        TD3BC(SEEN, ACTED, {"horizon": 2})


@pytest.mark.parametrize("continues", [0.0, 1.0])
def test_what_ends_is_worth_its_reward_alone_and_what_goes_on_more(continues):
    seen, after, actions, rewards = torch.randn(4, 5, 1, generator=torch.Generator().manual_seed(3)).unbind()
    actions, rewards = actions.tanh(), rewards[:, 0]
    batch = {
        "seen": seen,
        "next_seen": after,
        "actions": actions,
        "rewards": rewards,
        "continues": torch.full((5,), continues),
    }
    careful = TD3BC(SEEN, ACTED, {**TINY, "noise": 0.0, "delay": 1000}, seed=1)
    net = careful.net
    worth = net.slow_critics(torch.cat([after, net.slow_actor(after).tanh()], -1).expand(2, -1, -1))[..., 0].min(0).values
    critics = net.critics(torch.cat([seen, actions], -1).expand(2, -1, -1))[..., 0]
    squared = (critics - (rewards + 0.5 * continues * worth)).square().mean(1).sum()
    assert careful.error(batch, torch.Generator()).item() == pytest.approx(squared.item(), rel=1e-5)
    implicit = IQL(SEEN, ACTED, {**TINY, "expectile": 0.5, "beta": 0.0}, seed=1)
    net = implicit.net
    wanted, value = rewards + 0.5 * continues * net.value(after)[:, 0], net.value(seen)[:, 0]
    critics = net.critics(torch.cat([seen, actions], -1).expand(2, -1, -1))[..., 0]
    parts = [0.5 * (critics.min(0).values - value).square().mean(), (critics - wanted).square().mean(1).sum()]
    parts.append(0.5 * (actions - net.actor(seen).tanh()).square().mean())  # cloning, with a deviation of 1
    assert implicit.error(batch, torch.Generator()).item() == pytest.approx(sum(parts).item(), rel=1e-5)
