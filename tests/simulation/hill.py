"""A small gymnasium env with a goal, and policies that play it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

from ethogram.policy import Policy, coded
from ethogram.scene import scene
from ethogram.session import current
from ethogram.world import GymWorld


class Hill(gymnasium.Env[Any, Any]):
    """A ball on a line with a goal; episodes end at different times. It writes every observation into the same arrays.

    In the `die_at`-th step since it was made, the process is killed.
    """

    def __init__(self, die_at: int = -1) -> None:
        self.left = die_at
        place = Box(-np.inf, np.inf, (2,), np.float32)
        self.observation_space = Dict({"observation": place, "desired_goal": Box(-3, 3, (1,))})
        self.action_space = Discrete(3)
        self._seen = {"observation": np.zeros(2, np.float32), "desired_goal": np.zeros(1, np.float32)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self._seen["observation"][:] = self.np_random.normal(size=2)
        self._seen["desired_goal"][:] = self.np_random.uniform(-3, 3)
        return self._seen, {}

    def step(self, action: int) -> Any:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        place = self._seen["observation"]
        place[1] += 0.1 * (int(action) - 1) + self.np_random.normal(0, 0.05)
        place[0] += place[1]
        gap = float(abs(place[0] - self._seen["desired_goal"][0]))
        return self._seen, -gap, bool(abs(place[0]) > 6), False, {"is_success": np.bool_(gap < 0.3), "gap": gap, "note": "x"}


def climb(seen: Mapping[str, Any], space: Any, rng: np.random.Generator) -> int:
    """Towards the goal, or anywhere."""
    if rng.random() < 0.2:
        return int(rng.integers(3))
    place, speed = seen["observation"]
    return int(np.clip(round(float(seen["desired_goal"][0] - place - 4 * speed)), -1, 1)) + 1


@scene
def hill(die_at: int = -1) -> Any:
    """A ball on a hill; the process dies at an episode's reset if told so."""
    policy = coded(climb)
    return GymWorld(Hill()), policy if die_at < 0 else Dying(die_at)


def stumble(seen: Mapping[str, Any], space: Any, rng: np.random.Generator) -> Any:
    """As `climb`, but now and then out of the space or nothing at all; and it thinks aloud."""
    if rng.random() < 0.05 and (session := current()) is not None:
        session.note("agent", "thought", {"place": float(seen["observation"][0])})
    return climb(seen, space, rng) if rng.random() < 0.9 else rng.choice(np.array([None, 7, np.int64(2)], object))


@scene
def walk() -> Any:
    """A ball on a hill, moved with stumbles; `DIE_AT` in the environment says in which step the process is killed."""
    return GymWorld(Hill(int(os.environ.get("DIE_AT", "-1")))), coded(stumble)


class Dying(Policy):
    """Ends its process after some resets."""

    def __init__(self, after: int) -> None:
        self.left = after

    def reset(self, seed: int, agents: Any) -> None:
        self.left -= 1
        if self.left < 0:
            os._exit(7)

    def act(self, observations: Mapping[str, Any], spaces: Any) -> dict[str, Any]:
        return dict.fromkeys(observations, 1)


def heedless(seen: Mapping[str, Any], space: Any) -> int:
    """An action that is none on the right half of the line."""
    return 7 if seen["observation"][0] > 0 else 1


@scene
def careless() -> Any:
    """A ball on a hill, whose policy does not heed its space."""
    return GymWorld(Hill()), coded(heedless)
