"""A limit-order book with price-time priority, in whole numbers of ticks and of shares: nothing is rounded."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ethogram.errors import ConfigError

__all__ = ["BUY", "SELL", "Order", "OrderBook", "Side", "Trade"]

Side = Literal["buy", "sell"]
BUY: Side = "buy"
SELL: Side = "sell"


class Trade(NamedTuple):
    """Shares that changed hands, at the price of the order that was there first."""

    price: int
    amount: int
    buyer: str
    seller: str
    resting: int
    """The order that was there first."""
    arriving: int
    """The order that met it."""


class Order:
    """A limit order, or what is left of it."""

    __slots__ = ("amount", "number", "owner", "price", "side")

    def __init__(self, number: int, owner: str, side: Side, price: int, amount: int) -> None:
        self.number, self.owner, self.price, self.amount = number, owner, price, amount
        self.side: Side = side

    def __repr__(self) -> str:
        return f"Order({self.number}: {self.owner} would {self.side} {self.amount} at {self.price})"


class _Half:
    """One side of the book: queues of orders by price, the best price on top of a heap.

    Queues that have run empty, and orders that were cancelled, stay until they come to the top.
    """

    def __init__(self, sign: int) -> None:
        self.sign = sign
        """Of a price in the heap: the best buying price is the highest, the best selling price the lowest."""
        self.heap: list[int] = []
        self.queues: dict[int, deque[Order]] = {}

    def add(self, order: Order) -> None:
        queue = self.queues.get(order.price)
        if queue is None:
            queue = self.queues[order.price] = deque()
            heapq.heappush(self.heap, self.sign * order.price)
        queue.append(order)

    def first(self) -> Order | None:
        """The order that is served next."""
        while self.heap:
            price = self.sign * self.heap[0]
            queue = self.queues[price]
            while queue and queue[0].amount == 0:
                queue.popleft()
            if queue:
                return queue[0]
            heapq.heappop(self.heap)
            del self.queues[price]
        return None

    def orders(self) -> list[Order]:
        """All orders, in the order in which they are served."""
        prices = sorted(self.queues, key=lambda price: self.sign * price)
        return [order for price in prices for order in self.queues[price] if order.amount]


class OrderBook:
    """Orders to buy and to sell one thing, matched by price, and at one price by time.

    An arriving order trades at the prices of the orders that are there, the best first and at one price the oldest first, as
    far as its own limit allows; what is left of a limit order stays in the book. An owner may meet its own order.
    """

    def __init__(self) -> None:
        self._halves: dict[Side, _Half] = {BUY: _Half(-1), SELL: _Half(1)}
        self._open: dict[int, Order] = {}
        self._number = 0
        self.last: int | None = None
        """The price of the last trade."""

    def __len__(self) -> int:
        """The number of open orders."""
        return len(self._open)

    def submit(self, owner: str, side: Side, amount: int, price: int | None = None) -> tuple[int, list[Trade]]:
        """An order arrives.

        Args:
            owner: whose it is.
            side: `buy` or `sell`.
            amount: shares, at least 1.
            price: the most to be paid, or the least to be got, for one; None: any (what finds no partner is dropped).

        Returns:
            The number of the order, and its trades.

        Raises:
            ConfigError: the amount or the price is not a whole number above 0.
        """
        if not isinstance(amount, int) or amount < 1:
            raise ConfigError(f"an order's amount is {amount!r}, and must be a whole number of shares, 1 or more")
        if price is not None and (not isinstance(price, int) or price < 1):
            raise ConfigError(f"an order's price is {price!r}, and must be a whole number of ticks, 1 or more")
        self._number += 1
        order = Order(self._number, owner, side, price or 0, amount)
        trades = self._match(order, price)
        if order.amount and price is not None:
            self._halves[side].add(order)
            self._open[order.number] = order
        return order.number, trades

    def _match(self, order: Order, limit: int | None) -> list[Trade]:
        other = self._halves[SELL if order.side == BUY else BUY]
        trades: list[Trade] = []
        while order.amount and (resting := other.first()) is not None:
            if limit is not None and (resting.price > limit if order.side == BUY else resting.price < limit):
                break
            amount = min(order.amount, resting.amount)
            buyer, seller = (order, resting) if order.side == BUY else (resting, order)
            trades.append(Trade(resting.price, amount, buyer.owner, seller.owner, resting.number, order.number))
            order.amount -= amount
            resting.amount -= amount
            if resting.amount == 0:
                del self._open[resting.number]
        if trades:
            self.last = trades[-1].price
        return trades

    def cancel(self, number: int) -> int:
        """Take an order out; the amount that was left of it, 0 where it is not in the book."""
        order = self._open.pop(number, None)
        if order is None:
            return 0
        left, order.amount = order.amount, 0
        return left

    def best(self, side: Side) -> int | None:
        """The best price on a side; None where nobody offers."""
        first = self._halves[side].first()
        return None if first is None else first.price

    def orders(self, side: Side | None = None, owner: str | None = None) -> list[Order]:
        """Open orders (of a side, of an owner), buying first, each side in the order in which it is served."""
        sides: tuple[Side, ...] = (BUY, SELL) if side is None else (side,)
        if owner is None:
            return [order for one in sides for order in self._halves[one].orders()]
        own = [order for order in self._open.values() if order.owner == owner and order.side in sides]
        return sorted(
            own, key=lambda order: (sides.index(order.side), self._halves[order.side].sign * order.price, order.number)
        )

    def depth(self, side: Side) -> list[tuple[int, int]]:
        """(price, shares) on a side, the best price first."""
        found: dict[int, int] = {}
        for order in self._halves[side].orders():
            found[order.price] = found.get(order.price, 0) + order.amount
        return list(found.items())

    def clear(self) -> list[Order]:
        """Take all orders out, as at the end of a day; those that were open."""
        orders = self.orders()
        self._halves = {BUY: _Half(-1), SELL: _Half(1)}
        self._open = {}
        return orders

    def state_dict(self) -> dict[str, Any]:
        """All open orders, and what the book remembers, as JSON values."""
        orders = [[o.number, o.owner, o.side, o.price, o.amount] for o in self.orders()]
        return {"orders": orders, "number": self._number, "last": self.last}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> OrderBook:
        """The book whose state `state_dict` gave."""
        book = cls()
        book._number, book.last = state["number"], state["last"]
        for row in state["orders"]:
            order = Order(*row)
            book._halves[order.side].add(order)
            book._open[order.number] = order
        return book
