"""Language models as the minds of bidders: one that writes its plans, bids and statuses, and one that chooses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from ethogram.bidding import Bid, Lot, Withdraw
from ethogram.policies.coded.bidders import Objective
from ethogram.policies.prompted.beliefs import explain
from ethogram.policies.prompted.planner import Draft, Facts, Moment, account, after, facts_of
from ethogram.policies.prompted.templates import Trusted, data, render
from ethogram.seeds import generator
from ethogram.spaces import Typed
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["MEANINGS", "ChoosingMind", "WrittenMind", "learn"]

MEANINGS = {1: "let it go", 2: "if it is cheap", 3: "win it"}
"""Priorities in words."""
NOBODY = "nobody"
TIPS = 5
"""The most tips that are drawn from an auction."""
EXPLAINED = 6
"""The most slips that are named in one message."""

_OUT = re.compile(r"\bI(?:['’]m| am) out\b|\bI(?:['’]ll| will)? (?:withdraw|pass|drop out)\b", re.IGNORECASE)


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Win(_Value):
    """An item won."""

    item: str = Field(max_length=80)
    price: int = Field(ge=0, le=10**12)


class Tips(_Value):
    """What was learned."""

    tips: list[str] = Field(max_length=TIPS, description="each one short sentence")


@cache
def _plan_space(items: int) -> Typed[Any]:
    """Priorities of so many items."""
    kind = Field(
        min_length=items, max_length=items, description="one for each item: 3 win it, 2 if it is cheap, 1 let it go"
    )
    reason = Field(max_length=200, description="why, in a few words")
    fields: dict[str, Any] = {"reason": (str, reason), "priorities": (list[Literal[1, 2, 3]], kind)}
    return Typed(create_model("Plan", __base__=_Value, **fields))


@cache
def _status_space(bidders: tuple[str, ...]) -> Typed[Any]:
    """A status of these bidders."""
    profit = Field(ge=-(10**12), le=10**12)
    won = Field(max_length=50, description="all items won so far")
    fields: dict[str, Any] = {"bidder": (Literal[bidders], ...), "profit": (int, profit), "won": (list[Win], won)}
    standing = create_model("Standing", __base__=_Value, **fields)
    n = len(bidders)
    both: dict[str, Any] = {
        "budget": (int, Field(ge=-(10**12), le=10**12, description="the money that you have left")),
        "bidders": (list[standing], Field(min_length=n, max_length=n, description="each bidder once")),
    }
    return Typed(create_model("Status", __base__=_Value, **both))


def _facts(status: Any) -> Facts:
    """A written status; of a bidder that is in it twice, the last counts."""
    return {
        "budget": status.budget,
        "profit": {one.bidder: one.profit for one in status.bidders},
        "won": {one.bidder: {win.item: win.price for win in one.won} for one in status.bidders},
    }


def _of_one_mind(action: Bid | Withdraw) -> None:
    """ValueError where a bid comes with the reason that one is out."""
    if isinstance(action, Bid) and _OUT.search(action.reason):
        raise ValueError(f"the reason says {data(action.reason)!r}, but it is a bid; withdraw, or give a reason to bid")


class _Minds:
    """What both have in common: the prompts.

    Args:
        model: the language model.
        objective: what the bidder is told to be after.
        tips: what it is told to have learned; see `learn`.
    """

    def __init__(self, model: LanguageModel, objective: Objective = "profit", tips: Sequence[str] = ()) -> None:
        self.model, self.objective, self.tips = model, objective, tuple(tips)
        self._seed = 0

    def reset(self, seed: int) -> None:
        """Take the seed of all draws."""
        self._seed = seed

    def _messages(self, moment: Moment, template: str, **values: Any) -> list[dict[str, str]]:
        return _asked(moment.seen.you, self.objective, self.tips, template, believed=moment.believed, **values)

    def _bid_messages(self, moment: Moment) -> list[dict[str, str]]:
        seen, priority = moment.seen, moment.plan[0] if moment.plan else 0
        return self._messages(
            moment,
            "bidder_bid",
            item=seen.item,
            priority=priority,
            meaning=Trusted(MEANINGS.get(priority, "")),
            to_come=len(seen.to_come),
            leader=seen.leader,
            highest=seen.highest,
            least=seen.least,
            refused=seen.refused,
        )

    def _status_messages(self, moment: Moment, template: str, draft: Draft | None) -> list[dict[str, str]]:
        wrong = [explain([slip]) for slip in draft.slips[:EXPLAINED]] if draft else []
        return self._messages(moment, template, sale=moment.last, bidders=moment.seen.bidders, wrong=wrong)

    def state_dict(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self._seed}

    def load_state_dict(self, state: Any) -> None:
        """Put the seed back."""
        self._seed = state["seed"]


class WrittenMind(_Minds):
    """Writes plans, bids and statuses as JSON: constrained where the model can be, validated and repaired in any case.

    A reply that is not of the form, such as "I'm out at $500", is no bid: it is asked for again, and at last given up. Nor
    is a bid whose reason says that the bidder is out.
    """

    async def plan(self, moment: Moment) -> list[int]:
        """One answer: a priority for each item."""
        messages = self._messages(moment, "bidder_plan", offers=moment.offers)
        space = _plan_space(len(moment.offers))
        most = 150 + 4 * len(moment.offers)
        reply = await self.model.generate(messages, space=space, agent=moment.agent, purpose="plan", max_tokens=most)
        return list(reply.value.priorities)

    async def bid(self, moment: Moment) -> Bid | Withdraw:
        """One answer: a bid or none, with a reason."""
        space: Any = moment.space
        system, user = self._bid_messages(moment)
        asked = f"{user['content']}\nAnswer with one JSON object, in one of these forms:\n{space.describe()}"
        reply = await self.model.generate(
            [system, {"role": "user", "content": asked}],
            space=space,
            agent=moment.agent,
            purpose="bid",
            max_tokens=150,
            validate=_of_one_mind,
        )
        return reply.value

    async def update(self, moment: Moment, draft: Draft | None) -> Facts:
        """One answer: the whole status."""
        messages = self._status_messages(moment, "bidder_status", draft)
        seen = moment.seen
        most = 80 + 40 * len(seen.bidders) + 30 * len(seen.sold)
        space = _status_space(seen.bidders)
        reply = await self.model.generate(messages, space=space, agent=moment.agent, purpose="status", max_tokens=most)
        return _facts(reply.value)


class ChoosingMind(_Minds):
    """Decides by the likelihoods of options, averaged over their orders: for models too weak to write JSON with a meaning.

    A priority is chosen for each item; a bid is the least one or none; of a sale it is chosen who won, and the status
    follows from that by arithmetic. Where it is told of slips, it chooses whether to correct them.
    """

    async def plan(self, moment: Moment) -> list[int]:
        """A choice for each item."""
        made = []
        for place, offer in enumerate(moment.offers):
            messages = self._messages(moment, "bidder_plan", offers=moment.offers, item=offer.name)
            made.append(1 + await self._choose(moment, "plan", messages, list(MEANINGS.values()), place))
        return made

    async def bid(self, moment: Moment) -> Bid | Withdraw:
        """The least bid or none."""
        least = moment.seen.least
        bids = await self._choose(moment, "bid", self._bid_messages(moment), ["withdraw", f"bid {least}"], least) == 1
        return Bid(amount=least) if bids else Withdraw()

    async def update(self, moment: Moment, draft: Draft | None) -> Facts:
        """Who won; then whether to correct what is named."""
        messages = self._status_messages(moment, "bidder_winner", draft)
        if draft is None:
            names = [*moment.seen.bidders, NOBODY]
            chosen = await self._choose(moment, "status", messages, [data(name) for name in names], 0)
            winner = None if chosen == len(names) - 1 else names[chosen]
            return after(moment.believed, moment.last.model_copy(update={"winner": winner}), moment.seen.you)
        corrects = await self._choose(moment, "repair", messages, ["no", "yes"], draft.tries) == 1
        return facts_of(moment.seen) if corrects else draft.facts

    async def _choose(
        self, moment: Moment, purpose: str, messages: list[dict[str, str]], options: Sequence[str], about: int
    ) -> int:
        rng = generator(self._seed, purpose, moment.agent, len(moment.seen.sold), about)
        choice = await self.model.choose(messages, list(options), rng=rng, agent=moment.agent, purpose=purpose)
        return choice.index


async def learn(model: LanguageModel, seen: Lot, objective: Objective = "profit", agent: Agent = "") -> tuple[str, ...]:
    """Tips for the next auction that a model draws from the log of one: at most `TIPS` sentences.

    Args:
        model: the language model.
        seen: what the bidder saw at the end.
        objective: what the bidder is after.
        agent: to whom the call is put down.

    Raises:
        CallFailed: no tips were had.
    """
    messages = _asked(
        seen.you,
        objective,
        (),
        "bidder_tips",
        lines=account(seen),
        profits=facts_of(seen)["profit"],
        most=TIPS,
    )
    reply = await model.generate(messages, space=Typed(Tips), agent=agent, purpose="tips", max_tokens=60 * TIPS)
    return tuple(reply.value.tips)


def _asked(you: str, objective: str, tips: Sequence[str], template: str, **values: Any) -> list[dict[str, str]]:
    system = render("bidder_system", name=you, objective=objective, tips=tips)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": render(template, you=you, **values)},
    ]
