"""Substeps that reach other rows: what is transferred or scattered, who moves, who meets, and who takes a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.columns.luck import stream
from ethogram.columns.source import is_one_or_none
from ethogram.columns.substeps import Pairs, Relocate, Scatter, Transfer, Turn
from ethogram.columns.threads import Ranges
from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.columns.engine import Engine
    from ethogram.columns.world import Columns

__all__ = ["Mail", "meet", "move", "send", "take_turns"]

BLOCK_BITS = 18
"""Destinations are summed in blocks of at most 2¹⁸ rows, which a core's second cache holds."""


class Mail:
    """Amounts on their way, in pages: each page has amounts from one range of rows for one block of rows.

    Args:
        ranges: of the rows that send, or of lines of the grid.
        line: the number of rows of one line; 1 where ranges are of rows.
        n: the number of rows.
        dtype: of the amounts; None where each is 1.
    """

    def __init__(self, ranges: Ranges, line: int, n: int, dtype: np.dtype[Any] | None) -> None:
        from ethogram.columns.kernels import PAGE

        bits = max(min(BLOCK_BITS, (n // (4 * len(ranges))).bit_length()), 1)
        self.shift, self.blocks = np.uint64(bits), ((n - 1) >> bits) + 1
        sizes = [(end - begin) * line // int(PAGE) + 1 + self.blocks for begin, end in ranges]
        self.starts, self.first = np.array([begin for begin, _ in ranges]), np.cumsum([0, *sizes[:-1]])
        self.following = np.empty_like(self.first)
        self.owner, self.filled = np.empty(sum(sizes), np.int32), np.empty(sum(sizes), np.int32)
        self.to = np.empty(sum(sizes) * int(PAGE), np.uint32)
        self.amounts = None if dtype is None else np.empty(len(self.to), dtype)

    @staticmethod
    def dtype_of(substep: Transfer | Scatter, world: Columns) -> np.dtype[Any] | None:
        """The type of a substep's amounts; None where each is 1."""
        ones = isinstance(substep, Transfer) and is_one_or_none(substep.rule)
        return None if ones else world.model.columns[substep.column].dtype


def send(engine: Engine, substep: Transfer | Scatter) -> None:
    """Put amounts on their way, sorted by blocks of destinations; then let each block receive its own.

    Nothing is added from two threads at once, and every row receives in the order of the rows it comes from, so that sums of
    floats, too, do not depend on the number of threads.
    """
    from ethogram.columns.kernels import receive, receive_ones

    world = engine.world
    line = world.shape[1] if engine.over_lines(substep.name) else 1
    ranges = world.threads.even(world.n // line, 1, line)
    dtype = Mail.dtype_of(substep, world)
    key = (str(dtype), len(ranges), line)
    if key not in engine.mails:
        engine.mails[key] = Mail(ranges, line, world.n, dtype)
    mail = engine.mail = engine.mails[key]
    engine.loop(substep.name, ranges)
    column, blocks = world.column(substep.column), [(block, block + 1) for block in range(mail.blocks)]
    pages = (mail.owner, mail.filled, mail.first, mail.following)
    if mail.amounts is None:
        world.threads.run(receive_ones, blocks, (column, mail.to, *pages))
    else:
        world.threads.run(receive, blocks, (column, mail.to, mail.amounts, *pages))


def move(engine: Engine, substep: Relocate) -> None:
    """Let what moves change places with random empty cells."""
    from ethogram.columns.kernels import shuffled

    world = engine.world
    marks = engine.scratch("all:marks", np.int8)
    engine.loop(substep.name)
    movers = np.flatnonzero(marks == 1)
    if not len(movers):
        return
    empty = np.flatnonzero(marks == 2)
    chosen = min(len(movers), len(empty))
    key = world.luck.key(f"{substep.name}:order", world.step_number)
    shuffled(movers, chosen, np.uint64(stream(int(key), 0)))
    shuffled(empty, chosen, np.uint64(stream(int(key), 1)))
    here, there = movers[:chosen], empty[:chosen]
    for name in substep.columns:
        column = world.column(name)
        column[here], column[there] = column[there], column[here]


def meet(engine: Engine, substep: Pairs) -> None:
    """Pair all rows at random, and let each pair meet."""
    engine.call(substep.name, engine.world.threads.even(engine.world.n // 2))


def take_turns(engine: Engine, substep: Turn) -> None:
    """Let one row act after the other."""
    (stuck,) = engine.call(substep.name, [(0, engine.world.n)])
    if stuck:  # nothing is returned but by events
        raise ConfigError(
            f"{engine.world.model.name}.{substep.name}: row {stuck - 1} set its time to one that is not after now; "
            f"set {substep.time!r} to a later time, or leave it where nothing more happens to the row"
        )
