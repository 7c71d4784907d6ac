"""What is drawn when an episode begins: what traders own and owe, and what companies will report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ethogram.worlds.coded.stock_market.ledger import Account, Debt

__all__ = ["MULTIPLE", "draw_account", "draw_earnings"]

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
