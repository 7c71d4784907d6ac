"""The point mass: its law of motion, its picture, its expert, and that the goal is not to be seen."""

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.worlds.coded.point_mass import PointMass, disc


def test_it_moves_by_the_stated_law() -> None:
    world = PointMass(goal=(0.1, 0.0))
    world.reset(seed=3)
    world.position, world.velocity = np.zeros(2), np.array([0.0, 0.1])
    seen = world.step({"agent": np.array([1.0, -0.5], np.float32)})[0]["agent"]
    # v after a sub-step: v / 3 + 0.2 a; x then grows by 0.02 v
    position, velocity = np.zeros(2), np.array([0.0, 0.1])
    for _ in range(5):
        velocity = velocity / 3 + 0.2 * np.array([1.0, -0.5])
        position = position + 0.02 * velocity
    np.testing.assert_allclose(seen, [*position, *velocity], rtol=1e-5)
    for _ in range(30):
        world.step({"agent": np.array([1.0, 0.0], np.float32)})
    assert world.position[0] == 0.3 and world.velocity[0] == 0


def test_the_expert_arrives_and_nobody_is_shown_where() -> None:
    pictures = []
    for goal in ((0.25, -0.2), (-0.1, 0.29)):
        world = PointMass(pixels=32, goal=goal)
        pictures.append(world.reset(seed=5)[0]["agent"])
        while world.agents:
            world.step({"agent": world.advise()})
        assert world.outcome()["success"] == 1 and world.outcome()["distance"] < 0.005
        assert (world.outcome()["goal_x"], world.outcome()["goal_y"]) == goal
    np.testing.assert_array_equal(*pictures)


def test_the_picture_shows_where_the_disc_is() -> None:
    for position in (np.array([0.0, 0.0]), np.array([0.2, -0.13])):
        picture = disc(position, 48).astype(float)
        assert picture.sum() / 255 * (0.7 / 48) ** 2 == pytest.approx(np.pi * 0.03**2, rel=0.05)
        rows, columns = np.indices(picture.shape)
        centre = [(columns * picture).sum(), (rows * picture).sum()] / picture.sum()
        across, down = (centre + 0.5) * 0.7 / 48 - 0.35
        assert (across, -down) == pytest.approx(position, abs=0.002)  # y points up


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="8 pixels"):
        PointMass(pixels=4)
    with pytest.raises(ConfigError, match="between"):
        PointMass(goal=(0.5, 0.0))
