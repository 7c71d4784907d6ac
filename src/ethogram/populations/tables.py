"""Tables of people: reading them, making them from rows, and saying which row is wrong."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError

__all__ = [
    "Place",
    "TextTable",
    "check_file",
    "check_names",
    "group_rows",
    "read_csv",
    "read_table",
    "read_text",
    "table_of",
]

Place = Callable[[int], str]
"""Says where row `i` of a table is, for a message: a line of a file, or the row itself."""


class TextTable(NamedTuple):
    """A table read from a text file, and where its rows stand there."""

    table: pl.DataFrame
    place: Place


def read_table(path: Path, text: Sequence[str] = ()) -> pl.DataFrame:
    """The table in a `.csv` or `.parquet` file; in a CSV file the columns `text` are text even if they look like numbers.

    Raises:
        DataError: the file is missing or is not such a table.
        ConfigError: the file has another ending.
    """
    match path.suffix:
        case ".csv":
            return read_csv(path, text).table
        case ".parquet":
            check_file(path)
            try:
                return pl.read_parquet(path)
            except (pl.exceptions.PolarsError, OSError) as error:
                raise DataError(f"{path} cannot be read as a parquet table: {_first_line(error)}.") from None
        case other:
            raise ConfigError(f"{path}: tables are read from .csv or .parquet, not {other or 'a file without an ending'!r}.")


def check_file(path: Path) -> None:
    """Check that a file is there.

    Raises:
        DataError: it is not.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        DataError: the file is missing, cannot be read, or is not UTF-8.
    """
    check_file(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def read_csv(path: Path, text: Sequence[str] = ()) -> TextTable:
    """The table in a CSV file with a header; types are found from all of its rows, an empty field is missing.

    Raises:
        DataError: a row has too few or too many fields, a quote is open, the text is not UTF-8, or a column is there twice.
    """
    check_file(path)
    header, lines = _scan_csv(path)
    overrides = {column: pl.String for column in text if column in header}
    try:
        table = pl.read_csv(path, infer_schema_length=None, schema_overrides=overrides)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} cannot be read as a CSV table: {_first_line(error)}.") from None
    return TextTable(table.head(len(lines)), lambda row: f"{path}, line {lines[row]}")


def _scan_csv(path: Path) -> tuple[list[str], list[int]]:
    """The header, and the line on which each row begins; empty lines at the end are no rows."""
    lines: list[int] = []
    empty, begins = 0, 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            begins = reader.line_num + 1
            for row in reader:
                if not row:
                    empty = empty or begins
                elif empty:
                    raise DataError(f"{path}, line {empty} is empty: delete it.")
                elif len(row) != len(header):
                    raise DataError(f"{path}, line {begins} has {len(row)} fields, but the header has {len(header)}.")
                else:
                    lines.append(begins)
                begins = reader.line_num + 1
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except csv.Error as error:
        raise DataError(f"{path}, line {begins}: {error}.") from None
    if not header:
        raise DataError(f"{path} is empty: its first line must name the columns.")
    if len(set(header)) < len(header):
        twice = next(column for column in header if header.count(column) > 1)
        raise DataError(f"{path} has the column {twice!r} twice.")
    return header, lines


def table_of(rows: Sequence[Mapping[str, Any]], place: Place) -> pl.DataFrame:
    """A table from rows; a key that a row lacks is missing there.

    Raises:
        DataError: values of one column are of different types; the message names the first such row.
    """
    first: dict[str, tuple[str, int]] = {}
    for i, row in enumerate(rows):
        for key, value in row.items():
            if value is None:
                continue
            kind, at = first.setdefault(key, (_kind(value), i))
            if _kind(value) != kind:
                raise DataError(f"{place(i)}: {key} is {value!r}, but {place(at)} has {rows[at][key]!r}: give one type.")
    try:
        return pl.DataFrame(list(rows), infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise DataError(f"The rows are no table: {_first_line(error)}.") from None


def _kind(value: object) -> str:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def check_names(table: pl.DataFrame, source: str, place: Place) -> None:
    """Check that the column `name` identifies the agents.

    Raises:
        DataError: the column is missing or not text, or a name is missing, doubled, or has spaces around it or control
            characters in it.
    """
    if "name" not in table.columns:
        raise DataError(f"{source} has no column 'name', by which agents are called; it has {', '.join(table.columns)}.")
    names = table["name"]
    if names.dtype != pl.String:
        if len(names) == 0:
            raise DataError(f"{source} has a column 'name' of type {names.dtype}: it must be text.")
        raise DataError(f"{place(0)}: the name {names[0]!r} is {names.dtype}, but names must be text.")
    bad = names.is_null() | (names.str.strip_chars() != names) | (names == "") | names.str.contains(r"\p{Cc}|\p{Zl}|\p{Zp}")
    if bad.any():
        row = int(bad.arg_max() or 0)
        said = "is missing" if not names[row] else f"{names[row]!r} has spaces around it or control characters in it"
        raise DataError(f"{place(row)}: the name {said}.")
    if names.n_unique() < len(names):
        row = int((~names.is_first_distinct()).arg_max() or 0)
        other = int((names == names[row]).arg_max() or 0)
        raise DataError(f"{place(row)}: the name {names[row]!r} is that of {place(other)} too; names must be unique.")


def group_rows(table: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """The distinct combinations of the columns `by` in order of first appearance, and the combination of each row.

    Missing values count as a value of their own.

    Raises:
        DataError: a column is missing.
    """
    if missing := [column for column in by if column not in table.columns]:
        raise DataError(f"There is no column {missing[0]!r} to group by; there are {', '.join(table.columns)}.")
    columns = table.select(by)
    groups = columns.unique(maintain_order=True)
    numbered = groups.with_row_index("__group")
    found = columns.join(numbered, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    return groups, found["__group"].to_numpy().astype(np.int64)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
