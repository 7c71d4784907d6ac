"""One table of a record, read in slices: an index of its rows in memory, packed parts of it where they were looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["Table"]

PACKED_BYTES = 256 * 2**20
"""So much of a table is kept packed in memory, least recently read first to go."""
SLICE_BYTES = 2**20
"""About so much is unpacked at once."""
UNPACKED = 64
"""Slices kept unpacked."""
KEYS = ("episode", "step", "agent")


class Table:
    """One table of a record: an index of (episode, step, agent) over all rows, and slices of the rows."""

    def __init__(self, folder: Path, name: str, agents: Sequence[str]) -> None:
        self.folder, self.name = folder, name
        self._agents = pa.array(agents, pa.string())
        self._indexed: dict[str, dict[str, NDArray[Any]]] = {}
        self._begins: dict[str, NDArray[Any]] = {}
        self._packs: OrderedDict[tuple[str, int], Pack] = OrderedDict()
        self._slices: OrderedDict[tuple[str, int, int], pa.RecordBatch] = OrderedDict()
        self._lock = Lock()
        self._files: list[str] = []
        self._tail: pa.Table | None = None
        self.starts: NDArray[Any] = np.zeros(1, np.int64)
        """Where each file begins, then where the tail does."""
        self.columns: dict[str, NDArray[Any]] = {}
        """`episode`, `step`, `agent` (its number, -1 for none), of the steps also `time` and `reward`: (rows,) each."""

    def update(self, files: list[str], tail: pa.Table) -> None:
        """Take up what is new: sealed files, which never change, and the rows of the journal."""
        parts, kept = [], []
        for file in files:
            try:
                if file not in self._indexed:
                    path, names = self.folder / file, self._names
                    self._indexed[file] = self._index(pq.read_table(path, columns=names))
                parts.append(self._indexed[file])
                kept.append(file)
            except (OSError, pa.ArrowException):  # a damaged file is left out, as in Run
                continue
        parts.append(self._index(tail.select(self._names)))
        self._files, self._tail = kept, tail
        self.starts = np.cumsum([0, *(len(part["episode"]) for part in parts[:-1])])
        self.columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[-1]}

    @property
    def _names(self) -> list[str]:
        return [*KEYS, "time", "reward"] if self.name == "steps" else list(KEYS)

    def _index(self, table: pa.Table) -> dict[str, NDArray[Any]]:
        at = pc.index_in(table["agent"], self._agents)  # pyright: ignore[reportAttributeAccessIssue]
        found = pc.fill_null(at, -1)
        numbers = {name: table[name].to_numpy() for name in table.column_names if name != "agent"}
        return {**numbers, "agent": found.to_numpy().astype(np.int32)}

    def __len__(self) -> int:
        return len(self.columns.get("episode", ()))

    def rows(self, indices: Sequence[int] | NDArray[Any], columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """These rows (ascending) as dictionaries of the columns."""
        wanted = np.asarray(indices, np.int64)
        found: list[dict[str, Any]] = []
        parts = np.searchsorted(self.starts, wanted, side="right") - 1
        for part in np.unique(parts).tolist():
            inside = wanted[parts == part] - self.starts[part]
            if part == len(self._files):
                assert self._tail is not None
                found += _plain(self._tail, inside, columns)
            else:
                found += self._of_file(self._files[part], inside, columns)
        return found

    def _of_file(self, file: str, inside: NDArray[Any], columns: Sequence[str] | None) -> list[dict[str, Any]]:
        begins = self._groups(file)
        groups = np.searchsorted(begins, inside, side="right") - 1
        found: list[dict[str, Any]] = []
        for group in np.unique(groups).tolist():
            pack, own = self._pack(file, group), inside[groups == group] - begins[group]
            slices = own // pack.rows
            for k in np.unique(slices).tolist():
                found += _plain(self._slice(file, group, k, pack), own[slices == k] - k * pack.rows, columns)
        return found

    def _groups(self, file: str) -> NDArray[Any]:
        """The first row of each row group of a file."""
        if file not in self._begins:
            meta = pq.read_metadata(self.folder / file)
            sizes = [meta.row_group(k).num_rows for k in range(meta.num_row_groups)]
            self._begins[file] = np.cumsum([0, *sizes[:-1]])
        return self._begins[file]

    def _pack(self, file: str, group: int) -> Pack:
        key = (file, group)
        with self._lock:
            if key in self._packs:
                self._packs.move_to_end(key)
                return self._packs[key]
        with pq.ParquetFile(self.folder / file, memory_map=True) as opened:
            pack = packed(opened.read_row_group(group))
        with self._lock:
            self._packs[key] = pack
            total = sum(p.data.size for p in self._packs.values())
            while total > PACKED_BYTES and len(self._packs) > 1:
                total -= self._packs.popitem(last=False)[1].data.size
        return pack

    def _slice(self, file: str, group: int, k: int, pack: Pack) -> pa.RecordBatch:
        key = (file, group, k)
        with self._lock:
            if key in self._slices:
                self._slices.move_to_end(key)
                return self._slices[key]
        batch = pa.ipc.open_file(pack.data).get_batch(k)
        with self._lock:
            self._slices[key] = batch
            while len(self._slices) > UNPACKED:
                self._slices.popitem(last=False)
        return batch

    def warm(self) -> None:
        """Pack all that fits, so that any moment is quickly at hand; to be called in a thread."""
        for file in list(self._files):
            for group in range(len(self._groups(file))):
                if sum(p.data.size for p in self._packs.values()) > PACKED_BYTES // 2:
                    return
                self._pack(file, group)


class Pack(NamedTuple):
    """A row group as compressed slices, each of which is found at once; a Parquet page is not."""

    data: pa.Buffer
    rows: int
    """Rows of each slice, but the last."""


def packed(table: pa.Table) -> Pack:
    """Pack a table."""
    rows = int(np.clip(SLICE_BYTES * max(1, table.num_rows) // max(1, table.nbytes), 16, 8192))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    table = table.combine_chunks()
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return Pack(sink.getvalue(), rows)


def _plain(table: pa.Table | pa.RecordBatch, rows: NDArray[Any], columns: Sequence[str] | None) -> list[dict[str, Any]]:
    table = table.select(list(columns)) if columns else table
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return table.slice(int(rows[0]), len(rows)).to_pylist()
    return table.take(pa.array(rows)).to_pylist()
