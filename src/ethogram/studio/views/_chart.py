"""Curves over the whole run, with a line at the moment shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import run as background
from nicegui import ui

from ethogram.studio.views._stage import colour_of

__all__ = ["Chart"]

MOST = 12
"""Curves in one chart."""

Points = Mapping[str, Sequence[tuple[int, float | None]]]
"""(frame, value) by the name of the curve."""


class Chart:
    """Lays out a chart in the current place of the page; x is the number of the frame.

    Args:
        curves: computes the points (frame, value) by name; called in a thread, once the page is there.
        frames: how many the run has.
        says: what is drawn, for those who cannot see it and as the name of the y axis.
        stepped: whether a value holds until the next.
        then: called whenever the curves have been drawn.
    """

    def __init__(
        self,
        curves: Callable[[], Points],
        frames: int,
        says: str,
        stepped: bool = False,
        then: Callable[[], None] | None = None,
    ) -> None:
        self.curves, self.frames, self.stepped, self.then = curves, frames, stepped, then
        self._chart = ui.echart(
            {
                "animation": False,
                "aria": {"enabled": True},
                "tooltip": {"trigger": "axis", "confine": True},
                "legend": {"type": "scroll", "top": 0},
                "grid": {"left": 58, "right": 14, "top": 46, "bottom": 26},
                "xAxis": {"type": "value", "min": 0, "max": max(1, frames - 1), "minInterval": 1},
                "yAxis": {"type": "value", "scale": True, "name": says, "nameTextStyle": {"align": "left"}},
                "series": [_now(0)],
            }
        ).classes("chart")
        ui.timer(0.05, self._fill, once=True)
        self._chart.props(f'role=img aria-label="{says.replace(chr(34), "")}"')

    def _series(self, curves: Points) -> list[dict[str, Any]]:
        return [
            {
                "type": "line",
                "name": name,
                "data": [list(point) for point in points],
                "showSymbol": len(points) < 40,
                "symbolSize": 4,
                "step": "end" if self.stepped else False,
                "lineStyle": {"width": 1.7},
                "color": colour_of(k),
            }
            for k, (name, points) in enumerate(list(curves.items())[:MOST])
        ]

    def show(self, frame: int) -> None:
        """Put the line at a moment."""
        self._chart.options["series"][-1] = _now(frame)
        self._chart.run_chart_method("setOption", {"series": [_now(frame)]})

    async def _fill(self) -> None:
        curves = await background.io_bound(self.curves)
        if curves is not None and not self._chart.is_deleted:
            self._chart.options["series"][:-1] = self._series(curves)
            self._chart.options["xAxis"]["max"] = max(1, self.frames - 1)
            self._chart.update()
            if self.then is not None:
                self.then()

    async def grown(self, frames: int) -> None:
        """Draw longer curves."""
        self.frames = frames
        await self._fill()


def _now(frame: int) -> dict[str, Any]:
    line = {"silent": True, "symbol": "none", "animation": False, "label": {"show": False}, "data": [{"xAxis": frame}]}
    return {
        "type": "line",
        "id": "now",
        "data": [],
        "markLine": {**line, "lineStyle": {"color": "#1f1d1a", "type": "solid"}},
    }
