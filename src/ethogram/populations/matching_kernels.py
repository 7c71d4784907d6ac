"""Compiled loops over ties that exchange ends. Importing this loads numba: import it where it is used.

A network is held as slots: row i has the slots `indptr[i]` to `indptr[i + 1]`, one for each end of a tie at i (directed: for
each edge that leaves i). Slot s is at `node[s]` and leads to `neighbour[s]`; in an undirected network, `mate[s]` is the slot
of the other end (directed: `mate` is empty). Loops and doubles may be there at first, and no exchange makes one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ethogram.populations.growth_kernels import uniform

__all__ = ["exchange_often", "faulty", "gather", "match", "shuffle", "untangle"]

Ints = NDArray[np.int64]
Slots = NDArray[np.integer]
Rows = NDArray[np.int32]
State = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def match(mate: Slots, state: State) -> None:
    """Write into `mate` a random perfect matching of its slots, of which there is an even number."""
    left = np.empty_like(mate)
    for s in range(len(mate)):
        left[s] = s
    for last in range(len(mate) - 1, 0, -2):
        at = np.int64(uniform(state) * last)
        one, other = left[last], left[at]
        left[at] = left[last - 1]
        mate[one] = other
        mate[other] = one


@njit(cache=True, nogil=True)
def shuffle(values: Rows, state: State) -> None:
    """Bring values into random order, in place (Fisher and Yates)."""
    for last in range(len(values) - 1, 0, -1):
        at = np.int64(uniform(state) * (last + 1))
        values[at], values[last] = values[last], values[at]


@njit(cache=True, nogil=True)
def gather(values: Rows, places: Slots) -> Rows:
    """`values[places]` without numpy's copy of the places as int64."""
    found = np.empty(len(places), dtype=values.dtype)
    for k in range(len(places)):
        found[k] = values[places[k]]
    return found


@njit(cache=True, nogil=True)
def faulty(indptr: Ints, neighbour: Rows) -> Ints:
    """The slots that are loops, or whose tie is in their row already."""
    n = len(indptr) - 1
    met = np.full(n, -1, dtype=np.int32)
    count = 0
    for i in range(n):
        for s in range(indptr[i], indptr[i + 1]):
            count += neighbour[s] == i or met[neighbour[s]] == i
            met[neighbour[s]] = i
    found = np.empty(count, dtype=np.int64)
    met[:] = -1
    count = 0
    for i in range(n):
        for s in range(indptr[i], indptr[i + 1]):
            if neighbour[s] == i or met[neighbour[s]] == i:
                found[count] = s
                count += 1
            met[neighbour[s]] = i
    return found


@njit(cache=True, nogil=True)
def times_tied(indptr: Ints, neighbour: Rows, a: Any, b: Any, directed: bool) -> int:
    """How often a is tied to b; of an undirected tie, the shorter row is looked at."""
    if not directed and indptr[b + 1] - indptr[b] < indptr[a + 1] - indptr[a]:
        a, b = b, a
    times = 0
    for s in range(indptr[a], indptr[a + 1]):
        times += neighbour[s] == b
    return times


@njit(cache=True, nogil=True)
def exchange(indptr: Ints, node: Rows, mate: Slots, neighbour: Rows, s: Any, t: Any) -> bool:
    """Make of the ties (a, b) and (c, d) in slots s and t the ties (a, d) and (c, b); whether that was possible."""
    directed = len(mate) == 0
    a, b, c, d = node[s], neighbour[s], node[t], neighbour[t]
    if s == t or a == d or b == c or (not directed and a == b and c == d):
        return False
    if times_tied(indptr, neighbour, a, d, directed) or times_tied(indptr, neighbour, c, b, directed):
        return False
    neighbour[s], neighbour[t] = d, b
    if not directed:
        to_b, to_d = mate[s], mate[t]
        neighbour[to_b], neighbour[to_d] = c, a
        mate[s], mate[to_d] = to_d, s
        mate[t], mate[to_b] = to_b, t
    return True


@njit(cache=True, nogil=True)
def untangle(indptr: Ints, node: Rows, mate: Slots, neighbour: Rows, slots: Ints, trials: int, state: State) -> bool:
    """Exchange ends of the ties in `slots` with random ones until none is a loop or a double; whether that succeeded."""
    for s in slots:
        mended = False
        for _ in range(trials):
            a, b = node[s], neighbour[s]
            mended = a != b and times_tied(indptr, neighbour, a, b, len(mate) == 0) == 1
            if mended:
                break
            exchange(indptr, node, mate, neighbour, s, np.int64(uniform(state) * len(node)))
        if not mended:
            return False
    return True


@njit(cache=True, nogil=True)
def exchange_often(indptr: Ints, node: Rows, mate: Slots, neighbour: Rows, trials: int, state: State) -> None:
    """Try to exchange the ends of two random ties so many times."""
    for _ in range(trials):
        s, t = np.int64(uniform(state) * len(node)), np.int64(uniform(state) * len(node))
        exchange(indptr, node, mate, neighbour, s, t)
