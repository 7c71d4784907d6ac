"""Traders on a stock market played by a language model (StockAgent, Zhang et al. 2024)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gymnasium import Space
from pydantic import BaseModel

from ethogram.errors import CallFailed, ConfigError
from ethogram.market import HIGHEST, TEXT, Account, Borrow, Buy, Floor, Forecast, Market, Message, Post, Sell, Stock, Wait
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import clean
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["QUESTIONS", "Deal", "PromptedTraders", "loan_options", "menu"]

STAKE = 10
"""An order, or a loan, from a menu is one part in so many of what the trader could spend, sell or borrow."""
AWAY = 0.01
"""How far from the last price an order from a menu is, where it is no price of the book: a share of the price."""
STYLES = {
    "conservative": "you keep what you have safe and take small risks.",
    "aggressive": "you take large risks for large gains.",
    "balanced": "you weigh risk against gain.",
    "growth": "you look for what will grow in the long run.",
}
QUESTIONS = {
    "morning": "Do you take a loan from the bank?",
    "session": "Which order do you give now?",
    "forecast": "What do you expect to do tomorrow?",
    "board": "Write on the public board, in one short sentence, what you think of the stocks.",
}
YES = ("yes", "no")
NOTHING = "do nothing"


class Deal(NamedTuple):
    """A line of the menu of orders: a stock and a side, at either of two prices."""

    words: str
    """As in `buy A`."""
    now: Buy | Sell
    """At the best price of the other side of the book; where there is none, a little worse than the last price."""
    later: Buy | Sell
    """At a little better than the last price: it waits in the book for a partner."""


def menu(seen: Floor) -> list[Deal]:
    """The orders among which a model that is not asked for JSON chooses: to buy and to sell each stock, as far as means go.

    An order is for a tenth of what could be bought at its price with free cash, or of the shares that are not bound (at
    least one share). It is left out where it would be refused: without means, or where it could meet an order of one's own.
    """
    found = []
    for stock in seen.market.stocks:
        for verb, other, step in ((Buy, stock.asks, AWAY), (Sell, stock.bids, -AWAY)):
            prices = (other[0][0] if other else round(stock.price * (1 + step)), round(stock.price * (1 - step)))
            now, later = (_order(seen.account, verb, stock.name, min(max(1, price), HIGHEST)) for price in prices)
            if now is not None and later is not None:
                found.append(Deal(f"{verb.__name__.lower()} {stock.name}", now, later))
    return found


def _order(account: Account, verb: type[Buy] | type[Sell], stock: str, price: int) -> Buy | Sell | None:
    """An order for a part of the trader's means; None where it would be refused."""
    buys = verb is Buy
    for own in account.orders:
        if own.stock == stock and (own.side == "buy") != buys and (price >= own.price if buys else price <= own.price):
            return None
    most = account.free // price if buys else account.unbound[stock]
    return verb(stock=stock, price=price, amount=min(max(1, most // STAKE), HIGHEST)) if most > 0 else None


class PromptedTraders(Policy):
    """The model borrows in the morning, gives one order a session, forecasts tomorrow, and writes on the board.

    With `mind="structured"` each of these is one constrained JSON answer out of the verbs that the market allows then, as in
    the paper. What the bank or the exchange refuses is asked for again with the reason, as often as the market lets it
    (three times by default), and is in the run's record with its reason; an answer that is no such verb is asked for again
    by the language layer, and if it never comes is a Fault: no action.

    With `mind="choice"`, for models too weak to write JSON that means anything, it is drawn from the likelihoods of options,
    averaged over their orders and letters: in the morning no loan or one of the bank's terms, for a tenth of what may be
    borrowed; in a session a line of the `menu` or nothing, and then one of its two prices; the forecast is a yes or no for
    each stock and side, and for a loan. Such orders are within the trader's means. The board is free text with both minds.

    Args:
        model: the language model.
        mind: how it is asked.
        levels: prices of each side of a book that it is shown.
        posts: of the morning's board that it is shown, all day.
        sentence: tokens of a post, at most.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        mind: Literal["choice", "structured"] = "choice",
        levels: int = 3,
        posts: int = 3,
        sentence: int = 32,
    ) -> None:
        if mind not in ("choice", "structured"):
            raise ConfigError(f"the mind of traders is 'choice' or 'structured', not {mind!r}")
        self.model, self.mind, self.levels, self.posts, self.sentence = model, mind, levels, posts, sentence
        self.calls_per_step = 1.0 if mind == "structured" else 7.0
        self._seed = 0
        self._board: tuple[int, tuple[Message, ...]] = (0, ())
        self._asked: dict[Agent, str] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode."""
        self._seed, self._board, self._asked = seed, (0, ()), {}

    async def act(self, observations: Mapping[Agent, Floor], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What each does; the calls of all are in flight at once."""
        for seen in observations.values():
            self.listen(seen)
        done = await asyncio.gather(*(self._act(agent, seen, spaces[agent]) for agent, seen in observations.items()))
        return dict(zip(observations, done, strict=True))

    def listen(self, seen: Floor) -> None:
        """Read the board, which is shown in the first phase of a day and is the same for all."""
        if self._board[0] != seen.market.day:
            self._board = (seen.market.day, seen.market.board[: self.posts])

    async def _act(self, agent: Agent, seen: Floor, space: Any) -> Any:
        try:
            if seen.market.phase == "board":
                action = await self._write(agent, seen)
            elif self.mind == "structured":
                action = await self._answer(agent, seen, space)
            else:
                action = await self._pick(agent, seen)
        except CallFailed as error:
            return Fault(str(error))
        self._asked[agent] = _words(action)
        return action

    async def _answer(self, agent: Agent, seen: Floor, space: Any) -> BaseModel:
        phase = seen.market.phase
        messages = self.messages(agent, seen, QUESTIONS[phase], forms=Trusted(space.describe()))
        reply = await self.model.generate(messages, space=space, max_tokens=200, agent=agent, purpose=phase)
        return reply.value

    async def _write(self, agent: Agent, seen: Floor) -> Post | Wait:
        messages = self.messages(agent, seen, QUESTIONS["board"])
        reply = await self.model.generate(messages, max_tokens=self.sentence, stop="\n", agent=agent, purpose="board")
        text = clean(reply.text, TEXT)
        return Post(text=text) if text else Wait()

    async def _pick(self, agent: Agent, seen: Floor) -> BaseModel:
        if seen.market.phase == "morning":
            return await self._loan(agent, seen)
        if seen.market.phase == "forecast":
            return await self._foresee(agent, seen)
        deals = menu(seen)
        place = await self._choose(agent, seen, "order", QUESTIONS["session"], [*(deal.words for deal in deals), NOTHING])
        if place == len(deals):
            return Wait()
        deal = deals[place]
        prices = [f"at once, at {_price(deal.now.price)}", f"patiently, at {_price(deal.later.price)}"]
        patient = await self._choose(agent, seen, "price", f"You {deal.words}. At which price?", prices)
        return deal.later if patient else deal.now

    async def _loan(self, agent: Agent, seen: Floor) -> BaseModel:
        offers, amount = seen.market.loans, seen.account.room // STAKE
        if not offers or amount < 1:
            return Wait()
        place = await self._choose(agent, seen, "loan", QUESTIONS["morning"], loan_options(seen.market))
        return Borrow(days=offers[place - 1].days, amount=amount) if place else Wait()

    async def _foresee(self, agent: Agent, seen: Floor) -> Forecast:
        said: dict[str, list[str]] = {"buy": [], "sell": []}
        for stock in seen.market.stocks:
            for side, names in said.items():
                question = f"Do you expect to {side} {stock.name} tomorrow?"
                if await self._choose(agent, seen, f"{side} {stock.name}", question, YES) == 0:
                    names.append(stock.name)
        loan = bool(seen.market.loans)
        borrow = loan and await self._choose(agent, seen, "borrow", "Do you expect to borrow tomorrow?", YES) == 0
        return Forecast(buy=tuple(said["buy"]), sell=tuple(said["sell"]), borrow=borrow)

    async def _choose(self, agent: Agent, seen: Floor, what: str, question: str, options: Sequence[str]) -> int:
        rng = generator(self._seed, what, agent, seen.market.day, seen.market.session)
        messages = self.messages(agent, seen, question)
        return (await self.model.choose(messages, list(options), rng=rng, agent=agent, purpose=what)).index

    def messages(self, agent: Agent, seen: Floor, question: str, forms: str = "") -> list[dict[str, str]]:
        """What the model is shown when a trader is asked something."""
        market, account = seen.market, seen.account
        part = f"session {market.session}" if market.phase == "session" else market.phase
        debts = ", ".join(f"{_price(loan.amount)} on day {loan.due}" for loan in account.loans[:5])
        orders = [f"number {o.number}: {o.side} {o.amount} {o.stock} at {_price(o.price)}" for o in account.orders[:5]]
        user = render(
            "trader",
            day=market.day,
            days=market.days,
            part=part,
            news=market.news[-3:],
            stocks=[self._stock(market, stock) for stock in market.stocks],
            loans=", ".join(f"{terms.days} days at {terms.rate / 100:.2f} %" for terms in market.loans),
            board=self._board[1] if self._board[0] == market.day else (),
            cash=_price(account.cash),
            free=_price(account.free),
            shares=", ".join(f"{account.unbound[name]} free shares of {name}" for name in account.shares),
            debts=f"You owe {debts}. You may borrow {_price(account.room)}."
            if debts or account.room
            else "You owe nothing.",
            orders="; ".join(orders),
            refused=account.refused,
            asked=self._asked.get(agent, "something"),
            question=question,
            forms=forms,
        )
        system = render("trader_system", name=agent, temperament=account.temperament, style=STYLES[account.temperament])
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def _stock(self, market: Market, stock: Stock) -> dict[str, str]:
        """A stock in words."""
        report = next((one for one in market.reports if one.stock == stock.name), None)
        told = f"Report of day {report.day}: it earns {_price(report.earnings)} a share" if report else ""
        if report and report.day:
            told += f", {report.growth / 100:+.1f} % since the report before"
        return {
            "name": stock.name,
            "price": _price(stock.price),
            "closes": ", ".join(_price(close) for close in stock.closes[-5:]),
            "bids": ", ".join(f"{amount} at {_price(price)}" for price, amount in stock.bids[: self.levels]),
            "asks": ", ".join(f"{amount} at {_price(price)}" for price, amount in stock.asks[: self.levels]),
            "report": f"{told}." if told else "",
        }

    def state_dict(self) -> dict[str, Any]:
        """The seed, the morning's board, and what each asked for last."""
        board = [self._board[0], [message.model_dump() for message in self._board[1]]]
        return {"seed": self._seed, "board": board, "asked": dict(self._asked)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._asked = state["seed"], dict(state["asked"])
        self._board = (state["board"][0], tuple(Message(**message) for message in state["board"][1]))


def loan_options(market: Market) -> list[str]:
    """The loans of the bank in words, after taking none."""
    return ["no loan", *(f"a loan for {terms.days} days at {terms.rate / 100:.2f} %" for terms in market.loans)]


def _price(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _words(action: BaseModel) -> str:
    return json.dumps({"verb": type(action).__name__.lower(), **action.model_dump()})
