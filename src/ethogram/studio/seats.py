"""Seats for people: forms out of the verbs that are open to an agent now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import run as background
from nicegui import ui

from ethogram.errors import EthogramError, VerbError
from ethogram.studio.interventions import HOW, read_value
from ethogram.studio.playing import Tables, Turn
from ethogram.studio.safety import Root, html
from ethogram.studio.words import lines

__all__ = ["SeatForm", "build_choice", "fields_of"]


def fields_of(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The verbs of a space's JSON schema by name: {`says`, `fields`: by name {`kind`, `options`, `says`, `needed`}}."""
    shared = schema.get("$defs", {})

    def open_(part: dict[str, Any]) -> dict[str, Any]:
        return shared.get(part["$ref"].rpartition("/")[2], {}) if "$ref" in part else part

    found: dict[str, dict[str, Any]] = {}
    for verb in map(open_, schema.get("anyOf") or schema.get("oneOf") or [schema]):
        parts = dict(verb.get("properties", {}))
        tag = open_(parts.pop("verb", {}))
        name = str(tag.get("const", (tag.get("enum") or [verb.get("title", "act")])[0]))
        needed = verb.get("required", [])
        fields = {}
        for field, part in parts.items():
            kind = open_(part)
            options = kind.get("enum") or ([kind["const"]] if "const" in kind else None)
            of = kind.get("type") if isinstance(kind.get("type"), str) else "json"
            says = str(part.get("description", ""))
            fields[field] = {"kind": of, "options": options, "says": says, "needed": field in needed}
        found[name] = {"says": str(verb.get("description", "")), "fields": fields}
    return found


class SeatForm:
    """Shows a person what is asked, and takes the answer.

    Args:
        tables: the games.
        path: the record of this one.
    """

    def __init__(self, tables: Tables, path: Path) -> None:
        self.tables, self.path = tables, path
        self._turn: Turn | None = None
        self._inputs: dict[str, Any] = {}
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
        self._inputs = {}
        about = self._verbs[self._verb]
        with self._fields:
            ui.html(html("<p class=soft>{}</p>", about["says"]))
            for name, field in about["fields"].items():
                form = (
                    HOW.get(field["kind"], " (as JSON)" if field["kind"] == "json" else "") if not field["options"] else ""
                )
                label = name + form + ("" if field["needed"] else " (may be left out)")
                if field["options"]:
                    made: Any = ui.select([str(o) for o in field["options"]], label=label, value=str(field["options"][0]))
                elif field["kind"] == "boolean":
                    made = ui.checkbox(label)
                else:
                    made = ui.input(label=label)
                self._inputs[name] = made.props("dense outlined") if field["kind"] != "boolean" else made
                if field["says"]:
                    ui.html(html("<p class=soft>{}</p>", field["says"]))

    def answer(self) -> None:
        """Take what was chosen, or say what is wrong with it."""
        turn = self._turn
        if turn is None or turn.answer.done():
            return
        said: dict[str, Any] = {"verb": self._verb}
        for name, field in self._verbs[self._verb]["fields"].items():
            value = self._inputs[name].value
            if value in ("", None) and not field["needed"]:
                continue
            if field["options"]:
                said[name] = next((option for option in field["options"] if str(option) == value), value)
            else:
                said[name] = value if field["kind"] in ("string", "boolean") else _read(str(value), field["kind"])
        try:
            action = turn.space.parse(json.dumps(said))
        except VerbError as error:
            self._problem.content = html("<p class=error>{}</p>", str(error))
            return
        self._problem.content = ""
        turn.answer.set_result(action)


def _read(text: str, kind: str) -> Any:
    try:
        return read_value(text, kind)
    except ValueError:
        return text


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
