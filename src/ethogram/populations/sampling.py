"""Drawing populations: from known margins, or from the rows of a survey."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations.margins import Fit, Margin, Targets, cells_of, fit_of, read_targets
from ethogram.populations.persona import Persona
from ethogram.populations.population import Population
from ethogram.populations.streams import as_generator
from ethogram.populations.weighting import checked_weights, codes_of, proportional_fit, scaled

__all__ = ["Synthesis", "from_margins", "from_microdata", "integerise"]

MOST_CELLS = 10_000_000
"""The most combinations of categories that fitting without a seed table may have."""


class Synthesis(NamedTuple):
    """A population drawn to fit margins, how well it does, and the fitted weights it was drawn by."""

    population: Population
    fit: Fit
    weights: pl.DataFrame
    """The seed's rows (or all combinations of categories), and `weight`: the expected number of individuals of each."""


def from_margins(
    targets: Targets,
    n: int,
    *,
    seed_table: pl.DataFrame | None = None,
    weights: ArrayLike | str | None = None,
    rescale: bool = False,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    prefix: str = "agent",
    persona_type: type[Persona] = Persona,
    rng: np.random.Generator | int,
) -> Synthesis:
    """Draw `n` individuals that keep target margins, by iterative proportional fitting.

    The seed says how attributes hang together where the margins do not: rows of a survey (individuals are then copies of
    whole rows, with all their other columns), or a joint table with one row a combination. Without a seed, attributes are
    independent but for what the margins say. Fitted weights become whole numbers of individuals by `integerise`.

    Args:
        targets: margins, as numbers of people or as shares; see `Targets`.
        n: how many individuals.
        seed_table: survey rows or a joint table; needs a column for each attribute of the margins.
        weights: weight of each row of the seed (shape (rows,), or the column that has them); else 1 for all.
        rescale: bring margins of differing totals to that of the first (else they are an error).
        tolerance: converged when no category is further off than this share of the total.
        max_iterations: rounds over all margins after which not to have converged is an error.
        prefix: individuals are called `<prefix>-0001`, …; a column `name` of the seed is kept as `copy_of`.
        persona_type: the type of the personas of the population.
        rng: random generator, or a seed.

    Returns:
        The population (rows in random order), the fit, and the fitted weights.

    Raises:
        DataError: margins contradict each other or the seed, or the fit does not converge.
        ConfigError: `n` is not positive, or there are too many combinations to do without a seed.
    """
    if n < 1:
        raise ConfigError(f"A population needs 1 or more individuals, not {n}.")
    stream = as_generator(rng, "from_margins")
    margins = read_targets(targets, rescale=rescale)
    margins = scaled(margins, n / float(margins[0].target.sum()))
    if seed_table is None:
        if weights is not None:
            raise ConfigError("Weights are those of a seed table: give one, or leave the weights out.")
        seed_table = _all_cells(margins)
    first = checked_weights(seed_table, weights)
    if isinstance(weights, str):
        seed_table = seed_table.drop(weights)
    codes = [codes_of(seed_table, margin) for margin in margins]
    fitted, iterations = proportional_fit(margins, codes, first, tolerance, max_iterations)
    attributes = list(dict.fromkeys(attribute for margin in margins for attribute in margin.attributes))
    counts = _integerised_in_order(seed_table, attributes, fitted, stream)
    achieved = [np.bincount(code, counts, minlength=m.cells.height) for code, m in zip(codes, margins, strict=True)]
    rows = stream.permutation(np.repeat(np.arange(len(counts)), counts))
    return Synthesis(
        Population(_copies(seed_table, rows, prefix), persona_type=persona_type),
        fit_of(margins, achieved, iterations, "iterative proportional fitting; truncate, replicate, sample"),
        seed_table.with_columns(weight=pl.Series(fitted)),
    )


def _all_cells(margins: list[Margin]) -> pl.DataFrame:
    categories: dict[str, pl.Series] = {}
    for margin in margins:
        for attribute in margin.attributes:
            categories[attribute] = margin.cells[attribute].unique(maintain_order=True)
    cells = np.prod([float(len(values)) for values in categories.values()])
    if cells > MOST_CELLS:
        raise ConfigError(
            f"The attributes {', '.join(categories)} have {cells:.3g} combinations, more than {MOST_CELLS:,}: give a "
            "seed_table (survey rows), or fewer attributes."
        )
    return cells_of(categories)


def _integerised_in_order(
    table: pl.DataFrame, attributes: list[str], weights: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """`integerise` along the rows sorted by attributes, so that the remainders spread evenly over each attribute."""
    order = table.select(pl.arg_sort_by(attributes, maintain_order=True)).to_series().to_numpy()
    counts = np.empty(len(weights), dtype=np.int64)
    counts[order] = integerise(weights[order], rng)
    return counts


def integerise(weights: ArrayLike, rng: np.random.Generator | int) -> NDArray[np.int64]:
    """Whole numbers in place of weights, each the weight rounded up or down, with the same total.

    Truncate, replicate, sample (Lovelace and Ballas 2013, "Truncate, replicate, sample: a method for creating integer
    weights for spatial microsimulation"): each row gets the whole part of its weight, and the individuals that are then
    missing are sampled by the fractional parts. Differs from the paper in how: systematically (Madow 1949), with a random
    start, so that the expected number of individuals of a row is exactly its weight, and the sum over any run of
    neighbouring rows is off by less than 1.

    Args:
        weights: numbers of 0 or more, shape (rows,), that add up to a whole number.
        rng: random generator, or a seed.

    Returns:
        int64, shape (rows,).

    Raises:
        DataError: a weight is negative or not finite, or they do not add up to a whole number.
    """
    weight = np.asarray(weights, dtype=np.float64)
    if weight.ndim != 1 or not np.isfinite(weight).all() or (weight < 0).any():
        raise DataError("Weights to make whole must be one row of finite numbers of 0 or more.")
    total = float(weight.sum())
    if abs(total - round(total)) > 1e-6 + 1e-9 * total:
        raise DataError(f"Weights to make whole must add up to a whole number, not to {total:g}: scale them first.")
    whole = np.floor(weight).astype(np.int64)
    ends = np.cumsum(weight - whole)
    missing = round(total) - int(whole.sum())
    if missing == 0:
        return whole
    # the ends are scaled to a whole number, which takes out what rounding errors leave
    steps = np.floor(ends * (missing / ends[-1]) - as_generator(rng, "integerise").random()).astype(np.int64) + 1
    return whole + np.diff(np.clip(steps, 0, missing), prepend=0)


def from_microdata(
    table: pl.DataFrame,
    n: int,
    *,
    weights: ArrayLike | str | None = None,
    where: pl.Expr | None = None,
    replace: bool = True,
    prefix: str = "agent",
    persona_type: type[Persona] = Persona,
    rng: np.random.Generator | int,
) -> Population:
    """Draw `n` individuals as exact copies of the rows of a survey.

    Args:
        table: the survey, one row a respondent.
        n: how many individuals.
        weights: chance of each row relative to the others (shape (rows,), or the column that has them, which individuals
            do not keep); else equal.
        where: draw only from the rows for which this is true.
        replace: whether a row may be drawn more than once.
        prefix: individuals are called `<prefix>-0001`, …; a column `name` of the survey is kept as `copy_of`.
        persona_type: the type of the personas of the population.
        rng: random generator, or a seed.

    Raises:
        DataError: no row fits, or (without replacement) too few do.
    """
    if n < 1:
        raise ConfigError(f"A population needs 1 or more individuals, not {n}.")
    chance = checked_weights(table, weights)
    if isinstance(weights, str):
        table = table.drop(weights)
    if where is not None:
        try:
            fits = table.select(where).to_series().cast(pl.Boolean).fill_null(False).to_numpy()
        except pl.exceptions.PolarsError as error:
            raise ConfigError(f"The rows cannot be selected: {str(error).strip().splitlines()[0]}.") from None
        if fits.shape != (table.height,):
            raise ConfigError("What `where` gives must be true or false for each row.")
        chance = chance * fits
    possible = int((chance > 0).sum())
    if possible == 0:
        raise DataError("No row of the table fits `where` and has a weight above 0.")
    if not replace and n > possible:
        raise DataError(f"{n} individuals cannot be drawn without replacement from {possible} rows.")
    stream = as_generator(rng, "from_microdata")
    rows = stream.choice(table.height, size=n, replace=replace, p=chance / chance.sum())
    return Population(_copies(table, rows, prefix), persona_type=persona_type)


def _copies(table: pl.DataFrame, rows: NDArray[np.int64], prefix: str) -> pl.DataFrame:
    """The given rows, under names of their own."""
    if "name" in table.columns:
        table = table.rename({"name": "copy_of"})
    number = pl.int_range(1, len(rows) + 1, eager=True).cast(pl.String).str.zfill(len(str(len(rows))))
    return table[rows].insert_column(0, (f"{prefix}-" + number).alias("name"))
