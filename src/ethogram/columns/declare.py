"""What the body of a model's class is made of: columns, parameters, neighbourhoods, aggregates and observers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.populations.network import Network

__all__ = [
    "Aggregate",
    "Column",
    "Declared",
    "Grid",
    "Lever",
    "Mixing",
    "Observer",
    "Parameter",
    "Tally",
    "Ties",
    "column",
    "count",
    "grid",
    "levers",
    "mixing",
    "network",
    "observe",
    "tally",
    "total",
]


class Declared:
    """Something that stands in the body of a model's class under a name."""

    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, world: Any, value: Any) -> None:
        raise ConfigError(f"{type(world).__name__}.{self.name} cannot be set: it is declared in the class")


@dataclass(eq=False)
class Column(Declared):
    """A column of the state; on a world it is the numpy array, shape (n,), and setting it fills that array."""

    dtype: np.dtype[Any]
    initial: float
    levels: tuple[str, ...]

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else world.column(self.name)

    def __set__(self, world: Any, value: Any) -> None:
        world.column(self.name)[:] = value


def column(dtype: Any, initial: float = 0, levels: Sequence[str] = ()) -> Any:
    """A column of the state: one number a row, of the smallest type that holds it.

    Args:
        dtype: `"int8"`, `"float32"`, `bool` ... (whole, real or truth numbers).
        initial: what all rows begin with. Where the world is built from a population whose table has a column of this name,
            they begin with that instead (text becomes the number of its level, see `Columns.levels`). `start` may set it.
        levels: what the values 0, 1, 2 ... are called, where groups are made by this column.
    """
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise ConfigError(f"column({dtype!r}): that is not a type of numbers ({error})") from None
    if kind.kind not in "biuf" or kind.itemsize > 8 or kind == np.float16:
        raise ConfigError(f"column({dtype!r}): a column holds whole, real or truth numbers of 1 to 8 bytes")
    return Column(kind, initial, tuple(levels))


@dataclass(eq=False)
class Parameter(Declared):
    """A number or array that rules may use; `kind` is the numpy type it has in kernels."""

    kind: np.dtype[Any]
    array: bool
    default: Any = None

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self.default if world is None else world.parameters[self.name]

    def __set__(self, world: Any, value: Any) -> None:
        world.parameters[self.name] = self.checked(value, type(world).__name__)

    def checked(self, value: Any, model: str) -> Any:
        """The value as kernels take it; ConfigError where it is not of the parameter's kind."""
        wanted = (
            f"an array of {self.kind.name}"
            if self.array
            else {"b": "true or false", "i": "a whole number"}.get(self.kind.kind, "a number")
        )
        try:
            found = np.array(value)
        except (TypeError, ValueError):
            found = np.array(None)
        order = {"b": 0, "u": 1, "i": 1, "f": 2}
        fits = order.get(found.dtype.kind, 9) <= order[self.kind.kind] and (found.ndim > 0) == self.array
        if not fits:
            raise ConfigError(f"{model}: parameter {self.name!r} must be {wanted}, not {str(value)[:60]!r}")
        found = np.ascontiguousarray(found.astype(self.kind))
        return found if self.array else found.item()


@dataclass(eq=False)
class Ties(Declared):
    """Neighbours along the ties of a network; on a world it is the `Network`."""

    default: Callable[[int], Network] | None

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else world.networks[self.name]


def network(default: Callable[[int], Network] | None = None) -> Any:
    """The neighbours of a row are those it is tied to in a network that the constructor is given under this name.

    A world that is built from a population takes the population's network of this name. In a directed network the
    neighbours are the targets of a row's edges.

    Args:
        default: makes the network of n rows where none is given.
    """
    return Ties(default)


@dataclass(eq=False)
class Grid(Declared):
    """The cells around a cell."""

    moore: bool
    torus: bool


def grid(moore: bool = True, torus: bool = True) -> Any:
    """The rows are the cells of a grid, line by line; neighbours are the 8 cells around one, or with `moore=False` 4.

    Args:
        moore: count corners, too.
        torus: the grid has no edge: left of the first cell of a line is its last.
    """
    return Grid(moore, torus)


@dataclass(eq=False)
class Mixing(Declared):
    """Other rows met at random."""

    k: int | str


def mixing(k: int | str) -> Any:
    """The neighbours of a row are `k` other rows, drawn afresh at every step, uniformly and independently; none is stored.

    Args:
        k: how many, or the name of the whole-number parameter that says so.
    """
    return Mixing(k)


@dataclass(eq=False)
class Aggregate(Declared):
    """A sum over neighbours; on a world it is the array of all rows' sums as things are now, shape (n,)."""

    over: str
    of: Any
    where: Any
    counts: bool

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else world.aggregate(self.name)


def count(neighbourhood: str, of: Callable[..., Any], where: Callable[..., Any] | None = None) -> Any:
    """How many neighbours of a row pass a test. It is computed in the loop of the rule that names it, when it is named.

    Args:
        neighbourhood: the name of a `network`, `grid` or `mixing` of the model.
        of: the test: a rule of `x` (my column x), `their_x` (the neighbour's), `weight` (of the tie), `row`, `their_row`,
            and parameters. One that names only `their_*` and parameters is evaluated once a row, not once a tie.
        where: a rule of my columns and of parameters: where it is false the count is 0 and no tie is looked at.
    """
    return Aggregate(neighbourhood, of, where, True)


def total(neighbourhood: str, of: Callable[..., Any], where: Callable[..., Any] | None = None) -> Any:
    """The sum of a number over the neighbours of a row, as float64, in the order of the ties; arguments as of `count`."""
    return Aggregate(neighbourhood, of, where, False)


@dataclass(eq=False)
class Tally(Declared):
    """Counts of a column's values."""

    of: str
    names: tuple[str, ...]

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else world.tally(self.name)


def tally(column: str, names: Sequence[str]) -> Any:
    """An observer: at every step, how many rows hold 0, 1, 2 ... in a whole-number column; other values are not counted.

    Args:
        column: the column.
        names: what the counts are called, in order of the values.
    """
    return Tally(column, tuple(names))


@dataclass(eq=False)
class Observer(Declared):
    """A method whose numbers are observed at every step."""

    method: Callable[..., Any]
    names: tuple[str, ...]

    def __get__(self, world: Any, owner: type | None = None) -> Any:
        return self if world is None else self.method.__get__(world, owner)


def observe(*names: Any) -> Any:
    """Mark a method as an observer: at every step it returns a number, observed under the method's name.

    With names, `@observe("gini", "poor")`, it returns a dict of the numbers so called.
    """
    if len(names) == 1 and callable(names[0]):
        return Observer(names[0], ())
    return lambda method: Observer(method, names)


@dataclass(eq=False)
class Lever(Declared):
    """Parameters that the observer agent sets as its action, and their bounds."""

    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)


def levers(**bounds: tuple[float, float]) -> Any:
    """Parameters which the agent `observer` sets before every step, each within its bounds: `levers(beta=(0, 0.2))`."""
    return Lever(bounds)
