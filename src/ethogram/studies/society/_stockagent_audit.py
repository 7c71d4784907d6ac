"""Audits of the market: nothing is made or lost, what is refused is what ought to be, and all of it is told and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel

from ethogram.market import Borrow, Buy, Cancel, Floor, Forecast, Post, Sell, Wait
from ethogram.policy import Coded
from ethogram.simulation import simulate
from ethogram.spaces import Verbs
from ethogram.studies import Lab
from ethogram.world import Agent, Step
from ethogram.worlds.coded.stock_market import StockMarket

__all__ = ["audited", "balances", "notes_of", "ought_to_be_refused", "reckless"]


def reckless(seen: Floor, space: Verbs, rng: np.random.Generator) -> BaseModel:
    """Anything that can be asked for in this part of the day, about as often beyond one's means as within."""
    account = seen.account
    stock = seen.market.stocks[int(rng.integers(len(seen.market.stocks)))]
    verb = space.verbs[int(rng.integers(len(space.verbs)))]
    if verb in (Buy, Sell):
        price = max(1, round(stock.price * rng.uniform(0.97, 1.03)))
        most = account.free // price if verb is Buy else account.unbound[stock.name]
        return verb(stock=stock.name, price=price, amount=max(1, int(most * rng.uniform(0, 2))))
    if verb is Borrow:
        days = seen.market.loans[int(rng.integers(len(seen.market.loans)))].days
        return Borrow(days=days, amount=max(1, int(account.room * rng.uniform(0, 1.5))))
    if verb is Cancel:
        return Cancel(order=account.orders[0].number if account.orders and rng.random() < 0.7 else 10**6)
    return {Forecast: Forecast(buy=(stock.name,)), Post: Post(text=f"Buy {stock.name}.")}.get(verb, Wait())


def ought_to_be_refused(account: Any, action: BaseModel) -> bool:
    """The rules of bank and exchange written once more, from what the trader itself was shown."""
    if isinstance(action, Borrow):
        return action.amount > account.room
    if isinstance(action, Cancel):
        return action.order not in [own.number for own in account.orders]
    if isinstance(action, Buy | Sell):
        buys = isinstance(action, Buy)
        opposite = [
            own.price for own in account.orders if own.stock == action.stock and own.side == ("sell", "buy")[not buys]
        ]
        if any(action.price >= price if buys else action.price <= price for price in opposite):
            return True
        return action.price * action.amount > account.free if buys else action.amount > account.unbound[action.stock]
    return False


class Audited(StockMarket):
    """The market with an auditor who looks at all accounts after every step."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.found = dict.fromkeys(("steps", "refused", "wrong", "cash off", "shares off", "below zero"), 0)
        self.opening: dict[str, Any] = {}

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin, and note what everybody has."""
        seen, infos = super().reset(seed, options)
        self.opening, self._totals = self.ledger.state_dict(), self.ledger.totals()
        self._shown = seen
        return seen, infos

    def step(self, actions: Mapping[Agent, BaseModel]) -> Step:
        """Step, and look."""
        asked = {agent: actions[agent] for agent in self.acting if agent in actions}
        expected = {agent: ought_to_be_refused(self._shown[agent].account, action) for agent, action in asked.items()}
        came = super().step(actions)
        self._shown, found = came[0], self.found
        refused = {agent: "refused" in came[4][agent] for agent in asked}
        cash, shares = self.ledger.totals()
        found["steps"] += 1
        found["refused"] += sum(refused.values())
        found["wrong"] += sum(refused[agent] != expected[agent] for agent in asked)
        found["cash off"] = max(found["cash off"], abs(cash - self._totals[0]))
        found["shares off"] = max(found["shares off"], *(abs(n - self._totals[1][stock]) for stock, n in shares.items()))
        accounts = self.ledger.accounts.values()
        found["below zero"] += sum(account.cash < 0 or min(account.shares.values()) < 0 for account in accounts)
        return came


def notes_of(run: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """(agent, kind, data) of all notes of a run, in order."""
    rows = run.notes.select("agent", "kind", "data").collect().rows()
    return [(agent, kind, json.loads(data)) for agent, kind, data in rows]


def balances(opening: Mapping[str, Any], notes: Iterable[tuple[str, str, Mapping[str, Any]]]) -> dict[str, dict[str, int]]:
    """Cash (under the empty name) and shares of everybody and of the bank (the empty name) from the record alone.

    Args:
        opening: accounts before the first day, as `Ledger.state_dict` gives them.
        notes: of the run, in order.
    """
    has = {name: {"": account["cash"], **account["shares"]} for name, account in opening.items()}

    def move(giver: str, taker: str, what: str, amount: int) -> None:
        has[giver][what] -= amount
        has[taker][what] += amount

    for agent, kind, note in notes:
        if kind == "trade":
            move(note["seller"], note["buyer"], note["stock"], note["amount"])
            move(note["buyer"], note["seller"], "", note["amount"] * note["price"])
        elif kind == "loan":
            move("", agent, "", note["amount"])
        elif kind in ("repaid", "interest"):
            move(agent, "", "", note["paid"])
        elif kind == "forced sale":
            for stock, amount in note["sold"].items():
                move(agent, "", stock, amount)
                move("", agent, "", amount * note["prices"][stock])
        elif kind == "bankrupt":
            for what, amount in list(has[agent].items()):
                move(agent, "", what, amount)
    return has


def audited(item: dict[str, Any], lab: Lab) -> dict[str, int]:
    """A market of reckless traders, or of the coded ones, audited after every step and once more from the record."""
    from ethogram.studies.society._stockagent_scene import market

    arguments = {key: item[key] for key in ("traders", "days", "sessions")}
    world = Audited(*arguments.values(), levels=5, retries=3)
    policies = Coded(reckless) if item["reckless"] else market(**arguments).policies
    run = simulate(world, policies, seed=item["seed"], record="none", progress=False)
    notes = notes_of(run)
    refused = [note for _, kind, note in notes if kind == "refused"]
    closing = {name: {"": one["cash"], **one["shares"]} for name, one in world.ledger.state_dict().items()}
    booked = balances(world.opening, notes)
    return {
        **world.found,
        "days": world.day,
        "with reason": sum(bool(note["reason"] and note["action"]["verb"]) for note in refused),
        "bankrupt": int(world.outcome()["bankrupt"]),
        "forced sales": int(world.outcome()["forced sales"]),
        "trades": sum(kind == "trade" for _, kind, _ in notes),
        "accounts off": sum(booked[name] != closing[name] for name in closing),
    }
