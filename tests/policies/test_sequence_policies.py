"""BESO, the diffusion policy, BeT and ACT on data whose right answer is known."""

from typing import Any

import gymnasium.spaces as gs
import numpy as np
import pytest
import torch

from ethogram.errors import ConfigError
from ethogram.nn.diffusion import Sampling
from ethogram.nn.training import Training
from ethogram.policies.learned import find, load
from ethogram.records.trajectories import Trajectories, Trajectory

SEEN, ACTED = gs.Box(-1, 1, (1,)), gs.Box(-1, 1, (2,))
GOALS = gs.Dict(observation=SEEN, achieved_goal=gs.Box(-1, 1, (1,)), desired_goal=gs.Box(-1, 1, (1,)))
SMALL: dict[str, dict[str, Any]] = {
    "beso": {
        "history": 2,
        "denoiser": "gpt",
        "width": 32,
        "layers": 2,
        "sigma_data": 1.0,
        "density": {"sigma_min": 0.01, "sigma_max": 5.0, "location": -0.7, "scale": 0.7},
        "sampling": {"steps": 8, "sigma_min": 0.05, "sigma_max": 5.0},
    },
    "ddpm": {"history": 2, "denoiser": "mlp", "width": 64, "layers": 2},
    "bet": {"history": 2, "bins": 8, "width": 32, "layers": 1},
    "act": {"history": 2, "horizon": 2, "width": 32, "layers": 1, "encoder_layers": 1, "kl": 0.02},
}
torch.set_num_threads(1)
TRAINING = Training(steps=250, batch=64, lr=3e-3, schedule="cosine", ema=0.98)


def forks(episodes: int = 40, steps: int = 6) -> Trajectories:
    """Each step goes left or right, (-0.8, 0.3) or (0.8, 0.3), at random: the mean action is one that nobody did."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(episodes):
        actions = np.stack([0.8 * rng.choice([-1, 1], steps), np.full(steps, 0.3)], 1) + 0.02 * rng.standard_normal(
            (steps, 2)
        )
        seen = rng.uniform(-1, 1, (steps + 1, 1))
        found.append(Trajectory("a", i, np.float32(seen), np.float32(actions), np.zeros(steps), np.arange(steps), True))
    return Trajectories.of(found, SEEN, ACTED)


def act(policy: Any, seed: int = 0, agents: int = 300) -> np.ndarray:
    names = [f"a@{i}" for i in range(agents)]
    policy.reset(seed, names)
    seen = np.linspace(-1, 1, agents, dtype=np.float32)[:, None]
    actions = policy.act({a: seen[i] for i, a in enumerate(names)}, dict.fromkeys(names, ACTED))
    return np.stack([actions[a] for a in names])


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    return {name: find(name)(SEEN, ACTED, config).fit(forks(), TRAINING) for name, config in SMALL.items()}


@pytest.mark.parametrize("name", list(SMALL))
def test_both_modes_are_kept_and_none_made_up(fitted: dict[str, Any], name: str) -> None:
    actions = act(fitted[name])
    right = (actions[:, 0] > 0).mean()
    assert 0.3 < right < 0.7
    near = (np.abs(np.abs(actions[:, 0]) - 0.8) < 0.2).mean()
    assert near > (0.6 if name == "act" else 0.8)  # a VAE with a normal prior leaves something between the modes
    assert np.abs(actions[:, 1] - 0.3).max() < 0.25


def test_one_bin_is_the_unimodal_policy() -> None:
    policy = find("bet")(SEEN, ACTED, {**SMALL["bet"], "bins": 1}).fit(forks(), TRAINING)
    assert np.abs(act(policy)[:, 0]).mean() < 0.3


@pytest.mark.parametrize("name", list(SMALL))
def test_saved_loaded_and_neighbours(fitted: dict[str, Any], name: str, tmp_path: Any) -> None:
    policy = fitted[name]
    policy.save(tmp_path)
    again = load(tmp_path)
    np.testing.assert_array_equal(act(again, 3), act(policy, 3))
    assert (act(policy, 4) != act(policy, 3)).any()
    # an agent alone does as it does among others (sums of floats may be taken in another order)
    policy.reset(3, ["a@7"])
    alone = policy.act({"a@7": np.linspace(-1, 1, 300, dtype=np.float32)[7:8]}, {"a@7": ACTED})["a@7"]
    np.testing.assert_allclose(alone, act(policy, 3)[7], atol=1e-3)


def test_done_actions_are_context_and_never_noised() -> None:
    config = {**SMALL["beso"], "history": 3}
    policy = find("beso")(SEEN, ACTED, config)
    asked: list[tuple[torch.Tensor, torch.Tensor]] = []
    network = policy.net.network
    inner = network.network.forward
    network.network.forward = lambda x, level, seen, done, goals: (
        asked.append((x, done.clone())) or inner(x, level, seen, done, goals)
    )
    data = forks(4)
    policy.fit(data, Training(steps=1, batch=8))
    x, done = asked[-1]
    assert x.shape == (8, 1, 2) and done.shape == (8, 2, 2)
    did = policy._scalers["actions"](torch.from_numpy(np.concatenate([t.actions for t in data])))
    clean = torch.cat([did, torch.zeros(1, 2)])
    assert (torch.cdist(done.reshape(-1, 2), clean).min(1).values < 1e-6).all()
    assert (torch.cdist(x.reshape(-1, 2), clean).min(1).values > 1e-4).any()
    # acting: nothing done, then what was done, in order, also after the state was put back
    policy.reset(0, ["a"])
    did = []
    for step in range(4):
        asked.clear()
        did.append(policy.act({"a": np.float32([0.1 * step])}, {"a": ACTED})["a"])
        context = asked[0][1][0]
        expected = [np.zeros(2)] * 2 + [policy._scalers["actions"](torch.from_numpy(a)).numpy() for a in did[:-1]]
        np.testing.assert_allclose(context, expected[-2:], atol=1e-6)
        state = policy.state_dict()
        policy.reset(9, [])
        policy.load_state_dict(state)


def reaching() -> Trajectories:
    """Left or right at random; the state achieved after a step is where it went."""
    rng = np.random.default_rng(1)
    found = []
    for i in range(200):
        side = rng.choice([-1.0, 1.0])
        states = np.float32([[0.0], [side]])
        seen = {"observation": states * 0, "achieved_goal": states, "desired_goal": states * 0}
        actions = np.float32([[0.7 * side, 0.0]]) + 0.02 * rng.standard_normal((1, 2)).astype(np.float32)
        found.append(Trajectory("a", i, seen, actions, np.zeros(1), np.zeros(1), True))
    return Trajectories.of(found, GOALS, ACTED)


def reached(policy: Any, agents: int = 200) -> float:
    """The share of agents that go where they are asked to, half of them left and half right."""
    names = [f"a@{i}" for i in range(agents)]
    goals = np.float32(np.where(np.arange(agents) % 2, 1, -1))[:, None]
    zero = np.zeros(1, np.float32)
    policy.reset(0, names)
    seen = {a: {"observation": zero, "achieved_goal": zero, "desired_goal": goals[i]} for i, a in enumerate(names)}
    actions = policy.act(seen, dict.fromkeys(names, ACTED))
    return float(np.mean([np.sign(actions[a][0]) == goals[i, 0] for i, a in enumerate(names)]))


def test_bet_goes_where_it_is_told() -> None:
    policies = [find("bet")(GOALS, ACTED, {**SMALL["bet"], "history": 1, "goal": goal}) for goal in (True, False)]
    told, untold = (reached(policy.fit(reaching(), TRAINING)) for policy in policies)
    assert told > 0.97 and 0.35 < untold < 0.65


def test_goals_and_guidance() -> None:
    config = {"history": 1, "denoiser": "mlp", "width": 64, "layers": 2, "goal": True, "context": False, "drop": 0.3}
    policy = find("beso")(GOALS, ACTED, config).fit(reaching(), Training(steps=250, batch=64, lr=3e-3, ema=0.98))
    share = {}
    for guidance in (0.0, 1.0, 1.5):
        policy.config = policy.config.model_copy(update={"guidance": guidance, "sampling": Sampling(steps=3)})
        share[guidance] = reached(policy)
    assert 0.35 < share[0.0] < 0.65 and share[1.0] > 0.97 and share[1.5] > 0.97


def test_what_cannot_be_is_refused() -> None:
    for name in SMALL:
        with pytest.raises(ConfigError, match="continuous"):
            find(name)(SEEN, gs.Discrete(3))
    with pytest.raises(ConfigError, match="one action at a time"):
        find("bet")(SEEN, ACTED, {"horizon": 2})
