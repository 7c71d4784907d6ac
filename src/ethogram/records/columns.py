"""Columns: the members of a space one below the other, as arrays.

| space | column of N members |
|---|---|
| `Box`, `MultiDiscrete`, `MultiBinary` | array (N, *shape) of the space's type |
| `Discrete` | array (N,) int64 |
| `Dict` | dict of columns |
| `Tuple` | tuple of columns |
| any other (`Text`, `Typed`, `Verbs`, ...) | array (N,) of objects, or `Texts`: their JSON, decoded when looked at |

An array may lie in a memory-mapped file, or be `Chained` from several: then only the rows that are asked for are read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.errors import DataError
from ethogram.records.codec import codec

__all__ = [
    "Array",
    "Column",
    "Texts",
    "chain",
    "collect",
    "from_arrow",
    "gather",
    "inside",
    "join",
    "members",
    "pick",
    "rows",
    "to_arrow",
]

Array: TypeAlias = "np.ndarray[Any, Any]"
Column: TypeAlias = "Any"
"""Array | Texts | Chained | dict[str, Column] | tuple[Column, ...]"""


class Texts:
    """Members kept as JSON text in Arrow, decoded when they are asked for."""

    def __init__(self, texts: pa.Array, space: Space[Any]) -> None:
        self.texts = texts
        self.space = space

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: slice | Array) -> Array:
        """The members at `index`, as an array of objects of its shape."""
        if isinstance(index, slice):
            index = np.arange(*index.indices(len(self)))
        distinct, place = np.unique(index, return_inverse=True)
        found = np.empty(len(distinct), object)
        found[:] = codec(self.space).decode(self.texts.take(pa.array(distinct, pa.int64())))
        return found[place].reshape(index.shape)


class Chained:
    """Several columns as one, where they lie."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = [p for part in parts for p in (part.parts if isinstance(part, Chained) else [part])]
        self._ends = np.cumsum([len(p) for p in self.parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: slice | Array) -> Array:
        """The rows at `index`."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            first = int(np.searchsorted(self._ends, start, side="right"))
            if step == 1 and start < stop <= self._ends[first]:
                before = int(self._ends[first]) - len(self.parts[first])
                return self.parts[first][start - before : stop - before]
            index = np.arange(start, stop, step)
        flat = index.reshape(-1)
        which = np.searchsorted(self._ends, flat, side="right")
        out: Array | None = None
        for part in np.unique(which).tolist():
            mine = which == part
            found = self.parts[part][flat[mine] - (self._ends[part] - len(self.parts[part]))]
            if out is None:
                out = np.empty((len(flat), *found.shape[1:]), found.dtype)
            out[mine] = found
        if out is None:
            return self.parts[0][index]
        return out.reshape(*index.shape, *out.shape[1:])


def _each(function: Callable[..., Any], column: Column, *others: Column) -> Column:
    """Apply a function to the arrays of a column (and to those in the same places of others)."""
    if isinstance(column, dict):
        return {key: _each(function, part, *(o[key] for o in others)) for key, part in column.items()}
    if isinstance(column, tuple):
        return tuple(_each(function, part, *(o[i] for o in others)) for i, part in enumerate(column))
    return function(column, *others)


def gather(column: Column, index: slice | Array) -> Column:
    """The rows at `index` (of any shape); a slice of arrays gives views of them."""
    return _each(lambda leaf: leaf[index], column)


def pick(column: Column, index: slice | Array) -> Column:
    """The rows at `index`, one-dimensional, with texts left as they are: for writing."""

    def rows_of(leaf: Any) -> Any:
        if not isinstance(leaf, Texts):
            return leaf[index]
        at = np.arange(*index.indices(len(leaf))) if isinstance(index, slice) else index
        return Texts(leaf.texts.take(pa.array(at, pa.int64())), leaf.space)

    return _each(rows_of, column)


def chain(columns: Sequence[Column]) -> Column:
    """Columns of the same form as one, read where they lie."""
    return columns[0] if len(columns) == 1 else _each(lambda *leaves: Chained(leaves), *columns)


def join(columns: Sequence[Column]) -> Column:
    """Columns of arrays as one, copied."""
    return _each(lambda *leaves: np.concatenate(leaves), *columns)


def rows(column: Column) -> int:
    """How many members a column has."""
    while isinstance(column, dict | tuple):
        column = next(iter(column.values())) if isinstance(column, dict) else column[0]
    return len(column)


def members(column: Column) -> Any:
    """A column as a trajectory shows it: arrays, and lists in place of arrays of objects."""
    return _each(lambda leaf: list(leaf) if leaf.dtype == object else leaf, column)


def _form(space: Space[Any]) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and type of a member of a numeric space, else None."""
    if isinstance(space, gs.Discrete):
        return (), np.dtype(np.int64)
    if isinstance(space, gs.Box | gs.MultiDiscrete | gs.MultiBinary):
        return tuple(space.shape), np.dtype(space.dtype)
    return None


def collect(space: Space[Any], values: Any) -> Column:
    """The column of members: a sequence of them, or a column of arrays already. Raises DataError where the form is wrong."""
    if isinstance(space, gs.Dict):
        if not isinstance(values, Mapping):
            values = {key: [v[key] for v in values] for key in space.spaces}
        if missing := [key for key in space.spaces if key not in values]:
            raise DataError(f"the entry {missing[0]!r} of a Dict space is missing: it has {', '.join(values) or 'none'}")
        return {key: collect(part, values[key]) for key, part in space.spaces.items()}
    if isinstance(space, gs.Tuple):
        if not isinstance(values, tuple):
            values = tuple([v[i] for v in values] for i in range(len(space.spaces)))
        return tuple(collect(part, v) for part, v in zip(space.spaces, values, strict=True))
    if (form := _form(space)) is None:
        found = np.empty(len(values), object)
        for at, value in enumerate(values):  # one by one: numpy would look into each whether it is an array
            found[at] = value
        return found
    shape, dtype = form
    try:
        found = np.asarray(values, dtype) if len(values) else np.empty((0, *shape), dtype)
    except (ValueError, TypeError) as error:
        raise DataError(f"members of {space} are expected, arrays of shape {shape}: {error}") from error
    if found.shape[1:] != shape:
        raise DataError(f"members of {space} have shape {shape}, but shape {found.shape[1:]} was given")
    given = np.asarray(values)
    if len(given) and dtype.kind in "iub" and given.dtype != dtype and (given != found).any():
        raise DataError(f"members of {space} are of type {dtype}, which does not hold {given[given != found][0]}")
    return found


def inside(space: Space[Any], column: Column) -> Array:
    """(N,) which members of a column of arrays are in their space, up to rounding; members that are objects all count as."""
    if isinstance(space, gs.Dict):
        return np.logical_and.reduce([inside(part, column[key]) for key, part in space.spaces.items()])
    if isinstance(space, gs.Tuple):
        return np.logical_and.reduce([inside(part, c) for part, c in zip(space.spaces, column, strict=True)])
    if isinstance(space, gs.Box):
        low, high = (bound.astype(np.float64) for bound in (space.low, space.high))
        low, high = low - 1e-6 * (1 + abs(low)), high + 1e-6 * (1 + abs(high))
    elif isinstance(space, gs.Discrete | gs.MultiDiscrete):
        low, high = space.start, space.start + (space.n if isinstance(space, gs.Discrete) else space.nvec) - 1
    elif isinstance(space, gs.MultiBinary):
        low, high = 0, 1
    else:
        return np.ones(len(column), bool)
    return ((column >= low) & (column <= high)).all(tuple(range(1, column.ndim)))


def to_arrow(space: Space[Any], column: Column) -> pa.Array:
    """A column as an Arrow array: numbers as they lie in memory, other members as JSON text."""
    if isinstance(column, Chained):
        return pa.concat_arrays([to_arrow(space, part) for part in column.parts])
    if isinstance(space, gs.Dict):
        parts = {key: to_arrow(part, column[key]) for key, part in space.spaces.items()}
        return pa.StructArray.from_arrays(list(parts.values()), names=list(parts))
    if isinstance(space, gs.Tuple):
        parts = [to_arrow(part, c) for part, c in zip(space.spaces, column, strict=True)]
        return pa.StructArray.from_arrays(parts, names=[str(i) for i in range(len(parts))])
    if isinstance(column, Texts):
        return column.texts
    if (form := _form(space)) is None:
        return codec(space).encode(list(column))
    flat = np.ascontiguousarray(column).reshape(-1)
    if flat.dtype.kind == "b":  # bytes, since Arrow's packed bits are no numpy array
        flat = flat.view(np.uint8)
    values = pa.array(flat)
    return pa.FixedSizeListArray.from_arrays(values, math.prod(form[0])) if form[0] else values


def from_arrow(space: Space[Any], array: pa.Array) -> Column:
    """Inverse of `to_arrow`, without copying numbers; reads columns of the `steps` table too. There are no nulls."""
    if isinstance(space, gs.Dict):
        return {key: from_arrow(part, array.field(key)) for key, part in space.spaces.items()}
    if isinstance(space, gs.Tuple):
        return tuple(from_arrow(part, array.field(str(i))) for i, part in enumerate(space.spaces))
    if (form := _form(space)) is None:
        return Texts(array, space)
    shape, dtype = form
    if shape:
        size = math.prod(shape)
        array = array.values.slice(array.offset * size, len(array) * size)
    flat = array.to_numpy(zero_copy_only=False)
    if (dtype.kind, flat.dtype.kind) == ("b", "u"):
        flat = flat.view(bool)
    return flat.astype(dtype, copy=False).reshape(-1, *shape)
