"""Pictures of tournaments, for a study's report: who does what to whom, and how all came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ethogram.experiments import Tournament

__all__ = ["meetings", "standings"]


def meetings(tournament: Tournament, measure: str = "cooperation", label: str = "") -> Figure:
    """A map of the mean of a measure of each entrant (down) in its matches with each other one (across).

    Entrants are in the order of the standings, the best first; whom nobody met there is a gap.

    Args:
        tournament: with the measure.
        measure: of each seat.
        label: of the colours; default: the name of the measure.

    Raises:
        ConfigError: nothing of that name was measured.
    """
    names = _order(tournament)
    pairs = tournament.pairs()
    if measure not in pairs.columns:
        raise ConfigError(f"nothing called {measure!r} was measured: {', '.join(tournament.measures)}")
    values = np.full((len(names), len(names)), np.nan)
    for entrant, other, value in pairs.select("entrant", "other", measure).iter_rows():
        values[names.index(entrant), names.index(other)] = value
    side = max(3.6, 0.34 * len(names))
    figure, (axes,) = canvas(side + 2.6, side)
    shares = bool(np.nanmin(values) >= 0 and np.nanmax(values) <= 1)
    low, high = (0.0, 1.0) if shares else (float(np.nanmin(values)), float(np.nanmax(values)))
    mesh = axes.pcolormesh(values, cmap="cividis", vmin=low, vmax=high)
    if len(names) <= 16:
        for (i, j), value in np.ndenumerate(values):
            if not np.isnan(value):
                colour = "#000000" if value > (low + high) / 2 else "#ffffff"
                axes.text(j + 0.5, i + 0.5, _short(value), ha="center", va="center", fontsize=7, color=colour)
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=60, ha="right", rotation_mode="anchor")
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xlabel("against")
    figure.colorbar(mesh, ax=axes, label=label or measure, fraction=0.04)
    return figure


def standings(tournament: Tournament) -> Figure:
    """Each entrant's mean score, its strength by who beat whom and its skill, with intervals; the best score on top.

    The interval of a skill is its mean with 1.96 standard deviations of its posterior.
    """
    table = tournament.standings()
    names, score = table["entrant"].to_list(), tournament.score
    columns: list[tuple[str, Any, Any, Any]] = [
        (score, table[score], table[f"{score} low"], table[f"{score} high"]),
        ("strength (Bradley-Terry)", table["strength"], table["strength low"], table["strength high"]),
        (
            "skill (as TrueSkill)",
            table["skill"],
            table["skill"] - 1.96 * table["skill sd"],
            table["skill"] + 1.96 * table["skill sd"],
        ),
    ]
    figure, axes = canvas(9.0, max(2.4, 0.26 * len(names) + 1.0), len(columns))
    rows = np.arange(len(names))
    for i, (axis, (label, value, low, high)) in enumerate(zip(axes, columns, strict=True)):
        axis.hlines(rows, low.to_numpy(), high.to_numpy(), color=SERIES[0], alpha=0.5)
        axis.plot(value.to_numpy(), rows, "o", color=SERIES[0], markersize=4.5)
        axis.set_yticks(rows, names if i == 0 else [])
        axis.set_xlabel(label)
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
    return figure


def _order(tournament: Tournament) -> list[str]:
    """Entrants by their mean score, the best first."""
    means = tournament.means()
    return sorted(tournament.entrants, key=lambda name: -means[name].value)


def _short(value: float) -> str:
    """A number of a cell: two digits, and no 0 before the point."""
    return f"{value:.2f}".replace("0.", ".") if 0 < value < 1 else f"{value:.3g}"
