"""Random and regular networks against the properties that define them."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import combinations, product

import networkx as nx
import numpy as np
import polars as pl
import pytest
from scipy import stats

from ethogram.errors import ConfigError, DataError
from ethogram.populations import (
    Network,
    Population,
    barabasi_albert,
    cliques,
    complete,
    configuration,
    erdos_renyi,
    followers,
    grid,
    homophily,
    nearest,
    random_regular,
    rewire,
    ring,
    stochastic_block,
    watts_strogatz,
)

RANDOM: dict[str, Callable[[int], Network]] = {
    "erdos_renyi": lambda seed: erdos_renyi(60, 0.1, rng=seed),
    "erdos_renyi directed": lambda seed: erdos_renyi(60, 0.1, directed=True, rng=seed),
    "watts_strogatz": lambda seed: watts_strogatz(60, 6, 0.3, rng=seed),
    "barabasi_albert": lambda seed: barabasi_albert(60, 3, rng=seed),
    "followers": lambda seed: followers(60, 3, follow_back=0.3, rng=seed),
    "stochastic_block": lambda seed: stochastic_block([0, 1] * 30, [[0.3, 0.1], [0.1, 0.2]], rng=seed),
    "configuration": lambda seed: configuration([3] * 60, rng=seed),
    "configuration directed": lambda seed: configuration([2] * 60, [2] * 60, rng=seed),
    "random_regular": lambda seed: random_regular(60, 4, rng=seed),
    "rewire": lambda seed: rewire(ring(60, 4), rng=seed),
}


@pytest.mark.parametrize("name", RANDOM)
def test_same_seed_same_network(name: str) -> None:
    make = RANDOM[name]
    assert make(5).equals(make(5))
    assert not make(5).equals(make(6))


def inside(count: float, n: int, p: float) -> bool:
    """Whether a binomial count is within its central 99.9999 % interval."""
    low, high = stats.binom.interval(0.999999, n, p)
    return bool(low <= count <= high)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("p", [0.0, 0.01, 0.3, 0.9, 1.0])
def test_erdos_renyi_has_the_expected_number_of_edges(directed: bool, p: float) -> None:
    n = 200
    network = erdos_renyi(n, p, directed=directed, rng=2)
    assert network.directed == directed
    assert inside(network.n_edges, n * (n - 1) // (1 if directed else 2), p)


@pytest.mark.parametrize(("n", "directed"), [(4, False), (3, True)])
def test_erdos_renyi_gives_every_graph_equally_often(n: int, directed: bool) -> None:
    rng = np.random.default_rng(1)
    seen = Counter()
    for _ in range(3200):
        network = erdos_renyi(n, 0.5, directed=directed, rng=rng)
        seen[network.indptr.tobytes() + network.indices.tobytes()] += 1
    assert len(seen) == 64  # two to the number of pairs
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_erdos_renyi_degrees_are_binomial() -> None:
    degree = erdos_renyi(20_000, 6 / 19_999, rng=4).degree()
    expected = stats.binom.pmf(np.arange(15), 19_999, 6 / 19_999) * 20_000
    observed = np.bincount(degree, minlength=15)[:15]
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4


@pytest.mark.parametrize(("n", "k"), [(20, 2), (20, 4), (31, 10), (30, 8)])
def test_clustering_of_the_ring_is_that_of_the_formula(n: int, k: int) -> None:
    network = ring(n, k)
    assert network.degree().tolist() == [k] * n
    assert network.average_clustering() == pytest.approx(3 * (k - 2) / (4 * (k - 1)))
    assert network.equals(Network.from_networkx(nx.watts_strogatz_graph(n, k, 0.0), range(n)))  # pyright: ignore


def test_watts_strogatz_between_ring_and_random() -> None:
    n, k = 4000, 10
    assert watts_strogatz(n, k, 0.0, rng=1).equals(ring(n, k))
    lattice = ring(n, k).average_clustering()
    for p in (0.05, 0.2):
        network = watts_strogatz(n, k, p, rng=1)
        assert network.n_edges == n * k // 2
        # Barrat and Weigt (2000): C(p) is C(0) (1 - p)^3 up to terms of the order 1/n
        assert network.average_clustering() == pytest.approx(lattice * (1 - p) ** 3, rel=0.05)
        stayed = np.isin(edge_keys(network), edge_keys(ring(n, k))).sum()
        assert inside(n * k // 2 - stayed, n * k // 2, p)
    assert watts_strogatz(n, k, 1.0, rng=1).average_clustering() < 0.01
    assert watts_strogatz(n, k, 1.0, rng=1).degree().min() >= k // 2  # each node keeps its own half
    assert watts_strogatz(5, 4, 1.0, rng=1).equals(complete(5))  # nowhere to move to


def test_watts_strogatz_gives_every_graph_as_often_as_networkx() -> None:
    n, k, p, draws = 5, 2, 0.7, 2500
    rng, luck = np.random.default_rng(11), random.Random(11)
    ours = Counter(watts_strogatz(n, k, p, rng=rng).to_scipy().toarray().astype(bool).tobytes() for _ in range(draws))
    theirs = Counter(
        nx.to_numpy_array(nx.watts_strogatz_graph(n, k, p, seed=luck), range(n)).astype(bool).tobytes() for _ in range(draws)
    )
    common = sorted(graph for graph in ours.keys() | theirs.keys() if ours[graph] + theirs[graph] >= 10)
    assert len(common) > 100
    assert stats.chi2_contingency([[ours[g] for g in common], [theirs[g] for g in common]]).pvalue > 1e-4


def edge_keys(network: Network) -> np.ndarray:
    source, target = network.edges()
    return source * len(network) + target


def tail_exponent(degree: np.ndarray, least: int) -> float:
    """The maximum-likelihood exponent of a discrete power tail (Clauset et al. 2009, eq. 3.7)."""
    tail = degree[degree >= least]
    return 1 + len(tail) / np.log(tail / (least - 0.5)).sum()


def test_barabasi_albert_has_a_power_tail_where_a_random_network_has_none() -> None:
    n, m = 20_000, 5
    network = barabasi_albert(n, m, rng=7)
    degree = network.degree()
    assert network.n_edges == m + (n - m - 1) * m
    # a new node has m ties; those first in the star but its hub may have one
    assert (degree < m).sum() <= m
    # Dorogovtsev, Mendes and Samukhin (2000): p(k) = 2 m (m + 1) / (k (k + 1) (k + 2))
    for k in (5, 6, 7, 10):
        assert inside((degree == k).sum(), n, 2 * m * (m + 1) / (k * (k + 1) * (k + 2)))
    assert 2.7 < tail_exponent(degree, 15) < 3.3
    null = erdos_renyi(n, 2 * m / (n - 1), rng=7).degree()
    assert tail_exponent(null, 15) > 6
    assert degree.max() > 5 * null.max()
    assert abs(stats.spearmanr(np.arange(n), degree).statistic) < 0.05  # rows do not tell age


def test_barabasi_albert_agrees_with_networkx_in_distribution() -> None:
    ours = np.concatenate([barabasi_albert(300, 3, rng=seed).degree() for seed in range(40)])
    theirs = np.concatenate([[d for _, d in nx.barabasi_albert_graph(300, 3, seed=seed).degree] for seed in range(40)])
    cells = np.array([0, 4, 5, 6, 8, 12, 20, 400])
    table = [np.histogram(ours, cells)[0], np.histogram(theirs, cells)[0]]
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_followers_follow_the_law_of_price() -> None:
    n, m, a = 20_000, 4, 2.0
    network = followers(n, m, attractiveness=a, rng=8)
    assert network.directed and network.n_edges == sum(min(i, m) for i in range(n))
    assert sorted(network.out_degree())[m:] == [m] * (n - m)
    assert network.reciprocity() == 0.0
    count = network.in_degree()
    # p(0) = (1 + a/m) / (1 + a + a/m), p(k) / p(k - 1) = (k - 1 + a) / (k + 1 + a + a/m): Newman (2018), chapter 13
    p = (1 + a / m) / (1 + a + a / m)
    for k in range(6):
        assert inside((count == k).sum(), n, p)
        p *= (k + a) / (k + 2 + a + a / m)
    assert 2.2 < tail_exponent(count, 20) < 2.8  # 2 + a / m
    assert followers(n, m, attractiveness=100.0, rng=8).in_degree().max() < count.max() / 3


def test_followers_that_follow_back_are_as_reciprocal_as_said() -> None:
    network = followers(5000, 4, follow_back=0.25, rng=1)
    assert network.reciprocity() == pytest.approx(2 * 0.25 / 1.25, abs=0.02)
    assert followers(500, 4, follow_back=1.0, rng=1).reciprocity() == 1.0


@pytest.mark.parametrize("directed", [False, True])
def test_densities_of_blocks_are_recovered(directed: bool) -> None:
    sizes = [150, 90, 1, 0, 60]
    rng = np.random.default_rng(0)
    p = rng.random((5, 5)) * 0.2
    p[0, 0] = 0.85  # more than a quarter full
    p = p if directed else np.triu(p) + np.triu(p, 1).T
    label = rng.permutation(np.repeat(np.arange(5), sizes))
    network = stochastic_block(label, p, directed=directed, rng=3)
    source, target = (label[ends] for ends in network.edges())
    for a, b in product(range(5), range(5)):
        if not directed and a > b:
            continue
        inner = sizes[a] * (sizes[a] - 1) // (1 if directed else 2)
        possible = inner if a == b else sizes[a] * sizes[b]
        tied = (source == a) & (target == b)
        if not directed and a != b:
            tied |= (source == b) & (target == a)
        assert inside(tied.sum(), possible, p[a, b])


@pytest.mark.parametrize("directed", [False, True])
def test_homophily_ties_the_alike_as_much_more_often_as_said(directed: bool) -> None:
    rng = np.random.default_rng(5)
    n = 3000
    table = pl.DataFrame({"party": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]), "old": rng.random(n) < 0.4})
    network = homophily(table, {"party": 5.0, "old": 0.5}, mean_degree=20, directed=directed, rng=5)
    assert network.out_degree().mean() == pytest.approx(20, rel=0.03)
    source, target = network.edges()
    party, old = table["party"].to_numpy(), table["old"].to_numpy()
    rate = {}
    for same_party, same_old in product([True, False], repeat=2):
        alike = (np.equal.outer(party, party) == same_party) & (np.equal.outer(old, old) == same_old)
        np.fill_diagonal(alike, False)
        tied = ((party[source] == party[target]) == same_party) & ((old[source] == old[target]) == same_old)
        rate[same_party, same_old] = tied.sum() / alike.sum()
    assert rate[True, True] / rate[False, True] == pytest.approx(5, rel=0.12)
    assert rate[True, False] / rate[False, False] == pytest.approx(5, rel=0.12)
    assert rate[True, True] / rate[True, False] == pytest.approx(0.5, rel=0.12)
    assert network.assortativity(table["party"]) > 0.3
    assert network.assortativity(table["old"]) < -0.1


def test_homophily_among_many_small_groups_keeps_the_mean_degree() -> None:
    couples = pl.DataFrame({"couple": [f"c{i // 2}" for i in range(1000)]})
    network = homophily(couples, {"couple": 500.0}, mean_degree=0.8, rng=2)
    pairs = 1000 * 999 // 2
    together = cliques(couples["couple"])
    alike = np.isin(edge_keys(network), edge_keys(together)).sum()
    base = 400 / (500 * 500.0 + (pairs - 500))  # 500 couples, each 500 times as likely as any other pair
    assert inside(alike, 500, 500 * base)
    assert inside(network.n_edges - alike, pairs - 500, base)


def test_homophily_of_no_preference_is_by_chance() -> None:
    table = pl.DataFrame({"name": [f"p{i}" for i in range(2000)], "party": ["a", "b", None, "a"] * 500})
    network = homophily(Population(table), {"party": 1.0}, mean_degree=10, rng=1)
    assert abs(network.assortativity(table["party"])) < 0.03
    only = homophily(table, {"party": 1e9}, mean_degree=10, rng=1)
    assert only.assortativity(table["party"]) > 0.999  # missing values are alike too


def test_grids_equal_those_of_networkx() -> None:
    for rows, columns, periodic in product((1, 2, 3, 5), (1, 2, 4), (False, True)):
        expected = nx.grid_2d_graph(rows, columns, periodic=periodic)
        expected.remove_edges_from(list(nx.selfloop_edges(expected)))
        nodes = list(product(range(rows), range(columns)))
        assert grid(rows, columns, periodic=periodic).equals(Network.from_networkx(expected, nodes)), (rows, columns)  # pyright: ignore
    torus = grid(5, 6, periodic=True, moore=True)
    assert torus.degree().tolist() == [8] * 30
    board = grid(4, 4, moore=True)
    assert board.degree().reshape(4, 4).tolist() == [[3, 5, 5, 3], [5, 8, 8, 5], [5, 8, 8, 5], [3, 5, 5, 3]]


def test_complete_and_cliques() -> None:
    for n in (0, 1, 2, 5):
        assert complete(n).equals(Network.from_networkx(nx.complete_graph(n)))
        assert complete(n, directed=True).n_edges == n * (n - 1)
    households = ["x", "y", "x", "z", "x", "y"]
    network = cliques(households)
    expected = {(i, j) for i, j in combinations(range(6), 2) if households[i] == households[j]}
    assert set(zip(*(ends.tolist() for ends in network.edges()), strict=True)) == expected
    assert cliques(np.zeros(7, dtype=int)).equals(complete(7))
    assert cliques(pl.Series(["x", None, "x", None])).edges()[1].tolist() == [2]
    assert cliques([]).n_edges == 0 and len(cliques([1, 2])) == 2


def test_nearest_finds_the_same_as_looking_at_all_pairs() -> None:
    rng = np.random.default_rng(3)
    table = pl.DataFrame({"x": rng.random(80) * 1000, "y": rng.random(80), "z": [1.0] * 80})
    points = np.column_stack([table["x"] / table["x"].std(ddof=0), table["y"] / table["y"].std(ddof=0)])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    expected = np.sort(np.argsort(distance, axis=1)[:, :4], axis=1)
    network = nearest(table, ["x", "y", "z"], 4, directed=True)
    assert network.indices.reshape(80, 4).tolist() == expected.tolist()
    either = nearest(table, ["x", "y"], 4)
    assert not either.directed and either.degree().min() >= 4
    piled = nearest(pl.DataFrame({"x": [1.0] * 10}), ["x"], 3, directed=True)  # all at one point
    assert piled.out_degree().tolist() == [3] * 10


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: erdos_renyi(10, 1.5, rng=1), "probabilities"),
        (lambda: erdos_renyi(10, float("nan"), rng=1), "probabilities"),
        (lambda: erdos_renyi(-1, 0.5, rng=1), "n must be at least 0"),
        (lambda: erdos_renyi(10, 0.5, rng=np.random.RandomState(1)), "rng must be"),  # pyright: ignore
        (lambda: watts_strogatz(10, 3, 0.1, rng=1), "even number"),
        (lambda: watts_strogatz(10, 10, 0.1, rng=1), "below n"),
        (lambda: watts_strogatz(10, 4, -0.1, rng=1), "p must be between 0 and 1"),
        (lambda: barabasi_albert(3, 3, rng=1), "n must be at least 4"),
        (lambda: barabasi_albert(3, 0, rng=1), "m must be at least 1"),
        (lambda: followers(10, 2, attractiveness=0, rng=1), "attractiveness"),
        (lambda: followers(10, 2, follow_back=2, rng=1), "follow_back"),
        (lambda: stochastic_block([0, 1], [[0.1]], rng=1), "from 0 to 0"),
        (lambda: stochastic_block([0.5], [[0.1]], rng=1), "whole numbers"),  # pyright: ignore
        (lambda: stochastic_block([0, 1], [[0.1, 0.2], [0.3, 0.1]], rng=1), "symmetric"),
        (lambda: grid(0, 3), "rows must be at least 1"),
        (lambda: complete(10**6), "too many"),
        (lambda: cliques(np.zeros(10**6, dtype=int)), "5e\\+11 edges"),
        (lambda: random_regular(5, 3, rng=1), "even"),
        (lambda: rewire(ring(10, 4), swaps=-1, rng=1), "swaps"),
        (lambda: rewire(Network.from_edges([0], [1], 2, weights=[1.0]), rng=1), "unweighted"),
        (lambda: homophily(pl.DataFrame({"a": [1, 2]}), {}, 1, rng=1), "at least one attribute"),
        (lambda: homophily(pl.DataFrame({"a": [1, 2]}), {"a": 2.0}, float("nan"), rng=1), "mean_degree"),
        (lambda: homophily(pl.DataFrame({"a": [1, 2]}), {"a": 2.0}, 5, rng=1), "cannot be had"),
        (lambda: homophily(pl.DataFrame({"a": range(5000)}), {"a": 2.0}, 5, rng=1), "bin their values"),
        (lambda: nearest(pl.DataFrame({"x": [1.0, 2.0]}), ["x"], 2), "other agents"),
    ],
)
def test_impossible_networks_are_refused(make, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: homophily(pl.DataFrame({"a": [1, 2]}), {"b": 2.0}, 1, rng=1), "no column 'b'"),
        (lambda: nearest(pl.DataFrame({"x": ["a", "b"]}), ["x"], 1), "'x' is not one"),
        (lambda: nearest(pl.DataFrame({"x": [1.0, None]}), ["x"], 1), "without gaps"),
        (lambda: configuration([1, 1, 1], rng=1), "even number"),
        (lambda: configuration([3, 1, 0], rng=1), r"gives node 0 \(from 0\) 3 ties"),
        (lambda: configuration([1.5, 0.5], rng=1), "whole numbers"),
        (lambda: configuration([3, 3, 1, 1], rng=1), "No simple network"),
        (lambda: configuration([1, 1], [2, 0], rng=1), "gives node 0"),
        (lambda: configuration([1, 1, 0], [1, 0, 0], rng=1), "same sum"),
        (lambda: configuration([2, 0, 0], [2, 0, 0], rng=1), "No simple network"),
    ],
)
def test_wrong_tables_and_degrees_are_refused(make, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make()
