"""One agent at a moment: who it is, what it saw, the exact prompts and replies, memory, plan and relations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from markupsafe import Markup
from nicegui import background_tasks, ui
from nicegui import run as background

from ethogram.studio.reading import Record
from ethogram.studio.relations import relations_of
from ethogram.studio.safety import html
from ethogram.studio.words import brief, deed, lines

__all__ = ["AgentPanel"]

CALLS, MEMORIES, NOTES = 12, 200, 4000
"""Model calls and memories shown, and notes looked through."""


class AgentPanel:
    """What is known of one agent, moved by the timeline like any view.

    Args:
        record: of the run.
        agent: who is shown first; empty: the first.
    """

    def __init__(self, record: Record, agent: str = "") -> None:
        self.record = record
        self.agent = agent if agent in record.agents else record.agents[0]
        self.frame = 0
        self.part = "Now"
        self.chosen: Callable[[], None] = lambda: None
        """Called where another agent is chosen."""

    def build(self) -> None:
        """Lay out the panel in the current place of the page."""
        with ui.element("section").classes("panel").props('aria-label="Agent"'):
            many = len(self.record.agents) > 12
            self._choice = ui.select(
                self.record.agents, value=self.agent, on_change=lambda e: self.choose(e.value), with_input=many
            ).props('dense outlined options-dense aria-label="Agent"')
            with ui.element("div").classes("choices").props("role=tablist"):
                self._tabs = {
                    part: ui.button(part, on_click=partial(self.turn, part)).props("flat dense no-caps role=tab")
                    for part in self.parts
                }
            self._body = ui.html("").props("role=tabpanel")
        self.turn(self.part)

    @property
    def parts(self) -> list[str]:
        """What there is to see of an agent in this run."""
        kinds = self.kinds()
        there = {
            "Now": True,
            "Persona": len(self.record.calls) > 0,
            "Prompts": len(self.record.calls) > 0,
            "Memory": "memory" in kinds,
            "Plan": "plan" in kinds,
            "Relations": len(self.record.agents) > 1,
        }
        return [part for part, found in there.items() if found]

    def kinds(self) -> set[str]:
        """The kinds of notes that agents of the run made, in the first thousand of them."""
        return {row["kind"] for row in self.record.notes.rows(range(min(1000, len(self.record.notes))), ["kind"])}

    def choose(self, agent: str | None) -> None:
        """Show another agent."""
        if agent is not None and agent != self.agent and agent in self.record.agents:
            self.agent = agent
            if self._choice.value != agent:
                self._choice.value = agent
            self.show(self.frame)
            self.chosen()

    def turn(self, part: str) -> None:
        """Show another side of the agent."""
        self.part = part
        for name, button in self._tabs.items():
            button.classes(add="chosen" if name == part else None, remove=None if name == part else "chosen")
            button.props(f"aria-selected={'true' if name == part else 'false'}")
        self.show(self.frame)

    def show(self, frame: int) -> None:
        """Show the agent as it was at a frame."""
        self.frame = frame
        if len(self.record):
            sides = {
                "Now": self._now,
                "Persona": self._persona,
                "Prompts": self._prompts,
                "Memory": self._memory,
                "Plan": self._plan,
                "Relations": self._relations,
            }
            self._body.content = sides[self.part]()

    def _notes(self, kind: str) -> list[dict[str, Any]]:
        found = self.record.beside(self.record.notes, self.agent, self.frame, NOTES)
        return [{**_parsed(row["data"]), "step": row["step"]} for row in found if row["kind"] == kind]

    def _now(self) -> Markup:
        row = self.record.last_seen(self.agent, self.frame)
        if row is None:
            return html("<p class=soft>{} has not been asked to act yet.</p>", self.agent)
        when = "now" if row.frame == self.frame else f"at step {self.record.place(row.frame)[1]:,}, when it last acted"
        words = deed(row.done, 800) if row.done is not None else f"nothing ({row.ended})"
        fault = html("<p class=error>failed: {}</p>", row.fault) if row.fault else Markup()
        pairs = Markup().join(html("<dt>{}</dt><dd>{}</dd>", name, value) for name, value in lines(row.seen))
        reward = "" if not row.reward else html("<p class=soft>reward {}</p>", f"{row.reward:g}")
        return html(
            "<h3>What it did {}</h3><p>{}</p>{}{}<h3>What it saw</h3><dl class=pairs>{}</dl>",
            when,
            words,
            fault,
            reward,
            pairs,
        )

    def _prompts(self) -> Markup:
        calls = self.record.beside(self.record.calls, self.agent, self.frame, CALLS)
        if not calls:
            return html("<p class=soft>{} has asked no model yet.</p>", self.agent)
        return Markup().join(_call(call, k == 0) for k, call in enumerate(reversed(calls)))

    def _memory(self) -> Markup:
        memories = self._notes("memory")
        if not memories:
            return html("<p class=soft>{} remembers nothing yet.</p>", self.agent)
        line = "<tr><td class=step>{}</td><td>{}</td><td class=number>{}</td></tr>"
        shown = list(reversed(memories))[:MEMORIES]
        rows = Markup().join(
            html(line, m["step"], f"{m.get('text', '')}" + _kind(m), brief(m.get("importance"))) for m in shown
        )
        head = "<tr><th scope=col>step</th><th scope=col>memory</th><th scope=col>importance</th></tr>"
        return html("<p class=soft>{} memories, the latest first.</p>", len(memories)) + html(
            "<table>{}{}</table>", Markup(head), rows
        )

    def _plan(self) -> Markup:
        plans = self._notes("plan")
        if not plans:
            return html("<p class=soft>{} has no plan yet.</p>", self.agent)
        plan = {k: v for k, v in plans[-1].items() if k != "step"}
        pieces = plan.get("pieces")
        if not (isinstance(pieces, list) and all(isinstance(p, list) and len(p) >= 4 for p in pieces)):
            return html(
                "<p class=soft>Made at step {}.</p><pre class=text>{}</pre>", plans[-1]["step"], json.dumps(plan, indent=1)
            )
        line = "<tr><td class=step>{}</td><td>{}</td><td>{}</td></tr>"
        rows = Markup().join(html(line, f"{_clock(p[0])}–{_clock(p[1])}", str(p[2]), str(p[3])) for p in pieces)
        return html("<p class=soft>Made at step {}.</p><table>{}</table>", plans[-1]["step"], rows)

    def _relations(self) -> Markup:
        """With whom the agent has had to do so far: whom its actions, and whose actions it, were directed to."""
        index = relations_of(self.record)
        if not index.complete:
            background_tasks.create(self._index_relations())
            return html("<p class=soft>Who has had to do with whom is being read …</p>")
        found = index.of(self.agent, self.record.bounds(self.frame)[1])
        if not found:
            return html("<p class=soft>{} has addressed nobody, and nobody it.</p>", self.agent)
        line = "<tr><td>{}</td><td class=number>{}</td><td class=number>{}</td></tr>"
        body = Markup().join(html(line, other, to, by) for other, (to, by) in found.items())
        head = "<tr><th scope=col>with</th><th scope=col>said or gave</th><th scope=col>was told or given</th></tr>"
        return html("<p class=soft>From the first step up to this moment.</p><table>{}{}</table>", Markup(head), body)

    async def _index_relations(self) -> None:
        await background.io_bound(relations_of(self.record).extend)
        if self.part == "Relations" and not self._body.is_deleted:
            self._body.content = self._relations()

    def _persona(self) -> Markup:
        """Who a model was told that the agent is: the system message of its latest call, word for word."""
        calls = self.record.beside(self.record.calls, self.agent, self.frame, CALLS)
        told = [(call, m["content"]) for call in calls for m in call["messages"] or [] if m["role"] == "system"]
        if not told:
            return html("<p class=soft>No model has been told who {} is, up to this moment.</p>", self.agent)
        call, words = told[-1]
        says = "<p class=soft>What the model was told at step {} ({}).</p><pre class=text>{}</pre>"
        return html(says, call["step"], call["purpose"], words)


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        return {"text": text}
    return data if isinstance(data, dict) else {"text": text}


def _kind(memory: dict[str, Any]) -> str:
    kind = memory.get("kind")
    return f" ({kind})" if isinstance(kind, str) and kind != "observation" else ""


def _clock(minute: Any) -> str:
    return f"{int(minute) // 60 % 24:02d}:{int(minute) % 60:02d}" if isinstance(minute, int | float) else str(minute)


def _call(call: dict[str, Any], first: bool) -> Markup:
    """A model call as it was: every message, the options with their scores, and the reply."""
    asked = Markup().join(
        html("<h3>{}</h3><pre class=text>{}</pre>", m["role"], m["content"]) for m in call["messages"] or []
    )
    scores = call["scores"] or []
    options = Markup().join(
        html("<tr><td>{}</td><td class=number>{}</td></tr>", o, f"{s:.2f}" if s is not None else "")
        for o, s in zip(call["options"] or [], [*scores, *[None] * len(call["options"] or [])], strict=False)
    )
    listed = html("<h3>options and their log-likelihood</h3><table>{}</table>", options) if options else Markup()
    reply = call["reply"] if call["error"] is None else f"(failed: {call['error']})"
    tokens = f"{call['tokens_in'] or 0:,} + {call['tokens_out'] or 0:,} tokens"
    facts = f"{call['model']}, {tokens}" + (", from the cache" if call["cached"] else "")
    return html(
        "<details {}><summary>step {} · {} · {}</summary>{}{}<h3>reply</h3><pre class=text>{}</pre></details>",
        Markup("open") if first else "",
        call["step"],
        call["purpose"],
        facts,
        asked,
        listed,
        reply if reply is not None else "(none)",
    )
