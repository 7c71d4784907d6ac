"""CSR networks: their form, their measures against networkx and hand-worked values, their round trips."""

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError, DataError
from ethogram.populations import Network, erdos_renyi


@st.composite
def networks(draw: st.DrawFn, directed: bool | None = None) -> Network:
    n = draw(st.integers(0, 9))
    is_directed = draw(st.booleans()) if directed is None else directed
    ends = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0)))
    edges = [(a, b) for a, b in draw(st.lists(ends, max_size=25)) if a != b] if n > 1 else []
    return Network.from_edges([a for a, _ in edges], [b for _, b in edges], n, directed=is_directed)


def weighted(network: Network) -> Network:
    source, target = network.edges()
    weights = np.arange(1.0, len(source) + 1) / 7
    return Network.from_edges(source, target, len(network), weights=weights, directed=network.directed)


def test_csr_form_of_a_small_network() -> None:
    network = Network.from_edges([0, 2, 1, 1], [1, 0, 0, 2], 4)  # (0, 1) is given twice, in both directions
    assert network.indptr.tolist() == [0, 2, 4, 6, 6]
    assert network.indices.tolist() == [1, 2, 0, 2, 0, 1]
    assert (network.indptr.dtype, network.indices.dtype) == (np.int64, np.int32)
    assert network.n_edges == 3 and len(network) == 4
    assert [ends.tolist() for ends in network.edges()] == [[0, 0, 1], [1, 2, 2]]
    assert network.degree().tolist() == [2, 2, 2, 0]
    assert network.density() == pytest.approx(3 / 6)
    assert network.neighbours(1).tolist() == [0, 2]


def test_directed_degrees_and_reverse() -> None:
    network = Network.from_edges([0, 1, 1], [1, 0, 2], 3, weights=[0.5, 2.0, 3.0], directed=True)
    assert network.out_degree().tolist() == [1, 2, 0]
    assert network.in_degree().tolist() == [1, 1, 1]
    assert network.degree().tolist() == [2, 3, 1]
    assert network.reciprocity() == pytest.approx(2 / 3)
    assert network.density() == pytest.approx(3 / 6)
    turned = network.reverse()
    assert turned.neighbours(2).tolist() == [1]
    assert turned.edge_weights().tolist() == [2.0, 0.5, 3.0]
    assert turned.reverse().equals(network) and not turned.equals(network)


def test_arrays_are_read_only_and_those_given_stay_writable() -> None:
    indptr, indices = np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32)
    network = Network(indptr, indices)
    with pytest.raises(ValueError, match="read-only"):
        network.indices[0] = 0
    indices[0] = 1


@settings(max_examples=150, deadline=None)
@given(networks())
def test_measures_equal_those_of_networkx(network: Network) -> None:
    graph = network.to_networkx()
    assert network.n_edges == graph.number_of_edges()
    assert network.density() == pytest.approx(nx.density(graph))
    assert network.degree().tolist() == [graph.degree[i] for i in range(len(network))]
    assert network.clustering() == pytest.approx([nx.clustering(graph, i) for i in range(len(network))])
    plain = graph.to_undirected()
    assert network.transitivity() == pytest.approx(nx.transitivity(plain))
    if network.n_edges:
        assert network.reciprocity() == pytest.approx(nx.overall_reciprocity(graph) if network.directed else 1.0)
    components = network.components()
    for nodes in nx.connected_components(plain):
        assert len({int(components[i]) for i in nodes}) == 1
    assert len(set(components.tolist())) == nx.number_connected_components(plain)


@settings(max_examples=100, deadline=None)
@given(networks(), st.lists(st.sampled_from("abc"), min_size=9, max_size=9))
def test_assortativity_equals_that_of_networkx(network: Network, labels: list[str]) -> None:
    labels = labels[: len(network)]
    graph = network.to_networkx()
    nx.set_node_attributes(graph, dict(enumerate(labels)), "label")
    source, target = network.edges()
    used = {labels[i] for i in [*source.tolist(), *target.tolist()]}
    got = network.assortativity(labels)
    if network.n_edges == 0:
        assert np.isnan(got)
    elif len(used) > 1:
        with np.errstate(all="ignore"):
            assert got == pytest.approx(nx.attribute_assortativity_coefficient(graph, "label"))


def test_assortativity_at_its_ends() -> None:
    apart = Network.from_edges([0, 2], [1, 3], 4)
    assert apart.assortativity(["a", "a", "b", "b"]) == pytest.approx(1.0)
    assert apart.assortativity(["a", "b", "a", "b"]) == pytest.approx(-1.0)
    assert np.isnan(apart.assortativity(["a", "a", "a", "a"]))
    with pytest.raises(DataError, match="one label a node"):
        apart.assortativity(["a"])


def test_clustering_of_a_larger_network_equals_that_of_networkx() -> None:
    for directed in (False, True):
        network = erdos_renyi(300, 0.05, directed=directed, rng=3)
        expected = nx.clustering(network.to_networkx())
        assert network.clustering() == pytest.approx([expected[i] for i in range(300)])
        assert network.average_clustering() == pytest.approx(np.mean(list(expected.values())))


@settings(max_examples=60, deadline=None)
@given(networks(), st.booleans(), st.data())
def test_subgraph_equals_that_of_networkx(network: Network, has_weights: bool, data: st.DataObject) -> None:
    network = weighted(network) if has_weights else network
    rows = data.draw(st.permutations(range(len(network)))) if len(network) else []
    rows = rows[: data.draw(st.integers(0, len(rows)))]
    part = network.subgraph(np.array(rows, dtype=np.int64))
    expected = network.to_networkx().subgraph(rows)
    assert nx.utils.graphs_equal(
        part.to_networkx(rows), nx.Graph(expected) if not network.directed else nx.DiGraph(expected)
    )


@settings(max_examples=60, deadline=None)
@given(networks(), st.booleans())
def test_round_trips(network: Network, has_weights: bool) -> None:
    network = weighted(network) if has_weights and network.n_edges else network
    names = [f"p{i}" for i in range(len(network))]
    assert Network.from_networkx(network.to_networkx(names), names).equals(network)
    assert Network.from_table(network.to_table(names), names, directed=network.directed).equals(network)
    # what from_edges builds without checking passes the checks
    again = Network(network.indptr.copy(), network.indices.copy(), network.weights, network.directed)
    assert again.equals(network)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("has_weights", [False, True])
def test_edge_files_round_trip(tmp_path, ending: str, directed: bool, has_weights: bool) -> None:
    network = erdos_renyi(30, 0.2, directed=directed, rng=1)
    network = weighted(network) if has_weights else network
    names = [str(i) for i in range(30)]  # look like numbers, and must stay names
    network.write(tmp_path / f"edges.{ending}", names)
    assert Network.read(tmp_path / f"edges.{ending}", names, directed=directed).equals(network)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Network(np.array([1, 2]), np.array([0, 0])), "starts at 0"),
        (lambda: Network(np.array([0, 2, 1]), np.array([0])), "never falls"),
        (lambda: Network(np.array([0, 2, 2]), np.array([1])), "ends at 2"),
        (lambda: Network(np.array([0.0, 1.0]), np.array([0])), "whole numbers"),
        (lambda: Network(np.array([0, 1, 1]), np.array([2]), directed=True), "only 2 rows"),
        (lambda: Network(np.array([0, 1, 1]), np.array([0]), directed=True), "to itself"),
        (lambda: Network(np.array([0, 2, 2, 2]), np.array([2, 1]), directed=True), "rising order"),
        (lambda: Network(np.array([0, 2, 2]), np.array([1, 1]), directed=True), "rising order"),
        (lambda: Network(np.array([0, 1, 1]), np.array([1])), "in both rows"),
        (lambda: Network(np.array([0, 1, 2]), np.array([1, 0]), np.array([1.0, 2.0])), "same weight"),
        (lambda: Network(np.array([0, 1, 2]), np.array([1, 0]), np.array([1.0])), "one weight an edge"),
        (lambda: Network(np.array([0, 1, 2]), np.array([1, 0]), np.array([1.0, np.nan])), "not a finite number"),
        (lambda: Network.from_edges([0], [1, 2], 3), "as many sources"),
        (lambda: Network.from_edges([0, 1], [1, 3], 3), r"Edge 1 \(from 0\) ties rows 1 and 3"),
        (lambda: Network.from_edges([0, -1], [1, 0], 3), r"Edge 1 \(from 0\)"),
        (lambda: Network.from_edges([0, 2], [1, 2], 3), r"Edge 1 \(from 0\) ties row 2 to itself"),
        (lambda: Network.from_edges([0, 1], [1, 0], 2, weights=[1.0, 2.0]), "Edge 1 repeats edge 0"),
        (lambda: Network.from_edges([0], [1], 2, weights=[float("inf")]), "not a finite number"),
    ],
)
def test_what_is_no_simple_network_is_refused(make, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"source": ["a"], "to": ["b"]}, "no column 'target'"),
        ({"source": ["a", "a"], "target": ["b", "zed"]}, r"Edge 1 \(from 0\): target 'zed'"),
        ({"source": ["a", None], "target": ["b", "b"]}, r"Edge 1 \(from 0\): source None"),
        ({"source": ["a"], "target": ["a"]}, "to itself"),
        ({"source": ["a"], "target": ["b"], "weight": ["x"]}, "must be numbers"),
        ({"source": ["a"], "target": ["b"], "weight": [None]}, "must be numbers|not a finite"),
    ],
)
def test_wrong_tables_of_edges_are_refused(columns: dict, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Network.from_table(pl.DataFrame(columns), ["a", "b"])


def test_wrong_files_of_edges_are_refused(tmp_path) -> None:
    names = ["a", "b"]
    with pytest.raises(DataError, match=r"none\.csv: there is no such file"):
        Network.read(tmp_path / "none.csv", names)
    (tmp_path / "edges.csv").write_text("source,target\na,zed\n")
    with pytest.raises(DataError, match=r"edges\.csv: Edge 0 .*'zed'"):
        Network.read(tmp_path / "edges.csv", names)
    (tmp_path / "edges.parquet").write_text("nonsense")
    with pytest.raises(DataError, match="cannot be read as a parquet"):
        Network.read(tmp_path / "edges.parquet", names)
    (tmp_path / "edges.txt").write_text("a b")
    with pytest.raises(ConfigError, match=r"\.csv or \.parquet"):
        Network.read(tmp_path / "edges.txt", names)
    with pytest.raises(ConfigError, match=r"\.csv or \.parquet"):
        Network.from_edges([0], [1], 2).write(tmp_path / "edges.txt", names)
    with pytest.raises(DataError, match="cannot be written"):
        Network.from_edges([0], [1], 2).write(tmp_path / "none" / "edges.csv", names)
    with pytest.raises(DataError, match="as many names"):
        Network.from_edges([0], [1], 2).to_table(["a"])


def test_wrong_graphs_are_refused() -> None:
    graph = nx.Graph([("a", "b"), ("b", "c")])
    with pytest.raises(DataError, match="node 'c'"):
        Network.from_networkx(graph, ["a", "b"])
    graph.edges["a", "b"]["weight"] = 2.0
    with pytest.raises(DataError, match="Only 1 of the graph's 2 edges"):
        Network.from_networkx(graph)
    with pytest.raises(DataError, match="to itself"):
        Network.from_networkx(nx.Graph([("a", "a")]))
