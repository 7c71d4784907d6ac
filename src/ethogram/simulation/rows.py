"""Rows: a step of the loop as rows of the `steps` table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ethogram.records.tables import StepCodec
from ethogram.world import Agent

__all__ = ["Moment", "Rows"]


class Moment(NamedTuple):
    """A step that is complete."""

    place: tuple[int, int]
    time: float
    acting: Sequence[Agent]
    actions: Mapping[Agent, Any]
    faults: Mapping[Agent, str]
    rewards: Mapping[Agent, float]
    how: Mapping[Agent, str]
    """Who ended, `terminated` or `truncated`."""
    last: Mapping[Agent, Any]
    """What those observe who are through: because they ended, or because the episode did."""
    after: tuple[tuple[int, int], float]
    """Place and time of the last observations."""


class Rows:
    """Makes rows of the `steps` table.

    Args:
        codec: of the world's spaces.
        record: `all`, `actions` (no observations) or `none` (no rows).
    """

    def __init__(self, codec: StepCodec, record: str) -> None:
        self.codec = codec
        self.record = record
        self.nothing = pa.RecordBatch.from_pylist([], codec.schema)

    def seen(self, acting: Sequence[Agent], seen: Mapping[Agent, Any]) -> pa.Array | None:
        """What those observe who act, encoded before the world goes on and may write into it."""
        return None if self.record != "all" else self.codec.column("observation", acting, list(seen.values()))

    def of(self, moment: Moment, seen: pa.Array | None) -> pa.RecordBatch:
        """Who acted; who did not but got a reward or ended; last observations of who is through."""
        if self.record == "none":
            return self.nothing
        codec, acting, how = self.codec, moment.acting, moment.how
        column = codec.column("action", acting, list(map(moment.actions.__getitem__, acting)))
        gains = list(map(moment.rewards.get, acting, repeat(0.0)))
        batches = [
            codec.rows(
                moment.place,
                moment.time,
                acting,
                codec.blank("observation", len(acting)) if seen is None else seen,
                column,
                np.array(gains, np.float64),
                [how.get(a, "") for a in acting] if how else "",
                moment.faults,
            )
        ]
        if len(moment.rewards) > len(acting) or how:
            awaited = set(acting)
            others = {a: r for a, r in moment.rewards.items() if a not in awaited and (r or a in how)}
            if others:
                ended = [how.get(a, "") for a in others]
                batches.append(self._bystanders(moment.place, moment.time, list(others), list(others.values()), ended))
        if moment.last:
            nothing: list[float | None] = [None] * len(moment.last)
            batches.append(self._bystanders(*moment.after, list(moment.last), nothing, "last", moment.last))
        if len(batches) == 1 or not any(b.num_rows for b in batches):
            return batches[0]
        return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]

    def _bystanders(
        self,
        place: tuple[int, int],
        time: float,
        agents: list[Agent],
        rewards: Sequence[float | None],
        ended: Sequence[str] | str,
        seen: Mapping[Agent, Any] | None = None,
    ) -> pa.RecordBatch:
        """Rows without an action."""
        codec = self.codec
        shown = codec.column("observation", agents, list(seen.values())) if seen and self.record == "all" else None
        observations = codec.blank("observation", len(agents)) if shown is None else shown
        return codec.rows(place, time, agents, observations, codec.blank("action", len(agents)), rewards, ended)
