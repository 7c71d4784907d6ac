"""Games: a board of who chose what, step by step, and what everybody has gained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart
from ethogram.studio.words import brief, deed

BEFORE, AFTER = 6, 1
"""Steps of the board before and after the moment."""
PLAYERS = 30
WASHES = ("#dbe7f1", "#f6dccd", "#d9ebdd", "#e8dcee", "#f4e9c8", "#dde6ea", "#f0d8df", "#d6ecea")


class Game(View):
    """A row for each player, a column for each step around the moment, a colour for each kind of action."""

    title: ClassVar[str] = "Board"
    rank: ClassVar[int] = 2

    def __init__(self, record: Record, pick: Callable[[str], None]) -> None:
        super().__init__(record, pick)
        self.players = record.agents[:PLAYERS]
        self._colours: dict[str, str] = {}

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of any world of two players or more."""
        return 2 <= len(record.agents) <= 200

    def build(self) -> None:
        """Board, and (where there are rewards) their sums as curves."""
        self._board = ui.html("").classes("scroll")
        rewarded = bool(np.nan_to_num(self.record.steps.columns["reward"]).any())
        self._chart = Chart(self._curves, len(self.record), "reward so far") if rewarded else None

    def _curves(self) -> dict[str, list[tuple[int, float]]]:
        return {player: self.record.gained(player) for player in self.players[:12]}

    def show(self, frame: int) -> None:
        """The board around the moment."""
        first, end = max(0, frame - BEFORE), min(len(self.record), frame + AFTER + 1)
        done: dict[tuple[str, int], Any] = {}
        for k in range(first, end):
            for seen in self.record.at(k):
                done[seen.agent, k] = seen.done
        steps = [self.record.place(k)[1] for k in range(first, end)]
        head = Markup().join(
            html('<th scope=col class="{}">{}</th>', "now" if first + k == frame else "", f"{s:,}")
            for k, s in enumerate(steps)
        )
        rows = [
            html("<tr><td class=agent>{}</td>{}</tr>", p, self._cells(p, done, range(first, end), frame))
            for p in self.players
        ]
        rest = len(self.record.agents) - len(self.players)
        more = html("<p class=soft>… and {} more</p>", rest) if rest else ""
        board = html("<table class=board><tr><th scope=col>step</th>{}</tr>{}</table>{}", head, Markup().join(rows), more)
        self._board.content = board
        if self._chart:
            self._chart.show(frame)

    def _cells(self, player: str, done: dict[tuple[str, int], Any], frames: range, now: int) -> Markup:
        cell = '<td style="background: {}" class="{}" title="{}">{}</td>'
        found = []
        for k in frames:
            action = done.get((player, k))
            if action is None:
                found.append(html("<td></td>"))
                continue
            kind, words = _kind(action)
            found.append(html(cell, self._colour(kind), "current" if k == now else "", deed(action, 400), words))
        return Markup().join(found)

    def _colour(self, kind: str) -> str:
        return self._colours.setdefault(kind, WASHES[len(self._colours) % len(WASHES)])

    async def grown(self) -> None:
        """Longer curves."""
        if self._chart:
            await self._chart.grown(len(self.record))


def _kind(action: Any) -> tuple[str, str]:
    """What colours an action, and what stands in its cell."""
    if isinstance(action, dict) and "verb" in action:
        option = action.get("option")
        return (str(option), str(option)) if option is not None else (str(action["verb"]), deed(action, 22))
    words = brief(action, 14)
    return words if isinstance(action, int | str) else "number", words
