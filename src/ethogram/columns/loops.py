"""The text of one loop: over a range of rows, with what a rule names put within its reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType

from ethogram.columns.declare import Aggregate
from ethogram.columns.model import LUCK, Model
from ethogram.columns.source import arguments_of

__all__ = ["Kernel", "Loop", "flagged"]


CELLS = """\
    for y in range(begin, end):
        above, below_ = (y + height - 1) % height, (y + 1) % height
        has_above, has_below = y > 0, y + 1 < height
        for part in range(3):
            from_x, to_x = (0, 1) if part == 0 else ((1, width - 1) if part == 1 else (width - 1, width))
            back, ahead = width - 1 if part == 0 else -1, 1 - width if part == 2 else 1
            has_left, has_right = part > 0, part < 2
            for x in range(from_x, to_x):
                at = U(y * width + x)
                left, right = x + back, x + ahead"""
"""A loop over lines of the grid, in which first and last cell of a line are apart: the others need not ask for its ends."""
CELL = (
    "y, x = row // width, row % width",
    "above, below_ = (y + height - 1) % height, (y + 1) % height",
    "left, right = (x + width - 1) % width, (x + 1) % width",
    "has_above, has_below, has_left, has_right = y > 0, y + 1 < height, x > 0, x + 1 < width",
)
"""What is around one cell."""


@dataclass
class Kernel:
    """One loop of the generated module.

    Attributes:
        name: of the loop; the function is called `loop_` and this.
        tags: of its arguments after (begin, end).
        grid: whether begin and end are lines of the grid, not rows.
        ties: the network by whose ties ranges are balanced; None: by rows.
        buffered: columns that are written beside the old ones, and take their place when all ranges are through.
        flags: counts whose test is evaluated once a row, before the loop.
    """

    name: str
    tags: list[str] = field(default_factory=list)
    grid: bool = False
    ties: str | None = None
    buffered: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def flagged(model: Model, aggregate: Aggregate) -> bool:
    """Whether a count's test is of the neighbour alone, so that it is evaluated once a row and read from a bitmap."""
    names = arguments_of(aggregate.of)
    theirs = [name for name in names if name.startswith("their_") and name != "their_row"]
    alone = bool(theirs) and all(name in theirs or name in model.parameters for name in names)
    return aggregate.counts and alone and aggregate.over not in model.grids


class Loop:
    """The text of one kernel, as it is put together."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.kernel = Kernel(name)
        self.lines: list[str] = []
        self.loads: dict[str, None] = {}
        """Columns whose value of the row is loaded at the top of the loop."""
        self.draws: dict[str, None] = {}
        self.across: set[str] = set()
        """Columns of which other rows' values are read."""
        self.head: list[str] | None = None
        """The loop's own head and first lines, where it does not simply go over rows or cells."""
        self.before: list[str] = []
        self.after: list[str] = []
        self.finds = False
        """Whether the kernel returns a number that it has added up as `found`."""

    def use(self, tag: str) -> str:
        """The identifier of an argument."""
        if tag not in self.kernel.tags:
            self.kernel.tags.append(tag)
        return tag.replace(":", "__")

    def mine(self, column: str) -> str:
        """The row's own value of a column."""
        self.loads[column] = None
        self.use(f"col:{column}")
        return f"my_{column}"

    def out(self, column: str) -> str:
        """Where the row's new value of a column goes."""
        return f"{self.use('out:' + column)}[at]"

    def call(self, name: str, rule: FunctionType, bound: Mapping[str, str] | None = None) -> str:
        """A call of a rule; `bound` says what stands for arguments that mean something special here."""
        return f"{name}({', '.join(self._argument(a, bound or {}) for a in arguments_of(rule))})"

    def _argument(self, name: str, bound: Mapping[str, str]) -> str:
        if name in bound:
            return bound[name]
        if name in self.model.columns:
            return self.mine(name)
        if name in self.model.parameters:
            return self.use(f"par:{name}")
        if name in self.model.aggregates:
            return f"sum_{name}"
        if name in LUCK:
            self.draws[name] = None
            return name
        return {"row": "np.int64(at)"}.get(name) or self.use(name)

    def add(self, depth: int, *lines: str) -> None:
        """Add lines to the loop's body."""
        self.lines += ["    " * depth + line for line in lines]

    def text(self) -> str:
        """The function."""
        kernel = self.kernel
        loads = [f"my_{c} = col__{c}[at]" for c in self.loads]
        before = [f"key_{d} = stream({self.use('key')}, {LUCK.index(d)})" for d in self.draws] + self.before
        if self.head is not None:
            head, depth = ["    " + line for line in self.head], 2
            head += ["        " + line for line in (CELL if kernel.grid else ())]
        elif kernel.grid:
            head, depth = CELLS.splitlines(), 4
        else:
            head, depth = ["    for at in range(U(begin), U(end)):"], 2
        tags = ", ".join(["begin", "end", *(t.replace(":", "__") for t in kernel.tags)])
        body = ["    " * depth + line for line in loads]
        body += ["    " * (depth - 2) + line for line in self.lines]
        before += ["found = 0"] if self.finds else []
        after = ["    " + line for line in (*self.after, *(["return found"] if self.finds else []))]
        return "\n".join([f"def loop_{kernel.name}({tags}):", *("    " + b for b in before), *head, *body, *after]) + "\n"

    def luck(self, depth: int, counter: str = "at") -> None:
        """Draw the row's random numbers."""
        self.add(depth, *(f"{d} = unit(key_{d}, {counter})" for d in self.draws))

    def sums(self, named: Sequence[str], depth: int = 2, bitmaps: bool = True) -> None:
        """Aggregates of the row, each computed where its condition holds; those alike share one loop over neighbours."""
        groups: dict[tuple[str, FunctionType | None, str], list[Aggregate]] = {}
        for name in named:
            aggregate = self.model.aggregates[name]
            own = name if bitmaps and flagged(self.model, aggregate) else ""
            groups.setdefault((aggregate.over, aggregate.where, own), []).append(aggregate)
        for (over, where, own), members in groups.items():
            self.add(depth, *(f"sum_{a.name} = {'0' if a.counts else '0.0'}" for a in members))
            inner = depth
            if own and over in self.model.networks:
                pushed, push = self.use(f"pushed:{own}"), self.use(f"push:{own}")
                self.add(depth, f"if {push}:", f"    hits = np.int64({pushed}[at])", f"    {pushed}[at] = 0")
            if where is not None:
                self.add(depth, f"if {self.call(f'where_{members[0].name}', where)}:")
                inner += 1
            if own and over in self.model.networks:
                self.add(inner, f"if push__{own}:", f"    sum_{own} = hits", "else:")
                inner += 1
            self._over(over, members, own, inner)

    def _over(self, over: str, members: Sequence[Aggregate], own: str, depth: int) -> None:
        """Loop over the neighbours of a row."""
        model = self.model
        if own:
            self.kernel.flags += (own,)
            self.use(f"bits:{own}")
        if over in model.networks:
            self.kernel.ties = self.kernel.ties or over
            ptr, idx = self.use(f"ptr:{over}"), self.use(f"idx:{over}")
            self.add(depth, f"for tie in range(U({ptr}[at]), U({ptr}[at + ONE])):", f"    other = U({idx}[tie])")
            self._add_up(members, own, depth + 1, "other", "tie")
        elif over in model.mixings:
            k, key = self.use(f"k:{over}"), self.use(f"luck:{over}")
            self.add(
                depth, f"for meeting in range({k}):", f"    other = U(met({key}, np.int64(at), meeting, {self.use('n')}))"
            )
            self._add_up(members, own, depth + 1, "other", "")
        else:
            self.kernel.grid = True
            for size in ("height", "width"):
                self.use(size)
            grid = model.grids[over]
            for line in ("above", "y", "below_"):
                for cell in ("left", "x", "right"):
                    if (line, cell) == ("y", "x") or (not grid.moore and line != "y" and cell != "x"):
                        continue
                    there = [f"has_{side}" for side in (line.strip("_"), cell) if side not in "xy" and not grid.torus]
                    if there:
                        self.add(depth, f"if {' and '.join(there)}:")
                    deeper = depth + bool(there)
                    self.add(deeper, f"other = U({line} * width + {cell})")
                    self._add_up(members, own, deeper, "other", "")

    def _add_up(self, members: Sequence[Aggregate], own: str, depth: int, other: str, tie: str) -> None:
        """Add one neighbour's part."""
        for a in members:
            if own:
                self.add(depth, f"sum_{a.name} += bit(bits__{own}, {other})")
                continue
            bound = {"their_row": f"np.int64({other})"}
            for name in arguments_of(a.of):
                if name.startswith("their_") and name != "their_row":
                    column = name.removeprefix("their_")
                    self.across.add(column)
                    bound[name] = f"{self.use('col:' + column)}[{other}]"
                if name == "weight":
                    bound[name] = f"{self.use('wgt:' + a.over)}[{tie}]"
            found = self.call(f"of_{a.name}", a.of, bound)
            self.add(depth, f"sum_{a.name} += {f'1 if {found} else 0' if a.counts else found}")
