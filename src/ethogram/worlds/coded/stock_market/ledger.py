"""Who has what: cash, shares and loans of traders and of the bank, in whole cents and shares; nothing is made or lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Account", "Debt", "Ledger", "Refused", "charge", "money"]

POINTS = 10_000
"""Basis points in a whole."""


class Refused(Exception):
    """What a trader asked for is not done; the message tells it why."""


def money(cents: int) -> str:
    """Cents as people write them: 1,234.50."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def charge(amount: int, rate: int, parts: int = 1) -> int:
    """A part of the interest on an amount (cents) at a rate (basis points): cents, rounded half up."""
    whole = parts * POINTS
    return (2 * amount * rate + whole) // (2 * whole)


class Debt(NamedTuple):
    """A loan: cents, basis points, and the day on which it is repaid."""

    amount: int
    rate: int
    due: int


class Account:
    """What a trader has and owes."""

    __slots__ = ("cash", "credit", "debts", "shares")

    def __init__(self, cash: int, shares: Mapping[str, int], credit: int, debts: list[Debt] | None = None) -> None:
        self.cash, self.shares, self.credit = cash, dict(shares), credit
        """`credit`: the most it may owe."""
        self.debts = debts or []

    @property
    def debt(self) -> int:
        """What it owes, without interest."""
        return sum(debt.amount for debt in self.debts)

    @property
    def room(self) -> int:
        """How much more it may borrow."""
        return max(0, self.credit - self.debt)

    def value(self, prices: Mapping[str, int]) -> int:
        """Of its shares at these prices, in cents."""
        return sum(number * prices[stock] for stock, number in self.shares.items())

    def worth(self, prices: Mapping[str, int]) -> int:
        """Cash and shares less debt, in cents."""
        return self.cash + self.value(prices) - self.debt


class Ledger:
    """Accounts by name, and the bank's own cash (below zero where it has lent it) and shares (from those it seized).

    Every method moves money or shares from one to another: the sum of all `cash` with the bank's, and the sum of shares of
    each stock, never change.
    """

    def __init__(self, accounts: Mapping[str, Account], stocks: tuple[str, ...] | list[str]) -> None:
        self.accounts = dict(accounts)
        self.bank = Account(0, dict.fromkeys(stocks, 0), 0)

    def __getitem__(self, name: str) -> Account:
        return self.accounts[name]

    def trade(self, buyer: str, seller: str, stock: str, price: int, amount: int) -> None:
        """Shares for cash."""
        self._move(self.accounts[buyer], self.accounts[seller], stock, price, amount)

    def lend(self, name: str, amount: int, rate: int, due: int) -> None:
        """The bank lends.

        Raises:
            Refused: it is more than the trader may borrow.
        """
        account = self.accounts[name]
        if not 0 < amount <= account.room:
            raise Refused(f"you may borrow {money(account.room)} at most, not {money(amount)}")
        self._pay(self.bank, account, amount)
        account.debts.append(Debt(amount, rate, due))

    def repay(self, name: str, day: int) -> int:
        """Pay back what is due on a day with its interest, whether there is cash for it or not; what was paid."""
        account = self.accounts[name]
        due = sum(debt.amount + charge(debt.amount, debt.rate) for debt in account.debts if debt.due <= day)
        account.debts = [debt for debt in account.debts if debt.due > day]
        self._pay(account, self.bank, due)
        return due

    def interest(self, name: str) -> int:
        """Pay a twelfth of the rate on every loan, whether there is cash for it or not; what was paid."""
        account = self.accounts[name]
        due = sum(charge(debt.amount, debt.rate, 12) for debt in account.debts)
        self._pay(account, self.bank, due)
        return due

    def cover(self, name: str, prices: Mapping[str, int]) -> dict[str, int]:
        """Sell shares to the bank, the first stocks first, as few as bring the cash back to 0 or above; how many of each.

        Where all of them are not enough, all are sold, and cash stays below 0.
        """
        account, sold = self.accounts[name], {}
        for stock, price in prices.items():
            if account.cash >= 0:
                break
            amount = min(account.shares[stock], -(account.cash // price))
            if amount:
                self._move(self.bank, account, stock, price, amount)
                sold[stock] = amount
        return sold

    def close(self, name: str) -> int:
        """Close an account: the bank takes over what is there and bears what is missing; the loss on cash and loans."""
        account = self.accounts[name]
        lost = account.debt - account.cash
        self._pay(account, self.bank, account.cash)
        for stock, number in account.shares.items():
            self.bank.shares[stock] += number
            account.shares[stock] = 0
        account.debts, account.credit = [], 0
        return lost

    def totals(self) -> tuple[int, dict[str, int]]:
        """All cash, and all shares of each stock: the same at all times."""
        everyone = [*self.accounts.values(), self.bank]
        shares = {stock: sum(one.shares[stock] for one in everyone) for stock in self.bank.shares}
        return sum(one.cash for one in everyone), shares

    def state_dict(self) -> dict[str, Any]:
        """All accounts as JSON values."""
        return {name: _written(account) for name, account in self.accounts.items()} | {"": _written(self.bank)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Ledger:
        """The ledger whose state `state_dict` gave."""
        accounts = {
            name: Account(one["cash"], one["shares"], one["credit"], [Debt(*debt) for debt in one["debts"]])
            for name, one in state.items()
        }
        bank = accounts.pop("")
        ledger = cls(accounts, list(bank.shares))
        ledger.bank = bank
        return ledger

    @staticmethod
    def _pay(giver: Account, taker: Account, amount: int) -> None:
        giver.cash -= amount
        taker.cash += amount

    def _move(self, buyer: Account, seller: Account, stock: str, price: int, amount: int) -> None:
        self._pay(buyer, seller, price * amount)
        seller.shares[stock] -= amount
        buyer.shares[stock] += amount


def _written(account: Account) -> dict[str, Any]:
    return {
        "cash": account.cash,
        "shares": dict(account.shares),
        "credit": account.credit,
        "debts": [list(debt) for debt in account.debts],
    }
