"""The video of a body, drawn on demand: around the moment looked at first, while the page goes on."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from nicegui import ui

from ethogram.studio.jobs import Office
from ethogram.studio.reading import Record
from ethogram.studio.reels import film, gif
from ethogram.studio.safety import html

__all__ = ["Video"]

AHEAD = 200
"""Frames drawn ahead of the moment looked at, and then behind it."""
BLOCK = 25
"""Drawing begins at a multiple of this, so that steps back find pictures too."""
BATCH = 50
"""Frames asked for at once; `film` makes as many as there is time for."""
LOOK = 0.1
"""Seconds between two looks at what is missing."""
WORLDS = 12
"""Runs whose worlds one process keeps."""
_shown: set[Path] = set()
"""The folders of the runs that were given to the process there is."""


@cache
def _pictures() -> tempfile.TemporaryDirectory[str]:
    """Where pictures are kept as long as the studio serves."""
    return tempfile.TemporaryDirectory(prefix="ethogram-video-")


class Video:
    """A button that asks for the video, its frame of the moment, and a button that takes it away as a GIF.

    Args:
        record: of the run.
        office: draws the frames.
    """

    def __init__(self, record: Record, office: Office) -> None:
        self.record, self.office = record, office
        key = hashlib.sha256(f"{record.path}\n{record.manifest.started}".encode()).hexdigest()[:16]
        self.folder = Path(_pictures().name) / key
        self.made: set[int] = set()
        """The frames that are there."""
        self.wrong: dict[int, tuple[int, str]] = {}
        self.problem = ""
        self.frame, self._at = 0, -1
        self._asked = False

    def build(self) -> None:
        """Lay it out in the current place of the page."""
        with ui.element("div").props('aria-label="Video" role=group'):
            self._image = ui.html("").classes("video")
            self._says = ui.html("").props("aria-live=polite")
            self._render = ui.button("Render the video", on_click=self.ask).props(
                "no-caps outline dense padding='2px 14px' "
                'title="Builds the world again and replays the recorded actions in it"'
            )
            self._export = ui.button("Export as GIF", on_click=self.export).props("no-caps flat dense padding='2px 14px'")
            self._export.set_visibility(False)
        self._timer = ui.timer(LOOK, self._work, active=False)

    def ask(self) -> None:
        """Begin to draw."""
        if self.folder.is_dir():
            self.made |= {int(f.name[:-4]) for f in os.scandir(self.folder) if f.name.endswith(".jpg")}
        if self.folder not in _shown and len(_shown) >= WORLDS:
            self.office.renew("pictures")
            _shown.clear()
        _shown.add(self.folder)
        self._asked, self.problem = True, ""
        self._render.set_visibility(False)
        self._timer.active = True
        self.show(self.frame)

    def show(self, frame: int) -> None:
        """The picture of a moment, or how far it is."""
        self.frame = frame
        if not self._asked:
            return
        first, end = self._episode()
        if self.problem:
            said = html("<p class=error>{}</p>", self.problem)
        elif frame in self.made:
            data = base64.b64encode((self.folder / f"{frame}.jpg").read_bytes()).decode()
            style = "width: 100%; max-width: 420px; display: block; border-radius: 6px"
            self._image.content = html(
                '<img alt="The world at this moment" data-frame="{}" style="{}" src="data:image/jpeg;base64,{}">',
                frame,
                style,
                data,
            )
            here = sum(first <= made < end for made in self.made)
            said = html("<p class=soft>{} of {} pictures of this episode are rendered.</p>", f"{here:,}", f"{end - first:,}")
        elif (wrong := self.wrong.get(self.record.place(frame)[0])) is not None and wrong[0] <= frame:
            said = html("<p class=error>{}</p>", wrong[1])
        else:
            far = self.record.place(self._at)[1] if first <= self._at < end else 0
            wanted = self.record.place(frame)[1]
            said = html("<p class=soft>rendering … step {} (the replay is at step {})</p>", f"{wanted:,}", f"{far:,}")
        if self.problem or frame not in self.made:
            self._image.content = ""
        self._says.content = said
        self._export.set_visibility(not self.problem and any(first <= made < end for made in self.made))

    def _episode(self) -> tuple[int, int]:
        """The first frame of the episode shown, and the one after its last."""
        episode, _ = self.record.place(self.frame)
        first, after = self.record.frame_of(episode, 0), self.record.frame_of(episode, 2**31 - 1) + 1
        return first, after

    def missing(self) -> list[int]:
        """What to draw next: what is missing from a little before the moment on, `AHEAD` far; then as far before it."""
        first, end = self._episode()
        if (wrong := self.wrong.get(self.record.place(self.frame)[0])) is not None:
            end = min(end, wrong[0])
        begin = first + (self.frame - first) // BLOCK * BLOCK
        ahead = [f for f in range(begin, min(end, self.frame + AHEAD)) if f not in self.made]
        return (ahead or [f for f in range(max(first, begin - AHEAD), min(end, begin)) if f not in self.made])[:BATCH]

    async def _work(self) -> None:
        if not len(self.record) or self.problem or not (frames := self.missing()):
            return
        started = self.record.manifest.started
        answer = await self.office.do("pictures", film, str(self.record.path), started, frames, str(self.folder))
        if self._says.is_deleted:
            return
        if answer.problem:
            self.problem, self._timer.active = answer.problem, False
            self._render.text = "Try again"
            self._render.set_visibility(True)
        else:
            self.made.update(answer.value["made"])
            self._at = answer.value["at"]
            if answer.value["wrong"] is not None:
                self.wrong[self.record.place(frames[0])[0]] = answer.value["wrong"]
        self.show(self.frame)

    async def export(self) -> None:
        """Hand over the rendered frames of the episode shown."""
        first, end = self._episode()
        frames = [f for f in range(first, end) if f in self.made]
        name = f"{self.record.path.name}-episode-{self.record.place(self.frame)[0]}.gif"
        self._export.disable()
        answer = await self.office.do("export", gif, str(self.folder), frames, str(self.folder / name))
        if self._export.is_deleted:
            return
        self._export.enable()
        if answer.problem:
            ui.notify(answer.problem, type="negative")
        else:
            ui.download.content(Path(answer.value).read_bytes(), name, "image/gif")
