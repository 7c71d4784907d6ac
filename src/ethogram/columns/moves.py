"""Substeps that reach other rows: what is transferred or scattered, who moves, who meets, and who takes a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ethogram.columns.luck import stream
from ethogram.columns.substeps import Pairs, Relocate, Scatter, Transfer, Turn
from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.columns.engine import Engine

__all__ = ["meet", "move", "send", "take_turns"]

BLOCK_BITS = 18
"""Destinations are summed in blocks of at most 2¹⁸ rows, which a core's second cache holds."""


def send(engine: Engine, substep: Transfer | Scatter) -> None:
    """Put amounts on their way, sorted by blocks of destinations; then let each block receive its own.

    Nothing is added from two threads at once, and every row receives in the order of the rows it comes from, so that sums of
    floats, too, do not depend on the number of threads.
    """
    from ethogram.columns.kernels import PAGE, receive

    world = engine.world
    n, threads = world.n, world.threads
    ranges = threads.even(n, pieces=1)
    bits = max(min(BLOCK_BITS, (n // (4 * len(ranges))).bit_length()), 1)
    blocks = ((n - 1) >> bits) + 1
    sizes = [(end - begin) // PAGE + 1 + blocks for begin, end in ranges]
    first = np.cumsum([0, *sizes[:-1]])
    pages, dtype = sum(sizes), world.column(substep.column).dtype
    arrays = engine.arrays
    if "page:to" not in arrays or len(arrays["page:owner"]) != pages:
        arrays |= {"page:to": np.empty(pages * PAGE, np.uint32), "page:owner": np.empty(pages, np.int32)}
        arrays["page:filled"] = np.empty(pages, np.int32)
    if f"amounts:{dtype}" not in arrays or len(arrays[f"amounts:{dtype}"]) != pages * PAGE:
        arrays[f"amounts:{dtype}"] = np.empty(pages * PAGE, dtype)
    arrays |= {"page:amounts": arrays[f"amounts:{dtype}"], "page:first": first, "page:following": first.copy()}
    arrays["page:starts"] = np.array([begin for begin, _ in ranges])
    engine.constants |= {"shift": np.uint64(bits), "blocks": blocks}
    engine.loop(substep.name, ranges)
    sent = [arrays[f"page:{what}"] for what in ("to", "amounts", "owner", "filled", "first", "following")]
    threads.run(receive, [(block, block + 1) for block in range(blocks)], (world.column(substep.column), *sent))


def move(engine: Engine, substep: Relocate) -> None:
    """Let what moves change places with random empty cells."""
    from ethogram.columns.kernels import shuffled

    world = engine.world
    marks = engine.arrays["out:marks"] = engine.arrays.get("marks", np.empty(world.n, np.int8))
    engine.arrays["marks"] = marks
    engine.loop(substep.name)
    movers, empty = np.flatnonzero(marks == 1), np.flatnonzero(marks == 2)
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
    if stuck:
        raise ConfigError(
            f"{engine.world.model.name}.{substep.name}: row {stuck - 1} set its time to one that is not after now; "
            f"set {substep.time!r} to a later time, or leave it where nothing more happens to the row"
        )
