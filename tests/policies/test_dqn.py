"""DQN: its target and its exploration by hand, values against value iteration, and what a learned policy must keep."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from ethogram.errors import ConfigError
from ethogram.nn.training import Training
from ethogram.policies.learned import load
from ethogram.policies.learned.dqn import DQN, DQNConfig, QLearner, Transitions, boltzmann, errors
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.worlds.coded.random_mdp import RandomMDP

SMALL = {"hidden": (32, 32), "gamma": 0.8, "sync_every": 20}


def constant(learner: QLearner, values: list[float]) -> None:
    """Make a learner's network give these values whatever it sees."""
    with torch.no_grad():
        for parameter in learner.network.parameters():
            parameter.zero_()
        learner.network.biases[-1].copy_(torch.tensor(values).expand(1, 1, -1))


def test_the_error_by_hand() -> None:
    learner = QLearner(1, 2, [0], DQNConfig(hidden=(4,)))
    constant(learner, [1.0, 3.0])
    learner.target.load_state_dict(learner.network.state_dict())
    rows = torch.zeros(1, 2, 1)
    batch = Transitions(
        rows,
        torch.tensor([[0, 1]]),
        torch.tensor([[2.0, -1.0]]),
        rows,
        torch.tensor([[0.5, 0.0]]),
        torch.tensor([[1.0, 0.25]]),
    )
    # wanted 2 + 0.9 * 0.5 * 3 = 3.35 for the first, whose value is 1; -1 for the second, whose value is 3
    assert errors(learner.network, learner.target, batch, 0.9).item() == pytest.approx((2.35**2 + 0.25 * 16) / 2, rel=1e-6)


def test_the_target_follows_only_now_and_then() -> None:
    learner = QLearner(1, 2, [0], DQNConfig(hidden=(4,), sync_every=3), lr=0.1)
    rows, ones = torch.ones(1, 4, 1), torch.ones(1, 4)
    batch = Transitions(rows, torch.zeros(1, 4, dtype=torch.int64), ones, rows, ones, ones)
    targets = []
    for _ in range(5):
        learner.update(batch)
        targets.append(learner.target(rows)[0, 0, 0].item())
    assert targets[0] == targets[1] == targets[2] != targets[3] == targets[4]


def test_exploration_draws_from_the_softmax() -> None:
    values = torch.tensor([0.0, 0.2, 0.4]).expand(60000, 3)
    luck = torch.rand(60000, 3, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(boltzmann(values, 0.2, luck), minlength=3) / 60000
    wanted = torch.softmax(torch.tensor([0.0, 1.0, 2.0]), 0)
    assert shares.numpy() == pytest.approx(wanted.numpy(), abs=0.008)
    assert boltzmann(torch.zeros(1, 3), 1.0, torch.zeros(1, 3)).item() in (0, 1, 2)  # luck of exactly 0 is no accident


@pytest.fixture(scope="module")
def wandering() -> tuple[RandomMDP, Trajectories]:
    """Random actions in a small MDP without luck."""
    world, rng = RandomMDP(5, 2, layout=3, spontaneous=False, steps=60), np.random.default_rng(0)
    episodes = []
    for i in range(20):
        seen, rewards = [world.reset(seed=i)[0]["agent"]], []
        actions = rng.integers(2, size=60)
        for action in actions:
            observed, reward, *_ = world.step({"agent": action})
            seen.append(observed["agent"])
            rewards.append(reward["agent"])
        episodes.append(
            Trajectory("agent", i, np.stack(seen), actions, np.array(rewards), np.arange(60.0), False, world.outcome())
        )
    return world, Trajectories.of(episodes, world.observation_space("agent"), world.action_space("agent"))


def test_fitted_values_are_those_of_value_iteration(wandering: tuple[RandomMDP, Trajectories]) -> None:
    _, data = wandering
    steps, states, values = data.steps(), np.eye(5, dtype=bool), np.zeros((5, 2))
    counts = np.zeros((5, 2, 5))  # of the data, as what follows state 0 is random
    np.add.at(counts, (steps.observations.argmax(1), steps.actions, steps.next_observations.argmax(1)), 1)
    for _ in range(200):
        values = (np.arange(5) == 0)[:, None] + 0.8 * (counts / counts.sum(2, keepdims=True)) @ values.max(1)
    policy = DQN(data.observation_space, data.action_space, SMALL)
    policy.fit(data, Training(steps=2500, batch=128, lr=3e-3, schedule="cosine"), progress=False)
    with torch.no_grad():
        found = policy.net.q(torch.from_numpy(states).float()[None])[0].numpy()
    assert found == pytest.approx(values, abs=0.05)
    policy.reset(0, ["a"])
    for state, row in zip(states, values, strict=True):
        assert policy.act({"a": state.astype(np.int8)}, {"a": data.action_space})["a"] == row.argmax()


def test_a_fit_goes_on_from_its_checkpoint(wandering: tuple[RandomMDP, Trajectories], tmp_path: Path) -> None:
    _, data = wandering
    spaces = data.observation_space, data.action_space
    whole = DQN(*spaces, SMALL, seed=1).fit(data, Training(steps=60, batch=8), to=tmp_path / "x", progress=False)
    again = DQN(*spaces, SMALL, seed=1).fit(data, Training(steps=60, batch=8), to=tmp_path / "x", progress=False)
    plain = DQN(*spaces, SMALL, seed=1).fit(data, Training(steps=60, batch=8), progress=False)
    for one in (again, plain):
        for a, b in zip(whole.net.state_dict().values(), one.net.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_a_copy_of_a_learner_is_a_policy_that_can_be_kept(tmp_path: Path) -> None:
    space, actions = Box(0, 1, (3,), np.float32), Discrete(4)
    learner = QLearner(3, 4, [7, 8], DQNConfig(hidden=(16,), temperature=0.5))
    policy = DQN.of(learner, 1, space, actions)
    policy.save(tmp_path / "q")
    kept = load(tmp_path / "q")
    seen = {f"a{i}": np.random.default_rng(i).random(3, np.float32) for i in range(30)}
    answers = []
    for one in (policy, kept):
        one.reset(5, list(seen))
        answers.append(one.act(seen, dict.fromkeys(seen, actions)))
    assert answers[0] == answers[1]
    assert len(set(answers[0].values())) > 1  # it draws
    cold = DQN.of(QLearner(3, 4, [7, 8], DQNConfig(hidden=(16,))), 1, space, actions)
    cold.reset(0, ["a0"])
    best = learner.values(torch.from_numpy(seen["a0"]).expand(2, 1, 3))[1, 0].argmax()
    assert cold.act({"a0": seen["a0"]}, {"a0": actions})["a0"] == best


def test_what_dqn_cannot_do_is_said() -> None:
    box = Box(0, 1, (3,), np.float32)
    for space, config in ((box, {}), (Discrete(3), {"history": 2}), (Discrete(3), {"temperature": -1})):
        with pytest.raises(ConfigError):
            DQN(box, space, config)
