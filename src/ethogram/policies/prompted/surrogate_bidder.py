"""A coded mind for the planner: it plans and bids by a law, and slips and repairs its slips at stated rates."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ethogram.bidding import Bid, Withdraw
from ethogram.policies.coded.bidders import Objective, ceilings, outlook, priorities
from ethogram.policies.prompted.planner import Draft, Facts, Moment, after
from ethogram.seeds import derive
from ethogram.world import Agent

__all__ = ["SlipLaw", "SurrogateBidder"]


class SlipLaw(BaseModel):
    """The rates of the surrogate's laws."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slip: float = Field(default=0.15, ge=0, le=1, description="probability that a number is left as it was before the sale")
    heed: float = Field(default=0.7, ge=0, le=1, description="probability that a slip that is named is repaired")


class SurrogateBidder:
    """Decides by laws that are stated here, so that the planner's loop can be studied with no model in it.

    1. *Plans*: the priorities of `PlanBidder`, from the budget that it believes it has and from the sales it has seen.
    2. *Bids*: the least raise, up to the ceiling that went with the plan and to the budget it believes it has; without a
       plan up to its estimate. It withdraws from an item when a bid was refused.
    3. *Statuses*: each number that a sale changes (its budget, the winner's profit, the winning bid) is left as it was with
       probability `slip`, and stays wrong from then on.
    4. *Repair*: a slip that is named is repaired with probability `heed`.

    It reads no tips. Draws are hashes of the seed, the bidder, the item and what they are about, so arms share their luck.

    Args:
        law: the rates.
        objective: what it is after.
    """

    def __init__(self, law: SlipLaw | None = None, objective: Objective = "profit") -> None:
        self.law = law or SlipLaw()
        self.objective: Objective = objective
        self._seed = 0
        self._known: dict[Agent, dict[str, Any]] = {}

    def reset(self, seed: int) -> None:
        """Take the seed that all draws derive from."""
        self._seed, self._known = seed, {}

    def _draw(self, moment: Moment, *names: str | int) -> float:
        return derive(self._seed, "surrogate bidder", moment.agent, len(moment.seen.sold), *names) / 2**63

    async def plan(self, moment: Moment) -> list[int]:
        """Law 1."""
        offers, seen = moment.offers, moment.seen
        known = self._known.setdefault(moment.agent, {})
        if "prices" not in known:
            known |= {"prices": [o.price for o in offers], "estimates": [o.estimate for o in offers]}
        expected = outlook(seen, known["prices"], known["estimates"])
        budget = max(moment.believed["budget"], 0)
        known["ceilings"] = [len(seen.sold), ceilings(offers, budget, expected, self.objective)]
        return priorities(offers, budget, expected, self.objective)

    async def bid(self, moment: Moment) -> Bid | Withdraw:
        """Law 2."""
        seen = moment.seen
        if seen.refused:
            return Withdraw(reason="My last bid was refused.")
        limit: float = moment.offers[0].estimate
        if moment.plan is not None:
            since, tops = self._known[moment.agent]["ceilings"]
            limit = tops[len(seen.sold) - since]
        if seen.least <= min(limit, moment.believed["budget"]):
            return Bid(amount=seen.least)
        return Withdraw()

    async def update(self, moment: Moment, draft: Draft | None) -> Facts:
        """Laws 3 and 4."""
        if draft is not None:
            return self._repaired(moment, draft)
        found = copy.deepcopy(moment.believed)
        new = after(moment.believed, moment.last, moment.seen.you)
        winner, item = moment.last.winner, moment.last.name
        if winner is None:
            return found
        if self._draw(moment, "budget") >= self.law.slip:
            found["budget"] = new["budget"]
        if self._draw(moment, "profit") >= self.law.slip:
            found["profit"][winner] = new["profit"][winner]
        if self._draw(moment, "won") >= self.law.slip:
            found["won"][winner][item] = new["won"][winner][item]
        return found

    def _repaired(self, moment: Moment, draft: Draft) -> Facts:
        found = copy.deepcopy(draft.facts)
        for slip in draft.slips:
            if self._draw(moment, "repair", draft.tries, *slip.where) < self.law.heed:
                place = found
                for key in slip.where[:-1]:
                    place = place[key]
                place[slip.where[-1]] = slip.true
        return found

    def state_dict(self) -> dict[str, Any]:
        """The seed and what each bidder has noted of the items."""
        return {"seed": self._seed, "known": copy.deepcopy(self._known)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._known = state["seed"], copy.deepcopy(dict(state["known"]))
