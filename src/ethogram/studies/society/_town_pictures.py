"""Pictures of a town's run: how a fact spread, and who came to know whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.society._diffusion import Telling

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["spread_picture"]


def spread_picture(
    learned: Mapping[str, Telling | None], start: float, end: float, days: int, window: tuple[float, float] | None
) -> Figure:
    """Who told whom when: a row for each who learned the fact, an arrow from the row of the one it was first learned from.

    Args:
        learned: by agent, in the order of learning, the words it was learned from; None for who knew it from the start.
        start: time at the left edge, in minutes.
        end: time at the right edge.
        days: days shown, for the ticks.
        window: the time of the occasion, shaded.
    """
    names = list(learned)
    row = {name: len(names) - 1 - i for i, name in enumerate(names)}
    figure, (axes,) = canvas(height=0.9 + 0.24 * max(len(names), 4))
    if window:
        axes.axvspan(*window, color=SERIES[1], alpha=0.15, linewidth=0)
    for name, first in learned.items():
        since = start if first is None else first.time
        axes.plot([since, end], [row[name]] * 2, color=SERIES[0], alpha=0.45, linewidth=2)
        axes.plot([since], [row[name]], "o", color=SERIES[0], markersize=6 if first is None else 4)
        if first is not None and first.source in row:
            axes.annotate(
                "",
                (since, row[name]),
                (since, row[first.source]),
                arrowprops={"arrowstyle": "-|>", "color": "#888888", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 3},
            )
    axes.set_yticks([row[name] for name in names], names)
    axes.set_ylim(-0.8, len(names) - 0.2)
    axes.grid(axis="y", visible=False)
    step = 180 if days == 1 else 360
    ticks = range(int(start // step * step), int(end) + 1, step)
    weekdays = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    labels = [f"{weekdays[t // 1440 % 7]} {t // 60 % 24:02d}:00" for t in ticks]
    axes.set_xticks(list(ticks), labels)
    axes.set_xlim(start - 15, end)
    return figure
