"""Archetypes: many agents alike in what matters, played by one model call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.persona import Persona
from ethogram.populations.population import Population
from ethogram.populations.streams import as_generator
from ethogram.populations.tables import group_rows

__all__ = ["Archetypes", "archetypes"]


@dataclass(frozen=True)
class Archetypes:
    """The distinct combinations of some attributes in a population, and which agent is of which.

    Attributes:
        population: one row an archetype: `name` (`archetype-1`, …), the attributes, and `count`, its number of agents. It
            can be simulated, or rendered for prompts, like any other.
        group: the archetype (row of `population`) of each agent, int64, shape (agents,).
        by: the attributes.
    """

    population: Population
    group: NDArray[np.int64]
    by: tuple[str, ...]

    def __len__(self) -> int:
        """The number of archetypes."""
        return len(self.population)

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of agents of each archetype, shape (archetypes,)."""
        return self.population.table["count"].to_numpy().astype(np.int64)

    def expand(self, values: ArrayLike) -> NDArray[Any]:
        """What belongs to each archetype, given to each of its agents: shape (archetypes, …) to (agents, …)."""
        array = np.asarray(values)
        if array.ndim == 0 or len(array) != len(self):
            raise DataError(f"There must be one value for each of {len(self)} archetypes, not shape {array.shape}.")
        return array[self.group]

    def draw(self, probabilities: ArrayLike, rng: np.random.Generator | int) -> NDArray[np.int64]:
        """Each agent's own option, drawn from the distribution of its archetype.

        Args:
            probabilities: shape (archetypes, options); each row adds up to 1.
            rng: random generator, or a seed.

        Returns:
            The option of each agent, int64, shape (agents,).
        """
        p = np.asarray(probabilities, dtype=np.float64)
        if p.ndim != 2 or len(p) != len(self) or not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-6):
            raise DataError(f"There must be one row of probabilities that add up to 1 for each of {len(self)} archetypes.")
        below = np.cumsum(p, axis=1)
        below /= below[:, -1:]
        u = as_generator(rng, "archetypes").random(len(self.group))
        chosen = np.zeros(len(u), dtype=np.int64)
        for option in range(p.shape[1] - 1):  # a loop over options keeps memory at one number an agent
            chosen += u >= below[self.group, option]
        return chosen


def archetypes(population: Population, by: Sequence[str], *, persona_type: type[Persona] = Persona) -> Archetypes:
    """The archetypes of a population: its distinct combinations of the columns `by`, in order of first appearance.

    Args:
        population: the agents.
        by: columns of few distinct values (bin numbers first); missing values are a value of their own.
        persona_type: the type of the personas of the archetypes.

    Raises:
        ConfigError: `by` is empty, or has `name` or `count`.
        DataError: a column is missing.
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    if not by or {"name", "count"} & set(by):
        raise ConfigError("Archetypes need one or more columns, other than name and count, that they share.")
    groups, group = group_rows(population.table, by)
    names = pl.Series("name", [f"archetype-{i}" for i in range(1, groups.height + 1)], dtype=pl.String)
    counts = pl.Series("count", np.bincount(group, minlength=groups.height), dtype=pl.Int64)
    table = groups.insert_column(0, names).with_columns(counts)
    return Archetypes(Population(table, persona_type=persona_type), group, by)
