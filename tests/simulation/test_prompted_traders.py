"""Traders played by a language model: the menu by hand, refusals that are told and recorded, and a real server."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError
from ethogram.language import model, scripted
from ethogram.market import Account, Buy, Floor, Market, Message, Open, Sell, Stock
from ethogram.policies.prompted.trader import Deal, PromptedTraders, menu
from ethogram.scene import Scene
from ethogram.simulation import replay, simulate
from ethogram.worlds.coded.stock_market import StockMarket


def floor(cash=100_000, shares=50, asks=(), bids=(), orders=()):
    stock = Stock(name="A", price=3000, asks=asks, bids=bids)
    market = Market(day=2, days=9, phase="session", session=1, stocks=(stock,))
    means = {"free": cash, "shares": {"A": shares}, "unbound": {"A": shares}}
    return Floor(market=market, account=Account(temperament="growth", cash=cash, orders=orders, **means))


def test_the_menu_by_hand():
    buy = Deal("buy A", Buy(stock="A", price=3100, amount=3), Buy(stock="A", price=2970, amount=3))
    sell = Deal("sell A", Sell(stock="A", price=2970, amount=5), Sell(stock="A", price=3030, amount=5))
    assert menu(floor(asks=((3100, 7),))) == [buy, sell]  # 1000.00 buy 32 at 31.00 or 33 at 29.70
    few = [Sell(stock="A", price=price, amount=1) for price in (2970, 3030)]
    assert menu(floor(cash=2000, shares=3)) == [Deal("sell A", *few)]  # no cash for a share
    assert menu(floor(cash=0, shares=0)) == []
    own = Open(number=4, stock="A", side="sell", price=3020, amount=1)
    assert [deal.words for deal in menu(floor(orders=(own,)))] == ["sell A"]  # at 30.30 it could buy from itself


def fickle(request: Any) -> list[float]:
    rng = random.Random(str(request.messages))
    return [rng.gauss(0, 2) for _ in request.options]


def test_orders_from_the_menu_are_never_refused_and_a_run_can_be_replayed():
    def scene() -> Scene:
        talker = scripted(lambda request: 'Buy A! ">', fickle, name="talker")
        return Scene(StockMarket(4, 4, 2), PromptedTraders(talker))

    run = simulate(scene(), seed=3, checkpoint_every=5)
    outcome = run.sql("select data from notes where kind = 'outcome'")["data"]
    assert json.loads(outcome[0])["refused"] == 0 and json.loads(outcome[0])["loans"] > 0
    assert run.sql("select count(*) n from steps where fault is not null")["n"].item() == 0
    done = {json.loads(a)["verb"] for a in run.sql("select action from steps where action is not null")["action"]}
    assert done >= {"buy", "sell", "borrow", "forecast", "post", "wait"}
    shown = [call.messages[-1]["content"] for _, call in run.all_calls()]
    assert any('- trader 1: "Buy A! \'›"' in text for text in shown) and not any('A! ">' in text for text in shown)
    assert replay(run, scene()).exact


def test_the_board_of_the_morning_is_shown_all_day_and_gone_the_next():
    asked = []
    policy = PromptedTraders(
        scripted(rate=lambda r: asked.append(r.messages[-1]["content"]) or [0.0] * len(r.options)), posts=1
    )
    policy.reset(0, ["trader 1"])
    post = Message(author="trader 2", text='So "buy" A.')

    def shown(board=(), day=2) -> bool:
        asked.clear()
        seen = floor()
        seen = seen.model_copy(update={"market": seen.market.model_copy(update={"board": board, "day": day})})
        run_coroutine(policy.act({"trader 1": seen}, {"trader 1": None}))  # type: ignore[arg-type, dict-item]
        counts = {text.count("- trader 2: \"So 'buy' A.\"") for text in asked}
        assert len(counts) == 1 and counts <= {0, 1}
        return counts == {1}

    assert shown((post, post)) and shown()
    state = json.loads(json.dumps(policy.state_dict()))
    policy.reset(0, ["trader 1"])
    policy.load_state_dict(state)
    assert shown() and not shown(day=3)


def test_a_refused_order_is_asked_for_again_with_the_reason_three_times():
    orders = []

    def stubborn(request: Any) -> str:
        text = request.messages[-1]["content"]
        if "session 1" not in text:
            return '{"verb": "wait"}'
        orders.append(text)
        return '{"verb": "buy", "stock": "A", "price": 10000000, "amount": 1000}'

    policy = PromptedTraders(scripted(stubborn, name="stubborn"), mind="structured")
    run = simulate(StockMarket(1, 1, 1, without=("board", "forecasts")), policy, seed=0)
    notes = [json.loads(data) for data in run.sql("select data from notes where kind = 'refused'")["data"]]
    assert len(orders) == len(notes) == 4 and "refused" not in orders[0]
    for text in orders[1:]:
        assert f"it was refused: {notes[0]['reason']}." in text and "'price': 10000000" in text
    assert "would bind 100,000,000.00" in notes[0]["reason"]


def test_a_real_server_plays_through_faults_and_every_refusal_is_recorded(chat_server):
    server = chat_server("--fault-rate", "0.2", "--fault-kinds", "429,500,truncated,breaking", "--seed", "4")
    traders = PromptedTraders(model(server.spec, repairs=3, backoff=0.001), mind="structured")
    world = StockMarket(3, 3, 2, retries=3)
    run = simulate(world, traders, seed=1)
    assert run.manifest.status == "complete" and server.stats()["requests"] > 40
    notes = [json.loads(data) for data in run.sql("select data from notes where kind = 'refused'")["data"]]
    seen = run.sql("select observation from steps where action is not null")["observation"]
    told = [text for text in (json.loads(one)["account"].get("refused") for one in seen) if text]
    assert len(notes) == world.outcome()["refused"] > 5 and all(note["reason"] and note["action"]["verb"] for note in notes)
    assert set(told) <= {note["reason"] for note in notes} and len(told) > 3
    assert {type(a).__name__ for one in run.trajectories() for a in one.actions} >= {"Post", "Forecast"}


def test_an_unknown_mind_is_refused():
    with pytest.raises(ConfigError, match="'choice' or 'structured'"):
        PromptedTraders(scripted(lambda request: ""), mind="deep")  # type: ignore[arg-type]
