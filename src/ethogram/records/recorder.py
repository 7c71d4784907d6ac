"""The recorder: writes a run folder while the run goes on.

Rows go to the journal step by step. At a checkpoint the journal's content is sealed into Parquet segments, the state of
world and policies is saved, the manifest is replaced in one go, and a new journal begins. The manifest alone says which
files count, so a kill between any two of these leaves a folder that can be resumed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.errors import RunError
from ethogram.records.checkpoints import save_state
from ethogram.records.durable import sync
from ethogram.records.journal import Commit, Journal, Journalled, read_journal
from ethogram.records.lean import Lean
from ethogram.records.manifest import Manifest, Segment, versions
from ethogram.records.tables import StepCodec, calls_table, notes_table, to_json
from ethogram.session import Call, Position

__all__ = ["Recorder"]

SEAL_BYTES = 64 * 2**20
"""A journal larger than this is sealed at the next step, checkpoint due or not."""
TABLES = ("steps", "calls", "notes")


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(f"no space left to write {folder}: free some and run again with resume") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise RunError(f"{folder} cannot be written ({error.strerror}): choose another folder") from error
        raise RunError(f"{folder} cannot be written: {error}") from error


def _demand_free(folder: Path) -> None:
    """RunError where a folder holds anything but what a run leaves that was killed as it began."""
    if (folder / "manifest.json").exists():
        raise RunError(f"{folder} holds a run already: resume it, or choose another folder")
    if {p.name for p in folder.iterdir()} - {".lock", "manifest.json.new"}:
        raise RunError(f"{folder} is not empty and not a run: choose another folder")


def _repeating(schema: pa.Schema) -> list[str] | bool:
    """Columns worth a dictionary: of numbers that seldom come twice it takes most of the time and some of the space."""
    numbers = [f.name for f in schema if pa.types.is_fixed_size_list(f.type) or pa.types.is_struct(f.type)]
    if not numbers:
        return True
    return [f.name for f in schema if f.name not in numbers and not pa.types.is_floating(f.type)]


class Recorder:
    """Writes one run folder; holds its lock until `close`."""

    def __init__(self, folder: Path, manifest: Manifest, codec: StepCodec) -> None:
        """Use `create` or `reopen`."""
        self.folder = folder
        self.manifest = manifest
        self.codec = codec
        self._commits: list[Commit] = []
        self.lean = Lean.of(codec, manifest.agents, manifest.record)
        self._lean_rows = bytearray()
        self._nothing = pa.RecordBatch.from_pylist([], codec.schema)
        self._calls: dict[Position, tuple[int, Call]] = {}
        self._bytes = 0
        self._lock = -1
        self._journal: Journal | None = None

    @classmethod
    def create(cls, folder: Path, manifest: Manifest, codec: StepCodec) -> Recorder:
        """Begin a run in `folder`, which must be absent or empty."""
        self = cls(folder, manifest, codec)
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _demand_free(folder)  # before the lock, which would be left in a folder of somebody else's
        self._take_lock()
        try:
            _demand_free(folder)
            manifest.versions, manifest.described = versions(), codec.described
            with _disk(folder):
                manifest.write(folder)
                self._journal = Journal(folder / "journal-00000")
        except RunError:
            self.close()
            raise
        return self

    @classmethod
    def reopen(cls, folder: Path, codec: StepCodec) -> tuple[Recorder, Journalled]:
        """Go on with a run that was cut off; returns also what its journal holds."""
        manifest = Manifest.read(folder)
        self = cls(folder, manifest, codec)
        self._take_lock()
        try:
            self.manifest = manifest = Manifest.read(folder)  # it may have changed while the lock was awaited
            path = folder / f"journal-{manifest.sealed:05d}"
            journalled = read_journal(path, codec.schema, self.lean)
            with _disk(folder):
                self._sweep(path)
                self._journal = Journal(path, keep=journalled.sound)
                manifest.status, manifest.reason, manifest.finished = "running", "", None
                manifest.write(folder)
        except RunError:
            self.close()
            raise
        for order, call in journalled.calls:
            self._keep(order, call)
        if manifest.record == "none":  # not every step is in the journal: they happen again since the last checkpoint
            journalled = journalled._replace(commits=[])
            self.seal(None)
        self._commits = list(journalled.commits)
        manifest.steps_done += sum(c.steps for c in journalled.commits)
        return self, journalled

    def _take_lock(self) -> None:
        path = self.folder / ".lock"
        with _disk(self.folder):
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(self._lock, 20, 0).decode(errors="replace") or "unknown"
            os.close(self._lock)
            self._lock = -1
            raise RunError(
                f"{self.folder} is being written by another process ({pid}): wait for it, or choose another folder"
            ) from None
        with _disk(self.folder):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def _sweep(self, journal: Path) -> None:
        """Remove what a crash left behind and the manifest does not count."""
        counted = {s.file for s in self.manifest.segments}
        for file in self.folder.glob("journal-*"):
            if file != journal:
                file.unlink()
        for table in TABLES:
            for file in (self.folder / table).glob("*"):
                if f"{table}/{file.name}" not in counted:
                    file.unlink()
        for kept in (self.folder / "checkpoints").glob("*"):
            if kept.name not in self.manifest.checkpoints:
                shutil.rmtree(kept)

    def call(self, order: int, call: Call) -> None:
        """Record a model call at once."""
        assert self._journal is not None
        with _disk(self.folder):
            self._journal.call(order, call)
        self._keep(order, call)

    def _keep(self, order: int, call: Call) -> None:
        self._calls[call.position] = (order, call)
        usage = self.manifest.usage
        usage.calls += 1
        usage.cached += call.cached
        usage.failed += call.error is not None
        usage.faults += len(call.faults)
        usage.cost += call.cost
        if not call.cached:
            usage.tokens_in += call.tokens_in
            usage.tokens_out += call.tokens_out
            usage.seconds += call.seconds
        if call.model not in self.manifest.models:
            self.manifest.models.append(call.model)

    def commit(self, commit: Commit) -> None:
        """Record a complete step; how many there are is counted by who calls."""
        assert self._journal is not None
        if commit.notes or self.manifest.record != "none":
            with _disk(self.folder):
                self._journal.commit(commit)
            self._gather()
            self._commits.append(commit)
            self._bytes += commit.rows.nbytes

    def note(self, place: tuple[int, int], notes: list[dict[str, Any]], *, alone: bool) -> None:
        """Record the notes of a step whose lean rows come next, or which has no rows (`alone`)."""
        assert self._journal is not None
        commit = Commit(*place, self._nothing, notes, 0)
        with _disk(self.folder):
            if alone:
                self._journal.commit(commit)
            else:
                self._journal.put(b"N", to_json(notes).encode("utf-8", "replace"))
        self._commits.append(commit)

    def commit_lean(self, rows: bytes) -> None:
        """Record a complete step as lean rows."""
        assert self._journal is not None
        try:
            self._journal.put(b"R", rows)
        except OSError:
            with _disk(self.folder):
                raise
        self._lean_rows += rows

    def _gather(self) -> None:
        """Make a batch of the lean rows that are waiting."""
        if self._lean_rows:
            assert self.lean is not None
            self._commits.append(Commit(-1, -1, self.lean.rows(self._lean_rows), [], 0))
            self._lean_rows = bytearray()

    @property
    def wants_sealing(self) -> bool:
        """Whether so much is in the journal that it should be sealed whether a checkpoint is due or not."""
        return self._bytes + len(self._lean_rows) >= SEAL_BYTES

    def seal(self, state: Mapping[str, Any] | None, name: str | None = None) -> None:
        """Move the journal into Parquet segments; with `state`, save it as the checkpoint `name` too."""
        assert self._journal is not None
        manifest = self.manifest
        self._gather()
        with _disk(self.folder):
            segments = [s for table in TABLES if (s := self._segment(table)) is not None]
            checkpoints = manifest.checkpoints
            if state is not None and name is not None:
                save_state(self.folder / "checkpoints" / name, state)
                checkpoints = [*checkpoints, name]
            following = Journal(self.folder / f"journal-{manifest.sealed + 1:05d}")
            before = manifest.model_copy()
            manifest.segments = [*manifest.segments, *segments]
            manifest.sealed += 1
            manifest.checkpoints = checkpoints
            try:
                manifest.write(self.folder)
            except OSError:
                for field in ("segments", "sealed", "checkpoints"):
                    setattr(manifest, field, getattr(before, field))
                following.close()
                raise
            self._journal.close()
            self._journal.path.unlink(missing_ok=True)
        self._journal, self._commits, self._calls, self._bytes = following, [], {}, 0

    def _segment(self, table: str) -> Segment | None:
        if table == "steps":
            content = pa.Table.from_batches([c.rows for c in self._commits], self.codec.schema)
        elif table == "calls":
            content = calls_table(list(self._calls.values()))
        else:
            content = notes_table([n for c in self._commits for n in c.notes])
        if not content.num_rows:
            return None
        file = f"{table}/{self.manifest.sealed:05d}.parquet"
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".new")
        try:
            repeating: Any = _repeating(content.schema)
            pq.write_table(content, temporary, compression="zstd", use_dictionary=repeating)
            with open(temporary, "rb") as f:
                sync(f.fileno())
            data = temporary.read_bytes()
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return Segment(table=table, file=file, rows=content.num_rows, bytes=len(data), crc32=zlib.crc32(data))

    def finish(self, status: str, reason: str, seconds: float, state: Mapping[str, Any] | None, name: str) -> None:
        """Seal what there is, with a last checkpoint where `state` is given, and close the run with `status`."""
        manifest = self.manifest
        manifest.status, manifest.reason = status, reason  # type: ignore[assignment]
        manifest.seconds += seconds
        manifest.finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.seal(state, name)

    def close(self) -> None:
        """Release files and lock."""
        if self._journal is not None:
            self._journal.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
