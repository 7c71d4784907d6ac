"""pyorderbook: `python run_pyorderbook.py EVENTS.json`: submit limit orders to its book, and cancel some.

An event is `["buy", price, amount]`, `["sell", price, amount]` or `["cancel", number]` with the number of an earlier event.
Prints CPU seconds of all events as its interface has them (an order is an object with a UUID and a Decimal), the same with
the orders made before the clock starts, and a digest of all trades.
"""

import hashlib
import json
import logging
import sys
import time

from pyorderbook import Book, ask, bid

logging.disable(logging.CRITICAL)  # its log lines are not what is measured


def play(events: list, made: list | None) -> tuple[float, list]:
    """Seconds, and the trades as (price, amount, number of the resting order, number of the arriving one)."""
    book, orders, blotters = Book(), [], []
    began = time.process_time()
    for i, event in enumerate(events):
        if event[0] == "cancel":
            order = orders[event[1]]
            if book.get_order(order.id) is not None:
                book.cancel(order)
            orders.append(None)
            continue
        order = made[i] if made else (bid if event[0] == "buy" else ask)("A", event[1], event[2])
        orders.append(order)
        blotters.append(book.match(order))
    spent = time.process_time() - began
    number = {order.id: i for i, order in enumerate(orders) if order is not None}
    trades = [
        (int(t.fill_price), t.fill_quantity, number[t.standing_order_id], number[t.incoming_order_id])
        for blotter in blotters
        for t in blotter.trades
    ]
    return spent, trades


def main() -> None:
    with open(sys.argv[1]) as file:
        events = json.load(file)
    whole, made_before, trades = [], [], []
    for _ in range(3):
        seconds, trades = play(events, None)
        whole.append(seconds)
        made = [None if e[0] == "cancel" else (bid if e[0] == "buy" else ask)("A", e[1], e[2]) for e in events]
        made_before.append(play(events, made)[0])
    digest = hashlib.blake2b(json.dumps(trades).encode()).hexdigest()
    print(json.dumps({"cpu": min(whole), "made before": min(made_before), "trades": len(trades), "digest": digest}))


if __name__ == "__main__":
    main()
