"""An open ascending auction of several items, one after the other, for bidders with budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ethogram.bidding import MANY, Bid, Lot, Offer, Sale, Withdraw
from ethogram.errors import ConfigError
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

__all__ = ["Auction", "Item"]

CUT = 2
"""An item that nobody wants is offered again at its price over so much."""


class Item(NamedTuple):
    """Something to be sold. All money is in whole units."""

    name: str
    price: int
    """At which it is called out."""
    value: int | tuple[int, ...]
    """What it brings whoever wins it; where it differs, what it brings each bidder."""


ITEMS = tuple(Item(f"item {i + 1}", price, value) for i, (price, value) in enumerate([(1000, 2000), (5000, 10_000)] * 5))


class Auction(World):
    """Everybody who is still in, the leader excepted, bids or withdraws at once; the highest bid leads (ties: by lot).

    An item is sold to the leader in a round without a bid, and at once to whoever alone bids in the first round. Who bids
    less than the least allowed, or more than there is, is told why and asked again, at most `tries` times in a round, and is
    then out for the item. An item that nobody wants is offered again at half its price, up to `cuts` times. What an item
    brings is known to all once it is sold. After Chen et al. (2023), "Put your money where your mouth is" (AucArena),
    section 3.

    Args:
        items: in the order of their sale.
        bidders: how many, or their names.
        budget: of each, or one for each.
        raise_by: the least raise, as a share of the price at which an item is called out.
        overestimate: a bidder's estimate is the value times (1 + this): one number, or one for each.
        noise: standard deviation of an error of each estimate, as a share of the value, drawn anew for each bidder and item.
        cuts: how often a price is cut.
        tries: how often a bidder is asked in a round.

    Rewards are profits: value less price, of who wins an item. The outcome has `profit of NAME`, `items of NAME`, `bids of
    NAME` (legal ones) and `refused of NAME`.

    Raises:
        ConfigError: a number is out of its bounds, or there are not as many as there are bidders.
    """

    metadata = {"name": "auction", "render_modes": []}
    time_unit = "round"
    state_fields = (
        "place", "price", "cut", "round", "highest", "leader", "active", "bids", "asked", "refused",
        "budgets", "estimates", "sales", "won", "counts",
    )  # fmt: skip

    def __init__(
        self,
        items: Sequence[Item | Sequence[Any]] = ITEMS,
        bidders: int | Sequence[str] = 3,
        *,
        budget: int | Sequence[int] = 20_000,
        raise_by: float = 0.1,
        overestimate: float | Sequence[float] = 0.1,
        noise: float = 0.0,
        cuts: int = 3,
        tries: int = 3,
    ) -> None:
        names = [f"bidder {i + 1}" for i in range(bidders)] if isinstance(bidders, int) else list(bidders)
        if len(names) < 2 or len(set(names)) < len(names):
            raise ConfigError(f"Auction: {len(names)} bidders are given; it takes two or more, with different names")
        self.items = [_item(item, len(names)) for item in items]
        if len({item.name for item in self.items}) < len(self.items):
            raise ConfigError("Auction: two items have one name, and nobody could tell them apart in what was sold")
        if max(len(names), len(self.items)) > MANY:
            raise ConfigError(
                f"Auction: {len(names)} bidders and {len(self.items)} items are given; it takes {MANY} at most"
            )
        if not self.items or raise_by <= 0 or noise < 0 or cuts < 0 or tries < 1:
            raise ConfigError(
                f"Auction: it takes at least one item, raise_by={raise_by} above 0, noise={noise} and cuts={cuts} from 0, "
                f"and tries={tries} from 1"
            )
        self.budget = _each(budget, len(names), "budget")
        self.overestimate = _each(overestimate, len(names), "overestimate")
        self.raise_by, self.noise, self.cuts, self.tries = raise_by, noise, cuts, tries
        self.possible_agents, self.agents = names, []
        self._shown: tuple[tuple[Sale, ...], dict[Agent, tuple[Offer, ...]]] | None = None
        self.observation_spaces = {agent: Typed(Lot) for agent in names}
        self.action_spaces = {agent: Verbs(Bid, Withdraw) for agent in names}

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Everybody has the whole budget and estimates all items; the first is called out."""
        super().reset(seed)
        assert self.rng is not None
        self.budgets = dict(zip(self.agents, self.budget, strict=True))
        errors = self.rng.normal(0, 1, (len(self.agents), len(self.items)))
        self.estimates = {
            agent: [
                max(round(_value(item, seat) * (1 + self.overestimate[seat] + self.noise * errors[seat, i])), 0)
                for i, item in enumerate(self.items)
            ]
            for seat, agent in enumerate(self.agents)
        }
        self.sales, self.won = [], {agent: [] for agent in self.agents}
        self.counts = {agent: {"bids": 0, "refused": 0} for agent in self.agents}
        self.place = -1
        self._call_out()
        return self._seen(), {agent: {} for agent in self.agents}

    @property
    def acting(self) -> Sequence[Agent]:
        """Who is still in, but for the leader; in a round whose bids were refused in part, those who are asked again."""
        return self.asked

    @property
    def now(self) -> float:
        """Items sold."""
        return float(max(self.place, 0))

    def idle(self, agent: Agent) -> Withdraw:
        """To bid no more."""
        return Withdraw()

    @property
    def raising(self) -> int:
        """The least raise for the item under the hammer, a share of the price at which it was first called out."""
        return max(round(self.raise_by * self.items[self.place].price), 1)

    @property
    def least(self) -> int:
        """The least that may be bid now."""
        return self.price if self.leader is None else self.highest + self.raising

    def step(self, actions: Mapping[Agent, Bid | Withdraw]) -> Step:
        """Take the bids; when all who were asked have answered, the round is over."""
        alive = list(self.agents)
        rewards = dict.fromkeys(alive, 0.0)
        again = [agent for agent in self.asked if not self._answered(agent, actions[agent])]
        self.asked = again
        if not again:
            rewards |= self._end_round()
        over = self.place == len(self.items)
        if over:
            self.agents = []
        seen = self._seen(alive)
        return seen, rewards, dict.fromkeys(alive, over), dict.fromkeys(alive, False), {agent: {} for agent in alive}

    def outcome(self) -> Mapping[str, float]:
        """Profit, items, legal and refused bids of each bidder."""
        found: dict[str, float] = {}
        for seat, agent in enumerate(self.possible_agents):
            spent = self.budget[seat] - self.budgets[agent]
            found[f"profit of {agent}"] = float(sum(_value(self.items[i], seat) for i in self.won[agent]) - spent)
            found[f"items of {agent}"] = float(len(self.won[agent]))
            found |= {f"{what} of {agent}": float(n) for what, n in self.counts[agent].items()}
        return found

    def _answered(self, agent: Agent, action: Bid | Withdraw) -> bool:
        """Take an answer; False where a bid is refused and the bidder is asked again."""
        self.refused[agent] = ""
        if isinstance(action, Withdraw):
            self.active.remove(agent)
            return True
        reason = ""
        if action.amount > self.budgets[agent]:
            reason = f"You bid {action.amount}, but have {self.budgets[agent]} left."
        elif action.amount < self.least:
            reason = f"You bid {action.amount}, but the least that you may bid is {self.least}."
        if not reason:
            self.bids[agent] = action.amount
            self.counts[agent]["bids"] += 1
            return True
        self.counts[agent]["refused"] += 1
        self.refused[agent] = reason
        self.round["tries"][agent] = self.round["tries"].get(agent, 0) + 1
        if self.round["tries"][agent] < self.tries:
            return False
        self.active.remove(agent)
        return True

    def _end_round(self) -> dict[Agent, float]:
        """The highest bid leads; or the item is sold, cut in price or left, and the next is called out."""
        assert self.rng is not None
        bids, self.bids = self.bids, {}
        first = self.round["number"] == 0
        if bids:
            self.highest = max(bids.values())
            best = [agent for agent in self.possible_agents if bids.get(agent) == self.highest]
            self.leader = best[int(self.rng.integers(len(best)))]
        if self.leader is None:
            self._cut_or_leave()
            return {}
        alone = (first and len(bids) == 1) or self.active == [self.leader]
        if bids and not alone:
            self.round = {"number": self.round["number"] + 1, "tries": {}}
            self.asked = [agent for agent in self.active if agent != self.leader]
            return {}
        return self._sell(self.leader)

    def _sell(self, winner: Agent) -> dict[Agent, float]:
        value = _value(self.items[self.place], self.possible_agents.index(winner))
        self.budgets[winner] -= self.highest
        self.won[winner].append(self.place)
        self.sales.append([self.items[self.place].name, winner, self.highest, value])
        profit = {winner: float(value - self.highest)}
        self._call_out()
        return profit

    def _cut_or_leave(self) -> None:
        """Nobody wants the item at its price."""
        if self.cut < self.cuts and self.price // CUT > 0:
            self.price, self.cut = self.price // CUT, self.cut + 1
            self._open()
            return
        self.sales.append([self.items[self.place].name, None, 0, 0])
        self._call_out()

    def _call_out(self) -> None:
        """The next item comes under the hammer."""
        self._shown = None
        self.place, self.cut = self.place + 1, 0
        self.price = self.items[self.place].price if self.place < len(self.items) else 0
        self._open()

    def _open(self) -> None:
        self.round = {"number": 0, "tries": {}}
        self.highest, self.leader, self.bids = 0, None, {}
        self.active = list(self.possible_agents) if self.place < len(self.items) else []
        self.asked = list(self.active)
        self.refused = dict.fromkeys(self.possible_agents, "")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a state back."""
        super().load_state_dict(state)
        self._shown = None

    def _seen(self, agents: Sequence[Agent] | None = None) -> dict[Agent, Lot]:
        """What each sees; made without the checks of pydantic, which would take most of a step's time."""
        over = self.place >= len(self.items)
        sold, offers = self._known()
        common = {
            "bidders": tuple(self.possible_agents),
            "active": tuple(self.active),
            "highest": self.highest,
            "leader": self.leader,
            "least": 0 if over else self.least,
            "step": 0 if over else self.raising,
            "sold": sold,
        }
        seen = {}
        for agent in self.agents if agents is None else agents:
            now = None if over else offers[agent][0]
            if now is not None and self.cut:
                now = now.model_copy(update={"price": self.price})
            own = {"you": agent, "budget": self.budgets[agent], "refused": self.refused[agent]}
            seen[agent] = Lot.model_construct(item=now, to_come=offers[agent][1:], **own, **common)
        return seen

    def _known(self) -> tuple[tuple[Sale, ...], dict[Agent, tuple[Offer, ...]]]:
        """What was sold, and the items left as each bidder knows them: the same until the hammer falls."""
        if self._shown is None:
            sold = tuple(Sale.model_construct(name=n, winner=w, price=p, value=v) for n, w, p, v in self.sales)
            left = self.items[self.place :]
            offers = {
                agent: tuple(
                    Offer.model_construct(name=item.name, price=item.price, estimate=estimate)
                    for item, estimate in zip(left, estimates[self.place :], strict=True)
                )
                for agent, estimates in self.estimates.items()
            }
            self._shown = sold, offers
        return self._shown


def _item(given: Item | Sequence[Any], bidders: int) -> Item:
    """An item, checked."""
    try:
        name, price, value = given
        values = (value,) * bidders if isinstance(value, int) else tuple(value)
    except (TypeError, ValueError):
        raise ConfigError(f"Auction: {str(given)[:60]} is no item; give (name, price, value or values)") from None
    if len(values) != bidders:
        raise ConfigError(f"Auction: {name!r} has {len(values)} values; give one, or one for each of {bidders} bidders")
    if any(not isinstance(money, int) or money < 0 for money in (price, *values)) or price < 1:
        raise ConfigError(f"Auction: the price of {name!r} must be a whole number from 1, its values whole numbers from 0")
    return Item(str(name), price, value if isinstance(value, int) else values)


def _value(item: Item, seat: int) -> int:
    return item.value if isinstance(item.value, int) else item.value[seat]


def _each(given: Any, bidders: int, what: str) -> list[Any]:
    """One number for each bidder."""
    each = list(given) if isinstance(given, Sequence) else [given] * bidders
    if len(each) != bidders:
        raise ConfigError(f"Auction: {len(each)} numbers are given as {what}; give one, or one for each of {bidders}")
    if what == "budget" and any(not isinstance(money, int) or money < 0 for money in each):
        raise ConfigError("Auction: a budget must be a whole number from 0")
    return each
