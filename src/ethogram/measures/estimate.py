"""What every measure returns: a number with its interval, its sample size and how it was had."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ethogram.errors import ConfigError, DataError

__all__ = ["Estimate", "check_level", "check_one_of", "sample"]


class Estimate(NamedTuple):
    """A number with the interval that the data leave open. NaN bounds say that the data are too few for one."""

    value: float
    low: float
    high: float
    n: int
    """How many independent observations stand behind it."""
    method: str
    """How value and interval were computed, in words for a reader."""
    level: float = 0.95
    """Coverage of the interval."""

    def __str__(self) -> str:
        """As in `0.52 [0.40, 0.64], n = 25`; without the interval where there is none."""
        bounds = f" [{self.low:.3g}, {self.high:.3g}]" if self.bounded else ""
        return f"{self.value:.3g}{bounds}, n = {self.n}"

    @property
    def bounded(self) -> bool:
        """Whether there is an interval at all."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above zero: for a difference, that it is positive."""
        return self.bounded and self.low > 0

    @property
    def below(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.bounded and self.high < 0

    def dump(self) -> dict[str, Any]:
        """JSON values; a number that is not finite becomes null."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in self._asdict().items()}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Estimate:
        """The estimate that `dump` wrote."""
        numbers = {k: math.nan if data[k] is None else float(data[k]) for k in ("value", "low", "high", "level")}
        return cls(n=int(data["n"]), method=str(data["method"]), **numbers)

    @classmethod
    def exact(cls, value: float, n: int = 1, method: str = "counted") -> Estimate:
        """A number that is not an estimate but a count or sum over everything there is: its interval is itself."""
        return cls(float(value), float(value), float(value), n, method)


def sample(values: Iterable[float], what: str = "values") -> np.ndarray:
    """A sample as a float array of shape (n,).

    Raises:
        DataError: it is empty, not one-dimensional, not numeric, or has a value that is missing or not finite.
    """
    try:
        array = np.asarray(values if hasattr(values, "__array__") else list(values), dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be numbers: {error}") from error
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"{what} must be a non-empty list of numbers, not of shape {array.shape}")
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise DataError(f"{what} must be finite, but entry {at} is {array[at]}: drop missing values on purpose, before")
    return array


def check_one_of(given: str, known: Iterable[str], what: str) -> None:
    """ConfigError where a name is none of those that are known."""
    names = list(known)
    if given not in names:
        raise ConfigError(f"there is no {what} {given!r}; it is one of {', '.join(names)}")


def check_level(level: float) -> float:
    """The level itself; ConfigError where it is not a coverage strictly between 0 and 1."""
    if not 0 < level < 1:
        raise ConfigError(f"the level of an interval lies between 0 and 1, as in 0.95, not {level}")
    return level
