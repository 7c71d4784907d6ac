"""A cache of valid answers by the content of their requests, in memory or on disk."""

from __future__ import annotations

import logging
import sqlite3
import threading
import zlib
from pathlib import Path

from ethogram.errors import ConfigError

__all__ = ["Cache"]

log = logging.getLogger("ethogram.language")


class Cache:
    """Answers by key.

    Args:
        path: a file, made where there is none; without it the cache lives in memory. Any number of processes and threads may
            use one file at once. A damaged one is set aside (`NAME.damaged-1`), reported, and begun anew.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = None if path is None else Path(path).expanduser()
        self._memory: dict[str, str] = {}
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        if self.path is not None:
            self._open()

    def get(self, key: str) -> str | None:
        """What was put under the key, or None."""
        if self.path is None:
            return self._memory.get(key)
        with self._lock:
            try:
                row = self._connection().execute("select value, sum from answers where key = ?", (key,)).fetchone()
            except sqlite3.OperationalError as error:  # locked for long, disk failing: go on without
                log.warning("the cache %s could not be read (%s); the call is made", self.path, error)
                return None
            except sqlite3.DatabaseError as error:
                self._set_aside(error)
                return None
            if row is None:
                return None
            if not isinstance(row[0], str) or zlib.crc32(row[0].encode()) != row[1]:
                self._set_aside(ValueError("a row differs from its checksum"))
                return None
            return row[0]

    def put(self, key: str, value: str) -> None:
        """Keep a value under the key; what another process has put there first stays."""
        if self.path is None:
            self._memory[key] = value
            return
        row = (key, value, zlib.crc32(value.encode()))
        with self._lock:
            try:
                self._connection().execute("insert or ignore into answers values (?, ?, ?)", row)
            except sqlite3.OperationalError as error:
                log.warning("the cache %s could not be written (%s); the answer is not kept", self.path, error)
            except sqlite3.DatabaseError as error:
                self._set_aside(error)

    def __len__(self) -> int:
        if self.path is None:
            return len(self._memory)
        with self._lock:
            return self._connection().execute("select count(*) from answers").fetchone()[0]

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __del__(self) -> None:
        if getattr(self, "_db", None) is not None:
            self.close()

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._open()
        assert self._db is not None
        return self._db

    def _open(self) -> None:
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._prepared()
        except (OSError, sqlite3.OperationalError) as error:
            raise ConfigError(f"the cache {self.path} cannot be used ({error}): give a file that can be written") from error
        except sqlite3.DatabaseError as error:
            self._set_aside(error)

    def _prepared(self) -> sqlite3.Connection:
        assert self.path is not None
        db = sqlite3.connect(str(self.path), timeout=30, isolation_level=None, check_same_thread=False)
        self._inode = self.path.stat().st_ino
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.execute("create table if not exists answers (key text primary key, value text, sum integer) without rowid")
            db.execute("select key, value, sum from answers limit 1")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _set_aside(self, error: Exception) -> None:
        """Rename the damaged file and begin a new one."""
        assert self.path is not None
        if self._db is not None:
            self._db.close()
            self._db = None
        if self.path.exists() and self.path.stat().st_ino == self._inode:  # else another process has already done so
            n = 1
            while (aside := self.path.with_name(f"{self.path.name}.damaged-{n}")).exists():
                n += 1
            self.path.rename(aside)
            for suffix in ("-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            log.warning("the cache %s is damaged (%s): it is now %s, and a new one is begun", self.path, error, aside.name)
        self._db = self._prepared()
