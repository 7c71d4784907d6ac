"""The usual random and regular networks, as CSR.

All take `rng`, a numpy generator or a seed, and give a simple network: no row tied to itself, no tie twice. Networks of 10^5
nodes take from a tenth of a second to a few seconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError
from ethogram.populations.csr import label_codes, sorted_distinct
from ethogram.populations.network import Network
from ethogram.populations.streams import as_generator, uniforms

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
    source = np.tile(np.arange(n), k // 2)
    return Network.from_edges(source, (source + np.repeat(np.arange(1, k // 2 + 1), n)) % n, n)


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
    code = label_codes((i,) if label is None else label for i, label in enumerate(labels))
    order = np.argsort(code, kind="stable")
    grouped = code[order]
    largest = int(np.bincount(code).max()) if len(code) else 0
    pairs = [
        (order[:-apart][alike], order[apart:][alike])
        for apart in range(1, largest)
        for alike in [grouped[:-apart] == grouped[apart:]]
    ]
    source, target = (np.concatenate([pair[end] for pair in pairs]) if pairs else np.zeros(0, int) for end in (0, 1))
    return Network.from_edges(source, target, len(code))


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
    stream = as_generator(rng, "watts_strogatz")
    source = np.tile(np.arange(n), k // 2)
    target = (source + np.repeat(np.arange(1, k // 2 + 1), n)) % n
    ties = set((np.minimum(source, target) * n + np.maximum(source, target)).tolist())
    degree = np.full(n, k).tolist()
    draw = uniforms(stream)
    for edge in np.flatnonzero(stream.random(len(source)) < p).tolist():
        i, old = int(source[edge]), int(target[edge])
        if degree[i] >= n - 1:  # tied to all others: nowhere to move to
            continue
        new = i
        while new == i or (min(i, new) * n + max(i, new)) in ties:
            new = int(next(draw) * n)
        ties.remove(min(i, old) * n + max(i, old))
        ties.add(min(i, new) * n + max(i, new))
        target[edge] = new
        degree[old] -= 1
        degree[new] += 1
    return Network.from_edges(source, target, n)


def barabasi_albert(n: int, m: int, *, rng: Rng) -> Network:
    """Growth by preferential attachment: each new node is tied to `m` others, chosen in proportion to their degree.

    Barabási and Albert (1999), "Emergence of scaling in random networks"; degrees have a tail of exponent 3. Growth starts
    from a star of m + 1 nodes. Nodes take rows in random order, so that a row's number does not tell its age.
    """
    _at_least(m, 1, "m")
    _at_least(n, m + 1, "n")
    stream = as_generator(rng, "barabasi_albert")
    ends = [0] * m + list(range(1, m + 1))  # each node as often as it has ties
    draw = uniforms(stream)
    for node in range(m + 1, n):
        chosen: list[int] = []
        while len(chosen) < m:
            target = ends[int(next(draw) * len(ends))]
            if target not in chosen:
                chosen.append(target)
        ends += chosen
        ends += [node] * m
    # the star, then for each later node m targets followed by m times itself
    later = np.array(ends[2 * m :], dtype=np.int64).reshape(-1, 2, m)
    source = np.concatenate([np.zeros(m, dtype=np.int64), later[:, 0].ravel()])
    target = np.concatenate([np.arange(1, m + 1), later[:, 1].ravel()])
    row = stream.permutation(n)
    return Network.from_edges(row[source], row[target], n)


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
    stream = as_generator(rng, "followers")
    followed: list[int] = []  # each node as often as it has followers
    counts = np.minimum(np.arange(n), m)
    draw = uniforms(stream)
    for node in range(1, n):
        chosen: list[int] = []
        while len(chosen) < min(m, node):
            at = next(draw) * (len(followed) + attractiveness * node)
            target = followed[int(at)] if at < len(followed) else int(next(draw) * node)
            if target not in chosen:
                chosen.append(target)
        followed += chosen
    row = stream.permutation(n)
    source, target = row[np.repeat(np.arange(n), counts)], row[np.array(followed, dtype=np.int64)]
    back = stream.random(len(source)) < follow_back
    source, target = np.concatenate([source, target[back]]), np.concatenate([target, source[back]])
    return Network.from_edges(source, target, n, directed=True)


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
    stream = as_generator(rng, "stochastic_block")
    label = label.astype(np.int64)
    size = np.bincount(label, minlength=blocks).astype(np.int64)
    a, b = np.indices(p.shape).reshape(2, -1) if directed else np.triu_indices(blocks)
    possible = _pairs(size, a, b, directed)
    block, code = _distinct(possible, stream.binomial(possible, p[a, b]), stream)
    a, b = a[block], b[block]
    i, j = _pair_of(code, a == b, size[b], directed)
    members, start = np.argsort(label, kind="stable"), np.cumsum(size) - size
    return Network.from_edges(members[start[a] + i], members[start[b] + j], len(label), directed=directed)


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


def _pairs(size: NDArray[np.int64], a: NDArray[Any], b: NDArray[Any], directed: bool) -> NDArray[np.int64]:
    """The number of pairs between blocks a and b that can be tied."""
    inner = size[a] * (size[a] - 1)
    return np.where(a == b, inner if directed else inner // 2, size[a] * size[b])


def _pair_of(
    code: NDArray[np.int64], inner: NDArray[np.bool_], size: NDArray[np.int64], directed: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pair of members (from 0, within their blocks) that a code below `_pairs` stands for."""
    if directed:
        i, j = np.divmod(code, np.maximum(np.where(inner, size - 1, size), 1))
        return i, j + (inner & (j >= i))
    i, j = np.divmod(code, np.maximum(size, 1))
    # within a block: code = i (i - 1) / 2 + j with j < i; the root is off by at most one
    high = ((1 + np.sqrt(1 + 8 * code.astype(np.float64))) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > code
    high += high * (high + 1) // 2 <= code
    return np.where(inner, high, i), np.where(inner, code - high * (high - 1) // 2, j)


def _distinct(
    possible: NDArray[np.int64], counts: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each block b, `counts[b]` distinct codes below `possible[b]`, uniformly: their blocks, and the codes.

    Drawing until enough differ gives a uniform subset; blocks that are more than a quarter full are shuffled instead.
    """
    dense = (counts * 4 > possible) & (possible > 64)
    start = np.cumsum(possible) - possible
    keys = [start[b] + rng.choice(possible[b], counts[b], replace=False, shuffle=False) for b in np.flatnonzero(dense)]
    missing = np.where(dense, 0, counts)
    found = np.zeros(0, dtype=np.int64)
    while missing.any():
        block = np.repeat(np.arange(len(possible)), missing)
        found = sorted_distinct(np.concatenate([found, start[block] + rng.integers(0, possible[block])]))
        # of blocks that start together all but the last are empty, and the last is what searchsorted finds
        block = np.searchsorted(start, found, side="right") - 1
        missing = np.where(dense, 0, counts) - np.bincount(block, minlength=len(possible))
    key = np.concatenate([found, *keys])
    block = np.searchsorted(start, key, side="right") - 1
    return block, key - start[block]


def _at_least(value: int, least: int, what: str) -> None:
    if value < least:
        raise ConfigError(f"{what} must be at least {least}, not {value}.")


def _check_share(value: float, what: str) -> None:
    if not 0 <= value <= 1:
        raise ConfigError(f"{what} must be between 0 and 1, not {value}.")


def _check_ring(n: int, k: int) -> None:
    if k < 2 or k % 2 or k >= n:
        raise ConfigError(f"A ring needs an even number of neighbours k of 2 or more and below n, not k={k} and n={n}.")
