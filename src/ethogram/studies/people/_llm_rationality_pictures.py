"""Pictures of `llm-rationality`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.inverse import ranks
from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plane_picture", "rankings_picture"]

GREY = "#777777"
Pair = tuple[Estimate, Estimate]


def _cross(axes: Any, pair: Pair, colour: str, label: str) -> None:
    human, value = pair
    axes.plot([value.value] * 2, [human.low, human.high], color=colour, linewidth=1.4)
    axes.plot([value.low, value.high], [human.value] * 2, color=colour, linewidth=1.4)
    axes.plot(value.value, human.value, "o", color=colour, markersize=5.5, label=label)


def plane_picture(panels: Mapping[str, Mapping[str, Pair]], own: Mapping[str, float]) -> Figure:
    """Policies in the plane of correlations with expected value (across) and with people (up).

    Args:
        panels: by title, the pairs (with people, with expected value) of each policy.
        own: by title, people's own correlation with expected value.
    """
    figure, several = canvas(7.5, 4.6, columns=len(panels))
    for axes, (title, policies) in zip(several, panels.items(), strict=True):
        axes.axvline(own[title], color=GREY, linestyle="--", linewidth=1)
        for i, (name, pair) in enumerate(policies.items()):
            _cross(axes, pair, (*SERIES, "#333333")[i % (len(SERIES) + 1)], name)
        axes.legend(fontsize=8.5, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.17))
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("correlation with expected value")
    several[0].set_ylabel("correlation with people")
    return figure


def rankings_picture(shown: Mapping[str, Mapping[str, NDArray[np.float64]]], names: tuple[str, str]) -> Figure:
    """People's mean ranks (up) over a model's (across), a panel a condition; two models in two colours."""
    figure, several = canvas(7.5, 3.9, columns=len(shown))
    for axes, (condition, values) in zip(several, shown.items(), strict=True):
        for name, colour, marker in zip(names, (SERIES[1], SERIES[0]), "xo", strict=True):
            axes.plot(ranks(values[name]), values["people"], marker, color=colour, markersize=4.5, label=name, alpha=0.8)
        n = len(values["people"])
        axes.plot([1, n], [1, n], color=GREY, linestyle="--", linewidth=1)
        axes.set_title(f"{condition} attributes", fontsize=10)
        axes.set_xlabel("rank by the model")
    several[0].set_ylabel("people's mean rank")
    several[0].legend(fontsize=9)
    return figure
