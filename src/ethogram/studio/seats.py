"""Seats for people: forms out of the verbs that are open to an agent now."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import run as background
from nicegui import ui

from ethogram.errors import EthogramError, VerbError
from ethogram.studio.forms import Form, fields_of
from ethogram.studio.playing import Tables, Turn
from ethogram.studio.safety import Root, html
from ethogram.studio.words import lines

__all__ = ["SeatForm", "build_choice"]


class SeatForm:
    """Shows a person what is asked, and takes the answer.

    Args:
        tables: the games.
        path: the record of this one.
    """

    def __init__(self, tables: Tables, path: Path) -> None:
        self.tables, self.path = tables, path
        self._turn: Turn | None = None
        self._verb = ""

    def build(self) -> None:
        """Lay it out in the current place of the page."""
        with ui.element("section").classes("panel").props('aria-label="Your seat"'):
            ui.html("<h2>Your seat</h2>")
            self._state = ui.html("<p class=soft>The game begins …</p>").props("aria-live=polite")
            self._form = ui.element("div")
            self._problem = ui.html("").props("role=alert")
            ui.button("Leave the game", on_click=lambda: self.tables.leave(self.path)).props("flat no-caps dense")
        ui.timer(0.2, self.look)

    def look(self) -> None:
        """Show the turn, where there is a new one."""
        seat = self.tables.seats.get(self.path)
        turn = seat.turn if seat is not None else None
        if turn is self._turn and turn is not None:
            return
        if turn is None:
            if self._turn is not None or seat is None:
                self._turn = None
                self._form.clear()
                over = self.tables.problems.get(self.path) or "The game is over."
                self._state.content = html("<p>{}</p>", over if seat is None else "The others act …")
            return
        self._turn = turn
        value = turn.seen.model_dump(mode="json") if hasattr(turn.seen, "model_dump") else turn.seen
        pairs = Markup().join(html("<dt>{}</dt><dd>{}</dd>", name, words) for name, words in lines(value))
        self._state.content = html("<p><b>{}, it is your turn.</b></p><dl class=pairs>{}</dl>", turn.agent, pairs)
        self._verbs = fields_of(turn.space.schema())
        self._form.clear()
        with self._form:
            first = self._verb if self._verb in self._verbs else next(iter(self._verbs))
            self._choice = ui.select(list(self._verbs), value=first, on_change=self._lay, label="What you do").props(
                "dense outlined"
            )
            self._fields = ui.element("div")
            ui.button("Do it", on_click=self.answer).props("no-caps unelevated dense padding='2px 14px'")
        self._lay()

    def _lay(self) -> None:
        """A field for each part of the verb chosen."""
        self._verb = str(self._choice.value)
        self._fields.clear()
        about = self._verbs[self._verb]
        with self._fields:
            ui.html(html("<p class=soft>{}</p>", about["says"]))
            self._filled = Form(about["fields"])

    def answer(self) -> None:
        """Take what was chosen, or say what is wrong with it."""
        turn = self._turn
        if turn is None or turn.answer.done():
            return
        said = {"verb": self._verb, **self._filled.value()}
        try:
            action = turn.space.parse(json.dumps(said))
        except VerbError as error:
            self._problem.content = html("<p class=error>{}</p>", str(error))
            return
        self._problem.content = ""
        turn.answer.set_result(action)


def build_choice(tables: Tables, root: Root) -> None:
    """The page on which a world, a seat and the other players are chosen."""
    from ethogram import worlds

    async def seats() -> None:
        problem.content = ""
        try:
            made = await background.io_bound(worlds.make, world.value)
        except EthogramError as error:
            problem.content = html("<p class=error>{}</p>", str(error))
            return
        if made is not None:
            agents = list(made.possible_agents[:200])
            seat.set_options(agents, value=agents[0])

    async def begin() -> None:
        problem.content = ""
        try:
            path = await tables.begin(
                root.folder / "play",
                str(world.value),
                str(seat.value),
                (others.value or "random").strip(),
                int(steps.value or 20),
            )
        except EthogramError as error:
            problem.content = html("<p class=error>{}</p>", str(error))
            return
        ui.navigate.to("/run?" + urlencode({"path": root.name(path)}))

    with ui.element("div").classes("panel").style("max-width: 34rem; display: grid; gap: .6rem"):
        ui.html("<h2>Take a seat</h2><p class=soft>In any world of verbs; the record is kept like any other.</p>")
        world = ui.select(worlds.names("coded"), value="matrix_game", label="World", with_input=True, on_change=seats)
        seat = ui.select([], label="Your seat")
        others = ui.input("Who has the other seats", value="random")
        steps = ui.number("At most so many steps", value=20, min=1, max=10_000, precision=0)
        for field in (world, seat, others, steps):
            field.props("dense outlined")
        ui.button("Sit down", on_click=begin).props("no-caps unelevated")
        problem = ui.html("").props("role=alert")
    ui.timer(0.05, seats, once=True)
