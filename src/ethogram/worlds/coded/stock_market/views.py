"""What traders of a stock market see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.market import Account, Loan, Market, Message, Open, Report, Stock, Terms
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL

if TYPE_CHECKING:
    from ethogram.worlds.coded.stock_market.world import StockMarket

__all__ = ["account_view", "market_view"]


def market_view(world: StockMarket) -> Market:
    """What all see alike; the board only in the first part of a day."""
    exchange, levels, memory = world.exchange, world.levels, world.memory
    return Market.model_construct(
        day=world.day,
        days=world.days,
        phase=world.phase,
        session=world.session,
        stocks=tuple(
            Stock.model_construct(
                name=stock,
                price=price,
                closes=tuple(world.closes[stock][-memory:]) if memory else (),
                bids=tuple(exchange.depth(stock, BUY)[:levels]),
                asks=tuple(exchange.depth(stock, SELL)[:levels]),
            )
            for stock, price in world.prices.items()
        ),
        loans=tuple(Terms.model_construct(days=d, rate=r) for d, r in zip(world.terms, world.rates, strict=True)),
        reports=tuple(
            Report.model_construct(stock=stock, day=day, earnings=earnings, growth=growth)
            for stock, (day, earnings, growth) in world.published.items()
        ),
        news=tuple(world.news),
        board=tuple(Message.model_construct(author=a, text=t) for a, t in world.board) if world.at == 0 else (),
    )


def account_view(world: StockMarket, agent: str) -> Account:
    """What a trader knows of itself."""
    account, standing = world.ledger[agent], world.exchange.standing(agent)
    return Account.model_construct(
        temperament=world.temperaments[agent],
        cash=account.cash,
        free=account.cash - standing.cash,
        shares=dict(account.shares),
        unbound={stock: number - standing.shares[stock] for stock, number in account.shares.items()},
        loans=tuple(Loan.model_construct(amount=d.amount, rate=d.rate, due=d.due) for d in account.debts),
        room=account.room if world.terms else 0,
        orders=tuple(
            Open.model_construct(number=number, stock=stock, side=side, price=price, amount=amount)
            for number, stock, side, price, amount in standing.orders
        ),
        refused=world.said.get(agent, ""),
    )
