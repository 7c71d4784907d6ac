"""Every world of the registry, and real gymnasium envs, keep the contract."""

import warnings
from functools import partial

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from ethogram import worlds
from ethogram.errors import ConfigError
from ethogram.world import GymWorld
from ethogram.worlds.testing import Act, check_world

ACTS = {
    "town": [
        Act(3, "tell", {"agent": "Otto Varga", "text": "The bridge is closed."}),
        Act(5, "announce", {"place": "Village Green", "text": "It will rain."}),
        Act(8, "set_thing", {"place": "Mill Kitchen", "thing": "kettle", "state": "broken"}),
        Act(20, "close_place", {"place": "Mill Kitchen"}),
        Act(60, "reopen_place", {"place": "Mill Kitchen"}),
    ]
}
TAXI = "Taxi-v4" if "Taxi-v4" in gymnasium.registry else "Taxi-v3"
ENVS = ("CartPole-v1", TAXI, "Pendulum-v1", "FrozenLake-v1", "MountainCarContinuous-v0", "Blackjack-v1", "Acrobot-v1")


BODIES = {"babyai", "car_racing", "metaworld", "ogbench", "pointmaze", "pusht", "take_cover"}
"""Slow ones, which test_bodies.py checks with fewer steps."""


@pytest.mark.parametrize("name", sorted(set(worlds.names()) - BODIES))
def test_world(name: str) -> None:
    check_world(partial(worlds.make, name))


@pytest.mark.parametrize("name", list(ACTS))
def test_world_with_interventions(name: str) -> None:
    check_world(partial(worlds.make, name), interventions=ACTS[name], steps=120)


@pytest.mark.parametrize("name", ENVS)
def test_gymnasium_env(name: str) -> None:
    env = gymnasium.make(name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*A Box observation space m.*infinity.*")
        warnings.filterwarnings("ignore", message=".*we recommend using a symmetric and normalized space.*")
        warnings.filterwarnings("ignore", message=".*not initialized with a gymnasium spec.*")
        check_env(env.unwrapped, skip_render_check=True)
    check_world(partial(GymWorld, name), steps=60, fresh_process=name in (TAXI, "Pendulum-v1"))


def test_what_is_no_env_is_refused_in_a_sentence():
    class Bare(gymnasium.Env):
        pass

    for wrong in (Bare, Bare(), 3):
        with pytest.raises(ConfigError, match="wants a gymnasium env"):
            GymWorld(wrong)
