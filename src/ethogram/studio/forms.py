"""Forms out of JSON schemas: a field for each property, fields within fields for objects, and lists of these that grow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui

from ethogram.studio.interventions import HOW, read_value
from ethogram.studio.safety import html
from ethogram.studio.words import brief

__all__ = ["Form", "fields_of"]

DEEP = 4
"""How deep objects are taken apart; what is within is typed as JSON."""


def fields_of(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The verbs of a space's JSON schema by name: {`says`, `fields`}.

    A field, by name, is {`kind`: the JSON type or `json`, `options`, `examples`, `says`, `needed`, `fields`: those of an
    object, or of the objects in a list}.
    """
    shared = schema.get("$defs", {})
    found: dict[str, dict[str, Any]] = {}
    for verb in [_open(part, shared) for part in schema.get("anyOf") or schema.get("oneOf") or [schema]]:
        parts = dict(verb.get("properties", {}))
        tag = _open(parts.pop("verb", {}), shared)
        name = str(tag.get("const", (tag.get("enum") or [verb.get("title", "act")])[0]))
        fields = _fields({**verb, "properties": parts}, shared, DEEP)
        found[name] = {"says": str(verb.get("description", "")), "fields": fields}
    return found


def _open(part: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    return shared.get(part["$ref"].rpartition("/")[2], {}) if "$ref" in part else part


def _fields(thing: Mapping[str, Any], shared: Mapping[str, Any], deep: int) -> dict[str, dict[str, Any]]:
    needed, fields = thing.get("required", []), {}
    for name, part in thing.get("properties", {}).items():
        kind = _open(part, shared)
        of = kind.get("type") if isinstance(kind.get("type"), str) else "json"
        inner = _open(kind.get("items", {}), shared) if of == "array" else kind
        nested = _fields(inner, shared, deep - 1) if deep and "properties" in inner else {}
        fields[name] = {
            "kind": of,
            "options": kind.get("enum") or ([kind["const"]] if "const" in kind else None),
            "examples": kind.get("examples") or [],
            "says": str(part.get("description", "")),
            "needed": name in needed,
            "fields": nested,
        }
    return fields


class Form:
    """Lays out fields in the current place of the page.

    Args:
        fields: as `fields_of` gives them.
    """

    def __init__(self, fields: Mapping[str, Mapping[str, Any]]) -> None:
        self.fields = fields
        self._inputs: dict[str, Any] = {}
        for name, field in fields.items():
            self._inputs[name] = self._made(name, field)
            if field["says"] and not field["fields"]:
                most = 110 if field["examples"] else 600  # examples are offered while one types
                ui.html(html("<p class=soft>{}</p>", brief(field["says"], most)))

    def _made(self, name: str, field: Mapping[str, Any]) -> Any:
        optional = "" if field["needed"] else " (may be left out)"
        if field["fields"] and field["kind"] == "array":
            return Several(name, field)
        if field["fields"]:
            with _group(name, field["says"]):
                return Form(field["fields"])
        if field["options"]:
            options = [str(option) for option in field["options"]]
            return ui.select(options, label=name + optional, value=options[0]).props("dense outlined")
        if field["kind"] == "boolean":
            return ui.checkbox(name + optional)
        how = " (as JSON)" if field["kind"] == "json" else HOW.get(field["kind"], "")
        known = [str(example) for example in field["examples"]]
        return ui.input(label=name + how + optional, autocomplete=known).props("dense outlined")

    def value(self) -> dict[str, Any]:
        """What was filled in, as JSON values; what was left open and need not be given is left out."""
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            made = self._inputs[name]
            if isinstance(made, Form | Several):
                value: Any = made.value()
                if value or field["needed"]:
                    found[name] = value
                continue
            value = made.value
            if value in ("", None) and not field["needed"]:
                continue
            if field["options"]:
                found[name] = next((option for option in field["options"] if str(option) == value), value)
            else:
                found[name] = value if field["kind"] in ("string", "boolean") else _read(str(value), field["kind"])
        return found


class Several:
    """A list of objects: each a form of its own, added and removed by buttons."""

    def __init__(self, name: str, field: Mapping[str, Any]) -> None:
        self.name, self.fields = name, field["fields"]
        self._forms: dict[int, Form] = {}
        self._added = 0
        with _group(name, field["says"]):
            self._place = ui.element("div")
            ui.button(f"Add to {name}", on_click=self.add).props("no-caps outline dense padding='2px 14px'")

    def add(self) -> None:
        """One more."""
        self._added += 1
        number = self._added
        with self._place, ui.element("div").classes("listed").props("role=group") as entry:
            with ui.element("div").style("flex: 1; min-width: 0"):
                self._forms[number] = Form(self.fields)
            button = ui.button("Remove", on_click=partial(self._remove, number, entry)).props("flat dense no-caps")
            button.props(f'aria-label="Remove {number} of {self.name}"')

    def _remove(self, number: int, entry: ui.element) -> None:
        del self._forms[number]
        entry.delete()

    def value(self) -> list[dict[str, Any]]:
        """All of them, in order."""
        return [form.value() for form in self._forms.values()]


def _group(name: str, says: str) -> ui.element:
    with ui.element("fieldset").classes("group") as group:
        ui.html(html("{}", name), tag="legend")
        if says:
            ui.html(html("<p class=soft>{}</p>", says))
    return group


def _read(text: str, kind: str) -> Any:
    try:
        return read_value(text, kind)
    except ValueError:
        return text
