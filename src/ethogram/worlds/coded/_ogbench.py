"""OGBench's envs with their randomness tamed, as goal-conditioned envs of one kind, for the world `ogbench`."""

from __future__ import annotations

import importlib
from typing import Any, Literal

import gymnasium
import numpy as np
import ogbench  # noqa: F401  (registers its envs)
from gymnasium.spaces import Box, Dict
from ogbench.manipspace.oracles.markov.button_markov import ButtonMarkovOracle
from ogbench.manipspace.oracles.markov.cube_markov import CubeMarkovOracle
from ogbench.manipspace.oracles.markov.drawer_markov import DrawerMarkovOracle
from ogbench.manipspace.oracles.markov.window_markov import WindowMarkovOracle
from ogbench.manipspace.oracles.plan.button_plan import ButtonPlanOracle
from ogbench.manipspace.oracles.plan.cube_plan import CubePlanOracle
from ogbench.manipspace.oracles.plan.drawer_plan import DrawerPlanOracle
from ogbench.manipspace.oracles.plan.window_plan import WindowPlanOracle

from ethogram.errors import ConfigError
from ethogram.worlds.coded._wrapped import Luck
from ethogram.worlds.rendering import cheap

mujoco: Any = importlib.import_module("mujoco")
KINDS = ("cube", "scene", "puzzle", "pointmaze", "antmaze", "humanoidmaze", "antsoccer")
ORACLES = {
    "plan": {"cube": CubePlanOracle, "button": ButtonPlanOracle, "drawer": DrawerPlanOracle, "window": WindowPlanOracle},
    "markov": {
        "cube": CubeMarkovOracle,
        "button": ButtonMarkovOracle,
        "drawer": DrawerMarkovOracle,
        "window": WindowMarkovOracle,
    },
}


class Bench(gymnasium.Env[Any, np.ndarray]):
    """One of OGBench's envs, as the world `ogbench` shows it (whose docstring explains the arguments)."""

    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(
        self,
        name: str,
        play: bool,
        task: int | None,
        oracle_goals: bool,
        oracle: Literal["plan", "markov"],
        pixels: bool,
        steps: int | None,
    ) -> None:
        kind = name.partition("-")[0]
        spec = gymnasium.registry.get(f"visual-{name}-v0" if pixels else f"{name}-v0")
        if kind not in KINDS or spec is None or "singletask" in name:
            known = [i[:-3] for i in gymnasium.registry if i.partition("-")[0] in KINDS and "singletask" not in i]
            raise ConfigError(f"OGBench has no env {name!r}{' with images' * pixels}; it has: {', '.join(sorted(known))}")
        self._env: Any
        self._arm, self._play, self._task, self._oracle_goals = kind in KINDS[:3], play, task, oracle_goals
        if play and not self._arm and kind != "pointmaze":
            raise ConfigError(f"there is nobody to play in {name}: that needs a trained policy; use mode='task'")
        if task is not None and not 1 <= task <= 5:
            raise ConfigError(f"OGBench's envs have tasks 1 to 5, not {task}")
        options: dict[str, Any] = {"use_oracle_rep": oracle_goals, "terminate_at_goal": not play}
        if self._arm:
            options |= {"mode": "data_collection" if play else "task", "visualize_info": not pixels}
        with Luck(0):
            env: Any = gymnasium.make(spec, disable_env_checker=True, **options).unwrapped
            self._env = env
            self._tame()
            env.reset(seed=0)
            self._start = env.compute_observation if self._arm else env.get_ob
            seen = self._seen(self._start())
        self._ways = {thing: way(env=env) for thing, way in ORACLES[oracle].items()} if self._arm else {}
        self.steps = steps or (1000 if play else spec.max_episode_steps or 1000)
        self.observation_space = Dict({key: _space(value) for key, value in seen.items()})
        self.action_space = Box(-1.0, 1.0, env.action_space.shape or (), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        self._env.action_space.seed(int(self.np_random.integers(2**31)))
        seen, self._info = self._env.reset(seed=int(self.np_random.integers(2**31)), options=self._chosen(options))
        self._way, self._done, self.reached, self.success = None, 0, 0, False
        self._goal = self._info.get("goal")
        return self._seen(seen), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        seen, _, ended, _, self._info = self._env.step(np.asarray(action, np.float64))
        self._done += 1
        success = bool(self._info["success"])
        self.success |= success
        if self._play and (self._way.done if self._way else success):
            self.reached += success
            self._next_target()
        late = self._done >= self.steps and not ended
        return self._seen(seen), float(success), bool(ended), late, {"success": success}

    def expert(self) -> np.ndarray:
        """What the shipped oracle does now: towards the target of play, or through the maze."""
        if not self._arm:
            if not hasattr(self._env, "cur_goal_xy") or self.action_space.shape != (2,):
                raise ConfigError("OGBench ships no expert for legs: it needs a trained policy there")
            here = self._env.get_xy()
            way = self._env.get_oracle_subgoal(here, self._env.cur_goal_xy)[0] - here
            if self._env.xy_to_ij(here) == self._env.xy_to_ij(self._env.cur_goal_xy):
                way = np.array(self._env.cur_goal_xy) - here
            return (way / (np.linalg.norm(way) + 1e-6)).astype(np.float32)
        if not self._play:
            raise ConfigError("OGBench's oracles act on targets of play only; use mode='play'")
        if self._way is None:
            self._begin(self._info)
        action = self._way.select_action(None, self._info)  # type: ignore[union-attr]
        return np.clip(action, -1, 1).astype(np.float32)

    def render(self) -> np.ndarray:
        return np.array(self._env.render())

    def close(self) -> None:
        renderer = getattr(self._env, "_renderer", None) or getattr(self._env, "custom_renderer", None)
        if renderer is not None:
            renderer.close()

    def _chosen(self, options: dict[str, Any] | None) -> dict[str, Any]:
        """What the env is reset with: the number of a task, or in play in a maze two of its cells."""
        if self._play:
            return {} if self._arm else {"task_info": dict(zip(("init_ij", "goal_ij"), self._cells(2), strict=True))}
        task = (options or {}).get("task", self._task)
        return {"task_id": int(self.np_random.integers(1, 6)) if task is None else task}

    def _cells(self, number: int) -> list[tuple[int, int]]:
        """Different free cells of the maze, drawn."""
        free = np.argwhere(self._env.maze_map == 0)
        return [tuple(free[i].tolist()) for i in self.np_random.choice(len(free), number, replace=False)]

    def _next_target(self) -> None:
        """Play goes on to a new target."""
        if self._arm:
            self._info = self._env.set_new_target()[1]
            if self._way is not None:
                self._begin(self._info)
        else:
            self._env.set_goal(goal_xy=self._env.add_noise(self._env.ij_to_xy(self._cells(1)[0])))
            self._goal = np.array(self._env.cur_goal_xy)

    def _begin(self, info: dict[str, Any]) -> None:
        self._way = self._ways[info["privileged/target_task"]]
        self._way.reset(None, info)

    def _seen(self, observation: np.ndarray) -> dict[str, np.ndarray]:
        """The observation with the goal reached and the goal asked for; play with things has none: it is zero."""
        achieved = observation
        if self._oracle_goals and self._arm:
            achieved = self._env.compute_oracle_observation()
        elif self._oracle_goals:
            ball = getattr(self._env, "get_agent_ball_xy", None)
            achieved = ball()[1] if ball else self._env.get_xy()
        asked = getattr(self, "_goal", None)
        desired = np.zeros_like(achieved) if asked is None else asked
        return {"observation": _small(observation), "achieved_goal": _small(achieved), "desired_goal": _small(desired)}

    def _tame(self) -> None:
        """Give the env an action space that keeps its seed (it makes a new one each time), and cheap pictures."""
        env = self._env
        if self._arm:
            space = Box(-1.0, 1.0, (5,), np.float32)
            env.__class__ = type("Tamed", (type(env),), {"action_space": property(lambda _: space)})
            env._initialize_renderer = self._arm_renderer
        else:
            env.initialize_renderer = self._maze_renderer

    def _arm_renderer(self) -> None:
        env = self._env
        env._renderer = cheap(env._model, env._render_height, env._render_width)
        mujoco.mjv_defaultFreeCamera(env._model, env._camera)

    def _maze_renderer(self) -> None:
        env = self._env
        env.custom_camera = mujoco.MjvCamera()
        mujoco.mjv_defaultFreeCamera(env.model, env.custom_camera)
        env.custom_renderer = cheap(env.model, env.height, env.width)


def _small(values: Any) -> np.ndarray:
    """An image as it is, numbers as float32."""
    array = np.array(values)
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _space(value: np.ndarray) -> Box:
    if value.dtype == np.uint8:
        return Box(0, 255, value.shape, np.uint8)
    return Box(-np.inf, np.inf, value.shape, np.float32)
