"""Fidelity cards: what `ethogram survey` found out about simulated people beside people, as a page with its figures."""

from __future__ import annotations

import io
import json
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui

from ethogram.errors import DataError
from ethogram.studio.safety import html

if TYPE_CHECKING:
    import polars as pl

__all__ = ["build_card", "card_figure", "ways_in"]

COLUMNS = ("item", "figure", "value", "low", "high", "floor_low", "floor_high", "outside", "n", "method")
FIGURES = {
    "distance": ("Distance from people, by item", "Wasserstein-1 distance, as a share of the item's range"),
    "shift": ("Shift of the mean, by item", "mean of the simulated minus mean of people, as a share of the item's range"),
    "spread": ("Ratio of spreads, by item", "standard deviation of the simulated over that of people"),
}
"""Title and axis of each figure, by the figure of the card that it draws."""
MOST = 60
"""Items in one figure: those with the largest figure."""


def ways_in(path: Path) -> list[str]:
    """The ways of answering for which a folder holds a card."""
    found = (file.stem.removeprefix("card-items-") for file in path.glob("card-items-*.csv"))
    return sorted(way for way in found if (path / f"card-{way}.csv").is_file())


def build_card(path: Path, name: str) -> None:
    """The page of a survey's folder."""
    with ui.element("header").classes("studio"):
        ui.html(html('<a href="/">All runs</a>'))
        ui.html(html("<h1>{}</h1>", name))
        ui.html("Fidelity card").classes("facts")
    ways = ways_in(path)
    with ui.element("main").classes("studio").style("display: grid; gap: 1rem"):
        if not ways:
            ui.html(html("<p>{} was held beside no people: give `ethogram survey` their answers by --people.</p>", name))
        for way in ways:
            items, whole = card_table(path, f"card-items-{way}"), card_table(path, f"card-{way}")
            with ui.element("section").classes("panel scroll").props(f'aria-label="Card {ways.index(way) + 1}"'):
                ui.html(html("<h2>{}: the whole</h2><p class=soft>{}</p>{}", way, SAYS, rows_table(whole, "figure")))
            for figure in FIGURES:
                if items["figure"].is_in([figure]).any():
                    _figure(name, way, figure)
            with ui.element("section").classes("panel scroll"):
                count = items["item"].n_unique()
                table = rows_table(items, "item", "figure")
                ui.html(html("<details><summary>{}: all {} items, in numbers</summary>{}</details>", way, count, table))


SAYS = (
    "The noise floor is where the figure lies in 95 % of comparisons of people with people. Outside of it, interval and "
    "all, simulated people differ from people."
)


def card_table(path: Path, name: str) -> pl.DataFrame:
    """One table of a card; DataError where the file is none."""
    import polars as pl

    numbers = dict.fromkeys(("value", "low", "high", "floor_low", "floor_high"), pl.Float64)
    try:
        table = pl.read_csv(path / f"{name}.csv", schema_overrides={"item": pl.String, "figure": pl.String, **numbers})
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{name}.csv is no table of a fidelity card ({error}): run the survey again") from error
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise DataError(f"{name}.csv is no table of a fidelity card: it lacks {', '.join(missing)}; run the survey again")
    return table


def rows_table(table: pl.DataFrame, *named: str) -> Markup:
    """Figures with their intervals and floors as an HTML table; those outside of the floor are marked."""
    cells = "<td>{}</td>" * len(named) + "<td class=number>{}</td>" * 3 + "<td>{}</td>"
    rows = [
        html(
            "<tr class='{}'>" + cells + "</tr>",
            "now" if row["outside"] in (True, "true") else "",
            *(row[column] or "" for column in named),
            _number(row["value"]),
            _between(row["low"], row["high"]),
            _between(row["floor_low"], row["floor_high"]),
            "outside" if row["outside"] in (True, "true") else "",
        )
        for row in table.rows(named=True)
    ]
    heads = (*named, "value", "95 % interval", "noise floor", "")
    head = Markup().join(html("<th scope=col class='{}'>{}</th>", "" if h in named else "number", h) for h in heads)
    return html("<table><tr>{}</tr>{}</table>", head, Markup().join(rows))


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _number(value: Any) -> str:
    return f"{value:.3g}" if _known(value) else "–"


def _between(low: Any, high: Any) -> str:
    return f"{low:.3g} to {high:.3g}" if _known(low) and _known(high) else "–"


def _figure(name: str, way: str, figure: str) -> None:
    address = "/card-figure?" + urlencode({"path": name, "way": way, "figure": figure})
    title, axis = FIGURES[figure]
    with ui.element("figure").classes("panel figure").style("margin: 0; max-width: 900px"):
        ui.html(html('<img src="{}" alt="{}: {}"><figcaption class=soft>{}</figcaption>', address, title, axis, NOTE))
        with ui.element("div").classes("choices"):
            label = f"{figure} as"
            ui.button("SVG", on_click=partial(ui.download, address)).props(f'flat dense no-caps aria-label="{label} SVG"')
            script = f"figureAsPng({json.dumps(address)}, {json.dumps(figure)})"
            ui.button("PNG", on_click=partial(ui.run_javascript, script)).props(
                f'flat dense no-caps aria-label="{label} PNG"'
            )


NOTE = "Dots: simulated people, with 95 % intervals. Bars: people's own noise. Red: outside of it."


def card_figure(path: Path, way: str, figure: str) -> str:
    """A figure of a card as SVG; DataError where the folder has none of that way, or no such figure is drawn."""
    import polars as pl
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if way not in ways_in(path) or figure not in FIGURES:
        raise DataError(f"the survey has no figure {figure[:60]!r} of the way {way[:60]!r}")
    table = card_table(path, f"card-items-{way}").filter(pl.col("figure") == figure, pl.col("value").is_finite())
    neutral = 1.0 if figure == "spread" else 0.0
    table = table.sort((pl.col("value") - neutral).abs()).tail(MOST)
    rows = table.rows(named=True)
    title, axis = FIGURES[figure]
    drawn = Figure(figsize=(8, 1.3 + 0.21 * len(rows)), layout="constrained")
    axes = drawn.add_subplot()
    for y, row in enumerate(rows):
        colour = "#b23b2a" if row["outside"] in (True, "true") else "#24577e"
        if _known(row["floor_low"]) and _known(row["floor_high"]):
            axes.barh(y, row["floor_high"] - row["floor_low"], 0.8, row["floor_low"], color="#dcd8cd")
        if _known(row["low"]) and _known(row["high"]):
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.4)
        axes.plot(row["value"], y, "o", color=colour, markersize=4)
    axes.axvline(neutral, color="#67625a", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [str(row["item"])[:40].replace("$", r"\$") for row in rows], fontsize=8)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xlabel(axis)
    axes.set_title(f"{title} ({way})".replace("$", r"\$"), loc="left")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    out = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "card"}):
        drawn.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
