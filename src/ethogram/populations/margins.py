"""Margins (how many people of each kind there are to be), and how well a population keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Fit", "Margin", "Targets", "cells_of", "fit_of", "read_targets"]

Targets = Mapping[str | tuple[str, ...], Mapping[Any, float] | pl.DataFrame]
"""Target margins: an attribute, or a tuple of attributes, to the number or share of people in each of its categories.

Categories are given as a mapping (values, or tuples of values, to numbers) or as a table with the attributes as columns and
one more column, the numbers. A combination that is left out counts as zero.
"""

AGREEMENT = 1e-6
"""How far the totals of margins, and what they say of the same attribute, may differ (as a share of the total)."""
SHOWN = 12
"""The most categories of a margin that a printed fit shows."""


class Margin(NamedTuple):
    """One target margin, every combination of its attributes' categories listed."""

    attributes: tuple[str, ...]
    cells: pl.DataFrame
    """A column for each attribute, and `target`, the number of people (float64)."""

    @property
    def name(self) -> str:
        """What the margin is called in messages and tables."""
        return " × ".join(self.attributes)

    @property
    def target(self) -> NDArray[np.float64]:
        """The number of people in each cell, shape (cells,)."""
        return self.cells["target"].to_numpy()

    def category(self, cell: int) -> str:
        """What a cell is called in messages and tables."""
        return ", ".join(str(value) for value in self.cells.row(cell)[:-1])


@dataclass(frozen=True)
class Fit:
    """How far a weighted or drawn population keeps its target margins; prints as tables.

    Attributes:
        cells: one row a category: `margin`, `category`, `target` and `achieved` (people, or sums of weights).
        iterations: rounds of iterative proportional fitting until it converged.
        method: how the achieved numbers came about.
    """

    cells: pl.DataFrame
    iterations: int
    method: str

    @property
    def margins(self) -> pl.DataFrame:
        """One row a margin: how many `categories` it has, its `total`, and three measures of its misfit.

        `total_absolute_error` is the sum over categories of |achieved - target|, `standardised_error` that sum over the
        total (Voas and Williamson 2001, "Evaluating goodness-of-fit measures for synthetic microdata"), and `max_ratio` the
        largest factor by which a category is over- or underrepresented (1 is a perfect fit; infinite where a category with a
        target is empty, or one with target 0 is not).
        """
        target, achieved = pl.col("target"), pl.col("achieved")
        ratio = pl.when(target == achieved).then(1.0).otherwise(pl.max_horizontal(target / achieved, achieved / target))
        error = (achieved - target).abs().sum()
        return self.cells.group_by("margin", maintain_order=True).agg(
            categories=pl.len(),
            total=target.sum(),
            total_absolute_error=error,
            standardised_error=error / target.sum(),
            max_ratio=ratio.max(),
        )

    def shown(self) -> pl.DataFrame:
        """The categories that a printed fit shows: of each margin those furthest off, in the order of the margin."""
        off = (pl.col("achieved") - pl.col("target")).abs().rank("ordinal", descending=True).over("margin")
        return self.cells.filter(off <= SHOWN)

    def __str__(self) -> str:
        tables = [_aligned(header, rows) for header, rows in self._tables()]
        return "\n\n".join([*tables, self._made()])

    def __rich__(self) -> Table:
        from rich.table import Table

        whole = Table.grid(padding=(1, 0))
        for header, rows in self._tables():
            table = Table(*header)
            for column, sample in zip(table.columns, rows[0], strict=True):
                column.justify = "left" if sample == rows[0][0] else "right"
            for row in rows:
                table.add_row(*row)
            whole.add_row(table)
        whole.add_row(self._made())
        return whole

    def _made(self) -> str:
        return f"{self.method}; {self.iterations} iteration{'' if self.iterations == 1 else 's'}"

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        cells = [
            [f"{margin}: {category}", f"{target:,.1f}", f"{achieved:,.1f}", f"{achieved - target:+,.1f}"]
            for margin, category, target, achieved in self.shown().iter_rows()
        ]
        margins = [
            [name, str(categories), f"{error:,.1f}", f"{standardised:.4f}", f"{ratio:.3f}"]
            for name, categories, _, error, standardised, ratio in self.margins.iter_rows()
        ]
        left_out = self.cells.height - len(cells)
        head = f"category ({left_out} closer ones not shown)" if left_out else "category"
        return [
            ([head, "target", "achieved", "difference"], cells),
            (["margin", "categories", "total absolute error", "standardised error", "max ratio"], margins),
        ]


def _aligned(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        [row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))]
        for row in [header, *rows]
    ]
    return "\n".join("  ".join(line) for line in lines)


def fit_of(margins: Sequence[Margin], achieved: Sequence[NDArray[Any]], iterations: int, method: str) -> Fit:
    """The fit of `achieved` numbers, one array for the cells of each margin."""
    tables = [
        pl.DataFrame(
            {
                "margin": [margin.name] * margin.cells.height,
                "category": [margin.category(cell) for cell in range(margin.cells.height)],
                "target": margin.target,
                "achieved": np.asarray(got, dtype=np.float64),
            }
        )
        for margin, got in zip(margins, achieved, strict=True)
    ]
    return Fit(pl.concat(tables), iterations, method)


def read_targets(targets: Targets, *, rescale: bool = False) -> list[Margin]:
    """Checked margins from what a user gives; all have the same total.

    Args:
        targets: see `Targets`.
        rescale: bring all margins to the total of the first (else differing totals are an error).

    Raises:
        DataError: a number is negative or missing, or margins contradict each other.
        ConfigError: there are no targets, or a margin does not say what it counts.
    """
    if not targets:
        raise ConfigError("There are no targets: give at least one margin, such as {'age': {'young': 0.3, 'old': 0.7}}.")
    margins = [_margin(key, cells) for key, cells in targets.items()]
    total = float(margins[0].target.sum())
    for i, margin in enumerate(margins):
        own = float(margin.target.sum())
        if rescale:
            margins[i] = margin._replace(cells=margin.cells.with_columns(pl.col("target") * (total / own)))
        elif abs(own - total) > AGREEMENT * total:
            raise DataError(
                f"The margin {margin.name} adds up to {own:g}, but {margins[0].name} to {total:g}: give the same total, or "
                "rescale=True to bring all to that of the first."
            )
    margins = _completed(margins)
    for one, other in combinations(margins, 2):
        _check_agreement(one, other, total)
    return margins


def _margin(key: str | tuple[str, ...], cells: Mapping[Any, float] | pl.DataFrame) -> Margin:
    attributes = (key,) if isinstance(key, str) else tuple(key)
    name = " × ".join(map(str, attributes))
    if not attributes or len(set(attributes)) < len(attributes) or not all(isinstance(a, str) for a in attributes):
        raise ConfigError(f"A margin is called by an attribute, or by a tuple of different ones, not by {key!r}.")
    if reserved := {"target", "name"} & set(attributes):
        raise ConfigError(f"An attribute of a margin cannot be called {min(reserved)!r}: choose another name.")
    table = _margin_table(name, attributes, cells)
    if table.height == 0:
        raise ConfigError(f"The margin {name} has no categories.")
    if table.select(attributes).is_duplicated().any():
        raise DataError(f"The margin {name} gives the same category twice.")
    margin = Margin(attributes, table)
    wrong = ~np.isfinite(margin.target) | (margin.target < 0)
    if wrong.any():
        cell = int(np.argmax(wrong))
        raise DataError(
            f"The margin {name} gives {margin.category(cell)} the number {margin.target[cell]:g}: it must be 0 or more."
        )
    if margin.target.sum() <= 0:
        raise DataError(f"The margin {name} adds up to 0: at least one category must have a number above 0.")
    return margin


def _margin_table(name: str, attributes: tuple[str, ...], cells: Mapping[Any, float] | pl.DataFrame) -> pl.DataFrame:
    """The columns `attributes` and `target`."""
    if isinstance(cells, pl.DataFrame):
        numbers = [column for column in cells.columns if column not in attributes]
        if len(numbers) != 1 or not set(attributes) <= set(cells.columns) or not cells[numbers[0]].dtype.is_numeric():
            raise ConfigError(
                f"The table of the margin {name} must have the columns {', '.join(attributes)} and one of numbers, not: "
                f"{', '.join(cells.columns)}."
            )
        return cells.select(*attributes, target=pl.col(numbers[0]).cast(pl.Float64).fill_null(float("nan")))
    values = [(category,) if len(attributes) == 1 else category for category in cells]
    for value in values:
        if not isinstance(value, tuple) or len(value) != len(attributes):
            raise ConfigError(f"In the margin {name}, {value!r} must be a tuple of {len(attributes)} values.")
    try:
        columns = {a: pl.Series([value[i] for value in values], strict=True) for i, a in enumerate(attributes)}
        target = pl.Series(list(cells.values()), strict=False).cast(pl.Float64)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise ConfigError(f"The margin {name} mixes types: {str(error).strip().splitlines()[0]}.") from None
    return pl.DataFrame({**columns, "target": target.fill_null(float("nan"))})


def _completed(margins: list[Margin]) -> list[Margin]:
    """Margins that list every combination of the categories that any margin gives to their attributes."""
    categories: dict[str, pl.Series] = {}
    for margin in margins:
        for attribute in margin.attributes:
            column = margin.cells[attribute].unique(maintain_order=True)
            known = categories.setdefault(attribute, column)
            if known.dtype != column.dtype:
                raise DataError(f"The margins give {attribute} values of two types, {known.dtype} and {column.dtype}.")
            categories[attribute] = pl.concat([known, column]).unique(maintain_order=True)
    completed = []
    for margin in margins:
        product = cells_of({attribute: categories[attribute] for attribute in margin.attributes})
        cells = product.join(margin.cells, on=list(margin.attributes), how="left", maintain_order="left", nulls_equal=True)
        completed.append(margin._replace(cells=cells.with_columns(pl.col("target").fill_null(0.0))))
    return completed


def cells_of(categories: Mapping[str, pl.Series]) -> pl.DataFrame:
    """One row for every combination of categories, the last attribute changing fastest."""
    cells = pl.DataFrame()
    for attribute, values in categories.items():
        column = values.alias(attribute).to_frame()
        cells = cells.join(column, how="cross", maintain_order="left_right") if cells.width else column
    return cells


def _check_agreement(one: Margin, other: Margin, total: float) -> None:
    shared = [attribute for attribute in one.attributes if attribute in other.attributes]
    if not shared:
        return
    sums = [m.cells.group_by(shared, maintain_order=True).agg(pl.col("target").sum()) for m in (one, other)]
    both = sums[0].join(sums[1], on=shared, how="left", suffix="_other", nulls_equal=True, maintain_order="left")
    off = both.filter((pl.col("target") - pl.col("target_other")).abs() > AGREEMENT * total)
    if off.height:
        *values, first, second = off.row(0)
        category = ", ".join(f"{attribute} {value}" for attribute, value in zip(shared, values, strict=True))
        raise DataError(f"The margins {one.name} and {other.name} disagree on {category}: {first:g} against {second:g}.")
