"""The feed: what is in people's timelines, who passes it on and who writes, and how feelings spread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record, Row
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart

MOST, ROUNDS = 500, 60
"""Users looked at in a round, and rounds for which curves are computed."""
SHOWN = 30
"""Posts listed."""


class Delivered(NamedTuple):
    """A post as it stands in timelines."""

    post: dict[str, Any]
    readers: int
    """How many have it in their timeline."""
    passed_on: int
    """How many of them repost it now."""


class Feed(View):
    """The posts of the round, those with most readers first, and what is written now; curves of reach and feelings."""

    title: ClassVar[str] = "Feed"
    rank: ClassVar[int] = 5

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the world it is called after alone."""
        return False

    def build(self) -> None:
        """Curves, and two columns of posts."""
        self._chart = Chart(self._curves, len(self.record), "share of users")
        with ui.element("div").classes("two"):
            self._read = ui.html("").classes("posts")
            self._written = ui.html("").classes("posts")

    def _curves(self) -> dict[str, list[tuple[int, float]]]:
        n = len(self.record)
        curves: dict[str, list[tuple[int, float]]] = {"reached": [], "for it": [], "intense": []}
        for frame in np.unique(np.linspace(0, n - 1, min(n, ROUNDS)).astype(int)).tolist():
            rows = [row for row in self.record.at(frame, MOST) if isinstance(row.seen, dict)]
            if all(row.ended for row in rows):
                continue
            acting, users = [row.seen for row in rows if row.done is not None], min(len(self.record.agents), MOST)
            for name, count in (
                ("reached", len(acting)),
                ("for it", sum(seen.get("attitude") == "positive" for seen in acting)),
                ("intense", sum(seen.get("emotion") == "intense" for seen in acting)),
            ):
                curves[name].append((frame, count / users))
        return curves

    def show(self, frame: int) -> None:
        """The timelines and the posts of the round."""
        self._chart.show(frame)
        rows = self.record.at(frame, MOST)
        read = sorted(delivered(rows), key=lambda one: (-one.readers, one.post.get("id", 0)))
        cards = [_card(one.post, str(one.post.get("author", "")), _fate(one)) for one in read[:SHOWN]]
        self._read.content = _column("In timelines", cards, len(read), "Nothing was posted in the round before.")
        texts = {one.post.get("id"): one.post for one in read}
        written = [(row, row.done) for row in rows if isinstance(row.done, dict) and row.done.get("verb") == "publish"]
        passed = [(row, row.done) for row in rows if isinstance(row.done, dict) and row.done.get("verb") == "repost"]
        cards = [_card(done, row.agent) for row, done in written]
        cards += [_card({**texts.get(done.get("post"), {}), **done}, row.agent, "passes on") for row, done in passed]
        self._written.content = _column("Posted now", cards[:SHOWN], len(cards), "Nobody posts in this round.")

    async def grown(self) -> None:
        """Longer curves."""
        await self._chart.grown(len(self.record))


def delivered(rows: Iterable[Row]) -> list[Delivered]:
    """The posts in the timelines of these rows, each once, with how many have it and how many pass it on."""
    posts: dict[int, dict[str, Any]] = {}
    readers: dict[int, int] = {}
    passed: dict[int, int] = {}
    for row in rows:
        here = row.seen.get("posts") if isinstance(row.seen, dict) else None
        for post in here if isinstance(here, list) else ():
            number = post.get("id", -1)
            posts.setdefault(number, post)
            readers[number] = readers.get(number, 0) + 1
        if isinstance(row.done, dict) and row.done.get("verb") == "repost" and isinstance(row.done.get("post"), int):
            passed[row.done["post"]] = passed.get(row.done["post"], 0) + 1
    return [Delivered(post, readers[number], passed.get(number, 0)) for number, post in posts.items()]


def _fate(one: Delivered) -> str:
    return f"{one.readers:,} read it" + (f", {one.passed_on:,} pass it on" if one.passed_on else "")


def _column(title: str, cards: list[Markup], total: int, none: str) -> Markup:
    more = html("<p class=soft>… and {} more</p>", f"{total - len(cards):,}") if total > len(cards) else Markup()
    return html("<h3>{}</h3>{}{}", title, Markup().join(cards) or html("<p class=soft>{}</p>", none), more)


def _card(post: dict[str, Any], author: str, fate: str = "") -> Markup:
    attitude, feeling = str(post.get("attitude", "")), str(post.get("emotion", ""))
    side = attitude if attitude in ("positive", "negative") else ""
    old = html(" <span class=soft>(a repost)</span>") if post.get("source", -1) != -1 and fate != "passes on" else ""
    head = html(
        "<b>{}</b>{} <span class=soft>{}, {}{}{}</span>", author, old, feeling, attitude, " · " if fate else "", fate
    )
    return html('<div class="post {}"><p>{}</p><p>{}</p></div>', side, head, str(post.get("text", "")))
