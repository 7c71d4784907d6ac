"""Compiled loops over networks of millions of ties. Importing this loads numba: import it where it is used.

The numpy twins in `csr.py` do the same for small networks, for which loading numba would take longer.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["build", "merge_doubles", "sort_rows", "sound", "tally", "transpose", "twins"]

Ints = NDArray[np.int64]
Rows = NDArray[np.int32]
Weights = NDArray[np.float64]
SHORT = 40
"""Up to this many neighbours are sorted by insertion, which is quicker than a general sort."""


@njit(cache=True, nogil=True)
def build(source: Rows, target: Rows, weights: Weights, n: int, directed: bool) -> tuple[Ints, Rows, Weights]:
    """CSR arrays from edges by counting: rows hold their entries in the order of the edges.

    An undirected edge is entered in both rows. `weights` is empty where there are none.
    """
    # Row i is counted at i + 2, so that i + 1 can be where its next entry goes, and in the end is where it ends.
    place = np.zeros(n + 2, dtype=np.int64)
    for e in range(len(source)):
        place[source[e] + 2] += 1
        if not directed:
            place[target[e] + 2] += 1
    for i in range(n):
        place[i + 2] += place[i + 1]
    entries = len(source) if directed else 2 * len(source)
    indices = np.empty(entries, dtype=np.int32)
    weight = np.empty(entries if len(weights) else 0, dtype=np.float64)
    for e in range(len(source)):
        a, b = source[e], target[e]
        at = place[a + 1]
        place[a + 1] = at + 1
        indices[at] = b
        if len(weights):
            weight[at] = weights[e]
        if not directed:
            at = place[b + 1]
            place[b + 1] = at + 1
            indices[at] = a
            if len(weights):
                weight[at] = weights[e]
    return place[: n + 1], indices, weight


@njit(cache=True, nogil=True)
def sort_rows(indptr: Ints, indices: Rows, weights: Weights) -> None:
    """Bring the entries of each row into rising order, in place, and their weights (perhaps none) with them."""
    for i in range(len(indptr) - 1):
        first, end = indptr[i], indptr[i + 1]
        if end - first > SHORT:
            if len(weights):
                order = np.argsort(indices[first:end], kind="mergesort")
                indices[first:end] = indices[first:end][order]
                weights[first:end] = weights[first:end][order]
            else:
                indices[first:end].sort()
            continue
        for k in range(first + 1, end):
            value, at = indices[k], k
            while at > first and indices[at - 1] > value:
                indices[at] = indices[at - 1]
                at -= 1
            if at < k:
                indices[at] = value
                if len(weights):
                    weight = weights[k]
                    for back in range(k, at, -1):
                        weights[back] = weights[back - 1]
                    weights[at] = weight


@njit(cache=True, nogil=True)
def merge_doubles(indptr: Ints, indices: Rows) -> int:
    """Leave each entry of the sorted rows in place once, and say how many entries are left."""
    kept, first = 0, 0
    for i in range(len(indptr) - 1):
        end = indptr[i + 1]
        for k in range(first, end):
            if k == first or indices[k] != indices[k - 1]:
                indices[kept] = indices[k]
                kept += 1
        first = end
        indptr[i + 1] = kept
    return kept


@njit(cache=True, nogil=True)
def tally(values: Rows, n: int) -> Ints:
    """How often each of 0 … n - 1 is among `values`: numpy's bincount without its copy as int64."""
    counts = np.zeros(n, dtype=np.int64)
    for value in values:
        counts[value] += 1
    return counts


@njit(cache=True, nogil=True)
def transpose(indptr: Ints, indices: Rows, weights: Weights) -> tuple[Ints, Rows, Weights]:
    """The CSR arrays of the edges turned round; going through the rows in order leaves the new ones sorted."""
    n = len(indptr) - 1
    place = np.zeros(n + 2, dtype=np.int64)
    for j in indices:
        place[j + 2] += 1
    for i in range(n):
        place[i + 2] += place[i + 1]
    turned = np.empty(len(indices), dtype=np.int32)
    weight = np.empty(len(weights), dtype=np.float64)
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            at = place[indices[k] + 1]
            place[indices[k] + 1] = at + 1
            turned[at] = i
            if len(weights):
                weight[at] = weights[k]
    return place[: n + 1], turned, weight


@njit(cache=True, nogil=True)
def sound(indptr: Ints, indices: Rows, weights: Weights, directed: bool) -> bool:
    """Whether the arrays are the CSR form of a simple network: `csr.check_simple` without the reason."""
    n = len(indptr) - 1
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if j < 0 or j >= n or j == i or (k > indptr[i] and indices[k - 1] >= j):
                return False
    if directed:
        return True
    place = indptr[:-1].copy()  # of each row, the first entry whose reverse has not been met
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            at = place[j]
            if at == indptr[j + 1] or indices[at] != i or (len(weights) and weights[at] != weights[k]):
                return False
            place[j] = at + 1
    return True


@njit(cache=True, nogil=True)
def twins(indptr: Ints, indices: Rows, mate: NDArray[np.integer]) -> None:
    """Write into `mate` where each entry's reverse is; rows are sorted, and every reverse is there."""
    place = indptr[:-1].copy()
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            mate[k] = place[j]
            place[j] += 1
