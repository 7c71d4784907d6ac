"""Pictures of the study of the war game: who escalated when, by what, and how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas
from ethogram.war import SEVERITIES
from ethogram.worlds.coded.war_game.nations import NATIONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["disarmament", "means", "nation_days", "severity_stack"]

COLOURS = ("#7a1f2b", "#c2572b", "#d9974a", "#b8b05a", "#bbbbbb", "#4a8c5c")
"""Of severities, from nuclear to de-escalation."""
SCENARIOS = ("neutral", "invasion", "cyberattack")


def nation_days(panels: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Scores by day (across) and nation (down), a map for each panel, on one scale; arrays of shape (days, nations)."""
    figure, axes = canvas(7.5, 2.9, len(panels))
    top = max(float(np.abs(values).max()) for values in panels.values()) or 1.0
    mesh: Any = None
    for i, (axis, (title, values)) in enumerate(zip(axes, panels.items(), strict=True)):
        days = np.arange(len(values) + 1) + 0.5
        mesh = axis.pcolormesh(days, np.arange(len(NATIONS) + 1), values.T, cmap="RdBu_r", vmin=-top, vmax=top)
        axis.set_yticks(np.arange(len(NATIONS)) + 0.5, list(NATIONS) if i == 0 else [])
        axis.invert_yaxis()
        axis.set_title(title, fontsize=9.5)
        axis.set_xlabel("day")
        axis.grid(visible=False)
    figure.colorbar(mesh, ax=axes, label="score", fraction=0.03)
    return figure


def severity_stack(panels: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Acts a day by severity, stacked, the most severe at the bottom; arrays of shape (days, severities)."""
    figure, axes = canvas(7.5, 3.0, len(panels))
    top = max(float(values.sum(1).max()) for values in panels.values())
    for i, (axis, (title, values)) in enumerate(zip(axes, panels.items(), strict=True)):
        days, floor = np.arange(1, len(values) + 1), np.zeros(len(values))
        for level, colour, counts in zip(SEVERITIES, COLOURS, values.T, strict=True):
            axis.bar(days, counts, bottom=floor, width=1.0, color=colour, linewidth=0, label=level)
            floor = floor + counts
        axis.set_title(title, fontsize=9.5)
        axis.set_xlabel("day")
        axis.set_ylim(0, top * 1.05)
        if i == 0:
            axis.set_ylabel("acts of all nations")
        else:
            axis.set_yticklabels([])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=6, fontsize=8, columnspacing=0.9, handlelength=1.0, frameon=False
    )
    return figure


def means(found: Mapping[tuple[str, str], Estimate], others: Mapping[tuple[str, str], float], label: str) -> Figure:
    """Mean score of each arm in each scenario with its interval; crosses are figures from elsewhere."""
    arms = list(dict.fromkeys(arm for arm, _ in found))
    figure, (axes,) = canvas(7.5, 0.7 + 0.42 * len(arms))
    for s, (scenario, colour) in enumerate(zip(SCENARIOS, SERIES, strict=False)):
        for i, arm in enumerate(arms):
            if (arm, scenario) not in found:
                continue
            estimate, y = found[arm, scenario], i + (s - 1) * 0.22
            axes.plot([estimate.low, estimate.high], [y, y], color=colour)
            axes.plot(estimate.value, y, "o", color=colour, markersize=4.5, label=scenario if i == 0 else None)
            if (arm, scenario) in others:
                axes.plot(others[arm, scenario], y, "x", color="#444444", markersize=6)
    axes.axvline(0, color="#888888", linewidth=1)
    axes.set_yticks(range(len(arms)), arms)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.grid(axis="y", visible=False)
    axes.legend(fontsize=9, frameon=False)
    return figure


def disarmament(counts: Sequence[int], found: Mapping[str, Sequence[Estimate]]) -> Figure:
    """Score by the number of nations that disarm: of all nations, and of those that never do."""
    figure, axes = canvas(7.5, 3.0, 2)
    titles = ("all nations", "each of four that do not")
    for axis, (name, estimates), title, colour in zip(axes, found.items(), titles, SERIES, strict=False):
        values = [estimate.value for estimate in estimates]
        low, high = [estimate.low for estimate in estimates], [estimate.high for estimate in estimates]
        axis.plot(counts[: len(values)], values, "o-", color=colour, label=name)
        axis.fill_between(counts[: len(values)], low, high, color=colour, alpha=0.2, linewidth=0)
        axis.set(xlabel="nations that disarm", ylabel=f"score a day, {title}")
        axis.set_xticks(list(counts[: len(values)]))
    return figure
