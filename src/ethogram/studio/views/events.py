"""The plain view: who did what, of any world."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record, Row
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.words import brief, deed

MOST = 60
"""Agents listed at once."""
BEFORE = 12
"""Steps listed before the moment."""


class Events(View):
    """A table of what everybody who acted at the moment saw, did and got, and below it what was done before."""

    title: ClassVar[str] = "Who did what"
    rank: ClassVar[int] = 0

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of any world."""
        return True

    def build(self) -> None:
        """Two tables."""
        self._now = ui.html("").classes("scroll")
        self._before = ui.html("").classes("scroll faint")

    def show(self, frame: int) -> None:
        """Fill them."""
        rows = self.record.at(frame, MOST)
        first, end = self.record.bounds(frame) if len(self.record) else (0, 0)
        more = html("<p>… and {} more agents</p>", end - first - MOST) if end - first > MOST else Markup()
        self._now.content = table(rows, ("agent", "saw", "did", "reward")) + more
        first = max(0, frame - BEFORE)
        earlier = [row for k in range(frame - 1, first - 1, -1) for row in self.record.at(k, 8) if row.done is not None]
        self._before.content = (
            html("<h3>Before that</h3>") + table(earlier, ("step", "agent", "did"), self.record) if earlier else ""
        )


def table(rows: list[Row], columns: tuple[str, ...], record: Record | None = None) -> Markup:
    """Rows of a record as an HTML table."""
    head = Markup().join(html("<th scope=col>{}</th>", name) for name in columns)
    body = Markup().join(
        html("<tr>{}</tr>", Markup().join(html("<td class={}>{}</td>", c, _cell(c, row, record)) for c in columns))
        for row in rows
    )
    return html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)


def _cell(column: str, row: Row, record: Record | None) -> str:
    if column == "step":
        return f"{record.place(row.frame)[1]:,}" if record else ""
    if column == "agent":
        return row.agent
    if column == "saw":
        return brief(row.seen, 260)
    if column == "reward":
        return "" if row.reward is None else f"{row.reward:g}"
    if row.done is None:
        return f"({row.ended or 'nothing'})"
    return deed(row.done) + (f"  — failed: {brief(row.fault)}" if row.fault else "")
