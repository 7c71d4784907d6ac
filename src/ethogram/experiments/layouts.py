"""Layouts of experiments: factors, who gets which of their levels, and in which order.

A *unit* is what is replicated independently: an agent, a town, a match, with a seed of its own. It has one level of each
*between* factor, drawn at random, and is measured at every combination of levels of the *within* factors, with equal luck.
*Nuisance* factors (a wording, the order of options, a population) are crossed with the treatments and averaged over: those
between units are blocks, within which units are assigned at random; those within units give each unit all of their levels,
each time with other luck.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.seeds import derive, generator

__all__ = ["UNIT", "Factor", "Layout", "Trial", "latin_square", "orders", "rotations"]

UNIT = "unit"
"""The key of an assignment under which `run` finds the unit's own seed: who it is, whatever its luck in a measurement."""


@dataclass(frozen=True)
class Factor:
    """Something that an experiment varies.

    Args:
        name: the key under which `run` finds the level.
        levels: at least two different JSON values; of a factor of two, effects are the second minus the first.
        within: every unit is measured at every level, and not at one only.
        nuisance: crossed with the treatments and averaged over; no hypothesis is about it.

    Raises:
        ConfigError: there are no two levels, or they are not JSON values.
    """

    name: str
    levels: Sequence[Any]
    within: bool = False
    nuisance: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        try:
            texts = [json.dumps(level, sort_keys=True) for level in self.levels]
        except TypeError as error:
            raise ConfigError(f"factor {self.name!r}: levels must be JSON values: {error}") from error
        if len(texts) < 2 or len(set(texts)) < len(texts):
            raise ConfigError(f"factor {self.name!r} needs at least two levels, all of them different; it has {texts}")
        if not self.name or self.name == UNIT:
            raise ConfigError(f"a factor cannot be called {self.name!r}: {UNIT!r} is the unit's own seed")

    @property
    def numeric(self) -> bool:
        """Whether the levels are numbers, so that there can be a trend over them."""
        return all(isinstance(level, int | float) and not isinstance(level, bool) for level in self.levels)


def latin_square(n: int) -> list[list[int]]:
    """Orders of n things in which each stands once at every place, and follows each other thing equally often.

    Williams (Australian Journal of Scientific Research A 2:149, 1949): n orders where n is even, 2n where it is odd.
    """
    first = [(i + 1) // 2 if i % 2 else (n - i // 2) % n for i in range(n)]
    square = [[(item + shift) % n for item in first] for shift in range(n)]
    return square if n % 2 == 0 else square + [row[::-1] for row in square]


def orders(name: str, items: Sequence[Any], within: bool = False) -> Factor:
    """A nuisance factor whose levels are balanced orders of items (options of a question, tasks of a day), as lists."""
    return Factor(name, [[items[i] for i in row] for row in latin_square(len(items))], within, nuisance=True)


def rotations(name: str, items: Sequence[Any], within: bool = False) -> Factor:
    """A nuisance factor whose levels are the cyclic shifts of items (labels of options): each stands once at every place."""
    return Factor(name, [[*items[i:], *items[:i]] for i in range(len(items))], within, nuisance=True)


class Trial(NamedTuple):
    """One measurement of one unit."""

    unit: int
    condition: int
    """Number of the combination of levels of the treatments within units."""
    crossed: int
    """Number of the combination of levels of the nuisance factors within units."""
    repeat: int
    assignment: dict[str, Any]
    seed: int


@dataclass(frozen=True)
class Layout:
    """Factors, and how many units there are of what.

    Args:
        factors: treatments and nuisances.
        units: in each combination of levels of the treatments between units (a *cell*), and in each block.
        repeats: measurements under each condition; they share the unit and differ in luck.
        fraction: of a two-level factorial: for a factor, those whose product of signs it follows, as in `{"d": ("a", "b",
            "c")}` for half of a 2^4 (a 2^(4-1) of resolution IV). These factors are between units.
        seed: of the assignment and of all units.

    Raises:
        ConfigError: names are used twice, or the fraction is none.
    """

    factors: tuple[Factor, ...]
    units: int
    repeats: int = 1
    fraction: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        names = [factor.name for factor in self.factors]
        if len(set(names)) < len(names):
            raise ConfigError(f"two factors have the same name: {', '.join(names)}")
        for name, value in (("units", self.units), ("repeats", self.repeats)):
            if value < 1:
                raise ConfigError(f"{name} is {value}, and must be at least 1")
        for made, of in self.fraction.items():
            known = {factor.name for factor in self.between if len(factor.levels) == 2}
            if unknown := {made, *of} - known:
                raise ConfigError(f"the fraction needs {sorted(unknown)[0]!r} as a factor of two levels between units")
            if made in of or set(of) & set(self.fraction) or len(of) < 2:
                raise ConfigError(f"the fraction makes {made!r} of {', '.join(of)}: give at least two factors of its own")

    def _some(self, within: bool, nuisance: bool) -> tuple[Factor, ...]:
        return tuple(f for f in self.factors if (f.within, f.nuisance) == (within, nuisance))

    @cached_property
    def between(self) -> tuple[Factor, ...]:
        """Treatments of which a unit has one level."""
        return self._some(within=False, nuisance=False)

    @cached_property
    def within(self) -> tuple[Factor, ...]:
        """Treatments of which a unit has all levels."""
        return self._some(within=True, nuisance=False)

    @cached_property
    def cells(self) -> list[tuple[int, ...]]:
        """The combinations of levels of the treatments between units, by their numbers."""
        points = combinations(self.between)
        place = {factor.name: i for i, factor in enumerate(self.between)}

        def in_fraction(point: tuple[int, ...]) -> bool:
            signs = {name: 2 * point[i] - 1 for name, i in place.items()}
            return all(signs[made] == math.prod(signs[name] for name in of) for made, of in self.fraction.items())

        return [point for point in points if in_fraction(point)]

    @cached_property
    def conditions(self) -> list[tuple[int, ...]]:
        """The combinations of levels of the treatments within units."""
        return combinations(self.within)

    @cached_property
    def blocks(self) -> list[tuple[int, ...]]:
        """The combinations of levels of the nuisance factors between units."""
        return combinations(self._some(within=False, nuisance=True))

    @cached_property
    def crossed(self) -> list[tuple[int, ...]]:
        """The combinations of levels of the nuisance factors within units."""
        return combinations(self._some(within=True, nuisance=True))

    @property
    def n(self) -> int:
        """How many units there are."""
        return self.units * len(self.cells) * len(self.blocks)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the outcomes: units, conditions, crossed nuisances, repeats."""
        return self.n, len(self.conditions), len(self.crossed), self.repeats

    @cached_property
    def block_of(self) -> NDArray[np.int64]:
        """The block of each unit, shape (n,)."""
        return np.repeat(np.arange(len(self.blocks)), self.units * len(self.cells))

    @cached_property
    def cell_of(self) -> NDArray[np.int64]:
        """The cell that each unit was assigned to, shape (n,): at random, as many of each cell in every block."""
        dealt = np.repeat(np.arange(len(self.cells)), self.units)
        return np.concatenate([generator(self.seed, "assignment", b).permutation(dealt) for b in range(len(self.blocks))])

    @property
    def error_freedom(self) -> int:
        """Degrees of freedom that the differences among units leave, cells and blocks accounted for."""
        return self.n - len(self.cells) - (len(self.blocks) - 1)

    def trials(self, constants: Mapping[str, Any]) -> list[Trial]:
        """All measurements, unit by unit."""
        blocks, crossed = self._some(within=False, nuisance=True), self._some(within=True, nuisance=True)
        found = []
        for unit, (cell, block) in enumerate(zip(self.cell_of.tolist(), self.block_of.tolist(), strict=True)):
            who = derive(self.seed, "unit", unit)
            fixed = {**constants, UNIT: who, **named(self.between, self.cells[cell]), **named(blocks, self.blocks[block])}
            for (c, condition), (x, nuisance) in itertools.product(enumerate(self.conditions), enumerate(self.crossed)):
                given = {**fixed, **named(self.within, condition), **named(crossed, nuisance)}
                found += [Trial(unit, c, x, r, given, derive(who, "luck", x, r)) for r in range(self.repeats)]
        return found

    def aliases(self, term: frozenset[str]) -> list[frozenset[str]]:
        """The other terms whose effects a fraction cannot tell from this one's; the empty one is the mean."""
        words = [frozenset({made, *of}) for made, of in self.fraction.items()]
        found = []
        for size in range(1, len(words) + 1):
            for some in itertools.combinations(words, size):
                other = term
                for word in some:
                    other = other ^ word
                found.append(other)
        return found


def combinations(factors: Sequence[Factor]) -> list[tuple[int, ...]]:
    """All combinations of the numbers of levels; one empty combination where there are no factors."""
    return list(itertools.product(*(range(len(factor.levels)) for factor in factors)))


def named(factors: Sequence[Factor], point: Sequence[int]) -> dict[str, Any]:
    """The levels of a combination by the factors' names."""
    return {factor.name: factor.levels[i] for factor, i in zip(factors, point, strict=True)}
