"""The pictures of the study: learning curves, and what a model gains by size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.measures.estimate import Estimate
from ethogram.measures.means import mean

__all__ = ["curves", "gains"]


def curves(
    worlds: Sequence[str], agents: Mapping[str, str], scores: Mapping[tuple[str, str], np.ndarray], steps: Sequence[int]
) -> Any:
    """Scores (seeds, E) along the way, a panel for each world and a line with its interval for each agent."""
    from ethogram.studies.drawing import SERIES, canvas

    figure, panels = canvas(7.5, 3.0, len(worlds))
    lines: dict[str, Any] = {}
    for axes, world in zip(panels, worlds, strict=True):
        for colour, (name, words) in zip(SERIES, agents.items(), strict=False):
            if (world, name) not in scores:
                continue
            score = scores[world, name]
            group = max(1, score.shape[1] // 20)  # examinations next to each other, so that the line is not all noise
            kept = score.shape[1] // group * group
            smooth = score[:, :kept].reshape(len(score), -1, group).mean(2)
            at = np.array(steps[:kept]).reshape(-1, group).mean(1) / 1000
            estimates = [mean(column) for column in smooth.T]
            (lines[words],) = axes.plot(at, [e.value for e in estimates], color=colour)
            axes.fill_between(at, [e.low for e in estimates], [e.high for e in estimates], color=colour, alpha=0.15, lw=0)
        axes.set_title(world, fontsize=10.5)
        axes.set_xlabel("thousand steps")
        axes.axhline(0, color="#888888", lw=0.8)
    panels[0].set_ylabel("share of the best")
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=len(lines), fontsize=9)
    return figure


def gains(found: Mapping[str, Mapping[str, Estimate]], agents: Mapping[str, str]) -> Any:
    """The area gained over replay by world, a mark with its interval for each agent."""
    from ethogram.studies.drawing import SERIES, canvas

    figure, (axes,) = canvas(7.5, 3.2)
    kinds = [name for name in agents if name != "replay"]
    for i, name in enumerate(kinds):
        gaps = {at: gained[name] for at, gained in enumerate(found.values()) if name in gained}
        places, values = [at + 0.16 * (i - (len(kinds) - 1) / 2) for at in gaps], [gap.value for gap in gaps.values()]
        bars = np.array([[gap.value - gap.low for gap in gaps.values()], [gap.high - gap.value for gap in gaps.values()]])
        axes.errorbar(places, values, bars, fmt="o", color=SERIES[i + 1], ms=5, capsize=3, label=agents[name])
    axes.axhline(0, color="#888888", lw=0.8)
    axes.set_xticks(range(len(found)), list(found))
    axes.set_ylabel("area gained over replay")
    figure.legend(loc="outside lower center", ncols=len(kinds), fontsize=9)
    return figure
