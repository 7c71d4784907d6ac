"""The usual random and regular networks, as CSR.

Random ones take `rng`, a numpy generator or a seed; all give a simple network: no row tied to itself, no tie twice. Their
loops are compiled when they are first used, and kept on disk: a million nodes of ten ties each then take about a second.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError
from ethogram.populations.csr import csr_of_ties, label_codes
from ethogram.populations.network import Network
from ethogram.populations.streams import as_generator, kernel_state

if TYPE_CHECKING:
    import polars as pl

    from ethogram.populations.population import Population

__all__ = [
    "barabasi_albert",
    "cliques",
    "complete",
    "erdos_renyi",
    "followers",
    "grid",
    "homophily",
    "nearest",
    "ring",
    "stochastic_block",
    "watts_strogatz",
]

Rng = np.random.Generator | int
MOST_EDGES = 2**32
"""The most edges that a network is expected to have."""
MOST_BLOCKS = 4000
"""The most groups of alike agents between which `homophily` can tell."""


def complete(n: int, *, directed: bool = False) -> Network:
    """Every node tied to every other."""
    _at_least(n, 0, "n")
    if n * n > 2**31:
        raise ConfigError(f"A complete network of {n} nodes has {n * (n - 1):.3g} entries, which is too many to hold.")
    others = np.tile(np.arange(max(n - 1, 0), dtype=np.int32), (n, 1))
    others += others >= np.arange(n)[:, None]
    return Network(np.arange(n + 1) * max(n - 1, 0), others.ravel(), directed=directed)


def ring(n: int, k: int) -> Network:
    """A ring in which each node is tied to the `k` nearest (`k` even): half of them on either side."""
    _check_ring(n, k)
    source = np.tile(np.arange(n, dtype=np.int32), k // 2)
    target = source + np.repeat(np.arange(1, k // 2 + 1, dtype=np.int32), n)
    target[target >= n] -= n
    return Network.from_edges(source, target, n)


def grid(rows: int, columns: int, *, periodic: bool = False, moore: bool = False) -> Network:
    """A square lattice; node (r, c) is row `r * columns + c`.

    Args:
        rows: its height.
        columns: its width.
        periodic: whether it wraps round both ways (a torus).
        moore: whether diagonal neighbours are tied too (8 neighbours, not 4).
    """
    _at_least(rows, 1, "rows")
    _at_least(columns, 1, "columns")
    r, c = (place.ravel() for place in np.indices((rows, columns)))
    sources, targets = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)) if moore else ((0, 1), (1, 0)):
        to_r, to_c = r + down, c + right
        if periodic:
            to_r, to_c = to_r % rows, to_c % columns
        tied = (to_r >= 0) & (to_r < rows) & (to_c >= 0) & (to_c < columns) & ((to_r != r) | (to_c != c))
        sources.append((r * columns + c)[tied])
        targets.append((to_r * columns + to_c)[tied])
    return Network.from_edges(np.concatenate(sources), np.concatenate(targets), rows * columns)


def cliques(labels: Sequence[Hashable] | NDArray[Any] | pl.Series) -> Network:
    """Everybody tied to all of the same label: households, school classes, workplaces.

    `labels` has one value a node; those whose label is None are tied to nobody.
    """
    array = labels if isinstance(labels, np.ndarray) and labels.dtype != object else None
    named = [(i,) if label is None else label for i, label in enumerate(labels)] if array is None else array
    code = label_codes(named)
    certain = np.ones(int(code.max()) + 1 if len(code) else 0)
    return tied_within(code, certain, np.random.default_rng(0))  # what is certain draws no random numbers


def tied_within(blocks: NDArray[np.int64], p: NDArray[np.float64], rng: np.random.Generator) -> Network:
    """Every two nodes of the same block tied with the probability `p[block]`; nodes of a block below 0 with nobody.

    Args:
        blocks: the block of each node, shape (n,).
        p: a probability for each block, shape (blocks,).
        rng: random generator.
    """
    from ethogram.populations.growth_kernels import within_blocks

    members, start = _members(blocks, len(p))
    size = np.diff(start).astype(np.float64)
    expected = float(p @ (size * (size - 1))) / 2
    return _of_kernel(within_blocks, (p, start, members), len(blocks), expected, rng, directed=False)


def erdos_renyi(n: int, p: float, *, directed: bool = False, rng: Rng) -> Network:
    """Every pair of nodes (every ordered pair, if directed) tied with probability `p`, each independently.

    For a mean degree (out-degree) of d give p = d / (n - 1).
    """
    _at_least(n, 0, "n")
    return stochastic_block(np.zeros(n, dtype=np.int64), [[p]], directed=directed, rng=as_generator(rng, "erdos_renyi"))


def watts_strogatz(n: int, k: int, p: float, *, rng: Rng) -> Network:
    """A small world: a ring of `k` neighbours each, every tie of which is moved to a random end with probability `p`.

    Watts and Strogatz (1998), "Collective dynamics of 'small-world' networks", methods: lap by lap, tie (i, i + lap) keeps i
    and gets a uniform new end that makes it neither a loop nor a double.
    """
    _check_ring(n, k)
    _check_share(p, "p")
    from ethogram.populations.growth_kernels import small_world

    target = small_world(n, k // 2, p, kernel_state(as_generator(rng, "watts_strogatz")))
    return _simple(np.repeat(np.arange(n, dtype=np.int32), k // 2), target.ravel(), n)


def barabasi_albert(n: int, m: int, *, rng: Rng) -> Network:
    """Growth by preferential attachment: each new node is tied to `m` others, chosen in proportion to their degree.

    Barabási and Albert (1999), "Emergence of scaling in random networks"; degrees have a tail of exponent 3. Growth starts
    from a star of m + 1 nodes. Nodes take rows in random order, so that a row's number does not tell its age.
    """
    _at_least(m, 1, "m")
    _at_least(n, m + 1, "n")
    from ethogram.populations.growth_kernels import attach

    stream = as_generator(rng, "barabasi_albert")
    target = attach(n, m, kernel_state(stream))
    row = stream.permutation(n).astype(np.int32)
    return _simple(np.concatenate([row[1 : m + 1], np.repeat(row[m + 1 :], m)]), row[target], n)


def followers(n: int, m: int, *, attractiveness: float = 1.0, follow_back: float = 0.0, rng: Rng) -> Network:
    """Who follows whom: each new node follows `m` others, chosen in proportion to followers + `attractiveness`.

    Price (1976), "A general theory of bibliometric and other cumulative advantage processes": numbers of followers have a
    tail of exponent 2 + attractiveness / m. An edge points to the one followed; `reverse()` lists followers. Nodes take rows
    in random order, so that a row's number does not tell its age.

    Args:
        n: number of nodes.
        m: whom a new node follows (fewer while there are fewer).
        attractiveness: above 0; the larger, the more equal the numbers of followers.
        follow_back: probability that one who is followed follows back, which makes the reciprocity 2f / (1 + f). Without it
            edges only lead to older nodes, and nothing said by a newcomer spreads far.
        rng: random generator, or a seed.
    """
    _at_least(n, 1, "n")
    _at_least(m, 1, "m")
    if not 0 < attractiveness < float("inf"):
        raise ConfigError(f"attractiveness must be a number above 0, not {attractiveness}.")
    _check_share(follow_back, "follow_back")
    from ethogram.populations.growth_kernels import follow

    stream = as_generator(rng, "followers")
    target = follow(n, m, attractiveness, kernel_state(stream))
    row = stream.permutation(n).astype(np.int32)
    source, target = np.repeat(row, np.minimum(np.arange(n), m)), row[target]
    if follow_back:
        back = stream.random(len(source)) < follow_back
        source, target = np.concatenate([source, target[back]]), np.concatenate([target, source[back]])
    return _simple(source, target, n, directed=True)


def stochastic_block(
    labels: Sequence[int] | NDArray[np.integer], densities: ArrayLike, *, directed: bool = False, rng: Rng
) -> Network:
    """Every pair of nodes tied with a probability that depends on the blocks of the two.

    Holland, Laskey and Leinhardt (1983), "Stochastic blockmodels: first steps".

    Args:
        labels: the block of each node, from 0, shape (n,).
        densities: probability of an edge from a node of block a to one of block b, shape (blocks, blocks); symmetric if
            undirected.
        directed: whether edges have a direction.
        rng: random generator, or a seed.
    """
    label, p = np.asarray(labels), np.asarray(densities, dtype=np.float64)
    blocks = len(p)
    if p.shape != (blocks, blocks) or not ((p >= 0) & (p <= 1)).all() or not (directed or np.array_equal(p, p.T)):
        raise ConfigError("densities must be a square matrix of probabilities, symmetric in an undirected network.")
    if label.size and (not np.issubdtype(label.dtype, np.integer) or label.min() < 0 or label.max() >= blocks):
        raise ConfigError(f"labels must be whole numbers from 0 to {blocks - 1}, the blocks of the densities.")
    from ethogram.populations.growth_kernels import between_blocks

    members, start = _members(label, blocks)
    size = np.diff(start).astype(np.float64)
    expected = float(size @ p @ size - size @ np.diag(p)) / (1 if directed else 2)
    stream = as_generator(rng, "stochastic_block")
    return _of_kernel(between_blocks, (p, start, members, directed), len(label), expected, stream, directed)


def homophily(
    population: Population | pl.DataFrame,
    ratios: Mapping[str, float],
    mean_degree: float,
    *,
    directed: bool = False,
    rng: Rng,
) -> Network:
    """Ties that prefer the alike: a stochastic block network over groups of agents that share attributes.

    A pair alike in an attribute is tied `ratios[attribute]` times as likely as one that is not, all else equal; ratios of
    several attributes multiply. `Network.assortativity` measures the result.

    Args:
        population: the agents, or their table.
        ratios: attribute (column of few distinct values) to ratio: 1 no preference, below 1 preference for the unlike.
        mean_degree: mean number of ties of an agent (of out-going ones, if directed).
        directed: whether ties have a direction.
        rng: random generator, or a seed.

    Raises:
        DataError: a column is missing.
        ConfigError: so many ties cannot be had with these ratios, or there are too many distinct groups.
    """
    from ethogram.populations.tables import group_rows

    table = _table(population)
    if not ratios or min(ratios.values()) < 0:
        raise ConfigError("ratios must give at least one attribute a number of 0 or more.")
    if not 0 <= mean_degree < float("inf"):
        raise ConfigError(f"mean_degree must be 0 or more, not {mean_degree}.")
    groups, label = group_rows(table, list(ratios))
    if groups.height > MOST_BLOCKS:
        raise ConfigError(
            f"{', '.join(ratios)} make {groups.height} distinct groups, more than {MOST_BLOCKS}: bin their values."
        )
    relative = np.ones((groups.height, groups.height))
    for attribute, ratio in ratios.items():
        _, level = group_rows(groups, [attribute])
        relative[level[:, None] == level] *= ratio
    size = np.bincount(label, minlength=groups.height).astype(np.float64)
    pairs = np.outer(size, size) - np.diag(size)  # ordered pairs of different agents
    weight = float((relative * pairs).sum())
    densities = relative * (mean_degree * table.height / weight) if weight else relative * 0
    if mean_degree and (weight == 0 or densities[pairs > 0].max() > 1):
        raise ConfigError(f"A mean degree of {mean_degree:g} cannot be had: with these ratios, the alike are too few.")
    densities[pairs == 0] = 0.0
    return stochastic_block(label, densities, directed=directed, rng=as_generator(rng, "homophily"))


def nearest(population: Population | pl.DataFrame, by: Sequence[str], k: int, *, directed: bool = False) -> Network:
    """Each agent tied to the `k` others closest in the numeric columns `by`, each scaled to variance 1.

    Undirected, two are tied if either is among the nearest of the other. Ties in distance fall to the lower row.

    Raises:
        DataError: a column is missing, not numeric, or has missing values.
    """
    from scipy.spatial import KDTree

    from ethogram.errors import DataError

    table = _table(population)
    n = table.height
    _at_least(k, 1, "k")
    _at_least(n - 1, k, "the number of other agents")
    for column in by:
        if column not in table.columns or not table[column].dtype.is_numeric():
            raise DataError(f"nearest needs columns of numbers, but {column!r} is not one.")
    points = table.select(by).to_numpy().astype(np.float64)
    if not by or not np.isfinite(points).all():
        raise DataError(f"nearest needs numbers without gaps in: {', '.join(by) or 'at least one column'}.")
    spread = points.std(axis=0)
    points = points / np.where(spread > 0, spread, 1.0)
    found = np.asarray(KDTree(points).query(points, k=k + 1)[1])
    itself = found == np.arange(n)[:, None]
    itself[~itself.any(axis=1), -1] = True  # crowded out by others at the same point: drop the last instead
    return Network.from_edges(np.repeat(np.arange(n), k), found[~itself], n, directed=directed)


def _table(population: Population | pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return population if isinstance(population, pl.DataFrame) else population.table


def _members(blocks: NDArray[np.integer], n_blocks: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The nodes block by block (leaving out those of a block below 0), and where each block begins and the last one ends."""
    order = np.argsort(blocks, kind="stable").astype(np.int32)
    return order, np.searchsorted(blocks[order], np.arange(n_blocks + 1))


def _of_kernel(
    draw: Callable[..., int], arguments: tuple[Any, ...], n: int, expected: float, rng: np.random.Generator, directed: bool
) -> Network:
    """The network of the edges that a kernel draws, in room for as many as are to be expected."""
    if expected > MOST_EDGES:
        raise ConfigError(f"Such a network of {n} nodes has {expected:.3g} edges, which is too many to hold.")
    state = kernel_state(rng)
    room, edges = 0, int(expected + 5 * expected**0.5) + 10
    source = target = np.zeros(0, dtype=np.int32)
    while edges > room:  # else all were stored; what did not find room is drawn again from the same state
        room = edges
        source, target = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
        edges = draw(*arguments, state.copy(), source, target)
    return _simple(source[:edges], target[:edges], n, directed)


def _simple(source: NDArray[np.int32], target: NDArray[np.int32], n: int, directed: bool = False) -> Network:
    """The network of edges that are known to be those of a simple one."""
    return Network._of_arrays(*csr_of_ties(source, target, n, directed=directed), directed)


def _at_least(value: int, least: int, what: str) -> None:
    if value < least:
        raise ConfigError(f"{what} must be at least {least}, not {value}.")


def _check_share(value: float, what: str) -> None:
    if not 0 <= value <= 1:
        raise ConfigError(f"{what} must be between 0 and 1, not {value}.")


def _check_ring(n: int, k: int) -> None:
    if k < 2 or k % 2 or k >= n:
        raise ConfigError(f"A ring needs an even number of neighbours k of 2 or more and below n, not k={k} and n={n}.")
