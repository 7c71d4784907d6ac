"""Twenty questions: the game as a conversation."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.words import deed


class QuestionGame(View):
    """What was asked and answered up to the moment, and what is asked now."""

    title: ClassVar[str] = "Questions"
    rank: ClassVar[int] = 5

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the world it is called after alone."""
        return False

    def build(self) -> None:
        """The thing, if it is known, and a table."""
        self._thing = ui.html("")
        self._said = ui.html("").classes("scroll")

    def show(self, frame: int) -> None:
        """The game so far."""
        latest = self.record.latest(self.record.agents, frame)
        asking = latest.get("questioner")
        seen: dict[str, Any] = asking.seen if asking is not None and isinstance(asking.seen, dict) else {}
        entity = next((r.seen["entity"] for r in latest.values() if isinstance(r.seen, dict) and r.seen.get("entity")), "")
        told = seen.get("told", "")
        self._thing.content = html(
            "<p>Turn {} of {}.{}{}</p>",
            seen.get("turn", "–"),
            seen.get("turns", "–"),
            f" The thing is: {entity}." if entity else "",
            f" {told}" if told else "",
        )
        rows = [
            html(
                "<tr><td class=step>{}</td><td>{}</td><td class={}>{}</td></tr>",
                k,
                one.get("asked"),
                one.get("answer"),
                one.get("answer"),
            )
            for k, one in enumerate(seen.get("said", []), 1)
        ]
        if asking is not None and asking.done is not None:
            rows.append(
                html("<tr class=now><td class=step>{}</td><td>{}</td><td></td></tr>", len(rows) + 1, deed(asking.done, 300))
            )
        head = Markup("<tr><th scope=col>turn</th><th scope=col>asked</th><th scope=col>answer</th></tr>")
        self._said.content = html("<table>{}{}</table>", head, Markup().join(rows))
