"""Obstacle avoidance with 24 ways through: the D3IL benchmark's "avoiding" task, rebuilt without the robot arm."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from ethogram.world import Step, World
from ethogram.worlds.rendering import Canvas

START = np.array([0.525, -0.28])
OBSTACLES = np.array([[0.5, -0.1], [0.425, 0.08], [0.575, 0.08], [0.35, 0.26], [0.5, 0.26], [0.65, 0.26]])
RADII = np.array([0.03, 0.025, 0.025, 0.025, 0.025, 0.025])
ROD = 0.01
FINISH = 0.35
ROWS = ((-0.1, (0.5,)), (0.08, (0.425, 0.575)), (0.26, (0.35, 0.5, 0.65)))
WORKSPACE = np.array([[0.15, -0.4], [0.85, 0.45]])
REACH = 0.03
SUBSTEPS, TICK, STIFFNESS = 35, 0.001, 30.0


class Avoiding(World):
    """Lead a rod past three rows of obstacles to a finish line; there are 2 x 3 x 4 = 24 ways, and all are right.

    Source: Jia et al., "Towards Diverse Behaviors" (D3IL, ICLR 2024), obstacle avoidance, and its published environment:
    start, obstacles and their radii, finish line, observation, action, control step and the rod's radius are the paper's.
    All lengths are metres in the table's plane.

    Observation, float32 (4,): the desired point (x, y), then the rod (x, y). Action, float32 (2,): how the desired point
    moves in this control step of 35 ms. The episode ends with a collision (failure), beyond y = 0.35 (success) or after
    `steps` control steps. The reward is 1 on success. Every episode begins alike.

    What stands in for the arm and its impedance controller: the rod is a unit mass that follows the desired point p by
    x'' = w^2 (p - x) - 2 w x' (critically damped, w = 30 per second, so it lags a steady motion by 67 ms), integrated by
    semi-implicit Euler in 35 sub-steps of 1 ms; collisions are looked for after each. Actions are limited to 3 cm a step and
    the desired point to a workspace of 0.7 m x 0.85 m.

    Outcome: `success`; `mode`, the way taken on success, else -1; `steps`. The mode is `12 a + 4 b + c` where a, b and c
    count the obstacles of the first, second and third row that lie left of the rod (at smaller x) when it first reaches the
    row's y. (The original notes the side of the first two rows up to 3 cm before that.)
    """

    metadata = {"name": "avoiding", "render_modes": ["rgb_array"]}
    time_unit = "s"
    state_fields = ("desired", "rod", "velocity", "elapsed", "sides", "success")

    def __init__(self, steps: int = 150) -> None:
        self.steps = self.expected_steps = steps
        self.possible_agents, self.agents = ["agent"], []
        low, high = np.tile(WORKSPACE, 2).astype(np.float32)
        self.observation_spaces = {"agent": Box(low - np.float32(0.1), high + np.float32(0.1), (4,), np.float32)}
        self.action_spaces = {"agent": Box(-REACH, REACH, (2,), np.float32)}
        self.elapsed = 0

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self.elapsed * SUBSTEPS * TICK

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Put the rod at the start, at rest."""
        super().reset(seed)
        self.desired, self.rod, self.velocity = START.copy(), START.copy(), np.zeros(2)
        self.elapsed, self.success = 0, False
        self.sides: list[int] = []
        return {"agent": self._seen()}, {"agent": {}}

    def step(self, actions: dict) -> Step:
        """Move the desired point, and the rod after it for 35 ms."""
        move = np.clip(np.asarray(actions["agent"], np.float64), -REACH, REACH)
        self.desired = np.clip(self.desired + move, *WORKSPACE)
        path = self._follow()
        hit = (np.hypot(*(path[:, :, None] - OBSTACLES.T).transpose(1, 0, 2)) < RADII + ROD).any()
        for y, posts in ROWS[len(self.sides) :]:
            reached = np.flatnonzero(path[:, 1] >= y)
            if not len(reached):
                break
            self.sides.append(sum(path[reached[0], 0] > x for x in posts))
        self.success = bool(not hit and self.rod[1] > FINISH)
        self.elapsed += 1
        ended, late = bool(hit or self.success), self.elapsed >= self.steps
        if ended or late:
            self.agents = []
        rewards = {"agent": float(self.success)}
        return {"agent": self._seen()}, rewards, {"agent": ended}, {"agent": late and not ended}, {"agent": {}}

    def outcome(self) -> dict[str, float]:
        """Success, the way taken (-1 without success) and the number of control steps."""
        mode = 12 * self.sides[0] + 4 * self.sides[1] + self.sides[2] if self.success else -1
        return {"success": float(self.success), "mode": float(mode), "steps": float(self.elapsed)}

    def render(self) -> np.ndarray:
        """The table from above, uint8 (320, 320, 3): obstacles, the finish line, the desired point (small) and the rod."""
        low, side = WORKSPACE[0], float(np.max(WORKSPACE[1] - WORKSPACE[0]))
        canvas = Canvas(320, low, low + side, (236, 232, 225))
        line = np.array(
            [[low[0], FINISH], [low[0] + side, FINISH], [low[0] + side, FINISH + 0.006], [low[0], FINISH + 0.006]]
        )
        canvas.polygon(line, (74, 140, 92))
        for centre, radius in zip(OBSTACLES, RADII, strict=True):
            canvas.disc(centre, radius, (163, 65, 95))
        canvas.disc(self.rod, ROD, (47, 111, 159))
        canvas.disc(self.desired, ROD / 2, (31, 29, 26))
        return canvas.picture

    def _follow(self) -> np.ndarray:
        """Let the rod follow the desired point for one control step; returns where it was after each tick, (35, 2)."""
        state = np.stack([self.rod - self.desired, self.velocity])
        path = self.desired + _POSITIONS @ state
        self.rod, self.velocity = path[-1], _VELOCITY @ state
        return path

    def _seen(self) -> np.ndarray:
        return np.concatenate([self.desired, self.rod]).astype(np.float32)


def _response() -> tuple[np.ndarray, np.ndarray]:
    """How (deviation, velocity) at the start of a control step give the deviation after each tick and the last velocity."""
    velocity = np.array([-(STIFFNESS**2) * TICK, 1 - 2 * STIFFNESS * TICK])
    tick = np.stack([np.array([1.0, 0.0]) + TICK * velocity, velocity])
    powers = [tick]
    for _ in range(SUBSTEPS - 1):
        powers.append(tick @ powers[-1])
    return np.stack([power[0] for power in powers]), powers[-1][1]


_POSITIONS, _VELOCITY = _response()
