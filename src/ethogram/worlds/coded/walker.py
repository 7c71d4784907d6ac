"""The planar walker of dm_control: a torso on two legs that has to stand, walk or run."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import mujoco
import numpy as np
from gymnasium.spaces import Box

from ethogram.errors import ConfigError
from ethogram.world import Step, World
from ethogram.worlds.rendering import Camera

with warnings.catch_warnings():  # it looks for a screen when it is imported, and warns where there is none
    warnings.simplefilter("ignore")
    from dm_control import suite

__all__ = ["Walker"]

STEPS = 1000
"""Control steps of an episode, of 0.025 seconds each."""
MUJOCO: Any = mujoco  # its names are made at run time, unseen by type checkers
PHYSICS = MUJOCO.mjtState.mjSTATE_INTEGRATION
VELOCITIES = 9


class Walker(World):
    """`walker` of the DeepMind Control Suite (Tassa et al. 2018, arXiv 1801.00690, section 3; package dm_control).

    Actions, shape (6,) in [-1, 1], are the torques at hips, knees and ankles. An observation, shape (24,), is the planar
    orientation of the seven bodies (14 entries: cosine and sine of each), the height of the torso in metres (1) and the
    velocities (9: the root's in m/s, then the joints' in rad/s). The reward of a control step lies in [0, 1]: for a torso
    that is high and upright, times one for its horizontal speed where the task asks for speed. An episode is cut off after
    1000 control steps, so that the best return is 1000 whatever `repeat`.

    Args:
        task: `stand` (no speed is asked), `walk` (1 m/s) or `run` (8 m/s).
        velocities: whether velocities are seen. Without them the state is not: what Zhang et al. (NeurIPS 2023) call LPOMDP.
        repeat: control steps for which each action is held; a world's step gives the sum of their rewards.

    Raises:
        ConfigError: another task, or a `repeat` that does not divide 1000.
    """

    metadata = {"name": "walker", "render_modes": ["rgb_array"]}
    time_unit = "second"
    state_fields = ("taken", "physics")
    expected_steps = STEPS

    def __init__(
        self, task: Literal["stand", "walk", "run"] = "walk", velocities: bool = True, repeat: int = 1, agent: str = "walker"
    ) -> None:
        if task not in ("stand", "walk", "run"):
            raise ConfigError(f"the walker has no task {task!r}; it has: stand, walk, run")
        if repeat < 1 or STEPS % repeat:
            raise ConfigError(f"repeat = {repeat} does not divide the {STEPS} steps of an episode")
        self.velocities, self.repeat, self.taken = velocities, repeat, 0
        self.expected_steps = STEPS // repeat
        self._env = suite.load("walker", task)
        self._camera: Camera | None = None
        self._substeps = round(self._env.control_timestep() / self._env.physics.timestep())
        self.possible_agents, self.agents = [agent], []
        size = 15 + VELOCITIES * velocities
        self.observation_spaces = {agent: Box(-np.inf, np.inf, (size,), np.float32)}
        self.action_spaces = {agent: Box(-1.0, 1.0, (6,), np.float32)}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Fall from joint angles drawn at random."""
        super().reset(seed)
        assert self.rng is not None
        self._env.task.random.seed(int(self.rng.integers(2**31)))
        self._env.reset()
        self.taken = 0
        return {a: self._seen() for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: dict[str, Any]) -> Step:
        """Hold the action for `repeat` control steps."""
        (agent,) = self.agents
        physics, task = self._env.physics, self._env.task
        reward = 0.0
        for _ in range(self.repeat):
            task.before_step(np.clip(np.asarray(actions[agent], np.float64), -1, 1), physics)
            physics.step(self._substeps)
            reward += float(task.get_reward(physics))
        self.taken += self.repeat
        over = self.taken >= STEPS
        if over:
            self.agents = []
        return {agent: self._seen()}, {agent: reward}, {agent: False}, {agent: over}, {agent: {}}

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self.taken * self._env.control_timestep()

    def render(self) -> np.ndarray:
        """The walker from its side, followed by the camera, uint8 (240, 320, 3)."""
        if self._camera is None:
            self._camera = Camera(self._env.physics.model.ptr, 240, 320, camera="side")
        return self._camera.take(self._env.physics.data.ptr)

    @property
    def physics(self) -> np.ndarray:
        """The complete state of the integrator, float64."""
        model, data = self._env.physics.model.ptr, self._env.physics.data.ptr
        state = np.empty(MUJOCO.mj_stateSize(model, PHYSICS))
        MUJOCO.mj_getState(model, data, state, PHYSICS)
        return state

    @physics.setter
    def physics(self, state: np.ndarray) -> None:
        model, data = self._env.physics.model.ptr, self._env.physics.data.ptr
        MUJOCO.mj_setState(model, data, state, PHYSICS)
        MUJOCO.mj_step1(
            model, data
        )  # dm_control steps in halves: between two steps, all that follows from positions is known

    def _seen(self) -> np.ndarray:
        seen = self._env.task.get_observation(self._env.physics)
        parts = [seen["orientations"], [seen["height"]], *([seen["velocity"]] if self.velocities else [])]
        return np.concatenate(parts).astype(np.float32)
