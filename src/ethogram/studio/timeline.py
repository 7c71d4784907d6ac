"""The timeline: one moment for the whole page. Whatever shows a moment listens; the scrubber moves all of it together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import KeyEventArguments

if TYPE_CHECKING:
    from ethogram.studio.reading import Record

__all__ = ["Timeline", "spoken_time"]

SPEEDS = (1, 2, 5, 10, 30, 100, 1000)
"""Frames a second."""
BEAT = 0.1
"""Seconds between two updates while playing."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def spoken_time(time: float, unit: str) -> str:
    """Simulated time for people: minutes since a midnight as a clock, anything else as a number with its unit."""
    if unit != "minute":
        return f"{unit} {time:g}"
    day, minute = divmod(int(time), 24 * 60)
    return f"day {day + 1}, {minute // 60:02d}:{minute % 60:02d}"


class Timeline:
    """The moment shown, and the controls that move it.

    Args:
        record: of the run.
        frame: where to begin.
        address: what the page's address holds besides the moment.
        page: the page.
    """

    def __init__(self, record: Record, frame: int, address: dict[str, str], page: str = "/run") -> None:
        self.record = record
        self.frame = min(max(0, frame), max(0, len(record) - 1))
        self.address, self.page = address, page
        self.follow = False
        """Whether the end of a live run is shown as it grows."""
        self._listeners: list[Callable[[int], None]] = []
        self._owed = 0.0
        self._linked = ""

    def listen(self, show: Callable[[int], None]) -> None:
        """Have `show(frame)` called at every new moment."""
        self._listeners.append(show)

    def go(self, frame: int) -> None:
        """Move to a frame (the nearest there is) and show it everywhere."""
        frame = min(max(0, int(frame)), len(self.record) - 1)
        if frame == self.frame or frame < 0:
            return
        self.frame = frame
        self.refresh()

    def refresh(self) -> None:
        """Show the moment everywhere, anew."""
        self._slider.value = self.frame
        self._label.text = self.words()
        for show in self._listeners:
            show(self.frame)

    def words(self) -> str:
        """The moment in words."""
        if not len(self.record):
            return "nothing recorded yet"
        episode, step = self.record.place(self.frame)
        manifest = self.record.manifest
        parts = [f"episode {episode}"] if manifest.episodes > 1 else []
        parts.append(f"step {step:,}")
        if manifest.time_unit != "step":
            parts.append(spoken_time(self.record.time(self.frame), manifest.time_unit))
        return " · ".join(parts) + f"  ({self.frame + 1:,} of {len(self.record):,})"

    def link(self) -> str:
        """The address of the moment."""
        episode, step = self.record.place(self.frame) if len(self.record) else (0, 0)
        return f"{self.page}?" + urlencode({**self.address, "episode": episode, "step": step})

    def build(self) -> None:
        """Lay out the controls in the current place of the page."""
        with ui.element("section").classes("timeline").props('aria-label="Timeline"'):
            with ui.element("div").classes("buttons"):
                _button("first_page", "Go to the beginning (Home)", lambda: self.go(0))
                _button("chevron_left", "One step back (←)", lambda: self.go(self.frame - 1))
                self._play = _button("play_arrow", "Play or pause (space)", self.toggle)
                _button("chevron_right", "One step on (→)", lambda: self.go(self.frame + 1))
                _button("last_page", "Go to the end (End)", lambda: self.go(len(self.record) - 1))
                self._speed = ui.select({s: f"{s}×" for s in SPEEDS}, value=5).props(
                    'dense options-dense borderless aria-label="Speed: steps a second"'
                )
                _button("link", "Copy the link to this moment", self.copy)
            self._slider = ui.slider(
                min=0, max=max(1, len(self.record) - 1), value=self.frame, on_change=lambda e: self.go(int(e.value or 0))
            ).props('aria-label="Moment" color="teal-9"')
            self._label = ui.label(self.words()).classes("moment").props('aria-live="off"')
        self._timer = ui.timer(BEAT, self._beat, active=False)
        ui.timer(0.5, self._relink)
        ui.keyboard(on_key=self._key)

    def toggle(self) -> None:
        """Play, or pause; at the end, from the beginning."""
        if not self._timer.active and self.frame >= len(self.record) - 1:
            self.go(0)
        self._owed = 0.0
        self._timer.active = not self._timer.active
        self._play.props(f"icon={'pause' if self._timer.active else 'play_arrow'}")

    def _beat(self) -> None:
        self._owed += BEAT * (self._speed.value or 1)
        whole, self._owed = int(self._owed), self._owed % 1
        if whole:
            self.go(self.frame + whole)
        if self.frame >= len(self.record) - 1:
            self.toggle()

    def _key(self, event: KeyEventArguments) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta:
            return
        stride = 10 if event.modifiers.shift else 1
        moves: dict[Any, Callable[[], None]] = {
            "ArrowRight": lambda: self.go(self.frame + stride),
            "ArrowLeft": lambda: self.go(self.frame - stride),
            "Home": lambda: self.go(0),
            "End": lambda: self.go(len(self.record) - 1),
            " ": self.toggle,
        }
        if move := moves.get(event.key.name):
            move()

    def copy(self) -> None:
        """Put the link to the moment on the clipboard."""
        self._relink()
        ui.run_javascript("navigator.clipboard?.writeText(location.href)")
        ui.notify("The address of this page is the link to this moment; it was copied.", type="info")

    def _relink(self) -> None:
        if (link := self.link()) != self._linked:
            self._linked = link
            ui.navigate.history.replace(link)

    def grown(self) -> None:
        """The record has more frames than before."""
        self._slider.props(f"max={max(1, len(self.record) - 1)}")
        self._label.text = self.words()
        if self.follow:
            self.go(len(self.record) - 1)


def _button(icon: str, says: str, act: Callable[[], None]) -> ui.button:
    return ui.button(icon=icon, on_click=act).props(f'flat dense round aria-label="{says}" title="{says}"')
