"""The war game: how nations stand, what they order, what they write, and how severe it gets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record, Row
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart
from ethogram.war import KINDS, SEVERITIES, VARIABLES, resolve

NARRATOR = "Narrator"
DAYS = 200
"""Days for which curves are computed."""
MARKS = {
    "nuclear": "#6d1f6f",
    "violent": "#b23b2a",
    "non-violent": "#c2772b",
    "posturing": "#b8912f",
    "status quo": "#67625a",
    "de-escalation": "#2f7a4d",
}
"""The colour of each severity."""


class WarGame(View):
    """A row for each nation with its state and what it orders; acts by severity as curves; messages of the day."""

    title: ClassVar[str] = "Nations"
    rank: ClassVar[int] = 5

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the world it is called after alone."""
        return False

    def build(self) -> None:
        """Orders, curves, letters."""
        self._day = ui.html("")
        self._orders = ui.html("")
        self._letters = ui.html("")
        self._told = ui.html("").classes("soft")
        self._chart = Chart(self._curves, len(self.record), "acts of the day, all nations")
        self._states = ui.html("").classes("scroll")

    def _curves(self) -> dict[str, list[tuple[int, float]]]:
        n = len(self.record)
        curves: dict[str, list[tuple[int, float]]] = {severity: [] for severity in SEVERITIES}
        for frame in np.unique(np.linspace(0, n - 1, min(n, DAYS)).astype(int)).tolist():
            rows = self.record.at(frame)
            if {row.agent for row in rows if row.done is not None} == {NARRATOR}:  # the evening of a day that is counted
                continue
            acts = [severity_of(act) for row in rows for act in _listed(row, "actions")]
            for severity, points in curves.items():
                points.append((frame, float(acts.count(severity))))
        return {severity: points for severity, points in curves.items() if any(count for _, count in points)}

    def show(self, frame: int) -> None:
        """The day."""
        self._chart.show(frame)
        rows = self.record.at(frame)
        latest = self.record.latest(self.record.agents, frame)
        situations = [row.seen for row in latest.values() if isinstance(row.seen, dict) and row.seen.get("nations")]
        if not situations:
            return
        newest = max(situations, key=lambda seen: seen.get("day", 0))
        history = newest.get("history") or [""]
        self._day.content = html("<h3>Day {} of {}</h3>", newest.get("day"), newest.get("days", "–"))
        self._told.content = html("<h3>What all were told in the morning</h3><p>{}</p>", history[-1])
        done = {row.agent: row for row in rows}
        names = [str(nation.get("name", "")) for nation in newest["nations"]]
        orders = Markup().join(_orders(name, done[name]) for name in names if name in done)
        self._orders.content = html("<table><tr><th scope=col>nation</th><th scope=col>orders</th></tr>{}</table>", orders)
        head = Markup().join(html("<th scope=col>{}</th>", v.replace("_", " ")) for v in ("nation", *VARIABLES))
        states = Markup().join(_state(nation) for nation in newest["nations"])
        self._states.content = html("<table><tr>{}</tr>{}</table>", head, states)
        letters = [
            html("<p><b>{}</b> to {}: {}</p>", row.agent, letter.get("to"), letter.get("text"))
            for row in rows
            for letter in _listed(row, "messages")
        ]
        self._letters.content = html("<h3>Messages</h3>{}", Markup().join(letters)) if letters else ""

    async def grown(self) -> None:
        """Longer curves."""
        await self._chart.grown(len(self.record))


def severity_of(act: dict[str, Any]) -> str:
    """The severity of an act; empty where its kind is unknown."""
    kind = resolve(str(act.get("kind", "")))
    return KINDS[kind].severity if kind else ""


def _listed(row: Row, part: str) -> list[dict[str, Any]]:
    found = row.done.get(part) if isinstance(row.done, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _orders(name: str, row: Row) -> Markup:
    acts = _listed(row, "actions")
    mark = '<span style="color: {}" title="{}">●</span> {}{}'
    words = Markup("<br>").join(
        html(mark, MARKS.get(severity_of(act), "#dcd8cd"), severity_of(act), act.get("kind"), _target(act, name))
        for act in acts
    )
    return html("<tr><td class=agent>{}</td><td>{}</td></tr>", name, words or html("<span class=soft>nothing</span>"))


def _state(nation: dict[str, Any]) -> Markup:
    cells = Markup().join(html("<td class=number>{}</td>", _short(nation.get(name))) for name in VARIABLES)
    return html("<tr><td class=agent>{}</td>{}</tr>", nation.get("name"), cells)


def _target(act: dict[str, Any], actor: str) -> str:
    target = str(act.get("target", ""))
    return "" if target == actor else f" → {target}"


def _short(value: Any) -> str:
    try:
        return f"{float(value):,.4g}"
    except (TypeError, ValueError):
        return "–"
