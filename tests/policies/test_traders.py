"""Traders by stated laws: what they do by hand, within their means, and to the market."""

import math

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.market import (
    Account,
    Borrow,
    Buy,
    Cancel,
    Floor,
    Forecast,
    Loan,
    Market,
    Message,
    Open,
    Post,
    Report,
    Sell,
    Stock,
    Terms,
    Wait,
)
from ethogram.measures import paired_difference
from ethogram.policies.coded.traders import (
    RATE_BLIND,
    RATE_SENSITIVE,
    Borrowing,
    Chartist,
    Follower,
    Fundamentalist,
    ZeroIntelligence,
    moods,
)
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.stock_market import StockMarket


def floor(phase="session", price=3000, closes=(), earnings=150, cash=1_000_000, shares=200, orders=(), room=0, rate=270):
    stock = Stock(name="A", price=price, closes=closes)
    market = Market(
        day=9,
        days=20,
        phase=phase,
        session=1,
        stocks=(stock,),
        loans=(Terms(days=22, rate=rate), Terms(days=44, rate=rate + 30)),
        reports=(Report(stock="A", day=0, earnings=earnings, growth=0),),
    )
    account = Account(
        temperament="balanced",
        cash=cash,
        free=cash,
        shares={"A": shares},
        unbound={"A": shares},
        loans=(Loan(amount=5, rate=270, due=30),),
        room=room,
        orders=orders,
    )
    return Floor(market=market, account=account)


def act(policy, seen, seed=0):
    policy.reset(seed, ["trader 1"])
    return policy.act({"trader 1": seen}, {"trader 1": None})["trader 1"]


def test_a_fundamentalist_by_hand():
    sure = Fundamentalist(multiple=20, doubt=0)
    assert act(sure, floor(earnings=180)) == Buy(stock="A", price=3300, amount=30)  # a tenth of what 10,000.00 buy
    assert act(sure, floor(earnings=120)) == Sell(stock="A", price=2700, amount=20)  # a tenth of 200
    assert act(sure, floor(earnings=154)) == Wait()  # within its margin of 4 %
    assert act(sure, floor(earnings=120, shares=0)) == Wait()
    assert act(sure, floor("forecast", earnings=180)) == Forecast(buy=("A",))
    assert act(sure, floor("board", earnings=120)) == Post(text="I would sell A at 27.00.")


def test_a_chartist_by_hand():
    trend = Chartist(window=2, threshold=0.01, haste=0.01)
    assert act(trend, floor(closes=(1, 2900, 2950))) == Buy(stock="A", price=3030, amount=33)
    assert act(trend, floor(closes=(1, 3100, 2950))) == Sell(stock="A", price=2970, amount=20)
    assert act(trend, floor(closes=(3000, 3010))) == Wait() and act(trend, floor(closes=(2000,))) == Wait()


def test_a_trader_takes_back_an_order_that_it_could_meet():
    own = Open(number=7, stock="A", side="sell", price=3200, amount=5)
    assert act(Fundamentalist(doubt=0), floor(earnings=180, orders=(own,))) == Cancel(order=7)


def test_borrowing_follows_its_law():
    assert RATE_BLIND.chance(240) == RATE_BLIND.chance(330)
    odds = [p / (1 - p) for p in map(RATE_SENSITIVE.chance, (240, 270))]
    assert odds[0] / odds[1] == pytest.approx(math.exp(0.9))
    eager = ZeroIntelligence(borrowing=Borrowing(base=50))
    assert act(eager, floor("morning", room=5_000_000)) == Borrow(days=22, amount=500_000)
    assert act(eager, floor("morning", room=900_000)) == Wait()  # 900.00 are less than it cares for
    assert act(ZeroIntelligence(), floor("morning", room=5_000_000)) == Wait()
    taken = [act(ZeroIntelligence(borrowing=RATE_BLIND), floor("morning", room=5_000_000), s) != Wait() for s in range(800)]
    assert np.mean(taken) == pytest.approx(RATE_BLIND.chance(270), abs=0.04)


def play(policy, seed=0, **options):
    world = StockMarket(**options)
    rollouts(Scene(world, policy), episodes=1, seed=seed)
    return world


@pytest.mark.parametrize(
    "policy", [ZeroIntelligence(borrowing=RATE_SENSITIVE), Fundamentalist(borrowing=RATE_BLIND), Chartist(), Follower()]
)
def test_no_coded_trader_is_ever_refused(policy):
    mixed = {f"trader {i + 1}": policy if i % 2 else ZeroIntelligence() for i in range(8)}
    world = play(mixed, traders=8, days=30)
    assert world.outcome()["refused"] == 0 and sum(world.volumes["A"]) > 0


def test_fundamentalists_bring_prices_to_value_and_chartists_do_not():
    """After a report, how far the mean price of the last days is from 20 times the earnings, on the log scale."""
    gaps = {"fundamentalist": [], "chartist": []}
    for seed in range(6):
        for name, policy in (("fundamentalist", Fundamentalist()), ("chartist", Chartist())):
            crew = {f"trader {i + 1}": ZeroIntelligence() if i < 4 else policy for i in range(12)}
            world = play(crew, seed, traders=12, days=20, sessions=2, reports=(5,), surprise=0.4, without=("loans", "board"))
            values = {stock: 20 * path[1] for stock, path in world.earnings.items()}
            off = [abs(math.log(np.mean(world.closes[stock][-8:]) / value)) for stock, value in values.items()]
            gaps[name].append(float(np.mean(off)))
    assert np.mean(gaps["fundamentalist"]) < 0.1
    assert paired_difference(gaps["chartist"], gaps["fundamentalist"]).low > 0


def test_a_rate_cut_changes_what_the_rate_sensitive_borrow_and_not_what_the_blind_do():
    """Loans taken after the event, with it less without it, on the same luck."""
    effects = {}
    for name, borrowing in (("sensitive", RATE_SENSITIVE), ("blind", RATE_BLIND)):
        counts = {}
        for without in ((), ("rate events",)):
            counts[without] = []
            for seed in range(8):
                options = {"without": ("board", "forecasts", *without), "events": {8: (170, 200, 230)}}
                world = play(ZeroIntelligence(borrowing=borrowing), seed, traders=12, days=16, sessions=1, **options)
                counts[without].append(sum(world.lent[7:]) / 1e8)
        effects[name] = paired_difference(counts[()], counts["rate events",])
    assert effects["sensitive"].low > 0
    assert effects["blind"].low <= 0 <= effects["blind"].high


@pytest.mark.parametrize(
    "make",
    [
        lambda: ZeroIntelligence(spread=0),
        lambda: Fundamentalist(multiple=0),
        lambda: Chartist(window=0),
        lambda: Follower(haste=1),
        lambda: ZeroIntelligence(activity=2),
    ],
)
def test_bad_laws_are_refused(make):
    with pytest.raises(ConfigError):
        make()


def board(*texts, day=9):
    seen = floor("session")
    posts = tuple(Message(author=f"trader {i}", text=text) for i, text in enumerate(texts))
    return seen.model_copy(update={"market": seen.market.model_copy(update={"board": posts, "day": day})})


def test_moods_count_who_would_buy_and_who_would_sell():
    posts = ("I would buy A at 30.00.", "Sell A!", "BUY a", "buy or sell A?", "A is fine.", "Buy AB.", "I buy B.")
    assert moods(board(*posts).market) == {"A": pytest.approx(1 / 3)}
    assert moods(board().market) == {"A": 0.0}


def test_a_follower_does_what_this_mornings_board_says():
    follower = Follower(threshold=0.5, haste=0.01)
    assert act(follower, board("Buy A", "I buy A", "buy a")) == Buy(stock="A", price=3030, amount=33)
    # the board is shown in the first phase only: it is remembered until the next day
    assert follower.act({"trader 1": floor()}, {"trader 1": None})["trader 1"] == Buy(stock="A", price=3030, amount=33)
    again = Follower(threshold=0.5, haste=0.01)
    again.reset(1, ["trader 1"])
    again.load_state_dict(follower.state_dict())
    assert again.act({"trader 1": floor()}, {"trader 1": None})["trader 1"] == Buy(stock="A", price=3030, amount=33)
    sells = board("Sell A", "I sell A", day=10)
    assert follower.act({"trader 1": sells}, {"trader 1": None})["trader 1"] == Sell(stock="A", price=2970, amount=20)
    quiet = board(day=11)
    assert follower.act({"trader 1": quiet}, {"trader 1": None})["trader 1"] == Wait()


def test_a_fundamentalist_errs_alike_until_the_next_report():
    doubtful = Fundamentalist(doubt=0.2)
    first = act(doubtful, floor(earnings=300))
    assert doubtful.act({"trader 1": floor(earnings=300)}, {"trader 1": None})["trader 1"] == first
    later = floor(earnings=300)
    later = later.model_copy(
        update={"market": later.market.model_copy(update={"reports": (Report(stock="A", day=5, earnings=300, growth=0),)})}
    )
    assert doubtful.act({"trader 1": later}, {"trader 1": None})["trader 1"].price != first.price
