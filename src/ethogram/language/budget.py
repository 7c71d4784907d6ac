"""Budgets and prices: what model calls may take, and what they cost."""

from __future__ import annotations

import os
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ethogram.errors import BudgetExhausted, ConfigError

__all__ = ["Budget", "Prices", "Spent", "in_force", "prices_of", "spending"]

PRICE_FILE = "ETHOGRAM_PRICES"
"""Environment variable that names a TOML file with a table a model: ["openai:NAME"] input = 0.15, output = 0.60."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per million tokens, in whatever currency the user thinks in."""

    input: float
    output: float

    def __post_init__(self) -> None:
        if not (self.input >= 0 and self.output >= 0):
            raise ConfigError(f"prices are {self.input} and {self.output}: give money per million tokens, 0 or more")

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """The money for so many tokens."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6


def prices_of(name: str) -> Prices | None:
    """The prices of a model in the user's price file, or None where they are not known.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = os.environ.get(PRICE_FILE)
    if not path:
        return None
    try:
        table = tomllib.loads(Path(path).read_text()).get(name)
        return None if table is None else Prices(float(table["input"]), float(table["output"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the price file {path} ({PRICE_FILE}) does not give the prices of {name!r} ({error}): "
            f'write a table ["{name}"] with input and output, money per million tokens'
        ) from error


@dataclass(slots=True)
class Spent:
    """What calls took."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0
    """Time on the clock since the first call."""


class Budget:
    """Limits on what model calls may take; any number of models can share one. Safe for use in several threads.

    A call reserves what it may take at most, as estimated, before it is sent, and gives back what it did not take. So the
    limit on calls is never exceeded, those on tokens and money only by what an estimate fell short, and no call is begun
    after the last second.

    Args:
        calls: model calls (several tries of one count once).
        tokens: tokens read and written.
        money: in the currency of the prices.
        seconds: on the clock, from the first call on.
    """

    def __init__(
        self, calls: int | None = None, tokens: int | None = None, money: float | None = None, seconds: float | None = None
    ) -> None:
        self.calls, self.tokens, self.money, self.seconds = calls, tokens, money, seconds
        for name in ("calls", "tokens", "money", "seconds"):
            limit = getattr(self, name)
            if limit is not None and not limit >= 0:
                raise ConfigError(f"the budget of {name} is {limit!r}: give a number, 0 or more")
        self._spent = Spent()
        self._reserved = Spent()
        self._start: float | None = None
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """What was taken so far."""
        with self._lock:
            return replace(self._spent, seconds=self._elapsed())

    @property
    def reserved(self) -> Spent:
        """What the calls in flight may take."""
        with self._lock:
            return replace(self._reserved)

    def reserve(self, tokens: int, money: float | None, calls: int = 1) -> Spent:
        """Set aside what a call may take; to be given to `settle` afterwards.

        Raises:
            BudgetExhausted: not enough is left.
            ConfigError: money is limited, but the price of the call is not known (`money` is None).
        """
        if money is None and self.money is not None:
            raise ConfigError(
                f"a budget of money is set, but the price of the model is not known: give prices=(input, output), or "
                f"name a price file in {PRICE_FILE}"
            )
        want = Spent(calls, tokens, money or 0.0)
        with self._lock:
            if self._start is None:
                self._start = time.monotonic()
            if self.seconds is not None and self._elapsed() >= self.seconds:
                raise BudgetExhausted(f"the budget of {self.seconds:g} seconds is used up")
            for name in ("calls", "tokens", "money"):
                limit, used = getattr(self, name), getattr(self._spent, name) + getattr(self._reserved, name)
                if limit is not None and used + getattr(want, name) > limit:
                    raise BudgetExhausted(
                        f"the budget of {limit:g} {name} does not allow the next call: {used:g} spent or reserved, "
                        f"and it may take {getattr(want, name):g}"
                    )
            _add(self._reserved, want, 1)
        return want

    def settle(self, reservation: Spent, tokens: int, money: float | None, calls: int = 1) -> None:
        """Replace a reservation by what the call did take."""
        with self._lock:
            _add(self._reserved, reservation, -1)
            _add(self._spent, Spent(calls, tokens, money or 0.0), 1)

    def _elapsed(self) -> float:
        return 0.0 if self._start is None else time.monotonic() - self._start


def _add(total: Spent, part: Spent, sign: int) -> None:
    for f in fields(Spent):
        setattr(total, f.name, getattr(total, f.name) + sign * getattr(part, f.name))


_limits: ContextVar[tuple[Budget, ...]] = ContextVar("ethogram_spending", default=())


@contextmanager
def spending(
    calls: int | None = None, tokens: int | None = None, money: float | None = None, seconds: float | None = None
) -> Iterator[Budget]:
    """Limit what all model calls within a `with` block may take, whichever model they are made to."""
    budget = Budget(calls, tokens, money, seconds)
    token = _limits.set((*_limits.get(), budget))
    try:
        yield budget
    finally:
        _limits.reset(token)


def in_force() -> tuple[Budget, ...]:
    """The budgets of the `spending` blocks around."""
    return _limits.get()
