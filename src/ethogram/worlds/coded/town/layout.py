"""The map of a town: a drawing of tiles, the places on it, and the ways between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.worlds.coded.town.clock import Hours, OpeningHours
from ethogram.worlds.coded.town.source import Source

__all__ = ["BLOCKED", "STREET", "Layout", "Place"]

STREET = -1
"""The region of tiles on which everybody may walk."""
BLOCKED = -2
"""The region of tiles on which nobody may: walls, water."""

_WALKED, _BLOCKING = ".", "#~ "


class Place(BaseModel):
    """A place as a map file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    about: str = ""
    open: OpeningHours = Hours(0, 24 * 60)
    """Opening hours; those who live or work there come and go at any time."""
    things: dict[str, str] = {}
    """The things in it and their states at the start."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    about: str = ""
    street: str = "the street"
    grid: str
    places: dict[str, Place] = Field(min_length=1)


class Layout:
    """A town's map: regions of tiles, and for each place the shortest way to it from every tile.

    Tiles are counted row by row over a grid that has a blocked border added, so that the neighbours of tile `t` are
    `t ± 1` and `t ± width`. Nobody walks through a place that is neither the one he leaves nor the one he goes to.

    Args:
        path: a map file (TOML).

    Raises:
        ConfigError: the file cannot be read or something in it is wrong; the message names file and line.
    """

    def __init__(self, path: Path) -> None:
        self.source = source = Source(path)
        file = source.read(_File)
        self.name, self.about, self.street = file.name, file.about, file.street
        self.grid = file.grid.strip("\n").split("\n")
        self.symbols = list(file.places)
        self.places = list(file.places.values())
        self.names = [place.name for place in self.places]
        self.index = {name: i for i, name in enumerate(self.names)}
        self._check_names()
        self._check_drawing()
        self.width = len(self.grid[0]) + 2
        self.region = self._regions()
        self.tiles = [np.flatnonzero(self.region == i).astype(np.int32) for i in range(len(self.places))]
        self._check_ways()
        self._next: dict[int, np.ndarray] = {}
        self._distance: dict[int, np.ndarray] = {}

    def _check_names(self) -> None:
        for i, (symbol, name) in enumerate(zip(self.symbols, self.names, strict=True)):
            line = self.source.line("places", symbol, "name")
            if len(symbol) != 1 or symbol in _WALKED + _BLOCKING:
                raise self.source.error(
                    self.source.line("places", symbol),
                    f"place {name!r} is drawn with {symbol!r}, but the sign of a place is one character other than . # ~",
                )
            if name in self.names[:i]:
                raise self.source.error(line, f"there are two places called {name!r}; give each its own name")
            if name == self.street:
                raise self.source.error(line, f"a place cannot have the name of the street, {name!r}")

    def _check_drawing(self) -> None:
        first = self.source.line("grid")
        if not self.source.lines[first - 1].rstrip().endswith(self.grid[0]):
            first += 1  # the drawing begins below the opening quotes
        widths = [len(row) for row in self.grid]
        common = max(set(widths), key=widths.count)
        for number, row in enumerate(self.grid):
            if len(row) != common:
                raise self.source.error(
                    first + number, f"row {number + 1} of the map has {len(row)} tiles where the others have {common}"
                )
            for column, sign in enumerate(row):
                if sign not in _WALKED + _BLOCKING and sign not in self.symbols:
                    raise self.source.error(
                        first + number,
                        f"the sign {sign!r} in row {number + 1}, column {column + 1} of the map is no place; "
                        f"add [places.{sign}], or use . for a street, # for a wall, ~ for water",
                    )
        drawn = set("".join(self.grid))
        for symbol, name in zip(self.symbols, self.names, strict=True):
            if symbol not in drawn:
                line = self.source.line("places", symbol)
                raise self.source.error(line, f"place {name!r} is not on the map: no tile is drawn with {symbol!r}")

    def _regions(self) -> np.ndarray:
        """The region of each tile: the index of a place, STREET or BLOCKED. Shape (tiles,), int16."""
        code = {symbol: i for i, symbol in enumerate(self.symbols)}
        code |= {_WALKED: STREET} | dict.fromkeys(_BLOCKING, BLOCKED)
        inner = np.array([[code[sign] for sign in row] for row in self.grid], np.int16)
        return np.pad(inner, 1, constant_values=BLOCKED).ravel()

    def _check_ways(self) -> None:
        """All places must hang together and touch the main street (where there is more than one place)."""
        street = np.flatnonzero(self.region == STREET)
        main: np.ndarray = np.zeros(len(self.region), bool)
        while len(street):
            part = self._flood(street[:1], self.region == STREET)
            main = part if part.sum() > main.sum() else main
            street = street[~part[street]]
        for i, (symbol, name) in enumerate(zip(self.symbols, self.names, strict=True)):
            part = self._flood(self.tiles[i][:1], self.region == i)
            line = self.source.line("places", symbol)
            if part.sum() < len(self.tiles[i]):
                raise self.source.error(line, f"place {name!r} lies in pieces on the map; its tiles must hang together")
            edge = self._flood(self.tiles[i], (self.region == i) | main) & main
            if len(self.places) > 1 and not edge.any():
                raise self.source.error(
                    line, f"place {name!r} cannot be reached: none of its tiles touches the main street (.)"
                )

    def _flood(self, start: np.ndarray, free: np.ndarray) -> np.ndarray:
        """The free tiles that can be reached from `start`, as a mask."""
        reached = np.zeros(len(free), bool)
        front = start
        while len(front):
            reached[front] = True
            around = np.concatenate([front + step for step in (1, -1, self.width, -self.width)])
            front = np.unique(around[free[around] & ~reached[around]])
        return reached

    def ways(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """The shortest ways to a place: for each tile the next tile towards it, and the number of tiles still to go.

        Both of shape (tiles,), int32; -1 where there is no way; inside the place the next tile is the tile itself. One
        breadth-first search from all the tiles of the place, computed once.
        """
        if place not in self._next:
            following = np.full(len(self.region), -1, np.int32)
            distance = following.copy()
            front = self.tiles[place]
            following[front], distance[front] = front, 0
            steps = 0
            while len(front):
                steps += 1
                here = np.tile(front, 4)
                there = np.concatenate([front + step for step in (1, -1, self.width, -self.width)])
                through = self.region[here]
                allowed = (through == STREET) | (through == place) | (through == self.region[there])
                allowed &= (self.region[there] != BLOCKED) & (following[there] < 0)
                there, here = there[allowed], here[allowed]
                there, first = np.unique(there, return_index=True)
                following[there], distance[there] = here[first], steps
                front = there.astype(np.int32)
            self._next[place], self._distance[place] = following, distance
        return self._next[place], self._distance[place]
