"""How many groups (households, workplaces) of each size there are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.populations.streams import as_generator

__all__ = ["count_groups", "lognormal_sizes", "power_law_sizes"]


def power_law_sizes(exponent: float, most: int, *, least: int = 1) -> dict[int, float]:
    """Shares of groups of `least` to `most` members, in proportion to size to the power of -`exponent`.

    Numbers of employees of firms follow such a law with an exponent of about 2 (Axtell 2001, "Zipf distribution of U.S. firm
    sizes").
    """
    size = _range(least, most)
    return _shares(size, -exponent * np.log(size))


def lognormal_sizes(median: float, sigma: float, most: int, *, least: int = 1) -> dict[int, float]:
    """Shares of groups of `least` to `most` members, log-normal about `median`, with `sigma` the spread of the logarithm."""
    size = _range(least, most)
    if not median > 0 or not sigma > 0:
        raise ConfigError(f"Log-normal sizes need a median and a sigma above 0, not {median:g} and {sigma:g}.")
    return _shares(size, -np.log(size) - (np.log(size / median) / sigma) ** 2 / 2)


def _range(least: int, most: int) -> NDArray[np.int64]:
    if not 1 <= least <= most:
        raise ConfigError(f"Groups need a least size of 1 or more and a most of that or more, not {least} and {most}.")
    return np.arange(least, most + 1)


def _shares(size: NDArray[np.int64], log_share: NDArray[np.float64]) -> dict[int, float]:
    share = np.exp(log_share - log_share.max())
    return dict(zip(size.tolist(), (share / share.sum()).tolist(), strict=True))


def count_groups(
    sizes: Mapping[int, float], people: int, *, rng: np.random.Generator | int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many groups of each size take up exactly so many people.

    Numbers of groups that add up to so many people are kept as they are. Others are scaled, and made whole by `integerise`:
    any range of sizes then has less than one group too many or too few. The people who are left over or missing (fewer than
    two groups of the largest size have) make, or cost, a few more groups, the largest that fit. A remainder that is smaller
    than every size is a group by itself.

    Args:
        sizes: the number of members of a group to the number, or the share, of such groups.
        people: how many members there are altogether.
        rng: random generator, or a seed.

    Returns:
        Sizes, in rising order, and the number of groups of each; int64, shape (sizes,) both.

    Raises:
        ConfigError: a size is not a whole number of 1 or more, or the numbers are negative or all 0.
    """
    from ethogram.populations.sampling import integerise

    size, share = np.array(sorted(sizes)), np.array([sizes[s] for s in sorted(sizes)], dtype=np.float64)
    if not len(size) or not np.issubdtype(size.dtype, np.integer) or size[0] < 1:
        raise ConfigError("sizes must give whole numbers of members, of 1 or more, the number or the share of such groups.")
    if not np.isfinite(share).all() or (share < 0).any() or not share.any():
        raise ConfigError("The numbers of groups in sizes must be 0 or more, and not all 0.")
    expected = share * (people / float(share @ size))
    whole = np.rint(expected)
    if not np.allclose(expected, whole, rtol=1e-12, atol=1e-9):
        whole = integerise(expected * (np.rint(expected.sum()) / expected.sum()), as_generator(rng, "count_groups"))
    return _fitted(size[share > 0], whole[share > 0].astype(np.int64), people)


def _fitted(size: NDArray[np.int64], count: NDArray[np.int64], people: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups added or taken away until their members are as many as the people."""
    left = people - int(size @ count)
    while left < 0:
        there = np.flatnonzero(count)
        fitting = there[size[there] <= -left]
        group = fitting[-1] if len(fitting) else there[0]
        count[group] -= 1
        left += int(size[group])
    while left >= size[0]:
        group = int(np.searchsorted(size, left, side="right")) - 1
        count[group] += 1
        left -= int(size[group])
    if left:
        size, count = np.concatenate([[left], size]), np.concatenate([[1], count])
    return size, count
