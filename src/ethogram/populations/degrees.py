"""Random networks with given degrees, and the exchange of ties that keeps degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.network import Network
from ethogram.populations.streams import as_generator, kernel_state

__all__ = ["configuration", "random_regular", "rewire"]

TRIALS = 1000
"""How often a loop or a double tries to exchange ends before its network is made in another way."""


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
    stream = as_generator(rng, "configuration")
    if in_degrees is None:
        if out.sum() % 2:
            raise DataError(f"Degrees must add up to an even number, not {out.sum()}.")
        ties = _Ties.matched(out, stream)
    else:
        into = _degrees(in_degrees, "in_degrees")
        if len(into) != len(out) or into.sum() != out.sum():
            raise DataError("There must be as many in-degrees as degrees, with the same sum.")
        ties = _Ties.paired(out, into, stream)
    if ties.untangle(stream):
        return ties.network()
    return rewire(_havel_hakimi(out, in_degrees), rng=stream)


def rewire(network: Network, *, swaps: float = 10.0, rng: np.random.Generator | int) -> Network:
    """The network with ties exchanged at random so that every degree stays: what is left to degrees alone.

    Two ties (a, b) and (c, d) become (a, d) and (c, b) where that makes no loop and no double; `swaps` is how often this is
    tried for each tie (Maslov and Sneppen 2002).

    Raises:
        ConfigError: the network is weighted, or `swaps` is negative.
    """
    if network.weights is not None:
        raise ConfigError("Only an unweighted network can be rewired.")
    if not 0 <= swaps < float("inf"):
        raise ConfigError(f"swaps must be 0 or more, not {swaps}.")
    stream = as_generator(rng, "rewire")
    turned = network.reverse()
    if network.directed and _spread(turned) < _spread(network):  # looking through the shorter rows is quicker
        return rewire(turned, swaps=swaps, rng=stream).reverse()
    ties = _Ties.of(network)
    ties.exchange(round(swaps * network.n_edges), stream)
    return ties.network()


def _spread(network: Network) -> float:
    degree = network.out_degree().astype(np.float64)
    return float(degree @ degree)


@dataclass(frozen=True)
class _Ties:
    """Ties whose ends can be exchanged, as slots: see `matching_kernels`."""

    indptr: NDArray[np.int64]
    node: NDArray[np.int32]
    mate: NDArray[np.integer]
    neighbour: NDArray[np.int32]
    directed: bool

    @classmethod
    def matched(cls, degrees: NDArray[np.int64], rng: np.random.Generator) -> _Ties:
        """Undirected ties between random slots."""
        from ethogram.populations.matching_kernels import gather, match

        indptr, node = _rows(degrees)
        mate = _mates(len(node))
        match(mate, kernel_state(rng))
        return cls(indptr, node, mate, gather(node, mate), directed=False)

    @classmethod
    def paired(cls, degrees: NDArray[np.int64], in_degrees: NDArray[np.int64], rng: np.random.Generator) -> _Ties:
        """Directed edges between random ends."""
        from ethogram.populations.matching_kernels import shuffle

        neighbour = _rows(in_degrees)[1]
        shuffle(neighbour, kernel_state(rng))
        return cls(*_rows(degrees), _mates(0), neighbour, directed=True)

    @classmethod
    def of(cls, network: Network) -> _Ties:
        """The ties of a network."""
        from ethogram.populations.csr_kernels import twins

        mate = _mates(0 if network.directed else len(network.indices))
        if not network.directed:
            twins(network.indptr, network.indices, mate)
        return cls(*_rows(network.out_degree()), mate, network.indices.copy(), network.directed)

    def untangle(self, rng: np.random.Generator) -> bool:
        """Exchange ends until no tie is a loop or a double; whether that succeeded."""
        from ethogram.populations.matching_kernels import faulty, untangle

        slots = faulty(self.indptr, self.neighbour)
        return untangle(self.indptr, self.node, self.mate, self.neighbour, slots, TRIALS, kernel_state(rng))

    def exchange(self, trials: int, rng: np.random.Generator) -> None:
        """Try to exchange the ends of two random ties so many times."""
        from ethogram.populations.matching_kernels import exchange_often

        exchange_often(self.indptr, self.node, self.mate, self.neighbour, trials, kernel_state(rng))

    def network(self) -> Network:
        """The network of the ties, which are those of a simple one."""
        from ethogram.populations.csr_kernels import sort_rows

        sort_rows(self.indptr, self.neighbour, np.zeros(0))
        return Network._of_arrays(self.indptr, self.neighbour, None, self.directed)


def _rows(degrees: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where each row begins and the last one ends, and the row of each slot."""
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    return indptr, np.repeat(np.arange(len(degrees), dtype=np.int32), degrees)


def _mates(slots: int) -> NDArray[np.integer]:
    """Room for the number of a slot, for each of so many."""
    return np.empty(slots, dtype=np.int32 if slots < 2**31 else np.int64)


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
