"""The exchange: a book for each stock, and the cash and shares that open orders bind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ethogram.worlds.coded.stock_market.ledger import Ledger, Refused, money
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL, OrderBook, Side, Trade

__all__ = ["Exchange", "Standing"]


class Standing(NamedTuple):
    """What a trader has in the books."""

    orders: list[tuple[int, str, Side, int, int]]
    """Number, stock, side, price and amount of open orders. Numbers are of the exchange: no two orders share one."""
    cash: int
    """Cents bound by orders to buy."""
    shares: dict[str, int]
    """Shares bound by orders to sell."""


class Exchange:
    """Takes orders that their owners can pay for, and settles trades in a ledger.

    Args:
        ledger: where cash and shares are.
        stocks: what is traded.
    """

    def __init__(self, ledger: Ledger, stocks: Sequence[str]) -> None:
        self.ledger = ledger
        self.books = {stock: OrderBook() for stock in stocks}
        self._stocks = list(stocks)
        self._standing: dict[str, Standing] = {}
        self._depths: dict[str, dict[Side, list[tuple[int, int]]]] = {}

    def order(self, owner: str, side: Side, stock: str, price: int, amount: int) -> list[Trade]:
        """A limit order arrives: it trades as far as it can, and the rest stays in the book.

        Raises:
            Refused: the owner has not enough cash or shares that are not bound, or it could meet an order of the owner's.
        """
        account, standing = self.ledger[owner], self.standing(owner)
        free, unbound = account.cash - standing.cash, account.shares[stock] - standing.shares[stock]
        if side == BUY and price * amount > free:
            raise Refused(f"this would bind {money(price * amount)}, and you have {money(free)} free")
        if side == SELL and amount > unbound:
            raise Refused(f"you have {unbound} shares of {stock} that are not bound, not {amount}")
        for number, other, opposite, limit, _ in standing.orders:
            if other == stock and opposite != side and (price >= limit if side == BUY else price <= limit):
                raise Refused(f"this could meet your own order {number}: cancel that one first")
        _, trades = self.books[stock].submit(owner, side, amount, price)
        for trade in trades:
            self.ledger.trade(trade.buyer, trade.seller, stock, trade.price, trade.amount)
            self.changed(trade.seller if side == BUY else trade.buyer)
        self.changed(owner, stock)
        return trades

    def cancel(self, owner: str, number: int) -> None:
        """Take an order back; Refused where it is not in a book, or not the owner's."""
        if all(number != own for own, *_ in self.standing(owner).orders):
            raise Refused(f"you have no open order {number}")
        stock = self._stocks[number % len(self._stocks)]
        self.books[stock].cancel(number // len(self._stocks))
        self.changed(owner, stock)

    def standing(self, owner: str) -> Standing:
        """A trader's open orders, and what they bind."""
        found = self._standing.get(owner)
        if found is None:
            orders, cash, shares = [], 0, dict.fromkeys(self._stocks, 0)
            for i, (stock, book) in enumerate(self.books.items()):
                for order in book.orders(owner=owner):
                    number = order.number * len(self._stocks) + i
                    orders.append((number, stock, order.side, order.price, order.amount))
                    if order.side == BUY:
                        cash += order.price * order.amount
                    else:
                        shares[stock] += order.amount
            found = self._standing[owner] = Standing(orders, cash, shares)
        return found

    def depth(self, stock: str, side: Side) -> list[tuple[int, int]]:
        """(price, shares) on a side of a book, the best price first."""
        found = self._depths.setdefault(stock, {})
        if side not in found:
            found[side] = self.books[stock].depth(side)
        return found[side]

    def changed(self, owner: str, stock: str = "") -> None:
        """Look again at a trader's orders and a stock's book when they are asked for next."""
        self._standing.pop(owner, None)
        self._depths.pop(stock, None)

    def clear(self) -> None:
        """Take all orders out of the books."""
        for book in self.books.values():
            book.clear()
        self._standing, self._depths = {}, {}

    def state_dict(self) -> dict[str, Any]:
        """The books as JSON values."""
        return {stock: book.state_dict() for stock, book in self.books.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], ledger: Ledger) -> Exchange:
        """The exchange whose state `state_dict` gave."""
        exchange = cls(ledger, list(state))
        exchange.books = {stock: OrderBook.from_state(book) for stock, book in state.items()}
        return exchange
