"""Networks with given degrees."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ethogram.populations import (
    barabasi_albert,
    complete,
    configuration,
    erdos_renyi,
    followers,
    random_regular,
    rewire,
    ring,
)


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 14), p=st.floats(0, 1), directed=st.booleans(), seed=st.integers(0, 10**6))
def test_degrees_are_exactly_those_asked_for(n: int, p: float, directed: bool, seed: int) -> None:
    graph = erdos_renyi(n, p, directed=directed, rng=seed)  # any network shows that its degrees are possible
    into = graph.in_degree() if directed else None
    network = configuration(graph.out_degree(), into, rng=seed)
    assert network.directed == directed
    assert network.out_degree().tolist() == graph.out_degree().tolist()
    assert network.in_degree().tolist() == graph.in_degree().tolist()
    swapped = rewire(graph, rng=seed)
    assert swapped.out_degree().tolist() == graph.out_degree().tolist()
    assert swapped.in_degree().tolist() == graph.in_degree().tolist()


@pytest.mark.parametrize(("n", "k"), [(1, 0), (10, 0), (10, 3), (7, 6), (50, 45), (2000, 8)])
def test_random_regular(n: int, k: int) -> None:
    assert random_regular(n, k, rng=1).degree().tolist() == [k] * n


def test_every_matching_comes_equally_often() -> None:
    rng = np.random.default_rng(0)
    seen = Counter(random_regular(6, 1, rng=rng).indices.tobytes() for _ in range(3000))
    assert len(seen) == 15
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_rewiring_reaches_every_matching_equally_often() -> None:
    rng = np.random.default_rng(0)
    start = random_regular(6, 1, rng=1)
    seen = Counter(rewire(start, swaps=20, rng=rng).indices.tobytes() for _ in range(2000))
    assert len(seen) == 15
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_rewiring_mixes_until_chance_is_left() -> None:
    start = ring(2000, 8)
    mixed = rewire(start, rng=1)
    assert start.average_clustering() == pytest.approx(9 / 14)
    assert mixed.average_clustering() < 0.02
    assert mixed.degree().tolist() == [8] * 2000
    assert rewire(start, swaps=0, rng=1).equals(start)
    assert rewire(complete(6), rng=1).equals(complete(6))


def test_heavy_tailed_degrees_are_kept_but_their_clustering_is_not() -> None:
    grown = barabasi_albert(3000, 4, rng=1)
    network = configuration(grown.degree(), rng=2)
    assert network.degree().tolist() == grown.degree().tolist()
    theirs = nx.Graph(nx.configuration_model(grown.degree().tolist(), seed=1))
    theirs.remove_edges_from(list(nx.selfloop_edges(theirs)))
    assert network.transitivity() == pytest.approx(nx.transitivity(theirs), rel=0.25)


def test_directed_degrees_of_a_larger_network() -> None:
    grown = followers(3000, 5, follow_back=0.2, rng=1)
    network = configuration(grown.out_degree(), grown.in_degree(), rng=2)
    assert network.out_degree().tolist() == grown.out_degree().tolist()
    assert network.in_degree().tolist() == grown.in_degree().tolist()
    assert network.reciprocity() < grown.reciprocity() / 3
