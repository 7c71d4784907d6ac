"""What traders of a stock market see, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel

from ethogram.market import TEMPERAMENTS, Account, Floor, Loan, Market, Message, Open, Report, Stock, Terms
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL

if TYPE_CHECKING:
    from ethogram.worlds.coded.stock_market.world import StockMarket

__all__ = ["account_view", "floor", "market_view", "results"]

V = TypeVar("V", bound=BaseModel)


def made(kind: type[V], **values: Any) -> V:
    """An observation of values that are right: every trader gets one in every step, and `model_construct`, which looks at
    each field, takes five times as long.
    """
    new = kind.__new__(kind)
    object.__setattr__(new, "__dict__", values)
    object.__setattr__(new, "__pydantic_fields_set__", set(values))
    object.__setattr__(new, "__pydantic_extra__", None)
    object.__setattr__(new, "__pydantic_private__", None)
    return new


def floor(market: Market, account: Account) -> Floor:
    """What a trader sees."""
    return made(Floor, market=market, account=account)


def market_view(world: StockMarket) -> Market:
    """What all see alike; the board only in the first part of a day."""
    exchange, levels, memory = world.exchange, world.levels, world.memory
    return made(
        Market,
        day=world.day,
        days=world.days,
        phase=world.phase,
        session=world.session,
        stocks=tuple(
            made(
                Stock,
                name=stock,
                price=price,
                closes=tuple(world.closes[stock][-memory:]) if memory else (),
                bids=tuple(exchange.depth(stock, BUY)[:levels]),
                asks=tuple(exchange.depth(stock, SELL)[:levels]),
            )
            for stock, price in world.prices.items()
        ),
        loans=tuple(made(Terms, days=d, rate=r) for d, r in zip(world.terms, world.rates, strict=True)),
        reports=tuple(
            made(Report, stock=stock, day=day, earnings=earnings, growth=growth)
            for stock, (day, earnings, growth) in world.published.items()
        ),
        news=tuple(world.news),
        board=tuple(made(Message, author=a, text=t) for a, t in world.board) if world.at == 0 else (),
    )


def account_view(world: StockMarket, agent: str) -> Account:
    """What a trader knows of itself."""
    account, standing = world.ledger[agent], world.exchange.standing(agent)
    return made(
        Account,
        temperament=world.temperaments[agent],
        cash=account.cash,
        free=account.cash - standing.cash,
        shares=dict(account.shares),
        unbound={stock: number - standing.shares[stock] for stock, number in account.shares.items()},
        loans=tuple(made(Loan, amount=d.amount, rate=d.rate, due=d.due) for d in account.debts),
        room=account.room if world.terms else 0,
        orders=tuple(
            made(Open, number=number, stock=stock, side=side, price=price, amount=amount)
            for number, stock, side, price, amount in standing.orders
        ),
        refused=world.said.get(agent, ""),
    )


def results(world: StockMarket) -> dict[str, float]:
    """The outcome of a market: prices, volumes, loans, refusals and wealth."""
    found: dict[str, float] = {}
    for stock, price in world.prices.items():
        returns = np.diff(np.log([world.stocks[stock], *world.closes[stock]]))
        found |= {
            f"price of {stock}": price / 100,
            f"volume of {stock}": float(sum(world.volumes[stock])),
            f"volatility of {stock}": float(returns.std()) if len(returns) else 0.0,
        }
    found |= {"lent": sum(world.lent) / 100} | {name: float(count) for name, count in world.counts.items()}
    for kind in TEMPERAMENTS:
        worths = [world.ledger[a].worth(world.prices) / 100 for a, own in world.temperaments.items() if own == kind]
        if worths:
            found[f"worth of {kind}"] = sum(worths) / len(worths)
    return found
