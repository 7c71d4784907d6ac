"""People in households: sizes as in a census, and ages that live together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import DataError
from ethogram.populations.csr import label_codes
from ethogram.populations.group_sizes import count_groups
from ethogram.populations.streams import as_generator, kernel_state

if TYPE_CHECKING:
    import polars as pl

__all__ = ["households", "whole_ages"]

SECOND_IS_CHILD = 0.15
"""How readily a child takes the second place of a household (that of a partner), compared with a later place."""
YEARS_TO_CHILD = (28.0, 5.0, 17.0, 45.0)
"""The age of a parent when the oldest child is born: mean, standard deviation, least and most, in years."""
YEARS_BETWEEN_SIBLINGS = 2.5
"""The standard deviation of the ages of the children of a household about their mean, in years."""
YEARS_BETWEEN_PARTNERS = 4.0
"""The standard deviation of the difference between the ages of partners, in years."""


def households(
    ages: ArrayLike,
    sizes: Mapping[int, float],
    *,
    areas: ArrayLike | pl.Series | None = None,
    adult: int = 18,
    rng: np.random.Generator | int,
) -> NDArray[np.int32]:
    """Put everybody into a household; each household has an adult, and ages that plausibly live together.

    The numbers of households of each size are those of `count_groups`. Children fill the later places of large households,
    rarely the second one; siblings are of similar age, and live with an adult who was about 28 when the oldest was born and
    who mostly has a partner of similar age, as far as there are such adults. The second adult of a household without
    children is of similar age as well; all other adults are placed at random.

    Args:
        ages: of each person, in whole years, shape (n,).
        sizes: the number of persons of a household to the number, or the share, of such households.
        areas: the area of each person, shape (n,); households are then within areas.
        adult: the age from which one is an adult.
        rng: random generator, or a seed.

    Returns:
        The household of each person, from 0, shape (n,).

    Raises:
        DataError: ages are not whole numbers of 0 or more, or an area has fewer adults than households.
        ConfigError: the sizes make no sense.
    """
    from ethogram.populations.layer_kernels import fill_areas

    age = whole_ages(ages)
    stream = as_generator(rng, "households")
    area = np.zeros(len(age), dtype=np.int64) if areas is None else area_codes(areas, len(age))
    size, count = count_groups(sizes, len(age), rng=stream)
    left = np.bincount(size, count, minlength=1).astype(np.int64)
    size, per_area = fill_areas(left, np.bincount(area), kernel_state(stream))
    person = np.argsort(area, kind="stable")  # area after area, like the households
    found = np.empty(len(age), dtype=np.int32)
    first_home, first_person = 0, 0
    for homes in per_area.tolist():
        sizes_here = size[first_home : first_home + homes]
        people_here = person[first_person : first_person + int(sizes_here.sum())]
        found[people_here] = first_home + _in_one_area(age[people_here], sizes_here, adult, stream)
        first_home, first_person = first_home + homes, first_person + len(people_here)
    return found


def whole_ages(ages: ArrayLike) -> NDArray[np.int64]:
    """Ages in whole years, shape (n,), or a DataError."""
    age = np.asarray(ages)
    if age.ndim != 1 or (age.size and (not np.issubdtype(age.dtype, np.integer) or age.min() < 0 or age.max() > 150)):
        raise DataError("Ages must be one row of whole numbers of years, from 0 to 150, without gaps.")
    return age.astype(np.int64)


def area_codes(areas: ArrayLike | pl.Series, n: int) -> NDArray[np.int64]:
    """A number for the area of each of `n` people, or a DataError."""
    code = label_codes(np.asarray(areas))
    if len(code) != n:
        raise DataError(f"There must be one area for each of {n} people, not {len(code)}.")
    return code


def _in_one_area(age: NDArray[np.int64], size: NDArray[np.int64], adult: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The household of each person, for households of the given sizes.

    First each place of each household is given an age, such that all ages are used up; then people take places of their age.
    """
    children = age[age < adult]
    if len(age) - len(children) < len(size):
        raise DataError(
            f"{len(size)} households need as many adults (from {adult} years on), but there are only "
            f"{len(age) - len(children)} among {len(age)} people of one area: make households larger."
        )
    home = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(age)) - np.repeat(np.cumsum(size) - size, size)
    place_age = np.empty(len(age), dtype=np.int64)
    is_child = _places_of_children(place, len(children), rng)
    place_age[is_child], oldest = _siblings(home[is_child], children, len(size), rng)
    place_age[~is_child] = _adults(home[~is_child], place[~is_child], oldest, age[age >= adult], rng)
    people = np.argsort(age + rng.random(len(age)), kind="stable")  # by age, in random order within a year
    found = np.empty(len(age), dtype=np.int64)
    found[people] = home[np.argsort(place_age, kind="stable")]
    return found


def _places_of_children(place: NDArray[np.int64], children: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which places are for children: none of the first in a household, few of the second."""
    ease = np.where(place == 0, 0.0, np.where(place == 1, SECOND_IS_CHILD, 1.0))
    # the smallest of such waiting times are a sample without replacement by weight (Efraimidis and Spirakis 2006)
    wait = np.divide(rng.exponential(size=len(place)), ease, out=np.full(len(place), np.inf), where=ease > 0)
    chosen = np.zeros(len(place), dtype=bool)
    if children:
        chosen[np.argpartition(wait, children - 1)[:children]] = True
    return chosen


def _siblings(
    home: NDArray[np.int64], children: NDArray[np.int64], homes: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The age of the child in each place (of household `home`), and of the oldest in each household (else -1)."""
    in_turn = np.argsort(children + rng.normal(0.0, YEARS_BETWEEN_SIBLINGS, len(children)))
    order = np.argsort(rng.random(homes)[home], kind="stable")  # household by household, in random order
    ages = np.empty(len(children), dtype=np.int64)
    ages[order] = children[in_turn]
    oldest = np.full(homes, -1, dtype=np.int64)
    np.maximum.at(oldest, home, ages)
    return ages, oldest


def _adults(
    home: NDArray[np.int64],
    place: NDArray[np.int64],
    oldest: NDArray[np.int64],
    ages: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The age of the adult in each place: parents choose first, then their partners, couples and singles, and the others."""
    from ethogram.populations.layer_kernels import nearest_ages

    left = np.bincount(ages, minlength=1)
    given = np.empty(len(home), dtype=np.int64)
    head_age = np.empty(len(oldest), dtype=np.int64)
    head = place == 0
    second = ~head & np.concatenate([[False], head[:-1]])  # the first after the head: places are in order
    family = oldest[home] >= 0
    for here, wanted in (
        (head & family, lambda at: oldest[at] + np.clip(rng.normal(*YEARS_TO_CHILD[:2], len(at)), *YEARS_TO_CHILD[2:])),
        (second & family, lambda at: head_age[at] + rng.normal(0.0, YEARS_BETWEEN_PARTNERS, len(at))),
        (head & ~family, None),
        (second & ~family, lambda at: head_age[at] + rng.normal(0.0, YEARS_BETWEEN_PARTNERS, len(at))),
        (~head & ~second, None),
    ):
        places = rng.permutation(np.flatnonzero(here))  # nobody is first to choose because of a low number
        if wanted is None:
            given[places] = rng.permutation(np.repeat(np.arange(len(left)), left))[: len(places)]
            left -= np.bincount(given[places], minlength=len(left))
        else:
            given[places] = nearest_ages(np.rint(wanted(home[places])).astype(np.int64), left)
        head_age[home[here & head]] = given[here & head]
    return given
