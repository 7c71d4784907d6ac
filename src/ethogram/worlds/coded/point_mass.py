"""A point mass in a square arena that is to be brought to a goal which nobody shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from ethogram.errors import ConfigError
from ethogram.world import Step, World

__all__ = ["PointMass", "disc"]

ARENA, GOALS = 0.3, 0.29
GEAR, DAMPING, MASS = 0.3, 1.0, 0.03
SUBSTEPS, TICK = 5, 0.02
PROPORTIONAL, DERIVATIVE = 10.0, 1.0


class PointMass(World):
    """Push a disc to a hidden goal, seen as numbers or as a small picture.

    After the point mass of Brandfonbrener et al., "Inverse Dynamics Pretraining Learns Good Representations for Multitask
    Imitation" (NeurIPS 2023): position and goal are uniform in the arena of ±0.3 (goals ±0.29), the goal is not part of
    what is seen, and the expert is a proportional-derivative controller with gains 10 and 1. The dynamics are our own, as
    that paper's MuJoCo model is not used: m x'' = 0.3 a - x', m = 0.03, in 5 semi-implicit Euler sub-steps of 0.02 s a
    control step. So the speed follows the action within a step, and two pictures tell which action lay between them. Walls
    stop the disc.

    Action, float32 (2,), in [-1, 1]. Observation: position and velocity, float32 (4,), or with `pixels` a grey picture,
    uint8 (pixels, pixels, 1), of a disc with soft edges in an empty arena. An episode lasts `steps` control steps.

    Outcome: `success` (within 0.03 of the goal at the end), `distance` (at the end), `goal_x`, `goal_y`.

    Args:
        pixels: side of the picture in pixels, at least 8; None: numbers are seen.
        steps: length of an episode.
        goal: the goal of every episode; None: each episode draws one.

    Raises:
        ConfigError: too few pixels, or a goal outside the arena.
    """

    metadata = {"name": "point_mass", "render_modes": ["rgb_array"]}
    time_unit = "s"
    state_fields = ("position", "velocity", "target", "elapsed")

    def __init__(self, pixels: int | None = None, steps: int = 50, goal: tuple[float, float] | None = None) -> None:
        if pixels is not None and pixels < 8:
            raise ConfigError(f"a picture of the point mass needs at least 8 pixels a side, not {pixels}")
        if goal is not None and (len(goal) != 2 or max(map(abs, goal)) > ARENA):
            raise ConfigError(f"the goal is two numbers between {-ARENA} and {ARENA}, not {goal}")
        self.pixels, self.steps, self.goal = pixels, steps, goal
        self.expected_steps = steps
        self.possible_agents, self.agents = ["agent"], []
        size, speed = np.float32(ARENA), np.float32(2 * GEAR / DAMPING)
        high = np.array([size, size, speed, speed])
        seen = Box(0, 255, (pixels, pixels, 1), np.uint8) if pixels else Box(-high, high, dtype=np.float32)
        self.observation_spaces = {"agent": seen}
        self.action_spaces = {"agent": Box(-1.0, 1.0, (2,), np.float32)}
        self.elapsed = 0

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self.elapsed * SUBSTEPS * TICK

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Put the disc somewhere, at rest, and draw a goal."""
        super().reset(seed)
        assert self.rng is not None
        self.position, drawn = self.rng.uniform(-GOALS, GOALS, (2, 2))
        self.target = np.array(self.goal or drawn, float)
        self.velocity, self.elapsed = np.zeros(2), 0
        return {"agent": self._seen()}, {"agent": {}}

    def step(self, actions: dict) -> Step:
        """One control step of 0.1 s; the reward is the negative distance to the goal."""
        action = np.clip(np.asarray(actions["agent"], np.float64), -1, 1)
        for _ in range(SUBSTEPS):
            self.velocity = self.velocity + TICK * (GEAR * action - DAMPING * self.velocity) / MASS
            moved = self.position + TICK * self.velocity
            self.position = np.clip(moved, -ARENA, ARENA)
            self.velocity = np.where(self.position == moved, self.velocity, 0.0)
        self.elapsed += 1
        late = self.elapsed >= self.steps
        if late:
            self.agents = []
        return {"agent": self._seen()}, {"agent": -self._distance()}, {"agent": False}, {"agent": late}, {"agent": {}}

    def advise(self, agent: str | None = None) -> np.ndarray:
        """What the controller that knows the goal would do now."""
        wanted = PROPORTIONAL * (self.target - self.position) - DERIVATIVE * self.velocity
        return np.clip(wanted, -1, 1).astype(np.float32)

    def outcome(self) -> dict[str, float]:
        """Success and distance at the end, and where the goal was."""
        distance = self._distance()
        x, y = self.target
        return {"success": float(distance < 0.03), "distance": distance, "goal_x": float(x), "goal_y": float(y)}

    def render(self) -> np.ndarray:
        """The picture of 96 pixels a side, with the goal in red, uint8 (96, 96, 3)."""
        grey = disc(self.position, 96)
        return np.stack([np.maximum(grey, disc(self.target, 96)), grey, grey], -1)

    def _distance(self) -> float:
        return float(np.hypot(*(self.position - self.target)))

    def _seen(self) -> np.ndarray:
        if self.pixels:
            return disc(self.position, self.pixels)[:, :, None]
        return np.concatenate([self.position, self.velocity]).astype(np.float32)


def disc(position: np.ndarray, pixels: int) -> np.ndarray:
    """A picture of the arena with a disc of radius 0.03, uint8 (pixels, pixels); its edge is one pixel wide.

    Args:
        position: of the disc, (x, y) in the arena's units; y points up.
        pixels: side of the picture, which shows ±0.35.
    """
    view = ARENA + 0.05
    pixel = 2 * view / pixels
    centres = (np.arange(pixels) + 0.5) * pixel - view
    away = np.hypot(centres[None, :] - position[0], centres[::-1, None] - position[1])
    return np.rint(255 * np.clip((0.03 - away) / pixel + 0.5, 0, 1)).astype(np.uint8)
