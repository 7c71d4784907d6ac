"""Worlds in which people make statements: who reads what, and when."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.media import Opine, Publish, Read, Repost, Wait
from ethogram.worlds import make
from ethogram.worlds.coded.feed import Feed
from ethogram.worlds.coded.random_mixing import RandomMixing
from ethogram.worlds.testing import Act, check_world

FEELING = {"emotion": "intense", "attitude": "negative"}


@given(st.integers(0, 10**6), st.lists(st.floats(0, 1), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_post_reaches_exactly_its_authors_followers_once_in_the_next_round(seed, rates):
    world = Feed(users=25, follows=3, follow_back=0.4, graph=seed, sources=3, rounds=len(rates))
    rng = np.random.default_rng(seed)
    seen, _ = world.reset(seed)
    followed = {a: {f"user {j + 1}" for j in world.network.neighbours(i)} for i, a in enumerate(world.possible_agents)}
    posted = {post.author for view in seen.values() for post in view.posts}
    known = set(world.acting)
    for rate in rates:
        actions, spoke = {}, set()
        for agent in world.acting:
            view = seen[agent]
            assert {post.author for post in view.posts} == posted & followed[agent], "none else, and none left out"
            assert len({post.id for post in view.posts}) == len(view.posts), "none twice"
            actions[agent] = Read(**FEELING)
            if rng.random() < rate:
                spoke.add(agent)
                again = view.posts and rng.random() < 0.5
                actions[agent] = Repost(post=view.posts[0].id, **FEELING) if again else Publish(text="So.", **FEELING)
        silent = set(world.possible_agents) - known
        assert all(not seen[agent].posts for agent in silent)
        seen, *_ = world.step(actions)
        posted = spoke
        known |= {agent for agent, view in seen.items() if view.posts}
        if world.agents:
            assert set(world.acting) == known
    assert all((seen[a].emotion == "intense") for a in actions), "what one said that one feels"


def test_what_was_not_received_cannot_be_passed_on():
    world = Feed(users=12, follows=2, graph=1, sources=1, rounds=5)
    seen, _ = world.reset(3)
    reader = next(a for a in world.acting if seen[a].posts)
    before = len(world.posts)
    world.step({reader: Repost(post=999, **FEELING)})
    assert len(world.posts) == before
    world.step({reader: Repost(post=0, **FEELING)})
    assert len(world.posts) == before + 1 and world.posts[-1]["source"] == 0 and world.posts[-1]["text"] == world.opening
    world.step({a: Wait() for a in world.acting})
    assert len(world.posts) == before + 1


def opine(belief):
    return Opine(post="Yes." if belief else "No.", belief=belief)


def chain(order):
    """How many believe after a day in which whoever reads a believer believes."""
    world = RandomMixing(people=40, believers=4, meetings=3, days=3, order=order)
    seen, _ = world.reset(5)
    while world.day == 1:
        said = {a: opine(seen[a].mine.belief or any(one.belief for one in seen[a].met)) for a in world.acting}
        seen, *_ = world.step(said)
    return world, sum(world.beliefs)


def test_only_in_asynchronous_order_does_a_rumour_pass_through_many_in_a_day():
    world, spread = chain("synchronous")
    first = world.history[0]
    other, more = chain("asynchronous")
    readers = spread - first
    assert first == 4 and 0 < readers < more - first
    assert world.met == other.met, "the luck of meetings is the same in both orders"


def test_belief_is_read_as_an_epidemic():
    world = RandomMixing(people=4, believers=1, meetings=2, days=9)
    world.reset(0)
    for believes in (True, False, True, False, False):
        world.step({a: opine(believes) for a in world.acting})
    assert world.health == ["recovered"] * 4 and world.history == [1, 4, 0, 4, 0, 0]
    assert not world.agents, "two days after nobody believes it is over"
    assert world.outcome() == {"peak": 1.0, "final": 0.0, "belief_days": 8.0, "days": 5.0}


def test_denials_are_read_on_their_days():
    world = RandomMixing(people=4, meetings=1, days=5, denials=[2], denial="It is false.")
    seen, _ = world.reset(0)
    words = []
    for day in range(4):
        words.append({view.denial for view in seen.values()}.pop())
        if day == 2:
            world.deny("Really not.")
            words[-1] = world.observe()["person 1"].denial
        seen, *_ = world.step({a: opine(True) for a in world.acting})
    assert words == ["", "It is false.", "Really not.", ""]


@pytest.mark.parametrize(
    ("name", "options", "act"),
    [
        ("random_mixing", {"people": 6, "order": "asynchronous"}, Act(3, "deny", {"text": "No."})),
        ("feed", {}, Act(3, "announce", {"text": "Listen."})),
    ],
)
def test_contract_with_interventions(name, options, act):
    check_world(partial(make, name, **options), interventions=[act], steps=60, fresh_process=False)


def test_wrong_options_are_refused():
    with pytest.raises(ConfigError, match="order"):
        RandomMixing(order="sometimes")
    with pytest.raises(ConfigError, match="believers"):
        RandomMixing(people=3, believers=4)
    with pytest.raises(ConfigError, match="sources"):
        Feed(users=5, sources=6)
    world = Feed()
    world.reset(0)
    with pytest.raises(ConfigError, match="emotion"):
        world.announce("x", emotion="furious")
