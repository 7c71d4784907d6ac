"""The house style for figures in studies: quiet axes, and colours that the report exchanges for lighter ones in the dark."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SERIES", "canvas", "svg_of"]

SERIES = ("#2f6f9f", "#c2572b", "#4a8c5c", "#8a5a9e", "#b8912f", "#5f7d8c")
"""The colours of series, in order."""


def canvas(width: float = 7.5, height: float = 3.6, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A matplotlib figure in the house style, and its axes from left to right.

    Args:
        width: in inches; 7.5 fills the column of the report.
        height: in inches.
        columns: how many axes side by side.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "axes.prop_cycle": cycler(color=SERIES),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": "#888888",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#888888",
        "grid.alpha": 0.2,
        "xtick.color": "#888888",
        "ytick.color": "#888888",
        "xtick.labelcolor": "#000000",
        "ytick.labelcolor": "#000000",
        "font.family": "sans-serif",
        "font.size": 10.5,
        "legend.frameon": False,
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def svg_of(figure: Figure) -> str:
    """A matplotlib figure as SVG with real text (the reader's fonts) and no fixed background."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ethogram"}):
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return buffer.getvalue()
