"""Options of a market, and what is drawn when an episode begins: what traders own and owe, what companies will report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.worlds.coded.stock_market.ledger import Account, Debt

if TYPE_CHECKING:
    from ethogram.worlds.coded.stock_market.world import StockMarket

__all__ = ["CHANNELS", "MULTIPLE", "check_options", "draw_account", "draw_earnings"]

CHANNELS = ("reports", "board", "rate events", "loans", "forecasts")
"""What a market can be without."""

MULTIPLE = 20
"""Before the first day, a share costs so many times its earnings in a year."""


def draw_account(
    rng: np.random.Generator,
    prices: Mapping[str, int],
    wealth: tuple[int, int],
    loans: Mapping[int, int],
    due: Sequence[int],
) -> Account:
    """An account, uniform over all holdings worth a sum within bounds, and over all debts below that sum.

    The law of StockAgent, which draws each holding and the debt uniformly up to the upper bound and rejects what does not
    fit; its credit is what it owns at the beginning.

    Args:
        rng: random numbers.
        prices: of the stocks, in cents.
        wealth: the least and the most of cash and shares, in cents.
        loans: basis points by days of a loan, one of which it has; none: no debt.
        due: days on one of which the debt is repaid; none: no debt.
    """
    low, high = wealth
    while True:
        # Uniform over parts of `high` that sum to less than it: what is left over is one part more.
        *parts, cash, _ = rng.dirichlet(np.ones(len(prices) + 2)) * high
        shares = {stock: int(part / price) for part, (stock, price) in zip(parts, prices.items(), strict=True)}
        account = Account(int(cash), shares, 0)
        account.credit = account.cash + account.value(prices)
        debt = int(rng.uniform(0, high))
        rate = int(rng.choice(list(loans.values()))) if loans else 0
        day = int(rng.choice(list(due))) if due else 0
        if account.credit >= low and debt <= account.credit:
            if loans and due and debt:
                account.debts = [Debt(debt, rate, day)]
            return account


def draw_earnings(
    rng: np.random.Generator, prices: Mapping[str, int], reports: int, surprise: float
) -> dict[str, list[int]]:
    """Earnings of a share in cents, before the first day and at each report: a random walk of their logarithm.

    Args:
        rng: random numbers.
        prices: of the stocks before the first day, in cents; `MULTIPLE` times the first earnings.
        reports: how many reports there are.
        surprise: standard deviation of a step.
    """
    found = {}
    for stock, price in prices.items():
        steps = np.exp(np.cumsum(rng.normal(0, 1, reports) * surprise))
        found[stock] = [max(1, round(price / MULTIPLE * step)) for step in [1.0, *steps.tolist()]]
    return found


def check_options(world: StockMarket, traders: int) -> None:
    """ConfigError where an option of a market is out of range."""
    low, high = world.wealth
    for name, good in (
        (f"traders={traders} of 1 to 1000", 1 <= traders <= 1000),
        (f"days={world.days} of at least 1", world.days >= 1),
        (f"sessions={world.sessions} of 1 to 100", 1 <= world.sessions <= 100),
        (f"retries={world.retries} of 0 or more", world.retries >= 0),
        (f"levels={world.levels} of 1 to 1000", 1 <= world.levels <= 1000),
        (f"memory={world.memory} of 0 to 64", 0 <= world.memory <= 64),
        (f"surprise={world.surprise} of 0 or more", world.surprise >= 0),
        (f"wealth={world.wealth} with 0 < least < most", 0 < low < high),
        (f"stocks={world.stocks}, 1 to 16 with whole prices in cents", _whole(world.stocks.values(), 1, 16)),
        (f"loans={world.terms}, at most 16 with whole days and basis points", _whole(world.terms, 0, 16)),
        (f"loans={world.terms}, at most 16 with whole days and basis points", _whole(world.terms.values(), 0, 16)),
    ):
        if not good:
            raise ConfigError(f"StockMarket needs {name}")
    if wrong := sorted(world.without - set(CHANNELS)):
        raise ConfigError(f"StockMarket has no channel {wrong[0]!r}; it has {', '.join(CHANNELS)}")
    for day, rates in world.events.items():
        if len(rates) != len(world.terms):
            raise ConfigError(f"StockMarket: the event of day {day} needs {len(world.terms)} rates, one a loan")


def _whole(values: Collection[Any], least: int, most: int) -> bool:
    """Whether they are so many, and all whole numbers above 0."""
    return least <= len(values) <= most and all(isinstance(value, int) and value > 0 for value in values)
