"""The layers of daily life: who lives, learns and works together, and the contacts that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.generators import tied_within
from ethogram.populations.group_sizes import count_groups
from ethogram.populations.homes import area_codes, households, whole_ages
from ethogram.populations.network import Network
from ethogram.populations.streams import as_generator

if TYPE_CHECKING:
    import polars as pl

    from ethogram.populations.population import Population

__all__ = ["Schools", "combine", "contacts", "layered", "schools", "workplaces"]

LAYER_WEIGHTS = {"household": 3.0, "school": 0.6, "work": 0.6}
"""How easily an infection passes in a layer, relative to the others (Kerr et al. 2021, "Covasim", beta_layer)."""


class Schools(NamedTuple):
    """Where each person learns, int32, shape (n,) each; -1 for those who go to no school."""

    school: NDArray[np.int32]
    school_class: NDArray[np.int32]
    """The class, numbered through all schools."""


def schools(
    ages: ArrayLike,
    *,
    areas: ArrayLike | pl.Series | None = None,
    school_ages: tuple[int, int] = (6, 17),
    school_size: int = 500,
    class_size: int = 25,
    rng: np.random.Generator | int,
) -> Schools:
    """Send everybody of school age to a school of their area, and to a class of their age there.

    An area has as many schools as bring its pupils closest to `school_size` each, one at least. Its pupils are spread
    evenly: schools of an area differ by one pupil at most, and so do classes of the same age in a school.

    Args:
        ages: of each person, in whole years, shape (n,).
        areas: the area of each person, shape (n,); else all are of one.
        school_ages: the youngest and the oldest who go to school.
        school_size: about how many pupils a school has.
        class_size: how many pupils a class has at most.
        rng: random generator, or a seed.

    Raises:
        DataError: ages are not whole numbers of 0 or more, or there is not one area for each person.
        ConfigError: a size is below 1.
    """
    if school_size < 1 or class_size < 1:
        raise ConfigError(f"Schools and classes need sizes of 1 or more, not {school_size} and {class_size}.")
    age = whole_ages(ages)
    area = np.zeros(len(age), dtype=np.int64) if areas is None else area_codes(areas, len(age))
    pupils = np.flatnonzero((age >= school_ages[0]) & (age <= school_ages[1]))
    pupils = as_generator(rng, "schools").permutation(pupils)
    pupils = pupils[np.lexsort((age[pupils], area[pupils]))]
    rank, first, size = _ranks(area[pupils])
    per_area = np.maximum(np.rint(size / school_size).astype(np.int64), 1)
    # pupils of an area take turns at its schools, which spreads each age evenly as well
    at = (np.cumsum(per_area) - per_area)[first] + rank % per_area[first]
    order = np.lexsort((age[pupils], at))
    pupils, at = pupils[order], at[order]
    rank, first, size = _ranks(at * 1000 + age[pupils])
    per_group = -(-size // class_size)
    found = Schools(np.full(len(age), -1, dtype=np.int32), np.full(len(age), -1, dtype=np.int32))
    found.school[pupils] = at
    found.school_class[pupils] = (np.cumsum(per_group) - per_group)[first] + rank % per_group[first]
    return found


def _ranks(sorted_keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each entry its place within its run of equal keys and the number of that run; and the length of each run."""
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    size = np.diff(starts, append=len(sorted_keys))
    run = np.repeat(np.arange(len(starts)), size)
    return np.arange(len(sorted_keys)) - starts[run], run, size


def workplaces(
    working: NDArray[np.bool_], sizes: Mapping[int, float], *, rng: np.random.Generator | int
) -> NDArray[np.int32]:
    """The workplace of each person, from 0, shape (n,); -1 for those who do not work.

    Workers are placed at random; the numbers of workplaces of each size are those of `count_groups`.

    Args:
        working: whether each person works, shape (n,).
        sizes: the number of people at a workplace to the number, or the share, of such workplaces: counts of a census, or
            `power_law_sizes(2.0, 5000)`.
        rng: random generator, or a seed.

    Raises:
        DataError: `working` is not one truth value a person.
        ConfigError: the sizes make no sense.
    """
    works = np.asarray(working)
    if works.ndim != 1 or works.dtype != np.bool_:
        raise DataError(f"working must be one row of truth values, not {works.dtype} of shape {works.shape}.")
    stream = as_generator(rng, "workplaces")
    workers = np.flatnonzero(works)
    size, count = count_groups(sizes, len(workers), rng=stream)
    size = stream.permutation(np.repeat(size, count))  # so that a workplace's number does not tell its size
    found = np.full(len(works), -1, dtype=np.int32)
    found[stream.permutation(workers)] = np.repeat(np.arange(len(size)), size)
    return found


def contacts(groups: ArrayLike, mean_degree: float | None = None, *, rng: np.random.Generator | int) -> Network:
    """Contacts within groups: all with all in small ones, about `mean_degree` contacts each in larger ones.

    Groups of up to `mean_degree` + 1 members are complete; in larger ones every two meet with the same probability.

    Args:
        groups: the group of each person, from 0, shape (n,); below 0 for those of none.
        mean_degree: of contacts in large groups; without it all groups are complete.
        rng: random generator, or a seed.

    Raises:
        DataError: groups are not whole numbers.
        ConfigError: `mean_degree` is negative.
    """
    group = np.asarray(groups)
    if group.ndim != 1 or (group.size and not np.issubdtype(group.dtype, np.integer)):
        raise DataError("groups must be one row of whole numbers, below 0 for those of no group.")
    if mean_degree is not None and not mean_degree >= 0:
        raise ConfigError(f"mean_degree must be 0 or more, not {mean_degree}.")
    others = np.maximum(np.bincount(group[group >= 0]) - 1, 1)
    p = np.ones(len(others)) if mean_degree is None else np.minimum(mean_degree / others, 1.0)
    return tied_within(group, p, as_generator(rng, "contacts"))


def combine(networks: Mapping[str, Network], weights: Mapping[str, float]) -> Network:
    """One network of several layers: a tie weighs the sum of the weights of the layers that it is in.

    Args:
        networks: undirected, or all directed, over the same nodes; their own weights multiply those of the layers.
        weights: of each layer, above 0.

    Raises:
        ConfigError: layers are without a weight, or of different sizes or kinds.
    """
    if not networks or networks.keys() != weights.keys() or not all(0 < weight < np.inf for weight in weights.values()):
        raise ConfigError(f"Each of the layers {', '.join(networks) or '(none)'} needs a weight above 0.")
    kinds = {(len(network), network.directed) for network in networks.values()}
    if len(kinds) > 1:
        raise ConfigError("Layers to combine must have the same number of nodes, and all be directed or none.")
    total: Any = reduce(add, (network.to_scipy() * float(weights[name]) for name, network in networks.items()))
    return Network._of_arrays(total.indptr, total.indices, total.data, kinds.pop()[1])


def layered(
    population: Population,
    *,
    household_sizes: Mapping[int, float],
    workplace_sizes: Mapping[int, float],
    age: str = "age",
    working: str = "working",
    area: str | None = None,
    school_ages: tuple[int, int] = (6, 17),
    school_size: int = 500,
    class_size: int = 25,
    work_contacts: float = 16.0,
    weights: Mapping[str, float] = LAYER_WEIGHTS,
    rng: np.random.Generator | int,
) -> Population:
    """The population with homes, schools and workplaces, and the contacts there.

    Columns are added: `household`, `school`, `school_class` and `workplace`, numbers from 0, or -1 for none. Networks are
    added: `household` and `school` (everybody of the same household or class), `work` (about `work_contacts` colleagues
    each), and `contacts`, the three of them with weights.
    See `households`, `schools`, `workplaces`, `contacts` and `combine`.

    Args:
        population: the people.
        household_sizes: number of persons to number or share of households.
        workplace_sizes: number of workers to number or share of workplaces.
        age: the column of ages in whole years.
        working: the column that says whether one works (truth values).
        area: the column of areas, within which households and schools are.
        school_ages: the youngest and the oldest who go to school.
        school_size: about how many pupils a school has.
        class_size: how many pupils a class has at most.
        work_contacts: mean number of contacts in large workplaces.
        weights: of the layers household, school and work.
        rng: random generator, or a seed.

    Raises:
        DataError: a column is missing or of the wrong kind, or there are too few adults.
        ConfigError: sizes or weights make no sense.
    """
    import polars as pl

    from ethogram.populations.population import Population

    table = population.table
    if missing := [column for column in (age, working, area) if column is not None and column not in table.columns]:
        raise DataError(f"The population has no column {missing[0]!r}; it has {', '.join(table.columns)}.")
    areas = None if area is None else table[area]
    ages, works = table[age].to_numpy(), table[working].to_numpy()
    stream = as_generator(rng, "layered")
    home = households(ages, household_sizes, areas=areas, rng=stream)
    school, school_class = schools(
        ages, areas=areas, school_ages=school_ages, school_size=school_size, class_size=class_size, rng=stream
    )
    workplace = workplaces(works, workplace_sizes, rng=stream)
    networks = {
        "household": contacts(home, rng=stream),
        "school": contacts(school_class, rng=stream),
        "work": contacts(workplace, work_contacts, rng=stream),
    }
    networks["contacts"] = combine(networks, weights)
    columns = {"household": home, "school": school, "school_class": school_class, "workplace": workplace}
    table = table.with_columns(pl.Series(name, values) for name, values in columns.items())
    return Population(table, {**population.networks, **networks}, persona_type=population.persona_type)
