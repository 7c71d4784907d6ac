"""The three tables of a run and the forms of their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.records.codec import Codec, codec_of, common_codec, to_json
from ethogram.records.descriptions import covering, describe
from ethogram.session import Call, Position

__all__ = ["ACCOUNTING", "CALLS", "NOTES", "StepCodec", "calls_of", "calls_table", "notes_table", "to_json"]

NOTES = pa.schema(
    [("episode", pa.int32()), ("step", pa.int32()), ("agent", pa.string()), ("kind", pa.string()), ("data", pa.string())]
)
CALLS = pa.schema(
    [
        ("episode", pa.int32()),
        ("step", pa.int32()),
        ("agent", pa.string()),
        ("order", pa.int32()),
        ("purpose", pa.string()),
        ("n", pa.int32()),
        ("model", pa.string()),
        ("kind", pa.string()),
        ("key", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("options", pa.list_(pa.string())),
        ("reply", pa.string()),
        ("scores", pa.list_(pa.float64())),
        ("method", pa.string()),
        ("error", pa.string()),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("seconds", pa.float64()),
        ("cost", pa.float64()),
        ("cached", pa.bool_()),
        ("faults", pa.list_(pa.string())),
    ]
)
ACCOUNTING = ("seconds", "cost", "cached", "faults")
"""Columns of `calls` that say how this execution went, and may differ between two records of the same events."""

_PLAIN = tuple(f for f in CALLS.names if f not in ("episode", "step", "agent", "purpose", "n", "order"))


class StepCodec:
    """Rows of the `steps` table for the spaces of one run.

    Args:
        specs: how the columns `observation` and `action` are encoded, as the manifest keeps it.
        spaces: observation and action space of each agent; needed to write, and to read where a column's spec is None.
    """

    def __init__(
        self,
        specs: Mapping[str, dict[str, Any] | None],
        spaces: tuple[Mapping[str, Space[Any]], Mapping[str, Space[Any]]] | None = None,
    ) -> None:
        observations, actions = spaces or ({}, {})
        self.spaces: dict[str, Mapping[str, Space[Any]]] = {"observation": observations, "action": actions}
        self.codecs: dict[str, Codec | None] = {}
        for column, spec in specs.items():
            own = common_codec(dict(self.spaces[column])) if self.spaces[column] else None
            self.codecs[column] = own if own and spec == own.spec else codec_of(spec) if spec else None
        kinds = {c: k.type if k else pa.string() for c, k in self.codecs.items()}
        self.schema = pa.schema(
            [
                ("episode", pa.int32()),
                ("step", pa.int32()),
                ("time", pa.float64()),
                ("agent", pa.string()),
                ("observation", kinds["observation"]),
                ("action", kinds["action"]),
                ("reward", pa.float64()),
                ("ended", pa.string()),
                ("fault", pa.string()),
            ]
        )
        self._agents: tuple[Sequence[str], pa.Array] = ((), pa.array([], pa.string()))

    @classmethod
    def of(cls, observations: dict[str, Space[Any]], actions: dict[str, Space[Any]]) -> StepCodec:
        """The codec for a world's spaces."""
        shared = {"observation": common_codec(observations), "action": common_codec(actions)}
        return cls({c: k.spec if k else None for c, k in shared.items()}, (observations, actions))

    def blank(self, name: str, n: int) -> pa.Array:
        """A column of `n` nulls."""
        return pa.nulls(n, self.schema.field(name).type)

    @property
    def specs(self) -> dict[str, dict[str, Any] | None]:
        """What the manifest keeps of this codec."""
        return {c: k.spec if k else None for c, k in self.codecs.items()}

    @property
    def described(self) -> dict[str, dict[str, Any]]:
        """The space of each column, as the manifest describes it."""
        return {c: describe(covering(spaces.values())) for c, spaces in self.spaces.items() if spaces}

    def column(self, name: str, agents: Sequence[str], values: Sequence[Any]) -> pa.Array:
        """Encode the observations or actions of `agents`."""
        codec = self.codecs[name]
        if codec is not None:
            return codec.encode(values)
        spaces = self.spaces[name]
        texts = [None if v is None else to_json(spaces[a].to_jsonable([v])) for a, v in zip(agents, values, strict=True)]
        return pa.array(texts, pa.string())

    def values(self, name: str, agents: Sequence[str], column: pa.Array) -> list[Any]:
        """Decode a column; without spaces, mixed kinds come back as plain JSON values."""
        codec = self.codecs[name]
        if codec is not None:
            return codec.decode(column)
        spaces = self.spaces[name]
        return [
            None if t is None else spaces[a].from_jsonable(json.loads(t))[0] if a in spaces else json.loads(t)
            for a, t in zip(agents, column.to_pylist(), strict=True)
        ]

    def rows(
        self,
        place: tuple[int, int],
        time: float,
        agents: Sequence[str],
        observations: pa.Array,
        actions: pa.Array,
        rewards: Sequence[float | None] | np.ndarray[Any, Any],
        ended: Sequence[str] | str = "",
        faults: Mapping[str, str] | None = None,
    ) -> pa.RecordBatch:
        """One row an agent, at `place` = (episode, step); the columns are those that `column` gave for the same agents."""
        n = len(agents)
        if self._agents[0] != agents:
            self._agents = (list(agents), pa.array(agents, pa.string()))
        fault = pa.array([faults.get(a) for a in agents], pa.string()) if faults else pa.nulls(n, pa.string())
        return pa.RecordBatch.from_arrays(
            [
                pa.array(np.full(n, place[0], np.int32)),
                pa.array(np.full(n, place[1], np.int32)),
                pa.array(np.full(n, time, np.float64)),
                self._agents[1],
                observations,
                actions,
                pa.array(rewards, pa.float64()),
                pa.repeat(pa.scalar(ended), n) if isinstance(ended, str) else pa.array(ended, pa.string()),
                fault,
            ],
            schema=self.schema,
        )


def calls_table(calls: Sequence[tuple[int, Call]]) -> pa.Table:
    """Calls, each with its order within the agent's step, as a table sorted by episode, step, agent and order."""
    rows = [
        {**call.position._asdict(), "order": order, **{f: getattr(call, f) for f in _PLAIN}}
        for order, call in sorted(calls, key=lambda c: (c[1].position[:3], c[0]))
    ]
    return pa.Table.from_pylist(rows, CALLS)


def calls_of(table: pa.Table) -> list[tuple[int, Call]]:
    """Inverse of `calls_table`."""
    return [
        (
            row["order"],
            Call(
                position=Position(row["episode"], row["step"], row["agent"], row["purpose"], row["n"]),
                **{f: row[f] for f in _PLAIN},
            ),
        )
        for row in table.to_pylist()
    ]


def notes_table(notes: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Notes as a table, in the order in which they were made known: by step, then agent."""
    return pa.Table.from_pylist([dict(n) for n in notes], NOTES)
