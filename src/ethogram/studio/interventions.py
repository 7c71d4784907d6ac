"""Interventions: at the moment shown, change something; the run is forked there and runs on, beside the one that was."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import background_tasks, ui

from ethogram.errors import ConfigError
from ethogram.studio.jobs import Answer, Office, branch_off, options_of
from ethogram.studio.reading import Record
from ethogram.studio.safety import Root, html
from ethogram.studio.words import brief

__all__ = ["HOW", "Forking", "read_value", "value_typed"]

HOW = dict.fromkeys(("list", "array"), ": parts, between commas") | dict.fromkeys(
    ("mapping", "dict", "object"), ": name = value, between commas"
)
"""How fields that hold several things are filled in, by kind."""


class Forking:
    """A form out of the interventions that world and policies offer, and what became of the branches begun here.

    Args:
        record: of the run.
        root: of the runs.
        office: runs the branches.
        moment: the frame and the agent shown now.
    """

    def __init__(self, record: Record, root: Root, office: Office, moment: Callable[[], tuple[int, str]]) -> None:
        self.record, self.root, self.office, self.moment = record, root, office, moment
        self.offered: dict[str, tuple[str, dict[str, Any]]] = {}
        self.listed: list[tuple[str, dict[str, Any]]] = []
        """What the branch will begin with, in words and as `branch_off` takes it."""
        self._fields: dict[str, ui.input] = {}

    def build(self) -> None:
        """Lay it out in the current place of the page; what is offered is asked for when it is opened."""
        with ui.element("section").classes("panel").props('aria-label="Intervention"'):
            ui.html("<h2>What if …</h2><p class=soft>Fork the run at this moment, change something, and let it run on.</p>")
            self._open = ui.button("Choose an intervention", on_click=self.look).props(
                "no-caps outline dense padding='2px 14px'"
            )
            self._form = ui.element("div")
            self._outcome = ui.html("").props("aria-live=polite")

    async def look(self) -> None:
        """Ask world and policies what can be done."""
        self._open.disable()
        found = await self.office.do("questions", options_of, str(self.record.path))
        self._open.enable()
        if found.problem:
            self._outcome.content = html("<p class=error>{}</p>", found.problem)
            return
        self._open.set_visibility(False)
        agents = {f"{name} (this agent)": ("agent", about) for name, about in found.value["agent"].items()}
        self.offered = {name: ("world", about) for name, about in found.value["world"].items()} | agents
        with self._form:
            if not self.offered:
                ui.html("<p class=soft>This world offers no intervention; the branch repeats the run.</p>")
            self._choice = ui.select(list(self.offered), on_change=self._lay, value=None).props(
                'dense outlined aria-label="Intervention"'
            )
            self._arguments = ui.element("div")
            self._list = ui.element("div").props('role=list aria-label="Interventions of the branch"')
            with ui.element("div").classes("choices").style("margin-top: .4rem"):
                if self.offered:
                    ui.button("And another", on_click=self.another).props("no-caps outline dense padding='2px 14px'")
                ui.button("Branch and run on", on_click=self.go).props("no-caps unelevated dense padding='2px 14px'")
        if self.offered:
            self._choice.value = next(iter(self.offered))

    def _lay(self) -> None:
        """A field for each argument of the intervention chosen."""
        self._arguments.clear()
        self._fields = {}
        if not self._choice.value:
            return
        _, about = self.offered[self._choice.value]
        with self._arguments:
            ui.html(html("<p class=soft>{}</p>", about["says"]))
            for name, argument in about["arguments"].items():
                hint = name + HOW.get(argument["kind"].partition("[")[0], "")
                field = ui.input(label=hint + ("" if argument["needed"] else " (may be left out)")).props("dense outlined")
                if name in ("agent", "to") and argument["needed"]:
                    field.value = self.moment()[1]
                self._fields[name] = field

    def _chosen(self) -> list[tuple[str, dict[str, Any]]]:
        """What stands in the form, or nothing; ConfigError where a field is not filled in well."""
        if not self._choice.value:
            return []
        owner, about = self.offered[self._choice.value]
        name = self._choice.value.removesuffix(" (this agent)")
        typed = {k: f.value or "" for k, f in self._fields.items()}
        arguments = {
            k: value_typed(typed[k], k, argument["kind"])
            for k, argument in about["arguments"].items()
            if typed[k] or argument["needed"]
        }
        for name_of in [k for k, a in about["arguments"].items() if a["kind"] == "mapping"]:
            arguments |= arguments.pop(name_of)
        agent = self.moment()[1] if owner == "agent" else None
        words = ", ".join(f"{k}: {brief(v, 60)}" for k, v in arguments.items())
        says = f"{name} {words}" + (f" ({agent})" if agent else "")
        return [(says, {"name": name, "arguments": arguments, "agent": agent})]

    def another(self) -> None:
        """Put what stands in the form on the list, and clear the form for the next."""
        try:
            self.listed += self._chosen()
        except ConfigError as error:
            self._outcome.content = html("<p class=error>{}</p>", str(error))
            return
        self._outcome.content = ""
        self._choice.value = None
        self._show_list()

    def _remove(self, k: int) -> None:
        del self.listed[k]
        self._show_list()

    def _show_list(self) -> None:
        self._list.clear()
        with self._list:
            for k, (says, _) in enumerate(self.listed):
                with ui.element("div").classes("listed").props("role=listitem"):
                    ui.html(html("{}", says))
                    button = ui.button("Remove", on_click=partial(self._remove, k)).props("flat dense no-caps")
                    button.props(f'aria-label="Remove intervention {k + 1}"')

    async def go(self) -> None:
        """Begin the branch, with all on the list and what stands in the form."""
        frame, _ = self.moment()
        episode, step = self.record.place(frame)
        try:
            wanted = [given for _, given in [*self.listed, *self._chosen()]]
        except ConfigError as error:
            self._outcome.content = html("<p class=error>{}</p>", str(error))
            return
        to = free_name(self.record.path, step)
        pair = urlencode({"a": self.root.name(self.record.path), "b": self.root.name(to), "episode": episode, "step": step})
        link = html('<a href="/compare?{}">see both futures side by side</a>', pair)
        self._outcome.content = html("<p>The branch {} runs on: {}.</p>", to.name, link)
        work = self.office.do("branches", branch_off, str(self.record.path), episode, step, wanted, str(to))
        background_tasks.create(self._await(work, to, link))

    async def _await(self, work: Any, to: Path, link: Any) -> None:
        answer: Answer = await work
        if self._outcome.is_deleted:
            return
        if answer.problem:
            self._outcome.content = html("<p class=error>{}</p>", answer.problem)
        else:
            self._outcome.content = html("<p>The branch {} is complete: {}.</p>", to.name, link)


def free_name(run: Path, at: int) -> Path:
    """A folder beside the run's that is not there yet."""
    base, k = f"{run.name}-branch-{at}", 2
    path = run.with_name(base)
    while path.exists():
        path, k = run.with_name(f"{base}-{k}"), k + 1
    return path


def value_typed(text: str, name: str, kind: str) -> Any:
    """What was typed for an argument, as a value of its kind; ConfigError where it is none."""
    if kind == "str":
        if not text:
            raise ConfigError(f"give {name}")
        return text
    try:
        value = read_value(text, kind)
    except ValueError:
        raise ConfigError(f"{name} takes a value of the kind {kind}, not {text[:60]!r}") from None
    kinds = {"int": int, "float": (int, float), "bool": bool, "mapping": dict, "list": list, "dict": dict}
    wanted = kinds.get(kind.partition("[")[0])
    if wanted and (not isinstance(value, wanted) or (kind != "bool" and isinstance(value, bool))):
        raise ConfigError(f"{name} takes a value of the kind {kind}, not {text[:60]!r}")
    return value


def read_value(text: str, kind: str) -> Any:
    """What was typed, as JSON; a list may also be its parts between commas, a mapping `name = value` between commas.

    Raises:
        ValueError: it is none of these.
    """
    text = text.strip()
    base, parts = kind.partition("[")[0], [part.strip() for part in text.split(",") if part.strip()]
    if base in ("list", "array") and not text.startswith("["):
        return [_word(part) for part in parts]
    if base in ("mapping", "dict", "object") and not text.startswith("{"):
        pairs = [part.partition("=") for part in parts]
        if not pairs or not all(name.strip() and found for name, found, _ in pairs):
            raise ValueError(f"{text!r} has no `name = value`")
        return {name.strip(): _word(value.strip()) for name, _, value in pairs}
    return json.loads(text)


def _word(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
