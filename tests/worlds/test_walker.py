"""The walker is dm_control's: the same observations and rewards for the same actions."""

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.worlds.coded.walker import Walker


@pytest.mark.parametrize("task", ["stand", "walk", "run"])
def test_it_is_the_suite_s_walker(task: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dm_control import suite
    world = Walker(task)  # type: ignore[arg-type]
    start = world.reset(seed=3)[0]["walker"]
    original = suite.load("walker", task)
    original.reset()
    with original.physics.reset_context():
        original.physics.data.qpos[:] = world._env.physics.data.qpos
    rng = np.random.default_rng(0)
    for _ in range(50):
        action = rng.uniform(-1, 1, 6)
        seen, rewards, *_ = world.step({"walker": action})
        step = original.step(action)
        expected = np.concatenate([np.ravel(part) for part in step.observation.values()])
        assert np.allclose(seen["walker"], expected, atol=1e-5)
        assert rewards["walker"] == pytest.approx(step.reward, abs=1e-6)
    assert start.shape == (24,)


def test_repeated_actions_sum_rewards_and_blindness_hides_velocities() -> None:
    once, twice = Walker("walk"), Walker("walk", velocities=False, repeat=2)
    one, two = once.reset(seed=1)[0]["walker"], twice.reset(seed=1)[0]["walker"]
    assert two.shape == (15,) and np.array_equal(one[:15], two)
    action = np.full(6, 0.3)
    rewards = 0.0
    for _ in range(2):
        seen, got, *_ = once.step({"walker": action})
        rewards += got["walker"]
    other, got, *_ = twice.step({"walker": action})
    assert np.array_equal(seen["walker"][:15], other["walker"]) and got["walker"] == pytest.approx(rewards)
    assert once.now == twice.now == pytest.approx(0.05) and twice.expected_steps == 500


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="no task 'fly'"):
        Walker("fly")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="repeat = 3 does not divide"):
        Walker(repeat=3)
