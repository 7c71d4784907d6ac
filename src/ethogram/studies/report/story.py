"""What happened, from the record of a run: who talked with whom, what each did when, and a sampled timeline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ethogram.studies.findings import Moment
from ethogram.studies.report.pictures import MOST_LANES, lanes, network, shorten

if TYPE_CHECKING:
    from ethogram.records import Run

__all__ = ["pictures", "recorded", "timeline"]

MOST_MOMENTS = 48
SLICES = 96
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def clock(time: float, unit: str) -> str:
    """Simulated time for a reader: minutes as `Monday 08:10`, everything else as `step 12`."""
    if unit == "minute":
        day, minute = divmod(int(time), 1440)
        return f"{DAYS[day % 7]} {minute // 60:02}:{minute % 60:02}"
    return f"{unit} {time:g}"


def pictures(run: Run, name: str) -> list[dict[str, str]]:
    """Pictures that any run of talking or acting agents allows: who met whom, and what each did when."""
    from ethogram.measures import contacts, meetings

    found = []
    said = contacts(run.steps)
    agents = run.manifest.agents
    if said.height and len(agents) > 2:
        pairs = meetings(said)
        most = pairs.row(0, named=True)
        caption = (
            f"Who talked with whom{name}. The thicker a line, the more was said; the larger a dot, the more partners. "
            f"{most['a']} and {most['b']} talked most: {most['times']} times one spoke to the other."
        )
        found.append({"svg": network(agents, pairs), "caption": caption, "alt": caption, "legend": ""})
    if drawn := activity(run):
        svg, verbs = drawn
        caption = f"What each did when{name}. Time runs from left to right, a lane is one agent; gaps: nothing was decided."
        found.append(
            {"svg": svg, "caption": caption, "alt": f"{caption} Kinds of action: {', '.join(verbs)}.", "legend": verbs}
        )
    return found


def activity(run: Run) -> tuple[str, list[str]] | None:
    """The lanes picture of a run's first episode; None where actions are not verbs."""
    import polars as pl

    if run.steps.collect_schema()["action"] != pl.String:
        return None
    acted = (
        run.steps.filter((pl.col("episode") == 0) & pl.col("action").is_not_null())
        .select("step", "time", "agent", pl.col("action").str.json_path_match("$.verb").str.to_lowercase().alias("verb"))
        .drop_nulls("verb")
        .collect()
    )
    if acted.is_empty():
        return None
    steps = int(acted["step"].max()) + 1  # type: ignore[arg-type]
    slices = min(steps, SLICES)
    # what an agent mostly did in a slice; waiting only shows where nothing else was done
    mostly = (
        acted.with_columns((pl.col("step") * slices // steps).alias("slice"))
        .group_by("agent", "slice", "verb")
        .agg(pl.len().alias("times"))
        .with_columns((pl.col("verb") == "wait").alias("waits"))
        .sort("waits", "times", "verb", descending=[False, True, False])
        .group_by("agent", "slice", maintain_order=True)
        .first()
    )
    verb_at = {(agent, at): verb for agent, at, verb in mostly.select("agent", "slice", "verb").rows()}
    agents = [agent for agent in run.manifest.agents if any((agent, s) in verb_at for s in range(slices))][:MOST_LANES]
    cells = [[verb_at.get((agent, s), "") for s in range(slices)] for agent in agents]
    times = acted.group_by("step").agg(pl.first("time")).sort("step")
    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0) if steps > 4 else (0.0, 1.0):
        row = times.row(min(int(share * times.height), times.height - 1))
        marks.append((share, clock(row[1], run.manifest.time_unit)))
    return lanes(agents, cells, marks)


def recorded(run: Run) -> list[Moment]:
    """The utterances of a run as moments: the timeline where a study gives none."""
    from ethogram.measures import contacts

    unit = run.manifest.time_unit
    return [
        Moment(clock(row["time"], unit), f"{row['source']} to {row['target']}", row["text"], "said")
        for row in contacts(run.steps).iter_rows(named=True)
    ]


def timeline(moments: Sequence[Moment]) -> dict[str, Any]:
    """The moments to be shown, grouped by time, and how many there are in all.

    All turning points are kept; of the rest, stretches of neighbours are taken evenly, so that talk can be followed.
    """
    kept = sampled(moments, MOST_MOMENTS)
    groups = []
    for time, group in groupby((moments[i] for i in kept), key=lambda m: m.time):
        entries = [{"who": m.who, "text": shorten(m.text, 400), "kind": m.kind} for m in group]
        groups.append({"time": time, "entries": entries})
    return {"groups": groups, "shown": len(kept), "total": len(moments)}


def sampled(moments: Sequence[Moment], most: int) -> list[int]:
    """Indices of at most about `most` moments, in order."""
    if len(moments) <= most:
        return list(range(len(moments)))
    points = [i for i, m in enumerate(moments) if m.kind == "turning point"][:most]
    room, stretch = most - len(points), 4
    starts = max(1, room // stretch)
    taken = set(points)
    for k in range(starts):
        begin = k * (len(moments) - stretch) // max(1, starts - 1) if starts > 1 else 0
        taken.update(range(begin, min(begin + stretch, len(moments))))
    return sorted(taken)
