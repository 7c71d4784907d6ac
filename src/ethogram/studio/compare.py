"""Two runs side by side, moved by one timeline, with measures of both; for a branch, the two futures of one past."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup
from nicegui import run as background
from nicegui import ui

from ethogram.errors import EthogramError
from ethogram.studio.measuring import differences, differences_table
from ethogram.studio.reading import Record
from ethogram.studio.runs import Shelf, address
from ethogram.studio.safety import html
from ethogram.studio.timeline import Timeline
from ethogram.studio.views import View, views_of
from ethogram.studio.watch import frame_asked
from ethogram.studio.words import deed

__all__ = ["build_comparison", "first_difference", "paired"]

READ = 4000
"""Steps that are read to find where two runs part."""


def build_comparison(pair: Sequence[tuple[str, Record]], shelf: Shelf, asked: Mapping[str, Any]) -> None:
    """The page of two runs; with one only, the choice of the other."""
    with ui.element("header").classes("studio"):
        ui.html(html('<a href="/">All runs</a>'))
        for name, _ in pair:
            ui.html(html('<h1><a href="{}">{}</a></h1>', address(name), name))
    with ui.element("main").classes("studio"):
        if len(pair) < 2:
            _choose(pair[0][0] if pair else "", shelf)
            return
        Comparison(pair, asked).build()


def _choose(first: str, shelf: Shelf) -> None:
    """Links to the comparison with each other run, those of the same world first."""
    runs = [r for r in shelf.runs() if r.name != first]
    world = next((r.manifest.world for r in shelf.runs() if r.name == first), "")
    runs.sort(key=lambda r: (r.manifest.world != world, r.name))
    link = '<li><a href="{}">{}</a> <span class=soft>{}, seed {}, {}</span></li>'
    items = [
        html(
            link,
            "/compare?" + urlencode({"a": first, "b": r.name}) if first else "/compare?" + urlencode({"a": r.name}),
            r.name,
            r.manifest.world,
            r.manifest.seed,
            r.status,
        )
        for r in runs[:200]
    ]
    says = "Compare with" if first else "Compare"
    with ui.element("div").classes("panel"):
        ui.html(html("<h2>{}</h2><ul>{}</ul>", says, Markup().join(items)))


class Comparison:
    """The two runs' views, a table of measures, and the timeline."""

    def __init__(self, pair: Sequence[tuple[str, Record]], asked: Mapping[str, Any]) -> None:
        self.names = [name for name, _ in pair]
        self.records = [record for _, record in pair]
        longer = max(self.records, key=len)
        self.views: list[View] = [views_of(r)[0](r, lambda agent: None) for r in self.records]
        self.timeline = Timeline(longer, frame_asked(longer, asked), {"a": self.names[0], "b": self.names[1]}, "/compare")
        self._states = [r.state for r in self.records]

    def build(self) -> None:
        """Lay out the page."""
        with ui.element("div").classes("two"):
            for name, view in zip(self.names, self.views, strict=True):
                with ui.element("section").classes("panel").props(f'aria-label="{"AB"[self.views.index(view)]}"'):
                    ui.html(html("<h2>{}</h2>", name))
                    view.build()
        with ui.element("div").classes("panel").style("margin-top: 1rem"):
            ui.html("<h2>Measures of both</h2>")
            self._measures = ui.html("").classes("scroll")
        with ui.element("section").classes("panel").style("margin-top: 1rem").props('aria-label="Paired differences"'):
            ui.html("<h2>Paired differences</h2>")
            self._paired = ui.html("").classes("scroll")
        self.timeline.build()
        self.timeline.listen(self.show)
        self.show(self.timeline.frame)
        ui.timer(0.1, self._measure, once=True)
        self._live = ui.timer(1.0, self._look, active=any(r.live for r in self.records))

    def show(self, frame: int) -> None:
        """The same step in both; of the shorter run, the last it has."""
        if not len(self.timeline.record):
            return
        place = self.timeline.record.place(frame)
        for record, view in zip(self.records, self.views, strict=True):
            if len(record):
                view.show(record.frame_of(*place))

    async def _measure(self) -> None:
        found = await background.io_bound(paired, self.records[0], self.records[1])
        if found is not None and not self._measures.is_deleted:
            self._measures.content = found_table(found, self.names)
        pairs = await background.io_bound(differences, self.records[0], self.records[1])
        if pairs is not None and not self._paired.is_deleted:
            self._paired.content = differences_table(pairs, self.names)

    async def _look(self) -> None:
        """Take up what a live run has recorded since."""
        for k, record in enumerate(self.records):
            try:
                record.refresh()
            except EthogramError:
                continue
            if record.state != self._states[k]:
                self._states[k] = record.state
                self.timeline.record = max(self.records, key=len)
                self.timeline.grown()
                await self.views[k].grown()
                self.show(self.timeline.frame)
                await self._measure()
        self._live.active = any(r.live for r in self.records)


def paired(a: Record, b: Record) -> list[tuple[str, str, str]]:
    """Measures of two runs: (what, of the first, of the second)."""
    rows: list[tuple[str, str, str]] = [("status", a.manifest.status, b.manifest.status)]
    done = [f"{len(r) if r.live else r.manifest.steps_done:,}" for r in (a, b)]
    rows.append(("steps", done[0], done[1]))
    if a.usage.calls or b.usage.calls:
        rows.append(("model calls", f"{a.usage.calls:,}", f"{b.usage.calls:,}"))
        rows.append(("cost", f"{a.usage.cost:.4f}", f"{b.usage.cost:.4f}"))
    for what, ours, theirs in (("rewards of ", rewards(a), rewards(b)), ("outcome: ", outcomes(a), outcomes(b))):
        names = [name for name in {**ours, **theirs} if ours.get(name) or theirs.get(name)]
        for name in names[:40]:
            both = [f"{r[name]:g}" if name in r else "–" for r in (ours, theirs)]
            rows.append((what + name, both[0], both[1]))
    parting = first_difference(a, b) or ("none in the steps that both have",) * 2
    rows.append(("first different action", parting[0], parting[1]))
    return rows


def rewards(record: Record) -> dict[str, float]:
    """The sum of each agent's rewards."""
    columns = record.steps.columns
    known = columns["agent"] >= 0
    sums = np.bincount(columns["agent"][known], np.nan_to_num(columns["reward"][known]), minlength=len(record.agents))
    return dict(zip(record.agents, sums.tolist(), strict=True))


def outcomes(record: Record) -> dict[str, float]:
    """What came of the last episode that ended, in numbers."""
    own = np.flatnonzero(record.notes.columns["agent"] < 0)
    for row in reversed(record.notes.rows(own[-50:], ["kind", "data"])):
        if row["kind"] == "outcome":
            data = json.loads(row["data"])
            return {k: v for k, v in data.items() if isinstance(v, int | float)}
    return {}


def first_difference(a: Record, b: Record) -> tuple[str, str] | None:
    """The first action in which two runs differ, in words for each; None where there is none in the first `READ` steps."""
    for frame in range(min(len(a), len(b), READ)):
        ours, theirs = ({row.agent: row.done for row in r.at(frame)} for r in (a, b))
        if ours == theirs and a.place(frame) == b.place(frame):
            continue
        agent = next((x for x in [*ours, *theirs] if ours.get(x) != theirs.get(x)), "")
        where = [f"step {r.place(frame)[1]:,}, {agent}: {_did(done, agent)}" for r, done in ((a, ours), (b, theirs))]
        return where[0], where[1]
    return None


def _did(done: Mapping[str, Any], agent: str) -> str:
    return deed(done[agent], 90) if done.get(agent) is not None else "does not act"


def found_table(rows: Sequence[tuple[str, str, str]], names: Sequence[str]) -> Markup:
    """Measures as an HTML table; where the two differ, the line is marked."""
    line = '<tr class="{}"><th scope=row>{}</th><td>{}</td><td>{}</td></tr>'
    body = Markup().join(html(line, "now" if x != y else "", what, x, y) for what, x, y in rows)
    head = html("<tr><th></th><th scope=col>{}</th><th scope=col>{}</th></tr>", *names)
    return html("<table>{}{}</table>", head, body)
