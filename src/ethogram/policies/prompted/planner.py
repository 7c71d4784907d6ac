"""A bidder that plans, bids, takes stock and plans anew, as in AucArena (Chen et al. 2023, section 4).

policy = Planner(WrittenMind(model("openai:NAME")), strategy="adaptive")

What it believes of the auction is its own doing: after each hammer its mind rewrites a status (its budget, everybody's
profit and winning bids), and it plans and bids by that status, right or wrong. Each is held against what it was shown.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from gymnasium import Space

from ethogram.bidding import Bid, Lot, Offer, Sale, Withdraw
from ethogram.errors import CallFailed, ConfigError
from ethogram.policies.prompted.beliefs import Slip, audit, leaves
from ethogram.policy import Fault, Policy
from ethogram.session import current
from ethogram.world import Agent

__all__ = [
    "TRIES",
    "BidderMind",
    "Draft",
    "Facts",
    "Moment",
    "Planner",
    "Strategy",
    "account",
    "after",
    "concerns",
    "facts_of",
]

Strategy = Literal["none", "static", "adaptive"]
Facts = dict[str, Any]
"""A status: `budget`, `profit` by bidder, and `won` by bidder: the winning bids by item."""
TRIES = 4
"""How often a status with mistakes is sent back."""
SIDES = ("self", "others")


@dataclass(frozen=True)
class Moment:
    """What a mind has before it when it is asked."""

    agent: Agent
    seen: Lot
    believed: Facts
    """The last status; what the auction has told since is not in it."""
    plan: list[int] | None
    """Priorities (3: first) of the items left, the one under the hammer first; None without a plan."""
    space: Space[Any]

    @property
    def offers(self) -> list[Offer]:
        """The items left, the one under the hammer first."""
        assert self.seen.item is not None
        return [self.seen.item, *self.seen.to_come]

    @property
    def last(self) -> Sale:
        """What came of the last item."""
        return self.seen.sold[-1]


class Draft(NamedTuple):
    """A status that was sent back."""

    facts: Facts
    slips: list[Slip]
    tries: int
    """How many drafts there were."""


class BidderMind(Protocol):
    """What a planner asks: a language model, or a law in its place. A question that cannot be answered is a `CallFailed`."""

    def reset(self, seed: int) -> None:
        """An episode begins."""
        ...

    async def plan(self, moment: Moment) -> list[int]:
        """The priority of each item left: 3 first, 1 last."""
        ...

    async def bid(self, moment: Moment) -> Bid | Withdraw:
        """A bid, or none. `seen.refused` says why the last one was refused, where it was."""
        ...

    async def update(self, moment: Moment, draft: Draft | None) -> Facts:
        """The status after the last sale; where one has been drafted, that one with its slips repaired."""
        ...


def facts_of(seen: Lot) -> Facts:
    """The true status, as far as a bidder has been shown it."""
    won: dict[str, dict[str, int]] = {name: {} for name in seen.bidders}
    profit = dict.fromkeys(seen.bidders, 0)
    for sale in seen.sold:
        if sale.winner is not None:
            won[sale.winner][sale.name] = sale.price
            profit[sale.winner] += sale.value - sale.price
    return {"budget": seen.budget, "profit": profit, "won": won}


def after(believed: Facts, sale: Sale, you: str) -> Facts:
    """A status carried on by one sale."""
    found = copy.deepcopy(believed)
    if sale.winner is not None:
        found["won"][sale.winner][sale.name] = sale.price
        found["profit"][sale.winner] += sale.value - sale.price
        found["budget"] -= sale.price if sale.winner == you else 0
    return found


def concerns(where: Sequence[str], you: str) -> str:
    """Whether a point of a status is about the bidder itself (`self`) or about `others`."""
    return "self" if where[0] == "budget" or (len(where) > 1 and where[1] == you) else "others"


def account(seen: Lot) -> list[str]:
    """The auction so far in sentences, one an item: what tips for the next one are drawn from."""
    told = []
    for sale in seen.sold:
        if sale.winner is None:
            told.append(f"{sale.name}: nobody wanted it")
        else:
            whose = "you" if sale.winner == seen.you else sale.winner
            told.append(f"{sale.name}: {whose} won it for {sale.price}, and it brought {sale.value}")
    return told


class Planner(Policy):
    """Plans (a), bids (b), rewrites its status after each hammer (c), and plans anew (d).

    Each status is audited against what the bidder was shown. With `correct_belief` one with mistakes is sent back with the
    mistakes named, up to `TRIES` times; what is then still wrong stays in it. The status it begins with is told to it.
    A bid that could not be had is a Fault (the auction takes it as withdrawal), a plan or status that could not be had
    leaves the one before. An illegal bid is refused by the auction with the reason, and the mind is asked again.

    Args:
        mind: who is asked; see `WrittenMind`, `ChoosingMind`, `SurrogateBidder`.
        strategy: `none`: no plan; `static`: one, before the first item; `adaptive`: a new one after each hammer.
        correct_belief: whether mistakes are sent back.

    `diaries[agent]` has, for the episode, `plans` (how many items were sold before it, priorities), `audits` (of each
    status: tries; and for the `first` draft and what was `left`, about `self` and `others`, how many points were wrong and
    how many there are), and `failures` (plans, bids and statuses that could not be had). Plans and audits are notes of the
    run, too.
    """

    calls_per_step = None

    def __init__(self, mind: BidderMind, strategy: Strategy = "adaptive", *, correct_belief: bool = True) -> None:
        if strategy not in ("none", "static", "adaptive"):
            raise ConfigError(f"a planner's strategy is 'none', 'static' or 'adaptive', not {strategy!r}")
        self.mind, self.strategy, self.correct_belief = mind, strategy, correct_belief
        self.diaries: dict[Agent, dict[str, Any]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode without plans."""
        self.mind.reset(seed)
        self.diaries = {}

    async def act(self, observations: Mapping[Agent, Lot], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """A bid or withdrawal of each; all are asked at once."""
        bids = await asyncio.gather(*(self._act(agent, seen, spaces[agent]) for agent, seen in observations.items()))
        return dict(zip(observations, bids, strict=True))

    async def _act(self, agent: Agent, seen: Lot, space: Space[Any]) -> Bid | Withdraw | Fault:
        place = len(seen.sold)
        diary = self.diaries.get(agent)
        if diary is None:
            failures = dict.fromkeys(("plan", "bid", "status"), 0)
            diary = {"place": place, "believed": facts_of(seen), "plans": [], "audits": [], "failures": failures}
            self.diaries[agent] = diary
            if self.strategy != "none":
                await self._plan(agent, seen, space)
        elif diary["place"] < place:
            diary["place"] = place
            await self._take_stock(agent, seen, space)
            if self.strategy == "adaptive":
                await self._plan(agent, seen, space)
        try:
            return await self.mind.bid(self._moment(agent, seen, space))
        except CallFailed as error:
            diary["failures"]["bid"] += 1
            return Fault(str(error))

    def _moment(self, agent: Agent, seen: Lot, space: Space[Any]) -> Moment:
        diary = self.diaries[agent]
        plan = None
        if diary["plans"]:
            since, made = diary["plans"][-1]
            plan = made[len(seen.sold) - since :]
        return Moment(agent, seen, diary["believed"], plan, space)

    async def _plan(self, agent: Agent, seen: Lot, space: Space[Any]) -> None:
        diary = self.diaries[agent]
        try:
            made = [len(seen.sold), await self.mind.plan(self._moment(agent, seen, space))]
        except CallFailed:
            diary["failures"]["plan"] += 1
            return
        diary["plans"].append(made)
        _note(agent, "plan", {"place": made[0], "priorities": made[1]})

    async def _take_stock(self, agent: Agent, seen: Lot, space: Space[Any]) -> None:
        """Rewrite the status, and hold it against the truth."""
        diary, moment, truth = self.diaries[agent], self._moment(agent, seen, space), facts_of(seen)
        draft: Draft | None = None
        first: dict[str, list[int]] | None = None
        try:
            while draft is None or (self.correct_belief and draft.slips and draft.tries <= TRIES):
                facts = await self.mind.update(moment, draft)
                draft = Draft(facts, audit(facts, truth), 1 if draft is None else draft.tries + 1)
                first = first or _score(draft.slips, truth, agent)
        except CallFailed:
            diary["failures"]["status"] += 1
        if draft is not None:
            diary["believed"] = draft.facts
        left = _score(audit(diary["believed"], truth), truth, agent)
        tries = 0 if draft is None else draft.tries
        found = {"place": len(seen.sold), "tries": tries, "first": first or left, "left": left}
        diary["audits"].append(found)
        _note(agent, "belief", found)

    def state_dict(self) -> dict[str, Any]:
        """The diaries, and what the mind keeps."""
        mind = getattr(self.mind, "state_dict", dict)()
        return {"diaries": copy.deepcopy(self.diaries), "mind": mind}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self.diaries = copy.deepcopy(dict(state["diaries"]))
        if hasattr(self.mind, "load_state_dict"):
            self.mind.load_state_dict(state["mind"])  # type: ignore[attr-defined]


def _score(slips: Sequence[Slip], truth: Facts, you: str) -> dict[str, list[int]]:
    """About the bidder itself and others: how many points are wrong, of how many in the truth or the belief."""
    wrong = [slip.where for slip in slips]
    points = {*leaves(truth), *wrong}
    return {side: [sum(concerns(at, you) == side for at in some) for some in (wrong, points)] for side in SIDES}


def _note(agent: Agent, kind: str, data: dict[str, Any]) -> None:
    if (session := current()) is not None:
        session.note(agent, kind, data)
