"""The record of a run, read slice by slice: an index of all steps in memory, the rows only where they are shown."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.errors import RunError
from ethogram.records.journal import read_journal
from ethogram.records.lean import Lean
from ethogram.records.manifest import Manifest, Usage
from ethogram.records.tables import CALLS, NOTES, StepCodec, calls_table, notes_table
from ethogram.studio.slices import Table

__all__ = ["Record", "Records", "Row", "value_of"]

OPEN = 4
"""Records kept for pages to come."""


class Row(NamedTuple):
    """One agent in one step, as plain values."""

    frame: int
    agent: str
    seen: Any
    done: Any
    reward: float | None
    ended: str
    fault: str | None


def value_of(stored: Any) -> Any:
    """A member of a space as it lies in a table, as a plain value: typed ones lie there as JSON."""
    if isinstance(stored, str):
        try:
            return json.loads(stored)
        except ValueError:
            return stored
    return stored


class Record:
    """A run folder as the studio reads it, live or finished.

    A *frame* is a step of an episode: the frames of a run are counted through, 0 to `len(record) - 1`.

    Args:
        path: the run folder.

    Raises:
        RunError: it is no run folder of this format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = Manifest.read(path)
        self.agents = self.manifest.agents
        self._codec: StepCodec | None = None
        self.state: tuple[Any, ...] = ()
        """Changes whenever there is more to read."""
        self.usage = Usage()
        self.steps = Table(path, "steps", self.agents)
        self.calls = Table(path, "calls", self.agents)
        self.notes = Table(path, "notes", self.agents)
        self.frames: NDArray[Any] = np.zeros(0, np.int64)
        """The first row of each frame."""
        self.refresh()

    @property
    def world(self) -> str:
        """The world's name."""
        return self.manifest.world

    @property
    def live(self) -> bool:
        """Whether the run has not ended, as far as its manifest says."""
        return self.manifest.status == "running"

    def refresh(self) -> None:
        """Take up what has been recorded since."""
        manifest = Manifest.read(self.path)
        journal = self.path / f"journal-{manifest.sealed:05d}"
        try:
            stat = journal.stat()
            state: tuple[Any, ...] = (manifest.status, manifest.sealed, stat.st_size, stat.st_mtime_ns)
        except OSError:
            state = (manifest.status, manifest.sealed)
        if state == self.state:
            return
        self.state, self.manifest, self.usage = state, manifest, manifest.usage.model_copy()
        tails = self._journal(journal)
        for table, tail in zip((self.steps, self.calls, self.notes), tails, strict=True):
            own = [s.file for s in manifest.segments if s.table == table.name and Path(s.file).parent == Path(table.name)]
            table.update(own, tail)
        self._find_frames()

    def _journal(self, path: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
        """What the journal holds of each table; its calls are counted into `usage`."""
        if not path.exists():
            kinds = {"episode": pa.int32(), "step": pa.int32(), "time": pa.float64(), "reward": pa.float64()}
            empty = pa.schema([*kinds.items(), ("agent", pa.string())])
            return empty.empty_table(), CALLS.empty_table(), NOTES.empty_table()
        if self._codec is None:
            self._codec = StepCodec(self.manifest.spaces)
        lean = Lean.of(self._codec, self.agents, self.manifest.record)
        found = read_journal(path, self._codec.schema, lean)
        for _, call in found.calls:
            self.usage.calls += 1
            self.usage.cost += call.cost
            self.usage.tokens_in += 0 if call.cached else call.tokens_in
            self.usage.tokens_out += 0 if call.cached else call.tokens_out
        steps = pa.Table.from_batches([c.rows for c in found.commits], self._codec.schema)
        return steps, calls_table(found.calls), notes_table([n for c in found.commits for n in c.notes])

    def _find_frames(self) -> None:
        episode, step = self.steps.columns["episode"], self.steps.columns["step"]
        if not len(episode):
            self.frames = np.zeros(0, np.int64)
            self._of_agent = {}
            return
        changed = (np.diff(episode) != 0) | (np.diff(step) != 0)
        self.frames = np.flatnonzero(np.concatenate([[True], changed]))
        self._of_agent: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def place(self, frame: int) -> tuple[int, int]:
        """Episode and step of a frame."""
        row = self.frames[frame]
        return int(self.steps.columns["episode"][row]), int(self.steps.columns["step"][row])

    def time(self, frame: int) -> float:
        """Simulated time of a frame."""
        return float(self.steps.columns["time"][self.frames[frame]])

    def frame_of(self, episode: int, step: int) -> int:
        """The last frame at or before a step, at least 0."""
        keys = self.steps.columns["episode"][self.frames].astype(np.int64) << 32
        keys |= self.steps.columns["step"][self.frames].astype(np.int64)
        return max(0, int(np.searchsorted(keys, (episode << 32) | step, side="right")) - 1)

    def bounds(self, frame: int) -> tuple[int, int]:
        """First row of a frame and of the one after."""
        end = self.frames[frame + 1] if frame + 1 < len(self.frames) else len(self.steps)
        return int(self.frames[frame]), int(end)

    def at(self, frame: int, most: int = 200) -> list[Row]:
        """The rows of a frame, the first `most` of them."""
        if not 0 <= frame < len(self):
            return []
        first, end = self.bounds(frame)
        return self.read(range(first, min(end, first + most)))

    def read(self, rows: Sequence[int] | NDArray[Any]) -> list[Row]:
        """These rows of the steps (ascending)."""
        wanted = np.asarray(rows, np.int64)
        frames = np.searchsorted(self.frames, wanted, side="right") - 1
        return [
            Row(
                frame,
                found["agent"],
                value_of(found["observation"]),
                value_of(found["action"]),
                found["reward"],
                found["ended"] or "",
                found["fault"],
            )
            for frame, found in zip(frames.tolist(), self.steps.rows(wanted), strict=True)
        ]

    def rows_of(self, agent: str) -> NDArray[Any]:
        """All rows of an agent, ascending."""
        number = self.agents.index(agent)
        if number not in self._of_agent:
            self._of_agent[number] = np.flatnonzero(self.steps.columns["agent"] == number)
        return self._of_agent[number]

    def around(self, agent: str, frame: int) -> tuple[int | None, int | None]:
        """An agent's last row at or before a frame and its first row after it, of the same episode; None: no such row."""
        rows, (first, end) = self.rows_of(agent), self.bounds(frame)
        episode = self.steps.columns["episode"]
        k = int(np.searchsorted(rows, end))
        before = int(rows[k - 1]) if k and episode[rows[k - 1]] == episode[first] else None
        after = int(rows[k]) if k < len(rows) and episode[rows[k]] == episode[first] else None
        return before, after

    def last_seen(self, agent: str, frame: int) -> Row | None:
        """The last row of an agent at or before a frame, in its episode, that holds an observation.

        Where an episode ends for somebody who does not act just then, its row says so and holds none.
        """
        rows, (first, end) = self.rows_of(agent), self.bounds(frame)
        episode, k = self.steps.columns["episode"], int(np.searchsorted(rows, end))
        for row in reversed(rows[max(0, k - 3) : k].tolist()):
            if episode[row] == episode[first] and (found := self.read([row])[0]).seen is not None:
                return found
        return None

    def latest(self, agents: Sequence[str], frame: int) -> dict[str, Row]:
        """Each agent's `last_seen`, of those that have one."""
        found = {agent: self.last_seen(agent, frame) for agent in agents}
        return {agent: row for agent, row in found.items() if row is not None}

    def gained(self, agent: str, most: int = 400) -> list[tuple[int, float]]:
        """(frame, all rewards of the agent up to it), at most so many, evenly spaced."""
        rows = self.rows_of(agent)
        sums = np.cumsum(np.nan_to_num(self.steps.columns["reward"][rows]))
        kept = _spread(len(rows), most)
        frames = np.searchsorted(self.frames, rows[kept], side="right") - 1
        return list(zip(frames.tolist(), sums[kept].tolist(), strict=True))

    def spread(self, most: int = 400) -> list[Row]:
        """The first row of frames that are evenly spaced over the run, at most so many."""
        return self.read(self.frames[_spread(len(self.frames), most)])

    def beside(self, table: Table, agent: str, frame: int, most: int, columns: Sequence[str] | None = None) -> list[Any]:
        """Rows of the calls or notes of an agent at or before a frame, the last `most` of them, oldest first."""
        if agent not in self.agents:
            raise RunError(f"{self.path} has no agent {agent!r}")
        episode, step = self.place(frame)
        index = table.columns
        earlier = (index["episode"] < episode) | ((index["episode"] == episode) & (index["step"] <= step))
        rows = np.flatnonzero((index["agent"] == self.agents.index(agent)) & earlier)
        return table.rows(rows[-most:], columns)

    def sampled(self, agent: str, most: int = 400) -> list[Row]:
        """Rows of an agent, evenly spaced over the run, at most so many: what curves are drawn of."""
        rows = self.rows_of(agent)
        return self.read(rows[_spread(len(rows), most)])


class Records:
    """Records that pages share, so that what was packed for one is at hand for the next."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Record] = OrderedDict()

    def open(self, path: Path) -> Record:
        """The record of a run folder, up to date; RunError where it is none."""
        record = self._open.pop(path, None)
        if record is None or record.manifest.started != Manifest.read(path).started:  # it may have been made anew
            record = Record(path)
        record.refresh()
        self._open[path] = record
        while len(self._open) > OPEN:
            self._open.popitem(last=False)
        return record


def _spread(n: int, most: int) -> NDArray[Any]:
    """At most `most` of the numbers below `n`, evenly spaced, the first and the last among them."""
    return np.arange(n) if n <= most else np.unique(np.linspace(0, n - 1, most).astype(np.int64))
