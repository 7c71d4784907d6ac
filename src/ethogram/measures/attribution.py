"""Attribution: how much each part (of a prompt, of a team) contributes to what all of them do together."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.measures.estimate import Estimate, check_level
from ethogram.measures.means import mean
from ethogram.seeds import generator

__all__ = [
    "FEW",
    "coalitions",
    "efficiency_residual",
    "leave_one_out",
    "mean_values",
    "noise_share",
    "shapley",
    "shapley_values",
]

Array = NDArray[np.float64]
FEW = 12
"""Up to so many parts all coalitions are evaluated (4,096)."""
RESAMPLES = 2000


def shapley(
    worth: Callable[[frozenset[str]], float],
    parts: Sequence[str],
    *,
    permutations: int | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Shapley values: the mean of what a part adds, over all orders in which parts can come together (Shapley 1953).

    The values sum to `worth(all) - worth(none)`, exactly, and in each order that is drawn.

    Args:
        worth: what a coalition of parts is worth. Each coalition is asked for once.
        parts: the names of the parts.
        permutations: how many orders are drawn, each with its reverse (Mitchell et al. 2022), which counts as one draw; at
            least 2. None: all coalitions are evaluated, of at most `FEW` parts, and the values are exact.
        seed: of the orders.
        level: coverage of the intervals (Student's t over draws; with fewer than some 30 draws they lean narrow).

    Raises:
        ConfigError: no parts, two of one name, too many for all coalitions, or fewer than two draws.
    """
    names = list(parts)
    if not names or len(set(names)) < len(names):
        raise ConfigError("shapley: give at least one part, and each a name of its own")
    known: dict[frozenset[str], float] = {}

    def value(coalition: frozenset[str]) -> float:
        if coalition not in known:
            known[coalition] = float(worth(coalition))
        return known[coalition]

    if permutations is None:
        if len(names) > FEW:
            raise ConfigError(
                f"shapley: {len(names)} parts have {2 ** len(names):,} coalitions: say how many permutations to draw"
            )
        exact = shapley_values([value(coalition) for coalition in coalitions(names)])
        return {name: Estimate.exact(float(one), method="all coalitions") for name, one in zip(names, exact, strict=True)}
    if permutations < 2:
        raise ConfigError(f"shapley: permutations={permutations}: an interval needs at least 2")
    rng = generator(seed, "shapley")
    added = np.zeros((permutations, len(names)))
    for draw in added:
        order = rng.permutation(len(names))
        for turn in (order, order[::-1]):
            coalition: frozenset[str] = frozenset()
            for i in turn:
                more = coalition | {names[i]}
                draw[i] += (value(more) - value(coalition)) / 2
                coalition = more
    return {name: mean(added[:, i], level=level) for i, name in enumerate(names)}


def coalitions(parts: Sequence[str]) -> list[frozenset[str]]:
    """All coalitions of parts, 2^n of them, in binary order: coalition number c holds part i where bit i of c is set."""
    if len(parts) > FEW:
        raise ConfigError(f"coalitions: {len(parts)} parts have {2 ** len(parts):,} of them; at most {FEW} parts are taken")
    return [frozenset(part for i, part in enumerate(parts) if number >> i & 1) for number in range(2 ** len(parts))]


def shapley_values(worths: ArrayLike) -> Array:
    """Exact Shapley values of many games at once.

    Args:
        worths: what each coalition is worth, shape (..., 2^n), in the order of `coalitions`.

    Returns:
        Shape (..., n).
    """
    table, n = _table(worths)
    return table @ _weights(n).T


def leave_one_out(worths: ArrayLike) -> Array:
    """What all parts together lose without each one, shape (..., n): the baseline that is asked for with n + 1 prompts."""
    table, n = _table(worths)
    last = 2**n - 1
    return np.stack([table[..., last] - table[..., last - (1 << i)] for i in range(n)], -1)


def efficiency_residual(values: ArrayLike, worths: ArrayLike) -> Array:
    """How far values are from sharing out the worth of all parts: |Σ φ - (v(all) - v(none))|, shape (...)."""
    table, _ = _table(worths)
    return np.abs(np.asarray(values, dtype=float).sum(-1) - (table[..., -1] - table[..., 0]))


def noise_share(
    values: ArrayLike,
    noise: Sequence[bool],
    crossed: Sequence[Sequence[Hashable]] = (),
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """The share of all attribution that goes to parts which say nothing: Σ |φ| of these / Σ |φ| of all, over games.

    Parts that must get nothing are a control: of a chooser who only goes by what matters, the share is 0. Values must be
    exact, or their own error counts as noise.

    Args:
        values: attributions, shape (games, parts).
        noise: which parts say nothing.
        crossed: for games that are built from levels of several factors: the level of each game, factor by factor. Levels
            are then resampled, not games, which share them (the pigeonhole bootstrap of Owen 2007, which errs on the wide
            side).
        seed: of the bootstrap.
        level: coverage of the percentile interval.

    Raises:
        DataError: no part has any effect in any game, so that there is nothing to share.
    """
    sizes = np.abs(_values(values, len(noise)))
    total = sizes.sum(1)
    if not total.any():
        raise DataError("noise_share: no part has any effect: there is nothing of which to take a share")
    return _ratio(sizes[:, np.asarray(noise, dtype=bool)].sum(1), total, crossed, seed, level, "noise share")


def mean_values(
    values: ArrayLike,
    parts: Sequence[str],
    crossed: Sequence[Sequence[Hashable]] = (),
    *,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """The mean attribution of each part over games, with a bootstrap interval; arguments as for `noise_share`."""
    table = _values(values, len(parts))
    ones = np.ones(len(table))
    return {part: _ratio(table[:, i], ones, crossed, seed, level, "mean") for i, part in enumerate(parts)}


def _values(values: ArrayLike, parts: int) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.shape[1] != parts or not len(table) or not np.isfinite(table).all():
        raise DataError(f"attributions must be finite and of shape (games, {parts}), not {table.shape}")
    return table


def _ratio(
    above: Array, below: Array, crossed: Sequence[Sequence[Hashable]], seed: int, level: float, what: str
) -> Estimate:
    """Σ above / Σ below over games, and the interval that resampled games, or levels of them, give."""
    check_level(level)
    n, rng = len(above), generator(seed, "attribution")
    value = float(above.sum() / below.sum())
    factors = [_places(levels, n) for levels in crossed] or [np.arange(n)]
    method = f"{what}, percentile bootstrap of {'levels' if crossed else 'games'} ({RESAMPLES:,})"
    if n == 1:
        return Estimate(value, math.nan, math.nan, 1, method, level)
    weight = np.ones((RESAMPLES, n))
    for places in factors:
        many = int(places.max()) + 1
        weight *= rng.multinomial(many, np.full(many, 1 / many), RESAMPLES)[:, places]
    bottom = weight @ below
    drawn = (weight @ above)[bottom > 0] / bottom[bottom > 0]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, method, level)


def _places(levels: Sequence[Hashable], n: int) -> NDArray[np.int64]:
    if len(levels) != n:
        raise ConfigError(f"crossed: {len(levels)} levels of a factor for {n} games")
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(one, len(known)) for one in levels])


def _table(worths: ArrayLike) -> tuple[Array, int]:
    table = np.asarray(worths, dtype=float)
    n = int(table.shape[-1]).bit_length() - 1 if table.ndim else 0
    if not 1 <= n <= FEW or table.shape[-1] != 2**n:
        raise ConfigError(f"the worths of coalitions must be 2 to {2**FEW:,}, a power of 2, not of shape {table.shape}")
    return table, n


@cache
def _weights(n: int) -> Array:
    """Shapley values as weights of what coalitions are worth, shape (n, 2^n)."""
    found = np.zeros((n, 2**n))
    for number in range(2**n):
        size = number.bit_count()
        for i in range(n):
            if number >> i & 1:
                found[i, number] = math.factorial(size - 1) * math.factorial(n - size) / math.factorial(n)
            else:
                found[i, number] = -math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
    return found
