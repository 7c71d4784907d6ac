"""Attribution: how much each part (of a prompt, of a team) contributes to what all of them do together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from ethogram.errors import ConfigError
from ethogram.measures.estimate import Estimate
from ethogram.measures.means import mean
from ethogram.seeds import generator

__all__ = ["FEW", "shapley"]

FEW = 12
"""Up to so many parts all coalitions are evaluated (4,096)."""


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
        return {name: Estimate.exact(_exact(name, names, value), method="all coalitions") for name in names}
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


def _exact(name: str, names: Sequence[str], value: Callable[[frozenset[str]], float]) -> float:
    others, n = [other for other in names if other != name], len(names)
    total = 0.0
    for size in range(n):
        weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
        for chosen in combinations(others, size):
            coalition = frozenset(chosen)
            total += weight * (value(coalition | {name}) - value(coalition))
    return total
