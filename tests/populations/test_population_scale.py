"""Compiled loops against their numpy twins and brute force, and networks of a million nodes."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ethogram.errors import DataError
from ethogram.populations import (
    Network,
    barabasi_albert,
    cliques,
    configuration,
    csr,
    erdos_renyi,
    followers,
    generators,
    homophily,
    rewire,
    ring,
    stochastic_block,
    watts_strogatz,
)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Calls a function with the compiled loops, whatever the size."""

    def call(function: Callable[..., object], *arguments: object, **named: object) -> object:
        with monkeypatch.context() as patch:
            patch.setattr(csr, "LARGE", 0)
            return function(*arguments, **named)

    return call


def random_edges(rng: np.random.Generator, n: int, edges: int) -> tuple[np.ndarray, np.ndarray]:
    source = rng.integers(0, n, edges)
    return source, (source + rng.integers(1, n, edges)) % n


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n", [2, 5, 40, 300])
def test_compiled_networks_equal_those_of_numpy(compiled, directed: bool, n: int) -> None:
    rng = np.random.default_rng(n)
    for edges in (0, 1, 3 * n, 40 * n):  # 40 n makes doubles, and rows too long to be sorted by insertion
        source, target = random_edges(rng, n, edges)
        ours = compiled(Network.from_edges, source, target, n, directed=directed)
        theirs = Network.from_edges(source, target, n, directed=directed)
        assert ours.equals(theirs) and ours.indptr.dtype == np.int64 and ours.indices.dtype == np.int32
        source, target = theirs.edges()
        order = rng.permutation(len(source))
        source, target, weights = source[order], target[order], rng.random(len(source))
        ours = compiled(Network.from_edges, source, target, n, weights=weights, directed=directed)
        theirs = Network.from_edges(source, target, n, weights=weights, directed=directed)
        assert ours.equals(theirs)
        assert compiled(theirs.reverse).equals(theirs.reverse())
        assert compiled(theirs.in_degree).tolist() == theirs.in_degree().tolist()
        assert compiled(Network, theirs.indptr, theirs.indices, theirs.weights, directed).equals(theirs)


def test_reversed_edges_are_turned_round_with_their_weights(compiled) -> None:
    source, target = random_edges(np.random.default_rng(1), 50, 300)
    network = Network.from_edges(source, target, 50, directed=True)
    network = Network.from_edges(*network.edges(), 50, weights=np.arange(float(network.n_edges)), directed=True)
    expected = {(s, t, w) for s, t, w in zip(*network.edges(), network.edge_weights(), strict=True)}
    for turned in (network.reverse(), compiled(network.reverse)):
        assert {(s, t, w) for t, s, w in zip(*turned.edges(), turned.edge_weights(), strict=True)} == expected


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_compiled_checks_say_what_numpy_says(data: st.DataObject) -> None:
    from ethogram.populations.csr_kernels import sound

    n = data.draw(st.integers(1, 5))
    degree = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    directed = data.draw(st.booleans())
    indptr = np.concatenate([[0], np.cumsum(degree)])
    entries = st.lists(st.integers(-1, n), min_size=int(indptr[-1]), max_size=int(indptr[-1]))
    indices = np.array(data.draw(entries), dtype=np.int64)
    if data.draw(st.booleans()):  # mostly sound ones, too
        good = erdos_renyi(n, 0.6, directed=directed, rng=data.draw(st.integers(0, 99)))
        indptr, indices = good.indptr, good.indices.astype(np.int64)
    weights = np.array(data.draw(st.lists(st.sampled_from([1.0, 2.0]), min_size=len(indices), max_size=len(indices))))
    try:
        csr.check_simple(indptr, indices, weights, directed)
        fine = True
    except DataError:
        fine = False
    assert sound(indptr, indices, weights, directed) == fine


def test_what_is_wrong_with_a_large_network_is_said_as_of_a_small_one(compiled) -> None:
    with pytest.raises(DataError, match="Edge 1 repeats edge 0"):
        compiled(Network.from_edges, [0, 1], [1, 0], 2, weights=[1.0, 2.0])
    with pytest.raises(DataError, match="in both rows"):
        compiled(Network, np.array([0, 1, 1]), np.array([1]))
    with pytest.raises(DataError, match="same weight"):
        compiled(Network, np.array([0, 1, 2]), np.array([1, 0]), np.array([1.0, 2.0]))
    with pytest.raises(DataError, match="up to 2147483647 nodes"):
        Network.from_edges([0], [1], 2**31)


MAKE: dict[str, Callable[[int, int], Network]] = {
    "erdos_renyi": lambda n, seed: erdos_renyi(n, 0.3, rng=seed),
    "erdos_renyi directed": lambda n, seed: erdos_renyi(n, 0.7, directed=True, rng=seed),
    "stochastic_block": lambda n, seed: stochastic_block(np.arange(n) % 3, np.eye(3) * 0.6 + 0.2, rng=seed),
    "barabasi_albert": lambda n, seed: barabasi_albert(n, min(3, n - 1), rng=seed),
    "followers": lambda n, seed: followers(n, 3, attractiveness=0.5, follow_back=0.4, rng=seed),
    "watts_strogatz": lambda n, seed: watts_strogatz(n, 4, 0.5, rng=seed),
    "configuration": lambda n, seed: configuration(erdos_renyi(n, 0.4, rng=seed).degree(), rng=seed),
    "rewire": lambda n, seed: rewire(watts_strogatz(n, 4, 0.5, rng=seed), rng=seed),
    "rewire directed": lambda n, seed: rewire(followers(n, 4, rng=seed), rng=seed),
    "cliques": lambda n, seed: cliques(np.random.default_rng(seed).integers(0, 4, n)),
}


@pytest.mark.parametrize("name", MAKE)
def test_every_network_is_simple(name: str) -> None:
    for n, seed in [(5, 0), (6, 1), (11, 2), (40, 3), (90, 4)]:
        network = MAKE[name](n, seed)
        matrix = network.to_scipy().toarray()
        assert len(network) == n and not matrix.diagonal().any() and matrix.max(initial=0) <= 1
        assert network.directed or (matrix == matrix.T).all()
        assert network.equals(Network(network.indptr, network.indices, directed=network.directed))  # rows in rising order
        with pytest.raises(ValueError, match="read-only"):
            network.indices[:] = 0


@pytest.mark.parametrize("directed", [False, True])
def test_every_pair_of_blocks_is_tied_as_often_as_said(directed: bool) -> None:
    label = np.array([1, 0, 1, 2, 0, 1, 2, 1])
    p = np.array([[0.9, 0.2, 0.5], [0.2, 0.4, 1.0], [0.5, 1.0, 0.0]])
    rng, draws = np.random.default_rng(3), 1500
    times = sum(stochastic_block(label, p, directed=directed, rng=rng).to_scipy().toarray() for _ in range(draws))
    chance = p[label[:, None], label[None]]
    np.fill_diagonal(chance, 0.0)
    assert (times[chance == 0] == 0).all() and (times[chance == 1] == draws).all()
    free = (chance > 0) & (chance < 1) & (np.ones_like(times, dtype=bool) if directed else np.tri(8, dtype=bool))
    z = (times - draws * chance)[free] / np.sqrt(draws * chance * (1 - chance))[free]
    assert stats.chi2.sf(float(z @ z), free.sum()) > 1e-4
    assert np.abs(z).max() < 4.5


def test_what_found_no_room_is_drawn_again() -> None:
    def drawn(expected: float) -> Network:
        from ethogram.populations.growth_kernels import within_blocks

        members, start = generators._members(np.arange(60) % 4, 4)
        return generators._of_kernel(
            within_blocks, (np.full(4, 0.7), start, members), 60, expected, np.random.default_rng(5), directed=False
        )

    assert drawn(0.0).equals(drawn(1000.0))
    assert drawn(0.0).n_edges > 200


def test_the_tail_of_preferential_attachment_has_the_exponent_3() -> None:
    n, m, least = 200_000, 5, 40
    degree = barabasi_albert(n, m, rng=2).degree()
    tail = degree[degree >= least]
    # P(K >= k) goes with k (k + 1), close to (k + 1/2)^2, so that cell k reaches from k + 1/2 to k + 3/2
    exponent = 1 + len(tail) / np.log((tail + 1) / (least + 0.5)).sum()
    error = (exponent - 1) / np.sqrt(len(tail))  # Clauset, Shalizi and Newman (2009), eq. 3.2
    low, high = exponent - 3.3 * error, exponent + 3.3 * error
    assert low < 3 < high and low > 2.7 and high < 3.3


def test_degrees_of_large_random_networks_are_binomial() -> None:
    n, p = 200_000, 10 / 199_999
    undirected = erdos_renyi(n, p, rng=4).degree()
    directed = erdos_renyi(n, p, directed=True, rng=4)
    cells = np.arange(1, 24)
    expected = np.diff(stats.binom.cdf(cells, n - 1, p), prepend=0, append=1) * n
    for degree in (undirected, directed.out_degree(), directed.in_degree()):
        observed = np.bincount(np.searchsorted(cells, degree), minlength=len(cells) + 1)
        assert stats.chisquare(observed, expected).pvalue > 1e-4


def test_heavy_tails_keep_their_degrees_at_scale() -> None:
    grown = followers(60_000, 5, attractiveness=0.5, follow_back=0.2, rng=1)
    network = configuration(grown.in_degree(), grown.out_degree(), rng=2)  # hubs have many edges that leave
    assert network.out_degree().tolist() == grown.in_degree().tolist()
    assert network.in_degree().tolist() == grown.out_degree().tolist()
    swapped = rewire(network, swaps=0.5, rng=3)
    assert swapped.out_degree().tolist() == network.out_degree().tolist()
    assert swapped.in_degree().tolist() == network.in_degree().tolist()
    assert not swapped.equals(network)
    assert Network(swapped.indptr, swapped.indices, directed=True).equals(swapped)


MILLION: dict[str, Callable[[int], Network]] = {
    "erdos_renyi": lambda n: erdos_renyi(n, 10 / (n - 1), rng=1),
    "barabasi_albert": lambda n: barabasi_albert(n, 5, rng=1),
    "watts_strogatz": lambda n: watts_strogatz(n, 10, 0.1, rng=1),
    "configuration": lambda n: configuration(np.full(n, 10), rng=1),
    "followers": lambda n: followers(n, 10, rng=1),
    "stochastic_block": lambda n: stochastic_block(np.arange(n) % 2, np.array([[15, 5], [5, 15]]) / n, rng=1),
    "cliques": lambda n: cliques(np.arange(n) // 11),
    "ring": lambda n: ring(n, 10),
}


@pytest.mark.slow
def test_a_million_nodes_take_seconds() -> None:
    for name, make in MILLION.items():
        make(1000)  # loads what is compiled
        spent = time.process_time()
        network = make(10**6)
        spent = time.process_time() - spent
        assert spent < 5, (name, spent)
        assert network.out_degree().mean() == pytest.approx(10, rel=0.001)
        assert network.equals(Network(network.indptr, network.indices, directed=network.directed))
        if network.directed:
            spent = time.process_time()
            turned = network.reverse()
            assert time.process_time() - spent < 2
            assert turned.out_degree().tolist() == network.in_degree().tolist()


def test_homophily_of_many_groups_at_scale() -> None:
    import polars as pl

    n = 100_000
    table = pl.DataFrame({"area": np.arange(n) % 500, "old": np.arange(n) % 3 == 0})
    network = homophily(table, {"area": 2000.0, "old": 3.0}, mean_degree=10, rng=1)
    source, target = (table[ends] for ends in network.edges())
    # of the pairs of an area 2000 times as likely as others, 499 times as many
    assert (source["area"] == target["area"]).mean() == pytest.approx(2000 / 2499, abs=0.02)
    assert network.degree().mean() == pytest.approx(10, rel=0.02)
