"""Compiled primitives: random numbers, and the loops that do not depend on a model's rules.

Importing this module imports numba; it is imported when the first model is run. All loops release the interpreter's lock
and work on a range, so that one compiled loop serves any number of threads. Numbers are unsigned where they index, since
numba wraps negative indices otherwise, at a cost.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numba.extending import overload

from ethogram.columns.luck import FIRST, GOLDEN, ROUNDS, SECOND

U = np.uint64
ZERO, ONE, SIX, LAST = U(0), U(1), U(6), U(63)
STEP, MIX1, MIX2 = U(GOLDEN), U(FIRST), U(SECOND)
SAID = "rule: "
"""Begins what is said here of a rule that cannot be compiled."""
BLOCK = 4096
"""Rows counted at a time: they stay in the fastest cache while each value is looked for."""


def number(value, like):
    """What a rule gave for a column or an amount of the type of `like`; it is checked when the rule is compiled."""
    return value


@overload(number)
def _number(value, like):
    if isinstance(value, types.Optional | types.NoneType):
        raise TypingError(f"{SAID}it does not return a number in every case")
    if not isinstance(value, types.Number | types.Boolean):
        raise TypingError(f"{SAID}it returns {value.name}, where a number is wanted")
    if isinstance(value, types.Float) and not isinstance(like, types.Float):
        raise TypingError(f"{SAID}it returns real numbers for a column of whole ones: use int(...), or a column of floats")
    return lambda value, like: value


@njit
def mix(z):
    """The finaliser of SplitMix64."""
    z = (z ^ (z >> U(30))) * MIX1
    z = (z ^ (z >> U(27))) * MIX2
    return z ^ (z >> U(31))


@njit
def stream(key, draw):
    """The key of a row's first, second, third ... number."""
    return mix(key + U(draw + 1) * STEP)


@njit
def unit(key, row):
    """A number in [0, 1)."""
    return np.float64(np.int64(mix(key + U(row) * STEP) >> U(11))) * 2.0**-53


@njit
def below(key, row, n):
    """A whole number in [0, n)."""
    return np.int64(unit(key, row) * n)


@njit
def met(key, row, k, n):
    """The k-th other row that a row meets at random: uniform over all rows but itself."""
    other = below(mix(key + U(row) * STEP), k, n - 1)
    return other + 1 if other >= row else other


@njit
def bit(words, row):
    """The bit of a row in a bitmap."""
    return np.int64((words[row >> SIX] >> (row & LAST)) & ONE)


@njit
def permuted(key, place, n):
    """The row at a place of a random order of `n` rows."""
    total = 8
    while (1 << total) < n:
        total += 1
    low = U(total // 2)
    low_mask, high_mask = (ONE << low) - ONE, (ONE << (U(total) - low)) - ONE
    at = U(place)
    while True:
        left, right = at >> low, at & low_mask
        for turn in range(ROUNDS):
            inner = stream(key, turn)
            if turn % 2:
                right ^= mix(inner + left * STEP) & low_mask
            else:
                left ^= mix(inner + right * STEP) & high_mask
        at = (left << low) | right
        if at < U(n):
            return np.int64(at)


@njit(nogil=True, cache=True)
def tally(begin, end, column, values):
    """How many of the rows hold 0, 1, 2 ... up to `values`."""
    counts = np.zeros(values, np.int64)
    for start in range(begin, end, BLOCK):
        block = column[start : min(start + BLOCK, end)]
        for value in range(values):
            found = 0
            for i in range(block.size):
                found += block[i] == value
            counts[value] += found
    return counts


@njit(nogil=True, cache=True)
def flagged_ties(begin, end, words, indptr, n):
    """How many ties the rows have that are flagged in these words."""
    ties = 0
    for word in range(begin, end):
        if words[word] != ZERO:
            for row in range(word * 64, min(word * 64 + 64, n)):
                if bit(words, U(row)):
                    ties += indptr[row + 1] - indptr[row]
    return ties


@njit(nogil=True, cache=True)
def push(begin, end, words, indptr, indices, counts, n):
    """Every flagged row adds one to the count of each row from `begin` to `end` it is tied to."""
    first, rows = U(begin), U(end - begin)
    for word in range(words.size):
        if words[word] != ZERO:
            for row in range(word * 64, min(word * 64 + 64, n)):
                if bit(words, U(row)):
                    for tie in range(U(indptr[row]), U(indptr[row + 1])):
                        if U(indices[tie]) - first < rows:  # what is below `first` wraps around
                            counts[U(indices[tie])] += 1


PAGE = U(4096)
"""Amounts on their way are kept in pages of so many, each with amounts for one block of rows."""


@njit
def open_pages(begin, starts, first, owner, following, blocks):
    """A page for each block of destinations; the range's number, and for each block the slot for its next amount."""
    piece = 0
    while starts[piece] != begin:
        piece += 1
    slots = np.empty(blocks, np.uint64)
    for block in range(blocks):
        slots[block] = U(first[piece] + block) * PAGE
        owner[first[piece] + block] = block
    following[piece] = first[piece] + blocks
    return piece, slots


@njit
def close_pages(slots, filled):
    """Note how full the last pages are."""
    for block in range(slots.size):
        filled[slots[block] // PAGE] = slots[block] % PAGE


@njit(nogil=True, cache=True)
def receive(begin, end, column, to, amounts, owner, filled, first, following):
    """Add up what is on its way to blocks of rows, in the order of the rows it comes from."""
    for block in range(begin, end):
        for piece in range(first.size):
            for page in range(first[piece], following[piece]):
                if owner[page] == block:
                    for slot in range(U(page) * PAGE, U(page) * PAGE + U(filled[page])):
                        column[U(to[slot])] += amounts[slot]


@njit(nogil=True, cache=True)
def receive_ones(begin, end, column, to, owner, filled, first, following):
    """As `receive`, where every amount is 1."""
    for block in range(begin, end):
        for piece in range(first.size):
            for page in range(first[piece], following[piece]):
                if owner[page] == block:
                    for slot in range(U(page) * PAGE, U(page) * PAGE + U(filled[page])):
                        column[U(to[slot])] += 1


@njit(nogil=True, cache=True)
def shuffled(items, chosen, key):
    """Bring a random choice of items to the front, in random order: the beginning of a Fisher-Yates shuffle."""
    for place in range(chosen):
        other = place + below(key, place, items.size - place)
        items[place], items[other] = items[other], items[place]


@njit(nogil=True, cache=True)
def choose(begin, end, into, groups, bounds, key):
    """Every row draws its option from the shares of its group; where they are not numbers it keeps what it has."""
    luck = stream(key, 0)
    for row in range(begin, end):
        group = groups[row]
        if not np.isnan(bounds[group, 0]):
            u, option = unit(luck, row), 0
            while u >= bounds[group, option]:
                option += 1
            into[row] = option
