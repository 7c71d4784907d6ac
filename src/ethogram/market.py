"""The common vocabulary of markets: what a trader sees, and what it can do.

Markets and traders that speak it can be put together, and neither imports the other. Money is in whole cents and rates are
in whole basis points (hundredths of a per cent). The verbs are shown to language models with their docstrings and field
descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ethogram.social import Wait

__all__ = [
    "TEMPERAMENTS",
    "Account",
    "Borrow",
    "Buy",
    "Call",
    "Cancel",
    "Floor",
    "Forecast",
    "Loan",
    "Market",
    "Message",
    "Open",
    "Phase",
    "Pit",
    "Post",
    "Report",
    "Sell",
    "Stock",
    "Temperament",
    "Terms",
    "Wait",
]

Temperament = Literal["conservative", "aggressive", "balanced", "growth"]
TEMPERAMENTS: tuple[Temperament, ...] = ("conservative", "aggressive", "balanced", "growth")
Phase = Literal["morning", "session", "forecast", "board"]
HIGHEST = 10_000_000
"""The highest price of a share (100,000.00), and the most shares in an order."""
TEXT = 280
"""The most characters of a post."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- what can be done on a stock market ---


class _Order(_Value):
    stock: str = Field(description="the stock", min_length=1, max_length=40)
    price: int = Field(description="limit price of one share in cents (3000 is 30.00)", ge=1, le=HIGHEST)
    amount: int = Field(description="how many shares", ge=1, le=HIGHEST)


class Buy(_Order):
    """Offer to buy shares at the limit price or less; what finds no seller stays in the book until the evening."""


class Sell(_Order):
    """Offer to sell shares at the limit price or more; what finds no buyer stays in the book until the evening."""


class Cancel(_Value):
    """Take back an order of yours that is still in the book."""

    order: int = Field(description="the number of the order", ge=1)


class Borrow(_Value):
    """Take a loan from the bank."""

    days: int = Field(description="for how many days", ge=1, le=10_000)
    amount: int = Field(description="how much, in cents (100000 is 1000.00)", ge=1)


class Forecast(_Value):
    """Say what you expect to do tomorrow."""

    buy: tuple[str, ...] = Field(default=(), description="the stocks that you expect to buy", max_length=16)
    sell: tuple[str, ...] = Field(default=(), description="the stocks that you expect to sell", max_length=16)
    borrow: bool = Field(default=False, description="whether you expect to borrow")


class Post(_Value):
    """Write on the public board, which everybody reads tomorrow morning."""

    text: str = Field(description="what you write, one or two sentences", min_length=1, max_length=TEXT)


# --- what is seen on a stock market ---


class Stock(_Value):
    """A stock, as everybody sees it."""

    name: str = Field(max_length=40)
    price: int
    """In cents: of the last trade before this session (or the opening price)."""
    closes: tuple[int, ...] = Field(default=(), max_length=64)
    """Prices at the end of past days, the latest last."""
    bids: tuple[tuple[int, int], ...] = Field(default=(), max_length=1000)
    """(price, shares) that are wanted, the highest price first."""
    asks: tuple[tuple[int, int], ...] = Field(default=(), max_length=1000)
    """(price, shares) that are offered, the lowest price first."""


class Terms(_Value):
    """A loan that the bank offers."""

    days: int
    rate: int
    """Basis points of the amount, due with it."""


class Report(_Value):
    """The latest report of a company."""

    stock: str = Field(max_length=40)
    day: int
    """When it came out; 0 for what was known before the first day."""
    earnings: int
    """Profit for each share in the last year, in cents."""
    growth: int
    """Change of the earnings since the report before, in basis points."""


class Message(_Value):
    """What somebody wrote on the board."""

    author: str = Field(max_length=80)
    text: str = Field(max_length=TEXT)


class Market(_Value):
    """What all traders see alike."""

    day: int
    """From 1 on."""
    days: int
    """How many there are."""
    phase: Phase
    session: int
    """Of the day, from 1 on; 0 in the morning."""
    stocks: tuple[Stock, ...] = Field(max_length=16)
    loans: tuple[Terms, ...] = Field(default=(), max_length=16)
    """What the bank offers."""
    reports: tuple[Report, ...] = Field(default=(), max_length=16)
    """The latest of each company."""
    news: tuple[str, ...] = Field(default=(), max_length=100)
    """Announced today."""
    board: tuple[Message, ...] = Field(default=(), max_length=1000)
    """What was written yesterday; shown in the first phase of a day."""


class Loan(_Value):
    """A loan that is not repaid."""

    amount: int
    rate: int
    """Basis points of the amount."""
    due: int
    """The day on which it is repaid."""


class Open(_Value):
    """An order in the book, or what is left of it."""

    number: int
    stock: str = Field(max_length=40)
    side: Literal["buy", "sell"]
    price: int
    amount: int


class Account(_Value):
    """What a trader knows of itself."""

    temperament: Temperament
    cash: int
    """All of it, in cents."""
    free: int
    """What is not bound by orders to buy that are in the book."""
    shares: dict[str, int] = Field(max_length=16)
    """All of them, by stock."""
    unbound: dict[str, int] = Field(max_length=16)
    """Those that are not bound by orders to sell."""
    loans: tuple[Loan, ...] = Field(default=(), max_length=10_000)
    room: int = 0
    """How much it may borrow."""
    orders: tuple[Open, ...] = Field(default=(), max_length=1000)
    refused: str = Field(default="", max_length=500)
    """Why the bank or the exchange refused what the trader last asked for."""


class Floor(_Value):
    """What a trader sees when it is its turn."""

    market: Market
    account: Account


# --- a double auction of units that are worth something else to each ---


class Call(_Value):
    """Call out a price at which you would trade one unit, in place of what you called before."""

    price: int = Field(description="the most you would pay, or the least you would take", ge=1, le=HIGHEST)


class Pit(_Value):
    """What a trader of a double auction sees when it may call."""

    side: Literal["buy", "sell"]
    limit: int
    """What its next unit is worth to it (who buys), or costs it (who sells)."""
    left: int
    """Units that it may still trade."""
    highest: int
    """The highest price that may be called."""
    bid: int | None = None
    """The highest price that is offered now."""
    ask: int | None = None
    """The lowest price that is asked now."""
    last: int | None = None
    """The price of the last trade."""
