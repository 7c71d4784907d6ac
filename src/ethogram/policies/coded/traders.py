"""Traders by stated laws: zero intelligence, fundamentalists, chartists, followers of the board, and how they borrow."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.market import (
    HIGHEST,
    Borrow,
    Buy,
    Call,
    Cancel,
    Floor,
    Forecast,
    Market,
    Pit,
    Post,
    Sell,
    Stock,
    Temperament,
    Wait,
)
from ethogram.policies.coded.scripted import Scripted
from ethogram.seeds import generator
from ethogram.world import Agent

__all__ = [
    "RATE_BLIND",
    "RATE_SENSITIVE",
    "STYLES",
    "Borrowing",
    "Chartist",
    "Follower",
    "Fundamentalist",
    "Haggler",
    "Style",
    "Trader",
    "ZeroIntelligence",
    "moods",
]


class Haggler(Scripted):
    """Calls uniformly random prices in a double auction (Gode & Sunder 1993).

    Args:
        constrained: ZI-C, who never calls a price at which it would lose: a buyer from 1 to its value, a seller from its
            cost to the highest price. Else ZI-U, from 1 to the highest price.
    """

    def __init__(self, constrained: bool = True) -> None:
        super().__init__()
        self.constrained = constrained

    def script(self, observation: Pit, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Call:
        """A price."""
        low, high = 1, observation.highest
        if self.constrained:
            low, high = (low, observation.limit) if observation.side == "buy" else (observation.limit, high)
        return Call(price=int(rng.integers(low, high + 1)))


@dataclass(frozen=True)
class Style:
    """What a temperament does to a trader."""

    stake: float
    """The share of free cash, or of its shares, that it puts into one order."""
    margin: float
    """How far a price must be from what it thinks right before it trades, as a share of it."""
    leverage: float
    """The share of what it may borrow that it takes in one loan."""


STYLES: dict[Temperament, Style] = {
    "conservative": Style(stake=0.05, margin=0.06, leverage=0.05),
    "balanced": Style(stake=0.10, margin=0.04, leverage=0.10),
    "growth": Style(stake=0.15, margin=0.03, leverage=0.20),
    "aggressive": Style(stake=0.30, margin=0.02, leverage=0.30),
}
"""Stated, not fitted to people."""


@dataclass(frozen=True)
class Borrowing:
    """Whether a trader takes a loan on a morning: with log-odds `base` - `slope` (rate - 3 %), the rate in per cent.

    The rate is that of the cheapest loan, which is the one it takes; the amount is its style's share of what it may borrow.
    Luck is drawn by (seed, day, trader), so that two arms of an experiment share it.
    """

    base: float = -2.5
    slope: float = 0.0
    least: int = 100_000
    """No smaller loans, in cents."""

    def chance(self, rate: int) -> float:
        """The probability of a loan on a morning, by the rate in basis points."""
        return 1 / (1 + math.exp(-(self.base - self.slope * (rate / 100 - 3))))


RATE_BLIND = Borrowing()
"""Borrows alike at any rate."""
RATE_SENSITIVE = Borrowing(slope=3.0)
"""A cut by 0.3 points raises the odds of a loan by a factor of e^0.9, about 2.5."""


class Wish(NamedTuple):
    """What a trader would like to do with a stock."""

    stock: Stock
    side: str
    limit: int
    """The price in cents."""
    strength: float
    """Of several wishes it follows the strongest."""


class Trader(Scripted):
    """A trader on a stock market; a subclass says what it `wishes` to trade. It asks for nothing that it cannot pay for.

    In a session it first takes back an order of its own that its wish could meet; else it puts its style's stake into the
    strongest wish that it has means for. In the evening it forecasts its present wishes, and says on the board what it
    thinks of the strongest.

    Args:
        borrowing: how it borrows; None: never.
        activity: the probability that it trades at all in a session.
    """

    def __init__(self, borrowing: Borrowing | None = None, activity: float = 1.0) -> None:
        super().__init__()
        if not 0 <= activity <= 1:
            raise ConfigError(f"a trader's activity is {activity}, and must be from 0 to 1")
        self.borrowing, self.activity = borrowing, activity
        self._places: dict[Agent, int] = {}
        self._day: tuple[int, np.ndarray[Any, Any]] = (0, np.zeros(0))

    @abstractmethod
    def wishes(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> list[Wish]:
        """What it would trade, one wish a stock at most."""

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget the last episode."""
        super().reset(seed, agents)
        self._places = {agent: i for i, agent in enumerate(agents)}
        self._day = (0, np.zeros(0))

    def act(self, observations: Any, spaces: Any) -> dict[Agent, Any]:
        """Borrow in the morning; else follow the script."""
        actions, rest = {}, {}
        for agent, seen in observations.items():
            if seen.market.phase == "morning":
                actions[agent] = self._loan(agent, seen)
            else:
                rest[agent] = seen
        return actions | dict(super().act(rest, spaces))

    def script(self, observation: Floor, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """An order, a forecast or a post."""
        phase, style = observation.market.phase, STYLES[observation.account.temperament]
        if phase == "session":
            return self._order(observation, style, memory, rng)
        wishes = sorted(self.wishes(observation, style, memory, rng), key=lambda wish: -wish.strength)
        if phase == "forecast":
            names = {side: tuple(w.stock.name for w in wishes if w.side == side) for side in ("buy", "sell")}
            likely = observation.account.room > 0 and self._chance(observation) > 0.5
            return Forecast(buy=names["buy"], sell=names["sell"], borrow=likely)
        if not wishes:
            return Wait()
        first = wishes[0]
        return Post(text=f"I would {first.side} {first.stock.name} at {first.limit / 100:.2f}.")

    def _order(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> Any:
        account = seen.account
        if self.activity < 1 and rng.random() >= self.activity:
            return Wait()
        for wish in sorted(self.wishes(seen, style, memory, rng), key=lambda wish: -wish.strength):
            name, price = wish.stock.name, min(max(1, wish.limit), HIGHEST)
            for own in account.orders:
                crosses = price >= own.price if wish.side == "buy" else price <= own.price
                if own.stock == name and own.side != wish.side and crosses:
                    return Cancel(order=own.number)
            most = account.free // price if wish.side == "buy" else account.unbound[name]
            if most > 0:
                amount = min(most, max(1, int(most * style.stake)), HIGHEST)
                return (Buy if wish.side == "buy" else Sell)(stock=name, price=price, amount=amount)
        return Wait()

    def _chance(self, seen: Floor) -> float:
        offers = seen.market.loans
        return self.borrowing.chance(min(o.rate for o in offers)) if self.borrowing and offers else 0.0

    def _loan(self, agent: Agent, seen: Floor) -> Any:
        if self.borrowing is None or not seen.market.loans:
            return Wait()
        day = seen.market.day
        if self._day[0] != day:
            self._day = (day, generator(self._seed, "borrowing", day).random(len(self._places)))
        cheapest = min(seen.market.loans, key=lambda offer: offer.rate)
        amount = int(seen.account.room * STYLES[seen.account.temperament].leverage)
        if self._day[1][self._places[agent]] >= self._chance(seen) or amount < self.borrowing.least:
            return Wait()
        return Borrow(days=cheapest.days, amount=amount)

    def state_dict(self) -> dict[str, Any]:
        """Also for whom it decides."""
        return {**super().state_dict(), "agents": list(self._places)}

    def load_state_dict(self, state: Any) -> None:
        """Put the state back."""
        super().load_state_dict(state)
        self._places = {agent: i for i, agent in enumerate(state["agents"])}
        self._day = (0, np.zeros(0))


class ZeroIntelligence(Trader):
    """Buys or sells a random stock at a random price around the last one, within its means.

    Args:
        spread: the price is the last one times a uniform factor from 1 - `spread` to 1 + `spread`.
        borrowing: how it borrows; None: never.
        activity: the probability that it trades at all in a session.
    """

    def __init__(self, spread: float = 0.05, borrowing: Borrowing | None = None, activity: float = 1.0) -> None:
        super().__init__(borrowing, activity)
        if not 0 < spread < 1:
            raise ConfigError(f"the spread of zero intelligence is {spread}, and must be between 0 and 1")
        self.spread = spread

    def wishes(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> list[Wish]:
        """One, drawn."""
        stocks = seen.market.stocks
        stock, side = stocks[int(rng.integers(len(stocks)))], ("buy", "sell")[int(rng.integers(2))]
        limit = round(stock.price * (1 + self.spread * rng.uniform(-1, 1)))
        return [Wish(stock, side, limit, 1.0)]


class Fundamentalist(Trader):
    """Thinks a share worth a multiple of the reported earnings; buys below it and sells above it.

    Its estimate has an error of its own, drawn with each report: a lognormal factor of standard deviation `doubt`. It offers
    to trade halfway between the last price and its estimate.

    Args:
        multiple: of the earnings in a year.
        doubt: standard deviation of the log of its error.
        borrowing: how it borrows; None: never.
        activity: the probability that it trades at all in a session.
    """

    def __init__(
        self, multiple: float = 20.0, doubt: float = 0.05, borrowing: Borrowing | None = None, activity: float = 1.0
    ) -> None:
        super().__init__(borrowing, activity)
        if multiple <= 0 or doubt < 0:
            raise ConfigError(f"a fundamentalist needs a multiple above 0 and a doubt of 0 or more, not {multiple}, {doubt}")
        self.multiple, self.doubt = multiple, doubt

    def wishes(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> list[Wish]:
        """For each stock whose price is off by more than its margin."""
        reports = {report.stock: report for report in seen.market.reports}
        found = []
        for stock in seen.market.stocks:
            report = reports.get(stock.name)
            if report is None:
                continue
            read, error = memory.get(stock.name, (-1, 0.0))
            if read != report.day:
                error = self.doubt * rng.standard_normal()
                memory[stock.name] = [report.day, error]
            value = self.multiple * report.earnings * math.exp(error)
            gap = value / stock.price - 1
            if abs(gap) > style.margin:
                found.append(Wish(stock, "buy" if gap > 0 else "sell", round((stock.price + value) / 2), abs(gap)))
        return found


class Chartist(Trader):
    """Follows the trend: buys what has risen and sells what has fallen, at a little better than the last price.

    Args:
        window: over so many days, of those that are shown.
        threshold: a change, as a share of the price, that is no trend yet.
        haste: how far from the last price it goes, as a share of it.
        borrowing: how it borrows; None: never.
        activity: the probability that it trades at all in a session.
    """

    def __init__(
        self,
        window: int = 5,
        threshold: float = 0.005,
        haste: float = 0.01,
        borrowing: Borrowing | None = None,
        activity: float = 1.0,
    ) -> None:
        super().__init__(borrowing, activity)
        if window < 1 or threshold < 0 or not 0 <= haste < 1:
            raise ConfigError(
                f"a chartist needs a window of 1 day or more, a threshold of 0 or more and a haste from 0 to 1, "
                f"not {window}, {threshold}, {haste}"
            )
        self.window, self.threshold, self.haste = window, threshold, haste

    def wishes(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> list[Wish]:
        """For each stock with a trend."""
        found = []
        for stock in seen.market.stocks:
            if len(stock.closes) < self.window:
                continue
            change = stock.price / stock.closes[-self.window] - 1
            if abs(change) > self.threshold:
                way = 1 if change > 0 else -1
                limit = round(stock.price * (1 + way * self.haste))
                found.append(Wish(stock, "buy" if way > 0 else "sell", limit, abs(change)))
        return found


def moods(market: Market) -> dict[str, float]:
    """What the board says of each stock, from -1 (all would sell) to 1 (all would buy); 0 where nobody says anything.

    Of the posts that name the stock as a word, those with the word `buy` count 1 and those with `sell` -1; those with both
    or neither count nothing.
    """
    found = {}
    for stock in market.stocks:
        votes = []
        for message in market.board:
            words = set(re.findall(r"\w+", message.text.lower()))
            if stock.name.lower() in words and len(words & {"buy", "sell"}) == 1:
                votes.append(1 if "buy" in words else -1)
        found[stock.name] = sum(votes) / len(votes) if votes else 0.0
    return found


class Follower(Trader):
    """Follows the others: buys what the board of this morning would buy, and sells what it would sell.

    Args:
        threshold: how far from 0 the mood of the board (see `moods`) must be.
        haste: how far from the last price it goes, as a share of it.
        borrowing: how it borrows; None: never.
        activity: the probability that it trades at all in a session.
    """

    def __init__(
        self, threshold: float = 0.2, haste: float = 0.01, borrowing: Borrowing | None = None, activity: float = 1.0
    ) -> None:
        super().__init__(borrowing, activity)
        if not (0 <= threshold < 1 and 0 <= haste < 1):
            raise ConfigError(f"a follower needs a threshold and a haste from 0 to 1, not {threshold}, {haste}")
        self.threshold, self.haste = threshold, haste
        self._mood: tuple[int, dict[str, float]] = (0, {})

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget the last episode."""
        super().reset(seed, agents)
        self._mood = (0, {})

    def act(self, observations: Any, spaces: Any) -> dict[Agent, Any]:
        """Read the board when it is shown, in the first phase of a day; it is the same for all."""
        market = next(iter(observations.values())).market if observations else None
        if market is not None and self._mood[0] != market.day:
            self._mood = (market.day, moods(market))
        return super().act(observations, spaces)

    def wishes(self, seen: Floor, style: Style, memory: dict[str, Any], rng: np.random.Generator) -> list[Wish]:
        """For each stock that the board has an opinion of."""
        found = []
        for stock in seen.market.stocks:
            mood = self._mood[1].get(stock.name, 0.0)
            if abs(mood) > self.threshold:
                way = 1 if mood > 0 else -1
                limit = round(stock.price * (1 + way * self.haste))
                found.append(Wish(stock, "buy" if way > 0 else "sell", limit, abs(mood)))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Also what the board said."""
        return {**super().state_dict(), "mood": [self._mood[0], dict(self._mood[1])]}

    def load_state_dict(self, state: Any) -> None:
        """Put the state back."""
        super().load_state_dict(state)
        self._mood = (state["mood"][0], dict(state["mood"][1]))
