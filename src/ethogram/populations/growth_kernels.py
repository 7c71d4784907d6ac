"""Compiled loops that draw random networks. Importing this loads numba: import it where it is used.

Random numbers are those of SplitMix64 (Steele, Lea and Flood 2014), whose state is an array of one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["attach", "between_blocks", "follow", "small_world", "uniform", "within_blocks"]

Rows = NDArray[np.int32]
State = NDArray[np.uint64]
BEYOND = 4e18
"""More than all the pairs of nodes that there can be."""


@njit(cache=True, nogil=True)
def uniform(state: State) -> float:
    """The next random number, uniform in [0, 1)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True)
def step(p: float, state: State) -> float:
    """How far on the next success is in a row of coin tosses: 1 + a geometric number."""
    return 1.0 if p >= 1 else 1.0 + np.floor(np.log1p(-uniform(state)) / np.log1p(-p))


@njit(cache=True, nogil=True)
def within(p: float, members: Rows, directed: bool, state: State, source: Rows, target: Rows, count: int) -> int:
    """Tie pairs of `members` with probability `p`, from edge number `count`; the number of edges thereafter.

    Goes from success to success (Batagelj and Brandes 2005, "Efficient generation of large random networks"). Edges beyond
    the length of `source` are only counted.
    """
    size = len(members)
    if p <= 0 or size < 2:
        return count
    i, j = (0, -1) if directed else (1, -1)
    while True:
        far = step(p, state)
        if far > BEYOND:
            return count
        j += np.int64(far)
        width = size - 1 if directed else i
        while j >= width:
            j -= width
            i += 1
            width = size - 1 if directed else i
            if i == size:
                return count
        if count < len(source):
            source[count] = members[i]
            target[count] = members[j + 1 if directed and j >= i else j]
        count += 1


@njit(cache=True, nogil=True)
def within_blocks(
    p: NDArray[np.float64], start: NDArray[np.int64], members: Rows, state: State, source: Rows, target: Rows
) -> int:
    """Tie pairs within each block `members[start[b]:start[b + 1]]` with probability `p[b]`; the number of edges."""
    count = 0
    for b in range(len(p)):
        count = within(p[b], members[start[b] : start[b + 1]], False, state, source, target, count)
    return count


@njit(cache=True, nogil=True)
def between_blocks(
    p: NDArray[np.float64],
    start: NDArray[np.int64],
    members: Rows,
    directed: bool,
    state: State,
    source: Rows,
    target: Rows,
) -> int:
    """Tie nodes of blocks a and b with probability `p[a, b]`; the number of edges. See `within`."""
    count = 0
    for a in range(len(p)):
        count = within(p[a, a], members[start[a] : start[a + 1]], directed, state, source, target, count)
        for b in range(0 if directed else a + 1, len(p)):
            width = start[b + 1] - start[b]
            pairs = (start[a + 1] - start[a]) * width
            if a == b or p[a, b] <= 0 or pairs == 0:
                continue
            at = np.int64(-1)
            while True:
                far = step(p[a, b], state)
                if far >= pairs - at:
                    break
                at += np.int64(far)
                i = at // width
                if count < len(source):
                    source[count] = members[start[a] + i]
                    target[count] = members[start[b] + at - i * width]
                count += 1
    return count


@njit(cache=True, nogil=True)
def attach(n: int, m: int, state: State) -> Rows:
    """The older ends of the edges of a Barabási-Albert network; the newer ends are 1 … m, then m times m + 1, m + 2, …"""
    target = np.zeros(m + (n - m - 1) * m, dtype=np.int32)
    for node in range(m + 1, n):
        first = m + (node - m - 1) * m  # edges so far
        for k in range(first, first + m):
            fresh = False
            while not fresh:
                # a node at an end of a random edge is a node drawn in proportion to its degree
                end = np.int64(uniform(state) * (2 * first))
                e = end >> 1
                newer = e + 1 if e < m else e // m + m
                target[k] = target[e] if end & 1 else newer
                fresh = True
                for other in range(first, k):
                    fresh = fresh and target[other] != target[k]
    return target


@njit(cache=True, nogil=True)
def follow(n: int, m: int, attractiveness: float, state: State) -> Rows:
    """Whom the nodes of a growing network of followers follow: node i the next min(i, m) of the entries."""
    early = min(m, n)
    target = np.zeros(early * (early - 1) // 2 + (n - early) * m, dtype=np.int32)
    first = 0
    for node in range(1, n):
        end = first + min(node, m)
        for k in range(first, end):
            fresh = False
            while not fresh:
                at = uniform(state) * (first + attractiveness * node)
                target[k] = target[np.int64(at)] if at < first else np.int64(uniform(state) * node)
                fresh = True
                for other in range(first, k):
                    fresh = fresh and target[other] != target[k]
        first = end
    return target


@njit(cache=True, nogil=True)
def small_world(n: int, half: int, p: float, state: State) -> Any:
    """The far ends of the ties of a Watts-Strogatz network, shape (n, half): node i has `half` ties of its own."""
    target = np.empty((n, half), dtype=np.int32)
    for i in range(n):
        for lap in range(half):
            target[i, lap] = (i + lap + 1) % n
    degree = np.full(n, 2 * half, dtype=np.int32)
    for lap in range(half):
        for i in range(n):
            if uniform(state) >= p or degree[i] >= n - 1:  # tied to all others: nowhere to move to
                continue
            free = False
            new = 0
            while not free:
                new = np.int64(uniform(state) * n)
                free = new != i
                for k in range(half):  # a tie is among those of one of its ends
                    free = free and target[i, k] != new and target[new, k] != i
            degree[target[i, lap]] -= 1
            degree[new] += 1
            target[i, lap] = new
    return target
