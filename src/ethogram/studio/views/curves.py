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
from ethogram.studio.views._stage import colour_of
from ethogram.studio.words import brief

OBSERVER = "observer"
"""The agent that sees the numbers of a population."""
INDIVIDUALS = 400


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
        self._chart = Chart(self._curves, len(self.record), "counted by the observer")
        self._numbers = ui.html("")
        self._panel = ui.html("")

    def _curves(self) -> dict[str, list[tuple[int, float | None]]]:
        curves: dict[str, list[tuple[int, float | None]]] = {}
        for row in self.record.sampled(OBSERVER):
            for name, value in numbers(row.seen):
                curves.setdefault(name, []).append((row.frame, value))
        return curves

    def show(self, frame: int) -> None:
        """The population as it was."""
        self._chart.show(frame)
        row = self.record.latest([OBSERVER], frame).get(OBSERVER)
        if row is None:
            return
        pairs = Markup().join(html("<dt>{}</dt><dd>{}</dd>", name, f"{value:,.6g}") for name, value in numbers(row.seen))
        self._numbers.content = html("<dl class=pairs>{}</dl>", pairs)
        panel = row.seen.get("panel") if isinstance(row.seen, dict) else None
        if isinstance(panel, dict) and isinstance(panel.get("row"), list):
            self._panel.content = individuals(panel)

    async def grown(self) -> None:
        """Longer curves."""
        await self._chart.grown(len(self.record))


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


def individuals(panel: dict[str, Any]) -> Markup:
    """The panel: a square an individual for each of its columns that is a small whole number, coloured by its value."""
    rows = panel["row"][:INDIVIDUALS]
    parts = []
    for name, values in panel.items():
        if name == "row" or not isinstance(values, list) or len(values) < len(rows):
            continue
        squares = Markup().join(
            html('<i style="background: {}" title="{}"></i>', _colour(v), f"individual {r}: {name} {brief(v)}")
            for r, v in zip(rows, values, strict=False)
        )
        parts.append(html("<h3>{} of {} individuals</h3><div class=cells>{}</div>", name, len(rows), squares))
    return Markup().join(parts)


def _colour(value: Any) -> str:
    return colour_of(value) if isinstance(value, int) else "#67625a"
