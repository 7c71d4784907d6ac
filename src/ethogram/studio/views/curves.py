"""Populations as columns: their tallies and numbers as curves, and the individuals that were sampled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart
from ethogram.studio.views._individuals import individuals, widen

OBSERVER = "observer"
"""The agent that sees the numbers of a population."""


class Curves(View):
    """What the observer counts, over time; at the moment also the numbers and the individuals of the panel."""

    title: ClassVar[str] = "Population"
    rank: ClassVar[int] = 4

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the worlds of columns."""
        return OBSERVER in record.agents

    def build(self) -> None:
        """Curves, numbers, individuals."""
        self._frame = 0
        self._chart = Chart(self._curves, len(self.record), "counted by the observer", then=self._draw_panel)
        self._numbers = ui.html("")
        self._panel = ui.html("")
        self._ranges: dict[str, tuple[float, float]] = {}
        self._shape = grid_of(self.record.manifest.described.get("observation") or {})

    def _curves(self) -> dict[str, list[tuple[int, float | None]]]:
        curves: dict[str, list[tuple[int, float | None]]] = {}
        for row in self.record.sampled(OBSERVER):
            if panel := panel_of(row.seen):
                widen(self._ranges, panel)
            for name, value in numbers(row.seen):
                curves.setdefault(name, []).append((row.frame, value))
        return curves

    def show(self, frame: int) -> None:
        """The population as it was."""
        self._frame = frame
        self._chart.show(frame)
        row = self.record.latest([OBSERVER], frame).get(OBSERVER)
        if row is None:
            return
        pairs = Markup().join(html("<dt>{}</dt><dd>{}</dd>", name, f"{value:,.6g}") for name, value in numbers(row.seen))
        self._numbers.content = html("<dl class=pairs>{}</dl>", pairs)
        self._draw_panel()

    def _draw_panel(self) -> None:
        """The individuals; anew once it is known what values there are in the whole run."""
        row = self.record.latest([OBSERVER], self._frame).get(OBSERVER) if len(self.record) else None
        if row is not None and (panel := panel_of(row.seen)):
            self._panel.content = individuals(panel, self._ranges, self._shape)

    async def grown(self) -> None:
        """Longer curves."""
        await self._chart.grown(len(self.record))


def panel_of(seen: Any) -> dict[str, Any]:
    """The panel of an observation; empty where there is none."""
    panel = seen.get("panel") if isinstance(seen, dict) else None
    return panel if isinstance(panel, dict) and isinstance(panel.get("row"), list) else {}


def grid_of(described: dict[str, Any]) -> tuple[int, int] | None:
    """(lines, cells) of the grid that a panel is on, as far as the space of the observation says; else None."""
    panel = dict(described.get("spaces") or []).get("panel") or {}
    spaces = dict(panel.get("spaces") or [])
    highs = [(spaces.get(name) or {}).get("high") for name in ("line", "cell")]
    lines, cells = (int(high) + 1 if isinstance(high, int | float) else 0 for high in highs)
    return (lines, cells) if lines and cells else None


def numbers(seen: Any, within: str = "") -> Iterator[tuple[str, float]]:
    """The single numbers of an observation, by name."""
    if not isinstance(seen, dict):
        return
    for name, value in seen.items():
        if name == "panel":
            continue
        if isinstance(value, dict):
            yield from numbers(value, f"{within}{name} ")
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], int | float):
            yield f"{within}{name}", float(value[0])
        elif isinstance(value, int | float):
            yield f"{within}{name}", float(value)
