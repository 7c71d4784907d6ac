"""A population: a table with one row an agent, and networks over its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ethogram.errors import ConfigError, DataError
from ethogram.populations.network import Network
from ethogram.populations.persona import Persona
from ethogram.populations.tables import Place, check_names, table_of

__all__ = ["Edges", "People", "Population"]

People = pl.DataFrame | Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any] | Persona]
"""What a table of people is made from: a table, its columns, or its rows."""
Edges = Network | pl.DataFrame | Iterable[tuple[str, str] | tuple[str, str, float]] | str | Path
"""What a network is made from: a network, a table of edges, pairs of names (perhaps with a weight), or a file of edges."""


class Population:
    """Who takes part: a table with one row an agent, called by its unique `name`, and named networks over the rows.

    A population does not change; methods give new ones that share its columns.

    Attributes:
        table: polars table; the column `name` is text and unique, the others are up to the user.
        networks: name of a network to the `Network` over the rows of the table.
        persona_type: what a row is as a persona: `Persona` shows all columns; a subclass only the attributes that it
            declares, which take their defaults where the table has no value.

    Raises:
        DataError: a name is missing or doubled, a value is not what `persona_type` declares, or a network does not fit.
    """

    def __init__(
        self,
        table: People,
        networks: Mapping[str, Edges] | None = None,
        *,
        persona_type: type[Persona] = Persona,
    ) -> None:
        self.table = _people(table)
        self.persona_type = persona_type
        check_people(self.table, persona_type, "the table of people", _row)
        self.networks: dict[str, Network] = {}
        for name, network in (networks or {}).items():
            self.networks[name] = self._network(name, network, directed=False)

    def __len__(self) -> int:
        """The number of agents."""
        return self.table.height

    def __contains__(self, name: object) -> bool:
        """Whether an agent is called `name`."""
        return name in self._rows

    def __repr__(self) -> str:
        parts = [f"{len(self)} agents", f"columns {', '.join(self.table.columns)}"]
        parts += [f"{name}: {network!r}" for name, network in self.networks.items()]
        return f"Population({'; '.join(parts)})"

    @cached_property
    def names(self) -> list[str]:
        """The agents' names, in row order."""
        return self.table["name"].to_list()

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """The row (from 0) of the agent called `name`.

        Raises:
            ConfigError: nobody is called so.
        """
        if name not in self._rows:
            raise ConfigError(f"There is no agent {name!r} in this population of {len(self)}.")
        return self._rows[name]

    def persona(self, name: str) -> Persona:
        """The agent called `name` as a persona of `persona_type`."""
        return self._persona(self.index(name))

    def personas(self) -> list[Persona]:
        """All agents as personas, in row order."""
        return [self._persona(i) for i in range(len(self))]

    def _persona(self, row: int) -> Persona:
        values = self.table.row(row, named=True)
        if self.persona_type is not Persona:
            fields = self.persona_type.model_fields
            values = {
                key: value
                for key, value in values.items()
                if key in fields and (value is not None or fields[key].is_required())
            }
        try:
            return self.persona_type.model_validate(values)
        except ValidationError as error:
            raise DataError(f"{_row(row)}: {_said(error)}.") from None

    def neighbours(self, name: str, network: str) -> list[str]:
        """The names of those whom the agent `name` is tied to in a network (in a directed one, those its edges point to).

        Raises:
            ConfigError: there is no such agent or network.
        """
        if network not in self.networks:
            raise ConfigError(f"There is no network {network!r}; there are: {', '.join(self.networks) or 'none'}.")
        return [self.names[row] for row in self.networks[network].neighbours(self.index(name))]

    def select(self, where: pl.Expr | Sequence[str] | NDArray[np.bool_] | pl.Series) -> Population:
        """The population of the agents that fit, and the networks among them.

        Args:
            where: a polars expression that is true for those to keep, a truth value for each row, or names (whose order
                becomes the order of the rows).

        Raises:
            ConfigError: a name is unknown or given twice, or the expression is not true or false for every row.
        """
        rows = self._chosen(where)
        networks = {name: network.subgraph(rows) for name, network in self.networks.items()}
        return Population(self.table[rows], networks, persona_type=self.persona_type)

    def _chosen(self, where: pl.Expr | Sequence[str] | NDArray[np.bool_] | pl.Series) -> NDArray[np.int64]:
        if isinstance(where, pl.Expr):
            try:
                where = self.table.select(where).to_series()
            except pl.exceptions.PolarsError as error:
                raise ConfigError(f"The people cannot be selected: {str(error).strip().splitlines()[0]}.") from None
        if isinstance(where, pl.Series) and where.dtype == pl.Boolean:
            where = where.fill_null(False).to_numpy()
        if isinstance(where, np.ndarray) and where.dtype == np.bool_:
            if where.shape != (len(self),):
                raise ConfigError(f"Selecting needs one truth value a row ({len(self)}), but the shape is {where.shape}.")
            return np.flatnonzero(where)
        rows = np.array([self.index(name) for name in where], dtype=np.int64)
        if len(np.unique(rows)) < len(rows):
            raise ConfigError("A name to select is given twice.")
        return rows

    def with_columns(self, *columns: pl.Expr | pl.Series, **named: Any) -> Population:
        """The population with columns added or replaced, as by polars' `with_columns`."""
        return Population(self.table.with_columns(*columns, **named), self.networks, persona_type=self.persona_type)

    def with_network(self, name: str, network: Edges, *, directed: bool = False) -> Population:
        """The population with a network added or replaced.

        Args:
            name: what it is called: letters, digits, `_` and `-`.
            network: a `Network` of as many nodes, a table with the columns source, target and perhaps weight, pairs of names
                (or triples with a weight), or the path of a `.csv` or `.parquet` file with such a table.
            directed: whether edges have a direction; of a `Network` its own flag counts.

        Raises:
            DataError: an edge names somebody unknown or ties somebody to themselves, or the size does not fit.
        """
        networks = {**self.networks, name: self._network(name, network, directed)}
        return Population(self.table, networks, persona_type=self.persona_type)

    def _network(self, name: str, edges: Edges, directed: bool) -> Network:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ConfigError(f"A network cannot be called {name!r}: use letters, digits, _ and - only.")
        if isinstance(edges, str | Path):
            return Network.read(edges, self.names, directed=directed)
        try:
            if not isinstance(edges, Network | pl.DataFrame):
                edges = _edge_table(edges)
            network = edges if isinstance(edges, Network) else Network.from_table(edges, self.names, directed=directed)
        except DataError as error:
            raise DataError(f"Network {name!r}: {error}") from None
        if len(network) != len(self):
            raise DataError(f"Network {name!r} has {len(network)} nodes, but the population has {len(self)} agents.")
        return network

    def equals(self, other: Population) -> bool:
        """Whether both have the same table (values and types) and the same networks."""
        same = self.table.equals(other.table) and self.table.schema == other.table.schema
        if not same or self.networks.keys() != other.networks.keys():
            return False
        return all(network.equals(other.networks[name]) for name, network in self.networks.items())

    def save(self, folder: str | Path, *, format: str = "parquet") -> None:
        """Write the population as readable tables: `people.parquet`, `networks/<name>.parquet` and `population.json`.

        A population that is there already is replaced as a whole.

        Args:
            folder: where; made if need be.
            format: `parquet` or `csv`.

        Raises:
            DataError: the folder holds something else, or (csv) a column has a type that text cannot hold.
        """
        from ethogram.populations.files import save

        save(self, Path(folder), format)

    @classmethod
    def load(cls, folder: str | Path, *, persona_type: type[Persona] = Persona) -> Population:
        """The population that `save` wrote.

        Raises:
            DataError: the folder does not hold a whole, sound population.
        """
        from ethogram.populations.files import load

        return load(Path(folder), persona_type)

    @classmethod
    def read(cls, path: str | Path, *, persona_type: type[Persona] = Persona) -> Population:
        """The population in a people file written by hand: `.csv`, `.json`, `.toml` or `.parquet`.

        A table has the column `name`. JSON is a list of people, or an object with `people` and perhaps `networks`; TOML has
        `[[people]]` tables and perhaps `[networks.<name>]` ones. A network has `edges` (pairs of names, or triples with a
        weight) and perhaps `directed = true`.

        Raises:
            DataError: the file is missing or malformed; the message says on which line or for which person.
            ConfigError: the file has another ending.
        """
        from ethogram.populations.files import read

        return read(Path(path), persona_type)


def check_people(table: pl.DataFrame, persona_type: type[Persona], source: str, place: Place) -> None:
    """Check the names, and every column that `persona_type` declares against its type.

    Rules that concern several fields of a persona are only checked when it is made.

    Raises:
        DataError: with the place of the first wrong row.
    """
    check_names(table, source, place)
    for field, info in persona_type.model_fields.items():
        if field == "name" and info.annotation is str:
            continue
        if field not in table.columns:
            if info.is_required():
                raise DataError(f"{source} has no column {field!r}, which a {persona_type.__name__} must have.")
            continue
        _check_column(table[field], persona_type, field, place)


def _check_column(column: pl.Series, persona_type: type[Persona], field: str, place: Place) -> None:
    info = persona_type.model_fields[field]
    kind = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    values: Any = GenericAlias(list, (kind,))
    first = pl.int_range(column.len(), eager=True)
    if not info.is_required():
        first = first.filter(column.is_not_null())
        column = column.drop_nulls()
    if not column.dtype.is_nested():  # checking each distinct value once makes large tables cheap
        distinct = column.is_first_distinct()
        first, column = first.filter(distinct), column.filter(distinct)
    try:
        TypeAdapter(values).validate_python(column.to_list())
    except ValidationError as error:
        fault = error.errors()[0]
        row = int(first[int(fault["loc"][0])])
        raise DataError(f"{place(row)}: {field} is {fault['input']!r}, but: {_lower(fault['msg'])}.") from None


def _people(table: People) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, Mapping):
        try:
            return pl.DataFrame(table)
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise DataError(f"The columns are no table: {str(error).strip().splitlines()[0]}.") from None
    rows = [row.model_dump() if isinstance(row, Persona) else row for row in table]
    return table_of(rows, _row) if rows else pl.DataFrame(schema={"name": pl.String})


def _edge_table(edges: Iterable[tuple[str, str] | tuple[str, str, float]]) -> pl.DataFrame:
    """Pairs or triples as a table of edges."""
    rows = [tuple(edge) for edge in edges]
    width = len(rows[0]) if rows else 2
    for i, row in enumerate(rows):
        if len(row) not in (2, 3) or len(row) != width:
            raise DataError(f"edge {i} (from 0) is {row!r}, but edges must all be pairs of names, or all have a weight too.")
        if not all(isinstance(end, str) for end in row[:2]):
            raise DataError(f"edge {i} (from 0) is {row!r}, but its ends must be names.")
        if width == 3 and (not isinstance(row[2], int | float) or isinstance(row[2], bool)):
            raise DataError(f"edge {i} (from 0) is {row!r}, but its weight must be a number.")
    schema = {"source": pl.String, "target": pl.String, "weight": pl.Float64}
    return pl.DataFrame(rows, schema=dict(list(schema.items())[:width]), orient="row", strict=False)


def _row(row: int) -> str:
    return f"Row {row} (from 0)"


def _said(error: ValidationError) -> str:
    """The first fault of a persona, in words."""
    fault = error.errors()[0]
    field = ".".join(str(part) for part in fault["loc"])
    return f"{field} is {fault['input']!r}, but: {_lower(fault['msg'])}" if field else _lower(fault["msg"])


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
