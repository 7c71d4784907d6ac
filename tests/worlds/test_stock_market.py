"""The stock market: conservation, loans, forced sale and bankruptcy by hand, refusals, channels."""

import json
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test

from ethogram import coded, simulate
from ethogram.errors import ConfigError
from ethogram.market import Borrow, Buy, Cancel, Forecast, Post, Sell, Wait
from ethogram.policies.coded.traders import RATE_SENSITIVE, ZeroIntelligence
from ethogram.policies.human import Human
from ethogram.scene import Scene
from ethogram.simulation import replay
from ethogram.worlds.coded.stock_market import StockMarket
from ethogram.worlds.coded.stock_market.ledger import Account, charge, money
from ethogram.worlds.testing import Act, check_world

ANA, BEN = "trader 1", "trader 2"
EVENING = ("board", "forecasts")


def market(ana, ben=None, **options):
    """Two traders with accounts by hand; no evening, one session, no events."""
    world = StockMarket(2, **{"sessions": 1, "events": {}, "reports": (), "without": EVENING, **options})
    world.reset(seed=0)
    for name, account in ((ANA, ana), (BEN, ben or Account(0, dict.fromkeys(world.stocks, 0), 0))):
        world.ledger.accounts[name] = account
        world.worths[name] = account.worth(world.prices)
    world.observe()
    return world


def do(world, **actions):
    """The named traders act when it is their turn, everybody else waits; until their actions are through."""
    left = {{"ana": ANA, "ben": BEN}[name]: action for name, action in actions.items()}
    while left:
        asked = {agent: left.pop(agent, Wait()) for agent in list(world.acting)}
        came = world.step(asked)
    return came


def skip(world, day):
    """Everybody waits until the morning of a day."""
    while world.agents and world.day < day:
        came = world.step({agent: Wait() for agent in world.acting})
    return came


def test_is_a_world():
    check_world(
        partial(StockMarket, 4, 3, 2), fresh_process=False, interventions=[Act(2, "set_rates", {"rates": [1, 2, 3]})]
    )
    check_world(partial(StockMarket, 3, 3, 1, without=("loans", "forecasts", "reports")), fresh_process=False)
    parallel_api_test(StockMarket(5, 3), num_cycles=60)


# --- conservation ---


def anything(world, rng):
    """An action out of a part of the day, about as often beyond a trader's means as within."""
    seen = world.observe()
    actions = {}
    for agent in world.acting:
        account, stock = seen[agent].account, str(rng.choice(list(world.stocks)))
        price = max(1, round(world.prices[stock] * rng.uniform(0.9, 1.1)))
        most = {
            Buy: int(account.free * rng.uniform(0, 2)) // price,
            Sell: int(account.unbound[stock] * rng.uniform(0, 2)),
            Borrow: int(account.room * rng.uniform(0, 1.5)),
        }
        verb = world.available(agent).verbs[int(rng.integers(len(world.available(agent).verbs)))]
        if verb in (Buy, Sell):
            actions[agent] = verb(stock=stock, price=price, amount=max(1, min(most[verb], 10_000_000)))
        elif verb is Borrow:
            actions[agent] = Borrow(days=int(rng.choice(list(world.terms))), amount=max(1, most[Borrow]))
        elif verb is Cancel:
            orders = account.orders
            actions[agent] = Cancel(order=orders[0].number if orders and rng.random() < 0.7 else 10**6)
        else:
            actions[agent] = {Post: Post(text="x"), Forecast: Forecast(buy=(stock,))}.get(verb, Wait())
    return actions


@given(
    st.integers(0, 2**32),
    st.integers(2, 5),
    st.sampled_from([{2: 4000, 3: 6000}, {22: 270, 44: 300, 66: 330}]),
    st.sampled_from([(), EVENING]),
)
@settings(max_examples=25, deadline=None)
def test_money_and_shares_are_conserved_to_the_cent_whatever_is_done(seed, traders, loans, without):
    rng, stocks = np.random.default_rng(seed), {"A": 3000, "B": 4001, "C": 7}
    world = StockMarket(traders, 9, 2, stocks=stocks, loans=loans, wealth=(1000, 10**8), retries=1, without=without)
    world.reset(seed=seed)
    cash, shares = world.ledger.totals()
    refused = 0
    while world.agents:
        shown, *_, infos = world.step(anything(world, rng))
        assert {agent: shown[agent] for agent in world.agents} == world.observe()  # nothing that is shown is stale
        refused += sum("refused" in info for info in infos.values())
        assert world.ledger.totals() == (cash, shares)
        for account in world.ledger.accounts.values():
            assert account.cash >= 0 and min(account.shares.values()) >= 0 and account.debt <= account.credit
        for agent in world.agents:
            seen = world.observe()[agent].account
            assert seen.free >= 0 and min(seen.unbound.values()) >= 0
    assert world.outcome()["refused"] == refused
    assert not any(seen.account.orders for seen in shown.values())  # the books were emptied on the last evening, too


def test_the_bank_has_what_the_notes_say_and_a_run_can_be_replayed():
    world, policy = StockMarket(12, 30), ZeroIntelligence(borrowing=RATE_SENSITIVE)
    run = simulate(world, policy, seed=3)
    assert replay(run, Scene(StockMarket(12, 30), policy)).exact
    ledger = world.ledger
    lent, paid = (
        sum(json.loads(d)[key] for d in run.sql(f"select data from notes where kind in {kinds}")["data"])
        for key, kinds in (("amount", "('loan')"), ("paid", "('repaid', 'interest')"))
    )
    sold = 0
    for data in run.sql("select data from notes where kind = 'forced sale'")["data"]:
        note = json.loads(data)
        sold += sum(number * note["prices"][stock] for stock, number in note["sold"].items())
    assert lent > 0 and paid > 0
    assert ledger.bank.cash == paid - lent - sold  # nobody went bankrupt
    assert world.outcome()["bankrupt"] == 0


# --- loans by hand ---


def test_interest_is_rounded_half_up_to_the_cent():
    assert [charge(100, 50), charge(100, 49), charge(1, 270), charge(0, 300)] == [1, 0, 0, 0]
    assert charge(100_000_000, 270) == 2_700_000 and charge(100_000_000, 270, 12) == 225_000
    assert [money(5), money(-123_456_789)] == ["0.05", "-1,234,567.89"]


def test_a_loan_of_66_days_costs_what_it_says():
    world = market(Account(10_000_000, {"A": 0, "B": 0}, 200_000_000))
    do(world, ana=Borrow(days=66, amount=100_000_000))
    ana = world.ledger[ANA]
    assert ana.cash == 110_000_000 and ana.room == 100_000_000 and world.ledger.bank.cash == -100_000_000
    for day, cash in ((21, 110_000_000), (22, 109_725_000), (44, 109_450_000), (66, 109_175_000), (67, 5_875_000)):
        skip(world, day)
        assert ana.cash == cash, day
    assert ana.debts == [] and ana.room == 200_000_000
    assert world.ledger.bank.cash == 3 * 275_000 + 3_300_000


def test_a_loan_keeps_its_rate_and_new_ones_have_the_new_one():
    world = market(Account(0, {"A": 0, "B": 0}, 200_000), days=10, events={3: (200, 210, 220)})
    do(world, ana=Borrow(days=22, amount=1000))
    skip(world, 3)
    seen = world.observe()[ANA].market
    assert [terms.rate for terms in seen.loans] == [200, 210, 220] and seen.news == ("The bank now lends at lower rates.",)
    do(world, ana=Borrow(days=44, amount=2000))
    assert [tuple(debt) for debt in world.ledger[ANA].debts] == [(1000, 270, 23), (2000, 210, 47)]
    world.set_rates([300, 300, 300])
    assert world.observe()[ANA].market.news[-1] == "The bank now lends at higher rates."
    with pytest.raises(ConfigError, match="3 whole numbers"):
        world.set_rates([1, 2])


def test_who_cannot_pay_sells_as_few_shares_as_it_must():
    world = market(Account(0, {"A": 10, "B": 10}, 50_000), loans={1: 270}, days=5)
    do(world, ana=Borrow(days=1, amount=50_000))
    world.ledger[ANA].cash -= 50_000  # as if lost
    world.ledger[BEN].cash += 50_000
    skip(world, 2)
    # 513.50 are due: 10 A at 30.00 bring 300.00, and 6 B at 40.00 bring 240.00.
    assert world.ledger[ANA].cash == 2_650 and world.ledger[ANA].shares == {"A": 0, "B": 4}
    assert world.ledger.bank.cash == -50_000 + 51_350 - 54_000 and world.ledger.bank.shares == {"A": 10, "B": 6}
    assert ANA in world.agents and world.outcome()["forced sales"] == 1 and world.outcome()["bankrupt"] == 0


def test_who_still_cannot_pay_is_bankrupt_and_the_bank_bears_the_loss():
    world = market(Account(0, {"A": 10, "B": 0}, 50_000), Account(7, {"A": 1, "B": 1}, 0), loans={1: 270, 9: 300}, days=4)
    before = world.ledger.totals()
    do(world, ana=Borrow(days=1, amount=40_000))
    world.ledger.lend(ANA, 10_000, 300, 10)
    world.ledger[ANA].cash -= 50_000
    world.ledger[BEN].cash += 50_000
    seen, rewards, over, late, _ = skip(world, 2)
    # 410.80 are due; 10 A bring 300.00; 110.80 are missing, and 100.00 of the other loan are lost.
    assert over == {ANA: True, BEN: False} and late == {ANA: False, BEN: False} and ANA in seen
    assert world.agents == [BEN] and world.ledger.totals() == before
    assert world.ledger.bank.cash == -50_000 + 41_080 - 30_000 - 11_080 == -50_000
    assert world.ledger.bank.shares == {"A": 10, "B": 0}
    assert rewards == {ANA: -300.0, BEN: 500.0}
    assert world.outcome()["bankrupt"] == 1
    skip(world, 5)
    assert world.agents == [] and world.day == 4


def test_a_market_of_bankrupts_ends():
    world = market(Account(0, {"A": 0, "B": 0}, 5), Account(0, {"A": 0, "B": 0}, 5), loans={1: 270})
    for name in (ANA, BEN):
        world.ledger.lend(name, 5, 9000, 2)
        world.ledger[name].cash = 0
    _, _, over, late, _ = skip(world, 3)
    assert over == {ANA: True, BEN: True} and not any(late.values()) and world.agents == [] and list(world.acting) == []


# --- trade ---


def test_a_session_by_hand():
    world = market(
        Account(100_000, {"A": 0, "B": 0}, 0), Account(0, {"A": 30, "B": 0}, 0), days=2, without=("loans", *EVENING)
    )
    world.pending = [BEN, ANA]
    world.step({BEN: Sell(stock="A", price=2950, amount=20)})
    seen = world.observe()[ANA]
    assert seen.market.stocks[0].asks == ((2950, 20),) and seen.market.stocks[0].price == 3000
    assert world.observe()[BEN].account.unbound == {"A": 10, "B": 0}
    _, rewards, *_ = world.step({ANA: Buy(stock="A", price=3100, amount=5)})
    assert world.ledger[ANA].cash == 100_000 - 5 * 2950 and world.ledger[BEN].shares["A"] == 25
    assert rewards == {ANA: 0.0, BEN: 30 * -0.5}  # Ana paid what the shares are worth now; Ben's are worth 0.50 less
    assert world.prices == {"A": 2950, "B": 4000} and world.closes["A"] == [2950] and world.volumes["A"] == [5, 0]
    assert world.observe()[BEN].account.orders == () and world.exchange.depth("A", "sell") == []  # a new day, an empty book


def test_bound_means_cannot_be_bound_twice_and_every_refusal_says_why():
    world = market(Account(10_000, {"A": 5, "B": 0}, 500), days=3, sessions=9, retries=0)
    cases = [
        (Borrow(days=22, amount=501), "you may borrow 5.00 at most, not 5.01"),
        (Buy(stock="A", price=3000, amount=3), ""),
        (Buy(stock="A", price=1001, amount=1), "this would bind 10.01, and you have 10.00 free"),
        (Sell(stock="A", price=3000, amount=1), "this could meet your own order 2: cancel that one first"),
        (Sell(stock="A", price=3500, amount=4), ""),
        (Sell(stock="A", price=3600, amount=2), "you have 1 shares of A that are not bound, not 2"),
        (Cancel(order=77), "you have no open order 77"),
        (Cancel(order=2), ""),
        (Buy(stock="B", price=5000, amount=2), ""),
        (Borrow(days=22, amount=1), "Borrow cannot be done in this part of the day, the session"),
    ]
    for action, reason in cases:
        infos = do(world, ana=action)[-1]
        assert infos[ANA].get("refused", "") == reason, action
        assert world.observe()[ANA].account.refused == reason
    assert world.outcome()["refused"] == sum(bool(reason) for _, reason in cases)


def test_who_is_refused_may_try_again_and_the_run_keeps_every_refusal():
    asked = []

    @coded
    def stubborn(seen, space):
        asked.append((seen.market.phase, seen.account.refused))
        return Buy(stock="A", price=10_000_000, amount=1000) if seen.market.phase == "session" else Wait()

    run = simulate(StockMarket(1, 1, 1, without=EVENING, retries=3), stubborn)
    notes = [json.loads(d) for d in run.sql("select data from notes where kind = 'refused'")["data"]]
    assert len(notes) == 4 and [phase for phase, _ in asked] == ["morning", *["session"] * 4]
    assert asked[1][1] == "" and asked[2][1] == notes[0]["reason"] and "would bind 100,000,000.00" in notes[0]["reason"]
    assert notes[0]["action"] == {"verb": "Buy", "stock": "A", "price": 10_000_000, "amount": 1000}


# --- channels ---


def test_parts_of_the_day_and_what_is_told_when():
    world = StockMarket(1, 3, 2, reports=(2,), surprise=0.5)
    seen, _ = world.reset(seed=1)
    phases = []
    while world.agents:
        market = seen[ANA].market
        phases.append((market.day, market.phase, market.session, [m.text for m in market.board]))
        assert {r.day for r in market.reports} == {2 if market.day >= 2 else 0}
        seen, *_ = world.step({ANA: Post(text=f"day {market.day}") if market.phase == "board" else Wait()})
    assert phases[:5] == [
        (1, "morning", 0, []),
        (1, "session", 1, []),
        (1, "session", 2, []),
        (1, "forecast", 2, []),
        (1, "board", 2, []),
    ]
    assert [board for *_, board in phases[5:]] == [["day 1"], [], [], [], [], ["day 2"], [], [], [], []]


@pytest.mark.parametrize(
    ("channel", "gone"),
    [("board", "board"), ("forecasts", "forecast"), ("loans", "morning"), ("reports", None), ("rate events", None)],
)
def test_channels_can_be_left_out_and_the_luck_stays(channel, gone):
    whole, part = (
        StockMarket(3, 3, 1, events={2: (1, 2, 3)}, reports=(2,)),
        StockMarket(3, 3, 1, events={2: (1, 2, 3)}, reports=(2,), without=[channel]),
    )
    for world in (whole, part):
        world.reset(seed=5)
        world.ledger.totals()
    assert set(whole.schedule) - set(part.schedule) == ({gone} if gone else set())
    assert whole.temperaments == part.temperaments and whole.earnings == part.earnings
    assert {a: x.cash for a, x in whole.ledger.accounts.items()} == {a: x.cash for a, x in part.ledger.accounts.items()}
    skip(whole, 2)
    skip(part, 2)
    one, other = whole.observe()[ANA].market, part.observe()[ANA].market
    assert (one.reports != other.reports) == (channel == "reports")
    assert (one.loans != other.loans) == (channel in ("rate events", "loans"))


def test_accounts_are_drawn_within_bounds():
    world = StockMarket(300, 1, wealth=(10_000_000, 500_000_000))
    world.reset(seed=2)
    worth = np.array([a.credit for a in world.ledger.accounts.values()])
    debt = np.array([a.debt for a in world.ledger.accounts.values()])
    assert worth.min() >= 10_000_000 and worth.max() <= 500_000_000 and (debt <= worth).all()
    # Three holdings and a debt below their sum, uniform: the density of the sum s is 4 s^3, with mean 4/5, of the debt half.
    assert worth.mean() / 500_000_000 == pytest.approx(0.8, abs=0.03)
    assert (debt / worth).mean() == pytest.approx(0.5, abs=0.05)


def test_a_person_can_play():
    lines = iter(["borrow days=22 amount=1000", "buy stock=A price=3000 amount=1", "wait", 'post text="I bought A."'])
    prompts = []

    def ask(prompt):
        prompts.append(prompt)
        return next(lines)

    run = simulate(StockMarket(2, 1, 1), {ANA: Human(ask), BEN: ZeroIntelligence()}, seed=1)
    acts = run.sql(f"select action from steps where agent = '{ANA}' and action is not null order by step")["action"]
    assert len(acts) == 4 and len(prompts) == 4 and "limit price of one share in cents" in prompts[1]
    assert run.sql("select count(*) n from steps where fault is not null")["n"].item() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"traders": 0}, "traders=0"),
        ({"wealth": (5, 5)}, "wealth="),
        ({"stocks": {"A": 1.5}}, "whole prices"),
        ({"loans": {22: -1}}, "basis points"),
        ({"without": ["news"]}, "no channel 'news'"),
        ({"events": {5: (1,)}}, "day 5 needs 3 rates"),
    ],
)
def test_bad_options_are_refused(arguments, said):
    with pytest.raises(ConfigError, match=said):
        StockMarket(**arguments)
