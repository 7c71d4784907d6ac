"""Bidders by stated laws: the knapsack against brute force, each law by hand, and what planning anew is worth."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.bidding import Bid, Lot, Offer, Sale, Withdraw
from ethogram.errors import ConfigError
from ethogram.policies.coded.bidders import (
    KnapsackBidder,
    Outlook,
    PlanBidder,
    RuleBidder,
    TruthfulBidder,
    ceiling,
    frontier,
    outlook,
    priorities,
)
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.auction import ITEMS, Auction

MAKE = {
    "rule": RuleBidder,
    "truthful": TruthfulBidder,
    "knapsack": KnapsackBidder,
    "static": lambda: PlanBidder(False),
    "adaptive": lambda: PlanBidder(True),
}


def lot(least, budget, offers, sold=(), you="a"):
    return Lot(
        you=you, bidders=("a", "b"), active=("a", "b"), item=offers[0], highest=0, leader=None, least=least,
        step=10, budget=budget, to_come=tuple(offers[1:]), sold=tuple(sold), refused="",
    )  # fmt: skip


def offer(price, estimate, name="x"):
    return Offer(name=name, price=price, estimate=estimate)


def decide(policy, seen):
    return policy.act({"a": seen}, {"a": None})["a"]


def play(kinds, seed, items=ITEMS, **options):
    """The world after an auction of bidders called by their kinds."""
    world, policies = Auction(items, kinds, **options), {kind: MAKE[kind.split()[0]]() for kind in kinds}
    trajectories = rollouts(Scene(world, policies), episodes=1, seed=seed, progress=False)
    return world, policies, trajectories


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(-3, 12)), max_size=7), st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_the_best_selection_is_that_of_brute_force(items, budget):
    best = max(
        sum(items[i][1] for i in chosen)
        for k in range(len(items) + 1)
        for chosen in combinations(range(len(items)), k)
        if sum(items[i][0] for i in chosen) <= budget
    )
    points = frontier(items, budget)
    assert points[-1].gain == best and points[-1].cost <= budget
    assert all(a.cost < b.cost and a.gain < b.gain for a, b in pairwise(points))
    assert sum(items[i][1] for i in points[-1].chosen) == best


def test_a_ceiling_is_where_the_money_is_better_spent_elsewhere():
    expected = Outlook({10: 1.0}, 1.0)
    urn = offer(10, 30)
    assert ceiling(offer(10, 25), [], 100, expected) == 25, "nothing else to buy: up to what it is worth"
    assert ceiling(offer(10, 25), [urn], 100, expected) == 25, "money for both"
    assert ceiling(offer(10, 25), [urn], 15, expected) == 5, "either: the urn would bring 20, or both for 5 and 10"
    assert ceiling(offer(10, 25), [], 12, expected) == 12, "no more than there is"
    assert ceiling(offer(10, 25), [urn, urn], 25, expected, "items") == 15, "one urn less, one item more"


def test_priorities_by_hand():
    offers = [offer(10, 30), offer(10, 20), offer(10, 9)]
    assert priorities(offers, 15, Outlook({10: 1.0}, 1.0)) == [3, 2, 1]
    assert priorities(offers, 20, Outlook({10: 1.0}, 1.0)) == [3, 3, 1]
    assert priorities(offers, 15, Outlook({}, 0.5)) == [1, 1, 1]
    assert priorities([offer(10, 30), offer(4, 5), offer(4, 5)], 10, Outlook({10: 1.0, 4: 1.0}, 1.0), "items") == [2, 3, 3]


def test_an_outlook_is_learned_from_the_sales():
    seen = lot(100, 50, [offer(100, 220)], [
        Sale(name="u", winner="b", price=120, value=200), Sale(name="v", winner=None, price=0, value=0),
        Sale(name="w", winner="a", price=400, value=400),
    ])  # fmt: skip
    found = outlook(seen, [100, 100, 200, 100], [220, 220, 440, 220])
    assert found.markups.keys() == {100}
    assert found.markups[100] == pytest.approx((1.5 + (1.2 + 0.1) + 2.0 / 4) / 2.25), "b's would have cost a raise more"
    assert found.trust == pytest.approx(1 / 1.1)


def test_each_law_by_hand():
    rule, truthful, knapsack = RuleBidder(2), TruthfulBidder(), KnapsackBidder()
    vase = offer(100, 300)
    assert [decide(rule, lot(100 + k, 500, [vase])) for k in range(3)] == [Bid(amount=100), Bid(amount=101), Withdraw()]
    sale = Sale(name="x", winner="b", price=9, value=9)
    assert decide(rule, lot(400, 500, [vase], [sale])) == Bid(amount=400), "another item; whatever it is worth"
    assert decide(rule, lot(501, 500, [vase], [sale])) == Withdraw()
    assert decide(truthful, lot(300, 500, [vase])) == Bid(amount=300)
    assert decide(truthful, lot(301, 500, [vase])) == Withdraw()
    # 480 pay three others at 150, for a gain of 450. One less frees 180: 300 - p >= 150 up to 150, and no more
    assert decide(knapsack, lot(150, 480, [vase] * 5)) == Bid(amount=150)
    assert decide(knapsack, lot(151, 480, [vase] * 5)) == Withdraw()


def test_every_bidder_has_luck_of_its_own():
    kinds = ["adaptive 1", "adaptive 2", "rule"]
    _, policies, _ = play(kinds, 3)
    errors = {kind: policies[kind].state_dict()["memories"][kind]["error"] for kind in kinds[:2]}
    assert errors["adaptive 1"] != errors["adaptive 2"]
    one = PlanBidder(True)
    world = Auction(ITEMS, kinds)
    rollouts(Scene(world, {"adaptive 1": one, "adaptive 2": one, "rule": RuleBidder()}), episodes=1, seed=3, progress=False)
    memories = one.state_dict()["memories"]
    assert memories["adaptive 1"]["error"] != memories["adaptive 2"]["error"], "also under one policy"


def test_a_static_plan_is_kept_and_an_adaptive_one_made_anew():
    world, policies, _ = play(["static", "adaptive", "rule"], 1)
    (kept,) = policies["static"].plans["static"]
    made = policies["adaptive"].plans["adaptive"]
    assert kept.place == 0 and len(kept.priorities) == len(ITEMS)
    assert [plan.place for plan in made] == list(range(len(ITEMS)))
    assert made[0].ceilings == kept.ceilings
    assert world.outcome()["refused of static"] == world.outcome()["refused of adaptive"] == 0


def test_planning_anew_pays():
    """The same law of planning, the same auctions: who plans anew earns more than who keeps the plan."""
    gains = []
    for seed in range(25):
        outcome = play(["static", "adaptive", "rule"], seed)[0].outcome()
        gains.append(outcome["profit of adaptive"] - outcome["profit of static"])
    assert np.mean(gains) > 2 * np.std(gains) / 5


@pytest.mark.parametrize(
    "make", [lambda: RuleBidder(0), lambda: PlanBidder(True, "fame"), lambda: PlanBidder(True, doubt=-1)]
)
def test_bad_arguments_are_refused(make):
    with pytest.raises(ConfigError):
        make()
