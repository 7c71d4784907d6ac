"""The common vocabulary of auctions: what a bidder sees, and what it can do.

Auctions and bidders that speak it can be put together, and neither imports the other. Money is in whole units. The verbs are
shown to language models with their docstrings and field descriptions.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Bid", "Lot", "Offer", "Sale", "Withdraw"]

REASON = 200
"""The most characters of a reason."""
MANY = 200
"""The most items, and the most bidders, of an auction."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- what can be done ---


class Bid(_Value):
    """Bid for the item under the hammer."""

    reason: str = Field(default="", max_length=REASON, description="why, in a few words")
    amount: int = Field(ge=0, le=10**12, description="how much you bid, in whole units of money")


class Withdraw(_Value):
    """Bid no more for this item."""

    reason: str = Field(default="", max_length=REASON, description="why, in a few words")


# --- what is seen ---


class Offer(_Value):
    """An item, as a bidder knows it."""

    name: str = Field(max_length=80)
    price: int = Field(description="the price at which it is called out")
    estimate: int = Field(description="what you think it is worth to you")


class Sale(_Value):
    """What came of an item."""

    name: str = Field(max_length=80)
    winner: str | None = Field(max_length=80, description="null where nobody wanted it")
    price: int = Field(description="the winning bid")
    value: int = Field(description="what it has turned out to bring its winner")


class Lot(_Value):
    """The auction, as a bidder sees it."""

    you: str = Field(max_length=80, description="your own name")
    bidders: tuple[str, ...] = Field(max_length=MANY, description="everybody who takes part, you included")
    active: tuple[str, ...] = Field(max_length=MANY, description="who has not withdrawn from the item under the hammer")
    item: Offer | None = Field(description="the item under the hammer; null when all are sold")
    highest: int = Field(description="the highest bid so far; 0 where there is none")
    leader: str | None = Field(max_length=80, description="who made it")
    least: int = Field(description="the least that you may bid now")
    step: int = Field(description="the least raise of the highest bid")
    budget: int = Field(description="the money that you have left")
    to_come: tuple[Offer, ...] = Field(max_length=MANY, description="the items that follow")
    sold: tuple[Sale, ...] = Field(max_length=MANY, description="what was sold so far")
    refused: str = Field(max_length=300, description="why your last bid was refused; empty where it was not")
