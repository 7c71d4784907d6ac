"""The env behind the world `car_racing`: gymnasium's, drawn ten times faster, on frames that are looked at only."""

from __future__ import annotations

from typing import Any

import Box2D
import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD, SCALE, ZOOM, CarRacing, FrictionDetector
from gymnasium.spaces import Box

ACROSS, DOWN = 5, 4
"""Pixels drawn for each pixel shown; the game's window is as wide and high as 5 to 4."""
WINDOW = 1000
GRID = np.arange(-20, 20, 2)


class Race(CarRacing):
    """CarRacing with its picture averaged to `pixels` x `pixels`, taken when `look` is called."""

    def __init__(self, pixels: int, repeat: int, steps: int, bar: bool, continuous: bool, colours: bool) -> None:
        super().__init__(render_mode="rgb_array", continuous=continuous, domain_randomize=colours)
        self._pixels, self._repeat, self._steps, self._bar = pixels, repeat, steps, bar
        self._road_shapes = np.zeros((0, 4, 2))
        self.observation_space = Box(0, 255, (pixels, pixels, 3), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """A new track in a new physical world: an old one would remember contacts, and drive a little differently."""
        self.road, self.car = None, None
        self.contactListener_keepref = FrictionDetector(self, self.lap_complete_percent)
        self.world = Box2D.b2World((0, 0), contactListener=self.contactListener_keepref)
        self.frames, self.score, self.lap = 0, 0.0, False
        super().reset(seed=seed, options=options)
        self._shapes()
        return self._look(), {}

    def step(self, action: Any) -> Any:
        """Hold the action for some frames; None (which is how CarRacing resets) lets one frame pass."""
        if action is None:
            return super().step(action)  # pyright: ignore[reportArgumentType]
        total, ended = 0.0, False
        for _ in range(min(self._repeat, self._steps - self.frames)):
            _, reward, ended, _, info = super().step(action)
            total, self.frames = total + float(reward), self.frames + 1
            self.lap |= bool(info.get("lap_finished"))
            if ended:
                break
        self.score += total
        late = self.frames >= self._steps and not ended
        return self._look(), total, ended, late, self.tally()

    def tally(self) -> dict[str, float]:
        """What came of the episode so far."""
        share = self.tile_visited_count / len(self.track)
        return {"success": float(self.lap), "score": float(self.score), "share": share}

    def render(self) -> np.ndarray:
        """The picture gymnasium draws, 400 x 600."""
        return np.asarray(super()._render("rgb_array"))

    def _render(self, mode: str) -> Any:
        return None if mode == "state_pixels" else super()._render(mode)

    def _shapes(self) -> None:
        """Corners and colours of all grass and road, once for the episode."""
        x, y = (GRASS_DIM * side.ravel() for side in np.meshgrid(GRID, GRID, indexing="ij"))
        grass = np.stack(
            [np.stack([x + a * GRASS_DIM, y + b * GRASS_DIM], 1) for a, b in ((1, 0), (0, 0), (0, 1), (1, 1))], 1
        )
        field = PLAYFIELD * np.array([[[1, 1], [1, -1], [-1, -1], [-1, 1]]])
        road = np.array([corners for corners, _ in self.road_poly])
        self._road_shapes = np.concatenate([field, grass, road])
        tints = [self.bg_color, *[self.grass_color] * len(grass), *[tint for _, tint in self.road_poly]]
        self._tints = [tuple(int(part) for part in tint) for tint in tints]

    def _look(self) -> np.ndarray:
        """The picture now, uint8 (pixels, pixels, 3)."""
        car: Any = self.car
        width, height = ACROSS * self._pixels, DOWN * self._pixels
        zoom = (0.1 * SCALE * max(1 - self.t, 0) + ZOOM * SCALE * min(self.t, 1)) * width / WINDOW
        angle = -car.hull.angle
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        shift = np.array([width / 2, height / 4]) - np.array(car.hull.position) @ turn * zoom
        shapes = self._road_shapes @ turn * zoom + shift
        low, high = shapes.min(1), shapes.max(1)
        seen = np.flatnonzero(((high >= 0) & (low <= (width, height))).all(1))
        surface = self.surf = pygame.Surface((width, height))
        for i in seen:
            pygame.draw.polygon(surface, self._tints[i], shapes[i].tolist())
        car.draw(surface, zoom, shift, angle, False)
        self.surf = pygame.transform.flip(surface, False, True)
        if self._bar:
            self._render_indicators(width, height)
        small = pygame.transform.smoothscale(self.surf, (self._pixels, self._pixels))
        return np.ascontiguousarray(pygame.surfarray.array3d(small).transpose(1, 0, 2))

    def expert(self) -> Any:
        """Follow the middle of the road: steer to a point some tiles ahead, slower where the road turns there."""
        car: Any = self.car
        middle = np.array([tile[2:4] for tile in self.track])
        here, way = np.array(car.hull.position), np.array(car.hull.linearVelocity)
        nearest = int(np.argmin(np.hypot(*(middle - here).T)))
        heading = car.hull.angle + np.pi / 2
        near, far = (middle[(nearest + ahead) % len(middle)] for ahead in (4, 11))
        error = _turn(np.arctan2(*(near - here)[::-1]) - heading)
        bend = abs(_turn(np.arctan2(*(far - near)[::-1]) - heading))
        wanted = np.clip(85 - 52 * bend, 27, 75)
        speed = np.hypot(*way)
        steer = np.clip(-1.6 * error, -1, 1)
        gas, brake = (
            np.clip(0.05 * (wanted - speed), 0, 0.8 * (1 - 0.6 * abs(steer))),
            np.clip(0.03 * (speed - wanted), 0, 0.6),
        )
        if self.continuous:
            return np.array([steer, gas, brake], np.float32)
        return np.int64((2 if steer > 0 else 1) if abs(steer) > 0.25 else 3 if gas > 0 else 4 if brake > 0.1 else 0)


def _turn(angle: float) -> float:
    """The angle in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
