"""The engine: runs a model's compiled loops on the columns of a world."""

from __future__ import annotations

import importlib
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.columns.loops import Kernel
from ethogram.columns.moves import Mail, meet, move, send, take_turns
from ethogram.columns.sizes import needs
from ethogram.columns.substeps import Pairs, Relocate, Scatter, Substep, Transfer, Turn, Whole
from ethogram.columns.threads import Ranges
from ethogram.errors import ConfigError
from ethogram.seeds import generator

if TYPE_CHECKING:
    from ethogram.columns.world import Columns

__all__ = ["Engine"]

PUSH_COST = 6
"""What it costs to push along a tie, in ties pulled through a bitmap."""
FEW = 16
"""Pushing is thought of where fewer than one row in so many is flagged."""


class Engine:
    """Runs the loops of one world.

    Args:
        world: whose columns they are.
    """

    def __init__(self, world: Columns) -> None:
        self.world = world
        self.arrays: dict[str, NDArray[Any]] = {}
        """Scratch arrays, by tag: the other half of double-buffered columns, bitmaps, counts."""
        self.mails: dict[tuple[Any, ...], Mail] = {}
        self.mail: Mail | None = None
        """That of the substep under way."""
        self._pushing: set[str] = set()
        self._compiled: set[str] = set()
        self._ranges: dict[tuple[Any, ...], Ranges] = {}

    @cached_property
    def _module(self) -> Any:
        from ethogram.columns.emit import write

        return write(self.world.model)

    @cached_property
    def _functions(self) -> dict[str, Any]:
        from ethogram.columns.cache import load

        return load(self._module)

    def memory(self) -> dict[str, int]:
        """Bytes by part."""
        return needs(self.world, self._module.kernels)

    def run(self, substep: Substep) -> None:
        """Run one substep."""
        if isinstance(substep, Whole):
            self._whole(substep)
        elif isinstance(substep, Transfer | Scatter):
            send(self, substep)
        elif isinstance(substep, Relocate):
            move(self, substep)
        elif isinstance(substep, Pairs):
            meet(self, substep)
        elif isinstance(substep, Turn):
            take_turns(self, substep)
        else:
            self.loop(substep.name)

    def _whole(self, substep: Whole) -> None:
        world = self.world
        method = substep.rule.__get__(world)
        if substep.rule.__code__.co_argcount > 1:
            method(generator(world.luck.seed, "columns", substep.name, world.step_number))
        else:
            method()

    def loop(self, name: str, ranges: Ranges | None = None) -> None:
        """Run a loop over all rows, in these ranges or those that suit it."""
        kernel: Kernel = self._module.kernels[name]
        for count in kernel.flags:
            self._flag(count)
        for column in kernel.buffered:
            self.scratch(f"out:{column}", self.world.column(column).dtype)
        self.call(name, self._over(kernel) if ranges is None else ranges)
        for column in kernel.buffered:
            self.arrays[f"out:{column}"] = self.world.exchange(column, self.arrays[f"out:{column}"])

    def over_lines(self, name: str) -> bool:
        """Whether the ranges of a loop are lines of the grid, not rows."""
        return self._module.kernels[name].grid

    def call(self, name: str, ranges: Ranges) -> list[Any]:
        """Call a kernel of the generated module for every range."""
        kernel: Kernel = self._module.kernels[name]
        arguments = [self.resolve(tag, name, kernel) for tag in kernel.tags]
        function = self._functions[f"loop_{name}"]
        if name not in self._compiled:
            self._compile(name, function, arguments)
        return self.world.threads.run(function, ranges, arguments)

    def _compile(self, name: str, function: Any, arguments: list[Any]) -> None:
        """Compile a kernel, or load what is kept of it; ConfigError where its rules cannot be compiled."""
        from numba.core.errors import NumbaError

        _import_arrays()
        try:
            function(0, 0, *arguments)
        except NumbaError as error:
            raise ConfigError(f"{self.world.model.name}: a rule of {name} cannot be compiled: {_reason(error)}") from error
        self._compiled.add(name)

    def resolve(self, tag: str, name: str, kernel: Kernel) -> Any:
        """What a tag of a kernel's arguments stands for now."""
        world = self.world
        kind, _, what = tag.partition(":")
        match kind:
            case "col":
                return world.column(what)
            case "out":
                return self.arrays[tag] if what in kernel.buffered else world.column(what)
            case "par":
                return world.parameters[what]
            case "ptr":
                return world.networks[what].indptr
            case "idx":
                return world.networks[what].indices
            case "wgt":
                return world.networks[what].weights
            case "k":
                k = world.model.mixings[what].k
                return k if isinstance(k, int) else world.parameters[k]
            case "luck":
                return world.luck.key(what, world.step_number)
            case "bits" | "pushed":
                return self.arrays[tag]
            case "push":
                return what in self._pushing
            case "key":
                return world.luck.key(name, world.step_number)
            case "step":
                return world.step_number
            case "n":
                return world.n
            case "height" | "width":
                return world.shape[kind == "width"]
            case "order":
                return world.luck.key(f"{name}:order", world.step_number)
            case "mail":
                return getattr(self.mail, what)
            case _:
                return self.arrays[tag]

    def aggregate(self, name: str) -> NDArray[Any]:
        """An aggregate of all rows, as things are now."""
        counts = self.world.model.aggregates[name].counts
        self.arrays["all:result"] = np.empty(self.world.n, np.int64 if counts else np.float64)
        self.loop(f"{name}_rows")
        return self.arrays.pop("all:result")

    def tally(self, column: NDArray[Any], values: int) -> NDArray[np.int64]:
        """How many rows hold 0, 1, 2 ... below `values`."""
        from ethogram.columns.kernels import tally

        column = column.view(np.int8) if column.dtype == np.bool_ else column
        return np.sum(self.world.threads.run(tally, self._even(len(column)), (column, values)), axis=0)

    def _over(self, kernel: Kernel) -> Ranges:
        if kernel.grid:
            height, width = self.world.shape
            return self.world.threads.even(height, rows=width)
        if kernel.ties is None:
            return self._even(self.world.n)
        return self._kept(kernel.ties)

    def _even(self, n: int, rows: int = 1) -> Ranges:
        return self._kept((n, rows))

    def _kept(self, what: tuple[int, int] | str) -> Ranges:
        """Ranges of (so many things, of so many rows each), or of the rows of a network, by their ties."""
        threads = self.world.threads
        key = (what, threads.count, threads.pieces, threads.small)
        if key not in self._ranges:
            if isinstance(what, str):
                self._ranges[key] = threads.by_ties(self.world.networks[what].indptr)
            else:
                self._ranges[key] = threads.even(what[0], rows=what[1])
        return self._ranges[key]

    def scratch(self, tag: str, dtype: Any, size: int | None = None) -> NDArray[Any]:
        """A scratch array, made where it is not there yet; one number a row where no size is given."""
        if tag not in self.arrays:
            self.arrays[tag] = np.zeros(self.world.n if size is None else size, dtype)
        return self.arrays[tag]

    def _flag(self, name: str) -> None:
        """Write the bitmap of a count, and choose between pulling through it and pushing from the flagged rows."""
        world, n = self.world, self.world.n
        over = world.model.aggregates[name].over
        words = self.scratch(f"bits:{name}", np.uint64, (n + 63) // 64)
        by_word = self._even(len(words), 64)
        flagged = sum(self.call(f"{name}_flag", by_word))
        self._pushing.discard(name)
        if over not in world.networks:
            return
        network = world.networks[over]
        pushed = self.scratch(f"pushed:{name}", np.int32, 1)
        if network.directed or world.direction == "pull" or (world.direction is None and flagged * FEW > n):
            return
        from ethogram.columns.kernels import flagged_ties, push

        if world.direction is None:
            asking = sum(self.call(f"{name}_asks", self._even(n)))
            ties = sum(world.threads.run(flagged_ties, by_word, (words, network.indptr, n)))
            if ties * PUSH_COST > asking:
                return
        if len(pushed) != n:
            pushed = self.arrays[f"pushed:{name}"] = np.zeros(n, np.int32)
        # A range a thread: each reads the ties of all flagged rows, and writes to rows of its own only.
        world.threads.run(push, world.threads.even(n, 1), (words, network.indptr, network.indices, pushed, n))
        self._pushing.add(name)


def _reason(error: Exception) -> str:
    """What is wrong with a rule, out of the many lines in which numba says so."""
    from ethogram.columns.kernels import SAID

    lines = [line.strip() for line in str(error).splitlines()]
    for line in lines:
        if SAID in line:
            return line.partition(SAID)[2]
    said = next(
        (line for line in lines if line and not line.startswith(("Failed in", "- Resolution"))), "no reason is given"
    )
    where = next((lines[i - 1] for i, line in enumerate(lines) if i and line == "^"), "")
    return f"{said} (in {where!r})" if where else said


def _import_arrays() -> None:
    """Import what numba needs for arrays, without looking for BLAS in scipy: a third of the time to a first step.

    No kernel here uses BLAS; a function that does looks for it by itself when it is compiled.
    """
    if "numba.np.arraymath" in sys.modules:
        return
    from numba.np import linalg

    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = look
