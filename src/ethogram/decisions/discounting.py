"""Choices between an earlier and a later payment, and models of what a delay takes from an amount.

A model gives the probability that the later one is chosen as a logistic (softmax) function of the difference of what the two
are worth, V = amount × D(delay), and is fitted by likelihood. Delays are in days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.models import Parametric, log_loss
from ethogram.errors import DataError

__all__ = [
    "DISCOUNTING",
    "DelayedChoices",
    "Discounting",
    "Exponential",
    "GeneralisedHyperbolic",
    "Hyperbolic",
    "Payments",
    "QuasiHyperbolic",
    "by_person",
    "by_problem",
    "read_delayed",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Payments:
    """Amounts that are paid after delays."""

    amounts: Array
    """Shape (payments,), in units of money."""
    delays: Array
    """Shape (payments,), in days; 0 is now."""

    def __len__(self) -> int:
        return len(self.amounts)

    def __getitem__(self, rows: Any) -> Payments:
        """Some of them."""
        return Payments(self.amounts[rows], self.delays[rows])


@dataclass(frozen=True)
class DelayedChoices:
    """Choices between an earlier payment (`a`) and a later one (`b`), row by row."""

    a: Payments
    b: Payments
    rate: Array
    """The share that chose the later one, shape (rows,): 0 or 1 for a single choice."""
    people: Array
    """How many choices a row stands for, shape (rows,)."""
    problem: NDArray[np.int64]
    """Rows with the same two payments have one number."""
    person: NDArray[np.int64]
    """Who chose; -1 where it was several."""

    def __len__(self) -> int:
        return len(self.rate)

    def __getitem__(self, rows: Any) -> DelayedChoices:
        """Some of the rows."""
        return DelayedChoices(
            self.a[rows], self.b[rows], self.rate[rows], self.people[rows], self.problem[rows], self.person[rows]
        )


def by_problem(data: DelayedChoices) -> DelayedChoices:
    """One row for each problem: the share of all choices that went to the later payment."""
    _, first, place = np.unique(data.problem, return_index=True, return_inverse=True)
    people = np.bincount(place, data.people).astype(float)
    rate = np.bincount(place, data.people * data.rate) / people
    some = data[first]
    return DelayedChoices(some.a, some.b, rate, people, some.problem, np.full(len(first), -1))


class Discounting(Parametric):
    """P(later) = 1 / (1 + exp(-sensitivity (V(later) - V(earlier)))), with V = amount × D(delay).

    A subclass names its parameters in `start` and `bounds` and writes `factor`, which is D. Amounts are divided by a scale
    (the mean of all amounts in the choices it is fitted to), so that sensitivities are alike in any currency.
    """

    start = {"sensitivity": 5.0}
    bounds = {"sensitivity": (1e-3, 1e3)}
    logged = frozenset({"sensitivity", "k", "power"})

    def factor(self, delays: Array) -> Array:
        """D: the share of its value that an amount keeps after each delay in days, shape (payments,)."""
        raise NotImplementedError

    def worth(self, payments: Payments) -> Array:
        """What each payment is worth now, in units of the scale, shape (payments,)."""
        return payments.amounts / self.scale * self.factor(payments.delays)

    def predict(self, a: Payments, b: Payments) -> Array:
        """The probability that B is chosen, shape (rows,)."""
        from scipy.special import expit

        return expit(self.parameters["sensitivity"] * (self.worth(b) - self.worth(a)))

    def fit(self, data: DelayedChoices, restarts: int = 3, seed: int = 0) -> Self:
        """The parameters that make the choices likeliest, the best of `restarts` searches."""
        self.scale = float(np.mean(np.abs(np.concatenate([data.a.amounts, data.b.amounts])))) or 1.0
        self.minimise(lambda: log_loss(self.predict(data.a, data.b), data), restarts, seed)
        return self


class Exponential(Discounting):
    """D = exp(-k t) (Samuelson 1937): each day takes the same share."""

    start = {**Discounting.start, "k": 0.01}
    bounds = {**Discounting.bounds, "k": (1e-6, 10.0)}

    def factor(self, delays: Array) -> Array:
        """D."""
        return np.exp(-self.parameters["k"] * delays)


class Hyperbolic(Discounting):
    """D = 1 / (1 + k t) (Mazur 1987)."""

    start = {**Discounting.start, "k": 0.01}
    bounds = {**Discounting.bounds, "k": (1e-6, 10.0)}

    def factor(self, delays: Array) -> Array:
        """D."""
        return 1 / (1 + self.parameters["k"] * delays)


class GeneralisedHyperbolic(Hyperbolic):
    """D = (1 + k t)^-power (Loewenstein and Prelec 1992; in this form Myerson and Green 1995)."""

    start = {**Hyperbolic.start, "power": 1.0}
    bounds = {**Hyperbolic.bounds, "power": (0.01, 20.0)}

    def factor(self, delays: Array) -> Array:
        """D."""
        return (1 + self.parameters["k"] * delays) ** -self.parameters["power"]


class QuasiHyperbolic(Exponential):
    """D = 1 now, and present × exp(-k t) at any later time (Laibson 1997: β = present, δ = exp(-k))."""

    start = {**Exponential.start, "present": 0.9}
    bounds = {**Exponential.bounds, "present": (0.01, 1.0)}

    def factor(self, delays: Array) -> Array:
        """D."""
        return np.where(delays > 0, self.parameters["present"], 1.0) * super().factor(delays)


DISCOUNTING: Mapping[str, Callable[[], Discounting]] = {
    "exponential": Exponential,
    "hyperbolic": Hyperbolic,
    "generalised hyperbolic": GeneralisedHyperbolic,
    "quasi-hyperbolic": QuasiHyperbolic,
}


def by_person(make: Callable[[], Discounting], data: DelayedChoices) -> dict[int, Discounting]:
    """A model for each person, fitted to that person's choices alone."""
    return {int(who): make().fit(data[data.person == who]) for who in np.unique(data.person)}


COLUMNS = ("subjID", "delay_later", "amount_later", "delay_sooner", "amount_sooner", "choice")


def read_delayed(path: str | Path) -> DelayedChoices:
    """Choices in the layout of hBayesDM (Ahn, Haines and Zhang 2017) for its delay-discounting models, `dd_exampleData.txt`.

    A text file with a row a choice, separated by tabs: `subjID`, `delay_later` and `delay_sooner` in days, `amount_later`,
    `amount_sooner`, and `choice`, 1 where the later payment was taken. A folder stands for the example file in it.

    Raises:
        DataError: the file is missing or malformed; the message says how.
    """
    import polars as pl

    path = Path(path)
    path = path / "dd_exampleData.txt" if path.is_dir() else path
    try:
        table = pl.read_csv(path, separator="\t", infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} is not a table of delayed choices: {str(error).splitlines()[0]}") from None
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}; a table of delayed choices has {', '.join(COLUMNS)}")
    try:
        who, *options, chosen = (table[name].cast(pl.Float64).to_numpy() for name in COLUMNS)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} has something other than numbers: {str(error).splitlines()[0]}") from None
    numbers = np.column_stack([who, *options, chosen])
    bad = ~np.isfinite(numbers).all(1) | ~np.isin(chosen, (0, 1)) | (numbers[:, [1, 3]] < 0).any(1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0]) + 2
        raise DataError(f"{path}, line {row}: a number is missing, a delay is negative, or the choice is neither 0 nor 1")
    later, sooner = Payments(options[1], options[0]), Payments(options[3], options[2])
    problem = np.unique(np.column_stack(options), axis=0, return_inverse=True)[1].reshape(-1)
    return DelayedChoices(sooner, later, chosen, np.ones(len(chosen)), problem, who.astype(np.int64))
