"""A demonstrator for the table: takes the blocks in an order of its own, and plans each push with a small model."""

from __future__ import annotations

import heapq
import importlib
import itertools
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted

__all__ = ["TableDemonstrator"]

SIDE, BLOCK, PUSHER = 100.0, 10.0, 3.0
ZONES = np.array([(20.0, 80.0), (80.0, 80.0), (80.0, 20.0), (20.0, 20.0)])
CLOSE = 5.0
"""A block is left alone within so many units of its place, on each side."""
TRAVEL, PUSH, STRIDE, REACH = 3.6, 2.4, 1.2, 72.0
GRID = 2.5
DIRECTIONS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


class TableDemonstrator(Scripted):
    """Pushes one block after the other to its zone; the order, the side it pushes on and the way there vary.

    What it is asked for it reads from `desired_goal` (positions). Where that is all zero (a goal of any blocks in any zones)
    it draws zones for the blocks. It takes the blocks in an order drawn for each episode, the one at hand first until it is
    in place. A push is a straight line against a block; `contacts` of them are tried out in a model (the table's shapes in
    pymunk), and one of the `choices` best ones is taken: those that bring the block nearest to its place, with other blocks
    least disturbed. In between, the pusher goes the shortest way around the blocks.

    Args:
        zones: how many zones the table has.
        play: never stop: draw one block and one free zone after the other, whatever the goal says.
        contacts: pushes tried out each time.
        choices: of how many best ones the push is drawn.
        noise: standard deviation of what is added to each move, in cm.
    """

    def __init__(
        self, zones: int = 2, play: bool = False, contacts: int = 16, choices: int = 2, noise: float = 0.25
    ) -> None:
        super().__init__()
        if not 1 <= zones <= 4 or contacts < choices or choices < 1 or noise < 0:
            raise ConfigError("a table demonstrator needs zones in 1 to 4, contacts >= choices >= 1 and noise >= 0")
        self.zones, self.play, self.contacts, self.choices, self.noise = zones, play, contacts, choices, noise

    def script(self, observation: Any, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        """The next move of the pusher, float32 (2,)."""
        seen = np.asarray(observation["observation"], np.float64)
        pusher, blocks = seen[:2], seen[2:].reshape(-1, 4)
        positions, angles = blocks[:, :2], np.arctan2(blocks[:, 3], blocks[:, 2]) / 4
        if not memory:
            memory |= {"path": np.zeros((0, 2)), "at": 0, "places": self._places(observation, len(positions), rng)}
            memory["order"] = rng.permutation(len(positions)).tolist()
        if memory["at"] >= len(memory["path"]):
            block = self._next(memory, positions, rng)
            if block is None:
                return np.zeros(2, np.float32)
            place = np.asarray(memory["places"][block])
            memory["path"], memory["at"] = self._plan(pusher, positions, angles, block, place, rng), 0
        move = memory["path"][memory["at"]] - pusher + rng.normal(0, 1, 2) * self.noise
        memory["at"] += 1
        return np.clip(move, -4, 4).astype(np.float32)

    def _places(self, observation: Any, number: int, rng: np.random.Generator) -> list[Any]:
        """Where each block shall go, or None."""
        asked = np.asarray(observation["desired_goal"], np.float64).reshape(number, 2)
        if self.play or not asked.any():
            zones = rng.permutation(self.zones)
            places: list[Any] = [None] * number
            for block, zone in zip(rng.permutation(number), zones, strict=False):
                places[block] = ZONES[zone].tolist()
            return places
        zoned = [np.abs(ZONES[: self.zones] - place).max(1).min() < 1e-3 for place in asked]
        return [place.tolist() if named else None for place, named in zip(asked, zoned, strict=True)]

    def _next(self, memory: dict[str, Any], positions: np.ndarray, rng: np.random.Generator) -> int | None:
        """The first block in the order that is not in place; in play new places are drawn when all are."""
        for block in memory["order"]:
            place = memory["places"][block]
            if place is not None and np.abs(positions[block] - place).max() > CLOSE:
                return block
        if not self.play:
            return None
        block = int(rng.integers(len(positions)))
        free = [zone for zone in ZONES[: self.zones] if np.abs(positions - zone).max(1).min() > 12]
        memory["order"] = [block]
        memory["places"][block] = (free[rng.integers(len(free))] if free else 30 + 40 * rng.random(2)).tolist()
        return block

    def _plan(
        self,
        pusher: np.ndarray,
        positions: np.ndarray,
        angles: np.ndarray,
        block: int,
        place: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Targets (n, 2), one a step, that lead to the next push of a block and through it."""
        tried = []
        toward = np.arctan2(*(place - positions[block])[::-1])
        for attempt in range(self.contacts):
            angle = toward + rng.normal(0, 0.35 if attempt < 0.75 * self.contacts else 1.5)
            way = np.array([np.cos(angle), np.sin(angle)])
            start = positions[block] - (BLOCK * 0.71 + PUSHER + 1.5) * way + rng.normal(0, 1.2) * np.array([-way[1], way[0]])
            if (start < PUSHER).any() or (start > SIDE - PUSHER).any() or _near(start[None], positions)[0]:
                continue
            path = _try(positions, angles, start, way)
            far = np.hypot(*(path[:, block] - place).T)
            disturbed = np.hypot(*np.moveaxis(np.delete(path - positions, block, axis=1), -1, 0)).sum(1)
            cost = far + 0.7 * disturbed
            best = int(np.argmin(cost))
            if best:
                tried.append((cost[best] + 0.03 * np.hypot(*(start - pusher)), best, start, way))
        if not tried:
            return _line(pusher, np.clip(pusher + rng.normal(0, 10, 2), PUSHER, SIDE - PUSHER), TRAVEL)
        tried.sort(key=lambda push: push[0])
        _, length, start, way = tried[rng.integers(min(self.choices, len(tried)))]
        end = start + way * STRIDE * length
        return np.concatenate(
            [_around(pusher, start, positions), _line(start, end, PUSH), _line(end, end - way * 2, TRAVEL)]
        )


def _try(positions: np.ndarray, angles: np.ndarray, start: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Where the blocks are after each stride of a push, (1 + strides, blocks, 2)."""
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
    disc.position = float(start[0]), float(start[1])
    disc.velocity = float(way[0] * STRIDE / 0.04), float(way[1] * STRIDE / 0.04)
    shape = pymunk.Circle(disc, PUSHER)
    shape.friction = 0.5
    space.add(disc, shape)
    path = [positions]
    for _ in range(int(REACH / STRIDE)):
        for _ in range(4):
            space.step(0.01)
        path.append(np.array([tuple(body.position) for body in bodies]))
        at = np.array(disc.position)
        if (at < PUSHER).any() or (at > SIDE - PUSHER).any():
            break
    return np.clip(np.array(path), BLOCK / 2, SIDE - BLOCK / 2)


def _near(points: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Whether the pusher would touch a block at each of the points (with a block turned in the worst way)."""
    return (np.hypot(*(points[:, None] - positions).transpose(2, 0, 1)) < BLOCK * 0.71 + PUSHER + 0.6).any(1)


def _line(start: np.ndarray, end: np.ndarray, stride: float) -> np.ndarray:
    """Points from start (left out) to end at most a stride apart."""
    number = max(1, int(np.ceil(np.hypot(*(end - start)) / stride)))
    return start + (end - start) * np.arange(1, number + 1)[:, None] / number


def _cell(point: np.ndarray, size: int) -> tuple[int, int]:
    """The grid's cell nearest to a point, off the edge."""
    i, j = np.clip(np.round(point / GRID), 2, size - 3).astype(int)
    return int(i), int(j)


def _around(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The way between two points around the blocks: straight where that is free, else the shortest on a grid (A*)."""
    straight = _line(start, end, TRAVEL)
    if not _near(straight, positions).any():
        return straight
    size = int(SIDE / GRID) + 1
    points = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2) * GRID
    edge = (points < PUSHER).any(1) | (points > SIDE - PUSHER).any(1)
    cost = np.where(_near(points, positions), 12.0, 1.0) + 1e6 * edge
    cost = cost.reshape(size, size)
    first, last = (_cell(point, size) for point in (start, end))
    queue: list[tuple[float, tuple[int, int]]] = [(0.0, first)]
    best, origin = {first: 0.0}, {}
    while queue:
        _, cell = heapq.heappop(queue)
        if cell == last:
            break
        for i, j in DIRECTIONS:
            other = cell[0] + i, cell[1] + j
            if not (0 <= other[0] < size and 0 <= other[1] < size):
                continue
            total = best[cell] + float(np.hypot(i, j) * cost[other])
            if total < best.get(other, np.inf):
                best[other], origin[other] = total, cell
                heapq.heappush(queue, (total + float(np.hypot(other[0] - last[0], other[1] - last[1])), other))
    cells = [last]
    while cells[-1] != first:
        cells.append(origin[cells[-1]])
    corners = [start, *(np.array(cell) * GRID for cell in cells[-2:0:-1]), end]
    return np.concatenate([_line(a, b, TRAVEL) for a, b in itertools.pairwise(corners)])
