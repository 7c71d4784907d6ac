import os
import signal
import subprocess
import sys

import gymnasium
import gymnasium.spaces as gs
import learned_victim
import numpy as np
import pytest
import torch
from torch import nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn import training
from ethogram.nn.training import Training
from ethogram.policies.learned import find, load, names
from ethogram.policies.learned.base import Learned, LearnedConfig
from ethogram.policies.learned.bc import BC
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.simulation import rollouts, simulate
from ethogram.world import GymWorld

OBSERVATIONS = gs.Box(-9, 9, (3,), np.float32)
ACTIONS = gs.Box(np.array([-1, -2], np.float32), np.array([1, 0.5], np.float32))
GAIN = np.array([[0.3, 0.0, 0.1], [0.0, -0.2, 0.0]])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def episodes(act, observations=OBSERVATIONS, actions=ACTIONS, n=30, length=20, see=lambda x: x, seed=0):
    """Trajectories of which each step's numbers are drawn anew, with an action `act` of them."""
    rng, found = np.random.default_rng(seed), []
    for i in range(n):
        x = rng.normal(size=(length + 1, 3)).astype(np.float32)
        found.append(Trajectory("agent", i, see(x), act(x[:-1]), np.zeros(length), np.arange(length), False))
    return Trajectories.of(found, observations, actions)


def linear(x):
    return np.clip(x @ GAIN.T, ACTIONS.low, ACTIONS.high).astype(np.float32)


class Probe(Learned):
    """Predicts what it was given: the sum of the history, plus how far ahead the action lies, plus noise if asked for."""

    class Config(LearnedConfig):
        noise: float = 0.0

    def build(self):
        return nn.Linear(1, 1)

    def predict(self, observations, goals, generators):
        self.saw = observations
        ahead = torch.arange(self.config.horizon).reshape(1, -1, 1) / 100
        found = observations[..., :1].sum(1, keepdim=True) + ahead.expand(len(observations), -1, -1)
        return found + self.config.noise * generators.normal(self.config.horizon, 1) if self.config.noise else found


def probe(**config):
    space = gs.Box(-np.inf, np.inf, (1,), np.float32)
    return Probe(space, space, config)


def one(value):
    return np.array([value], np.float32)


# --- fitting, for every kind of action and core ---


@pytest.mark.parametrize(
    ("actions", "act", "config"),
    [
        (ACTIONS, linear, {}),
        (ACTIONS, linear, {"history": 3, "horizon": 2, "norm": True, "dropout": 0.01}),
        (ACTIONS, linear, {"history": 3, "core": "lstm", "head": "gmm", "hidden": (32,), "sample": True}),
        (gs.Discrete(3, start=4), lambda x: 4 + np.digitize(x[:, 0], [-0.4, 0.4]), {}),
        (gs.MultiDiscrete([2, 3]), lambda x: np.stack([x[:, 0] > 0, np.digitize(x[:, 1], [-1, 1])], 1), {"core": "gru"}),
    ],
)
def test_clones_what_it_is_shown_and_comes_back_from_disk(tmp_path, actions, act, config):
    data, test = (episodes(act, actions=actions, seed=seed) for seed in (0, 1))
    settings = Training(steps=300, batch=64, lr=5e-3, schedule="cosine", ema=0.9)
    policy = BC(OBSERVATIONS, actions, config, seed=3).fit(data, settings, validation=test)
    assert policy.history.validations[-1, 1] < policy.history.validations[0, 1]
    policy.save(tmp_path / "it")
    found = []
    for each in (policy, load(tmp_path / "it"), BC.load(tmp_path / "it", OBSERVATIONS, actions)):
        errors = []
        for t in test[:3]:
            each.reset(1, ["agent"])
            for seen, did in zip(t.observations[:-1], t.actions, strict=True):
                chosen = each.act({"agent": seen}, {})["agent"]
                assert actions.contains(chosen)
                errors.append(np.abs(chosen - did).mean())
        found.append(np.mean(errors))
    assert found[0] < 0.1 and found[1:] == found[:1] * 2


def test_actions_stay_in_their_box():
    policy = BC(OBSERVATIONS, ACTIONS).fit(episodes(linear), Training(steps=100, lr=5e-3))
    policy.reset(0, ["agent"])
    for sign in (-1, 1):
        chosen = policy.act({"agent": np.full(3, sign * 1e6, np.float32)}, {})["agent"]
        assert ACTIONS.contains(chosen) and chosen.dtype == np.float32


def test_draws_of_discrete_actions_have_the_frequencies_of_the_data():
    rng = np.random.default_rng(0)
    data = episodes(lambda x: rng.choice(3, len(x), p=[0.6, 0.3, 0.1]), actions=gs.Discrete(3), n=100)
    policy = BC(OBSERVATIONS, gs.Discrete(3), {"sample": True, "hidden": (8,)}).fit(data, Training(steps=300))
    crowd = [f"a{i}" for i in range(1000)]
    policy.reset(1, crowd)
    drawn = [policy.act(dict.fromkeys(crowd, np.zeros(3, np.float32)), {}).values() for _ in range(3)]
    shares = np.bincount(np.concatenate([list(d) for d in drawn]).astype(int), minlength=3) / 3000
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.06)


def test_weights_choose_what_is_cloned_and_a_fit_that_was_cut_short_goes_on(tmp_path, monkeypatch):
    data = episodes(lambda x: np.full((len(x), 2), -1, np.float32)) + episodes(
        lambda x: np.full((len(x), 2), 0.5, np.float32)
    )
    weights = np.repeat([0.0, 1.0], 600)
    settings = Training(steps=60, lr=1e-2)
    whole = BC(OBSERVATIONS, ACTIONS).fit(data, settings, weights=weights)
    whole.reset(0, ["agent"])
    np.testing.assert_allclose(whole.act({"agent": np.zeros(3, np.float32)}, {})["agent"], 0.5, atol=0.1)

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    cut, calls = BC(OBSERVATIONS, ACTIONS, seed=0), 0
    loss = cut.loss

    def interrupted(batch, generator):
        nonlocal calls
        calls += 1
        if calls > 40:
            raise KeyboardInterrupt
        return loss(batch, generator)

    monkeypatch.setattr(cut, "loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cut.fit(data, settings, weights=weights, to=tmp_path)
    resumed = BC(OBSERVATIONS, ACTIONS, seed=99).fit(data, settings, weights=weights, to=tmp_path)
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, resumed.module.state_dict()[name]), name


def test_goals_are_pursued_though_they_were_only_reached_by_chance():
    space = gs.Dict({name: gs.Box(-9, 9, (1,), np.float32) for name in ("observation", "achieved_goal", "desired_goal")})
    rng, found = np.random.default_rng(0), []
    for i in range(100):  # a walk with a drift of its own; the goal it was given is ignored
        did = np.clip(rng.choice([-1, 1]) + 0.3 * rng.normal(size=(10, 1)), -2, 2).astype(np.float32)
        place = np.concatenate([np.zeros((1, 1)), np.cumsum(did, 0)]).astype(np.float32)
        seen = {"observation": place, "achieved_goal": place, "desired_goal": rng.normal(size=(11, 1)).astype(np.float32)}
        found.append(Trajectory("agent", i, seen, did, np.zeros(10), np.arange(10), False))
    data = Trajectories.of(found, space, gs.Box(-2, 2, (1,), np.float32))
    settings = Training(steps=300, lr=5e-3)
    policy = BC(space, data.action_space, {"goal": True}).fit(data, settings)
    blind = BC(space, data.action_space).fit(data, settings)
    asked = BC(space, data.action_space, {"goal": True, "relabel": {"kind": "desired"}}).fit(data, settings)
    chosen = {}
    for name, each in (("policy", policy), ("blind", blind), ("asked", asked)):
        each.reset(0, ["l", "r"])
        seen = {
            a: {"observation": one(0), "achieved_goal": one(0), "desired_goal": one(g)} for a, g in (("l", -5), ("r", 5))
        }
        chosen[name] = [float(action[0]) for action in each.act(seen, {}).values()]
    assert chosen["policy"][0] < -0.5 < 0.5 < chosen["policy"][1]
    assert chosen["blind"][0] == pytest.approx(chosen["blind"][1], abs=1e-5)
    assert abs(chosen["asked"][0] - chosen["asked"][1]) < 0.9
    with pytest.raises(ConfigError, match="GoalEnv"):
        BC(OBSERVATIONS, ACTIONS, {"goal": True})


def test_images_beside_numbers():
    space = gs.Dict(camera=gs.Box(0, 255, (12, 12, 3), np.uint8), hand=gs.Box(-9, 9, (1,), np.float32))

    def see(x):
        image = np.zeros((len(x), 12, 12, 3), np.uint8)
        image[np.arange(len(x)), 5, np.clip(6 + 2 * x[:, 0], 0, 11).astype(int)] = 255
        return {"camera": image, "hand": x[:, 1:2]}

    def act(x):
        return np.clip(np.stack([(np.clip(6 + 2 * x[:, 0], 0, 11).astype(int) - 6) / 6, x[:, 1] / 8], 1), -1, 0.5).astype(
            np.float32
        )

    data, test = (episodes(act, space, see=see, seed=seed) for seed in (0, 1))
    policy = BC(space, ACTIONS, {"history": 2, "hidden": (32,)}).fit(data, Training(steps=300, batch=64, lr=5e-3))
    t = test[0]
    policy.reset(0, ["agent"])
    errors = []
    for i, did in enumerate(t.actions):
        seen = {name: array[i] for name, array in t.observations.items()}
        errors.append(np.abs(policy.act({"agent": seen}, {})["agent"] - did).mean())
    assert np.mean(errors) < 0.08


# --- acting: history, chunks, random numbers ---


def test_history_is_each_agents_own_and_begins_with_its_first_observation():
    policy = probe(history=3)
    policy.reset(0, ["a", "b"])
    found = [policy.act(seen, {}) for seen in ({"a": one(1), "b": one(10)}, {"b": one(20)}, {"a": one(2), "c": one(5)})]
    assert [{k: float(v[0]) for k, v in acted.items()} for acted in found] == [
        {"a": 3, "b": 30},
        {"b": 40},
        {"a": 4, "c": 15},
    ]
    policy.act({"b": one(1), "a": one(7)}, {})
    assert policy.saw[..., 0].tolist() == [[10, 20, 1], [1, 2, 7]]
    policy.reset(1, ["a"])
    assert policy.act({"a": one(4)}, {})["a"] == 12
    with pytest.raises(ConfigError, match="reset"):
        probe().act({"a": one(1)}, {})


def test_chunks_are_executed_in_part_and_overlapping_ones_averaged():
    policy = probe(horizon=4, execute=3)
    policy.reset(0, ["a", "b"])
    found = [policy.act({"a": one(t), **({"b": one(10 + t)} if t > 1 else {})}, {}) for t in range(7)]
    np.testing.assert_allclose([float(f["a"][0]) for f in found], [0, 0.01, 0.02, 3, 3.01, 3.02, 6], rtol=1e-6)
    np.testing.assert_allclose([float(f["b"][0]) for f in found[2:]], [12, 12.01, 12.02, 15, 15.01], rtol=1e-6)

    policy = probe(horizon=3, ensemble=0.5)
    policy.reset(0, ["a"])
    found = [float(policy.act({"a": one(t)}, {})["a"][0]) for t in range(4)]
    w = np.exp(-0.5 * np.arange(3))
    expected = [0, (0.01 * w[0] + 1 * w[1]) / w[:2].sum(), (0.02 * w[0] + 1.01 * w[1] + 2 * w[2]) / w.sum()]
    np.testing.assert_allclose(found[:3], expected, rtol=1e-5)
    np.testing.assert_allclose(found[3], (1.02 * w[0] + 2.01 * w[1] + 3 * w[2]) / w.sum(), rtol=1e-5)


def test_what_is_drawn_for_an_agent_does_not_depend_on_its_neighbours():
    policy = probe(noise=1.0)
    policy.reset(4, ["a", "b"])
    both = [policy.act({"a": one(0), "b": one(0)}, {}) for _ in range(3)]
    policy.reset(4, ["a", "b"])
    alone = [policy.act({"b": one(0)}, {}) for _ in range(3)]
    assert [x["b"] for x in both] == [x["b"] for x in alone]
    drawn = {float(v[0]) for x in both for v in x.values()}
    assert len(drawn) == 6
    policy.reset(5, ["b"])
    assert float(policy.act({"b": one(0)}, {})["b"][0]) not in drawn


# --- whole runs ---


def test_a_run_that_was_killed_goes_on_to_the_same_record(tmp_path):
    rng, found = np.random.default_rng(0), []
    for i in range(20):
        seen = rng.normal(size=(21, 2)).astype(np.float32)
        did = np.clip(-seen[:-1, :1] + 0.2 * rng.normal(size=(20, 1)), -1, 1).astype(np.float32)
        found.append(Trajectory("a", i, seen, did, np.zeros(20), np.arange(20), False))
    data = Trajectories.of(found, *learned_victim.SPACES)
    config = {"history": 3, "horizon": 4, "execute": 3, "head": "gmm", "sample": True, "deviation": 1.0, "hidden": (16,)}
    BC(*learned_victim.SPACES, config).fit(data, Training(steps=100)).save(tmp_path / "policy")
    whole = learned_victim.run(tmp_path / "policy", tmp_path / "whole").steps.collect()
    command = [sys.executable, learned_victim.__file__, str(tmp_path / "policy"), str(tmp_path / "killed"), "25"]
    process = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert process.returncode == -signal.SIGKILL
    assert learned_victim.run(tmp_path / "policy", tmp_path / "killed").steps.collect().equals(whole)
    assert whole["action"].n_unique() > 80


# --- errors ---


def test_wrong_settings_and_data():
    for config, message in (
        ({"head": "no"}, "setting head of BC is wrong"),
        ({"horizn": 3}, "BC has no setting 'horizn'; did you mean 'horizon'"),
        ({"horizon": 2, "execute": 3}, "cannot execute 3 actions of the 2"),
    ):
        with pytest.raises(ConfigError, match=message):
            BC(OBSERVATIONS, ACTIONS, config)
    with pytest.raises(ConfigError, match="averaged"):
        BC(OBSERVATIONS, gs.Discrete(2), {"horizon": 2, "ensemble": 0.1})
    with pytest.raises(DataError, match="actions of the trajectories are in"):
        BC(OBSERVATIONS, gs.Box(-1, 1, (2,))).fit(episodes(linear))
    with pytest.raises(DataError, match="hold no step"):
        BC(OBSERVATIONS, ACTIONS).fit(episodes(linear)[:0])


def test_names_and_folders(tmp_path):
    assert "bc" in names() and "base" not in names() and find("bc") is BC
    with pytest.raises(ConfigError, match="did you mean 'bc'"):
        find("bcc")
    policy = BC(OBSERVATIONS, ACTIONS)
    with pytest.raises(ConfigError, match="not fitted"):
        policy.save(tmp_path)
    policy.fit(episodes(linear), Training(steps=1)).save(tmp_path)
    with pytest.raises(DataError, match="holds a policy 'bc', not"):
        Probe.load(tmp_path)
    with pytest.raises(DataError, match="observation_space"):
        BC.load(tmp_path, gs.Box(-8, 9, (3,), np.float32))


def test_fitting_to_what_is_no_trajectories_is_refused_in_a_sentence():
    policy = BC(gs.Box(-1, 1, (3,)), gs.Box(-1, 1, (2,)), seed=0)
    with pytest.raises(DataError, match=r"give run\.trajectories\(\)"):
        policy.fit([1, 2])


def test_training_may_be_a_mapping_and_is_checked():
    policy = BC(OBSERVATIONS, ACTIONS).fit(episodes(linear), {"steps": 2})
    assert policy.history.losses.shape == (2,)
    for wrong, message in (
        ({"steps": -2}, "setting steps of Training is wrong: .* not -2"),
        ({"stpes": 2}, "did you mean 'steps'"),
        ([2], "settings are a Training or names with values, not a list"),
    ):
        with pytest.raises(ConfigError, match=message):
            policy.fit(episodes(linear), wrong)
    with pytest.raises(ConfigError, match="setting lr of Training is wrong"):
        Training(lr=0)


def test_a_number_that_is_none_is_told_with_its_place():
    data = list(episodes(linear))
    seen = data[2].observations.copy()
    seen[4, 1] = np.nan
    data[2] = data[2]._replace(observations=seen)
    with pytest.raises(DataError, match="observations of trajectory 2 hold nan at step 4, in number 1"):
        BC(OBSERVATIONS, ACTIONS).fit(Trajectories.of(data, OBSERVATIONS, ACTIONS))


@pytest.mark.parametrize(
    "observation, action, message",
    [
        (OBSERVATIONS, gs.Box(-0.5, 0.5, (2,)), "made for actions in"),
        (OBSERVATIONS, gs.Discrete(3), "made for actions in"),
        (gs.Box(-1, 1, (5,)), ACTIONS, "made for observations in .* shape"),
        (gs.Dict({"x": OBSERVATIONS}), ACTIONS, "made for observations in"),
        (OBSERVATIONS, gs.Box(-2, 2, (2,)), ""),
    ],
)
def test_a_world_of_other_spaces_is_refused(observation, action, message):
    class Elsewhere(gymnasium.Env):
        observation_space, action_space = observation, action

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return observation.sample(), {}

        def step(self, action):
            return observation.sample(), 0.0, False, True, {}

    policy = BC(OBSERVATIONS, ACTIONS)
    if not message:  # its actions are actions there too
        assert len(rollouts(GymWorld(Elsewhere()), policy, episodes=2)) == 2
        return
    with pytest.raises(ConfigError, match=message):
        simulate(GymWorld(Elsewhere()), policy, record="none", progress=False)
