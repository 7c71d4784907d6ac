"""StockMarket: days of trade, loans and talk, in whole cents and shares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ethogram.errors import ConfigError
from ethogram.market import TEMPERAMENTS, Account, Borrow, Buy, Cancel, Floor, Forecast, Post, Sell, Wait
from ethogram.session import current
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World, intervention
from ethogram.worlds.coded.stock_market.exchange import Exchange
from ethogram.worlds.coded.stock_market.ledger import Ledger, Refused
from ethogram.worlds.coded.stock_market.order_book import BUY, SELL
from ethogram.worlds.coded.stock_market.setup import CHANNELS, check_options, draw_account, draw_earnings
from ethogram.worlds.coded.stock_market.views import account_view, floor, market_view, results

__all__ = ["CHANNELS", "StockMarket"]

LOANS = {22: 270, 44: 300, 66: 330}
INTEREST_DAYS = 22
EVENTS = {78: (240, 270, 300), 144: (255, 285, 315)}
REPORTS = (12, 78, 144, 210)
VERBS = {
    "morning": (Borrow, Wait),
    "session": (Buy, Sell, Cancel, Wait),
    "forecast": (Forecast, Wait),
    "board": (Post, Wait),
}


class StockMarket(World):
    """A closed market with several stocks, a bank, reports, and a public board (Zhang et al. 2024, "StockAgent").

    A day has a morning (loans), sessions, and an evening (forecasts, then the board). In a session traders come in random
    order; each sees prices, books and its own account, and gives one limit order at most. Orders are matched by price and
    then by time, stay until the evening, and bind the cash or shares that they may need. After a session the price is that
    of the last trade. What is refused (an order beyond one's means, one that would meet one's own, a loan beyond one's
    credit) has no effect; the trader is told why and may try again, `retries` times.

    Before the morning, loans that are due are repaid with interest, and every 22 days a twelfth of the rate is paid on each
    of the others. Who then has less than no cash sells shares to the bank, at the last price and in the order of the
    stocks; who still has is bankrupt: its account is closed, and the bank bears the loss. Debt is at most what a trader had
    at the beginning (cash and shares). A loan keeps the rate at which it was taken. (In the released code rates float with
    the bank's, orders match at equal prices only, and the forced sale makes money out of nothing; here neither.)

    Companies report on stated days; earnings of a share, a twentieth of its price before, walk at random. On the days of
    `events` the bank offers other rates, and the news say so.

    All is noted in the run: `order`, `trade`, `refused`, `loan`, `repaid`, `interest`, `forced sale`, `bankrupt`, `rates`,
    `forecast`, and each evening `close` (price and shares traded by stock, net worth by trader). Reward: the change of net
    worth in a day (cash and shares at the last price less debt), in whole money, with the step that ends it. Outcome: for
    each stock `price of`, `volume of` and `volatility of` (standard deviation of daily log returns); `lent` (money lent),
    `loans`, `refused`, `forced sales`, `bankrupt`, and the mean `worth of` each temperament.

    Args:
        traders: how many (50 in the paper).
        days: of an episode.
        sessions: of a day.
        stocks: opening prices in cents.
        wealth: the least and the most that a trader has at the beginning, in cents.
        loans: what the bank offers: basis points by number of days.
        events: the rates, in the order of `loans`, that the bank offers from a day on.
        reports: days on which companies report.
        surprise: standard deviation of the change of log earnings from report to report.
        without: which of `CHANNELS` to leave out: no reports after what was known before, nobody posts, rates stay, nobody
            borrows or owes anything, nobody is asked for forecasts.
        retries: how often a trader may try again after a refusal.
        levels: how many prices of each side of a book are shown.
        memory: how many past days' prices are shown, at most 64.

    Raises:
        ConfigError: an option is out of range, or a channel is unknown.
    """

    metadata = {"name": "stock_market", "render_modes": []}
    time_unit = "day"
    state_fields = (
        "day",
        "at",
        "pending",
        "tries",
        "prices",
        "rates",
        "news",
        "posts",
        "board",
        "said",
        "temperaments",
        "worths",
        "earnings",
        "published",
        "closes",
        "volumes",
        "lent",
        "counts",
    )

    def __init__(
        self,
        traders: int = 10,
        days: int = 264,
        sessions: int = 3,
        stocks: Mapping[str, int] | None = None,
        wealth: tuple[int, int] = (10_000_000, 500_000_000),
        loans: Mapping[int, int] | None = None,
        events: Mapping[int, Sequence[int]] | None = None,
        reports: Sequence[int] = REPORTS,
        surprise: float = 0.15,
        without: Collection[str] = (),
        retries: int = 3,
        levels: int = 20,
        memory: int = 20,
    ) -> None:
        self.stocks = dict(stocks if stocks is not None else {"A": 3000, "B": 4000})
        self.terms = {int(days): rate for days, rate in (LOANS if loans is None else loans).items()}
        if events is None:
            events = EVENTS if loans is None else {}
        self.events = {int(day): [int(rate) for rate in rates] for day, rates in events.items()}
        self.without = frozenset(without)
        self.days, self.sessions, self.retries, self.levels, self.memory = days, sessions, retries, levels, memory
        self.wealth, self.report_days, self.surprise = (int(wealth[0]), int(wealth[1])), list(reports), surprise
        check_options(self, traders)
        if "loans" in self.without:
            self.terms, self.events = {}, {}
        if "rate events" in self.without:
            self.events = {}
        self.schedule = [
            *(["morning"] if self.terms else []),
            *["session"] * sessions,
            *(["forecast"] if "forecasts" not in self.without else []),
            *(["board"] if "board" not in self.without else []),
        ]
        self.possible_agents = [f"trader {i + 1}" for i in range(traders)]
        self.agents = []
        self.expected_steps = days * (traders * sessions + len(self.schedule) - sessions)
        verbs = Verbs(Borrow, Buy, Sell, Cancel, Forecast, Post, Wait)
        for verb, fields in ((Buy, ("stock",)), (Sell, ("stock",)), (Forecast, ("buy", "sell"))):
            verbs = verbs.where(verb, **dict.fromkeys(fields, tuple(self.stocks)))
        if self.terms:
            verbs = verbs.where(Borrow, days=tuple(self.terms))
        self._open = {phase: verbs.only(*own) for phase, own in VERBS.items()}
        self.action_spaces = dict.fromkeys(self.possible_agents, verbs)
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Floor))
        self._accounts: dict[Agent, Account] = {}  # views that are still true

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Draw accounts, temperaments and what will be reported, and begin the first day."""
        super().reset(seed)
        rng = self.rng
        assert rng is not None
        due = list(range(22, self.days + 22, 22))
        loans = self.terms or LOANS  # drawn in any case, so that a market without loans has the same luck
        accounts = {agent: draw_account(rng, self.stocks, self.wealth, loans, due) for agent in self.agents}
        if not self.terms:
            for account in accounts.values():
                account.debts, account.credit = [], 0
        self.ledger = Ledger(accounts, list(self.stocks))
        self.temperaments = {agent: str(rng.choice(TEMPERAMENTS)) for agent in self.agents}
        self.earnings = draw_earnings(rng, self.stocks, len(self.report_days), self.surprise)
        self.published = {stock: [0, path[0], 0] for stock, path in self.earnings.items()}
        self.exchange = Exchange(self.ledger, list(self.stocks))
        self.prices, self.rates = dict(self.stocks), list(self.terms.values())
        self.worths = {agent: accounts[agent].worth(self.prices) for agent in self.agents}
        self.closes: dict[str, list[int]] = {stock: [] for stock in self.stocks}
        self.volumes: dict[str, list[int]] = {stock: [] for stock in self.stocks}
        self.lent: list[int] = []
        """Cents lent on each day."""
        self.counts = dict.fromkeys(("loans", "refused", "forced sales", "bankrupt"), 0)
        self.posts: list[list[str]] = []
        """(author, text) of what was posted today; `board` has yesterday's."""
        self.said: dict[str, str] = {}
        self.day = 0
        self.tries: dict[str, int] = {}
        self._begin_day()
        self._begin_phase()
        return self.observe(), {agent: {} for agent in self.agents}

    @property
    def phase(self) -> str:
        """The part of the day."""
        return self.schedule[min(self.at, len(self.schedule) - 1)]

    @property
    def session(self) -> int:
        """Sessions of the day that have begun."""
        return self.schedule[: self.at + 1].count("session")

    @property
    def acting(self) -> Sequence[Agent]:
        """The trader whose turn it is in a session; in the other phases all who are not through with it."""
        return self.pending[:1] if self.phase == "session" else self.pending

    @property
    def now(self) -> float:
        """Days, and parts of the day that are over."""
        return self.day - 1 + self.at / len(self.schedule)

    def available(self, agent: Agent) -> Verbs:
        """What can be done in this part of the day."""
        return self._open[self.phase]

    def step(self, actions: Mapping[Agent, BaseModel]) -> Step:
        """Those who were asked act; when all are through, the next part of the day begins."""
        alive = list(self.agents)
        infos: dict[Agent, dict[str, Any]] = {agent: {} for agent in alive}
        for agent in list(self.acting):
            action = actions.get(agent) or Wait()
            self.said[agent] = ""
            self._accounts.pop(agent, None)
            try:
                self._do(agent, action)
            except Refused as why:
                infos[agent]["refused"] = self.said[agent] = str(why)
                self.tries[agent] = self.tries.get(agent, 0) + 1
                self.counts["refused"] += 1
                wanted = {"verb": type(action).__name__, **action.model_dump()}
                self._note(agent, "refused", action=wanted, reason=str(why))
                if self.tries[agent] <= self.retries:
                    continue
            self.pending.remove(agent)
        day = self.day
        self._go_on()
        rewards = dict.fromkeys(alive, 0.0)
        over = self.at == len(self.schedule)
        if over or self.day > day:
            for agent in alive:
                worth = self.ledger[agent].worth(self.prices)
                rewards[agent], self.worths[agent] = (worth - self.worths[agent]) / 100, worth
        gone, late = dict.fromkeys(alive, False), dict.fromkeys(alive, over)
        for agent in set(alive).difference(self.agents):  # bankrupt
            gone[agent], late[agent] = True, False
        seen = self._seen(alive)
        if over:
            self.agents = []
        return seen, rewards, gone, late, infos

    def observe(self) -> dict[Agent, Floor]:
        """What traders see now."""
        self._accounts = {}
        return self._seen(self.agents)

    def outcome(self) -> Mapping[str, float]:
        """Prices, volumes, loans, refusals and wealth: see the class."""
        return results(self)

    # --- what can be done to it ---

    @intervention
    def set_rates(self, rates: list[int]) -> None:
        """Let the bank offer loans at other rates from now on: basis points, in the order of the terms; the news say so."""
        if len(rates) != len(self.terms) or not all(isinstance(rate, int) and 0 <= rate <= 10_000 for rate in rates):
            raise ConfigError(
                f"set_rates needs {len(self.terms)} whole numbers of basis points from 0 to 10000, not {rates}"
            )
        way = "lower" if sum(rates) < sum(self.rates) else "higher"
        self.rates = list(rates)
        self.announce(f"The bank now lends at {way} rates.")
        self._note("", "rates", rates={str(days): rate for days, rate in zip(self.terms, rates, strict=True)})

    @intervention
    def announce(self, text: str) -> None:
        """Put a sentence into today's news."""
        self.news = [*self.news, text[:500]][-100:]

    # --- acts ---

    def _do(self, agent: Agent, action: BaseModel) -> None:
        """Carry out an action; Refused where it cannot be done."""
        if not isinstance(action, VERBS[self.phase]):
            raise Refused(f"{type(action).__name__} cannot be done in this part of the day, the {self.phase}")
        if isinstance(action, Buy | Sell):
            side = BUY if isinstance(action, Buy) else SELL
            trades = self.exchange.order(agent, side, action.stock, action.price, action.amount)
            self._note(agent, "order", side=side, **action.model_dump())
            for trade in trades:
                self._accounts.pop(trade.buyer, None)
                self._accounts.pop(trade.seller, None)
                self.volumes[action.stock][-1] += trade.amount
                self._note(trade.buyer, "trade", stock=action.stock, **trade._asdict())
        elif isinstance(action, Cancel):
            self.exchange.cancel(agent, action.order)
        elif isinstance(action, Borrow):
            self._borrow(agent, action)
        elif isinstance(action, Post):
            self.posts.append([agent, action.text])
        elif isinstance(action, Forecast):
            self._note(agent, "forecast", buy=list(action.buy), sell=list(action.sell), borrow=action.borrow)

    def _borrow(self, agent: Agent, loan: Borrow) -> None:
        if loan.days not in self.terms:
            raise Refused(f"there are no loans of {loan.days} days")
        rate, due = self.rates[list(self.terms).index(loan.days)], self.day + loan.days
        self.ledger.lend(agent, loan.amount, rate, due)
        self.lent[-1] += loan.amount
        self.counts["loans"] += 1
        self._note(agent, "loan", amount=loan.amount, rate=rate, due=due)

    # --- time ---

    def _go_on(self) -> None:
        """Go to the next part of the day, and the next day, until somebody is asked or all is over."""
        while not self.pending and self.agents:
            if self.phase == "session":
                self.prices = {stock: book.last or self.prices[stock] for stock, book in self.exchange.books.items()}
            self.at += 1
            if self.at == len(self.schedule):
                self._end_day()
                if self.day == self.days:
                    return
                self._begin_day()
            self._begin_phase()

    def _begin_phase(self) -> None:
        """Ask everybody; in a session in random order."""
        assert self.rng is not None
        self.tries, self.pending = {}, list(self.agents)
        if self.phase == "session":
            self.pending = [self.agents[i] for i in self.rng.permutation(len(self.agents)).tolist()]

    def _end_day(self) -> None:
        self._accounts = {}
        self.exchange.clear()
        for stock, price in self.prices.items():
            self.closes[stock].append(price)
        volumes = {stock: traded[-1] for stock, traded in self.volumes.items()}
        worths = {agent: self.ledger[agent].worth(self.prices) for agent in self.agents}
        self._note("", "close", day=self.day, prices=dict(self.prices), volumes=volumes, worths=worths)

    def _begin_day(self) -> None:
        """Settle what is due; then come reports, other rates, and yesterday's posts."""
        self.day, self.at = self.day + 1, 0
        self._accounts = {}
        self.news: list[str] = []
        self.board, self.posts = self.posts, []
        self.lent.append(0)
        for traded in self.volumes.values():
            traded.append(0)
        self._settle()
        if self.day in self.report_days and "reports" not in self.without:
            for stock, path in self.earnings.items():
                report = self.report_days.index(self.day) + 1
                before, now = path[report - 1], path[report]
                self.published[stock] = [self.day, now, round(10_000 * (now - before) / before)]
        if self.day in self.events:
            self.set_rates(self.events[self.day])

    def _settle(self) -> None:
        """Repay loans that are due, pay interest on the others; who has no cash for it sells shares, or is bankrupt."""
        for agent in list(self.agents):
            account = self.ledger[agent]
            if account.debts:
                if paid := self.ledger.repay(agent, self.day):
                    self._note(agent, "repaid", paid=paid)
                if self.day % INTEREST_DAYS == 0 and (paid := self.ledger.interest(agent)):
                    self._note(agent, "interest", paid=paid)
            if account.cash < 0 and (sold := self.ledger.cover(agent, self.prices)):
                self.counts["forced sales"] += 1
                self._note(agent, "forced sale", sold=sold, prices=dict(self.prices))
            if account.cash < 0:
                self.counts["bankrupt"] += 1
                self._note(agent, "bankrupt", lost=self.ledger.close(agent))
                self.agents.remove(agent)

    # --- views and state ---

    def _seen(self, agents: Sequence[Agent]) -> dict[Agent, Floor]:
        market, accounts = market_view(self), self._accounts
        for agent in agents:
            if agent not in accounts:
                accounts[agent] = account_view(self, agent)
        return {agent: floor(market, accounts[agent]) for agent in agents}

    def _note(self, agent: Agent, kind: str, **data: Any) -> None:
        if (run := current()) is not None:
            run.note(agent, kind, data)

    def state_dict(self) -> dict[str, Any]:
        """Also accounts and books."""
        return {**super().state_dict(), "ledger": self.ledger.state_dict(), "books": self.exchange.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        super().load_state_dict(state)
        self._accounts = {}
        self.ledger = Ledger.from_state(state["ledger"])
        self.exchange = Exchange.from_state(state["books"], self.ledger)
