"""Pictures of the study of Sim2Rec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures import Estimate, mean
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["code_picture", "range_picture", "test_picture"]


def test_picture(engagement: Mapping[str, Estimate], optimum: float) -> Figure:
    """Engagement of each arm in the test group, best first."""
    figure, (axes,) = canvas(7.5, 3.2)
    order = sorted(engagement, key=lambda arm: engagement[arm].value)
    for i, arm in enumerate(order):
        found = engagement[arm]
        colour = SERIES[1] if arm == "sim2rec" else SERIES[0]
        axes.plot([found.low, found.high], [i, i], color=colour)
        axes.plot(found.value, i, "o", color=colour)
    axes.axvline(optimum, color="#888888", linestyle="--", linewidth=1)
    axes.text(optimum, 1.02, "optimum", transform=axes.get_xaxis_transform(), ha="center", color="#666666", fontsize=9)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("engagement a step")
    axes.grid(axis="y", visible=False)
    return figure


def range_picture(groups: Sequence[float], shares: Mapping[str, np.ndarray], training: Sequence[float]) -> Figure:
    """Share of the optimum of each arm, (seeds, groups), over groups."""
    figure, (axes,) = canvas(7.5, 3.8)
    for (arm, share), colour in zip(shares.items(), SERIES, strict=False):
        found = [mean(column) for column in share.T]
        axes.plot(groups, [f.value for f in found], color=colour, label=arm)
        axes.fill_between(groups, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.2, linewidth=0)
    axes.plot(training, np.zeros(len(training)), "|", color="#444444", transform=axes.get_xaxis_transform(), markersize=12)
    axes.set(xlabel="choc: how much clickbait engages the group", ylabel="share of the optimum")
    axes.legend(fontsize=9, ncols=2)
    return figure


def code_picture(codes: Sequence[Mapping[str, Any]], training: Sequence[float], sizes: Mapping[int, Estimate]) -> Figure:
    """What codes tell of groups, and engagement by the size of the sets."""
    figure, (left, right) = canvas(7.5, 3.4, 2)
    choc, told = (np.concatenate([code[key] for code in codes]) for key in ("choc", "told"))
    seen = np.isin(choc, training)
    ends = [choc.min(), choc.max()]
    left.plot(ends, ends, color="#888888", linewidth=1)
    for chosen, colour, label in ((seen, SERIES[0], "training groups"), (~seen, SERIES[1], "unseen groups")):
        left.plot(choc[chosen], told[chosen], ".", color=colour, label=label, alpha=0.6)
    left.set(xlabel="choc", ylabel="choc, told by the code")
    left.legend(fontsize=9)
    for i, found in enumerate(sizes.values()):
        right.plot([i, i], [found.low, found.high], color=SERIES[1])
        right.plot(i, found.value, "o", color=SERIES[1])
    right.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    right.set(xlabel="users who share a code", ylabel="engagement a step", xlim=(-0.5, len(sizes) - 0.5))
    return figure
