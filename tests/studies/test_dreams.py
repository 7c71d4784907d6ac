"""The parts of the studies dropout-dreamland and aime, and both at smoke scale."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from ethogram.nn.training import Training
from ethogram.studies.execution import execute
from ethogram.studies.registry import load


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["dropout-dreamland", "aime"])
def test_smoke(slug: str, tmp_path: Path) -> None:
    study = load(slug)
    folder = execute(study, study.presets["smoke"], tmp_path / "study", preset="smoke", progress=False)
    assert folder.record.status == "complete"
    assert set(folder.verdicts) == {claim.name for claim in study.claims}
    assert folder.findings.summary and folder.findings.figures


def test_dream_returns_are_those_of_playing_the_world() -> None:
    """Many controllers at once get what each gets by acting, agent by agent, in a world whose dreams do not differ."""
    from ethogram.studies.dreams._dreamland import STEER, dream_returns
    from ethogram.worlds.learned.vae_mdn import VaeMdn

    world = VaeMdn(
        config={"latent": 2, "widths": (4,), "hidden": 3, "mixtures": 2, "steps": 12, "starts": 1, "temperature": 0.0}
    )
    with torch.no_grad():
        world.module.starts[1] = -100.0  # dreams begin alike, and ...
        world.module.lstm.tells.bias[-1] = -100.0  # ... never end by themselves
        world.module.lstm.tells.weight[-2] *= 20  # rewards differ
    weights = np.random.default_rng(0).normal(size=(4, 6)) * 3
    found = dream_returns(world, weights, 2, seed=1)
    for row, expected in zip(weights, found, strict=True):
        seen = world.reset(seed=5)[0]["dreamer"]
        total = 0.0
        while world.agents:
            output = np.tanh(seen @ row[:-1] + row[-1])
            action = 1 if output < -STEER else 2 if output > STEER else 0
            observations, rewards, *_ = world.step({"dreamer": np.int64(action)})
            seen, total = observations["dreamer"], total + rewards["dreamer"]
        assert expected == pytest.approx([total, total], rel=1e-4)
    assert np.std(found[:, 0]) > 0.01


def test_random_actions_are_held_for_one_to_ten_steps() -> None:
    from ethogram.studies.dreams._dreamland import Restless

    policy, seen = Restless(), {"a": None, "b": None}
    policy.reset(3, list(seen))
    done = [policy.act(seen, {}) for _ in range(4000)]
    policy.reset(3, ["b"])  # what one agent does depends on the seed and on itself alone
    assert [policy.act({"b": None}, {})["b"] for _ in range(4000)] == [step["b"] for step in done]
    actions = np.array([step["a"] for step in done])
    assert np.bincount(actions) / 4000 == pytest.approx([1 / 3] * 3, abs=0.06)
    # mean hold (1 + 10) / 2 = 5.5; two steps that follow are of two draws once in 5.5, and then differ in 2 of 3
    assert np.mean(actions[1:] != actions[:-1]) == pytest.approx(2 / 3 / 5.5, abs=0.02)
    assert any(step["a"] != step["b"] for step in done)


def test_a_controller_learns_in_a_dream_what_pays_there() -> None:
    from ethogram.studies.dreams._dreamland import dream_returns, train_controller
    from ethogram.worlds.learned.vae_mdn import VaeMdn

    world = VaeMdn(config={"latent": 2, "widths": (4,), "hidden": 3, "steps": 5, "starts": 1, "temperature": 0.0})
    with torch.no_grad():
        world.module.starts[1] = -100.0
        world.module.lstm.tells.bias[-1] = -100.0
        world.module.lstm.tells.weight[-2] = torch.tensor([9.0, 0.0, 0.0])  # what pays is the first unit's output
    weights, history = train_controller(world, 15, 8, 1, seed=0, spread=1.0)
    at_random = dream_returns(world, np.random.default_rng(0).normal(size=(200, 6)), 1, seed=9)
    assert (
        dream_returns(world, np.array([weights]), 1, seed=9).item() > np.quantile(at_random, 0.8) - 1e-3 > at_random.mean()
    )
    assert len(history) == 15 and train_controller(world, 15, 8, 1, seed=0, spread=1.0) == (weights, history)


def test_windows_around_each_action() -> None:
    from ethogram.studies.dreams._aime import _windows

    seen = np.arange(5.0).reshape(1, 5, 1)
    assert _windows(seen, 2)[0, :, :, 0].tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert _windows(seen, 4)[0, :, :, 0].tolist() == [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 4]]


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a body whose three joints go where it pushes them; it sees 15 numbers, as the walker does."""
    from ethogram.studies.dreams._aime import episodes_of
    from ethogram.worlds.learned.rssm import RecurrentStateSpace

    actions = np.random.default_rng(0).uniform(-1, 1, (40, 30, 6)).astype(np.float32)
    data = episodes_of(_moved(actions), actions, np.zeros((40, 30)))
    path = tmp_path_factory.mktemp("body")
    config = {"hidden": 32, "stochastic": 8, "units": 32, "sequence": 9}
    world = RecurrentStateSpace(data.observation_space, data.action_space, config)
    world.fit(data, Training(steps=500, batch=32, lr=4e-3, clip=100.0)).save(path)
    return path


def _moved(actions: np.ndarray) -> np.ndarray:
    """Where actions (E, T, 6) lead: the first six numbers are moved a bit by each, and forget; the others stay at zero."""
    seen = np.zeros((len(actions), actions.shape[1] + 1, 15), np.float32)
    for t in range(actions.shape[1]):
        seen[:, t + 1, :6] = 0.7 * seen[:, t, :6] + 0.5 * actions[:, t]
    return seen


@pytest.mark.slow
def test_aime_finds_the_policy_behind_observations(body: Path, tmp_path: Path) -> None:
    """The demonstrator pushes by a fixed rule of what it sees; nothing but what it saw is given."""
    from ethogram.studies.dreams._aime import episodes_of, infer_policy, inferred_error, inverse

    seen = np.random.default_rng(1).normal(size=(20, 31, 15)).astype(np.float32) * 0.5
    seen[..., 6:] = 0
    actions = np.zeros((20, 30, 6), np.float32)
    for t in range(30):
        actions[:, t] = np.tanh(1.5 - 2.5 * seen[:, t, :6])
        seen[:, t + 1, :6] = 0.7 * seen[:, t, :6] + 0.5 * actions[:, t]
    shown = episodes_of(seen, actions, np.zeros((20, 30)))
    training = Training(steps=300, batch=32, lr=4e-3, clip=100.0)
    before = [x.clone() for x in _weights(body)]
    infer_policy(body, seen, "both", training, 10, tmp_path / "policy")
    assert all(torch.equal(a, b) for a, b in zip(before, _weights(body), strict=True))  # the model stays as it is
    error, nothing = inferred_error(tmp_path / "policy", shown)
    assert error < 0.25 * nothing
    flailing = np.random.default_rng(2).uniform(-1, 1, (40, 30, 6)).astype(np.float32)
    data = episodes_of(_moved(flailing), flailing, np.zeros((40, 30)))
    read = inverse(data, shown, 2, Training(steps=400, batch=128, lr=3e-3), 9)
    assert np.square(read - actions).mean() < 0.1 * nothing


def _weights(path: Path) -> list[torch.Tensor]:
    from ethogram.worlds.learned.rssm import RecurrentStateSpace

    return list(RecurrentStateSpace.load(path).module.state_dict().values())


def test_an_imitator_acts_as_it_would_while_watching() -> None:
    """Step by step in the world it infers the states that filtering the whole sequence gives, but for their noise."""
    from ethogram.studies.dreams._aime import Imitator, TanhGaussian
    from ethogram.worlds.learned.rssm import RecurrentStateSpace

    torch.manual_seed(0)
    spaces = Box(-np.inf, np.inf, (15,), np.float32), Box(-1.0, 1.0, (6,), np.float32)
    world = RecurrentStateSpace(*spaces, {"hidden": 32, "stochastic": 8, "units": 32})
    actor = TanhGaussian(world.config.hidden + world.config.stochastic, 6)
    policy, agents = Imitator(world, actor), ["a@0", "a@1"]
    policy.reset(0, agents)
    seen = np.random.default_rng(0).normal(size=(2, 6, 15)).astype(np.float32)
    acted = [policy.act({a: seen[i, t] for i, a in enumerate(agents)}, {}) for t in range(6)]
    state, done = world.model.initial(2), torch.zeros(2, 6)
    scaled = world.scaled(torch.from_numpy(seen))
    for t in range(6):
        hidden = world.model.advance(state, done)
        state = state._replace(hidden=hidden, sample=world.model.posterior(hidden, world.model.embed(scaled[:, t])).mean)
        done = actor(state.features)
        assert np.allclose(np.stack([acted[t][a] for a in agents]), done.detach().numpy(), atol=1e-6)
    alone = policy.act({"a@1": seen[1, 0]}, {})  # one that has ended does not shift the other
    assert set(alone) == {"a@1"}
