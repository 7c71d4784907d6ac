"""The probabilistic ensemble: a linear system whose noise is known, and the contract of worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from ethogram.nn.training import Training
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.worlds.learned import load
from ethogram.worlds.learned.ensemble import Ensemble
from ethogram.worlds.testing import check_world

SEEN, ACTED = Box(-np.inf, np.inf, (2,), np.float64), Box(-1, 1, (1,), np.float32)


@pytest.fixture(scope="module")
def fitted() -> Ensemble:
    """Fitted to `x' = 0.9 x + a`, with noise of 0.1 on the first coordinate only; it is over where x_0 > 1.3."""
    rng, episodes = np.random.default_rng(0), []
    for i in range(150):
        seen, actions, x = [rng.normal(size=2)], [], None
        while len(actions) < 20 and (x is None or x[0] <= 1.3):
            action = rng.uniform(-1, 1, 1).astype(np.float32)
            x = 0.9 * seen[-1] + action + rng.normal(0, [0.1, 0.0])
            actions.append(action)
            seen.append(x)
        rewards = np.array([s.sum() for s in seen[1:]])
        times = np.arange(float(len(actions)))
        episodes.append(Trajectory("a", i, np.array(seen), np.array(actions), rewards, times, bool(x[0] > 1.3), {}))
    world = Ensemble(SEEN, ACTED, {"members": 3, "hidden": (64, 64), "starts": 32, "steps": 40})
    return world.fit(Trajectories.of(episodes, SEEN, ACTED), Training(steps=800, batch=128, lr=2e-3, schedule="cosine"))


@torch.no_grad()
def test_the_likelihood_by_hand():
    world = Ensemble(SEEN, ACTED, {"members": 3, "hidden": (4,)})
    for parameter in world.module.parameters():
        parameter.zero_()  # each member then tells 0, a log variance that the bounds make of 0, and an end in one of two
    change = torch.tensor([[[1.0, -2.0, 0.5]]]).expand(3, 7, 3)
    batch = {"seen": torch.zeros(3, 7, 2), "actions": torch.zeros(3, 7, 1), "change": change, "ended": torch.zeros(3, 7)}
    spread = 1 - math.log1p(math.e)  # softly below 1; the bound of -10 is far away
    each = 0.5 * ((1 + 4 + 0.25) / 3 * math.exp(-spread) + spread) + math.log(2)
    assert world._loss(batch, torch.Generator()).item() == pytest.approx(3 * each, rel=1e-4)


@torch.inference_mode()
def test_it_has_learnt_what_comes_next_and_how_sure_that_is(fitted):
    n, rng = 2000, np.random.default_rng(1)
    dream = {"seen": torch.tensor([[0.5, -0.5]]).expand(n, -1)}
    moment = fitted.advance(dream, torch.full((n, 1), 0.4), rng)
    after = moment.dream["seen"].numpy()
    assert after.mean(0) == pytest.approx([0.85, -0.05], abs=0.04)
    assert after[:, 0].std() == pytest.approx(0.1, rel=0.35)
    assert after[:, 1].std() < 0.05
    assert moment.rewards.numpy().mean() == pytest.approx(0.8, abs=0.08)
    near = fitted.advance({"seen": torch.tensor([[-0.5, 0.0]]).expand(n, -1)}, torch.full((n, 1), -0.2), rng)
    assert near.ended.float().mean() < 0.05
    far = fitted.advance({"seen": torch.tensor([[0.9, 0.0]]).expand(n, -1)}, torch.full((n, 1), 0.9), rng)
    assert far.ended.float().mean() > 0.5
    calm = fitted.variant(noisy=False).advance(dream, torch.full((n, 1), 0.4), rng).dream["seen"]
    assert len(torch.unique(calm.round(decimals=4), dim=0)) == 3  # the means of three members, up to rounding by threads


def test_it_is_a_world_and_comes_back_from_disk(fitted, tmp_path):
    fitted.save(tmp_path / "dream")
    check_world(lambda: load(tmp_path / "dream"), steps=60, fresh_process=False)
    check_world(lambda: load(tmp_path / "dream", copies=3), steps=60, fresh_process=False)
