"""The page of a run: its views, one agent, and the timeline that moves them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from ethogram.errors import EthogramError
from ethogram.studio.agents import AgentPanel
from ethogram.studio.interventions import Forking
from ethogram.studio.interview import Interview
from ethogram.studio.jobs import Office
from ethogram.studio.playing import Tables
from ethogram.studio.reading import Record
from ethogram.studio.runs import progress_words, running, stop
from ethogram.studio.safety import Root, html
from ethogram.studio.seats import SeatForm
from ethogram.studio.timeline import Timeline
from ethogram.studio.views import View, views_of

__all__ = ["build_run"]

LIVE = 1.0
"""Seconds between two looks at a live run."""


class RunPage:
    """Puts the parts of the page together."""

    def __init__(
        self, record: Record, name: str, asked: Mapping[str, Any], root: Root, office: Office, tables: Tables
    ) -> None:
        self.record, self.name, self.root, self.office, self.tables = record, name, root, office, tables
        agent, view = str(asked.get("agent", "")), str(asked.get("view", ""))
        self.panel = AgentPanel(record, agent) if record.agents else None
        self.views: list[View] = [made(record, self.pick) for made in views_of(record)]
        for made in self.views:
            made.office = office
        titles = [v.title for v in self.views]
        self.chosen = titles.index(view) if view in titles else 0
        self.timeline = Timeline(record, frame_asked(record, asked), {"path": name})
        self._built: set[int] = set()
        self._state = record.state

    def build(self) -> None:
        """Lay out the page."""
        with ui.element("header").classes("studio"):
            ui.html(html('<a href="/">All runs</a>'))
            ui.html(html('<a href="/compare?{}">Compare</a>', urlencode({"a": self.name})))
            ui.html(html("<h1>{}</h1>", self.name))
            self._facts = ui.html("").classes("facts")
            self._stop = ui.button("Stop", on_click=self._ask_to_stop).props("flat dense no-caps color=negative")
        with ui.element("main").classes("studio"), ui.element("div").classes("columns"):
            with ui.element("section").classes("panel").props('aria-label="World"'):
                if len(self.views) > 1:
                    with ui.element("div").classes("choices").props("role=tablist"):
                        self._tabs = [
                            ui.button(v.title, on_click=partial(self.turn, k)).props("flat dense no-caps role=tab")
                            for k, v in enumerate(self.views)
                        ]
                else:
                    self._tabs = []
                self._places = [ui.element("div").props("role=tabpanel") for _ in self.views]
            with ui.element("div").classes("side"):
                playing = self.record.path in self.tables.seats
                if playing:
                    SeatForm(self.tables, self.record.path).build()
                if self.panel is not None:
                    self.panel.build()
                    self.panel.chosen = self._show_view
                    if self.record.manifest.recipe is not None and not playing:
                        Interview(self.record, self.office, self.moment).build()
                        Forking(self.record, self.root, self.office, self.moment).build()
        self.timeline.build()
        self.timeline.listen(self.show)
        self.turn(self.chosen)
        self.tell()
        self._live = ui.timer(LIVE, self.look, active=self.record.live)
        self.timeline.follow = self.record.live and self.timeline.frame == 0

    def turn(self, k: int) -> None:
        """Show another view; it is built when it is first shown."""
        self.chosen = k
        for number, place in enumerate(self._places):
            place.set_visibility(number == k)
        for number, tab in enumerate(self._tabs):
            tab.classes(add="chosen" if number == k else None, remove=None if number == k else "chosen")
            tab.props(f"aria-selected={'true' if number == k else 'false'}")
        if k not in self._built:
            self._built.add(k)
            with self._places[k]:
                self.views[k].build()
        self.timeline.address["view"] = self.views[k].title
        self.show(self.timeline.frame)

    def show(self, frame: int) -> None:
        """Show a moment in all that is visible."""
        if not len(self.record):
            return
        self._show_view()
        if self.panel is not None:
            self.panel.show(frame)

    def _show_view(self) -> None:
        if self.panel is not None:
            self.views[self.chosen].picked = self.timeline.address["agent"] = self.panel.agent
        if len(self.record):
            self.views[self.chosen].show(self.timeline.frame)

    def moment(self) -> tuple[int, str]:
        """The frame and the agent shown."""
        return self.timeline.frame, self.panel.agent if self.panel else ""

    def pick(self, agent: str) -> None:
        """A reader has chosen an agent."""
        if self.panel is not None:
            self.panel.choose(agent)

    def tell(self) -> None:
        """The facts of the run, in its head."""
        m, usage = self.record.manifest, self.record.usage
        alive = m.status == "running" and running(self.record.path) is not None
        status = m.status if m.status != "running" or alive else "cut off"
        parts = [
            m.world,
            f"{len(m.agents):,} agents",
            f"{progress_words(m)} steps" if m.status == "complete" else f"{len(self.record):,} steps",
        ]
        if usage.calls:
            parts.append(f"{usage.calls:,} model calls ({', '.join(m.models) or 'model'}), cost {usage.cost:.4f}")
        parts.append(f"seed {m.seed}")
        parent = m.parent or {}
        if parent:
            parts.append(f"branch of {str(parent.get('run', '')).rpartition('/')[2]} at step {parent.get('at')}")
        badge = html('<span class="status {}">{}</span> ', status.replace(" ", "-"), status)
        reason = html(" <span class=error>{}</span>", m.reason) if m.reason else ""
        self._facts.content = badge + html("{}", " · ".join(parts)) + reason
        self._stop.set_visibility(alive and self.record.path not in self.tables.seats)

    async def look(self) -> None:
        """Take up what a live run has recorded since."""
        try:
            self.record.refresh()
            if self.record.state == self._state:
                self.tell()
                return
            self._state = self.record.state
        except EthogramError as error:
            self._live.active = False
            ui.notify(str(error), type="negative")
            return
        for k in self._built:
            await self.views[k].grown()
        self.timeline.grown()
        if self.timeline.frame == 0:
            self.show(self.timeline.frame)
        self.tell()
        self._live.active = self.record.live

    async def _ask_to_stop(self) -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(f"Stop {self.name}? It ends after the step in flight, like Ctrl-C, and can be resumed.")
            with ui.row():
                ui.button("Stop it", on_click=lambda: dialog.submit(True)).props("no-caps color=negative")
                ui.button("Let it run", on_click=lambda: dialog.submit(False)).props("no-caps flat")
        if await dialog:
            try:
                stop(self.record.path)
            except EthogramError as error:
                ui.notify(str(error), type="warning")
            self.tell()


def build_run(record: Record, name: str, asked: Mapping[str, Any], root: Root, office: Office, tables: Tables) -> None:
    """The page of a run, at the moment (and with the agent and view) that its address says."""
    RunPage(record, name, asked, root, office, tables).build()


def frame_asked(record: Record, asked: Mapping[str, Any]) -> int:
    """The frame that an address asks for by `episode` and `step`; the first where it does not."""
    episode, step = str(asked.get("episode", "0")), str(asked.get("step", ""))
    if not len(record) or not (step.isdecimal() and episode.isdecimal()) or max(len(step), len(episode)) > 9:
        return 0
    return record.frame_of(int(episode), int(step))
