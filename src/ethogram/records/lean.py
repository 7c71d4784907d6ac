"""Lean rows: the steps of one agent in a numeric world as bytes of a fixed layout.

A world of 20,000 steps a second leaves no time to make an Arrow row of each step. The journal then gets the numbers as they
lie in memory, and rows of the `steps` table are made of many steps at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ethogram.records.tables import StepCodec

__all__ = ["LAST", "TERMINATED", "TRUNCATED", "Lean"]

TERMINATED, TRUNCATED, LAST = 1, 2, 3
_ENDED = np.array(["", "terminated", "truncated", "last"], object)
_INT64 = struct.Struct("<q")


class Lean:
    """The layout of such rows.

    Args:
        codec: of the world's spaces.
        agent: the one agent.
        record: `all`, or `actions` (no observations).
    """

    def __init__(self, codec: StepCodec, agent: str, record: str) -> None:
        self.codec = codec
        self.agent = agent
        self.columns = ["observation", "action"] if record == "all" else ["action"]
        specs = {name: kind.spec for name in self.columns if (kind := codec.codecs[name]) is not None}
        head = [("episode", "<i4"), ("step", "<i4"), ("time", "<f8"), ("reward", "<f8"), ("flag", "u1")]
        self.dtype = np.dtype([*head, *((name, _dtype(specs[name])) for name in self.columns)])
        self.pack = struct.Struct("<iiddB").pack
        """(episode, step, time, reward, flag) -> the bytes of a row before those of its members."""
        self.see = _encoder(specs["observation"]) if record == "all" else _nothing
        self.do = _encoder(specs["action"])
        """`see` and `do` give the bytes of an observation and of an action."""
        self.no_action = np.zeros((), self.dtype["action"]).tobytes()

    @classmethod
    def of(cls, codec: StepCodec, agents: Sequence[str], record: str) -> Lean | None:
        """The layout of the rows of a run, or None where it has none: many agents, no record, members of no fixed size."""
        if len(agents) != 1 or record == "none":
            return None
        kinds = [codec.codecs["action"], *([codec.codecs["observation"]] if record == "all" else [])]
        fixed = all(kind is not None and _dtype(kind.spec) is not None for kind in kinds)
        return cls(codec, agents[0], record) if fixed else None

    def rows(self, data: bytes | bytearray) -> pa.RecordBatch:
        """Rows of the `steps` table."""
        found = np.frombuffer(data, self.dtype)
        n, last = len(found), found["flag"] == LAST
        columns = {
            "episode": pa.array(found["episode"].copy()),
            "step": pa.array(found["step"].copy()),
            "time": pa.array(found["time"].copy()),
            "agent": pa.repeat(self.agent, n),
            "observation": self.codec.blank("observation", n),
            "reward": pa.array(found["reward"].copy(), mask=last),
            "ended": pa.array(_ENDED[found["flag"]], pa.string()),
            "fault": pa.nulls(n, pa.string()),
        }
        for name in self.columns:
            mask = last if name == "action" and last.any() else None
            columns[name] = _arrow(found[name], self.codec.schema.field(name).type, mask)
        schema = self.codec.schema
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _nothing(value: Any) -> bytes:
    return b""


def _dtype(spec: dict[str, Any]) -> Any:
    """The layout of the members that a codec's spec names; None where they have no fixed one."""
    if spec["kind"] == "discrete":
        return np.dtype("<i8")
    if spec["kind"] == "array" and spec["dtype"] != "bool":
        return np.dtype((spec["dtype"], tuple(spec["shape"])))
    if spec["kind"] in ("dict", "tuple"):
        parts = [(key, _dtype(part)) for key, part in spec["parts"]]
        return None if any(part is None for _, part in parts) else np.dtype(parts)
    return None


def _encoder(spec: dict[str, Any]) -> Callable[[Any], bytes]:
    """From a member to its bytes; ValueError where it has another shape."""
    if spec["kind"] == "discrete":
        pack = _INT64.pack
        return lambda value: pack(int(value))
    if spec["kind"] == "array":
        dtype, shape, asarray = np.dtype(spec["dtype"]), tuple(spec["shape"]), np.asarray

        def encode(value: Any) -> bytes:
            array = asarray(value, dtype)
            if array.shape != shape:
                raise ValueError(f"an array of shape {shape} is expected, not {array.shape}")
            return array.tobytes()

        return encode
    parts = [(int(key) if spec["kind"] == "tuple" else key, _encoder(part)) for key, part in spec["parts"]]
    return lambda value: b"".join([part(value[key]) for key, part in parts])


def _arrow(values: Any, type_: pa.DataType, mask: Any) -> pa.Array:
    """A field of rows as a column; null where `mask`."""
    if pa.types.is_struct(type_):
        fields = list(type_)
        parts = [_arrow(values[field.name], field.type, mask) for field in fields]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=None if mask is None else pa.array(mask))
    if not pa.types.is_fixed_size_list(type_):
        return pa.array(np.ascontiguousarray(values), type_, mask=mask)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), type_.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, type=type_, mask=None if mask is None else pa.array(mask))
