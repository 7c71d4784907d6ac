"""Every wrapped world is made, reset, stepped and rendered for real, keeps the contract, and has an expert that succeeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

from ethogram import worlds
from ethogram.errors import ConfigError
from ethogram.policies.coded.advised import Advised
from ethogram.policies.coded.pointmaze import PointMazeExpert, distances
from ethogram.policies.coded.pusht import PushTDemonstrator
from ethogram.policy import Policy
from ethogram.world import World
from ethogram.worlds.rendering import Camera, Canvas
from ethogram.worlds.testing import check_world

for package in ("mujoco", "Box2D", "gym_pusht", "gymnasium_robotics", "metaworld", "minigrid", "ogbench", "vizdoom"):
    pytest.importorskip(package, exc_type=ImportError)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of packages, at import

SHORT = {
    "car_racing": ({"pixels": 16}, 6),
    "pusht": ({}, 60),
    "pointmaze": ({"maze": "medium", "pixels": 8}, 40),
    "metaworld": ({"task": ["reach", "drawer-open"]}, 6),
    "babyai": ({}, 40),
    "ogbench": ({"env": "pointmaze-medium", "mode": "play"}, 20),
}


def play(world: World, policy: Policy, seed: int) -> dict[str, float]:
    """One episode; returns what came of it."""
    seen, _ = world.reset(seed=seed)
    policy.reset(seed, world.possible_agents)
    while world.agents:
        seen = world.step(dict(policy.act(seen, world.action_spaces)))[0]  # type: ignore[arg-type]
    return dict(world.outcome())


@pytest.mark.parametrize("name", list(SHORT))
def test_contract(name: str) -> None:
    options, steps = SHORT[name]
    check_world(partial(worlds.make, name, **options), steps=steps, fresh_process=name == "metaworld")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [("take_cover", {}), ("ogbench", {})])
def test_contract_slow(name: str, options: dict[str, Any]) -> None:
    check_world(partial(worlds.make, name, **options), steps=4, fresh_process=False)


def test_state_with_expert_asked() -> None:
    """An expert that keeps a plan of its own goes on with it after the state was put back."""
    for name, options in (("ogbench", {"mode": "play"}), ("babyai", {"level": "GoToSeq"})):
        world, other = worlds.make(name, **options), worlds.make(name, **options)
        policy = Advised(world)  # type: ignore[arg-type]
        policy.reset(0, world.possible_agents)
        seen, _ = world.reset(seed=1)
        for _ in range(8):
            seen = world.step(dict(policy.act(seen, world.action_spaces)))[0]
        other.reset(seed=5)
        other.load_state_dict(world.state_dict())
        for _ in range(6):
            one, two = world.advise(), other.advise()  # type: ignore[attr-defined]
            np.testing.assert_array_equal(one, two)
            world.step({"agent": one})
            other.step({"agent": two})
        assert world.outcome() == other.outcome()


EXPERTS = [
    ("metaworld", {"task": "push", "stop": True}, 3, 3),
    ("metaworld", {"task": "drawer-open", "stop": True, "goal": False}, 2, 2),
    ("babyai", {"level": "PickupLoc"}, 4, 4),
    ("ogbench", {"env": "pointmaze-medium"}, 2, 2),
]


@pytest.mark.parametrize(("name", "options", "episodes", "least"), EXPERTS)
def test_expert_that_ships(name: str, options: dict[str, Any], episodes: int, least: int) -> None:
    world = worlds.make(name, **options)
    won = sum(play(world, Advised(world), seed)["success"] for seed in range(episodes))  # type: ignore[arg-type]
    assert won >= least


def test_oracle_of_play_reaches_targets() -> None:
    world = worlds.make("ogbench", env="cube-single", mode="play", goals="oracle", steps=160)
    assert play(world, Advised(world), 0)["reached"] >= 1  # type: ignore[arg-type]
    seen = world.reset(seed=0)[0]["agent"]
    np.testing.assert_allclose(seen["achieved_goal"], seen["observation"][19:22])  # where the cube is
    assert not seen["desired_goal"].any()


def test_driver_of_car_racing() -> None:
    world = worlds.make("car_racing", pixels=16, repeat=4)
    outcome = play(world, Advised(world), 5)  # type: ignore[arg-type]
    assert outcome["share"] > 0.9 and outcome["score"] > 800
    still = worlds.make("car_racing", pixels=16, repeat=4, steps=100, continuous=False)
    still.reset(seed=0)
    while still.agents:
        still.step({"agent": np.int64(0)})
    assert still.outcome()["score"] < 20


def test_pointmaze_expert_and_its_map() -> None:
    world = worlds.make("pointmaze", maze="large")
    for seed in range(4):
        assert play(world, PointMazeExpert(world.maze, noise=0.3), seed)["success"] == 1  # type: ignore[attr-defined]
    ring = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]])
    far = distances(ring, (1, 1))
    assert far[3, 3] == 4 and far[1, 3] == 2 and far[2, 2] == -1
    own = worlds.make("pointmaze", maze=ring.tolist(), steps=1000, stop=False, moving=True)
    assert play(own, PointMazeExpert(ring.tolist(), play=True), 0)["success"] == 1  # comes by the goals on its way


def test_pusht_demonstrator_and_exact_state() -> None:
    world = worlds.make("pusht")
    outcomes = [play(world, PushTDemonstrator(), seed) for seed in range(5)]
    assert sum(o["success"] for o in outcomes) >= 3 and min(o["coverage"] for o in outcomes) > 0.85
    state = [100.0, 120.0, 300.0, 200.0, 1.0]
    np.testing.assert_allclose(world.reset(seed=0, options={"state": state})[0]["agent"], state)
    placed = world.reset(seed=0, options={"state": [50.0, 50.0, 256.0, 256.0, np.pi / 4]})
    assert placed and world.outcome()["coverage"] == pytest.approx(1.0)


def test_goals_of_metaworld() -> None:
    shown, hidden = worlds.make("metaworld"), worlds.make("metaworld", goal=False)
    goals = [shown.reset(seed=seed)[0]["agent"][36:] for seed in (3, 3, 4)]
    np.testing.assert_array_equal(goals[0], goals[1])
    assert np.abs(goals[0] - goals[2]).max() > 0.01
    unseen = hidden.reset(seed=3)[0]["agent"]
    assert not unseen[36:].any() and np.array_equal(unseen[:36], shown.reset(seed=3)[0]["agent"][:36])
    several = worlds.make("metaworld", task=["reach", "button-press"])
    drawn = {tuple(several.reset(seed=seed)[0]["agent"][39:]) for seed in range(6)}
    assert drawn == {(1.0, 0.0), (0.0, 1.0)}
    several.reset(seed=0, options={"task": "button-press-v3"})
    assert several.outcome()["task"] == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("metaworld", {"pixels": 32}),
        ("ogbench", {"pixels": True}),
        ("ogbench", {"env": "pointmaze-medium"}),
        ("pusht", {"observe": "pixels"}),
        ("babyai", {"pixels": 8}),
        ("take_cover", {}),
        ("car_racing", {"pixels": 64}),
        ("pointmaze", {"pixels": 48}),
    ],
)
def test_pictures_show_something(name: str, options: dict[str, Any]) -> None:
    world = worlds.make(name, **options)
    seen, _ = world.reset(seed=0)
    for _ in range(3):
        world.action_space("agent").seed(0)
        seen = world.step({"agent": world.action_space("agent").sample()})[0]
    pictures = [world.render()]
    observed = seen["agent"]
    if isinstance(observed, dict):
        pictures += [value for value in observed.values() if isinstance(value, np.ndarray) and value.ndim == 3]
    elif observed.ndim == 3:
        pictures.append(observed)
    for picture in pictures:
        assert picture.dtype == np.uint8 and picture.shape[2] == 3 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 3
    world.close()


@pytest.fixture
def cheetah() -> Iterator[Any]:
    env = gymnasium.make("HalfCheetah-v5").unwrapped
    env.reset(seed=0)
    yield env
    env.close()


def test_frame_of_half_cheetah_is_cheap(cheetah: Any) -> None:
    camera = Camera(cheetah.model, 64, 64)
    camera.take(cheetah.data)
    began = time.process_time()
    for _ in range(20):
        frame = camera.take(cheetah.data)
    took = (time.process_time() - began) / 20
    camera.close()
    assert frame.shape == (64, 64, 3) and np.ptp(frame) > 50
    assert took < 0.010, f"a frame costs {1000 * took:.1f} CPU-ms"


def test_canvas() -> None:
    canvas = Canvas(4, (0, 0), (4, 4))
    canvas.polygon(np.array([[0, 0], [2, 0], [2, 1], [0, 1]]), (1, 2, 3))
    canvas.disc((3.5, 3.5), 0.4, (9, 9, 9))
    shown = (canvas.picture != 255).any(2)
    np.testing.assert_array_equal(shown, [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]])


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("metaworld", {"task": "cook"}, "no task cook"),
        ("metaworld", {"camera": "back"}, "no camera"),
        ("ogbench", {"env": "kitchen"}, "no env 'kitchen'"),
        ("ogbench", {"env": "antmaze-medium", "mode": "play"}, "trained policy"),
        ("ogbench", {"task": 9}, "1 to 5"),
        ("babyai", {"level": "Nowhere"}, "no level"),
        ("pointmaze", {"maze": "huge"}, "no maze"),
        ("pointmaze", {"maze": [[1, 1, 1], [1, 0, 0], [1, 1, 1]]}, "walled all around"),
        ("pusht", {"observe": "touch"}, "state, pixels or both"),
        ("car_racing", {"pixels": 0}, "at least 1"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        worlds.make(name, **options)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "minigrid", None)
    with pytest.raises(ConfigError, match=r"pip install 'ethogram\[bodies\]'"):
        worlds.make("babyai")


def test_no_expert_where_there_is_none() -> None:
    for name, options in (("take_cover", {}), ("ogbench", {}), ("babyai", {"level": "MiniGrid-DoorKey-5x5-v0"})):
        world = worlds.make(name, **options)
        if name != "take_cover":
            world.reset(seed=0)
            with pytest.raises(ConfigError):
                world.advise()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="one at a time"):
        Advised(worlds.make("babyai")).reset(0, ["agent@1"])  # type: ignore[arg-type]


def test_noise_of_an_expert() -> None:
    """It has the standard deviation and correlation asked for, is clipped, and goes on from its state."""

    class Still:
        possible_agents = ["agent"]

        def advise(self, agent: str | None = None) -> np.ndarray:
            return np.zeros(50, np.float32)

    space = {"agent": gymnasium.spaces.Box(-2, 2, (50,), np.float32)}
    policy = Advised(Still(), noise=0.1, memory=0.8)
    policy.reset(0, ["agent"])
    drawn = np.array([policy.act({"agent": None}, space)["agent"] for _ in range(400)])
    assert np.std(drawn) == pytest.approx(0.2, rel=0.05)
    assert np.corrcoef(drawn[1:].ravel(), drawn[:-1].ravel())[0, 1] == pytest.approx(0.8, abs=0.03)
    other = Advised(Still(), noise=0.1, memory=0.8)
    other.load_state_dict(policy.state_dict())
    np.testing.assert_array_equal(policy.act({"agent": None}, space)["agent"], other.act({"agent": None}, space)["agent"])
    wild = Advised(Still(), noise=50.0)
    wild.reset(0, ["agent"])
    assert np.abs(wild.act({"agent": None}, space)["agent"]).max() == 2
