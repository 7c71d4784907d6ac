"""Plans: a day as pieces that follow one another without gap or overlap, and appointments found in what was said.

References:
    Park et al. (2023), Generative Agents, section 4.3: a day in broad strokes, then hours, then pieces of 5 to 15 minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["DAY", "Appointment", "Piece", "Plan", "Stroke", "appointment_in", "clock_text", "tiled"]

DAY = 1440
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Stroke(NamedTuple):
    """Something to do from `start` (minutes since midnight of its day) on, as a mind proposes it."""

    start: int
    activity: str
    place: str = ""
    thing: str = ""


class Piece(NamedTuple):
    """Something planned from `start` to `end` (minutes since midnight of the first day)."""

    start: float
    end: float
    activity: str
    place: str = ""
    """Empty until a place is chosen."""
    thing: str = ""
    fine: bool = False
    """Whether this is not to be divided any further."""


class Appointment(NamedTuple):
    """An occasion at a place and time (minutes since midnight of the first day)."""

    start: float
    end: float
    occasion: str
    """One noun, as in `party`."""
    place: str


def tiled(strokes: Iterable[Stroke], day: int) -> list[Piece]:
    """Pieces that cover the day from midnight to midnight, whatever a mind proposed.

    Strokes are put in order and those outside of the day dropped; of several with the same start the last counts. The night
    before the first one is spent as its end is: the last activity goes round midnight.
    """
    by_start = {int(s.start): s for s in strokes if 0 <= s.start < DAY and s.activity.strip()}
    if not by_start:
        return [Piece(day * DAY, (day + 1) * DAY, "staying at home")]
    ordered = [by_start[start] for start in sorted(by_start)]
    if ordered[0].start > 0:
        ordered.insert(0, ordered[-1]._replace(start=0))
    ends = [s.start for s in ordered[1:]] + [DAY]
    return [
        Piece(day * DAY + s.start, day * DAY + end, s.activity, s.place, s.thing)
        for s, end in zip(ordered, ends, strict=True)
    ]


class Plan:
    """The pieces of one day, in order; always without gap or overlap.

    Args:
        pieces: as `tiled` gives them.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = list(pieces)

    @property
    def start(self) -> float:
        """Where the plan starts (minutes)."""
        return self.pieces[0].start

    @property
    def end(self) -> float:
        """Where the plan ends (minutes)."""
        return self.pieces[-1].end

    def at(self, time: float) -> Piece | None:
        """The piece under way at `time`, or None outside of the plan."""
        return next((p for p in self.pieces if p.start <= time < p.end), None)

    def insert(self, piece: Piece) -> None:
        """Put a piece in and cut what it overlaps; the part of it outside of the plan is dropped."""
        start, end = max(piece.start, self.start), min(piece.end, self.end)
        if start >= end:
            return
        kept: list[Piece] = []
        for old in self.pieces:
            if old.start < min(old.end, start):
                kept.append(old._replace(end=min(old.end, start)))
            if max(old.start, end) < old.end:
                kept.append(old._replace(start=max(old.start, end)))
        self.pieces = sorted([*kept, piece._replace(start=start, end=end)], key=lambda p: p.start)

    def replace(self, piece: Piece, **changes: Any) -> Piece:
        """Change what is done in a piece (not when), and return the new one."""
        new = piece._replace(**changes)
        self.pieces[self.pieces.index(piece)] = new
        return new

    def decompose(self, piece: Piece, parts: Sequence[tuple[str, float]], shortest: float = 5) -> None:
        """Divide a piece into parts of (activity, minutes), in order.

        Parts shorter than `shortest` are lengthened to it, parts beyond the end dropped; the last part lasts to the end.
        """
        fine: list[Piece] = []
        at = piece.start
        for activity, minutes in parts:
            if at >= piece.end:
                break
            end = min(piece.end, at + max(shortest, minutes))
            fine.append(piece._replace(start=at, end=end, activity=activity.strip() or piece.activity, fine=True))
            at = end
        if not fine:
            fine = [piece._replace(fine=True)]
        fine[-1] = fine[-1]._replace(end=piece.end)
        i = self.pieces.index(piece)
        self.pieces[i : i + 1] = fine


def clock_text(time: float) -> str:
    """The time of day: 490 -> '08:10'."""
    minutes = int(time) % DAY
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


_OCCASIONS = (
    "party|meeting|concert|dinner|lunch|breakfast|picnic|debate|rehearsal|reading|exhibition|wedding|funeral|festival|market|"
    "game|match|lesson|class|lecture|speech|vote|election|performance|show|date|talk"
)
_OCCASION = re.compile(rf"\b({_OCCASIONS})\b", re.IGNORECASE)
_TIME = re.compile(r"\b(?:at|from|by)\s+(\d{1,2})(?:[:.](\d{2}))?\s*([ap]\.?m\b)?|\b(\d{1,2}):(\d{2})\b", re.IGNORECASE)
_UNTIL = re.compile(r"\b(?:to|until|till|-|–)\s*(\d{1,2})(?:[:.](\d{2}))?\s*([ap]\.?m\b)?", re.IGNORECASE)


def appointment_in(text: str, *, now: float, weekday: str, places: Iterable[str], lasts: float = 120) -> Appointment | None:
    """The occasion that a sentence tells of, if it names an occasion, a time of day and a known place; it must lie ahead.

    A coded reading of plain sentences ("Ana gives a party at the Hobbs Cafe on Tuesday from 17:00 to 19:00", "at 5 pm
    tomorrow"), so that no model call is spent on text which names no occasion. Where no day is named, it is today.

    Args:
        text: what was heard or planted.
        now: minutes since midnight of the first day.
        weekday: today's.
        places: the places to look for, by name.
        lasts: minutes, where no end is named.
    """
    occasion, match = _OCCASION.search(text), _TIME.search(text)
    lower = text.lower()
    place = max((p for p in places if p.lower() in lower), key=len, default="")
    if not (occasion and match and place):
        return None
    groups = match.groups()
    start = _minutes(groups[0] or groups[3], groups[1] or groups[4], groups[2])
    if start is None:
        return None
    until = _UNTIL.match(text[match.end() :].lstrip())
    end = _minutes(*until.groups()) if until else None
    if end is None or end <= start:
        end = start + lasts
    day = int(now // DAY) + _days_ahead(lower, weekday)
    if day * DAY + end <= now:
        return None
    return Appointment(day * DAY + start, day * DAY + end, occasion.group(1).lower(), place)


def _minutes(hours: str, minutes: str | None, half: str | None) -> float | None:
    h, m = int(hours), int(minutes or 0)
    if half and h <= 12:
        h = h % 12 + (12 if half.lower().startswith("p") else 0)
    return 60 * h + m if h < 24 and m < 60 else None


def _days_ahead(text: str, weekday: str) -> int:
    if "tomorrow" in text:
        return 1
    for i, name in enumerate(WEEKDAYS):
        if name.lower() in text and weekday in WEEKDAYS:
            return (i - WEEKDAYS.index(weekday)) % 7
    return 0
