"""Weights that make a sample keep target margins, and estimates from them.

Iterative proportional fitting (Deming and Stephan 1940), also called raking: weights are scaled to each margin in turn until
all hold. Among all weights that keep the margins, the result is the one closest to the first weights in relative entropy, so
it keeps the associations (odds ratios) of the seed that the margins do not speak of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.margins import Fit, Margin, Targets, fit_of, read_targets

__all__ = ["Mean", "Raked", "checked_weights", "codes_of", "post_stratify", "proportional_fit", "rake"]


class Mean(NamedTuple):
    """An estimated mean: its value, standard error, and the number of rows behind it."""

    value: float
    standard_error: float
    n: int


class Raked(NamedTuple):
    """Weights for the rows of a sample, and how well they keep the targets."""

    weights: NDArray[np.float64]
    fit: Fit

    @property
    def effective_sample_size(self) -> float:
        """The rows of a simple random sample that would be as precise (Kish 1965): (sum of w)^2 / sum of w^2."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    @property
    def design_effect(self) -> float:
        """How many times weighting multiplies the variance of a mean (Kish): rows over effective sample size, 1 or more."""
        return len(self.weights) / self.effective_sample_size

    def mean(self, values: ArrayLike) -> Mean:
        """The weighted mean of `values` (one a row), and its linearised standard error with weights taken as fixed.

        Raises:
            DataError: a value is missing or there is not one a row.
        """
        y = _values(values, len(self.weights))
        total = self.weights.sum()
        value = float(self.weights @ y / total)
        error = float(np.sqrt((self.weights**2 * (y - value) ** 2).sum()) / total)
        return Mean(value, error, len(y))


def rake(
    table: pl.DataFrame,
    targets: Targets,
    *,
    weights: ArrayLike | str | None = None,
    rescale: bool = False,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
) -> Raked:
    """Weights for the rows of a sample so that it keeps target margins.

    Args:
        table: the sample, one row a respondent (or a cell).
        targets: margins, as numbers of people or as shares; see `Targets`.
        weights: first weights (design weights), shape (rows,), or the column that has them; else 1 for all.
        rescale: bring margins of differing totals to that of the first.
        tolerance: converged when no category is further off than this share of the total.
        max_iterations: rounds over all margins after which not to have converged is an error.

    Returns:
        Weights that add up to the total of the targets or, where these are shares, to the number of rows.

    Raises:
        DataError: margins contradict each other, a category with a target has no row, a row is in no category, or the
            fit does not converge.
    """
    margins = read_targets(targets, rescale=rescale)
    first = checked_weights(table, weights)
    total = float(margins[0].target.sum())
    if abs(total - 1) <= 1e-6:
        margins = scaled(margins, table.height / total)
    codes = [codes_of(table, margin) for margin in margins]
    raked, iterations = proportional_fit(margins, codes, first, tolerance, max_iterations)
    achieved = [sums(code, raked, margin) for code, margin in zip(codes, margins, strict=True)]
    return Raked(raked, fit_of(margins, achieved, iterations, "weights by iterative proportional fitting"))


def scaled(margins: Sequence[Margin], factor: float) -> list[Margin]:
    """The margins with every target multiplied by `factor`."""
    return [margin._replace(cells=margin.cells.with_columns(pl.col("target") * factor)) for margin in margins]


def sums(codes: NDArray[np.int64], weights: NDArray[np.float64], margin: Margin) -> NDArray[np.float64]:
    """The sum of weights in each cell of a margin, shape (cells,)."""
    return np.bincount(codes, weights, minlength=margin.cells.height).astype(np.float64)


def checked_weights(table: pl.DataFrame, weights: ArrayLike | str | None) -> NDArray[np.float64]:
    """First weights of the rows of a table, shape (rows,), float64.

    Raises:
        DataError: the table is empty, the column is missing, or a weight is negative, missing or not a number.
    """
    if table.height == 0:
        raise DataError("The table has no rows.")
    if weights is None:
        return np.ones(table.height)
    if isinstance(weights, str):
        if weights not in table.columns or not table[weights].dtype.is_numeric():
            raise DataError(f"The table has no column of numbers called {weights!r}; it has {', '.join(table.columns)}.")
        weights = table[weights].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    array = np.array(weights, dtype=np.float64)
    if array.shape != (table.height,):
        raise DataError(f"There must be one weight a row, shape ({table.height},), not {array.shape}.")
    wrong = ~np.isfinite(array) | (array < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"Row {row} (from 0) has the weight {array[row]:g}: it must be 0 or more.")
    if array.sum() <= 0:
        raise DataError("All weights are 0: at least one must be above.")
    return array


def codes_of(table: pl.DataFrame, margin: Margin) -> NDArray[np.int64]:
    """The cell of a margin that each row of a table is in, shape (rows,).

    Raises:
        DataError: the table lacks a column, or has a value that the margin does not list.
    """
    attributes = list(margin.attributes)
    for attribute in attributes:
        if attribute not in table.columns:
            raise DataError(f"The table has no column {attribute!r}, of which there is a margin.")
    cells = margin.cells.select(_as_in(table[a], margin.cells[a]) for a in attributes).with_row_index("__cell")
    found = table.select(attributes).join(cells, on=attributes, how="left", maintain_order="left", nulls_equal=True)
    if found["__cell"].null_count():
        row = int(found["__cell"].is_null().arg_max() or 0)
        values = ", ".join(f"{a} {table[a][row]!r}" for a in attributes)
        raise DataError(
            f"Row {row} (from 0) of the table has {values}, which the margin {margin.name} does not list: give it a target "
            "(0 to leave such rows out)."
        )
    return found["__cell"].to_numpy().astype(np.int64)


def _as_in(column: pl.Series, values: pl.Series) -> pl.Series:
    """The values of a margin in the type of the table's column, provided that this changes none."""
    try:
        same = values.cast(column.dtype)
        if same.cast(values.dtype).equals(values):
            return same
    except pl.exceptions.PolarsError:
        pass
    raise DataError(
        f"The margin gives {values.name} values of another type than the table has: {values.dtype} against {column.dtype}."
    )


def proportional_fit(
    margins: Sequence[Margin],
    codes: Sequence[NDArray[np.int64]],
    weights: NDArray[np.float64],
    tolerance: float,
    max_iterations: int,
) -> tuple[NDArray[np.float64], int]:
    """Scale `weights` to each margin in turn until all hold; the weights, and the rounds this took.

    Raises:
        DataError: a cell with a target has no weight (left), or the fit does not converge.
    """
    if tolerance <= 0 or max_iterations < 1:
        raise ConfigError(
            f"Fitting needs a tolerance above 0 and at least 1 iteration, not {tolerance} and {max_iterations}."
        )
    weights = weights.copy()
    total = float(margins[0].target.sum())
    worst = (0.0, margins[0], 0)
    for iteration in range(1, max_iterations + 1):
        for margin, code in zip(margins, codes, strict=True):
            achieved = sums(code, weights, margin)
            _check_zero_cells(margin, achieved)
            factor = np.divide(margin.target, achieved, out=np.zeros_like(achieved), where=achieved > 0)
            weights *= factor[code]
        worst = (0.0, margins[0], 0)
        for margin, code in zip(margins, codes, strict=True):
            error = np.abs(sums(code, weights, margin) - margin.target)
            cell = int(np.argmax(error))
            worst = max(worst, (float(error[cell]), margin, cell), key=lambda fault: fault[0])
        if worst[0] <= tolerance * total:
            return weights, iteration
    error, margin, cell = worst
    raise DataError(
        f"Fitting did not converge in {max_iterations} iterations: {margin.name} {margin.category(cell)} is still "
        f"{error / total:.2g} of the total off, because the margins contradict each other on the rows there are, or the "
        "tolerance is too strict."
    )


def _check_zero_cells(margin: Margin, achieved: NDArray[np.float64]) -> None:
    empty = (margin.target > 0) & (achieved <= 0)
    if empty.any():
        cell = int(np.argmax(empty))
        raise DataError(
            f"No row of the seed with a weight has {margin.name} {margin.category(cell)}, whose target is "
            f"{margin.target[cell]:g}: give the seed such rows, or the category the target 0."
        )


def post_stratify(table: pl.DataFrame, value: str, targets: Targets) -> Mean:
    """The post-stratified mean of a column: stratum means weighted by the known share of each stratum.

    Value: sum over strata h of W_h times the mean of h; variance: sum of W_h^2 s_h^2 / n_h, given the numbers n_h of rows
    (Holt and Smith 1979, "Post stratification").

    Args:
        table: a sample, one row a respondent.
        value: the column to average: numbers or truth values.
        targets: one margin, the strata; see `Targets`.

    Raises:
        DataError: a stratum with a target has fewer than two rows, or a value is missing.
        ConfigError: there is more than one margin (use `rake` then).
    """
    margins = read_targets(targets)
    if len(margins) != 1:
        raise ConfigError("Post-stratification takes one margin (of one or more attributes); for several, use rake.")
    if value not in table.columns:
        raise DataError(f"The table has no column {value!r}; it has {', '.join(table.columns)}.")
    margin = margins[0]
    y = _values(table[value], table.height)
    codes = codes_of(table, margin)
    share = margin.target / margin.target.sum()
    n = np.bincount(codes, minlength=len(share))
    if ((share > 0) & (n < 2)).any():
        cell = int(np.argmax((share > 0) & (n < 2)))
        raise DataError(
            f"The stratum {margin.name} {margin.category(cell)} has {n[cell]} rows, but 2 are needed: join strata."
        )
    used = share > 0
    rows = np.maximum(n, 2)
    mean = np.bincount(codes, y, minlength=len(share)) / np.maximum(n, 1)
    variance = np.bincount(codes, (y - mean[codes]) ** 2, minlength=len(share)) / (rows - 1)
    error = np.sqrt((share**2 * variance / rows)[used].sum())
    return Mean(float(share[used] @ mean[used]), float(error), int(n[used].sum()))


def _values(values: ArrayLike, n: int) -> NDArray[np.float64]:
    try:
        y = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("The values to average must be numbers or truth values.") from None
    if y.shape != (n,):
        raise DataError(f"There must be one value a row, shape ({n},), not {y.shape}.")
    if not np.isfinite(y).all():
        raise DataError(f"The value of row {int(np.argmin(np.isfinite(y)))} (from 0) is missing: leave such rows out first.")
    return y
