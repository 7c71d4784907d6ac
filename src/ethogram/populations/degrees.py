"""Random networks with given degrees, and the exchange of ties that keeps degrees."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.network import Network
from ethogram.populations.streams import as_generator, uniforms

__all__ = ["configuration", "random_regular", "rewire"]


def random_regular(n: int, k: int, *, rng: np.random.Generator | int) -> Network:
    """A random network in which every node has exactly `k` ties.

    Raises:
        ConfigError: n times k is odd, or k is not below n.
    """
    if n < 1 or not 0 <= k < n or n * k % 2:
        raise ConfigError(f"A regular network needs k from 0 to n - 1 and n * k even, not n={n} and k={k}.")
    return configuration(np.full(n, k), rng=as_generator(rng, "random_regular"))


def configuration(degrees: ArrayLike, in_degrees: ArrayLike | None = None, *, rng: np.random.Generator | int) -> Network:
    """A random simple network with exactly the given degrees.

    Ends of ties are paired at random (Molloy and Reed 1995); pairs that are loops or doubles then exchange ends with random
    others, which keeps all degrees (the result is close to, not exactly, uniform). Degrees so tight that this fails start
    from the construction of Havel and Hakimi instead and exchange ends ten times a tie.

    Args:
        degrees: number of ties of each node, shape (n,); with `in_degrees`, the number of out-going edges.
        in_degrees: number of incoming edges of each node, shape (n,): the network is then directed.
        rng: random generator, or a seed.

    Raises:
        DataError: no simple network has such degrees.
    """
    out = _degrees(degrees, "degrees")
    n, stream = len(out), as_generator(rng, "configuration")
    if in_degrees is None:
        if out.sum() % 2:
            raise DataError(f"Degrees must add up to an even number, not {out.sum()}.")
        ends = stream.permutation(np.repeat(np.arange(n), out))
        ties = _Ties(ends[::2], ends[1::2], n, directed=False)
    else:
        into = _degrees(in_degrees, "in_degrees")
        if len(into) != n or into.sum() != out.sum():
            raise DataError("There must be as many in-degrees as degrees, with the same sum.")
        ties = _Ties(np.repeat(np.arange(n), out), stream.permutation(np.repeat(np.arange(n), into)), n, directed=True)
    if ties.untangle(stream):
        return ties.network()
    return rewire(_havel_hakimi(out, in_degrees), rng=stream)


def rewire(network: Network, *, swaps: float = 10.0, rng: np.random.Generator | int) -> Network:
    """The network with ties exchanged at random so that every degree stays: what is left to degrees alone.

    Two ties (a, b) and (c, d) become (a, d) and (c, b) where that makes no loop and no double; `swaps` is how often this is
    tried for each tie (Maslov and Sneppen 2002). 10^6 trials take five to ten seconds.

    Raises:
        ConfigError: the network is weighted, or `swaps` is negative.
    """
    if network.weights is not None:
        raise ConfigError("Only an unweighted network can be rewired.")
    if not 0 <= swaps < float("inf"):
        raise ConfigError(f"swaps must be 0 or more, not {swaps}.")
    source, target = network.edges()
    ties = _Ties(source, target, len(network), network.directed)
    m = len(source)
    draw = uniforms(as_generator(rng, "rewire"))
    for _ in range(round(swaps * m)):
        ties.swap(int(next(draw) * m), int(next(draw) * m), next(draw) < 0.5)
    return ties.network()


class _Ties:
    """Ties whose ends can be exchanged; loops and doubles may be there at first, and no exchange makes one."""

    def __init__(self, source: NDArray[np.int64], target: NDArray[np.int64], n: int, directed: bool) -> None:
        self.n = n
        self.directed = directed
        self.source: list[int] = source.tolist()
        self.target: list[int] = target.tolist()
        if not directed:
            source, target = np.minimum(source, target), np.maximum(source, target)
        keys = source * n + target
        self.count: dict[int, int] = Counter(keys.tolist())
        doubles = np.ones(len(keys), dtype=bool)
        doubles[np.unique(keys, return_index=True)[1]] = False
        self.faulty: list[int] = np.flatnonzero(doubles | (source == target)).tolist()

    def key(self, a: int, b: int) -> int:
        return a * self.n + b if self.directed or a < b else b * self.n + a

    def swap(self, one: int, other: int, flip: bool) -> bool:
        """Exchange the second ends of two ties (of an undirected one, perhaps flipped before); whether that was possible."""
        a, b, c, d = self.source[one], self.target[one], self.source[other], self.target[other]
        if flip and not self.directed:
            c, d = d, c
        if one == other or a == d or c == b:
            return False
        first, second = self.key(a, d), self.key(c, b)
        if first == second or first in self.count or second in self.count:
            return False
        for key in (self.key(a, b), self.key(c, d)):
            if self.count[key] > 1:
                self.count[key] -= 1
            else:
                del self.count[key]
        self.count[first] = self.count[second] = 1
        self.source[other], self.target[one], self.target[other] = c, d, b
        return True

    def untangle(self, rng: np.random.Generator) -> bool:
        """Exchange ends until no tie is a loop or a double; whether that succeeded."""
        m = len(self.source)
        draw = uniforms(rng)
        for tie in self.faulty:
            for _ in range(1000):
                a, b = self.source[tie], self.target[tie]
                if a != b and self.count[self.key(a, b)] == 1:
                    break
                self.swap(tie, int(next(draw) * m), next(draw) < 0.5)
            else:
                return False
        return True

    def network(self) -> Network:
        source, target = (np.array(ends, dtype=np.int64) for ends in (self.source, self.target))
        return Network.from_edges(source, target, self.n, directed=self.directed)


def _degrees(values: ArrayLike, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise DataError(f"{what} must be one row of whole numbers.")
    wrong = (array < 0) | (array >= len(array))
    if wrong.any():
        node = int(np.argmax(wrong))
        raise DataError(f"{what} gives node {node} (from 0) {array[node]} ties, but {len(array) - 1} others are there.")
    return array.astype(np.int64)


def _havel_hakimi(degrees: NDArray[np.int64], in_degrees: ArrayLike | None) -> Network:
    import networkx as nx

    try:
        if in_degrees is None:
            return Network.from_networkx(nx.havel_hakimi_graph(degrees.tolist()))
        return Network.from_networkx(nx.directed_havel_hakimi_graph(np.asarray(in_degrees).tolist(), degrees.tolist()))
    except nx.NetworkXError:
        raise DataError("No simple network has these degrees: some are too high for the others.") from None
