"""The avoiding task: its geometry, its law of motion, its 24 ways, and demonstrators who take the one asked for."""

from itertools import product

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.policies.coded.avoiding import AvoidingDemonstrator
from ethogram.worlds.coded.avoiding import Avoiding


def lead(world: Avoiding, corners: list[tuple[float, float]], speed: float = 0.008) -> dict:
    """Move the desired point straight from corner to corner and then wait for the rod."""
    world.reset(seed=0)
    for corner in corners:
        while world.agents and np.hypot(*(way := np.array(corner) - world.desired)) > 1e-6:
            world.step({"agent": (way * min(1.0, speed / np.hypot(*way))).astype(np.float32)})
    while world.agents:
        world.step({"agent": np.zeros(2, np.float32)})
    return dict(world.outcome())


def test_rod_follows_by_the_stated_law() -> None:
    world = Avoiding()
    world.reset(seed=0)
    position, velocity, desired = np.array([0.525, -0.28]), np.zeros(2), np.array([0.525, -0.28])
    for move in ([0.01, 0.02], [-0.03, 0.0], [0.004, -0.01]):
        seen = world.step({"agent": np.array(move, np.float32)})[0]["agent"]
        desired = desired + np.array(move, np.float32)
        for _ in range(35):
            velocity = velocity + 0.001 * (900.0 * (desired - position) - 60.0 * velocity)
            position = position + 0.001 * velocity
        np.testing.assert_allclose(seen, np.concatenate([desired, position]), atol=1e-6)
    assert world.now == pytest.approx(0.105)


def test_straight_ahead_meets_the_first_obstacle() -> None:
    outcome = lead(Avoiding(), [(0.525, 0.42)])
    assert outcome["success"] == 0 and outcome["mode"] == -1 and outcome["steps"] < 150
    grazing = [(0.5 + 0.03 + 0.01 + gap, -0.2) for gap in (-0.0005, 0.0005)]
    reached = []
    for x, y in grazing:
        world = Avoiding()
        lead(world, [(x, y), (x, y), (x, -0.05)])
        reached.append(world.rod[1] > -0.09)
    assert reached == [False, True]


def test_waiting_runs_out_of_time() -> None:
    world = Avoiding()
    world.reset(seed=0)
    flags = [world.step({"agent": np.zeros(2, np.float32)})[2:4] for _ in range(150)]
    assert flags[-1] == ({"agent": False}, {"agent": True}) and not any(late["agent"] for _, late in flags[:-1])


@pytest.mark.parametrize("ways", list(product((0, 1), (0, 1, 2), (0, 1, 2, 3))))
def test_mode_counts_the_obstacles_to_the_left(ways: tuple[int, int, int]) -> None:
    first, second, third = (0.44, 0.56)[ways[0]], (0.36, 0.5, 0.64)[ways[1]], (0.29, 0.425, 0.575, 0.71)[ways[2]]
    corners = [(first, -0.15), (first, -0.055), (second, 0.03), (second, 0.125), (third, 0.215), (third, 0.41)]
    outcome = lead(Avoiding(), corners)
    assert outcome["success"] == 1 and outcome["mode"] == 12 * ways[0] + 4 * ways[1] + ways[2]


@pytest.mark.parametrize("style", ["smooth", "waypoints"])
def test_demonstrators_take_the_way_asked_for(style: str) -> None:
    world, paths = Avoiding(), {}
    for mode, seed in product(range(24), range(4)):
        policy = AvoidingDemonstrator(mode, style)  # pyright: ignore[reportArgumentType]
        policy.reset(100 * mode + seed, ["agent"])
        seen, path = world.reset(seed=seed)[0], []
        while world.agents:
            action = policy.act(seen, {"agent": world.action_space("agent")})
            assert world.action_space("agent").contains(action["agent"])
            seen = world.step(dict(action))[0]
            path.append(world.rod.copy())
        assert world.outcome()["success"] == 1 and world.outcome()["mode"] == mode, (mode, seed)
        paths[mode, seed] = np.array(path)
    apart = [np.abs(paths[m, 0][:50] - paths[m, 1][:50]).max() for m in range(24)]
    assert min(apart) > 0.002, "two demonstrations of a way are alike"


def test_demonstrator_goes_on_from_its_state() -> None:
    world, policy = Avoiding(), AvoidingDemonstrator()
    policy.reset(3, ["agent"])
    seen = world.reset(seed=0)[0]
    for _ in range(20):
        seen = world.step(dict(policy.act(seen, world.action_spaces)))[0]
    other = AvoidingDemonstrator()
    other.reset(0, ["agent"])
    other.load_state_dict(policy.state_dict())
    for _ in range(5):
        one, two = policy.act(seen, world.action_spaces), other.act(seen, world.action_spaces)
        np.testing.assert_array_equal(one["agent"], two["agent"])
        seen = world.step(dict(one))[0]


def test_wrong_mode_or_style_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 to 23"):
        AvoidingDemonstrator(24)
    with pytest.raises(ConfigError, match="smooth and waypoints"):
        AvoidingDemonstrator(style="crazy")  # pyright: ignore[reportArgumentType]
