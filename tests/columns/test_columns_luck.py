"""Counter-based random numbers: uniform, independent, and the same compiled and in numpy."""

import numpy as np
import pytest
from scipy import stats

from ethogram.columns import kernels
from ethogram.columns.luck import Luck, below, permutation, stream, uniform

KEY = int(Luck(7).key("disease", 3))
ROWS = np.arange(20_000)


def test_the_compiled_twin_gives_the_same_numbers():
    for draw in range(3):
        key = np.uint64(stream(KEY, draw))
        assert kernels.stream(np.uint64(KEY), draw) == key
        assert [kernels.unit(key, row) for row in range(50)] == uniform(KEY, ROWS[:50], draw).tolist()
        assert [kernels.below(key, row, 7) for row in range(50)] == below(KEY, ROWS[:50], 7, draw).tolist()
    for n in (1, 2, 5, 256, 257, 1000):
        order = [kernels.permuted(np.uint64(KEY), place, n) for place in range(n)]
        assert order == permutation(KEY, n).tolist()
        assert sorted(order) == list(range(n))


def test_numbers_are_known():
    # SplitMix64 seeded with 0 gives 0xE220A8397B1DCDAF first: the finaliser of the first step of its counter.
    assert stream(0, 0) == 0xE220A8397B1DCDAF
    assert stream(0, 1) == 0x6E789E6AA1B965F4


def test_numbers_are_uniform():
    u = uniform(KEY, ROWS)
    assert u.min() >= 0 and u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert stats.chisquare(np.bincount(below(KEY, ROWS, 10), minlength=10)).pvalue > 1e-4


def other(name, step, seed=7, draw=0):
    return uniform(int(Luck(seed).key(name, step)), ROWS, draw)


@pytest.mark.parametrize(
    "twin",
    [
        other("disease", 4),
        other("disease", 3, draw=1),
        other("moves", 3),
        other("disease", 3, seed=8),
        np.roll(other("disease", 3), 1),
    ],
    ids=["step", "draw", "substep", "seed", "row"],
)
def test_numbers_are_independent(twin):
    u = uniform(KEY, ROWS)
    assert abs(np.corrcoef(u, twin)[0, 1]) < 4 / np.sqrt(len(u))
    cells = np.histogram2d(u, twin, bins=8, range=[[0, 1], [0, 1]])[0].ravel()
    assert stats.chisquare(cells).pvalue > 1e-4


def test_random_orders_are_uniform():
    places = np.array([[kernels.permuted(np.uint64(stream(KEY, t)), place, 6) for place in range(6)] for t in range(3000)])
    for place in range(6):
        assert stats.chisquare(np.bincount(places[:, place], minlength=6)).pvalue > 1e-4
    first = np.sort(places[:, :2], axis=1)
    assert stats.chisquare(np.unique(first[:, 0] * 6 + first[:, 1], return_counts=True)[1]).pvalue > 1e-4
