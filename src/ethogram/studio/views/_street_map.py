"""Where the places of a town are, in the plane: on its own map, or, where that is not to be had, side by side on a grid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from markupsafe import Markup

from ethogram.errors import ConfigError
from ethogram.studio.safety import html

if TYPE_CHECKING:
    from ethogram.records.manifest import Manifest
    from ethogram.worlds.coded.town.layout import Layout

__all__ = ["Drawn", "Plan", "Schema", "plan_of"]

WASHES = ("#dfe9f1", "#f3e2d6", "#e0ecdf", "#eae0ee", "#f2ead0", "#e0e7ea", "#f0dde3", "#dcecea")


class Plan(Protocol):
    """Places and the ways between them; points are (x, y) in hundredths of width and height."""

    ratio: float

    def svg(self) -> Markup:
        """The drawing."""
        ...

    def spot(self, place: str, k: int, n: int) -> tuple[float, float]:
        """Where the `k`-th of `n` people in a place stands."""
        ...

    def way(self, start: str, goal: str, share: float) -> tuple[float, float]:
        """Where somebody is who has done so much of the way."""
        ...

    def learn(self, places: Iterable[str]) -> bool:
        """Hear of places; returns whether the drawing has changed."""
        ...


class Drawn:
    """The map as it is drawn in the town's file."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.width, self.height = layout.width - 2, len(layout.grid)
        self.ratio = self.width / self.height

    def svg(self) -> Markup:
        """Streets, water, walls, and each place with its name."""
        parts = [html('<rect width="{}" height="{}" fill="#efeade"/>', self.width, self.height)]
        for y, row in enumerate(self.layout.grid):
            x = 0
            while x < len(row):
                end = next((k for k in range(x, len(row)) if row[k] != row[x]), len(row))
                if row[x] != ".":
                    fill = self._fill(row[x])
                    parts.append(html('<rect x="{}" y="{}" width="{}" height="1.03" fill="{}"/>', x, y, end - x, fill))
                x = end
        for place, name in enumerate(self.layout.names):
            y, x = self._tiles(place)
            words = '<text x="{}" y="{}" font-size="{}" text-anchor="middle">{}</text>'
            size = min(1.1, 1.7 * (x.max() - x.min() + 1) / max(6, len(name)))
            parts.append(html(words, f"{x.mean() + 0.5:.2f}", f"{y.min() + 1.05:.2f}", f"{size:.2f}", name))
        drawing = Markup().join(parts)
        size = f"0 0 {self.width} {self.height}"
        return html('<svg viewBox="{}" role="img" aria-label="{}">{}</svg>', size, f"Map of {self.layout.name}", drawing)

    def _fill(self, sign: str) -> str:
        if sign in "#~":
            return "#b9b2a3" if sign == "#" else "#bcd6e3"
        return WASHES[self.layout.symbols.index(sign) % len(WASHES)]

    def _tiles(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        y, x = np.divmod(self.layout.tiles[place], self.layout.width)
        return y - 1, x - 1

    def _point(self, tile: int) -> tuple[float, float]:
        y, x = divmod(tile, self.layout.width)
        return 100 * (x - 0.5) / self.width, 100 * (y - 0.5) / self.height

    def spot(self, place: str, k: int, n: int) -> tuple[float, float]:
        """Evenly over the place's tiles, its name's row left free where there are others."""
        if place not in self.layout.index:
            return 50.0, 50.0
        tiles = self.layout.tiles[self.layout.index[place]]
        lower = tiles[tiles // self.layout.width > tiles[0] // self.layout.width]
        tiles = lower if len(lower) else tiles
        return self._point(int(tiles[int((k + 0.5) / n * len(tiles))]))

    def way(self, start: str, goal: str, share: float) -> tuple[float, float]:
        """Along the shortest way, as people walk it."""
        if start not in self.layout.index or goal not in self.layout.index:
            return self.spot(goal, 0, 1)
        following, distance = self.layout.ways(self.layout.index[goal])
        tiles = self.layout.tiles[self.layout.index[start]]
        tile = int(tiles[len(tiles) // 2])
        for _ in range(int(share * max(0, distance[tile]))):
            tile = int(following[tile])
        return self._point(tile)

    def learn(self, places: Iterable[str]) -> bool:
        """The map has all places there are."""
        return False


class Schema:
    """Places side by side, as boxes, in the order in which they are first heard of."""

    ratio = 1.6

    def __init__(self, places: Iterable[str]) -> None:
        self.places: list[str] = []
        self.across = self.down = 1
        self.learn(places)

    def learn(self, places: Iterable[str]) -> bool:
        """Add boxes for places not heard of before."""
        if not (new := [place for place in dict.fromkeys(places) if place not in self.places]):
            return False
        self.places += new
        self.across = math.ceil(math.sqrt(len(self.places) * self.ratio / 1.2))
        self.down = math.ceil(len(self.places) / self.across)
        return True

    def _corner(self, place: str) -> tuple[float, float]:
        at = self.places.index(place) if place in self.places else 0
        return at % self.across / self.across, at // self.across / self.down

    def svg(self) -> Markup:
        """The boxes with their names."""
        box = '<rect x="{}" y="{}" width="{}" height="{}" rx="1" fill="{}"/><text x="{}" y="{}" font-size="2.4">{}</text>'
        wide, high = 160 / self.across - 2, 100 / self.down - 2
        parts = []
        for k, place in enumerate(self.places):
            x, y = self._corner(place)
            left, top = 160 * x + 1, 100 * y + 1
            sizes = [f"{v:.2f}" for v in (left, top, wide, high)]
            parts.append(html(box, *sizes, WASHES[k % len(WASHES)], f"{left + 1.5:.2f}", f"{top + 4:.2f}", place))
        return html('<svg viewBox="0 0 160 100" role="img" aria-label="The places">{}</svg>', Markup().join(parts))

    def spot(self, place: str, k: int, n: int) -> tuple[float, float]:
        """In rows within the box."""
        x, y = self._corner(place)
        across = math.ceil(math.sqrt(n * 1.6))
        row, column = divmod(k, across)
        down = math.ceil(n / across)
        return 100 * (x + (column + 0.5) / across / self.across), 100 * (y + (0.25 + 0.7 * (row + 0.5) / down) / self.down)

    def way(self, start: str, goal: str, share: float) -> tuple[float, float]:
        """In a straight line."""
        a, b = self.spot(start, 0, 1), self.spot(goal, 0, 1)
        return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def plan_of(manifest: Manifest, places: Iterable[str]) -> Plan:
    """The map on which these places lie: one named in the run's recipe, one that comes with ethogram, or a schema."""
    from ethogram.worlds.coded.town import source
    from ethogram.worlds.coded.town.layout import Layout

    seen = set(places)
    own = [v for v in ((manifest.recipe or {}).get("arguments") or {}).values() if isinstance(v, str) and 0 < len(v) < 200]
    packaged = sorted(p.name for p in (Path(source.__file__).parent / "towns").iterdir() if p.is_dir())
    for name in [*own, *packaged]:
        try:
            layout = Layout(source.town_file(name, "map.toml"))
        except (ConfigError, OSError, ValueError):
            continue
        if seen and seen <= {*layout.names, layout.street}:
            return Drawn(layout)
    return Schema(places)
