"""The double auction: surplus and trades by hand, and the classic result of Gode and Sunder (1993)."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test

from ethogram.errors import ConfigError
from ethogram.market import Call, Wait
from ethogram.measures import mean, paired_difference
from ethogram.policies.coded.traders import Haggler
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.worlds.coded.double_auction import DoubleAuction, surplus
from ethogram.worlds.testing import check_world


def test_is_a_world():
    check_world(DoubleAuction, steps=80, fresh_process=False)
    parallel_api_test(DoubleAuction(), num_cycles=60)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.lists(st.integers(1, 20), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_surplus_is_that_of_the_best_matching(values, costs):
    few, many = sorted((values, costs), key=len)
    best = max(
        sum(max(0, (v - c) if few is values else (c - v)) for v, c in zip(few, chosen, strict=True))
        for chosen in permutations(many, len(few))
    )
    assert surplus([values], [costs]) == best


def test_a_trade_by_hand():
    world = DoubleAuction([[100, 60]], [[40, 90]], highest=150, calls=9)
    assert world.most == 60
    world.reset(seed=0)
    bid, ask = {"buyer 1": Call(price=70)}, {"seller 1": Call(price=55)}

    def call(actions):
        world.turn = next(iter(actions))
        return world.step(actions)

    call({"buyer 1": Call(price=50)})
    seen, *_ = call(bid)
    assert seen["seller 1"].bid == 70 and len(world.book) == 1  # in place of the 50
    seen, rewards, *_ = call(ask)
    assert rewards == {"buyer 1": 30.0, "seller 1": 30.0}  # at the price that was there first
    assert (seen["buyer 1"].limit, seen["buyer 1"].left, seen["seller 1"].limit) == (60, 1, 90)
    assert (seen["buyer 1"].bid, seen["buyer 1"].ask, seen["buyer 1"].last) == (None, None, 70)
    *_, infos = call({"seller 1": Call(price=151)})
    assert infos["seller 1"] == {"refused": "no price above 150 may be called, and this is 151"}
    call({"buyer 1": Wait()})
    assert len(world.book) == 0
    call({"seller 1": Call(price=80)})
    _, rewards, over, *_ = call({"buyer 1": Call(price=80)})
    assert rewards == {"buyer 1": -20.0, "seller 1": -10.0} and all(over.values())  # no units are left
    assert world.outcome() == {"efficiency": 0.5, "trades": 2.0, "price": 75.0}


def test_a_trade_makes_all_other_calls_void():
    world = DoubleAuction([[100], [90]], [[40], [50]], highest=150)
    world.reset(seed=0)
    for agent, price in (("buyer 1", 60), ("buyer 2", 55), ("seller 1", 70), ("seller 2", 58)):
        world.turn = agent
        seen, rewards, *_ = world.step({agent: Call(price=price)})
    assert (rewards["buyer 1"], rewards["seller 2"]) == (40.0, 10.0) and world.outcome()["efficiency"] == 0.5
    assert (seen["buyer 2"].bid, seen["buyer 2"].ask, len(world.book)) == (None, None, 0)


def test_a_budget_constraint_alone_makes_a_market_efficient():
    """Budget-constrained zero intelligence: above 90 %; without the constraint clearly less; the same seeds for both."""
    found = {}
    for constrained in (True, False):
        world = DoubleAuction(calls=600)
        found[constrained] = []
        for seed in range(12):
            rollouts(Scene(world, Haggler(constrained)), episodes=1, seed=seed)
            found[constrained].append(world.outcome()["efficiency"])
    efficiency = mean(found[True])
    assert efficiency.low > 0.9 and max(found[True]) <= 1
    assert paired_difference(found[True], found[False]).low > 0.3


def test_nobody_constrained_loses_and_the_unconstrained_do():
    losses = {}
    for constrained in (True, False):
        trajectories = rollouts(Scene(DoubleAuction(calls=300), Haggler(constrained)), episodes=2)
        losses[constrained] = min(min(one.rewards) for one in trajectories)
    assert losses[True] >= 0 > losses[False]


@pytest.mark.parametrize("options", [{"values": []}, {"costs": [[0]]}, {"calls": 0}, {"values": [[1]], "costs": [[5]]}])
def test_bad_options_are_refused(options):
    with pytest.raises(ConfigError, match="DoubleAuction"):
        DoubleAuction(**options)
