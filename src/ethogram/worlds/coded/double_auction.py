"""A continuous double auction of units that are worth something else to each trader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ethogram.errors import ConfigError
from ethogram.market import HIGHEST, Call, Pit, Wait
from ethogram.session import current
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL, OrderBook, Side

__all__ = ["DoubleAuction", "surplus"]

VALUES = tuple((190 - 10 * i, 130 - 10 * i, 70 - 10 * i) for i in range(6))
COSTS = tuple((10 + 10 * i, 70 + 10 * i, 130 + 10 * i) for i in range(6))


def surplus(values: Sequence[Sequence[int]], costs: Sequence[Sequence[int]]) -> int:
    """The most that all traders together can gain: the highest values are matched with the lowest costs."""
    wanted = sorted((v for own in values for v in own), reverse=True)
    offered = sorted(c for own in costs for c in own)
    return sum(max(0, value - cost) for value, cost in zip(wanted, offered, strict=False))


class DoubleAuction(World):
    """Buyers and sellers call out prices for one unit at a time (Gode & Sunder 1993, "Allocative efficiency of markets with
    zero-intelligence traders").

    In each step a random trader that has units left may call a price, in place of what it called before. A call that meets
    the best one of the other side is a trade at the price of the one that was there first; after a trade all other calls
    are void. A buyer gains value less price, a seller price less cost, of its units in the order given. Rewards are the
    gains; nothing keeps a trader from a loss but itself. Outcome: `efficiency`, all gains as a share of the most there could
    be; `trades`; `price`, the mean (0 without a trade).

    Args:
        values: what each buyer's units are worth to it, in order.
        costs: what each seller's units cost it, in order.
        highest: the highest price that may be called.
        calls: how many calls are asked for.

    Raises:
        ConfigError: an option is out of range, or nothing can be gained.
    """

    metadata = {"name": "double_auction", "render_modes": []}
    time_unit = "call"
    state_fields = ("called", "turn", "traded", "gained", "paid")

    def __init__(
        self,
        values: Sequence[Sequence[int]] = VALUES,
        costs: Sequence[Sequence[int]] = COSTS,
        highest: int = 200,
        calls: int = 1000,
    ) -> None:
        units = [list(own) for own in (*values, *costs)]
        if not values or not costs or not all(own and all(0 < unit <= highest for unit in own) for own in units):
            raise ConfigError(f"DoubleAuction: every buyer and seller needs units worth 1 to highest={highest}")
        if not 1 <= highest <= HIGHEST or calls < 1 or surplus(values, costs) == 0:
            raise ConfigError(
                f"DoubleAuction needs highest={highest} of 1 to {HIGHEST}, calls={calls} of at least 1, and one value above "
                "one cost"
            )
        self.values, self.costs, self.highest, self.calls = values, costs, highest, calls
        self.most = surplus(values, costs)
        self.possible_agents = [f"buyer {i + 1}" for i in range(len(values))] + [
            f"seller {i + 1}" for i in range(len(costs))
        ]
        self.agents = []
        self.expected_steps = calls
        self._units = dict(zip(self.possible_agents, units, strict=True))
        verbs = Verbs(Call, Wait)
        self.action_spaces = dict.fromkeys(self.possible_agents, verbs)
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Pit))

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin with an empty book."""
        super().reset(seed)
        self.book = OrderBook()
        self.called, self.gained, self.paid = 0, 0, 0
        self.traded = dict.fromkeys(self.agents, 0)
        self._draw()
        return self._seen(), {agent: {} for agent in self.agents}

    @property
    def acting(self) -> Sequence[Agent]:
        """The one who may call."""
        return [self.turn] if self.agents else []

    @property
    def now(self) -> float:
        """Calls asked for."""
        return float(self.called)

    def step(self, actions: Mapping[Agent, BaseModel]) -> Step:
        """The trader whose turn it is calls; a call above the highest price is refused, noted, and has no effect."""
        alive, agent = list(self.agents), self.turn
        infos: dict[Agent, dict[str, Any]] = {name: {} for name in alive}
        rewards = dict.fromkeys(alive, 0.0)
        action = actions.get(agent)
        self.called += 1
        if isinstance(action, Call) and action.price <= self.highest:
            for order in self.book.orders(owner=agent):
                self.book.cancel(order.number)
            _, trades = self.book.submit(agent, self._side(agent), 1, action.price)
            for trade in trades:
                value, cost = (self._units[name][self.traded[name]] for name in (trade.buyer, trade.seller))
                rewards[trade.buyer], rewards[trade.seller] = float(value - trade.price), float(trade.price - cost)
                self.gained, self.paid = self.gained + value - cost, self.paid + trade.price
                self.traded[trade.buyer] += 1
                self.traded[trade.seller] += 1
                self.book.clear()
        elif isinstance(action, Call):
            infos[agent]["refused"] = reason = f"no price above {self.highest} may be called, and this is {action.price}"
            if (run := current()) is not None:
                run.note(agent, "refused", {"action": action.model_dump(), "reason": reason})
        over = self.called == self.calls or not self._draw()
        seen = self._seen()
        if over:
            self.agents = []
        return seen, rewards, dict.fromkeys(alive, over), dict.fromkeys(alive, False), infos

    def outcome(self) -> Mapping[str, float]:
        """How much of what could be gained was gained."""
        trades = sum(self.traded.values()) // 2
        return {
            "efficiency": self.gained / self.most,
            "trades": float(trades),
            "price": self.paid / trades if trades else 0.0,
        }

    def state_dict(self) -> dict[str, Any]:
        """Also the book."""
        return {**super().state_dict(), "book": self.book.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        super().load_state_dict(state)
        self.book = OrderBook.from_state(state["book"])

    def _side(self, agent: Agent) -> Side:
        return BUY if agent.startswith("buyer") else SELL

    def _left(self, agent: Agent) -> int:
        return len(self._units[agent]) - self.traded[agent]

    def _draw(self) -> bool:
        """Draw who may call; False where one side has no units left."""
        assert self.rng is not None
        able = [agent for agent in self.agents if self._left(agent)]
        if len({self._side(agent) for agent in able}) < 2:
            return False
        self.turn = able[int(self.rng.integers(len(able)))]
        return True

    def _seen(self) -> dict[Agent, Pit]:
        bid, ask, last = self.book.best(BUY), self.book.best(SELL), self.book.last
        return {
            agent: Pit.model_construct(
                side=self._side(agent),
                limit=self._units[agent][min(self.traded[agent], len(self._units[agent]) - 1)],
                left=self._left(agent),
                highest=self.highest,
                bid=bid,
                ask=ask,
                last=last,
            )
            for agent in self.agents
        }
