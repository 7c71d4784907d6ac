"""Drawings that several studies share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ethogram.measures.success import posterior_density
from ethogram.studies.drawing import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["posterior_violins"]


def posterior_violins(
    axes: Axes, results: Mapping[str, tuple[int, int]], letters: Mapping[str, str] | None = None, label: str = "success rate"
) -> None:
    """Draw the posterior of each policy's success rate as a violin, the rate itself as a dot, its letters above.

    Args:
        axes: where to.
        results: successes and trials by name, from left to right.
        letters: the compact letter display of `ethogram.measures.letters`: who shares a letter cannot be told apart.
        label: of the vertical axis.
    """
    rates = np.linspace(0, 1, 401)
    for i, (name, (successes, n)) in enumerate(results.items()):
        density = posterior_density(successes, n, rates)
        width = 0.38 * density / density.max()
        shown = width > 0.004
        colour = SERIES[i % len(SERIES)]
        axes.fill_betweenx(rates[shown], i - width[shown], i + width[shown], color=colour, alpha=0.45, linewidth=0)
        axes.plot(i, successes / n, "o", color=colour, markersize=4.5)
        if letters:
            axes.annotate(letters[name], (i, 1.02), ha="center", va="bottom", annotation_clip=False)
    axes.set_xticks(range(len(results)), [name.replace(" ", "\n") for name in results])
    axes.set_xlim(-0.6, len(results) - 0.4)
    axes.set_ylim(0, 1)
    axes.set_ylabel(label)
    axes.grid(axis="x", visible=False)
