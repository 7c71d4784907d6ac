"""Ranges of rows, served by threads. Kernels release the interpreter's lock, so that threads run side by side."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError

__all__ = ["Ranges", "Threads"]

Ranges = list[tuple[int, int]]
SMALL = 50_000
"""Below so many rows one thread does all: handing out work costs more than the work."""
ROW_COST = 4
"""What a row costs beside its ties, in ties."""


@lru_cache(maxsize=8)
def _pool(process: int, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, f"columns-{process}")


class Threads:
    """Hands ranges of rows to threads; results do not depend on how many there are, or how rows are shared out.

    Args:
        count: how many; None: as the environment variable `NUMBA_NUM_THREADS` says, or one for each core there is.

    Attributes:
        small: rows below which there is one range only.
        pieces: how many ranges there are for each thread, so that a thread that is through early takes another.
    """

    def __init__(self, count: int | None = None) -> None:
        if count is None:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            told = os.environ.get("NUMBA_NUM_THREADS", "")  # as numba has it; worker processes are told 1
            count = int(told) if told.isdecimal() and int(told) else cores
        if count < 1:
            raise ConfigError(f"threads is {count}, and must be at least 1")
        self.count = count
        self.small = SMALL
        self.pieces = 1 if count == 1 else 4

    def even(self, n: int, pieces: int | None = None, rows: int = 1) -> Ranges:
        """Ranges of about equal length (one for each thread where `pieces` is 1) of things of so many rows each."""
        pieces = 1 if n * rows < self.small else min(n, self.count * (self.pieces if pieces is None else pieces)) or 1
        cuts = [n * i // pieces for i in range(pieces + 1)]
        return list(pairwise(cuts))

    def by_ties(self, indptr: NDArray[np.int64]) -> Ranges:
        """Ranges of rows with about equally many ties."""
        n = len(indptr) - 1
        pieces = 1 if n < self.small else min(n, self.count * self.pieces) or 1
        whole = int(indptr[n]) + ROW_COST * n
        goals = [whole * i // pieces for i in range(1, pieces)]
        cuts = [0, *(bisect_left(range(n), goal, key=lambda r: int(indptr[r]) + ROW_COST * r) for goal in goals), n]
        return [(a, b) for a, b in pairwise(cuts) if a < b]

    def run(self, kernel: Callable[..., Any], ranges: Ranges, arguments: Sequence[Any]) -> list[Any]:
        """Call `kernel(begin, end, *arguments)` for every range; what it returns, in order of the ranges."""
        if len(ranges) < 2 or self.count == 1:
            return [kernel(begin, end, *arguments) for begin, end in ranges]
        pool = _pool(os.getpid(), self.count)
        return list(pool.map(lambda r: kernel(*r, *arguments), ranges))
