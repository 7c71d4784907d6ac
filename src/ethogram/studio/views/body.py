"""Bodies: the world as video, what a camera of theirs sees, and the traces of state and action."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np
from nicegui import ui

from ethogram.records.frames import encode_png
from ethogram.studio.reading import Record
from ethogram.studio.safety import html
from ethogram.studio.video import Video
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart

TRACES = 8
"""Numbers of an observation or action drawn as curves."""


class Body(View):
    """The world as video, drawn on demand; the picture that the agent saw, where it saw one; its numbers over time."""

    title: ClassVar[str] = "Body"
    rank: ClassVar[int] = 3

    def __init__(self, record: Record, pick: Callable[[str], None]) -> None:
        super().__init__(record, pick)
        self.agent = record.agents[0]
        spec = record.manifest.spaces.get("observation") or {}
        self.picture = picture_in(spec, record.manifest.described.get("observation") or {})

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of a single agent that sees or does numbers, and is not the observer of a population."""
        spec = record.manifest.spaces.get("observation") or {}
        return len(record.agents) == 1 and record.agents[0] != "observer" and spec.get("kind") in ("array", "dict")

    def build(self) -> None:
        """Pictures, and traces beside them."""
        self._video = Video(self.record, self.office) if self.office is not None else None
        with ui.element("div").style("display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start"):
            with ui.element("div").style("flex: 1 1 260px; min-width: 0"):
                if self._video is not None:
                    self._video.build()
                if self.picture is not None:
                    self._image = ui.html("").classes("picture")
            with ui.element("div").style("flex: 1 1 320px; min-width: 0"):
                sides = ("state", "action") if self.picture is None else ("action",)
                self._charts = [Chart(partial(self._traces, side), len(self.record), side) for side in sides]

    def _traces(self, side: str) -> dict[str, list[tuple[int, float]]]:
        curves: dict[str, list[tuple[int, float]]] = {}
        for row in self.record.sampled(self.agent, 400 if self.picture is None else 150):
            for name, number in traced(row.seen if side == "state" else row.done):
                curves.setdefault(name, []).append((row.frame, number))
        return curves

    def show(self, frame: int) -> None:
        """The moment."""
        for chart in self._charts:
            chart.show(frame)
        if self._video is not None:
            self._video.show(frame)
        if self.picture is not None and (row := self.record.latest([self.agent], frame).get(self.agent)):
            part, shape, scale = self.picture
            pixels = row.seen.get(part) if part and isinstance(row.seen, dict) else row.seen
            if pixels is not None:
                frame_seen = (np.asarray(pixels).reshape(shape) * scale).clip(0, 255).astype(np.uint8)
                data = base64.b64encode(encode_png(_coloured(frame_seen))).decode()
                self._image.content = html('<img alt="What {} sees" src="data:image/png;base64,{}">', self.agent, data)

    async def grown(self) -> None:
        """Longer traces."""
        for chart in self._charts:
            await chart.grown(len(self.record))


def picture_in(spec: dict[str, Any], described: dict[str, Any]) -> tuple[str, list[int], float] | None:
    """Where an observation has a picture: the part's name (empty: all of it), its shape, and what to multiply it by."""
    parts = spec.get("parts") or []
    spaces = dict(described.get("spaces") or [])
    for name, part, space in [("", spec, described), *((n, p, spaces.get(n) or {}) for n, p in parts)]:
        shape = part.get("shape") or []
        if part.get("kind") == "array" and len(shape) == 3 and shape[2] in (1, 3) and part.get("dtype") == "uint8":
            high = space.get("high")
            return name, shape, 255 / high if isinstance(high, int | float) and high > 0 else 1.0
    return None


def traced(value: Any, within: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a value, by name, the first `TRACES` of each part."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from traced(inner, f"{within}{name} ")
    elif isinstance(value, list):
        flat = np.asarray(value, dtype=object).ravel()[:TRACES]
        yield from ((f"{within}{k}", float(v)) for k, v in enumerate(flat) if isinstance(v, int | float))
    elif isinstance(value, int | float):
        yield within.strip() or "value", float(value)


def _coloured(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
