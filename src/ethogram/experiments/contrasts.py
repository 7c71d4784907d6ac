"""Contrasts: what a hypothesis asks of the means under all conditions, as weights; and whether a layout can answer it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.experiments.layouts import Factor, Layout, combinations

__all__ = [
    "Contrast",
    "Weights",
    "anything",
    "check_contrast",
    "check_family",
    "difference",
    "helmert",
    "interaction",
    "term_weights",
    "trend",
    "weights",
]


@dataclass(frozen=True)
class Contrast:
    """A question about the treatments. Made by `difference`, `trend`, `interaction` and `anything`."""

    kind: Literal["difference", "trend", "interaction", "anything"]
    factors: tuple[str, ...]
    levels: tuple[Any, Any] | None = None
    smallest: float | None = None
    """The smallest effect that would matter: what power is counted for, and what a null result is held against."""

    @property
    def name(self) -> str:
        """As in `persona: generous - selfish`, `slope over dose`, `persona x stakes`."""
        if self.kind == "difference" and self.levels is not None:
            return f"{self.factors[0]}: {self.levels[1]} - {self.levels[0]}"
        term = " x ".join(self.factors)
        return {"difference": term, "trend": f"slope over {term}", "interaction": term, "anything": f"any of {term}"}[
            self.kind
        ]


def difference(factor: str, levels: Sequence[Any] | None = None, *, smallest: float | None = None) -> Contrast:
    """The mean at the second of two levels minus that at the first, other factors averaged over.

    Args:
        factor: its name.
        levels: first and second; may be left out where there are only two.
        smallest: effect that would matter.
    """
    if levels is not None and len(levels) != 2:
        raise ConfigError(f"a difference is between two levels of {factor!r}, not {len(levels)}")
    pair = None if levels is None else (levels[0], levels[1])
    return Contrast("difference", (factor,), pair, smallest)


def trend(factor: str, *, smallest: float | None = None) -> Contrast:
    """The slope of the least-squares line through the means over the numeric levels of a factor: dose and response."""
    return Contrast("trend", (factor,), None, smallest)


def interaction(*factors: str, smallest: float | None = None) -> Contrast:
    """By how much the effect of one factor differs between the levels of the other(s): a difference of differences.

    A factor of more than two levels must be numeric: it takes part with its slope.
    """
    return Contrast("interaction", factors, None, smallest)


def anything(*factors: str) -> Contrast:
    """Whether a factor of any number of levels, or an interaction of several, has any effect (analysis of variance)."""
    return Contrast("anything", factors)


class Weights(NamedTuple):
    """A contrast as weights: its value is the sum of cell weight x condition weight x mean."""

    cells: NDArray[np.float64]
    """Shape (cells,)."""
    conditions: NDArray[np.float64]
    """Shape (conditions,)."""


def check_contrast(contrast: Contrast, layout: Layout) -> None:
    """ConfigError where the layout cannot answer what the contrast asks."""
    treatments = {factor.name: factor for factor in (*layout.between, *layout.within)}
    where = f"the registered analysis ({contrast.name})"
    for name in contrast.factors:
        if name not in treatments:
            known = ", ".join(treatments) or "none"
            raise ConfigError(f"{where} is about {name!r}, which is no treatment of this design; treatments are: {known}")
    if len(set(contrast.factors)) < len(contrast.factors) or len(contrast.factors) < 1 + (contrast.kind == "interaction"):
        raise ConfigError(f"{where} needs {'two or more' if contrast.kind == 'interaction' else 'one or more'} factors")
    if layout.error_freedom < 1:
        raise ConfigError(f"{where} needs two units a cell or several blocks: {layout.n} in all leave no error to judge by")
    if contrast.kind == "anything":
        if layout.fraction:
            raise ConfigError(f"{where} is not for a fraction: ask for differences and interactions")
        return
    for name in contrast.factors:
        _vector(contrast, treatments[name], where)
    if layout.fraction:
        term = frozenset(contrast.factors) & {factor.name for factor in layout.between}
        if frozenset() in layout.aliases(term):
            raise ConfigError(f"{where} cannot be told from the mean in this fraction")


def weights(contrast: Contrast, layout: Layout) -> Weights:
    """The weights of a contrast that is not `anything`."""
    treatments = (layout.between, layout.cells), (layout.within, layout.conditions)
    found = []
    for factors, points in treatments:
        vectors = [
            _vector(contrast, f, "") if f.name in contrast.factors else np.full(len(f.levels), 1 / len(f.levels))
            for f in factors
        ]
        plain = [math.prod(float(v[i]) for v, i in zip(vectors, point, strict=True)) for point in points]
        found.append(np.array(plain) * len(combinations(factors)) / len(points))
    return Weights(*found)


def term_weights(contrast: Contrast, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Orthonormal contrasts that span a term of the analysis of variance, shapes (k, cells) and (m, conditions)."""
    found = []
    for factors in (layout.between, layout.within):
        rows = np.ones((1, 1))
        for factor in factors:
            n = len(factor.levels)
            own = helmert(n) if factor.name in contrast.factors else np.full((1, n), n**-0.5)
            rows = np.kron(rows, own)
        found.append(rows)
    return found[0], found[1]


def _vector(contrast: Contrast, factor: Factor, where: str) -> NDArray[np.float64]:
    """The weights of a factor's levels."""
    levels = list(factor.levels)
    if contrast.kind == "difference" and contrast.levels is not None:
        if missing := [level for level in contrast.levels if level not in levels]:
            raise ConfigError(f"{where}: {factor.name!r} has no level {missing[0]!r}; it has {levels}")
        found = np.zeros(len(levels))
        found[levels.index(contrast.levels[0])], found[levels.index(contrast.levels[1])] = -1, 1
        return found
    if contrast.kind != "trend" and len(levels) == 2:
        return np.array([-1.0, 1.0])
    if not factor.numeric:
        raise ConfigError(
            f"{where}: {factor.name!r} has {len(levels)} levels that are not numbers: name two of them for a difference, or "
            "ask for anything()"
        )
    if contrast.kind == "difference":
        raise ConfigError(f"{where}: {factor.name!r} has {len(levels)} levels: name two of them, or ask for a trend")
    x = np.array(levels, float)
    x -= x.mean()
    return x / (x @ x)


def helmert(n: int) -> NDArray[np.float64]:
    """Orthonormal rows that sum to zero, shape (n - 1, n)."""
    rows = np.zeros((n - 1, n))
    for i in range(1, n):
        rows[i - 1, :i], rows[i - 1, i] = 1, -i
        rows[i - 1] /= math.sqrt(i * (i + 1))
    return rows


def check_family(contrasts: Sequence[Contrast], layout: Layout) -> None:
    """ConfigError where a fraction confounds two of the contrasts with each other, or two are the same."""
    if len({c.name for c in contrasts}) < len(contrasts):
        raise ConfigError(f"a contrast is registered twice: {', '.join(c.name for c in contrasts)}")
    for a, b in itertools.combinations(contrasts, 2):
        if layout.fraction and frozenset(b.factors) in layout.aliases(frozenset(a.factors)):
            raise ConfigError(
                f"in this fraction {a.name!r} cannot be told from {b.name!r}: leave one out, or run more cells"
            )
