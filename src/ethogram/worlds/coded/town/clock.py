"""Clock times and hours as people write them."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from ethogram.errors import ConfigError

__all__ = ["DAY", "WEEKDAYS", "ClockTime", "Hours", "OpeningHours", "clock", "clock_time", "minutes"]

DAY = 24 * 60
"""Minutes of a day."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def minutes(text: object) -> int:
    """Minutes since midnight of a clock time `HH:MM` from 00:00 to 24:00."""
    match = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*", text) if isinstance(text, str) else None
    if match is None or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > DAY:
        raise ValueError(f'a clock time is written "HH:MM", from "00:00" to "24:00", not {text!r}')
    return int(match[1]) * 60 + int(match[2])


def clock_time(text: str, name: str) -> int:
    """`minutes` of the option `name` of a town; ConfigError where it is no clock time."""
    try:
        return minutes(text)
    except ValueError as error:
        raise ConfigError(f"town: {name}: {error}") from error


def clock(time: float, weekday: int = 0) -> str:
    """A time in minutes since midnight of the first day (whose index in `WEEKDAYS` is `weekday`), as `Monday 08:10`."""
    day, minute = divmod(int(time), DAY)
    return f"{WEEKDAYS[(weekday + day) % 7]} {minute // 60:02d}:{minute % 60:02d}"


class Hours(NamedTuple):
    """A part of each day, in minutes since midnight; over midnight where `end` comes before `start`."""

    start: int
    end: int

    def contain(self, time: float) -> bool:
        """Whether the time, in minutes since midnight of the first day, is in them: from `start` on, before `end`."""
        minute = time % DAY
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def _hours(text: object) -> Hours:
    parts = text.split("-") if isinstance(text, str) else []
    if len(parts) != 2:
        raise ValueError(f'hours are written "HH:MM-HH:MM", as in "07:30-18:00", not {text!r}')
    return Hours(minutes(parts[0]), minutes(parts[1]))


ClockTime = Annotated[int, BeforeValidator(minutes)]
"""A field written `"HH:MM"`, kept as minutes since midnight."""

OpeningHours = Annotated[Hours, BeforeValidator(_hours)]
"""A field written `"HH:MM-HH:MM"`."""
