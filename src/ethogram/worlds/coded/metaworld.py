"""Meta-World: fifty table-top tasks of one robot arm."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict

from ethogram.errors import ConfigError
from ethogram.world import Step
from ethogram.worlds.coded._wrapped import Wrapped, needed
from ethogram.worlds.rendering import Camera

__all__ = ["MetaWorld"]

CAMERAS = ("corner", "corner2", "corner3", "topview", "gripperPOV", "behindGripper")


class MetaWorld(Wrapped):
    """One or several of Meta-World's 50 tasks (Yu et al., CoRL 2019, arXiv 1910.10897; package metaworld, MIT).

    Actions, float32 (4,) in [-1, 1]: how the hand moves (x, y, z; 1 is 1 cm a step before the arm's lag) and the fingers'
    effort. Observation, float32 (39,): hand (3, metres), finger opening (1), up to two objects (position 3 and quaternion 4
    each, zeros where there are none), the same 18 numbers one step earlier, and the goal (3). The seed of an episode fixes
    where objects and goal are. Outcome: `success` (at any time in the episode), `task` (its number in `tasks`), `steps`.

    Args:
        task: a task's name, such as `reach` or `reach-v3`, or several: each episode then draws one. `reset` takes
            `options={"task": name}`.
        goal: whether the goal is seen; else its three numbers are 0.
        which: whether a one-hot code of the task is appended to the observation; None: where there are several tasks.
        pixels: side of an image in pixels; the observation is then `Dict(image, hand)`: uint8 (pixels, pixels, 3), and
            hand and finger opening, float32 (4,), with the one-hot code if there is one.
        steps: length of an episode, at most 500.
        stop: whether the episode ends at success.
        camera: of the images: corner, corner2, corner3 (these hang upside down; the images do not), topview, gripperPOV or
            behindGripper.

    Raises:
        ConfigError: there is no such task or camera, or metaworld is not installed.
    """

    def __init__(
        self,
        task: str | Sequence[str] = "reach",
        goal: bool = True,
        which: bool | None = None,
        pixels: int | None = None,
        steps: int = 500,
        stop: bool = False,
        camera: str = "corner2",
    ) -> None:
        env = _Tasks(task, goal, which, pixels, steps, stop, camera)
        super().__init__(env)
        self.metadata = {"name": "metaworld", "render_modes": ["rgb_array"]}
        self.expected_steps = steps
        self.tasks: tuple[str, ...] = env.names

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode of the task drawn, or of `options["task"]`."""
        self._success = False
        return super().reset(seed, options)

    def step(self, actions: Mapping[str, Any]) -> Step:
        """One control step of 12.5 ms."""
        seen = super().step(actions)
        self._success |= bool(seen[4][self.possible_agents[0]]["success"])
        return seen

    @property
    def task(self) -> str:
        """The name of this episode's task, without the version."""
        return self.tasks[self.env.unwrapped.index]  # type: ignore[attr-defined]

    def outcome(self) -> dict[str, float]:
        """Success at any time in the episode, the task's number and the number of steps."""
        index = self.env.unwrapped.index  # type: ignore[attr-defined]
        return {"success": float(self._success), "task": float(index), "steps": float(len(self._actions))}

    def _advised(self) -> np.ndarray:
        return self.env.unwrapped.expert()  # type: ignore[attr-defined]


class _Tasks(gymnasium.Env[Any, np.ndarray]):
    """Meta-World's envs, each made when it is first drawn, as one env."""

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(
        self,
        task: str | Sequence[str],
        goal: bool,
        which: bool | None,
        pixels: int | None,
        steps: int,
        stop: bool,
        camera: str,
    ) -> None:
        self._kinds: dict[str, Any] = needed("metaworld.env_dict").ALL_V3_ENVIRONMENTS
        self._experts: dict[str, Any] = needed("metaworld.policies").ENV_POLICY_MAP
        tasks = [task] if isinstance(task, str) else list(task)
        self.names = tuple(name.removesuffix("-v3") for name in tasks)
        unknown = [name for name in self.names if f"{name}-v3" not in self._kinds]
        if unknown or not tasks:
            known = ", ".join(sorted(name.removesuffix("-v3") for name in self._kinds))
            raise ConfigError(f"Meta-World has no task {', '.join(unknown) or '(none given)'}; it has: {known}")
        if not 1 <= steps <= 500:
            raise ConfigError(f"an episode of Meta-World has 1 to 500 steps, not {steps}")
        if camera not in CAMERAS:
            raise ConfigError(f"Meta-World has no camera {camera!r}; it has: {', '.join(CAMERAS)}")
        self._goal, self._pixels, self._steps, self._stop, self._camera = goal, pixels, steps, stop, camera
        self._code = (len(tasks) > 1) if which is None else which
        self._envs: dict[int, Any] = {}
        self._cameras: dict[tuple[int, int], Camera] = {}
        self.index, self._done = 0, 0
        extra = len(tasks) * self._code
        state = Box(-np.inf, np.inf, ((4 if pixels else 39) + extra,), np.float32)
        image = Box(0, 255, (pixels or 0, pixels or 0, 3), np.uint8)
        self.observation_space = Dict(image=image, hand=state) if pixels else state
        self.action_space = Box(-1.0, 1.0, (4,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.index = int(self.np_random.integers(len(self.names)))
        if options and "task" in options:
            if options["task"].removesuffix("-v3") not in self.names:
                raise ConfigError(f"task {options['task']!r} is not among this world's: {', '.join(self.names)}")
            self.index = self.names.index(options["task"].removesuffix("-v3"))
        env, self._done = self._env(), 0
        env.seed(int(self.np_random.integers(2**31)))
        self._full = env.reset()[0]
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._full, reward, _, _, info = self._env().step(np.asarray(action, np.float64))
        self._done += 1
        success = bool(info["success"])
        ended = self._stop and success
        late = self._done >= self._steps and not ended
        return self._seen(), float(reward), ended, late, {"success": success}

    def expert(self) -> np.ndarray:
        """The action of the scripted policy that ships for the task; it sees the goal even where the agent does not."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of its own gains, which exceed the action's range
            action = self._experts[f"{self.names[self.index]}-v3"]().get_action(self._full)
        return np.clip(action, -1, 1).astype(np.float32)

    def render(self) -> np.ndarray:
        return self._picture(self._pixels or 240)

    def close(self) -> None:
        for camera in self._cameras.values():
            camera.close()
        self._cameras.clear()

    def _env(self) -> Any:
        if self.index not in self._envs:
            env = self._kinds[f"{self.names[self.index]}-v3"]()
            env._set_task_called = True
            env._partially_observable = False  # the goal is hidden here, from the agent only
            env.__dict__.pop("sawyer_observation_space", None)
            env._freeze_rand_vec, env.seeded_rand_vec = False, True
            self._envs[self.index] = env
        return self._envs[self.index]

    def _seen(self) -> Any:
        state = np.array(self._full[:4] if self._pixels else self._full, np.float32)
        if not self._pixels and not self._goal:
            state[36:] = 0
        if self._code:
            state = np.concatenate([state, np.eye(len(self.names), dtype=np.float32)[self.index]])
        return {"image": self._picture(self._pixels), "hand": state} if self._pixels else state

    def _picture(self, side: int) -> np.ndarray:
        env = self._env()
        if (self.index, side) not in self._cameras:
            self._cameras[self.index, side] = Camera(env.model, side, side, self._camera)
        picture = self._cameras[self.index, side].take(env.data)
        return picture[::-1, ::-1].copy() if self._camera.startswith("corner") else picture
