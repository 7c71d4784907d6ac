"""Pictures of `twin-2k-500`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.measures import Estimate
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["contrasts_picture", "effects_picture", "guesses_picture"]

GREY = "#777777"


def effects_picture(rows: Sequence[Mapping[str, Any]], model: Mapping[str, Mapping[str, Any]], name: str) -> Figure:
    """Effects that were put in (across the line) and found, contrast by contrast; a language model's beside them.

    Args:
        rows: of the table `experiments`.
        model: a row of the table `model_effects` by contrast; empty where none played.
        name: of the model.
    """
    figure, (axes,) = canvas(7.5, 5.2)
    contrasts = list(dict.fromkeys(row["contrast"] for row in rows))
    kinds = list(dict.fromkeys(row["respondents"] for row in rows))
    for i, kind in enumerate(kinds):
        mine = [row for row in rows if row["respondents"] == kind]
        y = [contrasts.index(row["contrast"]) + 0.18 * (i - 1) for row in mine]
        for row, at in zip(mine, y, strict=True):
            axes.plot([row["low"], row["high"]], [at, at], color=SERIES[i], linewidth=1.6)
        axes.plot([row["found_d"] for row in mine], y, "o", color=SERIES[i], markersize=4, label=f"coded, {kind}")
        label = "put in" if i == 0 else None
        axes.plot([row["planted_d"] for row in mine], y, "|", color="black", markersize=9, label=label)
    for contrast, row in model.items():
        at = contrasts.index(contrast) + 0.38
        axes.plot([row["low"], row["high"]], [at, at], color=SERIES[3], linewidth=1.6)
        axes.plot(row["d"], at, "s", color=SERIES[3], markersize=4, label=name if contrast == next(iter(model)) else None)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(contrasts)), contrasts)
    axes.invert_yaxis()
    ends = max(abs(row[key]) for row in [*rows, *model.values()] for key in ("planted_d", "found_d", "d") if key in row)
    axes.set_xlim(-1.5 * ends, 1.5 * ends)  # few seeds have intervals of any width
    axes.set_xlabel("Cohen's d, positive as people have it in the literature")
    axes.legend(fontsize=8.5, loc="upper center", bbox_to_anchor=(0.4, 1.1), ncol=5, columnspacing=1, handletextpad=0.3)
    return figure


def guesses_picture(panels: Mapping[str, Mapping[str, tuple[Estimate, Estimate]]]) -> Figure:
    """Accuracy (across) and individual correlation (up) of what is guessed of people; a panel a set of answers."""
    figure, several = canvas(7.5, 4.2, columns=len(panels))
    for axes, (title, guesses) in zip(several, panels.items(), strict=True):
        for i, (name, (accuracy, correlation)) in enumerate(guesses.items()):
            colour = SERIES[i % len(SERIES)]
            axes.plot([accuracy.low, accuracy.high], [correlation.value] * 2, color=colour, linewidth=1.4)
            axes.plot([accuracy.value] * 2, [correlation.low, correlation.high], color=colour, linewidth=1.4)
            axes.plot(accuracy.value, correlation.value, "o", color=colour, markersize=5, label=name)
        axes.axhline(0, color=GREY, linewidth=1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("accuracy")
        axes.legend(fontsize=7.5, loc="best")
    several[0].set_ylabel("individual correlation")
    return figure


def contrasts_picture(contrasts: Mapping[str, tuple[Estimate, Estimate]]) -> Figure:
    """Contrasts among people (across) and among their recorded twins (up)."""
    figure, (axes,) = canvas(7.5, 4.2)
    for i, (name, (people, twins)) in enumerate(contrasts.items()):
        colour = SERIES[i % len(SERIES)]
        axes.plot([people.low, people.high], [twins.value] * 2, color=colour, linewidth=1.2)
        axes.plot([people.value] * 2, [twins.low, twins.high], color=colour, linewidth=1.2)
        axes.plot(people.value, twins.value, "o", color=colour, markersize=4.5)
        offset = (5, 4) if i % 2 else (-12, -10)  # neighbours in the list are often neighbours in the plane
        axes.annotate(str(i + 1), (people.value, twins.value), xytext=offset, textcoords="offset points", fontsize=8)
        axes.plot([], [], "o", color=colour, markersize=4.5, label=f"{i + 1} {name}")
    values = [e.value for pair in contrasts.values() for e in pair]
    ends = [min(values) - 0.2, max(values) + 0.2]
    axes.plot(ends, ends, color=GREY, linestyle="--", linewidth=1)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("difference among people, d")
    axes.set_ylabel("the same among their twins")
    axes.legend(fontsize=7.5, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1)
    return figure
