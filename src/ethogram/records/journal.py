"""The journal: what happened since the last sealed segment, appended so that a kill loses at most the step in flight.

A journal is a file of frames `kind (1 byte) | length (u32) | crc32 (u32) | payload`. A call is appended as soon as it is
answered, so that it is never paid twice; the notes and rows of a step are appended in one write when the step is complete.
A torn or corrupt frame ends the journal: what stands before it counts, what stands behind it does not.

Lean rows (see `records.lean`) are written into the file through memory that is mapped to it, which takes a tenth of the time
that a system call does and outlives the process just as well. The file is then longer than what it holds, by zeros.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import pyarrow as pa

from ethogram.records.codec import to_json
from ethogram.records.lean import Lean
from ethogram.session import Call, Position

__all__ = ["Commit", "Journal", "Journalled", "read_journal"]

_HEAD = struct.Struct("<cII")
_PLACE = struct.Struct("<ii")
_AHEAD = 2**18
"""So much room is taken at once for lean rows."""


class Commit(NamedTuple):
    """A complete step: its place, its rows for the `steps` table, the notes made in it; or several, at the last's place."""

    episode: int
    step: int
    rows: pa.RecordBatch
    notes: list[dict[str, Any]]
    steps: int = 1


class Journalled(NamedTuple):
    """What a journal holds: complete steps, all calls, and how many bytes of the file are sound."""

    commits: list[Commit]
    calls: list[tuple[int, Call]]
    """Each with its order within the agent's step."""
    sound: int
    torn: bool


def _frame(kind: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(kind, len(payload), crc32(payload)) + payload


def call_to_json(order: int, call: Call) -> dict[str, Any]:
    """A call as a JSON value."""
    return {**asdict(call), "position": list(call.position), "order": order}


def call_from_json(data: dict[str, Any]) -> tuple[int, Call]:
    """Inverse of `call_to_json`."""
    fields = {k: v for k, v in data.items() if k not in ("position", "order")}
    return data["order"], Call(position=Position(*data["position"]), **fields)


class Journal:
    """Appends to one journal file."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        """Open `path`, keeping its first `keep` bytes."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._fd, keep)
        self._end = keep
        self._map: mmap.mmap | None = None
        self._allocated = 0

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            offset = self._end
            while view:
                written = os.pwrite(self._fd, view, offset)
                view, offset = view[written:], offset + written
        except OSError:
            self._unmap()
            os.ftruncate(self._fd, self._end)  # no torn frame is left behind
            raise
        self._end += len(data)

    def call(self, order: int, call: Call) -> None:
        """Append a call."""
        fields = {**call.__dict__, "position": list(call.position), "order": order}
        self._append(_frame(b"C", to_json(fields).encode("utf-8", "replace")))

    def commit(self, commit: Commit) -> None:
        """Append a complete step, all or nothing."""
        data = b""
        if commit.notes:
            data = _frame(b"N", to_json(commit.notes).encode("utf-8", "replace"))
        rows = commit.rows.serialize().to_pybytes()
        self._append(data + _frame(b"S", _PLACE.pack(commit.episode, commit.step) + rows))

    def put(self, kind: bytes, payload: bytes) -> None:
        """Append a frame through mapped memory."""
        data = _HEAD.pack(kind, len(payload), crc32(payload)) + payload
        end = self._end + len(data)
        if end > self._allocated:
            self._allocate(end + _AHEAD)
        assert self._map is not None
        self._map[self._end : end] = data
        self._end = end

    def _allocate(self, size: int) -> None:
        """Have the disk give room, so that a full one is noticed here and not where memory is written."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._fd, 0, size)
        else:
            os.ftruncate(self._fd, size)
        self._unmap()
        self._map, self._allocated = mmap.mmap(self._fd, size), size

    def _unmap(self) -> None:
        if self._map is not None:
            self._map.close()
        self._map, self._allocated = None, 0

    def close(self) -> None:
        """Close the file."""
        if self._map is not None:
            self._unmap()
            os.ftruncate(self._fd, self._end)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_journal(path: Path, schema: pa.Schema, lean: Lean | None = None) -> Journalled:
    """Read what is sound of a journal whose rows have `schema`; an absent file is an empty journal.

    `lean` is the layout of its lean rows, if it may hold any.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Journalled([], [], 0, False)
    commits: list[Commit] = []
    calls: dict[Position, tuple[int, Call]] = {}
    notes: list[dict[str, Any]] = []
    gathered: list[bytes] = []
    at, sound = 0, 0

    def close_block() -> None:
        if gathered and lean is not None:
            (episode, step), rows = _PLACE.unpack_from(gathered[-1]), lean.rows(b"".join(gathered))
            commits.append(Commit(episode, step, rows, [], len(gathered)))
            gathered.clear()

    while at + _HEAD.size <= len(data):
        kind, length, crc = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if kind == b"\0" or len(payload) < length or crc32(payload) != crc:
            break
        at += _HEAD.size + length
        if kind == b"C":
            order, call = call_from_json(json.loads(payload))
            calls[call.position] = (order, call)
        elif kind == b"N":
            notes = json.loads(payload)
            continue
        elif kind == b"R":
            gathered.append(payload)
            if notes:
                episode, step = _PLACE.unpack_from(payload)
                commits.append(Commit(episode, step, pa.RecordBatch.from_pylist([], schema), notes, 0))
        elif kind == b"S":
            close_block()
            episode, step = _PLACE.unpack_from(payload)
            rows = pa.ipc.read_record_batch(pa.py_buffer(payload[_PLACE.size :]), schema)
            commits.append(Commit(episode, step, rows, notes))
        notes, sound = [], at
    close_block()
    return Journalled(commits, list(calls.values()), sound, torn=bool(data[sound:].strip(b"\0")))
