"""Compiled loops over households. Importing this loads numba: import it where it is used."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ethogram.populations.growth_kernels import uniform

__all__ = ["fill_areas", "nearest_ages"]

Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def fill_areas(left: Ints, people: Ints, state: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Put households at random into areas, until each area is full.

    Args:
        left: the number of households of each size, from 0 persons on; used up.
        people: the number of people of each area; as many altogether as in the households.
        state: of random numbers.

    Returns:
        The size of each household, shape (households,), area after area, and the number of households of each area. Where
        none that is left fits into an area, one is split into two, of which one fits.
    """
    found = np.empty(left.sum() + len(people), dtype=np.int64)  # each area splits one at most
    per_area = np.zeros(len(people), dtype=np.int64)
    count = 0
    for area in range(len(people)):
        room = people[area]
        while room > 0:
            widest = min(room, len(left) - 1)
            fitting = left[: widest + 1].sum()
            size = widest
            if fitting > 0:
                nth = np.int64(uniform(state) * fitting)
                size = 0
                while nth >= left[size]:
                    nth -= left[size]
                    size += 1
                left[size] -= 1
            else:
                wider = widest + 1
                while left[wider] == 0:
                    wider += 1
                left[wider] -= 1
                left[wider - size] += 1
            found[count] = size
            count += 1
            per_area[area] += 1
            room -= size
    return found[:count], per_area


@njit(cache=True, nogil=True)
def nearest_ages(wanted: Ints, left: Ints) -> Ints:
    """Of each wanted age in turn, the nearest that is left (the higher of two equally near), shape (wanted,).

    `left` has the number of people of each age, from 0 on, and is counted down; there are enough altogether.
    """
    given = np.empty(len(wanted), dtype=np.int64)
    oldest = len(left) - 1
    for k in range(len(wanted)):
        want = min(max(wanted[k], 0), oldest)
        off = 0
        while True:
            if want + off <= oldest and left[want + off] > 0:
                age = want + off
                break
            if want - off >= 0 and left[want - off] > 0:
                age = want - off
                break
            off += 1
        left[age] -= 1
        given[k] = age
    return given
