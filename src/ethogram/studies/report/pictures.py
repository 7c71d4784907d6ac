"""Pictures for the report, as SVG that follows the page's colours in light and dark.

All text that comes from records is escaped here or by ElementTree; nothing in a picture can run or load anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ethogram.errors import DataError
from ethogram.studies.drawing import SERIES

if TYPE_CHECKING:
    import polars as pl

    from ethogram.studies.findings import Measured

__all__ = ["embed", "lanes", "network", "whisker"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FORBIDDEN = {"script", "style", "foreignObject", "image", "iframe", "a", "set", "animate", "handler"}
MOST_NAMED = 40
MOST_LANES = 30


def embed(svg: str, prefix: str) -> str:
    """An SVG made elsewhere, made fit to stand in the page: nothing active, ids of its own, colours of the page.

    Raises:
        DataError: it is not well-formed.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise DataError(f"the figure {prefix!r} is not well-formed SVG: {error}") from error
    for element in list(root.iter()):
        for child in list(element):
            if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] in FORBIDDEN:
                element.remove(child)
        for key, value in list(element.attrib.items()):
            name = key.rpartition("}")[2]
            if name.startswith("on") or (name == "href" and not value.startswith("#")) or "javascript:" in value:
                del element.attrib[key]
    if "viewBox" in root.attrib:
        for key in ("width", "height"):
            root.attrib.pop(key, None)
    root.set("aria-hidden", "true")  # the figure around it has the text that stands for it
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r"url\((?!#)[^)]*\)", "none", text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    text = re.sub(r"#000000\b", "currentColor", text)
    text = re.sub(r"(?i)#ffffff\b", "var(--page)", text)
    for i, colour in enumerate(SERIES, 1):
        text = re.sub(rf"(?i){colour}\b", f"var(--series-{i})", text)
    return text


def network(agents: Sequence[str], pairs: pl.DataFrame) -> str:
    """Who talked with whom, on a circle: the thicker the line, the more was said; the larger the dot, the more partners.

    Args:
        agents: everybody, or where they are too many the best connected are drawn.
        pairs: columns a, b, times, as `ethogram.measures.meetings` gives them.
    """
    edges = [(a, b, times) for a, b, times in pairs.select("a", "b", "times").rows() if a in agents and b in agents]
    partners = dict.fromkeys(agents, 0)
    for a, b, _ in edges:
        partners[a] += 1
        partners[b] += 1
    shown = sorted(agents, key=lambda agent: -partners[agent])[:MOST_NAMED]
    edges = [edge for edge in edges if edge[0] in shown and edge[1] in shown]
    order = around(shown, edges)
    upright = len(order) <= 14
    radius, middle = 190, 320
    half = radius + (32 if upright else 130)
    angle = {agent: 2 * math.pi * i / len(order) - math.pi / 2 for i, agent in enumerate(order)}
    at = {agent: (middle + radius * math.cos(t), middle + radius * math.sin(t)) for agent, t in angle.items()}
    most = max((times for *_, times in edges), default=1)
    parts = [f'<svg viewBox="0 {middle - half} {2 * middle} {2 * half}" class="network" aria-hidden="true">']
    for a, b, times in sorted(edges, key=lambda edge: edge[2]):
        (xa, ya), (xb, yb) = at[a], at[b]
        weight = math.sqrt(times / most)
        cx, cy = (middle + ((xa + xb) / 2 - middle) * 0.45), (middle + ((ya + yb) / 2 - middle) * 0.45)
        parts.append(
            f'<path d="M{xa:.1f} {ya:.1f}Q{cx:.1f} {cy:.1f} {xb:.1f} {yb:.1f}" class="tie" '
            f'style="stroke-width:{0.8 + 4.2 * weight:.1f};opacity:{0.28 + 0.5 * weight:.2f}"/>'
        )
    for agent in order:
        x, y = at[agent]
        r = 3 + 2.2 * math.sqrt(partners[agent])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" class="{"node" if partners[agent] else "node lone"}"/>')
        parts.append(label(shorten(agent, 22), x, y, angle[agent], r + 7, upright))
    return "".join(parts) + "</svg>"


def label(text: str, x: float, y: float, angle: float, gap: float, upright: bool) -> str:
    """A name beside a dot on the circle: upright outside of it where few, along the radius where many."""
    across = math.cos(angle)
    side = 1 if across > -1e-9 else -1
    if not upright:
        turn = math.degrees(angle) + (0 if side > 0 else 180)
        place = f'transform="translate({x:.1f} {y:.1f}) rotate({turn:.1f})" x="{side * gap:.1f}" y="0.35em"'
        return f'<text class="along" {place} text-anchor="{"start" if side > 0 else "end"}">{escape(text)}</text>'
    anchor = "middle" if abs(across) < 0.2 else "start" if side > 0 else "end"
    shift = math.sin(angle) * gap * 1.25 if anchor == "middle" else math.sin(angle) * gap * 0.6
    x += 0 if anchor == "middle" else across * gap + side * 2
    return f'<text x="{x:.1f}" y="{y + shift:.1f}" dy="0.35em" text-anchor="{anchor}">{escape(text)}</text>'


def around(agents: Sequence[str], edges: Sequence[tuple[str, str, int]]) -> list[str]:
    """An order on the circle in which those who talk much stand close: places are swapped while that shortens the lines."""
    order = sorted(agents)
    n = len(order)
    partners: dict[str, list[tuple[str, int]]] = {agent: [] for agent in order}
    for a, b, weight in edges:
        partners[a].append((b, weight))
        partners[b].append((a, weight))
    place = {agent: i for i, agent in enumerate(order)}

    def length(agent: str, at: int, other: str, other_at: int) -> int:
        total = 0
        for partner, weight in partners[agent]:
            if partner != other:
                gap = abs(at - place[partner])
                total += weight * min(gap, n - gap)
        return total

    for _ in range(20):
        better = False
        for i in range(n):
            for j in range(i + 1, n):
                a, b = order[i], order[j]
                if length(a, j, b, i) + length(b, i, a, j) < length(a, i, b, j) + length(b, j, a, i):
                    order[i], order[j], place[a], place[b], better = b, a, j, i, True
        if not better:
            break
    return order


def lanes(
    agents: Sequence[str], cells: Sequence[Sequence[str]], ticks: Sequence[tuple[float, str]]
) -> tuple[str, list[str]]:
    """What each agent did when: a lane an agent, time from left to right, a colour a verb.

    Args:
        agents: whose lanes.
        cells: a row an agent, of the verb it took most in each slice of time (empty where it did not act).
        ticks: positions in [0, 1] along the time axis, and their labels.

    Returns:
        The SVG, and the verbs in the order of their colours, for a legend.
    """
    counts: dict[str, int] = {}
    for row in cells:
        for verb in row:
            if verb:
                counts[verb] = counts.get(verb, 0) + 1
    quiet = [verb for verb in counts if verb == "wait"]
    verbs = sorted((verb for verb in counts if verb != "wait"), key=lambda verb: -counts[verb]) + quiet
    left, lane, width, top = 150, 19, 800, 4
    height = top + lane * len(agents) + 26
    parts = [f'<svg viewBox="0 0 {width} {height}" class="lanes" aria-hidden="true">']
    slot = (width - left - 8) / max(1, len(cells[0]) if cells else 1)
    for share, word in ticks:
        x, y = left + share * (width - left - 8), height - 20
        anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y + 3}" class="tick"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 15}" text-anchor="{anchor}" class="axis">{escape(word)}</text>')
    for i, (agent, row) in enumerate(zip(agents, cells, strict=True)):
        y = top + i * lane
        parts.append(
            f'<text x="{left - 10}" y="{y + lane / 2}" dy="0.35em" text-anchor="end">{escape(shorten(agent, 22))}</text>'
        )
        parts.append(f'<rect x="{left}" y="{y + 3}" width="{slot * len(row):.1f}" height="{lane - 6}" class="lane"/>')
        for start, stop, verb in stretches(row):
            kind = "wait" if verb == "wait" else f"s{min(verbs.index(verb), 5) + 1}"
            x, w = left + start * slot, (stop - start) * slot
            parts.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{max(w, 1):.1f}" height="{lane - 6}" class="{kind}"/>')
    return "".join(parts) + "</svg>", verbs


def stretches(row: Sequence[str]) -> list[tuple[int, int, str]]:
    """Runs of the same verb, as (start, stop, verb), without the empty ones."""
    found: list[tuple[int, int, str]] = []
    for i, verb in enumerate(row):
        if verb and found and found[-1][2] == verb and found[-1][1] == i:
            found[-1] = (found[-1][0], i + 1, verb)
        elif verb:
            found.append((i, i + 1, verb))
    return found


def whisker(value: float, low: float, high: float, scale: tuple[float, float], kind: str) -> str:
    """One estimate on a scale: a dot with its interval; for the paper's figure a diamond, for people's a ring."""
    width, height, margin = 240, 18, 8
    first, last = scale

    def x(number: float) -> float:
        return margin + (width - 2 * margin) * (min(max(number, first), last) - first) / ((last - first) or 1)

    y = height / 2
    parts = [f'<svg viewBox="0 0 {width} {height}" class="whisker {kind}" aria-hidden="true">']
    parts.append(f'<line x1="{margin}" x2="{width - margin}" y1="{y}" y2="{y}" class="rail"/>')
    if first < 0 < last:
        parts.append(f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="1" y2="{height - 1}" class="zero"/>')
    if not math.isnan(value):
        at = x(value)
        if not (math.isnan(low) or math.isnan(high) or low == high):
            parts.append(f'<line x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}" class="bar"/>')
        if kind == "paper":
            parts.append(f'<path d="M{at:.1f} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>')
        else:
            parts.append(f'<circle cx="{at:.1f}" cy="{y}" r="4.5"/>')
    return "".join(parts) + "</svg>"


def scale_of(group: Sequence[Measured]) -> tuple[float, float]:
    """The range that all of a measure's estimates and reported figures lie in; from zero, and to one for shares."""
    numbers = [0.0]
    for m in group:
        numbers += [m.estimate.value, m.estimate.low, m.estimate.high]
        numbers += [r.value for r in (m.paper, m.human) if r is not None and r.value is not None]
    finite = [n for n in numbers if math.isfinite(n)]
    low, high = min(finite), max(finite)
    if group[0].unit == "%" and low >= 0 and high <= 1:
        return 0.0, 1.0
    return 0.0 - rounded_up(-low), rounded_up(high) if high > low else low + 1


def rounded_up(number: float) -> float:
    """The next round number, for the end of a scale; zero below zero."""
    if number <= 0:
        return 0.0
    power = 10 ** math.floor(math.log10(number))
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= number * (1 - 1e-9))


def shorten(text: str, most: int) -> str:
    """The text, cut with an ellipsis where it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
