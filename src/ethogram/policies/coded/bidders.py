"""Bidders by stated laws: a rule, the truth, a knapsack, and plans that are kept or made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium import Space

from ethogram.bidding import Bid, Lot, Offer, Withdraw
from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted
from ethogram.world import Agent

__all__ = [
    "MARKUP",
    "UNKNOWN",
    "KnapsackBidder",
    "Objective",
    "Outlook",
    "Plan",
    "PlanBidder",
    "RuleBidder",
    "TruthfulBidder",
    "ceiling",
    "ceilings",
    "frontier",
    "outlook",
    "priorities",
]

Objective = Literal["profit", "items"]
"""What a bidder is after: the sum of values less prices, or the number of items."""
MARKUP = 1.5
"""Before it has seen a sale, a bidder expects items to be sold at so many times the price at which they are called out."""
AKIN = 0.25
"""How much a sale tells of items that are called out at another price, against 1 for those at its own."""


def at_least(seen: Lot, limit: float) -> Bid | Withdraw:
    """The least bid where neither the limit nor the budget forbids it, else no more bids."""
    return Bid(amount=seen.least) if seen.least <= min(limit, seen.budget) else Withdraw()


class RuleBidder(Scripted):
    """Always raises by the minimum while it can afford to, at most `most` times an item (AucArena's rule bidder).

    Args:
        most: bids for one item.
    """

    def __init__(self, most: int = 4) -> None:
        super().__init__()
        if most < 1:
            raise ConfigError(f"a rule bidder that makes {most} bids an item makes none; give 1 or more")
        self.most = most

    def script(self, observation: Lot, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The least bid, as long as there are bids left for the item."""
        place = len(observation.sold)
        made = memory["made"] if memory.get("place") == place else 0
        action = at_least(observation, np.inf) if made < self.most else Withdraw()
        memory |= {"place": place, "made": made + isinstance(action, Bid)}
        return action


class TruthfulBidder(Scripted):
    """Stays in by the least raise up to its estimate: the dominant strategy for one item of private value (Vickrey 1961)."""

    def script(self, observation: Lot, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The least bid, up to the estimate."""
        assert observation.item is not None
        return at_least(observation, observation.item.estimate)


class KnapsackBidder(Scripted):
    """Bids for an item as long as its money could not be spent better on the items to come (`ceiling`, at `MARKUP`)."""

    def script(self, observation: Lot, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The least bid, up to the price at which the item would leave the knapsack."""
        assert observation.item is not None
        if memory.get("place") != len(observation.sold):
            limit = ceiling(observation.item, observation.to_come, observation.budget, UNKNOWN)
            memory |= {"place": len(observation.sold), "limit": limit}
        return at_least(observation, memory["limit"])


class Outlook(NamedTuple):
    """What a bidder expects of the items to come."""

    markups: Mapping[int, float]
    """The price at which items are sold, over the price at which they are called out, by the latter; else `MARKUP`."""
    trust: float
    """What they are worth, over its estimate."""

    def cost(self, offer: Offer) -> float:
        """What an item is expected to be sold at."""
        return self.markups.get(offer.price, MARKUP) * offer.price


UNKNOWN = Outlook({}, 1.0)
"""What is expected before the first sale."""


def outlook(seen: Lot, prices: Sequence[int], estimates: Sequence[int]) -> Outlook:
    """What the sales so far say: the mean markup, with `MARKUP` counted as one sale, and the mean of value over estimate.

    Of items that are called out at another price a sale counts a quarter (`AKIN`), since bidders go for some and not for
    others. What another has won would have cost one raise more.

    Args:
        seen: what the bidder sees now, with an item under the hammer.
        prices: at which all items of the auction are called out, in the order of their sale.
        estimates: the bidder's own, likewise.
    """
    sold = [(i, sale) for i, sale in enumerate(seen.sold) if sale.winner is not None]
    further = seen.step / prices[len(seen.sold)]
    found = np.array([MARKUP, *(sale.price / prices[i] + further * (sale.winner != seen.you) for i, sale in sold)])
    markups = {}
    for price in set(prices[len(seen.sold) :]):
        weights = [1.0, *(1.0 if prices[i] == price else AKIN for i, _ in sold)]
        markups[price] = float(np.average(found, weights=weights))
    trusts = [sale.value / estimates[i] for i, sale in sold if estimates[i] > 0]
    return Outlook(markups, float(np.mean(trusts)) if trusts else 1.0)


class Choice(NamedTuple):
    """A selection of items that no other beats in both cost and gain."""

    cost: float
    gain: float
    chosen: tuple[int, ...]


def frontier(items: Sequence[tuple[float, float]], budget: float) -> list[Choice]:
    """All selections within a budget that are not beaten, by cost; the last one is the best (Nemhauser and Ullmann 1969).

    It solves the 0-1 knapsack for all budgets up to this one at once. The first selection is the empty one.

    Args:
        items: cost and gain of each; costs above 0, and what brings no gain is left out.
        budget: what a selection may cost.
    """
    points = [Choice(0.0, 0.0, ())]
    for i, (cost, gain) in enumerate(items):
        if gain <= 0:
            continue
        more = [Choice(p.cost + cost, p.gain + gain, (*p.chosen, i)) for p in points if p.cost + cost <= budget]
        merged = sorted(points + more, key=lambda p: (p.cost, -p.gain))
        points = [merged[0]]
        for p in merged[1:]:
            if p.gain > points[-1].gain:
                points.append(p)
    return points


def _chances(offers: Sequence[Offer], expected: Outlook, objective: Objective) -> list[tuple[float, float]]:
    """Expected cost and gain of each item."""
    costs = [expected.cost(offer) for offer in offers]
    if objective == "items":
        return [(cost, 1.0) for cost in costs]
    return [(cost, expected.trust * offer.estimate - cost) for offer, cost in zip(offers, costs, strict=True)]


def priorities(offers: Sequence[Offer], budget: int, expected: Outlook, objective: Objective = "profit") -> list[int]:
    """A plan: the priority of each item, from 3 (first) to 1.

    3 have the items of the best selection that the budget can pay at the expected prices; 2 those others that would bring a
    gain; 1 the rest. What is best is the sum of the expected profits, or the number of items.

    Args:
        offers: the items that are left.
        budget: to be spent on them.
        expected: prices and values.
        objective: what the bidder is after.
    """
    chances = _chances(offers, expected, objective)
    chosen = frontier(chances, budget)[-1].chosen
    return [3 if i in chosen else 2 if gain > 0 else 1 for i, (_, gain) in enumerate(chances)]


def ceiling(offer: Offer, others: Sequence[Offer], budget: int, expected: Outlook, objective: Objective = "profit") -> float:
    """The most that an item may cost before the money would be better spent on the others, at their expected prices.

    With V(b) the best gain that the others bring for b, it is the largest p for which gain(p) + V(budget - p) >= V(budget):
    the gain is what the item is worth less p, or 1 where items are counted. Not below 0.

    Args:
        offer: the item.
        others: the other items that can still be had.
        budget: for all of them.
        expected: prices and values.
        objective: what the bidder is after.
    """
    points = frontier(_chances(others, expected, objective), budget)
    best = points[-1].gain
    if objective == "items":
        return max(budget - p.cost for p in points if p.gain >= best - 1)
    worth = expected.trust * offer.estimate
    return max(0.0, *(min(budget - p.cost, worth - (best - p.gain)) for p in points))


def ceilings(offers: Sequence[Offer], budget: int, expected: Outlook, objective: Objective = "profit") -> list[float]:
    """The `ceiling` of each of the items that are left, the rest of them being the others."""
    others = [[*offers[:i], *offers[i + 1 :]] for i in range(len(offers))]
    return [ceiling(offer, rest, budget, expected, objective) for offer, rest in zip(offers, others, strict=True)]


class Plan(NamedTuple):
    """A plan for the items that are left, in the order of their sale."""

    place: int
    """How many items were sold before it was made."""
    priorities: list[int]
    ceilings: list[float]


class PlanBidder(Scripted):
    """Gives each item a priority and a ceiling, and bids the least raise up to the ceiling.

    A static plan is made once, before the first item. An adaptive one is made anew after each hammer, from the budget that
    is left and from what the sales have shown (`outlook`). Nothing else is different.

    Args:
        adaptive: whether the plan is made anew.
        objective: what it is after.
        doubt: standard deviation of an error of each ceiling, as a share of it, drawn anew for each item.
    """

    def __init__(self, adaptive: bool, objective: Objective = "profit", doubt: float = 0.03) -> None:
        super().__init__()
        if objective not in ("profit", "items") or doubt < 0:
            raise ConfigError(
                f"a plan bidder is after 'profit' or 'items' and has a doubt from 0, not {objective!r}, {doubt}"
            )
        self.adaptive, self.doubt = adaptive, doubt
        self.objective: Objective = objective

    @property
    def plans(self) -> dict[Agent, list[Plan]]:
        """The plans that each agent has made in the episode."""
        return {agent: [Plan(*plan) for plan in memory["plans"]] for agent, memory in self._memories.items()}

    def script(self, observation: Lot, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """Plan where it is time to, then bid up to the ceiling."""
        assert observation.item is not None
        offers, place = [observation.item, *observation.to_come], len(observation.sold)
        if not memory:
            prices, estimates = [o.price for o in offers], [o.estimate for o in offers]
            memory |= {"prices": prices, "estimates": estimates, "plans": [], "place": -1}
        if memory["place"] != place:
            if self.adaptive or not memory["plans"]:
                expected = outlook(observation, memory["prices"], memory["estimates"])
                memory["plans"].append([place, *self._plan(offers, observation.budget, expected)])
            memory |= {"place": place, "error": 1 + self.doubt * float(rng.standard_normal())}
        plan = Plan(*memory["plans"][-1])
        return at_least(observation, plan.ceilings[place - plan.place] * memory["error"])

    def _plan(self, offers: Sequence[Offer], budget: int, expected: Outlook) -> tuple[list[int], list[float]]:
        order = priorities(offers, budget, expected, self.objective)
        return order, ceilings(offers, budget, expected, self.objective)
