"""Figures of the study d3il: paths past the posts, and success against entropy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas
from ethogram.worlds.coded.avoiding import FINISH, OBSTACLES, RADII, ROD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["trade_off_picture", "trajectories_picture"]

Paths = Sequence[Sequence[Sequence[float]]]


def trajectories_picture(drawn: Mapping[str, tuple[Paths, Sequence[float]]]) -> Figure:
    """A panel for each name with its paths, coloured by whether they succeeded."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    columns = min(5, len(drawn))
    rows = math.ceil(len(drawn) / columns)
    figure = Figure(figsize=(7.5, 2.1 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, (name, (paths, success)) in zip(axes, drawn.items(), strict=False):
        for (x, y), radius in zip(OBSTACLES, RADII, strict=True):
            ax.add_patch(Circle((x, y), radius + ROD, color="#888888", alpha=0.5, linewidth=0))
        ax.axhline(FINISH, color="#888888", linewidth=0.8, linestyle=":")
        for path, reached in zip(paths, success, strict=False):
            xs, ys = zip(*path, strict=True)
            ax.plot(xs, ys, color=SERIES[0] if reached else SERIES[1], linewidth=0.5, alpha=0.6)
        ax.set(xlim=(0.2, 0.8), ylim=(-0.3, 0.42), aspect="equal")
        ax.set_title(name, fontsize=9)
    return figure


def trade_off_picture(
    points: Mapping[str, tuple[Estimate, Estimate]], reported: Mapping[str, tuple[float, float]]
) -> Figure:
    """Success across, entropy up, a point with its intervals for each method; hollow: the paper's."""
    figure, (ax,) = canvas(height=4.0)
    for i, (name, (success, entropy)) in enumerate(points.items()):
        color, marker = SERIES[i % len(SERIES)], "os^"[i // len(SERIES)]
        ax.plot([success.low, success.high], [entropy.value] * 2, color=color, linewidth=1)
        ax.plot([success.value] * 2, [max(entropy.low, 0), min(entropy.high, 1)], color=color, linewidth=1)
        ax.plot(success.value, entropy.value, marker, color=color, label=name)
        if name in reported:
            ax.plot(*reported[name], marker, markerfacecolor="none", color=color)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    ax.set(xlabel="success", ylabel="entropy of the ways, base 24", xlim=(-0.03, 1.1), ylim=(-0.03, 1.03))
    return figure
