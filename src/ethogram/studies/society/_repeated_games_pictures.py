"""Pictures of `repeated-games`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bias_picture", "clone_picture", "family_picture", "share_picture", "table_picture"]

GREY = "#777777"


def _bar(axes: Any, x: float, found: Estimate, colour: str, label: str | None = None) -> None:
    """A dot with its interval, standing."""
    if found.bounded:
        axes.plot([x, x], [found.low, found.high], color=colour, linewidth=2)
    axes.plot(x, found.value, "o", color=colour, markersize=6, label=label)


def family_picture(
    families: Mapping[str, Estimate], published: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Normalised scores by family: recorded models, the published figure, and some coded strategies."""
    figure, (axes,) = canvas(7.5, 3.9)
    for i, (name, found) in enumerate(families.items()):
        axes.plot(i, published[name], "_", color="#000000", markersize=22, label="all 144 games" if i == 0 else None)
        _bar(axes, i, found, SERIES[0], "recorded models" if i == 0 else None)
    for (name, values), colour, marker in zip(baselines.items(), SERIES[1:], "s^vD", strict=False):
        there = [(i, values[family]) for i, family in enumerate(families) if family in values]
        axes.plot([i + 0.22 for i, _ in there], [y for _, y in there], marker, color=colour, markersize=5, label=name)
    axes.set_xticks(range(len(families)), [name.replace(" ", "\n") for name in families])
    axes.set_ylabel("share of the best possible points")
    axes.grid(axis="x", visible=False)
    axes.legend(fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.24))
    return figure


def table_picture(found: Mapping[str, Mapping[str, Estimate]]) -> Figure:
    """How often recorded scores are those of the labelled table, by game and kind of round."""
    figure, (axes,) = canvas(7.5, 3.3)
    kinds = {
        "alike": "tables alike",
        "differ": "tables differ,\nrounds before the last",
        "last": "tables differ,\nlast round",
    }
    for k, (game, values) in enumerate(found.items()):
        there = [key for key in kinds if key in values]
        for i, key in enumerate(there):
            _bar(axes, list(kinds).index(key) + 0.16 * (k - 0.5), values[key], SERIES[k], game if i == 0 else None)
    axes.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    axes.text(2.45, 0.515, "a coin", ha="right", color=GREY, fontsize=9)
    axes.set_xticks(range(len(kinds)), list(kinds.values()))
    axes.set(xlim=(-0.5, 2.5), ylim=(0, 1.05), ylabel="recorded scores that are\nthe labelled table's")
    axes.grid(axis="x", visible=False)
    axes.legend(loc="lower left")
    return figure


def share_picture(shares: Mapping[str, Estimate]) -> Figure:
    """Shares of strategies among people, largest first."""
    shown = {name: share for name, share in shares.items() if share.high >= 0.005}
    order = sorted(shown, key=lambda name: shown[name].value)
    figure, (axes,) = canvas(7.5, 0.9 + 0.3 * len(order))
    for i, name in enumerate(order):
        axes.plot([shown[name].low, shown[name].high], [i, i], color=SERIES[0])
        axes.plot(shown[name].value, i, "o", color=SERIES[0], markersize=6)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("share of people in the prisoner's dilemma")
    axes.set_xlim(left=-0.01)
    axes.grid(axis="y", visible=False)
    return figure


def clone_picture(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """The share of option J by round: people and their clones, a panel for each game."""
    figure, panels = canvas(7.5, 3.2, columns=len(curves))
    for axes, (game, found) in zip(panels, curves.items(), strict=True):
        for (who, curve), colour, style in zip(found.items(), SERIES, ("o-", "s--"), strict=False):
            axes.plot(np.arange(1, len(curve) + 1), curve, style, color=colour, markersize=4, label=who)
        axes.set(title=game, xlabel="round", ylim=(0, 1))
    panels[0].set_ylabel("share who choose J")
    panels[0].legend(loc="lower left")
    return figure


def bias_picture(found: Mapping[str, Mapping[str, Estimate]]) -> Figure:
    """What a model does in each situation, and what it would do for the place or the letter of an option alone."""
    figure, (axes,) = canvas(7.5, 0.9 + 0.42 * len(found))
    for k, key in enumerate(next(iter(found.values()))):
        for i, (_, values) in enumerate(found.items()):
            y = len(found) - 1 - i + 0.2 * (1 - k)
            axes.plot([values[key].low, values[key].high], [y, y], color=SERIES[k])
            axes.plot(values[key].value, y, "o", color=SERIES[k], markersize=5, label=key if i == 0 else None)
    axes.axvline(0.5, color=GREY, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(found)), list(found)[::-1])
    axes.set(xlabel="probability", xlim=(0, 1))
    axes.grid(axis="y", visible=False)
    axes.legend(fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.3, 1.16))
    return figure
