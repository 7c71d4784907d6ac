"""Results do not depend on how many threads there are, or how rows are shared out among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.columns import (
    Columns,
    column,
    count,
    each,
    grid,
    mixing,
    network,
    pairs,
    relocate,
    scatter,
    tally,
    total,
    transfer,
)
from ethogram.columns.threads import Threads
from ethogram.errors import ConfigError
from ethogram.populations import barabasi_albert


class Mixed(Columns):
    """Loops of all kinds, on floats whose sums depend on their order."""

    state = column("int8")
    money = column("float32", 1.0)
    place = column("int8")
    ties = network()
    meet = mixing(2)
    around = grid()
    ill = count("ties", of=lambda their_state: their_state == 1, where=lambda state: state == 0)
    wealth = total("meet", of=lambda their_money: their_money)
    beside = count("around", of=lambda their_place: their_place > 0)
    states = tally("state", ("well", "ill"))

    def start(self, rng):
        self.state = rng.integers(0, 2, self.n)
        self.place = rng.integers(0, 3, self.n)

    @each("state")
    def infect(state, ill, u):
        return 1 if u < 0.1 * ill else (0 if u > 0.7 else state)

    @transfer("money", to="ties")
    def pay(money, wealth, u):
        return money * u / (3 + wealth)

    @scatter("money")
    def earn(n, u, u2):
        return int(u * u * n), u2

    @pairs("money")
    def split(money, their_money, u):
        return u * (money + their_money), (1 - u) * (money + their_money)

    @relocate("place", empty=lambda place: place == 0)
    def leave(beside):
        return beside < 6


def result(threads, small, pieces):
    world = Mixed((17, 13), ties=barabasi_albert(17 * 13, 3, rng=1), threads=threads)
    world.threads.small, world.threads.pieces = small, pieces
    world.reset(seed=4)
    for _ in range(3):
        world.step({})
    return world


@pytest.fixture(scope="module")
def alone():
    return result(1, 10**9, 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.sampled_from([0, 100, 221, 10**9]), st.integers(1, 9))
def test_any_sharing_out_gives_the_same_bits(alone, threads, small, pieces):
    other = result(threads, small, pieces)
    for name in ("state", "money", "place"):
        assert getattr(other, name).tobytes() == getattr(alone, name).tobytes()
    assert other.states == alone.states


def test_arms_share_their_luck():
    arms = [result(1, 0, 1) for _ in range(2)]
    arms[1].money[0] += 1e-3
    for arm in arms:
        arm.step({})
    assert np.array_equal(arms[0].state, arms[1].state)


@given(st.integers(1, 5), st.integers(1, 4), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_ranges_cover_all_rows_once(count, pieces, degrees):
    threads = Threads(count)
    threads.small, threads.pieces = 0, pieces
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    for ranges in (threads.even(len(degrees)), threads.by_ties(indptr)):
        assert [row for begin, end in ranges for row in range(begin, end)] == list(range(len(degrees)))


def test_ranges_are_balanced_by_ties():
    threads = Threads(2)
    threads.small, threads.pieces = 0, 1
    hubs = np.concatenate([[0], np.cumsum([1000] * 10 + [1] * 2000)])
    (begin, cut), (_, end) = threads.by_ties(hubs)
    first = hubs[cut] + 4 * cut
    assert (begin, end) == (0, 2010) and abs(first / (hubs[-1] + 4 * end) - 0.5) < 0.05


def test_no_threads_are_refused():
    with pytest.raises(ConfigError, match="threads is 0"):
        Threads(0)
