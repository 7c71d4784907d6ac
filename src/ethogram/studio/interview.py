"""The interview: a question put to an agent at the moment shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from nicegui import ui

from ethogram.studio.jobs import Office, ask
from ethogram.studio.reading import Record
from ethogram.studio.safety import html

__all__ = ["Interview"]

TERMS = ("score", "recency", "relevance", "importance")
"""What a memory is retrieved by: the sum, and its terms."""


class Interview:
    """A box to ask in, and what was answered.

    Args:
        record: of the run.
        office: does the asking.
        moment: the frame and the agent shown now.
    """

    def __init__(self, record: Record, office: Office, moment: Callable[[], tuple[int, str]]) -> None:
        self.record, self.office, self.moment = record, office, moment
        self._said: list[Markup] = []

    def build(self) -> None:
        """Lay it out in the current place of the page."""
        with ui.element("section").classes("panel").props('aria-label="Interview"'):
            ui.html(
                "<h2>Interview</h2><p class=soft>It answers from what it knows at this moment; the run stays as it is.</p>"
            )
            self._question = ui.input(placeholder="Ask something").props(
                'dense outlined aria-label="Question" maxlength=600'
            )
            self._question.on("keydown.enter", self.put)
            self._button = ui.button("Ask", on_click=self.put).props("no-caps unelevated dense padding='2px 14px'")
            self._answers = ui.html("").props("aria-live=polite")

    async def put(self) -> None:
        """Put the question."""
        question = (self._question.value or "").strip()
        if not question or not len(self.record):
            return
        frame, agent = self.moment()
        episode, step = self.record.place(frame)
        self._button.disable()
        self._button.text = "Asking …"
        answer = await self.office.do("questions", ask, str(self.record.path), agent, question, episode, step)
        self._button.text = "Ask"
        self._button.enable()
        said = html("<p class=error>{}</p>", answer.problem) if answer.problem else said_of(answer.value)
        asked = html("<p class=soft>{} at step {}, asked: {}</p>", agent, f"{step:,}", question)
        self._said.insert(0, html("<div class=answer>{}{}</div>", asked, said))
        self._answers.content = Markup().join(self._said[:20])
        if not answer.problem:
            self._question.value = ""


def said_of(found: dict[str, Any]) -> Markup:
    """An answer, and the memories that it stands on with what they were scored."""
    said = html("<p>{}</p>", str(found["answer"]))
    if not found["recalled"]:
        return said
    line = "<p class=recalled>{}<br><span class=soft>{}</span></p>"
    rows = [html(line, m["text"], ", ".join(f"{t} {m[t]:.2f}" for t in TERMS)) for m in found["recalled"]]
    listed = html("<div class=posts>{}</div>", Markup().join(rows))
    return said + html("<details><summary>the {} memories it came from</summary>{}</details>", len(rows), listed)
