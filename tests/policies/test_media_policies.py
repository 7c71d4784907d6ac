"""Policies of those who make statements: the coded laws by hand and beside their twin, the prompted ones with scripts."""

import math

import numpy as np
import pytest

from ethogram.language import scripted
from ethogram.media import Day, Opine, Post, Statement, Timeline
from ethogram.policies.coded.feelings import EmotionLaw, luck
from ethogram.policies.coded.opinions import Contagious, Opinionated, OpinionLaw
from ethogram.policies.prompted.citizens import Citizens
from ethogram.policies.prompted.feed_users import FeedUsers, influence
from ethogram.simulation import simulate
from ethogram.simulation.rollouts import rollouts
from ethogram.spaces import Verbs
from ethogram.studies.society._fps_scene import citizens
from ethogram.studies.society._s3_model import State, fit, play, trace
from ethogram.studies.society._s3_parts import setting_of
from ethogram.studies.society._s3_scene import feed, profiles
from ethogram.worlds.coded.feed import Feed
from ethogram.worlds.coded.random_mixing import RandomMixing


def day(mine, met, number=1, denial=""):
    said = [Statement(author=f"person {i + 2}", text="Hm.", belief=belief) for i, belief in enumerate(met)]
    return Day(day=number, mine=Statement(author="person 1", text="Hm.", belief=mine), met=tuple(said), denial=denial)


def test_the_law_of_opinion_by_hand():
    law = OpinionLaw(
        base=1, stale=0.5, credulity=2, own=3, short=4, long=5, doubt=0.5, bias=0.2, keep=0.6, denial=7, fade=0.5
    )
    mind = Opinionated(law, {"person 1": 0.25})
    mind.reset(0, ["person 1"])
    # a doubter reads a believer (0.8 of 1) and a doubter (-0.5): e = 0.15, m = 0.4 e
    odds = 1 + 2 * 0.25 - 3 + 4 * 0.15 + 5 * 0.06
    assert mind.chance("person 1", day(False, [True, False])) == pytest.approx(1 / (1 + math.exp(-odds)))
    # a believer on day 3 reads two doubters (0.8 of -0.5 each): e = -0.4, m = 0.6 * 0.06 - 0.4 * 0.4; denied: d = 1
    odds = 1 - 1 + 0.5 + 3 - 1.6 + 5 * (0.036 - 0.16) - 7 * (1 - math.exp(-1))
    assert mind.chance("person 1", day(True, [False, False], 3, "No.")) == pytest.approx(1 / (1 + math.exp(-odds)))
    assert Contagious(0.6, 0.2).chance("x", day(False, [True, False, True])) == pytest.approx(0.4)
    assert Contagious(0.6, 0.2).chance("x", day(True, [False])) == 0.8


def test_a_feed_and_its_twin_on_columns_go_the_same_way():
    """The same law and luck, once through observations and verbs, once through matrices: equal to the last bit."""
    scene = feed(users=150, sources=8, rounds=10, population=3)
    seen = trace(setting_of(scene.world, 3), rollouts(scene, episodes=1, seed=5, progress=False), scene.world.leanings, 10)
    seed = scene.policies.state_dict()["seed"]
    sources = np.flatnonzero(seen.states[0].posted)
    twin = play(
        setting_of(scene.world, 3),
        EmotionLaw(),
        State.start(scene.world.leanings, sources),
        10,
        lambda t: luck(seed, t, 150),
    )
    for mine, other in zip(seen.states, twin.states, strict=True):
        assert (mine.aware == other.aware).all() and (mine.posted == other.posted).all()
        assert (mine.emotion == other.emotion)[mine.aware].all() and (mine.attitude == other.attitude)[mine.aware].all()
    assert twin.states[-1].aware.sum() > 40 and max(state.emotion.max() for state in twin.states) == 2


def test_the_law_is_recovered_from_its_own_cascades():
    world = Feed(users=3000, follows=4, graph=1, sources=90)
    setting = setting_of(world, 1)
    rng = np.random.default_rng(0)
    start = State.start(world.leanings, np.arange(90))
    found = fit(setting, play(setting, EmotionLaw(), start, 14, lambda t: rng.random((3000, 3))))
    for name, value in EmotionLaw():
        assert getattr(found, name) == pytest.approx(value, rel=0.25), name


def asking(log, answers=None):
    """A model that notes what it is asked; it writes a fixed sentence, and likes the first answer, wherever it stands."""

    def respond(request):
        log.append(request)
        return "They all talk." if request.schema is None else '{"post": "It is so.", "belief": true, "reason": "x"}'

    def rate(request):
        log.append(request)
        content = request.messages[-1]["content"]
        return [0.0 if f"{letter}. yes" in content else -5.0 for letter in request.options]

    return scripted(respond, rate, name="asking")


def played(log, **parts):
    world = RandomMixing(
        people=3, believers=1, meetings=2, days=2, denials=[2], believing="It burns.", doubting="Not known."
    )
    people = dict(zip(world.possible_agents, citizens(3, 0), strict=True))
    run = simulate(world, Citizens(asking(log), "The barn burns.", people, **parts), seed=1, progress=False)
    return run.trajectories(), [request.messages for request in log]


def test_citizens_ask_with_words_alone():
    log = []
    data, asked = played(log)
    assert all(isinstance(a, Opine) and a.belief and a.post == "They all talk." for one in data for a in one.actions)
    text = "\n".join(m["content"] for messages in asked for m in messages)
    assert "It burns." in text and "The barn burns." in text and "Officials say" in text
    assert "hold on to what you already think" in text and "Education: " in text
    assert "belief" not in text.lower().replace("believe", ""), "whether others believe is not shown"
    assert len(asked) == 3 * 2 * 5  # short, long, belief in two orders, post


@pytest.mark.parametrize(
    ("parts", "calls", "missing"),
    [
        ({"short": False}, 4, "Sum up in one short"),
        ({"long": False}, 4, "remembered until now"),
        ({"bias": False}, 5, "hold on to"),
        ({"mind": "structured"}, 3, "Answer with one letter"),
    ],
)
def test_citizens_without_a_part(parts, calls, missing):
    log = []
    data, asked = played(log, **parts)
    assert len(asked) == 3 * 2 * calls
    assert not any(missing in m["content"] for messages in asked for m in messages)
    assert all(a.belief for one in data for a in one.actions)


def test_a_citizen_without_an_answer_keeps_to_what_it_said():
    world = RandomMixing(people=3, believers=1, meetings=1, days=1)
    model = scripted(lambda request: "nonsense", name="mute", repairs=0, attempts=1)
    policy = Citizens(model, "A.", None, mind="structured")
    done = simulate(world, policy, seed=0, progress=False).steps.collect()
    assert done.filter(done["fault"].is_not_null()).height == 3


def test_influence_by_hand():
    post = Post(id=1, author="a", text="Wind and waves", emotion="calm", attitude="positive")
    assert influence(post, 2, "likes wind", 0.5, 0.8) == pytest.approx(0.64 * (0.5 + 1 / 6) * 0.5)


def test_users_notice_what_weighs_most_and_remember_it():
    log = []
    trusted = {"a": 1.0, "b": 0.5}
    shown, _, _ = profiles(1, 0)
    policy = FeedUsers(asking(log), "A barn burns.", {"u": shown[0]}, trusted, notice=1)
    policy.reset(0, ["u"])

    def act(number, *posts):
        view = Timeline(round=number, emotion="calm", attitude="positive", posts=posts)
        return simulate_one(policy, view)

    posts = [Post(id=i, author=a, text=f"Post of {a}.", emotion="calm", attitude="positive") for i, a in enumerate("ba")]
    act(0, *posts)
    first = log[0].messages[-1]["content"]
    assert "Post of a." in first and "Post of b." not in first and "several posts" in first
    count = len(log)
    act(1)
    later = log[count].messages[-1]["content"]
    assert "Post of a." in later, "kept in the pool"
    assert len(log) - count == 3, "without new posts feelings stay, and only the action is asked for"
    again = FeedUsers(asking([]), "A barn burns.", {"u": shown[0]}, trusted)
    again.load_state_dict(policy.state_dict())
    assert again.state_dict() == policy.state_dict()


def simulate_one(policy, view):
    from ethogram.aio import run_coroutine

    return run_coroutine(policy.act({"u": view}, {"u": Verbs(Opine)}))["u"]
