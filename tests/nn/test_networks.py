import math

import gymnasium.spaces as gs
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributions as D

from ethogram.errors import ConfigError, DataError
from ethogram.nn.contrastive import info_nce
from ethogram.nn.inverse import InverseDynamics
from ethogram.nn.layout import Actions, Observations
from ethogram.nn.networks import MLP, ConvEncoder, Encoder, GaussianMixture, Mixture, Recurrent, SpatialSoftmax
from ethogram.nn.scaling import Scaler, pixels
from ethogram.nn.training import Training, train

# --- scaling ---


@given(st.integers(0, 2**32 - 1), st.sampled_from(["standard", "range", "none"]))
def test_scaling_has_an_inverse_and_constant_columns_do_not_blow_up(seed, kind):
    rng = np.random.default_rng(seed)
    data = rng.normal(rng.normal(size=3) * 100, 10.0 ** rng.integers(-2, 3, 3), (20, 3))
    data[:, 1] = 1e3 + 1e-5 * rng.normal(size=20)  # constant, up to rounding
    scaler = Scaler.fit(data, kind)
    scaled = scaler(torch.from_numpy(data).float())
    np.testing.assert_allclose(scaler.inverse(scaled).numpy(), data, rtol=1e-5, atol=1e-3)
    wild = data[0] + np.array([0.0, 2.0, 0.0])
    assert abs(float(scaler(torch.from_numpy(wild).float())[1])) < 1.1e3
    if kind == "standard":
        np.testing.assert_allclose(scaled[:, [0, 2]].numpy().std(0), 1, rtol=1e-2)
        np.testing.assert_allclose(scaled.numpy().mean(0), 0, atol=2e-2)
    if kind == "range":
        assert scaled[:, 0].min() == pytest.approx(-1, abs=1e-2) and scaled[:, 0].max() == pytest.approx(1, abs=1e-2)


def test_scaling_refuses_gaps_and_images_are_channels_first():
    with pytest.raises(DataError, match="finite"):
        Scaler.fit(np.array([[1.0], [np.nan]]))
    with pytest.raises(DataError, match="one row"):
        Scaler.fit(np.zeros((0, 2)))
    image = torch.zeros(2, 5, 4, 6, 3, dtype=torch.uint8)
    image[1, 2, 3, 4, 1] = 255
    assert pixels(image).shape == (2, 5, 3, 4, 6) and pixels(image)[1, 2, 1, 3, 4] == 1 and pixels(image).sum() == 1


# --- networks ---


def test_mixture_against_torch_distributions_and_its_draws_against_its_moments():
    torch.manual_seed(0)
    mixture = GaussianMixture(3, 2, 4)(torch.randn(5, 3))
    oracle = D.MixtureSameFamily(
        D.Categorical(logits=mixture.logits), D.Independent(D.Normal(mixture.means, mixture.deviations), 1)
    )
    x = torch.randn(5, 2)
    torch.testing.assert_close(mixture.log_likelihood(x), oracle.log_prob(x))
    torch.testing.assert_close(mixture.mean(), oracle.mean)
    first = Mixture(mixture.logits, mixture.means[..., :1], mixture.deviations[..., :1]).log_likelihood(x[:, :1])
    masked = mixture.log_likelihood(x, torch.tensor([True, False]).expand(5, 2))
    torch.testing.assert_close(masked, first)

    one = Mixture(
        torch.tensor([0.7, 0.3]).log(), torch.tensor([[0.0, 1.0], [4.0, -2.0]]), torch.tensor([[1.0, 0.5], [0.2, 2.0]])
    )
    many = Mixture(*(part.expand(200_000, *part.shape) for part in one))
    drawn = many.sample(torch.rand(200_000), torch.randn(200_000, 2))
    torch.testing.assert_close(drawn.mean(0), one.mean(), atol=0.02, rtol=0)
    second = 0.7 * torch.tensor([1.0, 1.25]) + 0.3 * torch.tensor([16.04, 8.0])
    torch.testing.assert_close(drawn.square().mean(0), second, atol=0.05, rtol=0)
    assert one.mode().tolist() == [0, 1]
    assert one.sample(torch.tensor(0.71), torch.ones(2), 0.0).tolist() == [4, -2]


def test_spatial_softmax_finds_the_bright_spot():
    image = torch.full((2, 3, 5, 9), -50.0)
    image[:, :, 1, 6] = 50
    found = SpatialSoftmax()(image)
    assert found.shape == (2, 6)
    torch.testing.assert_close(found, torch.tensor([0.5] * 3 + [-0.5] * 3).expand(2, 6))


def test_shapes_and_the_order_of_time():
    assert MLP(3, 2, (4,), norm=True, dropout=0.5, activation="gelu")(torch.zeros(6, 7, 3)).shape == (6, 7, 2)
    assert ConvEncoder(3, 10)(torch.zeros(2, 5, 3, 17, 20)).shape == (2, 5, 10)
    assert ConvEncoder(1, 10, size=(17, 20), spatial_softmax=False)(torch.zeros(2, 1, 17, 20)).shape == (2, 10)
    with pytest.raises(ConfigError, match="size"):
        ConvEncoder(1, 10, spatial_softmax=False)
    for kind in ("lstm", "gru"):
        core = Recurrent(3, 8, 2, kind)
        x = torch.randn(2, 6, 3)
        whole, _ = core(x)
        begun, state = core(x[:, :4])
        torch.testing.assert_close(core(x[:, 4:], state)[0], whole[:, 4:])
        torch.testing.assert_close(begun, whole[:, :4])
    encoder = Encoder(2, {"camera": (8, 8, 3)}, goal=1, features=5)
    seen = {"vector": torch.ones(4, 3, 2), "camera": torch.rand(4, 3, 3, 8, 8)}
    found = encoder(seen, torch.full((4, 1), 7.0))
    assert found.shape == (4, 3, encoder.size) and encoder.size == 8
    assert (found[..., :2] == 1).all() and (found[..., -1] == 7).all()


# --- layout ---


def test_observations_of_every_kind_of_space():
    space = gs.Dict(
        camera=gs.Box(0, 255, (4, 4, 3), np.uint8),
        pose=gs.Box(-1, 1, (2, 2)),
        gear=gs.Discrete(3, start=5),
        on=gs.MultiBinary(2),
    )
    layout = Observations(space)
    assert layout.size == 9 and layout.images == {"camera": (4, 4, 3)} and layout.goal == 0
    members = [space.sample() for _ in range(6)]
    column = {name: np.stack([m[name] for m in members]).reshape(2, 3, *np.shape(members[0][name])) for name in space.spaces}
    vector = layout.vector(column)
    ends = np.cumsum([{"camera": 0, "pose": 4, "gear": 3, "on": 2}[name] for name in space.spaces])
    assert vector.shape == (2, 3, 9) and vector.dtype == np.float32
    for i, member in enumerate(members):
        row = dict(zip(space.spaces, np.split(vector.reshape(6, 9)[i], ends[:-1]), strict=True))
        assert row["gear"].tolist() == np.eye(3)[member["gear"] - 5].tolist() and row["on"].tolist() == member["on"].tolist()
        np.testing.assert_array_equal(row["pose"], member["pose"].reshape(-1))
    assert layout.read(column)["camera"].shape == (2, 3, 4, 4, 3)
    several = Observations(gs.MultiDiscrete([2, 3], start=[1, 0]))
    assert several.vector(np.array([[2, 1]])).tolist() == [[0, 1, 0, 1, 0]]
    with pytest.raises(ConfigError, match="cannot read"):
        Observations(gs.Text(3))


def test_goals_are_seen_only_where_asked_for():
    space = gs.Dict(observation=gs.Box(-1, 1, (4,)), achieved_goal=gs.Box(-1, 1, (2,)), desired_goal=gs.Box(-1, 1, (2,)))
    assert (Observations(space).size, Observations(space).goal) == (4, 0)
    assert (Observations(space, goal=True).size, Observations(space, goal=True).goal) == (4, 2)
    assert Observations(space, goal=True).goals(np.zeros((3, 2), np.float64)).dtype == np.float32
    with pytest.raises(ConfigError, match="GoalEnv"):
        Observations(space["observation"], goal=True)


@pytest.mark.parametrize(
    "space",
    [
        gs.Box(-1, 1, (3,), np.float64),
        gs.Box(-1, 1, (2, 2), np.float32),
        gs.Box(0, 9, (1,), np.int64),
        gs.Discrete(4, start=-2),
        gs.MultiDiscrete([[2, 3], [4, 5]]),
        gs.MultiBinary(3),
    ],
)
def test_actions_come_back(space):
    layout = Actions(space)
    space.seed(1)
    members = [space.sample() for _ in range(10)]
    numbers = layout.read(np.stack(members))
    assert numbers.shape == (10, layout.size) and numbers.dtype == (np.int64 if layout.classes else np.float32)
    for before, after in zip(members, layout.members(numbers), strict=True):
        assert space.contains(after)
        np.testing.assert_allclose(after, before, rtol=1e-6)
    with pytest.raises(ConfigError, match="cannot choose"):
        Actions(gs.Text(3))


# --- small losses ---


def test_info_nce_by_hand():
    queries, keys = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    half = math.sqrt(0.5)
    rows = -math.log(math.e / (math.e + math.exp(half))) - math.log(math.exp(half) / (1 + math.exp(half)))
    columns = -math.log(math.e / (math.e + 1)) - math.log(math.exp(half) / (2 * math.exp(half)))
    assert info_nce(queries, keys, 1.0, symmetric=False).item() == pytest.approx(rows / 2, rel=1e-5)
    assert info_nce(queries, keys, 1.0).item() == pytest.approx((rows + columns) / 4, rel=1e-5)


def test_inverse_dynamics_finds_the_action_between():
    rng = np.random.default_rng(0)
    now, did = rng.normal(size=(500, 2)), rng.normal(size=(500, 2))
    seen = np.stack([now, now + did], 1)
    choice = (did[:, :1] > 0).astype(np.int64)

    def draw(rng):
        chosen = rng.integers(500, size=64)
        return {"seen": seen[chosen], "did": did[chosen], "choice": choice[chosen]}

    free, chosen = InverseDynamics(2, 2, hidden=(32,)), InverseDynamics(2, 0, (2,), hidden=(32,))
    both = torch.nn.ModuleList([free, chosen])
    train(
        both,
        lambda b, g: free.loss(b["seen"], b["did"]) + chosen.loss(b["seen"], b["choice"]),
        draw,
        Training(steps=300, lr=1e-2),
        progress=False,
    )
    x = torch.from_numpy(seen).float()
    assert (free.predict(x) - torch.from_numpy(did)).abs().mean() < 0.1
    assert (chosen.predict(x).numpy() == choice).mean() > 0.95


def test_octaves_are_sines_and_cosines_of_the_vector() -> None:
    x = torch.tensor([[[0.3, -1.0]]])
    found = Encoder(2, goal=1, octaves=2)(x, torch.tensor([[7.0]]))
    angles = torch.tensor([0.3, -1.0, 0.6, -2.0])
    torch.testing.assert_close(found[0, 0], torch.cat([x[0, 0], angles.sin(), angles.cos(), torch.tensor([7.0])]))
    assert Encoder(2, octaves=2)(x).shape[-1] == Encoder(2, octaves=2).size == 10
