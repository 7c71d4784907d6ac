"""Substeps: the rules of a model. They run in the order in which the class has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ethogram.columns.declare import Declared
from ethogram.errors import ConfigError

__all__ = [
    "ANYONE",
    "Each",
    "Pairs",
    "Relocate",
    "Scatter",
    "Substep",
    "Transfer",
    "Turn",
    "Whole",
    "each",
    "pairs",
    "relocate",
    "scatter",
    "transfer",
    "turn",
    "whole",
]

ANYONE = "anyone"
"""Any row, drawn uniformly."""
ORDERS = ("random", "fixed", "events")


@dataclass(eq=False)
class Substep(Declared):
    """One rule of a model."""

    rule: Any

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that the rule changes."""
        return ()


@dataclass(eq=False)
class Each(Substep):
    """Every row anew, from what was before."""

    columns: tuple[str, ...]

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that the rule gives."""
        return self.columns


def each(*columns: str) -> Any:
    """A rule that gives every row new values of some columns (one value, or a tuple in this order).

    Rows are synchronous: all read the state as it was before the substep.

    The rule is a plain function whose arguments say what it reads: columns (of the row), aggregates, parameters,
    `u`, `u2`, `u3` (random numbers in [0, 1), of this row, step and rule), `row`, `step` and `n`.
    """
    return lambda rule: Each(rule, columns)


@dataclass(eq=False)
class Transfer(Substep):
    """Amounts that leave rows for others."""

    column: str
    to: str

    @property
    def writes(self) -> tuple[str, ...]:
        """The column of the amounts."""
        return (self.column,)


def transfer(column: str, to: str = ANYONE) -> Any:
    """A rule that says how much of a column leaves the row for another; what leaves one arrives at one.

    Rows are synchronous: amounts are computed from the state as it was before, all leave, and then all arrive.

    Args:
        column: what is transferred.
        to: `"anyone"` (any row, uniformly, itself included), or a `network` or `mixing` of the model: one neighbour of the
            row, uniformly. A row without neighbours keeps what it has.
    """
    return lambda rule: Transfer(rule, column, to)


@dataclass(eq=False)
class Scatter(Substep):
    """Amounts that are added to rows."""

    column: str

    @property
    def writes(self) -> tuple[str, ...]:
        """The column of the amounts."""
        return (self.column,)


def scatter(column: str) -> Any:
    """A rule that returns (row, amount): the amount is added to the column at that row, after all rows were asked.

    Where the row is negative nothing is added.
    """
    return lambda rule: Scatter(rule, column)


@dataclass(eq=False)
class Relocate(Substep):
    """Rows that change their place."""

    columns: tuple[str, ...]
    empty: Any

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that move."""
        return self.columns


def relocate(*columns: str, empty: Callable[..., Any]) -> Any:
    """A rule that says whether what is in a cell moves: it then changes places with a random empty cell.

    All are asked first; then those that move do so, in random order, each to an empty cell of those that were empty before.
    Where there are more of them than of empty cells, the last ones stay.

    Args:
        *columns: what moves along.
        empty: a rule of a cell's columns and of parameters: whether the cell is empty.
    """
    return lambda rule: Relocate(rule, columns, empty)


@dataclass(eq=False)
class Pairs(Substep):
    """Rows that meet in pairs."""

    columns: tuple[str, ...]

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that change."""
        return self.columns


def pairs(*columns: str) -> Any:
    """A rule of two rows: all rows are paired at random (one stays alone where they are odd), and each pair meets once.

    The rule's arguments are `x` (a column of the one), `their_x` (of the other), parameters, `u`, `u2`, `u3`, `row`,
    `their_row`, `step`, `n`. It returns the new values of the one and of the other: for one column `(mine, theirs)`, for
    several `(mine, mine2, theirs, theirs2)`.
    """
    return lambda rule: Pairs(rule, columns)


@dataclass(eq=False)
class Turn(Substep):
    """One row after the other."""

    order: str
    time: str | None


def turn(order: str = "random", time: str | None = None) -> Any:
    """An asynchronous rule: rows take their turn one after the other, and each sees what those before it have done.

    The rule's arguments: `row`; columns, as whole arrays that it changes in place; aggregates, computed when it is the row's
    turn; a network, as the array of the row's neighbours; parameters, `u`, `u2`, `u3`, `step`, `n`, and `now`.

    Args:
        order: `"random"` (each row once, in a random order that is new at every step), `"fixed"` (each row once, in the
            order of the table), or `"events"` (rows in the order of their times in the column `time`, as often as they are
            due before the next whole step; before its turn a row's time is set to infinity, and the rule sets it to a later
            one if there is more to come. A rule that sets the time of another row returns that row, else -1 or nothing).
        time: the float column of times, for events.
    """
    if order not in ORDERS:
        raise ConfigError(f"turn(order={order!r}): the orders are {', '.join(map(repr, ORDERS))}")
    if (time is None) == (order == "events"):
        raise ConfigError("turn(order='events', time=...) needs the column of times, and only that order does")
    return lambda rule: Turn(rule, order, time)


@dataclass(eq=False)
class Whole(Substep):
    """A method on whole columns."""

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else self.rule.__get__(world, owner)


def whole(method: Any) -> Any:
    """A substep that is a plain method, with numpy on the columns: `def births(self)` or `def births(self, rng)`.

    `rng` is a numpy Generator of this step and substep.
    """
    return Whole(method)
