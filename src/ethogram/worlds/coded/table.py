"""A table with coloured blocks, coloured corners to put them in, and a pusher: one scene for many tasks."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box, Dict

from ethogram.errors import ConfigError
from ethogram.world import Step, World, intervention
from ethogram.worlds.coded._wrapped import needed
from ethogram.worlds.rendering import Canvas

__all__ = ["Table"]

SIDE, BLOCK, PUSHER = 100.0, 10.0, 3.0
COLOURS = ("red", "green", "blue", "yellow")
PAINT = ((214, 48, 49), (0, 148, 50), (9, 80, 208), (222, 170, 0))
TINTS = ((250, 205, 160), (196, 226, 190), (180, 215, 245), (220, 200, 240))
ZONES = np.array([(20.0, 80.0), (80.0, 80.0), (80.0, 20.0), (20.0, 20.0)])
PLACES = ("top left", "top right", "bottom right", "bottom left")
WITHIN = 7.0
"""A block is in a zone while its centre is within so many units of the zone's, along each side."""
REACH, SUBSTEPS, TICK = 4.0, 10, 0.01
START = np.array([50.0, 50.0])
SPREAD = np.array([(-14.0, 6.0), (14.0, 6.0), (0.0, -14.0), (0.0, 22.0)])


class Table(World):
    """Push coloured blocks into zones in the corners of a table (100 x 100 cm, y up), in any order.

    The stand-in for block pushing (Florence et al., CoRL 2021; BESO) and for the table of CALVIN (MDT), with pymunk. Blocks
    are squares of 10 cm with friction that stop as soon as they are not pushed; the pusher is a disc of radius 3 cm.

    Action, float32 (2,): how the pusher moves in this step of 0.1 s, each way at most 4 cm; it stays 3 cm off the edge.
    Observation, GoalEnv's: `Dict(observation, achieved_goal, desired_goal)`, float32, lengths in cm. `observation`: pusher
    x, y, then for each block x, y and cos, sin of four times its angle (which turns a square into itself). Goals are where
    the blocks are or shall be, (2 * blocks,); or, with `goals="zones"`, 1 for each pair of block and zone that hold
    together, (blocks * zones,). A block the goal does not ask for has its place at the beginning, or zeros, as goal.

    A goal names a zone, or none (-1), for each block. None for `goal` draws for each episode one for `asked` of the blocks
    in different zones; "any" is met by any `asked` blocks in different zones, and its desired goal is zero. The episode
    ends when the goal is met. Reward: the number of asked blocks that came to their zones in this step, less those
    that left. Outcome: `success`; `placed`, asked blocks in place at the end; `order`, the numbers (from 1) of blocks in the
    order in which they first came to the zones they are in, as decimal digits; `zones`, for each block the number
    (from 1) of the zone it is in or 0, as digits; `steps`.

    The state is positions, angles and goal alone: each step computes its contacts afresh, so that a state put back goes on
    exactly.

    Args:
        blocks: 1 to 4: red, green, blue, yellow.
        zones: 1 to 4: top left, top right, bottom right, bottom left.
        goal: a zone's number (from 0) or -1 for each block; None: drawn; "any".
        asked: how many blocks a drawn goal names, or "any" asks for; None: as many as blocks or zones.
        goals: how goals are told.
        spread: how far blocks start from their usual places, in cm, at most; 0: all episodes begin alike.
        pixels: also observe `image`, uint8 (pixels, pixels, 3), drawn without GL (48 is usual); 0: do not.
        steps: length of an episode.
        stop: whether the episode ends when the goal is met.

    Raises:
        ConfigError: an option is out of range, or pymunk is not installed.
    """

    metadata = {"name": "table", "render_modes": ["rgb_array"]}
    time_unit = "s"
    state_fields = ("pusher", "positions", "angles", "goal", "initial", "elapsed", "arrivals")

    def __init__(
        self,
        blocks: int = 2,
        zones: int = 2,
        goal: Sequence[int] | Literal["any"] | None = None,
        asked: int | None = None,
        goals: Literal["positions", "zones"] = "positions",
        spread: float = 6.0,
        pixels: int = 0,
        steps: int = 300,
        stop: bool = True,
    ) -> None:
        if not (1 <= blocks <= 4 and 1 <= zones <= 4):
            raise ConfigError(f"the table has 1 to 4 blocks and 1 to 4 zones, not {blocks} and {zones}")
        self.asked = min(blocks, zones) if asked is None else asked
        if not 1 <= self.asked <= min(blocks, zones):
            raise ConfigError(f"a goal of the table asks for 1 to {min(blocks, zones)} blocks, not {asked}")
        if goals not in ("positions", "zones") or not 0 <= spread <= 8:
            raise ConfigError(
                f"the table takes goals 'positions' or 'zones' and a spread of 0 to 8 cm, not {goals!r}, {spread}"
            )
        needed("pymunk")
        self.blocks, self.zones, self._given, self._goals = blocks, zones, goal, goals
        self.spread, self.pixels, self.steps, self.stop = spread, pixels, steps, stop
        self.expected_steps = steps
        if goal not in (None, "any"):
            self._checked(goal)  # type: ignore[arg-type]
        numbers = 2 * blocks if goals == "positions" else blocks * zones
        far = np.float32(np.inf)
        spaces: dict[str, Any] = {
            "observation": Box(-far, far, (2 + 4 * blocks,), np.float32),
            "achieved_goal": Box(-far, far, (numbers,), np.float32),
            "desired_goal": Box(-far, far, (numbers,), np.float32),
        }
        if pixels:
            spaces["image"] = Box(0, 255, (pixels, pixels, 3), np.uint8)
        self.possible_agents, self.agents = ["agent"], []
        self.observation_spaces = {"agent": Dict(spaces)}
        self.action_spaces = {"agent": Box(-REACH, REACH, (2,), np.float32)}
        self._empty: dict[int, Canvas] = {}
        self.elapsed = 0

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self.elapsed * SUBSTEPS * TICK

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Put blocks and pusher in their places; `options` may name a `goal`."""
        super().reset(seed)
        rng = self.rng
        assert rng is not None
        self.positions = START + SPREAD[: self.blocks] + rng.uniform(-1, 1, (self.blocks, 2)) * self.spread
        self.angles = rng.uniform(-1, 1, self.blocks) * self.spread / 8 * np.pi / 4
        self.pusher = np.array([50.0, 10.0]) + rng.uniform(-1, 1, 2) * self.spread
        goal = (options or {}).get("goal", self._given)
        if goal is None:
            chosen = np.full(self.blocks, -1)
            chosen[rng.permutation(self.blocks)[: self.asked]] = rng.permutation(self.zones)[: self.asked]
            goal = chosen.tolist()
        self.goal = [] if isinstance(goal, str) else self._checked(goal)
        self.initial, self.elapsed = self.positions.copy(), 0
        self.arrivals: list[int] = []
        return {"agent": self._seen()}, {"agent": {}}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Move the pusher, and what it pushes."""
        before = self._placed()
        self._push(np.clip(np.asarray(actions["agent"], np.float64), -REACH, REACH))
        inside = self._inside()
        self.arrivals = [b for b in self.arrivals if inside[b] >= 0]
        self.arrivals += [b for b in range(self.blocks) if inside[b] >= 0 and b not in self.arrivals]
        self.elapsed += 1
        reward = float(self._placed() - before)
        met = self._met()
        ended = met and self.stop
        late = self.elapsed >= self.steps and not ended
        if ended or late:
            self.agents = []
        return {"agent": self._seen()}, {"agent": reward}, {"agent": ended}, {"agent": late}, {"agent": {"success": met}}

    def outcome(self) -> dict[str, float]:
        """Success, asked blocks in place, the order in which blocks came to their zones, the zones they are in, steps."""
        order = sum((b + 1) * 10**i for i, b in enumerate(reversed(self.arrivals)))
        zones = sum((zone + 1) * 10**i for i, zone in enumerate(reversed(self._inside())))
        values = (self._met(), self._placed(), order, zones, self.elapsed)
        return dict(zip(("success", "placed", "order", "zones", "steps"), map(float, values), strict=True))

    def sentence(self, goal: Sequence[int] | None = None) -> str:
        """A goal (that of this episode) in words, such as `push the red block to the top left`."""
        goal = self.goal if goal is None else goal
        parts = [f"the {COLOURS[b]} block to the {PLACES[zone]}" for b, zone in enumerate(goal) if zone >= 0]
        return "push " + " and ".join(parts) if parts else "push the blocks to the corners"

    @intervention
    def set_goal(self, goal: list[int]) -> None:
        """Ask for another goal from now on: a zone's number or -1 for each block."""
        self.goal = self._checked(goal)

    def observe(self) -> Mapping[str, Any]:
        """What is seen now."""
        return {agent: self._seen() for agent in self.agents}

    def render(self) -> np.ndarray:
        """The table from above, 240 x 240."""
        return self._picture(240)

    def _checked(self, goal: Sequence[int]) -> list[int]:
        goal = [int(zone) for zone in goal]
        taken = [zone for zone in goal if zone >= 0]
        if len(goal) != self.blocks or not taken or len(set(taken)) < len(taken) or max(goal) >= self.zones:
            raise ConfigError(
                f"a goal of the table is a different zone below {self.zones}, or -1, for each block; not {goal}"
            )
        return goal

    def _inside(self) -> list[int]:
        """The zone each block is in, or -1."""
        near: np.ndarray = np.all(np.abs(self.positions[:, None] - ZONES[: self.zones]) <= WITHIN, axis=-1)
        return [int(np.argmax(row)) if np.any(row) else -1 for row in near]

    def _placed(self) -> int:
        inside = self._inside()
        if self.goal:
            return sum(zone >= 0 and zone == asked for zone, asked in zip(inside, self.goal, strict=True))
        return min(self.asked, len({zone for zone in inside if zone >= 0}))

    def _met(self) -> bool:
        return self._placed() == (sum(zone >= 0 for zone in self.goal) or self.asked)

    def _push(self, move: np.ndarray) -> None:
        """Let pymunk push the blocks while the pusher moves, without memory of former contacts."""
        target = np.clip(self.pusher + move, PUSHER, SIDE - PUSHER)
        speed = (target - self.pusher) / (SUBSTEPS * TICK)
        space, bodies, pusher = _scene(self.positions, self.angles, self.pusher)
        pusher.velocity = float(speed[0]), float(speed[1])
        for _ in range(SUBSTEPS):
            space.step(TICK)
        self.pusher = target
        half = BLOCK / 2
        self.positions = np.clip([tuple(body.position) for body in bodies], half, SIDE - half)
        self.angles = np.array([body.angle for body in bodies])

    def _seen(self) -> dict[str, np.ndarray]:
        turned = np.stack([np.cos(4 * self.angles), np.sin(4 * self.angles)], 1)
        seen = np.concatenate([self.pusher, np.concatenate([self.positions, turned], 1).ravel()])
        if self._goals == "positions":
            reached, asked = self.positions.ravel(), np.zeros(2 * self.blocks)
            if self.goal:
                named = np.array(self.goal)[:, None]
                asked = np.where(named >= 0, ZONES[np.maximum(named[:, 0], 0)], self.initial).ravel()
        else:
            each = np.arange(self.zones)
            reached = (np.array(self._inside())[:, None] == each).ravel()
            asked = (np.array(self.goal)[:, None] == each).ravel() if self.goal else np.zeros(self.blocks * self.zones)
        parts = {"observation": seen, "achieved_goal": reached, "desired_goal": asked}
        shown = {key: np.asarray(value, np.float32) for key, value in parts.items()}
        return shown | {"image": self._picture(self.pixels)} if self.pixels else shown

    def _picture(self, side: int) -> np.ndarray:
        """The table from above: zones pale, blocks in their colours, the pusher black."""
        if side not in self._empty:
            self._empty[side] = Canvas(side, (0, 0), (SIDE, SIDE), (236, 232, 225))
            for zone, tint in zip(ZONES[: self.zones], TINTS, strict=False):
                self._empty[side].polygon(zone + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 12, tint)
        canvas = self._empty[side].copy()
        for position, angle, paint in zip(self.positions, self.angles, PAINT, strict=False):
            cos, sin = np.cos(angle) * BLOCK / 2, np.sin(angle) * BLOCK / 2
            corners = np.array(
                [(cos - sin, sin + cos), (-cos - sin, -sin + cos), (-cos + sin, -sin - cos), (cos + sin, sin - cos)]
            )
            canvas.polygon(position + corners, paint)
        canvas.disc(self.pusher, PUSHER, (20, 20, 20))
        return canvas.picture


def _scene(positions: np.ndarray, angles: np.ndarray, pusher: np.ndarray) -> tuple[Any, list[Any], Any]:
    """A pymunk space with the blocks at rest, the pusher and the edges."""
    pymunk: Any = importlib.import_module("pymunk")
    space = pymunk.Space()
    space.damping = 0.0
    bodies = []
    for (x, y), angle in zip(positions, angles, strict=True):
        body = pymunk.Body(1.0, pymunk.moment_for_box(1.0, (BLOCK, BLOCK)))
        body.position, body.angle = (float(x), float(y)), float(angle)
        shape = pymunk.Poly.create_box(body, (BLOCK, BLOCK))
        shape.friction = 0.5
        space.add(body, shape)
        bodies.append(body)
    disc = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
    disc.position = float(pusher[0]), float(pusher[1])
    shape = pymunk.Circle(disc, PUSHER)
    shape.friction = 0.5
    space.add(disc, shape)
    corners = [(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)]
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        space.add(pymunk.Segment(space.static_body, a, b, 0.5))
    return space, bodies, disc
