"""Two runs measured in pairs: what each agent, or each stretch of steps, came to in the one and in the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ethogram.measures import paired_difference
from ethogram.measures.estimate import Estimate
from ethogram.studio.reading import Record, value_of
from ethogram.studio.safety import html
from ethogram.studio.views.curves import numbers

__all__ = ["Difference", "Differences", "differences", "differences_table", "fork_of"]

FEWEST, BLOCKS = 5, 20
"""Pairs below which there is no interval; stretches into which steps are divided where there are too few agents."""
READ = 40_000
"""Rows that are read of each run; of longer ones, as many evenly spaced frames as come to these."""
Place = tuple[int, int]


class Difference(NamedTuple):
    """A measure of both runs and by how much the second has more."""

    what: str
    first: float
    second: float
    difference: Estimate


class Differences(NamedTuple):
    """All measures that both runs have, and what was paired."""

    pairs: str
    found: list[Difference]


def fork_of(a: Record, b: Record) -> Place | None:
    """(episode, step) from which two runs may differ: of a run and its branch, or two branches of one; None: unrelated."""
    places = []
    for one, other in ((a, b), (b, a)):
        parent = one.manifest.parent or {}
        theirs = other.manifest.parent or {}
        if not parent:
            continue
        source = Path(str(parent.get("run", "")))
        if source == other.path.resolve() or (theirs and str(theirs.get("run", "")) == str(source)):
            places.append((int(parent.get("episode", 0)), int(parent["at"])))
    return min(places, default=None)


def differences(a: Record, b: Record) -> Differences:
    """Paired differences, second minus first, over the steps that both have; for branches, those from the fork on.

    Pairs are agents of the same name where there are at least five, else up to twenty stretches of steps; intervals are
    percentile bootstraps over pairs. Agents of one world act on each other, and stretches follow on each other, so that an
    interval is about these two runs and takes no account of how other seeds would fall out.
    """
    shared = [agent for agent in a.agents if agent in set(b.agents)]
    if not shared or not len(a) or not len(b):
        return Differences("The two runs share no agent, so that nothing is paired.", [])
    begin = fork_of(a, b) or (0, 0)
    end = min((r.place(len(r) - 1)[0], r.time(len(r) - 1)) for r in (a, b))
    if min(r.place(len(r) - 1) for r in (a, b)) < begin:
        return Differences("The two runs share no step after the fork yet.", [])
    by_agents = len(shared) >= FEWEST
    sides = [_measured(record, shared, begin, end, by_agents) for record in (a, b)]
    first = f"episode {begin[0]}, step {begin[1]:,}" if end[0] else f"step {begin[1]:,}"
    stretch = f"from {first} to the last moment that both have"
    unit = f"{len(shared):,} agents, each with itself" if by_agents else f"up to {BLOCKS} stretches of steps"
    common = " (the past that both share is left out)" if fork_of(a, b) else ""
    found = []
    for what in sides[0]:
        if what not in sides[1]:
            continue
        x, y = (side[what] for side in sides)
        both = np.isfinite(x) & np.isfinite(y)
        if both.any():
            found.append(_difference(what, x[both], y[both]))
    return Differences(f"Paired: {unit}; {stretch}{common}.", found)


def _difference(what: str, x: NDArray[Any], y: NDArray[Any]) -> Difference:
    first, second = float(x.mean()), float(y.mean())
    if len(x) < FEWEST:
        none = Estimate(second - first, np.nan, np.nan, len(x), "too few pairs for an interval")
        return Difference(what, first, second, none)
    if np.ptp(y - x) == 0:  # no resample would differ
        gap = float((y - x)[0])
        return Difference(what, first, second, Estimate(gap, gap, gap, len(x), "the same in all pairs"))
    return Difference(what, first, second, paired_difference(y, x, "percentile"))


def _measured(
    record: Record, agents: Sequence[str], begin: Place, end: tuple[int, float], by_agents: bool
) -> dict[str, NDArray[Any]]:
    """Measures by name, a number a pair; NaN where there is none."""
    columns = record.steps.columns
    place = columns["episode"].astype(np.int64) << 32 | columns["step"].astype(np.int64)
    in_time = (columns["episode"] < end[0]) | ((columns["episode"] == end[0]) & (columns["time"] <= end[1]))
    inside = (place >= (begin[0] << 32 | begin[1])) & in_time
    number = np.full(len(record.agents) + 1, -1)
    for k, agent in enumerate(agents):
        number[record.agents.index(agent)] = k
    rows = np.flatnonzero(inside & (number[columns["agent"]] >= 0))
    if by_agents:
        pair, pairs = number[columns["agent"][rows]], len(agents)
    else:
        steps = np.unique(place[rows])
        pairs = min(BLOCKS, max(1, len(steps)))
        pair = np.searchsorted(steps, place[rows]) * pairs // max(1, len(steps))
    found: dict[str, NDArray[Any]] = {}
    rewards = columns["reward"][rows]
    if np.nan_to_num(rewards).any():
        sums = np.bincount(pair, np.nan_to_num(rewards), pairs)
        found["reward, in all"] = np.where(np.bincount(pair, np.isfinite(rewards), pairs) > 0, sums, np.nan)
    return found | _of_rows(record, rows, pair, pairs, by_agents)


def _of_rows(record: Record, rows: NDArray[Any], pair: NDArray[Any], pairs: int, last: bool) -> dict[str, NDArray[Any]]:
    """How often which verb was used, and the numbers observed: the last of each agent, or the mean of each stretch."""
    kept = np.arange(len(rows)) if len(rows) <= READ else np.unique(np.linspace(0, len(rows) - 1, READ).astype(np.int64))
    verbs: dict[str, NDArray[Any]] = defaultdict(lambda: np.zeros(pairs))
    sums: dict[str, NDArray[Any]] = defaultdict(lambda: np.zeros(pairs))
    counts: dict[str, NDArray[Any]] = defaultdict(lambda: np.zeros(pairs))
    for at in range(0, len(kept), 2000):
        chunk = kept[at : at + 2000]
        read = record.steps.rows(rows[chunk], ["action", "observation"])
        for k, row in zip(pair[chunk].tolist(), read, strict=True):
            done, seen = value_of(row["action"]), value_of(row["observation"])
            if isinstance(done, Mapping) and "verb" in done:
                verbs[f"times: {done['verb']}"][k] += 1
            for name, value in _numbers(seen):
                sums[name][k] = value if last else sums[name][k] + value
                counts[name][k] = 1 if last else counts[name][k] + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        words = "in the end: " if last else "mean of "
        seen = {words + name: sums[name] / counts[name] for name in list(sums)[:20]}
    return {**(verbs if len(kept) == len(rows) else {}), **seen}


def _numbers(seen: Any) -> Iterable[tuple[str, float]]:
    """The numbers of an observation, by name."""
    if isinstance(seen, int | float):
        return [("observation", float(seen))]
    if isinstance(seen, list) and 0 < len(seen) <= 12 and all(isinstance(v, int | float) for v in seen):
        return [(f"observation {k}", float(v)) for k, v in enumerate(seen)]
    return numbers(seen)


def differences_table(given: Differences, names: Sequence[str]) -> Markup:
    """Measures as an HTML table; where the interval leaves zero out, the line is marked."""
    if not given.found:
        return html("<p class=soft>{}</p>", given.pairs)
    line = "<tr class='{}'><th scope=row>{}</th>" + "<td class=number>{}</td>" * 5 + "</tr>"
    rows = []
    for d in given.found:
        e = d.difference
        clear = e.bounded and (e.low > 0 or e.high < 0)
        interval = f"{e.low:.4g} to {e.high:.4g}" if e.bounded else "–"
        values = (f"{d.first:.4g}", f"{d.second:.4g}", f"{e.value:+.4g}" if e.value else "0", interval, f"{e.n}")
        rows.append(html(line, "now" if clear else "", d.what, *values))
    heads = (*names, "difference", "95 % interval", "pairs")
    head = Markup().join(html("<th scope=col class=number>{}</th>", name) for name in heads)
    head = html("<th scope=col>measure (mean of pairs)</th>{}", head)
    says = "Marked: the interval leaves out zero. It is about these two runs: other seeds would fall out otherwise."
    table = html("<table><tr>{}</tr>{}</table>", head, Markup().join(rows))
    return html("<p class=soft>{} {}</p>{}", given.pairs, says, table)
