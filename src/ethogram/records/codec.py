"""How members of a space become a column of a table, and come back.

| space | column |
|---|---|
| `Box`, `MultiDiscrete`, `MultiBinary` of shape (...) | fixed-size list of the space's type (a plain number for shape ()) |
| `Discrete` | int64 |
| `Text` | string |
| `Typed`, `Verbs` | string: the JSON that `space.dump` gives |
| `Dict`, `Tuple` | struct of these (of a `Tuple` the fields are called 0, 1, ...) |
| any other, or agents whose spaces differ in kind | string: the JSON that `space.to_jsonable` gives |

A missing member (None) is a null. Encoding and decoding are exact.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.records.descriptions import covering, import_model, model_name
from ethogram.spaces import Typed, Verbs

__all__ = ["Codec", "codec", "codec_of", "common_codec"]


class Codec(NamedTuple):
    """A column type with its two directions, and the JSON from which it can be had again (`codec_of`)."""

    type: pa.DataType
    encode: Callable[[Sequence[Any]], pa.Array]
    decode: Callable[[pa.Array], list[Any]]
    spec: dict[str, Any]


def _plain(value: Any) -> Any:
    """JSON's fallback for numpy values."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_ENCODER = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"))


def to_json(value: Any) -> str:
    """Compact JSON, numpy values included; NaN and infinities as Python's json writes them."""
    return _ENCODER.encode(value)


def _array_codec(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Codec:
    size, item = math.prod(shape), pa.from_numpy_dtype(dtype)
    type_ = pa.list_(item, size) if shape else item
    blank = np.zeros(shape, dtype)

    def encode(values: Sequence[Any]) -> pa.Array:
        some_missing = any(map(operator.is_, values, repeat(None)))
        mask = np.array([v is None for v in values]) if some_missing else None
        rows = [blank if v is None else v for v in values] if some_missing else values
        flat = np.asarray(rows, dtype=dtype).reshape(-1)
        if not shape:
            return pa.array(flat, type=item, mask=mask)
        return pa.FixedSizeListArray.from_arrays(
            pa.array(flat, type=item), type=type_, mask=None if mask is None else pa.array(mask)
        )

    def decode(array: pa.Array) -> list[Any]:
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        if not shape:
            return [dtype.type(x) if ok else None for x, ok in zip(array.to_pylist(), valid, strict=True)]
        flat = array.values.slice(array.offset * size, len(array) * size).to_numpy(zero_copy_only=False)
        block = flat.astype(dtype, copy=False).reshape(len(array), *shape)
        return [block[i] if valid[i] else None for i in range(len(array))]

    return Codec(type_, encode, decode, {"kind": "array", "shape": list(shape), "dtype": dtype.name})


def _discrete_codec() -> Codec:
    def encode(values: Sequence[Any]) -> pa.Array:
        if any(map(operator.is_, values, repeat(None))):
            return pa.array([None if v is None else int(v) for v in values], pa.int64())
        return pa.array(np.array(values, np.int64))

    def decode(array: pa.Array) -> list[Any]:
        return [None if v is None else np.int64(v) for v in array.to_pylist()]

    return Codec(pa.int64(), encode, decode, {"kind": "discrete"})


def _string_codec(spec: dict[str, Any], dump: Callable[[Any], str], load: Callable[[str], Any]) -> Codec:
    def encode(values: Sequence[Any]) -> pa.Array:
        return pa.array([None if v is None else dump(v) for v in values], pa.string())

    def decode(array: pa.Array) -> list[Any]:
        return [None if v is None else load(v) for v in array.to_pylist()]

    return Codec(pa.string(), encode, decode, spec)


def _struct_codec(parts: dict[str, Codec], is_tuple: bool) -> Codec:
    type_ = pa.struct([pa.field(key, part.type) for key, part in parts.items()])

    def encode(values: Sequence[Any]) -> pa.Array:
        mask = [v is None for v in values]
        keys: list[Any] = list(range(len(parts))) if is_tuple else list(parts)
        columns = [
            part.encode([None if v is None else v[key] for v in values])
            for key, part in zip(keys, parts.values(), strict=True)
        ]
        return pa.StructArray.from_arrays(columns, fields=list(type_), mask=pa.array(mask) if any(mask) else None)

    def decode(array: pa.Array) -> list[Any]:
        columns = [part.decode(array.field(key)) for key, part in parts.items()]
        found = (m if is_tuple else dict(zip(parts, m, strict=True)) for m in zip(*columns, strict=True))
        return [m if ok else None for m, ok in zip(found, array.is_valid().to_pylist(), strict=True)]

    spec = {"kind": "tuple" if is_tuple else "dict", "parts": [[key, part.spec] for key, part in parts.items()]}
    return Codec(type_, encode, decode, spec)


def codec(space: Space[Any]) -> Codec:
    """The codec of one space."""
    if isinstance(space, Verbs | Typed):
        kind = "verbs" if isinstance(space, Verbs) else "typed"
        models = space.verbs if isinstance(space, Verbs) else (space.model,)
        spec = {"kind": kind, "models": [model_name(m) for m in models]}
        return _string_codec(spec, lambda v: to_json(space.dump(v)), lambda s: space.load(json.loads(s)))
    if isinstance(space, gs.Box | gs.MultiDiscrete | gs.MultiBinary):
        return _array_codec(tuple(space.shape), np.dtype(space.dtype))
    if isinstance(space, gs.Discrete):
        return _discrete_codec()
    if isinstance(space, gs.Text):
        return _string_codec({"kind": "text"}, str, str)
    if isinstance(space, gs.Dict) and space.spaces:
        return _struct_codec({key: codec(part) for key, part in space.spaces.items()}, is_tuple=False)
    if isinstance(space, gs.Tuple) and space.spaces:
        return _struct_codec({str(i): codec(part) for i, part in enumerate(space.spaces)}, is_tuple=True)
    return _string_codec(
        {"kind": "json"}, lambda v: to_json(space.to_jsonable([v])), lambda s: space.from_jsonable(json.loads(s))[0]
    )


def common_codec(spaces: dict[str, Space[Any]]) -> Codec | None:
    """The codec that all agents' spaces share, or None where their kinds differ (then: JSON, each by its own space)."""
    distinct = list({id(s): s for s in spaces.values()}.values())
    codecs = [codec(s) for s in distinct]
    if codecs and all(c.spec == codecs[0].spec for c in codecs):
        return codecs[0]
    return codec(covering(distinct)) if distinct and all(isinstance(s, Verbs) for s in distinct) else None


def codec_of(spec: dict[str, Any]) -> Codec:
    """The codec that a run's manifest names. Models whose code is gone decode to plain dictionaries."""
    kind = spec["kind"]
    if kind == "array":
        return _array_codec(tuple(spec["shape"]), np.dtype(spec["dtype"]))
    if kind == "discrete":
        return _discrete_codec()
    if kind == "text":
        return _string_codec(spec, str, str)
    if kind in ("dict", "tuple"):
        return _struct_codec({key: codec_of(part) for key, part in spec["parts"]}, kind == "tuple")
    if kind in ("verbs", "typed"):
        try:
            models = [import_model(name) for name in spec["models"]]
            return codec(Verbs(*models) if kind == "verbs" else Typed(models[0]))
        except (ImportError, AttributeError):
            pass
    return _string_codec(spec, to_json, json.loads)
