"""OGBench: reach goals by moving cubes, a drawer, a window and buttons with an arm, or through mazes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ethogram.errors import ConfigError
from ethogram.worlds.coded._wrapped import Wrapped, needed

__all__ = ["OGBench"]


class OGBench(Wrapped):
    """An env of OGBench (Park et al., ICLR 2025, arXiv 2410.20092; package ogbench, MIT), goal-conditioned.

    Observation: `Dict(observation, achieved_goal, desired_goal)`, float32, or uint8 images. Actions in [-1, 1]: for the arm
    (5,) how the hand moves (x, y, z), turns and closes in a control step of 50 ms; for mazes what the body takes. Reward: 1
    in steps in which the goal is met. Outcome: `success`; in play also `reached`, the number of targets met.

    The env's randomness, part of which is global or from the clock, is replaced by the world's.

    Args:
        env: cube-single, cube-double, cube-triple, cube-quadruple, cube-octuple, scene, puzzle-3x3 (4x4, 4x5, 4x6),
            pointmaze-medium (large, giant, teleport), antmaze-..., humanoidmaze-..., antsoccer-arena (medium).
        mode: `task`: one of five tasks, which ends when its goal is met. `play`: targets without end, which is how data are
            collected: for the arm `desired_goal` is then zero, to be relabelled; only for the arm and pointmaze.
        task: its number, 1 to 5; None: drawn for each episode. `reset` takes `options={"task": number}`.
        goals: whether goals are whole observations (`state`, the benchmark's way) or what counts (`oracle`: positions of
            cubes times 10 around the table's centre, states of buttons and so on, or of the body or ball in mazes).
        oracle: the expert of play (`advise`): `plan` follows a noisy plan, `markov` reacts. In point mazes it is the
            direction of the shortest way.
        pixels: observe images of 64 x 64 (arm, antmaze, humanoidmaze).
        steps: length of an episode; None: the benchmark's (200 to 4000), 1000 in play.

    Raises:
        ConfigError: there is no such env, or it has no play, or ogbench is not installed.
    """

    global_luck = True

    def __init__(
        self,
        env: str = "cube-single",
        mode: Literal["task", "play"] = "task",
        task: int | None = None,
        goals: Literal["state", "oracle"] = "state",
        oracle: Literal["plan", "markov"] = "plan",
        pixels: bool = False,
        steps: int | None = None,
    ) -> None:
        for name, value, known in (
            ("mode", mode, ("task", "play")),
            ("goals", goals, ("state", "oracle")),
            ("oracle", oracle, ("plan", "markov")),
        ):
            if value not in known:
                raise ConfigError(f"{name} of OGBench is {known[0]!r} or {known[1]!r}, not {value!r}")
        needed("ogbench")
        module = needed("ethogram.worlds.coded._ogbench")
        self._bench = module.Bench(env, mode == "play", task, goals == "oracle", oracle, pixels, steps)
        super().__init__(self._bench)
        self.metadata = {"name": "ogbench", "render_modes": ["rgb_array"]}
        self.expected_steps = self._bench.steps

    def outcome(self) -> dict[str, float]:
        """Whether the goal was met at any time, and in play how many targets were."""
        return {"success": float(self._bench.success), "reached": float(self._bench.reached)}

    def _advised(self) -> np.ndarray:
        return self._bench.expert()

    def render(self) -> Any:
        """A picture of the scene."""
        return self._bench.render()
