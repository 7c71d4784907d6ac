"""Measures on the records of worlds in which people talk: who met whom, how dense the network is, how a fact spread.

They take plain tables, so that any world's records will do: *contacts* have the columns `time`, `source` and `target` (one
row for each time that source told target something); *knowledge* has `agent` and `time` (since when the agent knows).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate

if TYPE_CHECKING:
    import polars as pl

__all__ = ["contacts", "curve", "density", "leaks", "meetings", "reachable"]


def contacts(steps: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Who said what to whom, out of a `steps` table whose actions are verbs (JSON with a `verb` `say`, `to`, `text`).

    Returns:
        A row an utterance, in the order of the record: episode, step, time, source, target, text. Actions that failed
        (with a `fault`) are left out, as are words to somebody who is no agent of the record. Empty where nobody speaks.
    """
    import polars as pl

    frame = steps.lazy()
    if frame.collect_schema()["action"] != pl.String:
        frame = frame.with_columns(action=pl.lit(None, pl.String))
    field = pl.col("action").str.json_path_match
    people = frame.select(pl.col("agent").alias("target")).unique()
    return (
        frame.filter(pl.col("action").is_not_null() & pl.col("fault").is_null())
        .with_columns(verb=field("$.verb").str.to_lowercase(), target=field("$.to"), text=field("$.text"))
        .filter(pl.col("verb") == "say")
        .join(people, on="target", how="semi", maintain_order="left")
        .select("episode", "step", "time", pl.col("agent").alias("source"), "target", "text")
        .collect()
    )


def meetings(contacts: pl.DataFrame) -> pl.DataFrame:
    """Pairs that talked, whoever began: columns a, b (a before b by name), times, first, last; most talkative first."""
    import polars as pl

    _columns(contacts, "source", "target", "time")
    pair = pl.min_horizontal("source", "target").alias("a"), pl.max_horizontal("source", "target").alias("b")
    return (
        contacts.filter(pl.col("source") != pl.col("target"))
        .select(*pair, "time")
        .group_by("a", "b")
        .agg(pl.len().alias("times"), pl.min("time").alias("first"), pl.max("time").alias("last"))
        .sort("times", "a", "b", descending=[True, False, False])
    )


def density(edges: pl.DataFrame, n: int, directed: bool = False) -> Estimate:
    """Share of the possible ties among `n` agents that are there: 2|E|/(n(n-1)), directed |E|/(n(n-1)).

    Args:
        edges: columns source and target (or a and b), with repetitions and self-ties, which do not count.
        n: how many agents there are, tied or not.
        directed: whether a tie from one to the other is another tie than the one back.

    Returns:
        A count, not a sample: its interval is itself, its `n` the number of possible ties.
    """
    import polars as pl

    if n < 2:
        raise DataError(f"a network's density needs at least two agents, not {n}")
    if "a" in edges.columns:
        edges = edges.rename({"a": "source", "b": "target"})
    _columns(edges, "source", "target")
    ties = edges.select("source", "target").filter(pl.col("source") != pl.col("target"))
    if not directed:
        ties = ties.select(pl.min_horizontal("source", "target"), pl.max_horizontal("source", "target").alias("to"))
    possible = n * (n - 1) if directed else n * (n - 1) // 2
    found = ties.unique().height
    if found > possible:
        raise DataError(f"{found} ties are more than {n} agents can have: count the agents again")
    return Estimate.exact(found / possible, possible, "share of possible ties, counted")


def curve(knowledge: pl.DataFrame, n: int) -> pl.DataFrame:
    """How many of `n` agents know, as time goes on: columns time, known, share; one row each time somebody learns."""
    import polars as pl

    _columns(knowledge, "agent", "time")
    first = knowledge.group_by("agent").agg(pl.min("time"))
    if first.height > n:
        raise DataError(f"{first.height} agents know, of only {n}: count the agents again")
    return (
        first.group_by("time")
        .agg(pl.len().alias("known"))
        .sort("time")
        .with_columns(pl.col("known").cum_sum())
        .with_columns((pl.col("known") / n).alias("share"))
    )


def reachable(contacts: pl.DataFrame, sources: Collection[str]) -> pl.DataFrame:
    """Whom a fact known to `sources` at the start can have reached, if each passed it on in every contact.

    A contact passes it on from the moment its source can know, in the order of the rows.

    Returns:
        Columns agent, time (null for the sources), via (who can have told it first), in that order of time.
    """
    import polars as pl

    _columns(contacts, "time", "source", "target")
    found: dict[str, tuple[float | None, str | None]] = dict.fromkeys(sources, (None, None))
    for time, source, target in contacts.sort("time", maintain_order=True).select("time", "source", "target").rows():
        if source in found and target not in found:
            found[target] = (time, source)
    rows = [(agent, time, via) for agent, (time, via) in found.items()]
    return pl.DataFrame(rows, schema={"agent": pl.String, "time": pl.Float64, "via": pl.String}, orient="row")


def leaks(knowledge: pl.DataFrame, contacts: pl.DataFrame, sources: Collection[str]) -> pl.DataFrame:
    """The rows of `knowledge` that no chain of contacts explains: known before it can have been told, or never told."""
    import polars as pl

    _columns(knowledge, "agent", "time")
    reached = reachable(contacts, sources).rename({"time": "told"})
    joined = knowledge.join(reached.with_columns(pl.lit(True).alias("reached")), on="agent", how="left")
    explained = pl.col("reached").is_not_null() & (pl.col("told").is_null() | (pl.col("time") >= pl.col("told")))
    return joined.filter(~explained).select(knowledge.columns)


def _columns(frame: pl.DataFrame, *names: str) -> None:
    if missing := [name for name in names if name not in frame.columns]:
        raise DataError(f"the table needs the columns {', '.join(names)}; {', '.join(missing)} is missing")
