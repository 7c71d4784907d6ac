"""The market of `stockagent`, and who trades on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ethogram.policies.coded.traders import (
    RATE_BLIND,
    RATE_SENSITIVE,
    Chartist,
    Follower,
    Fundamentalist,
    Trader,
    ZeroIntelligence,
)
from ethogram.policy import Policy
from ethogram.scene import Policies, scene
from ethogram.world import Agent, World
from ethogram.worlds.coded.stock_market import StockMarket

__all__ = ["CODED", "CREWS", "market"]

CODED = "coded"
"""The coded traders, in place of a language model."""

CREWS: dict[str, tuple[str, ...]] = {
    "all kinds": ("zero", "zero", "zero", "value", "value", "value", "trend", "trend", "crowd", "crowd"),
    "zero intelligence": ("zero",),
    "with fundamentalists": ("zero", "value"),
    "with chartists": ("zero", "trend"),
}
"""Kinds of traders, dealt out in turn. Stated, not fitted to people."""


@scene
def market(
    player: str = CODED,
    traders: int = 20,
    days: int = 264,
    sessions: int = 3,
    crew: str = "all kinds",
    borrowing: str = "sensitive",
    without: Sequence[str] = (),
    mind: str = "choice",
    cache: str = "",
) -> tuple[World, Policies]:
    """A market of two stocks.

    Args:
        player: `coded`, or the spelling of a language model that plays all traders.
        traders: how many.
        days: of trade.
        sessions: a day.
        crew: of `CREWS`.
        borrowing: whether coded traders are `sensitive` or `blind` to rates.
        without: channels that are left out.
        mind: how a language model is asked: see `PromptedTraders`.
        cache: file in which a model's answers are kept.
    """
    world = StockMarket(traders, days, sessions, without=without, levels=5)
    if player != CODED:
        return world, _prompted(player, mind, cache)
    law = {"sensitive": RATE_SENSITIVE, "blind": RATE_BLIND}[borrowing]
    kinds: dict[str, Trader] = {
        "zero": ZeroIntelligence(spread=0.02, borrowing=law),
        "value": Fundamentalist(borrowing=law),
        "trend": Chartist(threshold=0.02, borrowing=law),
        "crowd": Follower(borrowing=law),
    }
    order = CREWS[crew]
    dealt: dict[Agent, Policy] = {agent: kinds[order[i % len(order)]] for i, agent in enumerate(world.possible_agents)}
    return world, dealt


def _prompted(player: str, mind: Any, cache: str) -> Policy:
    from ethogram.language import model as open_model
    from ethogram.policies.prompted.trader import PromptedTraders

    return PromptedTraders(open_model(player, cache=cache or None, repairs=3), mind=mind)
