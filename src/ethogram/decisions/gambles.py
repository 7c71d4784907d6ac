"""Gambles: chances of outcomes, many at once as arrays, and the choices that people made between two of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError

__all__ = ["Choices", "Gambles", "read_choices"]

Array = NDArray[np.float64]
NEARLY = 1e-6
"""How far probabilities may be from summing to 1."""


@dataclass(frozen=True)
class Gambles:
    """Several gambles. Outcomes that are not there have probability 0."""

    probabilities: Array
    """Shape (gambles, outcomes); rows sum to 1."""
    outcomes: Array
    """Shape (gambles, outcomes), in units of money."""

    @classmethod
    def of(cls, gambles: Sequence[Sequence[Sequence[float]]]) -> Gambles:
        """From lists of [probability, outcome] pairs.

        Raises:
            DataError: a gamble is empty, or its probabilities are negative or do not sum to 1; the message says which.
        """
        most = max((len(g) for g in gambles), default=0)
        p, x = np.zeros((len(gambles), most)), np.zeros((len(gambles), most))
        for i, gamble in enumerate(gambles):
            try:
                pairs = np.asarray(gamble, dtype=float).reshape(-1, 2)
            except (TypeError, ValueError):
                raise DataError(f"gamble {i} is not a list of [probability, outcome] pairs") from None
            if not len(pairs) or (pairs[:, 0] < -NEARLY).any() or abs(pairs[:, 0].sum() - 1) > NEARLY:
                raise DataError(
                    f"gamble {i} has probabilities {pairs[:, 0].tolist()}, which must not be negative and sum to 1"
                )
            p[i, : len(pairs)], x[i, : len(pairs)] = np.clip(pairs[:, 0], 0, 1), pairs[:, 1]
        return cls(p, x)

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, rows: Any) -> Gambles:
        """Some of them."""
        return Gambles(self.probabilities[rows], self.outcomes[rows])

    @property
    def expected(self) -> Array:
        """Expected values, shape (gambles,)."""
        return (self.probabilities * self.outcomes).sum(1)

    @property
    def spread(self) -> Array:
        """Standard deviations, shape (gambles,)."""
        variance = (self.probabilities * (self.outcomes - self.expected[:, None]) ** 2).sum(1)
        return np.sqrt(np.maximum(variance, 0))


@dataclass(frozen=True)
class Choices:
    """How often people chose gamble B over gamble A, problem by problem."""

    a: Gambles
    b: Gambles
    rate: Array
    """The share that chose B, shape (rows,)."""
    people: Array
    """How many chose, shape (rows,)."""
    problem: NDArray[np.int64]
    """The number of the problem: rows with one number are kept together when data are split."""
    feedback: NDArray[np.bool_]
    """Whether outcomes were shown after each choice."""
    ambiguous: NDArray[np.bool_]
    """Whether B's probabilities were hidden."""

    def __len__(self) -> int:
        return len(self.rate)

    def __getitem__(self, rows: Any) -> Choices:
        """Some of the rows."""
        return Choices(
            self.a[rows],
            self.b[rows],
            self.rate[rows],
            self.people[rows],
            self.problem[rows],
            self.feedback[rows],
            self.ambiguous[rows],
        )


COLUMNS = ("Problem", "Feedback", "n", "Amb", "bRate")


def read_choices(folder: str | Path) -> Choices:
    """choices13k (Peterson et al. 2021, Science 372): `selections.csv` or `c13k_selections.csv`, and `problems.json`.

    Rows are matched with their outcome lists by the column `row` (the released file's row number), or by their place where
    there is no such column.

    Raises:
        DataError: a file is missing or malformed, or a row has no problem; the message says which.
    """
    import polars as pl

    folder = Path(folder)
    selections, problems = (_found(folder, name) for name in ("selections.csv", "problems.json"))
    try:
        table = pl.read_csv(selections, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{selections} is not a table: {str(error).splitlines()[0]}") from None
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise DataError(f"{selections} has no column {missing[0]!r}")
    try:
        known = json.loads(problems.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{problems} is not JSON: {error}") from None
    keys = [str(k) for k in (table["row"] if "row" in table.columns else range(table.height))]
    if absent := next((key for key in keys if key not in known), None):
        raise DataError(f"{problems} has no problem for row {absent} of {selections.name}")
    a, b = (Gambles.of([known[key][side] for key in keys]) for side in "AB")
    return Choices(
        a,
        b,
        table["bRate"].cast(pl.Float64).to_numpy(),
        table["n"].cast(pl.Float64).to_numpy(),
        table["Problem"].cast(pl.Int64).to_numpy(),
        table["Feedback"].cast(pl.Boolean).to_numpy(),
        table["Amb"].cast(pl.Boolean).to_numpy(),
    )


def _found(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"c13k_{name}"):
        if candidate.exists():
            return candidate
    raise DataError(f"there is no {name} in {folder}")
