"""A network over the rows of a population, as compressed sparse rows (CSR).

Entry `indices[indptr[i]:indptr[i + 1]]` lists the rows that row `i` is tied to: its neighbours in an undirected network, the
targets of its edges in a directed one. An undirected tie is stored in both rows. Networks are simple: no row is tied to
itself, and no tie is there twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.csr import (
    check_ends,
    check_simple,
    csr_of_edges,
    finite_weights,
    frozen,
    in_degrees,
    label_codes,
    transposed,
    triangles,
    whole_numbers,
)

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl
    from scipy.sparse import csr_array

__all__ = ["Network"]


@dataclass(frozen=True, eq=False)
class Network:
    """A simple network of `n` nodes in CSR form; its arrays are read-only.

    Attributes:
        indptr: int64, shape (n + 1,): where the neighbours of each row begin and end in `indices`.
        indices: int32, shape (entries,): neighbours, in rising order within each row.
        weights: float64, shape (entries,): weight of each tie; None where all ties count alike.
        directed: whether row `i` lists the targets of its out-going edges (else each tie is in both rows).

    Raises:
        DataError: the arrays are not the CSR form of a simple network.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64] | None = None
    directed: bool = False

    def __post_init__(self) -> None:
        indptr = whole_numbers(self.indptr, "indptr").astype(np.int64, copy=False)
        if indptr.ndim != 1 or len(indptr) == 0 or indptr[0] != 0 or (np.diff(indptr) < 0).any():
            raise DataError("A network's indptr must be one row of whole numbers that starts at 0 and never falls.")
        indices = whole_numbers(self.indices, "indices")
        if indices.shape != (indptr[-1],):
            raise DataError(f"A network's indptr ends at {indptr[-1]}, but its indices have the shape {indices.shape}.")
        weights = None if self.weights is None else finite_weights(self.weights, indices.shape)
        check_simple(indptr, indices, weights, self.directed)
        self._set(indptr, indices, weights)

    @classmethod
    def from_edges(
        cls,
        sources: ArrayLike,
        targets: ArrayLike,
        n: int,
        *,
        weights: ArrayLike | None = None,
        directed: bool = False,
    ) -> Network:
        """A network of `n` nodes from the two ends of its edges (row numbers from 0, shape (edges,) each).

        An unweighted edge given more than once (or, undirected, both ways round) counts once.

        Raises:
            DataError: an end is not a row, an edge ties a row to itself, or a weighted edge is given twice.
        """
        source, target = whole_numbers(sources, "sources"), whole_numbers(targets, "targets")
        if source.ndim != 1 or source.shape != target.shape:
            raise DataError(f"Edges need as many sources as targets, not shapes {source.shape} and {target.shape}.")
        check_ends(source, target, n)
        weight = None if weights is None else finite_weights(weights, source.shape)
        return cls._of_arrays(*csr_of_edges(source, target, n, weight, directed), directed)

    @classmethod
    def _of_arrays(
        cls, indptr: NDArray[Any], indices: NDArray[Any], weights: NDArray[np.float64] | None, directed: bool
    ) -> Network:
        """A network from arrays that are known to be sound: checking them again would double the time to build it."""
        network = object.__new__(cls)
        network._set(indptr, indices, weights)
        object.__setattr__(network, "directed", directed)
        return network

    def _set(self, indptr: NDArray[Any], indices: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        object.__setattr__(self, "indptr", frozen(indptr.astype(np.int64, copy=False)))
        object.__setattr__(self, "indices", frozen(indices.astype(np.int32, copy=False)))
        object.__setattr__(self, "weights", None if weights is None else frozen(weights))

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self.indptr) - 1

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return f"Network({len(self)} nodes, {self.n_edges} {kind} edges{'' if self.weights is None else ', weighted'})"

    @property
    def n_edges(self) -> int:
        """The number of edges; an undirected tie counts once."""
        return len(self.indices) if self.directed else len(self.indices) // 2

    def equals(self, other: Network) -> bool:
        """Whether both networks have the same nodes, edges, weights and direction."""
        same = self.directed == other.directed and np.array_equal(self.indptr, other.indptr)
        if not same or not np.array_equal(self.indices, other.indices):
            return False
        if self.weights is None or other.weights is None:
            return self.weights is other.weights
        return np.array_equal(self.weights, other.weights)

    def rows(self) -> NDArray[np.int64]:
        """The row that each entry of `indices` belongs to, shape (entries,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sources and targets, shape (n_edges,) each; an undirected tie once, its lower row first."""
        source, target = self.rows(), self.indices.astype(np.int64)
        if self.directed:
            return source, target
        once = source < target
        return source[once], target[once]

    def edge_weights(self) -> NDArray[np.float64]:
        """The weight of each edge in the order of `edges()`, shape (n_edges,); ones in an unweighted network."""
        weights = np.ones(len(self.indices)) if self.weights is None else self.weights
        return weights if self.directed else weights[self.rows() < self.indices]

    def neighbours(self, row: int) -> NDArray[np.int32]:
        """The rows that `row` is tied to (targets only, in a directed network)."""
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def reverse(self) -> Network:
        """The network with every edge turned round: of who follows whom, each row's followers."""
        if not self.directed:
            return self
        return Network._of_arrays(*transposed(self.indptr, self.indices, self.weights), directed=True)

    def subgraph(self, rows: ArrayLike) -> Network:
        """The network among `rows` (distinct row numbers), which become rows 0, 1, … in the order given."""
        keep = whole_numbers(rows, "rows")
        place = np.full(len(self), -1, dtype=np.int64)
        place[keep] = np.arange(len(keep))
        source, target = (place[ends] for ends in self.edges())
        inside = (source >= 0) & (target >= 0)
        weights = None if self.weights is None else self.edge_weights()[inside]
        return Network.from_edges(source[inside], target[inside], len(keep), weights=weights, directed=self.directed)

    def out_degree(self) -> NDArray[np.int64]:
        """The number of edges that leave each node, shape (n,); the degree, in an undirected network."""
        return np.diff(self.indptr)

    def in_degree(self) -> NDArray[np.int64]:
        """The number of edges that reach each node, shape (n,); the degree, in an undirected network."""
        return in_degrees(self.indices, len(self))

    def degree(self) -> NDArray[np.int64]:
        """The number of edges at each node, in either direction, shape (n,)."""
        return self.out_degree() + self.in_degree() if self.directed else self.out_degree()

    def density(self) -> float:
        """The share of possible edges that are there, in [0, 1]; 0 below two nodes."""
        possible = len(self) * (len(self) - 1)
        return len(self.indices) / possible if possible else 0.0

    def reciprocity(self) -> float:
        """The share of edges whose reverse is there too: 1 in an undirected network, NaN without edges."""
        if len(self.indices) == 0:
            return float("nan")
        source, target = self.rows(), self.indices.astype(np.int64)
        return float(np.isin(target * len(self) + source, source * len(self) + target).mean())

    def clustering(self) -> NDArray[np.float64]:
        """The local clustering coefficient of each node, shape (n,): the share of pairs of its neighbours that are tied.

        In a directed network, Fagiolo's coefficient: directed triangles through the node over those its edges allow
        (Fagiolo 2007, "Clustering in complex directed networks"). 0 where no triangle is possible. Weights are
        ignored.
        """
        adjacency = self.to_scipy(weighted=False)
        ties = adjacency + adjacency.T if self.directed else adjacency
        degree = np.asarray(ties.sum(axis=1)).ravel()
        both_ways = np.asarray(adjacency.multiply(adjacency.T).sum(axis=1)).ravel() if self.directed else 0.0
        closed = triangles(ties.tocsr()) * (1.0 if self.directed else 2.0)
        possible = degree * (degree - 1) - 2 * both_ways if self.directed else degree * (degree - 1)
        return np.divide(closed, possible, out=np.zeros(len(self)), where=possible > 0)

    def average_clustering(self) -> float:
        """The mean over nodes of the local clustering coefficient; NaN without nodes."""
        return float(self.clustering().mean()) if len(self) else float("nan")

    def transitivity(self) -> float:
        """Three times the triangles over the pairs of ties that share a node, of the network without directions."""
        network = Network.from_edges(*self.edges(), len(self)) if self.directed else self
        degree = network.degree()
        possible = int((degree * (degree - 1)).sum())
        return float(2 * triangles(network.to_scipy(weighted=False)).sum() / possible) if possible else 0.0

    def assortativity(self, labels: Sequence[Hashable] | NDArray[Any] | pl.Series) -> float:
        """How far ties prefer nodes of the same label: 1 only alike, 0 as by chance, negative unlike; NaN if undefined.

        Newman (2003), "Mixing patterns in networks", eq. 2. `labels` has one value a node.
        """
        code = label_codes(labels)
        if len(code) != len(self):
            raise DataError(f"Assortativity needs one label a node, but there are {len(code)} for {len(self)} nodes.")
        if len(self.indices) == 0:
            return float("nan")
        source, target = code[self.rows()], code[self.indices]
        levels = int(code.max()) + 1
        chance = float(np.bincount(source, minlength=levels) @ np.bincount(target, minlength=levels)) / len(source) ** 2
        return float("nan") if chance == 1 else (float((source == target).mean()) - chance) / (1 - chance)

    def components(self) -> NDArray[np.int32]:
        """The number of the (weakly) connected component of each node, shape (n,), from 0."""
        from scipy.sparse.csgraph import connected_components

        return connected_components(self.to_scipy(weighted=False), directed=self.directed, connection="weak")[1]

    def to_scipy(self, *, weighted: bool = True) -> csr_array:
        """The adjacency matrix, shape (n, n); its ones instead of weights where `weighted` is false."""
        from scipy.sparse import csr_array

        data = self.weights if weighted and self.weights is not None else np.ones(len(self.indices))
        return csr_array((data, self.indices, self.indptr), shape=(len(self), len(self)))

    def to_networkx(self, names: Sequence[str] | None = None) -> nx.Graph | nx.DiGraph:
        """The same network for networkx, its nodes called by `names`, else by row number; weights are edge attributes."""
        import networkx as nx

        nodes: Sequence[Any] = range(len(self)) if names is None else names
        graph = nx.DiGraph() if self.directed else nx.Graph()
        graph.add_nodes_from(nodes)
        source, target = (ends.tolist() for ends in self.edges())
        pairs = ((nodes[s], nodes[t]) for s, t in zip(source, target, strict=True))
        if self.weights is None:
            graph.add_edges_from(pairs)
        else:
            graph.add_weighted_edges_from((*pair, w) for pair, w in zip(pairs, self.edge_weights().tolist(), strict=True))
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph | nx.DiGraph, names: Sequence[str] | None = None) -> Network:
        """A network from networkx: node `names[i]` becomes row i; without names, nodes keep the order of the graph.

        The edge attribute `weight` is kept where every edge has it.

        Raises:
            DataError: a node is not among `names`, some edges only have a weight, or an edge ties a node to itself.
        """
        nodes = list(graph.nodes if names is None else names)
        row = {node: i for i, node in enumerate(nodes)}
        if strange := [node for node in graph.nodes if node not in row]:
            raise DataError(f"The graph's node {strange[0]!r} is not an agent of the population.")
        edges = list(graph.edges(data="weight"))
        weighted = [weight for *_, weight in edges if weight is not None]
        if weighted and len(weighted) < len(edges):
            raise DataError(f"Only {len(weighted)} of the graph's {len(edges)} edges have a weight: give all or none.")
        source = np.array([row[s] for s, _, _ in edges], dtype=np.int64)
        target = np.array([row[t] for _, t, _ in edges], dtype=np.int64)
        return cls.from_edges(source, target, len(nodes), weights=weighted or None, directed=graph.is_directed())

    def to_table(self, names: Sequence[str]) -> pl.DataFrame:
        """The edges as a table with the columns source, target and, where weighted, weight; ends are called by `names`."""
        import polars as pl

        if len(names) != len(self):
            raise DataError(f"A network of {len(self)} nodes needs as many names, not {len(names)}.")
        called = pl.Series(names, dtype=pl.String)
        source, target = self.edges()
        table = pl.DataFrame({"source": called.gather(source), "target": called.gather(target)})
        return table if self.weights is None else table.with_columns(weight=pl.Series(self.edge_weights()))

    @classmethod
    def from_table(cls, table: pl.DataFrame, names: Sequence[str], *, directed: bool = False) -> Network:
        """A network from a table with the columns source, target and perhaps weight, whose ends are called by `names`.

        Raises:
            DataError: a column is missing, an end is not among `names`, or the edges are not those of a simple network.
        """
        import polars as pl

        if missing := {"source", "target"} - set(table.columns):
            raise DataError(f"The table of edges has no column {min(missing)!r}; it has {', '.join(table.columns)}.")
        lookup = pl.DataFrame({"name": names, "row": range(len(names))}, schema={"name": pl.String, "row": pl.Int64})
        rows = {}
        for end in ("source", "target"):
            column = table.select(pl.col(end).cast(pl.String).alias("name"))
            found = column.join(lookup, on="name", how="left", maintain_order="left")["row"]
            if (unknown := found.is_null().arg_max()) is not None and found.null_count():
                raise DataError(f"Edge {unknown} (from 0): {end} {table[end][unknown]!r} is not an agent of the population.")
            rows[end] = found.to_numpy()
        weights = None
        if "weight" in table.columns:
            if table.height and not table["weight"].dtype.is_numeric():
                raise DataError(f"The column weight of the table of edges must be numbers, not {table['weight'].dtype}.")
            weights = table["weight"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return cls.from_edges(rows["source"], rows["target"], len(names), weights=weights, directed=directed)

    def write(self, path: str | Path, names: Sequence[str]) -> None:
        """Write the edges as a table (`.csv` or `.parquet`) with the columns source, target and perhaps weight."""
        table = self.to_table(names)
        try:
            match Path(path).suffix:
                case ".csv":
                    table.write_csv(path)
                case ".parquet":
                    table.write_parquet(path)
                case other:
                    raise ConfigError(
                        f"{path}: edges are written as .csv or .parquet, not {other or 'without an ending'!r}."
                    )
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None

    @classmethod
    def read(cls, path: str | Path, names: Sequence[str], *, directed: bool = False) -> Network:
        """The network that `write` wrote, or any table of edges in the same form.

        Raises:
            DataError: the file is missing, is no such table, or names an agent that is not among `names`.
        """
        from ethogram.populations.tables import read_table

        table = read_table(Path(path), text=("source", "target"))
        try:
            return cls.from_table(table, names, directed=directed)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
