"""The individuals of a panel: on the map where they have places, else as squares; numbers without end as a histogram."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ethogram.records.frames import encode_png
from ethogram.studio.safety import html
from ethogram.studio.views._stage import COLOURS
from ethogram.studio.words import brief

__all__ = ["individuals", "kinds_of", "widen"]

PLACES = ("row", "line", "cell")
"""What a panel says of where an individual is."""
SQUARES = 400
SIDE = 600
"""Most lines and cells of a map; of a larger grid, each pixel is one of several cells."""
KINDS = len(COLOURS)
"""Up to so many values are told apart by colours; more are a scale."""
BARS = 30
EMPTY, LOW, HIGH = (0xEF, 0xEA, 0xDE), (0xF4, 0xE9, 0xC8), (0x24, 0x57, 0x7E)

Range = tuple[float, float]


def widen(ranges: dict[str, Range], panel: Mapping[str, Any]) -> None:
    """Take the values of a panel into the ranges of its columns."""
    for name, values in _columns(panel):
        low, high = ranges.get(name, (np.inf, -np.inf))
        ranges[name] = min(low, float(values.min())), max(high, float(values.max()))


def kinds_of(values: NDArray[Any], span: Range) -> bool:
    """Whether values are few whole numbers from 0 on, each with a colour of its own."""
    return values.dtype.kind in "iu" and span[0] >= 0 and span[1] < KINDS


def individuals(panel: Mapping[str, Any], ranges: Mapping[str, Range], shape: tuple[int, int] | None) -> Markup:
    """Every column of a panel, drawn.

    Args:
        panel: a list for each column, as observed.
        ranges: lowest and highest value of each column over the run, so that colours mean the same at every moment.
        shape: (lines, cells) of the grid that the rows are on; None: on none.
    """
    found = []
    for name, values in _columns(panel):
        own = float(values.min()), float(values.max())
        wide = ranges.get(name, own)
        span = min(wide[0], own[0]), max(wide[1], own[1])
        kinds = kinds_of(values, span)
        if shape is not None:
            drawn = _map(panel, name, values, span, kinds, shape)
        elif kinds:
            drawn = _squares(panel["row"], name, values)
        else:
            drawn = _histogram(name, values, span)
        key = _legend(values, span, kinds)
        found.append(html("<h3>{} of {} individuals</h3>{}{}", name, f"{len(values):,}", drawn, key))
    return Markup().join(found)


def _columns(panel: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The columns of a panel that say something, as numbers."""
    for name, values in panel.items():
        if name not in PLACES and isinstance(values, list) and values:
            array = np.asarray(values)
            if array.ndim == 1 and array.dtype.kind in "iuf":
                yield name, array if array.dtype.kind != "f" else np.nan_to_num(array)


def _rgb(values: NDArray[Any], span: Range, kinds: bool) -> NDArray[np.uint8]:
    """The colour of each value, shape (n, 3)."""
    if kinds:
        table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS], np.uint8)
        return table[values.astype(int)]
    share = np.clip((values - span[0]) / ((span[1] - span[0]) or 1.0), 0, 1)[:, None]
    return (np.array(LOW) + share * (np.array(HIGH) - np.array(LOW))).astype(np.uint8)


def _map(
    panel: Mapping[str, Any], name: str, values: NDArray[Any], span: Range, kinds: bool, shape: tuple[int, int]
) -> Markup:
    stride = -(-max(shape) // SIDE)
    picture = np.empty((-(-shape[0] // stride), -(-shape[1] // stride), 3), np.uint8)
    picture[:] = EMPTY
    line, cell = (np.asarray(panel[place]) // stride for place in ("line", "cell"))
    picture[line, cell] = _rgb(values, span, kinds)
    data = base64.b64encode(encode_png(picture)).decode()
    says = f"A map of {shape[0]} lines of {shape[1]} cells, coloured by {name}"
    return html('<div class="picture map"><img alt="{}" src="data:image/png;base64,{}"></div>', says, data)


def _squares(rows: Sequence[Any], name: str, values: NDArray[Any]) -> Markup:
    pairs = list(zip(rows, values.tolist(), strict=False))[:SQUARES]
    square = '<i style="background: {}" title="{}"></i>'
    return html(
        "<div class=cells>{}</div>",
        Markup().join(html(square, COLOURS[v], f"individual {row}: {name} {brief(v)}") for row, v in pairs),
    )


def _histogram(name: str, values: NDArray[Any], span: Range) -> Markup:
    counts, edges = np.histogram(values, BARS, span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5))
    bar = '<rect x="{}" y="{}" width="9" height="{}" fill="{}"><title>{}</title></rect>'
    tall = 90 * counts / counts.max()
    bars = Markup().join(
        html(bar, 10 * k, f"{92 - h:.1f}", f"{h:.1f}", COLOURS[0], f"{edges[k]:.4g} to {edges[k + 1]:.4g}: {counts[k]}")
        for k, h in enumerate(tall.tolist())
    )
    picture = '<svg class=histogram viewBox="0 0 {} 93" role=img aria-label="{}">{}</svg>'
    return html(picture, 10 * BARS, f"How many individuals have which {name}", bars)


def _legend(values: NDArray[Any], span: Range, kinds: bool) -> Markup:
    if not kinds:
        return html("<p class=soft>from {} to {}</p>", f"{span[0]:.4g}", f"{span[1]:.4g}")
    counts = np.bincount(values.astype(int), minlength=int(span[1]) + 1)
    key = '<span class=key><i style="background: {}"></i>{}: {}</span>'
    return html(
        "<p class=soft>{}</p>",
        Markup(" ").join(html(key, COLOURS[k], k, f"{count:,}") for k, count in enumerate(counts.tolist())),
    )
