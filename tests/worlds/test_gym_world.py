"""What a gymnasium env of one's own may hand back, and what is refused in a sentence."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ethogram import GymWorld
from ethogram.errors import ConfigError


class Own(gym.Env):
    """Two steps that end with whatever it is told to hand back."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, info: Any = None, begin: Any = None, end: Any = None) -> None:
        self.begin = (np.zeros(2, np.float32), {}) if begin is None else begin
        self.end = (np.zeros(2, np.float32), 0.0, True, False, info) if end is None else end

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.begin

    def step(self, action):
        return self.end


@pytest.mark.parametrize(("success", "value"), [(True, 1), (np.False_, 0), (1.0, 1), (0, 0), (np.array([True]), 1)])
def test_a_success_of_either_kind_is_counted(success, value):
    world = GymWorld(Own({"success": success}))
    world.reset(seed=0)
    world.step({"agent": 0})
    assert world.outcome()["success"] == value


@pytest.mark.parametrize("success", ["no", 0.7, float("nan"), np.array([True, False])])
def test_a_success_that_is_neither_is_refused_and_not_counted(success):
    world = GymWorld(Own({"success": success}))
    world.reset(seed=0)
    with pytest.raises(ConfigError, match="must be True or False"):
        world.step({"agent": 0})


def test_an_env_of_gym_s_old_layout_is_refused():
    with pytest.raises(ConfigError, match="reset of Own gives no"):
        GymWorld(Own(begin=np.zeros(2, np.float32))).reset(seed=0)  # two numbers are no observation and info
    world = GymWorld(Own(end=(np.zeros(2, np.float32), 0.0, True, {})))
    world.reset(seed=0)
    with pytest.raises(ConfigError, match="gives 4 values"):
        world.step({"agent": 0})


def test_a_reward_that_is_no_number_is_refused():
    world = GymWorld(Own(end=(np.zeros(2, np.float32), None, True, False, {})))
    world.reset(seed=0)
    with pytest.raises(ConfigError, match="gives the reward None, which is no number"):
        world.step({"agent": 0})


def test_an_env_whose_reset_takes_no_seed_is_refused():
    class Seedless(Own):
        def reset(self):
            return self.begin

    with pytest.raises(ConfigError, match=r"reset of Seedless takes \(\); gymnasium wants reset\(self, \*, seed=None"):
        GymWorld(Seedless())


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (np.array([0, 3], np.float32), r"float32 of shape \(2,\) from 0 to 3"),
        (np.zeros(3, np.float32), r"float32 of shape \(3,\)"),
        (np.zeros(2), r"float64 of shape \(2,\)"),
    ],
)
def test_a_first_observation_outside_its_space_is_warned_of_once(seen, said):
    world = GymWorld(Own(begin=(seen, {})))
    with pytest.warns(RuntimeWarning, match=f"reset of Own gives {said}.*no member of its observation_space"):
        world.reset(seed=0)
    world.reset(seed=1)  # and not again: warnings are errors here
