"""The order book against a brute-force twin, and by hand."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL, OrderBook


@dataclass
class Twin:
    """The rules as one would say them: a list of orders, looked through from the beginning for every share."""

    orders: list = field(default_factory=list)
    number: int = 0

    def submit(self, owner, side, amount, price):
        self.number += 1
        shares = []
        for _ in range(amount):
            fits = [
                o
                for o in self.orders
                if o["side"] != side and (price is None or (o["price"] <= price if side == BUY else o["price"] >= price))
            ]
            if not fits:
                break
            best = min(fits, key=lambda o: (o["price"] if side == BUY else -o["price"], o["number"]))
            best["amount"] -= 1
            shares.append((best["price"], best["number"]))
            self.orders = [o for o in self.orders if o["amount"]]
        if price is not None and len(shares) < amount:
            self.orders.append(
                {"owner": owner, "side": side, "amount": amount - len(shares), "price": price, "number": self.number}
            )
        return shares


ORDERS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([BUY, SELL]),
        st.integers(1, 6),
        st.one_of(st.none(), st.integers(1, 9)),
        st.booleans(),
    ),
    max_size=40,
)


@given(ORDERS)
@settings(max_examples=200, deadline=None)
def test_trades_are_those_of_the_twin(arriving):
    book, twin = OrderBook(), Twin()
    for owner, side, amount, price, withdraw in arriving:
        number, trades = book.submit(owner, side, amount, price)
        shares = [(t.price, t.resting) for t in trades for _ in range(t.amount)]
        assert shares == twin.submit(owner, side, amount, price)
        assert all(t.arriving == number and owner == (t.buyer if side == BUY else t.seller) for t in trades)
        if withdraw:
            left = sum(o["amount"] for o in twin.orders if o["number"] == number)
            twin.orders = [o for o in twin.orders if o["number"] != number]
            assert book.cancel(number) == left
        book = OrderBook.from_state(book.state_dict())
        kept = {(o.number, o.owner, o.side, o.price, o.amount) for o in book.orders()}
        assert kept == {(o["number"], o["owner"], o["side"], o["price"], o["amount"]) for o in twin.orders}
        bid, ask = book.best(BUY), book.best(SELL)
        assert bid is None or ask is None or bid < ask
        assert len(book) == len(kept)


def test_price_goes_before_time_and_time_before_size_by_hand():
    book = OrderBook()
    book.submit("Ana", SELL, 5, 101)
    book.submit("Ben", SELL, 9, 101)
    book.submit("Cem", SELL, 2, 100)
    assert book.depth(SELL) == [(100, 2), (101, 14)]
    _, trades = book.submit("Dora", BUY, 8, 101)
    assert [(t.seller, t.amount, t.price) for t in trades] == [("Cem", 2, 100), ("Ana", 5, 101), ("Ben", 1, 101)]
    assert book.last == 101 and book.depth(SELL) == [(101, 8)] and book.best(BUY) is None
    _, trades = book.submit("Ed", BUY, 3, 100)
    assert trades == [] and book.depth(BUY) == [(100, 3)]
    assert [order.owner for order in book.clear()] == ["Ed", "Ben"] and len(book) == 0


def test_a_market_order_leaves_nothing_behind():
    book = OrderBook()
    book.submit("Ana", SELL, 1, 7)
    _, trades = book.submit("Ben", BUY, 5)
    assert [t.amount for t in trades] == [1] and len(book) == 0


@pytest.mark.parametrize(("amount", "price"), [(0, 1), (1, 0), (1.5, 1), (1, 2.5), (-3, 4)])
def test_orders_that_are_no_whole_numbers_are_refused(amount, price):
    book = OrderBook()
    with pytest.raises(ConfigError, match="whole number"):
        book.submit("Ana", BUY, amount, price)
    assert len(book) == 0
