"""The ascending auction: second prices, budgets, refusals and cuts."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test

from ethogram.bidding import Bid, Withdraw
from ethogram.errors import ConfigError
from ethogram.policies.human import Human
from ethogram.policy import Coded
from ethogram.simulation import simulate
from ethogram.worlds.coded.auction import Auction
from ethogram.worlds.testing import check_world


def truthful(seen):
    """Bids the least as long as the estimate and the budget allow it."""
    return Bid(amount=seen.least) if seen.least <= min(seen.item.estimate, seen.budget) else Withdraw()


def play(world, seed, policy=truthful):
    """Total rewards; `policy` bids for all."""
    seen, _ = world.reset(seed=seed)
    earned = dict.fromkeys(world.possible_agents, 0.0)
    while world.agents:
        leader = world.leader
        assert leader not in world.acting
        seen, rewards, *_ = world.step({agent: policy(seen[agent]) for agent in world.acting})
        for agent, reward in rewards.items():
            earned[agent] += reward
    return earned


@pytest.mark.parametrize("make", [Auction, partial(Auction, [("vase", 7, (9, 4))], 2, noise=0.5, budget=(8, 50))])
def test_is_a_world(make):
    check_world(make, fresh_process=False)
    parallel_api_test(make(), num_cycles=40)


def test_truthful_bidders_pay_the_second_highest_value():
    """Vickrey (1961): the highest value wins, at the second-highest value within one raise (1,000 random draws)."""
    rng = np.random.default_rng(0)
    for seed in range(1000):
        values = tuple(int(v) for v in rng.choice(np.arange(100, 400), int(rng.integers(2, 6)), replace=False))
        world = Auction([("vase", 100, values)], len(values), budget=1000, overestimate=0.0)
        play(world, seed)
        (_, winner, price, value), *_ = world.sales
        second, first = sorted(values)[-2:]
        assert abs(price - second) <= 10
        assert value == first or first - second <= 10
        assert winner == f"bidder {values.index(value) + 1}"


@given(st.integers(0, 2**31), st.integers(2, 4), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_money_is_conserved_and_no_budget_is_overdrawn(seed, bidders, items):
    rng = np.random.default_rng(seed)
    goods = [(f"good {i}", int(rng.integers(1, 50)), int(rng.integers(0, 200))) for i in range(items)]
    world = Auction(goods, bidders, budget=120, overestimate=1.0, noise=0.3)
    earned = play(world, seed, lambda seen: Bid(amount=int(rng.integers(0, 200))) if rng.random() < 0.8 else Withdraw())
    paid = sum(price for _, _, price, _ in world.sales)
    assert sum(world.budgets.values()) + paid == 120 * bidders and min(world.budgets.values()) >= 0
    assert len(world.sales) == items
    assert {agent: world.outcome()[f"profit of {agent}"] for agent in earned} == earned
    won = [name for name, winner, *_ in world.sales if winner]
    assert len(won) == sum(world.outcome()[f"items of {agent}"] for agent in earned)


def test_a_bid_that_is_refused_is_told_why_and_asked_again():
    world = Auction([("vase", 100, 300)], 2, budget=500, tries=2)
    world.reset(seed=0)
    seen, *_ = world.step({"bidder 1": Bid(amount=600), "bidder 2": Bid(amount=100)})
    assert list(world.acting) == ["bidder 1"] and world.leader is None
    assert seen["bidder 1"].refused == "You bid 600, but have 500 left." and seen["bidder 2"].refused == ""
    seen, *_ = world.step({"bidder 1": Bid(amount=99)})
    assert world.sales == [["vase", "bidder 2", 100, 300]], "two refusals, and the other bidder is alone"
    assert world.outcome()["refused of bidder 1"] == 2


def test_what_a_bidder_sees():
    world = Auction([("vase", 100, 300), ("urn", 55, 60)], ["a", "b", "c"], budget=500, overestimate=(0.0, 0.1, 0.0))
    world.reset(seed=0)
    seen, *_ = world.step({"a": Bid(amount=120), "b": Bid(amount=100), "c": Withdraw()})
    b = seen["b"]
    assert (b.you, b.bidders, b.active) == ("b", ("a", "b", "c"), ("a", "b"))
    assert (b.leader, b.highest, b.step, b.least) == ("a", 120, 10, 130)
    assert (b.item.estimate, [offer.name for offer in b.to_come], b.sold) == (330, ["urn"], ())
    seen, *_ = world.step({"b": Withdraw()})
    assert seen["a"].budget == 380 and seen["c"].sold[0].model_dump() == {
        "name": "vase", "winner": "a", "price": 120, "value": 300,
    }  # fmt: skip
    assert seen["c"].step == 6, "a tenth, rounded to whole units"


def test_a_person_can_bid_from_the_terminal():
    lines = iter(["I am out at $500", "bid amount=5", "bid amount=100 reason='a fine vase'", ""])
    prompts = []

    def ask(prompt):
        prompts.append(prompt)
        return next(lines)

    world = Auction([("vase", 100, 300)], ["me", "other"])
    simulate(world, {"me": Human(ask), "other": Coded(lambda seen, space: Withdraw())}, progress=False)
    assert world.sales == [["vase", "me", 100, 300]]
    assert len(prompts) == 3 and "You bid 5, but the least" in prompts[2] and "reason" in prompts[0]


def test_who_alone_bids_first_has_it_at_once():
    world = Auction([("vase", 100, 300)], 2, budget=500)
    world.reset(seed=0)
    _, rewards, over, *_ = world.step({"bidder 1": Bid(amount=150), "bidder 2": Withdraw()})
    assert rewards == {"bidder 1": 150, "bidder 2": 0} and over["bidder 1"]


def test_what_nobody_wants_is_cut_in_price_and_then_left():
    world = Auction([("vase", 100, 300), ("urn", 50, 60)], 2, cuts=2)
    seen, _ = world.reset(seed=0)
    prices = []
    for _ in range(3):
        prices.append(seen["bidder 1"].least)
        seen, *_ = world.step(dict.fromkeys(world.acting, Withdraw()))
    assert prices == [100, 50, 25]
    assert world.sales == [["vase", None, 0, 0]] and seen["bidder 1"].item.name == "urn"


def test_winners_are_those_who_err_upwards():
    """The winner's curse: with unbiased estimates of one common value, who bids up to the estimate loses on average."""

    def profit(noise):
        return [
            sum(play(Auction([("lease", 100, 1000)], 4, budget=9999, overestimate=0.0, noise=noise), seed).values())
            for seed in range(60)
        ]

    assert min(profit(0.0)) >= 0
    cursed = np.array(profit(0.3))
    assert cursed.mean() + 2 * cursed.std() / 60**0.5 < 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"items": []}, "at least one item"),
        ({"items": [("vase", 1)]}, "is no item"),
        ({"items": [("vase", 1, (2, 3))]}, "2 values"),
        ({"items": [("vase", 0, 5)]}, "from 1"),
        ({"items": [("vase", 1, 5), ("vase", 2, 5)]}, "one name"),
        ({"bidders": 1}, "two or more"),
        ({"bidders": ["a", "a"]}, "different names"),
        ({"budget": (1, 2)}, "2 numbers are given as budget"),
        ({"budget": -1}, "a budget"),
        ({"raise_by": 0}, "raise_by=0"),
    ],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ConfigError, match=said):
        Auction(**arguments)
