"""Kinds of numbers: int, float and Decimal, with bounds and steps."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from typing_extensions import override

from ethogram.errors import ConfigError
from ethogram.spaces.kinds import Fault, Kind, draw, enumeration

__all__ = ["Grid", "Real"]

SAFE = 2**53 - 1
"""Greatest size of an int whose field gives no bound: the whole numbers that any JSON reader keeps (RFC 7493, 2.2)."""
LISTED = 200
"""Most multiples of a step other than 1 that the schema lists, as few back ends constrain by `multipleOf`."""
SPREAD = 1000
"""How far samples reach where a bound is missing: steps of a grid, or units of a float."""


def bounds(low: Any, high: Any, low_open: bool, high_open: bool) -> str:
    """Bounds in words: ` from 0 to 5`, ` above 0`, ` below 1`, or nothing."""
    lower = "" if low is None else f" above {low}" if low_open else f" of at least {low}"
    upper = "" if high is None else f" below {high}" if high_open else f" of at most {high}"
    if low is not None and high is not None and not low_open and not high_open:
        return f" from {low} to {high}"
    return lower + (" and" if lower and upper else "") + upper


@dataclass
class Real(Kind):
    """A finite float within bounds, each open or closed."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    form = "FI"

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ConfigError("no number lies within its bounds")

    @cached_property
    def least(self) -> float:
        """The least float in it."""
        if self.low is None:
            return -math.inf
        return math.nextafter(self.low, math.inf) if self.low_open else float(self.low)

    @cached_property
    def most(self) -> float:
        """The greatest float in it."""
        if self.high is None:
            return math.inf
        return math.nextafter(self.high, -math.inf) if self.high_open else float(self.high)

    @property
    @override
    def words(self) -> str:
        return "a number" + bounds(self.low, self.high, self.low_open, self.high_open)

    @override
    def sample(self, rng: np.random.Generator) -> float:
        low, high = self.least, self.most
        if self.low is None and self.high is None:
            return float(rng.normal(0.0, SPREAD))
        if self.low is None:
            low = high - SPREAD
        elif self.high is None:
            high = low + SPREAD
        share = float(rng.random())
        # Not low + share * (high - low): the width may overflow.
        return min(max(low * (1 - share) + high * share, self.least), self.most)

    @override
    def fault(self, value: Any) -> Fault | None:
        if type(value) is float or type(value) is int:
            try:
                if self.least <= value <= self.most and -math.inf < float(value) < math.inf:
                    return None
            except OverflowError:  # an int beyond all floats
                pass
        return (), self

    @override
    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "number"}
        if self.low is not None:
            schema["exclusiveMinimum" if self.low_open else "minimum"] = self.low
        if self.high is not None:
            schema["exclusiveMaximum" if self.high_open else "maximum"] = self.high
        return schema


@dataclass
class Grid(Kind):
    """Multiples of a step within closed bounds: whole numbers, decimals, and floats with `multiple_of`.

    Args:
        of: int, float or Decimal.
        step: The step; exactly what its decimal digits say, so that 0.3 is a multiple of 0.1.
        low: Least multiple to be drawn or enumerated, as a number of steps; None for no bound.
        high: Greatest one.
        digits: For Decimal: most digits before and after the point; any `Decimal` of so many digits belongs, whether a
            multiple of `step` or not, unless `exact`.
        exact: Whether only multiples of `step` belong.
        least: The least number in it, or None.
        most: The greatest one.
        low_open: Whether `least` itself is left out.
        high_open: Whether `most` itself is.
    """

    of: type
    step: Fraction
    low: int | None
    high: int | None
    digits: tuple[int, int] = (0, 0)
    exact: bool = True
    least: Any = None
    most: Any = None
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        self.form = {int: "I", float: "FI", Decimal: "S"}[self.of]
        self.exotic = self.of is Decimal
        end = int(SAFE // self.step) if self.of is int else math.inf
        self.first = -end if self.low is None else self.low
        self.last = end if self.high is None else self.high
        if self.first > self.last:
            raise ConfigError("no number lies within its bounds (for an int, a missing one is 2^53 - 1 or its negative)")

    @property
    @override
    def words(self) -> str:
        name = {int: "a whole number", float: "a number", Decimal: "a decimal number"}[self.of]
        plain = self.step == 1 if self.of is int else not self.exact
        return (
            name
            + bounds(self.least, self.most, self.low_open, self.high_open)
            + ("" if plain else f", a multiple of {self.value(1)}")
        )

    def value(self, k: int) -> Any:
        """The `k`-th multiple of the step."""
        number = self.step * k
        if self.of is int:
            return int(number)
        if self.of is float:
            return float(number)
        return Decimal(number.numerator) / Decimal(number.denominator)

    @override
    def sample(self, rng: np.random.Generator) -> Any:
        low, high = self.low, self.high
        if low is None:
            low = int(max(-SPREAD if high is None else high - SPREAD, self.first))
        if high is None:
            high = int(min(SPREAD if self.low is None else low + SPREAD, self.last))
        return self.value(low + draw(rng, high - low + 1))

    @override
    def fault(self, value: Any) -> Fault | None:
        good = self._decimal(value) if self.of is Decimal else self._plain(value)
        return None if good else ((), self)

    def _plain(self, value: Any) -> bool:
        if type(value) is int and self.of is int:
            turns = value if self.step == 1 else Fraction(value) / self.step
            return self.first <= turns <= self.last and (self.step == 1 or turns.denominator == 1)
        if self.of is not float or type(value) not in (float, int) or not self._within(value):
            return False
        if not -1e300 < value < 1e300:
            return False
        turns = value / float(self.step)
        return abs(turns - round(turns)) <= abs(turns) / 1e9  # as pydantic: relative, because floats are rounded

    def _decimal(self, value: Any) -> bool:
        if type(value) is not Decimal or not self._form.fullmatch(str(value)) or not self._within(value):
            return False
        return not self.exact or (Fraction(value) / self.step).denominator == 1

    def _within(self, value: Any) -> bool:
        if self.least is not None and (value <= self.least if self.low_open else value < self.least):
            return False
        return self.most is None or (value < self.most if self.high_open else value <= self.most)

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    @property
    def _pattern(self) -> str:
        before, after = self.digits
        return f"^-?[0-9]{{1,{before}}}" + (f"(\\.[0-9]{{1,{after}}})?$" if after else "$")

    @override
    def make_schema(self) -> dict[str, Any]:
        if self.of is Decimal:
            return {"type": "string", "pattern": self._pattern}
        number = self.count()
        if self.step != 1 and number is not None and number <= LISTED:
            return enumeration(self.values())
        if self.of is int:
            schema = {"type": "integer", "minimum": self.value(int(self.first)), "maximum": self.value(int(self.last))}
            if self.step != 1:
                schema["multipleOf"] = int(self.step)
            return schema
        # No multipleOf: validators take it by the letter, and 0.3 is no multiple of 0.1 in binary.
        return Real(self.least, self.most, self.low_open, self.high_open).schema

    @override
    def count(self) -> int | None:
        if self.low is None or self.high is None or not self.exact:
            return None
        return self.high - self.low + 1

    @override
    def values(self) -> Iterator[Any]:
        assert self.low is not None and self.high is not None
        return map(self.value, range(self.low, self.high + 1))
