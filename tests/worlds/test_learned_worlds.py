"""Worlds fitted to trajectories: they are worlds like any other, tell what was lived, and are saved and loaded."""

from functools import partial

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete

from ethogram import worlds
from ethogram.errors import ConfigError, DataError
from ethogram.nn.training import Training
from ethogram.nn.vae import Posterior
from ethogram.policy import Coded, Random
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.simulation import rollouts
from ethogram.worlds.learned import Sequences, load
from ethogram.worlds.learned.rssm import RecurrentStateSpace
from ethogram.worlds.learned.vae_mdn import Awake, VaeMdn
from ethogram.worlds.testing import check_world

SEEN, DONE = Box(-np.inf, np.inf, (2,), np.float32), Box(-1.0, 1.0, (1,), np.float32)
BULB, SWITCH = Box(0, 255, (8, 8, 1), np.uint8), Discrete(2)


def carts(n=40, steps=30, seed=0):
    """A cart pushed at random: position and velocity; the reward is minus the distance from the middle."""
    rng = np.random.default_rng(seed)
    episodes = []
    for i in range(n):
        state, seen, pushes = np.array([rng.uniform(-1, 1), 0.0]), [], rng.uniform(-1, 1, (steps, 1))
        seen.append(state)
        for push in pushes:
            velocity = 0.9 * state[1] + 0.3 * push[0]
            state = np.array([state[0] + 0.2 * velocity, velocity])
            seen.append(state)
        seen = np.array(seen, np.float32)
        rewards = -np.abs(seen[1:, 0]).astype(float)
        episodes.append(Trajectory("a", i, seen, pushes.astype(np.float32), rewards, np.arange(steps), False))
    return Trajectories.of(episodes, SEEN, DONE)


def bulbs(n=60, seed=0):
    """A picture that is bright after the switch was pressed, else dark. Each step ends the episode with probability 1/10."""
    rng = np.random.default_rng(seed)
    episodes = []
    for i in range(n):
        steps = rng.geometric(0.1)
        presses = rng.integers(2, size=steps)
        bright = np.concatenate([[0], presses]) * 200 + 20
        seen = np.broadcast_to(bright[:, None, None, None], (steps + 1, 8, 8, 1)).astype(np.uint8)
        episodes.append(Trajectory("a", i, seen, presses, 1.0 + presses, np.arange(steps), True))
    return Trajectories.of(episodes, BULB, SWITCH)


@pytest.fixture(scope="module")
def cart(tmp_path_factory):
    config = {"hidden": 32, "stochastic": 4, "units": 32, "sequence": 12, "steps": 25}
    path = tmp_path_factory.mktemp("cart")
    RecurrentStateSpace(SEEN, DONE, config).fit(carts(), Training(steps=800, batch=32, lr=4e-3, clip=100.0)).save(path)
    return path


@pytest.fixture(scope="module")
def bulb(tmp_path_factory):
    config = {"latent": 2, "widths": (4, 8), "hidden": 16, "mixtures": 2, "sequence": 10, "vae_share": 1.0, "tolerance": 0.1}
    path = tmp_path_factory.mktemp("bulb")
    training = Training(steps=400, batch=32, lr=5e-3, clip=1.0)
    VaeMdn(BULB, SWITCH, {**config, "trained_dropout": 0.05}).fit(bulbs(), training).save(path)
    return path


def test_fitted_worlds_keep_the_contract(cart, bulb):
    check_world(partial(load, cart), steps=40)
    check_world(partial(load, bulb, copies=3, dropout=0.2), steps=20, fresh_process=False)


def test_a_dream_of_the_cart_goes_where_the_cart_goes(cart):
    world = load(cart, copies=64)
    seen, _ = world.reset(seed=1)
    state = np.stack(list(seen.values()))
    rng, errors, told, right = np.random.default_rng(2), [], [], []
    for _ in range(15):
        pushes = rng.uniform(-1, 1, (64, 1)).astype(np.float32)
        seen, rewards, *_ = world.step(dict(zip(world.agents, pushes, strict=True)))
        velocity = 0.9 * state[:, 1] + 0.3 * pushes[:, 0]
        state = np.stack([state[:, 0] + 0.2 * velocity, velocity], 1)
        errors.append(np.stack(list(seen.values())) - state)
        told += rewards.values()
        right += (-np.abs(state[:, 0])).tolist()
    assert np.abs(errors).mean() < 0.16 < 0.3 < np.std(state)
    assert np.corrcoef(told, right)[0, 1] > 0.8


def test_a_dream_of_the_bulb_obeys_the_switch_and_ends_as_often(bulb):
    world = load(bulb, copies=400)
    rng = np.random.default_rng(0)
    dream = world.begin(400, rng)
    ended = []
    for pressed in (1, 0, 1):
        with torch.inference_mode():
            actions = torch.from_numpy(world.acted.vector(np.full(400, pressed)))
            dream, rewards, over = world.advance(dream, actions, rng)
        assert abs(world.picture(dream).mean() - (20 + 200 * pressed)) < 45
        assert rewards.mean().item() == pytest.approx(1.0 + pressed, abs=0.15)
        ended.append(over.float().mean().item())
    assert np.mean(ended) == pytest.approx(0.1, abs=0.05)


def test_any_policy_dreams_and_copies_are_dreams_of_their_own(cart):
    push = Coded(lambda seen, space: np.clip(-seen[:1], -1, 1))
    steered = rollouts(worlds_of(cart, push), episodes=10, seed=3)
    drifting = rollouts(worlds_of(cart, Random()), episodes=10, seed=3)
    assert len(steered) == 10 and (steered.lengths == 25).all()
    first = [np.stack([t.observations[0] for t in found]) for found in (steered, drifting)]
    assert np.array_equal(*first)  # matched beginnings
    seen = load(cart, copies=8).reset(seed=5)[0]
    assert len({tuple(value.tolist()) for value in seen.values()}) == 8


def worlds_of(path, policy):
    from ethogram import Scene

    return Scene(load(path), policy)


def test_dropout_makes_each_dream_another_world_for_its_whole_length(bulb):
    def hidden(world, steps=2):
        rng = np.random.default_rng(0)
        dream = world.begin(50, rng)
        dream = {name: value[:1].expand_as(value) if name != "masks" else value for name, value in dream.items()}
        kept = []
        for _ in range(steps):
            with torch.inference_mode():
                dream = world.advance(dream, torch.from_numpy(world.acted.vector(np.ones(50, int))), rng).dream
            kept.append(dream.get("masks"))
        return dream["hidden"], kept

    world = load(bulb)
    still, masks = hidden(world.variant(temperature=0.0))
    assert torch.allclose(still, still[:1].expand_as(still), atol=1e-5) and masks == [None, None]
    spread, (first, second) = hidden(world.variant(temperature=0.0, dropout=0.4))
    assert torch.equal(first, second) and spread.std(0).max() > 0.05
    _, (first, second) = hidden(world.variant(dropout=0.4, masks="step"))
    assert not torch.equal(first, second)
    assert (first == 0).float().mean().item() == pytest.approx(0.4, abs=0.06)


def test_awake_gives_what_a_dream_shows(bulb):
    world = load(bulb)
    eyes, image = Awake(world), np.full((8, 8, 1), 20, np.uint8)
    first = eyes.see(image)
    assert world.shown().contains(first) and (first[2:] == 0).all()
    bright, dark = Awake(world), Awake(world)
    seen = [one.see(image) for one in (bright, dark)]
    seen = [bright.see(image + 200, np.int64(1)), dark.see(image, np.int64(0))]
    assert np.abs(seen[0] - seen[1]).max() > 0.3
    eyes.forget()
    assert np.array_equal(eyes.see(image), first)


@torch.no_grad()
def test_the_loss_of_the_state_space_is_of_what_was_lived():
    """Two sequences, of 3 steps and of 1: the bound counts 4 and 2 observations, rewards and ends 3 and 1."""
    world = RecurrentStateSpace(SEEN, DONE, {"hidden": 8, "stochastic": 2, "units": 8, "weigh": False})
    rng, noise = torch.Generator().manual_seed(0), torch.Generator()
    batch = {"seen": torch.randn(2, 4, 2, generator=rng), "actions": torch.randn(2, 3, 1, generator=rng)}
    batch |= {"rewards": torch.randn(2, 3, generator=rng), "ended": torch.tensor([[0.0, 0, 1], [0, 0, 0]])}
    batch["mask"] = torch.tensor([[1.0, 1, 1], [1, 0, 0]])
    states = world.model.filter(batch["seen"], batch["actions"], noise.manual_seed(1))
    evidence = world.model.elbo(batch["seen"], states)
    bound = sum((evidence.log_likelihood - evidence.kl)[i, :n].sum() for i, n in ((0, 4), (1, 2))) / 6
    reward, end = world.module["heads"](states.states.features).unbind(-1)
    told = 0.5 * (reward[:, 1:] - batch["rewards"]) ** 2
    told = told - torch.where(batch["ended"] == 1, end[:, 1:].sigmoid(), 1 - end[:, 1:].sigmoid()).log()
    wanted = (told[0].sum() + told[1, 0]) / 4 - bound
    assert world._loss(batch, noise.manual_seed(1)).item() == pytest.approx(wanted.item(), rel=1e-5)
    batch["seen"][1, 2:] += 1.0  # beyond the end
    batch["rewards"][1, 1:] += 1.0
    assert world._loss(batch, noise.manual_seed(1)).item() == pytest.approx(wanted.item(), rel=1e-5)


@torch.no_grad()
def test_the_loss_of_the_mixtures_is_of_what_was_lived():
    """Two sequences, of 3 steps and of 1; the LSTM tells what is seen, got and over *after* each of the 4 steps."""
    world = VaeMdn(BULB, SWITCH, {"latent": 2, "widths": (4,), "hidden": 8, "mixtures": 3})
    rng, noise = torch.Generator().manual_seed(0), torch.Generator()
    batch = {name: torch.randn(2, 4, 2, generator=rng) for name in ("mean", "log_variance")}
    batch |= {"actions": torch.randn(2, 3, 2, generator=rng), "rewards": torch.randn(2, 3, generator=rng)}
    batch |= {"ended": torch.tensor([[0.0, 0, 1], [0, 0, 0]]), "mask": torch.tensor([[1.0, 1, 1], [1, 0, 0]])}
    drawn = Posterior(batch["mean"], batch["log_variance"]).sample(noise.manual_seed(1))
    wanted, memory = 0.0, world.module.lstm.begin(2)
    for t in range(3):
        memory = world.module.lstm.step(drawn[:, t], batch["actions"][:, t], memory)
        told = world.module.lstm.predict(memory.hidden)
        over = torch.where(batch["ended"][:, t] == 1, told.ended.sigmoid(), 1 - told.ended.sigmoid())
        each = 0.5 * (told.reward - batch["rewards"][:, t]) ** 2 - over.log() - told.log_likelihood(drawn[:, t + 1]) / 2
        wanted += (each * batch["mask"][:, t]).sum().item() / 4
    assert world._loss(batch, noise.manual_seed(1)).item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["rssm", "vae_mdn", "ensemble", "bernoulli_model", "categorical_model"])
def test_torchs_own_random_numbers_neither_matter_nor_are_disturbed(name):
    told = []
    for state in (0, 1):
        torch.manual_seed(state)
        before = torch.get_rng_state()
        world = worlds.make(name, copies=2, seed=3, config={"steps": 5, "sequence": 4, "starts": 2})
        spaces = world.lived_space, world.acted_space
        for space in spaces:
            space.seed(7)
        seen, done = ([space.sample() for _ in range(n)] for space, n in zip(spaces, (7, 6), strict=True))
        episode = Trajectory("a", 0, seen, done, np.arange(6.0), np.arange(6), True)  # of more steps than a sequence has
        world.fit(Trajectories.of([episode], *spaces), {"steps": 2, "batch": 3}, progress=False)
        seen, _ = world.reset(seed=1)
        seen, rewards, *_ = world.step(dict.fromkeys(world.agents, done[0]))
        told.append(np.concatenate([*(x.ravel() for x in seen.values()), list(rewards.values())]))
        assert torch.equal(torch.get_rng_state(), before)
    assert np.isfinite(told).all() and np.array_equal(*told)


def test_damaged_or_foreign_files_are_refused(cart, bulb, tmp_path):
    world = load(cart)
    world.save(tmp_path / "mine")
    weights = tmp_path / "mine" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1
    weights.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path / "mine")
    with pytest.raises(DataError, match="architecture"):
        load(bulb, hidden=17)
    with pytest.raises(DataError, match="holds a world 'vae_mdn', not 'rssm'"):
        RecurrentStateSpace.load(bulb)
    with pytest.raises(ConfigError, match="VaeMdn has no setting 'dropuot'; did you mean 'dropout'"):
        load(bulb, dropuot=0.1)
    with pytest.raises(DataError, match="holds no world"):
        load(tmp_path)


def test_data_and_settings_that_do_not_fit():
    with pytest.raises(DataError, match="the observations of the trajectories are in"):
        RecurrentStateSpace().fit(carts(2))
    with pytest.raises(DataError, match="fitted to trajectories, not to a list"):
        RecurrentStateSpace(SEEN, DONE).fit(list(carts(2)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="hold no step"):
        RecurrentStateSpace(SEEN, DONE).fit(Trajectories.of([], SEEN, DONE))
    with pytest.raises(ConfigError, match="fitted to images"):
        VaeMdn(SEEN, DONE)
    with pytest.raises(ConfigError, match="fitted to images"):
        VaeMdn(Dict(image=BULB, speed=SEEN), SWITCH)  # the speed would have been left out
    with pytest.raises(ConfigError, match="cannot be halved 4 times"):
        VaeMdn(BULB, SWITCH)
    with pytest.raises(ConfigError, match="widths of VaeMdn is wrong"):
        VaeMdn(BULB, SWITCH, {"widths": ()})
    with pytest.raises(ConfigError, match="copies = 0"):
        worlds.make("rssm", copies=0)


def test_sequences_are_steps_with_what_was_seen_around_them():
    """Two episodes of 3 and 2 steps: what is drawn at each beginning, by hand."""

    def episode(i, first, steps, terminated):
        seen = np.arange(first, first + steps + 1)[:, None].repeat(2, 1).astype(np.float32)
        done = np.arange(first, first + steps)[:, None].astype(np.float32) / 100
        return Trajectory("a", i, seen, done, np.arange(first, first + steps) * 1.0, np.arange(steps), terminated)

    data = Trajectories.of([episode(0, 0, 3, True), episode(1, 10, 2, False)], SEEN, DONE)
    sequences = Sequences(data, 2, lambda seen: {"seen": seen}, lambda done: done)
    assert sequences.beginnings.tolist() == [0, 4]
    drawn = sequences.draw(400, np.random.default_rng(0))
    found = {}
    for i in range(400):
        seen = tuple(drawn["seen"][i, :, 0].tolist())
        found[seen] = (drawn["rewards"][i].tolist(), drawn["ended"][i].tolist(), drawn["mask"][i].tolist())
    assert found == {
        (0, 1, 2): ([0, 1], [0, 0], [1, 1]),
        (1, 2, 3): ([1, 2], [0, 1], [1, 1]),
        (2, 3, 3): ([2, 2], [1, 1], [1, 0]),
        (10, 11, 12): ([10, 11], [0, 0], [1, 1]),
        (11, 12, 12): ([11, 11], [0, 0], [1, 0]),
    }
    assert np.array_equal(drawn["actions"][:, 0, 0] * 100, np.float32(drawn["rewards"][:, 0]))
    often = Sequences(data, 2, lambda seen: {"seen": seen}, lambda done: done, from_beginnings=0.5)
    firsts = often.draw(4000, np.random.default_rng(0))["seen"][:, 0, 0]
    shares = {first: np.mean(firsts == first) for first in (0, 1, 2, 10, 11)}  # half of the draws, and what chance gives
    assert shares == pytest.approx({0: 0.35, 1: 0.1, 2: 0.1, 10: 0.35, 11: 0.1}, abs=0.03)
