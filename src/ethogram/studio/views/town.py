"""The town: people on its map, walking, doing things, talking."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from nicegui import run as background
from nicegui import ui

from ethogram.studio.reading import Record, Row
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._stage import Bubble, Figure, Stage, colour_of
from ethogram.studio.views._street_map import plan_of
from ethogram.studio.words import deed, speech

MOST = 60
"""People drawn; of more, the first."""


class Whereabouts(NamedTuple):
    """Where a person is at a moment, as far as the record tells."""

    name: str
    place: str
    goal: str
    """Where it is walking to; empty where it stands."""
    share: float
    """How much of the way is done."""
    activity: str
    acts: bool


class Town(View):
    """A map with people; who acts is drawn strong, who walks is between two places, what is said stands above."""

    title: ClassVar[str] = "Map"
    rank: ClassVar[int] = 5

    def __init__(self, record: Record, pick: Callable[[str], None]) -> None:
        super().__init__(record, pick)
        self.people = record.agents[:MOST]
        recipe = record.manifest.recipe or {}
        joining = recipe.get("arguments", {}).get("newcomers") or ()
        self._newcomers = {one.get("name") for one in joining if isinstance(one, dict)}
        self._row = lru_cache(4096)(lambda row: record.read([row])[0])
        self._plan = plan_of(record.manifest, self._places())

    def _places(self) -> list[str]:
        """Places that people were in or went to at the beginning of the run."""
        found = dict[str, None]()
        for row in self.record.read(range(min(300, len(self.record.steps)))):
            goal = row.done.get("to", "") if isinstance(row.done, dict) and row.done.get("verb") == "go" else ""
            found |= dict.fromkeys(p for p in (_seen(row, "place"), _seen(row, "going"), goal) if p)
        return list(found)

    def build(self) -> None:
        """Map, and the moment in words for those who cannot see it."""
        self._stage = Stage(self._plan.svg(), self._plan.ratio, self.pick)
        self._doings = ui.html("").classes("doings")
        ui.timer(0.3, self._warm, once=True)

    async def _warm(self) -> None:
        await background.io_bound(self.record.steps.warm)

    def show(self, frame: int) -> None:
        """Move everybody to where they are, and let them speak."""
        if not len(self.record):
            return
        found = [w for agent in self.people if (w := self._where(agent, frame)) is not None]
        if self._plan.learn([p for w in found for p in (w.place, w.goal) if p]):
            self._stage.redraw(self._plan.svg())
        points = self._points(found)
        said = self._said(frame)
        figures = []
        for w in found:
            doing = f"walking to {w.goal}" if w.goal else f"{w.activity or 'nothing in particular'}, {w.place}"
            colour = colour_of(self.record.agents.index(w.name))
            figures.append(Figure(w.name, *points[w.name], f"{w.name}: {doing}", colour, w.acts, w.name == self.picked))
        bubbles = [Bubble(*points[name], f"{name}: {text}", past) for name, text, past in said if name in points]
        self._stage.show(figures, bubbles)
        acting = [row for row in self.record.at(frame, MOST) if row.done is not None]
        self._doings.content = html("").join(html("<p><b>{}</b> {}</p>", row.agent, deed(row.done)) for row in acting[:12])

    def _points(self, found: list[Whereabouts]) -> dict[str, tuple[float, float]]:
        points = {w.name: self._plan.way(w.place, w.goal, w.share) for w in found if w.goal}
        for place in {w.place for w in found if not w.goal}:
            here = [w.name for w in found if w.place == place and not w.goal]
            points |= {name: self._plan.spot(place, k, len(here)) for k, name in enumerate(here)}
        return points

    def _where(self, agent: str, frame: int) -> Whereabouts | None:
        row, after = self.record.last_seen(agent, frame), self.record.around(agent, frame)[1]
        if row is None:
            first = None if after is None or agent in self._newcomers else self._row(after)
            return None if first is None else Whereabouts(agent, _seen(first, "place"), "", 0.0, "asleep", False)
        place = _seen(row, "place")
        if row.frame == frame:
            return Whereabouts(agent, place, "", 0.0, _seen(row, "activity"), row.done is not None)
        done = row.done if isinstance(row.done, dict) else {}
        arrived = None if after is None else self._row(after)
        goal = str(done.get("to", "")) if done.get("verb") == "go" else ""
        if goal and arrived is not None and _seen(arrived, "place") == goal:
            begun, ended, now = (self.record.time(f) for f in (row.frame, arrived.frame, frame))
            share = min(1.0, (now - begun) / (ended - begun)) if ended > begun else 0.0
            return Whereabouts(agent, place, goal, share, "", False)
        return Whereabouts(agent, place, "", 0.0, str(done.get("activity", "") or _seen(row, "activity")), False)

    def _said(self, frame: int) -> list[tuple[str, str, bool]]:
        """Who says what now, and (where the clock stands) who said what just before."""
        now = [(row.agent, speech(row.done), False) for row in self.record.at(frame, MOST) if speech(row.done)]
        if frame == 0 or self.record.time(frame - 1) != self.record.time(frame):
            return now
        speaking = {name for name, _, _ in now}
        before = [(row.agent, speech(row.done), True) for row in self.record.at(frame - 1, MOST) if speech(row.done)]
        return [*(b for b in before if b[0] not in speaking), *now]


def _seen(row: Row, name: str) -> str:
    seen: Any = row.seen
    return str(seen.get(name, "")) if isinstance(seen, dict) else ""
