"""The scene of `aucarena`: who sits at which seat of the auction, and by which law, plan or model it bids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ethogram.policies.coded.bidders import KnapsackBidder, Objective, PlanBidder, RuleBidder, TruthfulBidder
from ethogram.policies.prompted.planner import Planner, Strategy
from ethogram.policies.prompted.surrogate_bidder import SlipLaw, SurrogateBidder
from ethogram.policy import Policy
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.world import World
from ethogram.worlds.coded.auction import Auction, Item

__all__ = ["ARMS", "BIDDERS", "CODED", "FULL", "TIPPED", "arena", "items_of"]

CODED = "coded"
"""The word for the surrogate in place of a model."""

BIDDERS: dict[str, Callable[[], Policy]] = {
    "rule": RuleBidder,
    "truthful": TruthfulBidder,
    "knapsack": KnapsackBidder,
    "static": lambda: PlanBidder(adaptive=False),
    "adaptive": lambda: PlanBidder(adaptive=True),
}
"""The coded bidders by kind."""


class Arm(NamedTuple):
    """What is left out of a planner, or put in."""

    strategy: Strategy = "adaptive"
    correct_belief: bool = True
    objective: Objective = "profit"
    tips: bool = False


FULL, TIPPED = "full", "with tips"
ARMS = {
    FULL: Arm(),
    "no plan": Arm("none"),
    "static plan": Arm("static"),
    "no belief correction": Arm(correct_belief=False),
    "after items": Arm(objective="items"),
    TIPPED: Arm(tips=True),
}
"""The planners by arm. `after items` is told to win items; only a model can read the tips of `with tips`."""
KINDS = ((1000, 2000), (5000, 10_000))
"""Price and value of the two kinds of items."""


def items_of(n: int, order: int) -> list[Item]:
    """Items of two kinds, half of each, in an order that is drawn: called out at 1,000 and worth 2,000, or 5,000 and 10,000.

    Named by their place in the sale, so that names say nothing. Regenerated after the authors' file of items.

    Args:
        n: how many.
        order: seed of the order.
    """
    drawn = generator(order, "items").permutation([i % 2 for i in range(n)])
    return [Item(f"item {i + 1}", *KINDS[kind]) for i, kind in enumerate(drawn)]


@scene
def arena(
    seats: Mapping[str, str],
    items: int = 10,
    order: int = 0,
    budget: int = 20_000,
    overestimate: float = 0.1,
    noise: float = 0.0,
    player: str = CODED,
    mind: Literal["choice", "written"] = "choice",
    slip: float = 0.15,
    tips: Sequence[str] = (),
    cache: str = "",
) -> tuple[World, Mapping[str, Policy]]:
    """An auction.

    Args:
        seats: the kind of each bidder by name: of `BIDDERS`, or of `ARMS`.
        items: how many.
        order: seed of their order.
        budget: of each bidder.
        overestimate: of each bidder's estimates.
        noise: of each bidder's estimates.
        player: who plays the planners: `coded` for the surrogate, or the spelling of a language model.
        mind: whether a language model chooses among options or writes.
        slip: the surrogate's rate of slips.
        tips: what a model is told that it has learned, in the arm `with tips`.
        cache: file in which a model's answers are kept.
    """
    world = Auction(items_of(items, order), list(seats), budget=budget, overestimate=overestimate, noise=noise)
    how = {"player": player, "mind": mind, "slip": slip, "tips": tips, "cache": cache}
    return world, {name: BIDDERS[kind]() if kind in BIDDERS else _planner(ARMS[kind], **how) for name, kind in seats.items()}


def _planner(arm: Arm, player: str, mind: str, slip: float, tips: Sequence[str], cache: str) -> Planner:
    told: Any
    if player == CODED:
        told = SurrogateBidder(SlipLaw(slip=slip), arm.objective)
    else:
        from ethogram.language import model as open_model
        from ethogram.policies.prompted.bidder_minds import ChoosingMind, WrittenMind

        kind = ChoosingMind if mind == "choice" else WrittenMind
        told = kind(open_model(player, cache=cache or None), arm.objective, tips if arm.tips else ())
    return Planner(told, arm.strategy, correct_belief=arm.correct_belief)
