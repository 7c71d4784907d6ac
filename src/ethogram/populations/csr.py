"""What makes arrays the CSR form of a simple network, and what is computed on such arrays.

Small networks are handled by numpy, large ones by the compiled loops of `csr_kernels.py`, which take a third of a second to
load; the results are the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    from scipy.sparse import csr_array

__all__ = [
    "check_ends",
    "check_simple",
    "csr_of_edges",
    "csr_of_ties",
    "finite_weights",
    "frozen",
    "in_degrees",
    "label_codes",
    "sorted_distinct",
    "transposed",
    "triangles",
    "whole_numbers",
]

LARGE = 2**18
"""From so many edges on, compiled loops do the work."""
Arrays = tuple[NDArray[np.int64], NDArray[np.int32], "NDArray[np.float64] | None"]
"""`indptr`, `indices` and perhaps weights."""


def whole_numbers(values: ArrayLike, what: str) -> NDArray[np.integer]:
    """An array of whole numbers, of the type they have, or a DataError that calls it `what`."""
    array = np.asarray(values)
    if array.size == 0:
        return array.astype(np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"A network's {what} must be whole numbers, not {array.dtype}.")
    return array


def finite_weights(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights of the given shape, or a DataError."""
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != shape:
        raise DataError(f"A network needs one weight an edge: shape {shape}, not {weights.shape}.")
    if not np.isfinite(weights).all():
        raise DataError(f"Weight {int(np.argmin(np.isfinite(weights)))} (from 0) of the network is not a finite number.")
    return weights


def sorted_distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct values in rising order: as numpy's `unique`, which hashes and takes 20 times as long for 10^7 values."""
    values = np.sort(values)
    return values[np.concatenate([[True], np.diff(values) != 0])] if len(values) else values


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view; the array itself stays writable for whoever holds it."""
    view = array.view()
    view.flags.writeable = False
    return view


def check_ends(source: NDArray[np.integer], target: NDArray[np.integer], n: int) -> None:
    """DataError unless every edge ties two different rows out of `n`."""
    if n > np.iinfo(np.int32).max:
        raise DataError(f"A network can have up to {np.iinfo(np.int32).max} nodes, not {n}.")
    outside = (source < 0) | (source >= n) | (target < 0) | (target >= n)
    if outside.any():
        edge = int(np.argmax(outside))
        raise DataError(f"Edge {edge} (from 0) ties rows {source[edge]} and {target[edge]}, but there are only {n} rows.")
    if (loops := np.flatnonzero(source == target)).size:
        raise DataError(f"Edge {loops[0]} (from 0) ties row {source[loops[0]]} to itself: leave such edges out.")


def check_simple(
    indptr: NDArray[np.int64], indices: NDArray[np.integer], weights: NDArray[np.float64] | None, directed: bool
) -> None:
    """DataError unless the arrays are the CSR form of a simple network."""
    if len(indices) >= LARGE:
        from ethogram.populations import csr_kernels

        if csr_kernels.sound(frozen(indptr), frozen(indices), _or_none(weights), directed):
            return  # else numpy finds out what is wrong
    n = len(indptr) - 1
    rows = np.repeat(np.arange(n), np.diff(indptr))
    check_ends(rows, indices, n)
    indices = indices.astype(np.int64, copy=False)
    key = rows * n + indices
    if (np.diff(key) <= 0).any():
        raise DataError("The neighbours of each row of a network must be in rising order, each once.")
    if directed:
        return
    order = np.argsort(indices * n + rows)
    if not np.array_equal(indices[order], rows) or not np.array_equal(rows[order], indices):
        raise DataError("An undirected network must hold each tie in both rows; give directed=True or add the reverse ties.")
    if weights is not None and not np.array_equal(weights[order], weights):
        raise DataError("An undirected network must give a tie the same weight in both rows.")


def csr_of_edges(
    source: NDArray[np.integer],
    target: NDArray[np.integer],
    n: int,
    weights: NDArray[np.float64] | None = None,
    directed: bool = False,
) -> Arrays:
    """The CSR arrays of edges between different rows; unweighted edges that are there twice count once.

    Raises:
        DataError: a weighted edge is there twice.
    """
    if len(source) >= LARGE:
        from ethogram.populations import csr_kernels

        indptr, indices, weight = csr_of_ties(source, target, n, weights, directed)
        kept = csr_kernels.merge_doubles(indptr, indices)
        if kept == len(indices):
            return indptr, indices, weight
        if weights is None:
            return indptr, indices[:kept].copy(), None
        # else numpy finds out which edge is there twice
    source, target = (end.astype(np.int64, copy=False) for end in (source, target))
    if not directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    key = source * n + target
    if weights is None:
        key, weight = sorted_distinct(key), None
    else:
        order = np.argsort(key, kind="stable")
        key, weight = key[order], weights[order]
        if (twice := np.flatnonzero(np.diff(key) == 0)).size:
            first, second = order[twice[0]], order[twice[0] + 1]
            raise DataError(f"Edge {second} repeats edge {first} (both from 0): add up the weights of repeated edges.")
    source, target = np.divmod(key, max(n, 1))
    if not directed:
        source, target = np.concatenate([source, target]), np.concatenate([target, source])
        weight = None if weight is None else np.concatenate([weight, weight])
        order = np.argsort(source * n + target)
        source, target = source[order], target[order]
        weight = None if weight is None else weight[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))])
    return indptr, target.astype(np.int32), weight


def csr_of_ties(
    source: NDArray[np.integer],
    target: NDArray[np.integer],
    n: int,
    weights: NDArray[np.float64] | None = None,
    directed: bool = False,
) -> Arrays:
    """The CSR arrays of edges between different rows, each as often as it is there."""
    from ethogram.populations import csr_kernels

    source, target = (np.ascontiguousarray(end, dtype=np.int32) for end in (source, target))
    indptr, indices, weight = csr_kernels.build(source, target, _or_none(weights), n, directed)
    csr_kernels.sort_rows(indptr, indices, weight)
    return indptr, indices, None if weights is None else weight


def transposed(indptr: NDArray[np.int64], indices: NDArray[np.int32], weights: NDArray[np.float64] | None) -> Arrays:
    """The CSR arrays of the edges turned round."""
    if len(indices) >= LARGE:
        from ethogram.populations import csr_kernels

        turned = csr_kernels.transpose(indptr, indices, _or_none(weights))
        return turned[0], turned[1], None if weights is None else turned[2]
    order = np.argsort(indices, kind="stable")
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    turned_ptr = np.concatenate([[0], np.cumsum(in_degrees(indices, len(indptr) - 1))])
    return turned_ptr, rows[order], None if weights is None else weights[order]


def in_degrees(indices: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """How often each of `n` rows is among the indices."""
    if len(indices) >= LARGE:
        from ethogram.populations import csr_kernels

        return csr_kernels.tally(indices, n)
    return np.bincount(indices, minlength=n).astype(np.int64)


def _or_none(weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Weights for compiled loops, in which none is an empty array."""
    return frozen(np.zeros(0) if weights is None else weights)


def label_codes(labels: Sequence[Hashable] | NDArray[Any] | pl.Series) -> NDArray[np.int64]:
    """A number for each label, from 0: the same for the same label."""
    array = labels if isinstance(labels, np.ndarray) else np.zeros(0, dtype=object)
    if array.ndim == 1 and array.dtype.kind in "iub":
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)


def triangles(ties: csr_array) -> NDArray[np.float64]:
    """The sum over the triangles at each node of the product of their ties (a symmetric matrix), shape (n,).

    Ties are turned from the node of lower to that of higher degree, which bounds the work at hubs.
    """
    degree = np.diff(ties.indptr)
    n = len(degree)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(degree, kind="stable")] = np.arange(n)
    row, column = np.repeat(np.arange(n), degree), ties.indices
    upward = rank[row] < rank[column]
    up: Any = type(ties)((ties.data[upward], (row[upward], column[upward])), shape=(n, n))
    ends = (up @ up).multiply(up)  # entry (i, k): triangles i < j < k, over j
    middle = (up.T @ up).multiply(up)  # entry (j, k): the same triangles, over i
    return (
        np.asarray(ends.sum(axis=1)).ravel() + np.asarray(ends.sum(axis=0)).ravel() + np.asarray(middle.sum(axis=1)).ravel()
    )
