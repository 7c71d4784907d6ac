"""Cascades: who had it from whom; size, depth, breadth and reach in time; and how far two sets of them are apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate, check_level, sample
from ethogram.seeds import generator

__all__ = ["Cascade", "cascade", "distance", "forest", "gap"]


class Cascade(NamedTuple):
    """The shape of one cascade."""

    size: int
    """Members, the source included."""
    depth: int
    """The longest chain from the source, in steps."""
    breadth: int
    """The most members at one depth."""
    mean_time: float
    """Of the members' times since the source's, the source left out; NaN where it is alone. Likewise the next two."""
    median_time: float
    max_time: float


def cascade(parents: Mapping[int, int | None], times: Mapping[int, float]) -> Cascade:
    """The shape of one cascade.

    Args:
        parents: by member, whom it had it from; None for the source.
        times: by member, when.

    Raises:
        DataError: there is not exactly one source, somebody has it from a stranger or from one who did not have it yet
            (so also: there is a circle).
    """
    sources = [node for node, parent in parents.items() if parent is None]
    if len(sources) != 1:
        raise DataError(f"a cascade has one source, not {len(sources)}")
    depth = {sources[0]: 0}
    for node in sorted(parents, key=lambda member: times[member]):
        parent = parents[node]
        if parent is None:
            continue
        if parent not in depth or times[parent] >= times[node]:
            raise DataError(f"member {node} of a cascade has it from {parent}, who is no earlier member of it")
        depth[node] = depth[parent] + 1
    since = np.array([times[node] - times[sources[0]] for node in parents if node != sources[0]])
    shape = (float(since.mean()), float(np.median(since)), float(since.max())) if len(since) else (math.nan,) * 3
    return Cascade(len(depth), max(depth.values()), int(np.bincount(list(depth.values())).max()), *shape)


def forest(parents: Mapping[int, int | None], times: Mapping[int, float]) -> list[Cascade]:
    """The shape of each cascade among members with several sources, in the order of the sources in `parents`."""
    root: dict[int, int] = {}
    for node in sorted(parents, key=lambda member: times[member]):
        parent = parents[node]
        if parent is not None and parent not in root:
            raise DataError(f"member {node} of a cascade has it from {parent}, who is no earlier member of it")
        root[node] = node if parent is None else root[parent]
    members: dict[int, dict[int, int | None]] = {node: {} for node, parent in parents.items() if parent is None}
    for node, parent in parents.items():
        members[root[node]][node] = parent
    return [cascade(tree, times) for tree in members.values()]


def distance(a: ArrayLike, b: ArrayLike, *, level: float = 0.95, seed: int = 0, resamples: int = 1999) -> Estimate:
    """The largest difference between two distribution functions (Kolmogorov and Smirnov's D), in [0, 1].

    The interval is of percentiles over resamples of both samples. D of two samples from one distribution is above zero, so
    its floor has to be had from data that are alike; compare with that, not with zero. n is the smaller size.
    """
    check_level(level)
    x, y = sample(np.asarray(a, float), "the first sample"), sample(np.asarray(b, float), "the second sample")
    rng = generator(seed, "distance")
    drawn = [gap(rng.choice(x, len(x)), rng.choice(y, len(y))) for _ in range(resamples)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    value = gap(x, y)
    method = f"largest difference of distribution functions, percentile bootstrap of {resamples:,}"
    return Estimate(value, float(min(low, value)), float(max(high, value)), min(len(x), len(y)), method, level)


def gap(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Kolmogorov and Smirnov's D of two samples."""
    values = np.concatenate([x, y])
    shares = (np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (x, y))
    return float(np.abs(np.subtract(*shares)).max())
