"""Run: a run folder, read.

    run = Run("runs/town")
    run.steps.filter(pl.col("agent") == "Ana").collect()
    run.sql("select purpose, count(*) from calls group by purpose")
    run.trajectories()

Tables are read where they lie; a run that is still being written, or was killed, is read up to its last complete step.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.errors import DataError, RunError
from ethogram.records.checkpoints import load_state
from ethogram.records.descriptions import Values, space_of
from ethogram.records.episodes import trajectories_of
from ethogram.records.journal import Journalled, read_journal
from ethogram.records.lean import Lean
from ethogram.records.manifest import Manifest
from ethogram.records.tables import CALLS, NOTES, StepCodec, calls_of, calls_table, notes_table
from ethogram.records.trajectories import Trajectories
from ethogram.session import Call

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Run"]


class Run:
    """The record of a simulation in a folder.

    Args:
        path: the run folder.

    Raises:
        RunError: where it is not a run folder of this format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = Manifest.read(self.path)
        self.problems: list[str] = []
        """What of the record cannot be read, a sentence each. Filled when a table is first used."""
        self.in_memory = False
        """Whether tables are read at once, because the folder may go."""

    def __repr__(self) -> str:
        m = self.manifest
        return f"Run({str(self.path)!r}: {m.world}, {len(m.agents)} agents, {m.steps_done} steps, {m.status})"

    @cached_property
    def _codec(self) -> StepCodec:
        return StepCodec(self.manifest.spaces)

    @cached_property
    def _journal(self) -> Journalled:
        path = self.path / f"journal-{self.manifest.sealed:05d}"
        found = read_journal(path, self._codec.schema, Lean.of(self._codec, self.manifest.agents, self.manifest.record))
        if found.torn:
            steps = sum(c.steps for c in found.commits)
            self.problems.append(f"{path} is torn after {found.sound} bytes; the {steps} steps before are read")
        return found

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """The sound Parquet files of each table; the others are named in `problems`."""
        files: dict[str, list[Path]] = {"steps": [], "calls": [], "notes": []}
        for segment in self.manifest.segments:
            path = self.path / segment.file
            try:
                data = path.read_bytes()
                if len(data) != segment.bytes:
                    raise OSError(f"it has {len(data)} bytes and should have {segment.bytes}")
                if zlib.crc32(data) != segment.crc32:
                    raise OSError("its checksum is wrong")
                files[segment.table].append(path)
            except OSError as error:
                what = error.strerror or error
                self.problems.append(f"table {segment.table}: {path} is left out ({segment.rows} rows lost): {what}")
        return files

    def check(self) -> list[str]:
        """Read all of the record; returns what cannot be read, a sentence each (empty: all is sound)."""
        _ = self._files, self._journal
        return self.problems

    def _arrow_tail(self, table: str) -> pa.Table:
        """What the journal holds of a table."""
        journal = self._journal
        if table == "steps":
            return pa.Table.from_batches([c.rows for c in journal.commits], self._codec.schema)
        if table == "calls":
            return calls_table(journal.calls)
        return notes_table([n for c in journal.commits for n in c.notes])

    def _table(self, table: str) -> pl.LazyFrame:
        import polars as pl

        parts: list[pl.LazyFrame] = []
        if files := self._files[table]:
            parts.append(pl.read_parquet(files).lazy() if self.in_memory else pl.scan_parquet(files))
        tail = self._arrow_tail(table)
        if tail.num_rows or not parts:
            parts.append(pl.DataFrame(tail).lazy())
        return pl.concat(parts)

    @property
    def steps(self) -> pl.LazyFrame:
        """Table `steps`: episode, step, time, agent, observation, action, reward, ended, fault.

        A row an agent and step in which it acted, in the order of the steps; `ended` is empty, `terminated`, `truncated`,
        or `last` for the row, without an action, that holds an agent's last observation. `fault` says why the world's idle
        action stands for the agent's own.
        """
        return self._table("steps")

    @property
    def calls(self) -> pl.LazyFrame:
        """Table `calls`: every model call (see `ethogram.session.Call`), sorted by episode, step, agent and order."""
        return self._table("calls")

    @property
    def notes(self) -> pl.LazyFrame:
        """Table `notes`: what policies and worlds noted about themselves; `data` is JSON."""
        return self._table("notes")

    def sql(self, query: str) -> pl.DataFrame:
        """Answer a DuckDB query over the tables steps, calls and notes."""
        import duckdb

        with duckdb.connect() as connection:
            for table in ("steps", "calls", "notes"):
                connection.register(table, self.arrow(table))
            try:
                return connection.sql(query).pl()
            except duckdb.Error as error:
                raise DataError(f"the query cannot be answered: {str(error).splitlines()[0]}") from error

    def arrow(self, table: str) -> pa.Table:
        """A whole table as Arrow, with the types of the record."""
        if table not in ("steps", "calls", "notes"):
            raise DataError(f"a run has no table {table!r}: it has steps, calls and notes")
        schema = {"steps": self._codec.schema, "calls": CALLS, "notes": NOTES}[table]
        return pa.concat_tables([*(pq.read_table(f, schema=schema) for f in self._files[table]), self._arrow_tail(table)])

    def all_calls(self) -> Iterator[tuple[int, Call]]:
        """Every call with its order within the agent's step."""
        for file in self._files["calls"]:
            yield from calls_of(pq.read_table(file, schema=CALLS))
        yield from self._journal.calls

    def trajectories(self, agent: str | None = None) -> Trajectories:
        """One trajectory an agent and episode, in the order of episodes, then of the manifest's agents: what `fit` takes.

        Where agents' spaces are of different kinds, members come as plain JSON values.

        Args:
            agent: only this agent's.
        """
        if agent is not None and agent not in self.manifest.agents:
            raise DataError(f"{self.path} has no agent {agent!r}: it has {', '.join(self.manifest.agents[:8])}")
        described = self.manifest.described
        spaces = [space_of(described[c]) if c in described else Values() for c in ("observation", "action")]
        outcomes: dict[int, dict[str, float]] = {}
        for note in self.arrow("notes").to_pylist():
            if note["kind"] == "outcome" and not note["agent"]:
                outcomes[note["episode"]] = json.loads(note["data"])
        agents = self.manifest.agents if agent is None else [agent]
        return trajectories_of(self.arrow("steps"), agents, spaces[0], spaces[1], outcomes)

    def checkpoint(self, at: tuple[int, int] | None = None) -> tuple[str, dict[str, Any]] | None:
        """The last checkpoint at or before (episode, step), as (name, state); None where there is none.

        A checkpoint that cannot be read is passed over, and named in `problems`.
        """
        for name in reversed(self.manifest.checkpoints):
            episode, step = map(int, name.split("-"))
            if at is not None and (episode, step) > at:
                continue
            try:
                return name, load_state(self.path / "checkpoints" / name)
            except RunError as error:
                self.problems.append(str(error))
        return None

    def demand_sound(self) -> None:
        """RunError where a table is damaged: going on from it would silently lose what happened."""
        self.check()
        if damaged := [p for p in self.problems if p.startswith("table ")]:
            raise RunError(f"{self.path} is damaged, so it can be read but not gone on from: {damaged[0]}")
