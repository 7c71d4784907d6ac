"""Who has had to do with whom: all that agents directed to each other over a run, indexed once by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from ethogram.studio.reading import Record, value_of

__all__ = ["Relations", "relations_of"]

CHUNK = 4096
"""Rows read at once."""


class Relations:
    """An index of the actions that one agent directed to another (`to` of a verb); it grows with the record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.read = 0
        """Rows of the steps that are indexed."""
        self._number = {agent: k for k, agent in enumerate(record.agents)}
        self._links: list[tuple[int, int, int]] = []
        self._lock = Lock()

    @property
    def complete(self) -> bool:
        """Whether all that is recorded is indexed."""
        return self.read >= len(self.record.steps)

    def extend(self) -> None:
        """Index what is not yet; to be called in a thread."""
        with self._lock:
            while self.read < (end := len(self.record.steps)):
                rows = np.arange(self.read, min(end, self.read + CHUNK))
                for row, found in zip(rows.tolist(), self.record.steps.rows(rows, ["agent", "action"]), strict=True):
                    done = value_of(found["action"])
                    other = self._number.get(done.get("to", "")) if isinstance(done, Mapping) else None
                    own = self._number.get(found["agent"])
                    if other is not None and own is not None:
                        self._links.append((row, own, other))
                self.read = int(rows[-1]) + 1

    def of(self, agent: str, end: int) -> dict[str, tuple[int, int]]:
        """By other agent: how often the agent addressed it, and it the agent, in the rows before `end`; most often first."""
        own, to, by = self._number[agent], Counter[int](), Counter[int]()
        for row, source, target in self._links:
            if row >= end:
                break
            if source == own:
                to[target] += 1
            elif target == own:
                by[source] += 1
        order = sorted(to.keys() | by.keys(), key=lambda k: -(to[k] + by[k]))
        return {self.record.agents[k]: (to[k], by[k]) for k in order}


_known: WeakKeyDictionary[Record, Relations] = WeakKeyDictionary()


def relations_of(record: Record) -> Relations:
    """The index of a record, shared by all pages that show it."""
    return _known.setdefault(record, Relations(record))
