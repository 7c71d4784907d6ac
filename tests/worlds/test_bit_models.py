"""Learned models of bits: likelihoods by hand, dynamics recovered, and worlds that keep the contract."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from ethogram.errors import ConfigError, DataError
from ethogram.nn.training import Training
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.worlds import learned
from ethogram.worlds.coded._bits import BitWorld
from ethogram.worlds.coded.pan_flute import PanFlute
from ethogram.worlds.coded.proc_maze import ProcMaze
from ethogram.worlds.learned.bernoulli_model import BernoulliModel, BernoulliNetwork
from ethogram.worlds.learned.categorical_model import CategoricalModel, CategoricalNetwork
from ethogram.worlds.testing import check_world


def lived(world: BitWorld, episodes: int) -> Trajectories:
    """Episodes of random actions."""
    rng, found, space = np.random.default_rng(0), [], world.action_space("agent")
    for i in range(episodes):
        seen, actions, rewards, ended = [world.reset(seed=i)[0]["agent"]], [], [], False
        while world.agents:
            actions.append(int(rng.integers(space.n)))  # type: ignore[attr-defined]
            observed, reward, terminated, *_ = world.step({"agent": actions[-1]})
            seen.append(observed["agent"])
            rewards.append(reward["agent"])
            ended = terminated["agent"]
        columns = np.stack(seen), np.array(actions), np.array(rewards), np.arange(float(len(rewards)))
        found.append(Trajectory("agent", i, *columns, ended, world.outcome()))
    return Trajectories.of(found, world.observation_space("agent"), space)


@pytest.fixture(scope="module")
def fitted() -> BernoulliModel:
    """The simple model of a flute of two pipes without luck."""
    data = lived(PanFlute(2, spontaneous=False), 5)
    model = BernoulliModel(data.observation_space, data.action_space, {"hidden": (32,), "steps": 40})
    return model.fit(data, Training(steps=700, batch=32, lr=1e-2), progress=False)


def test_likelihoods_by_hand() -> None:
    net = BernoulliNetwork(2, 2, (3,), [0])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.network.biases[-1].copy_(torch.tensor([[[0.0, math.log(3)]]]))
        net.outcome.biases[-1].copy_(torch.tensor([[[0.5, math.log(4)]]]))
    bits, going = torch.zeros(1, 2, 2), torch.tensor([[1.0, 0.0]])
    following = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    loss = net.losses(bits, torch.zeros(1, 2, dtype=torch.int64), torch.tensor([[1.0, 0.0]]), following, going, bits)
    first = math.log(2) + math.log(4 / 3) + 0.125 + math.log(5 / 4)
    assert loss.item() == pytest.approx((first + 0.125 + math.log(5)) / 2, rel=1e-5)  # after the end nothing is foretold


def test_bits_are_drawn_with_the_sigmoid_of_the_logit() -> None:
    net = BernoulliNetwork(1, 1, (2,), [0])
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.network.biases[-1].fill_(0.3)  # a probability of 0.574, not 0.3
    luck = torch.rand(1, 40000, 1, generator=torch.Generator().manual_seed(0))
    bits, *_ = net.imagine(torch.zeros(1, 40000, 1), torch.zeros(1, 40000, dtype=torch.int64), luck)
    assert bits.mean().item() == pytest.approx(1 / (1 + math.exp(-0.3)), abs=0.01)


def test_codes_are_drawn_and_their_divergence_counted_as_said() -> None:
    net = CategoricalNetwork(1, 1, (2,), [0], variables=1, classes=2)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.encoder.biases[-1].copy_(torch.tensor([[[math.log(3), 0.0]]]))  # 3/4, 1/4; foretold: 1/2, 1/2
    zeros = torch.zeros(1, 40000, 1)
    luck = torch.rand(1, 40000, 1, generator=torch.Generator().manual_seed(0))
    assert net.features(zeros, luck).mean((0, 1)).tolist() == pytest.approx([0.75, 0.25], abs=0.01)
    assert net.features(zeros[:, :1])[0, 0].tolist() == [1, 0]
    whole, still = zeros[:, :1, 0] + 1, torch.zeros(1, 1, dtype=torch.int64)
    loss = net.losses(zeros[:, :1], still, whole - 1, zeros[:, :1], whole, luck[:, :1])
    apart = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert loss.item() == pytest.approx(2 * math.log(2) + apart, rel=1e-5)
    loss.sum().backward()
    towards = net.dynamics.biases[-1].grad
    assert towards is not None
    assert towards[0, 0, :2].tolist() == pytest.approx([0.8 * (0.5 - 0.75), 0.8 * (0.5 - 0.25)], abs=1e-6)


def test_the_simple_model_recovers_the_dynamics(fitted: BernoulliModel) -> None:
    world, rng = PanFlute(2, spontaneous=False), np.random.default_rng(1)
    bits, actions = rng.random((60, 3)) < 0.5, rng.integers(2, size=60)
    bits[:, 1] = ~bits[:, 0]  # as the last note went into one of the pipes
    moved = world.transition(bits, actions, np.ones((60, 1)))
    moment = fitted.advance({"states": torch.from_numpy(bits).float()}, torch.eye(2)[actions], rng)
    assert (fitted.show(moment.dream) == moved.bits).mean() > 0.98
    assert moment.rewards.numpy() == pytest.approx(moved.rewards, abs=0.1)
    assert not moment.ended.any()


def test_codes_hold_what_was_seen() -> None:
    data = lived(ProcMaze(2), 40)
    model = CategoricalModel(
        data.observation_space, data.action_space, {"hidden": (48,), "variables": 8, "classes": 4, "steps": 30}
    ).fit(data, Training(steps=500, batch=32, lr=5e-3), progress=False)
    steps = data.steps()
    with torch.inference_mode():
        states = model.module["model"].features(torch.from_numpy(steps.observations).float()[None])  # type: ignore[index,operator]
        rebuilt = model.show({"states": states[0]})
        actions = torch.eye(5)[steps.actions]
        moment = model.advance({"states": states[0]}, actions, np.random.default_rng(0))
        following = model.show(moment.dream)
    assert (rebuilt == steps.observations).mean() > 0.97
    on = ~steps.terminated
    assert (following == steps.next_observations)[on].mean() > 0.93
    assert moment.ended.numpy().astype(bool)[steps.terminated].mean() > 0.7 > moment.ended.numpy()[on].mean() + 0.6


@pytest.mark.parametrize("kind", [BernoulliModel, CategoricalModel])
def test_a_fitted_model_is_a_world_and_can_be_kept(kind: type, tmp_path: Path) -> None:
    data = lived(PanFlute(2), 2)
    config = {"hidden": (8,), "steps": 30} | ({"variables": 3, "classes": 3} if kind is CategoricalModel else {})
    model = kind(data.observation_space, data.action_space, config).fit(data, Training(steps=20, batch=8), progress=False)
    model.save(tmp_path / "dream")
    check_world(partial(learned.load, tmp_path / "dream"), steps=40, fresh_process=False)
    seen = [world.reset(seed=1)[0] for world in (model, learned.load(tmp_path / "dream"))]
    assert np.array_equal(seen[0]["dreamer"], seen[1]["dreamer"])


def test_an_architecture_of_the_same_shapes_is_another_architecture(tmp_path: Path) -> None:
    model = CategoricalModel(config={"hidden": (8,), "variables": 4, "classes": 2})
    model.save(tmp_path)
    for changed in ({"activation": "relu"}, {"variables": 2, "classes": 4}):
        name = min(changed)
        for make in (model.variant, partial(learned.load, tmp_path)):
            with pytest.raises(DataError, match=f"another architecture: its {name} is "):
                make(**changed)
    assert learned.load(tmp_path, steps=3, activation="elu").config.steps == 3
    with pytest.raises(ConfigError, match=r"hidden\.0 of BitModel is wrong"):
        BernoulliModel(config={"hidden": (0,)})


def test_other_spaces_are_refused() -> None:
    world = PanFlute(2)
    with pytest.raises(ConfigError):
        BernoulliModel(world.action_space("agent"), world.observation_space("agent"))
