"""Archetypes: one question a group, what replies leave open, replies that cannot be read."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from gymnasium.spaces import Box

from ethogram.columns import Asked
from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.policies.prompted.archetype import Archetype, named

OPTIONS = ("isolate", "go out")
SHARES = Box(0.0, 1.0, (2,), np.float64)


def asked(age="65A", cases=120.0, people=1000):
    return Asked(decision="What do they do?", options=OPTIONS, who={"age": age}, facts={"cases": cases}, people=people)


def act(policy, questions):
    return asyncio.run(policy.act(questions, dict.fromkeys(questions, SHARES)))


def test_a_law_is_answered_as_it_is_and_checked():
    policy = Archetype(lambda question: [0.3, 0.7] if question.who["age"] == "65A" else [0.1, 0.9])
    policy.reset(1, ["old", "young"])
    shares = act(policy, {"old": asked(), "young": asked("U19")})
    assert shares["old"].tolist() == [0.3, 0.7] and shares["young"].tolist() == [0.1, 0.9]
    assert policy.counts == {"questions": 2, "replies": 0, "failures": 0}
    with pytest.raises(ConfigError, match="2 probabilities"):
        act(Archetype(lambda question: [0.5, 0.6]), {"old": asked()})


def test_a_model_is_asked_once_a_group_and_question_and_not_for_more_people():
    seen = []

    def rate(request):
        seen.append(request.messages[-1]["content"])
        lines = {line[0]: line[3:] for line in seen[-1].splitlines() if line[1:3] == ". "}
        return [np.log(0.8) if lines[option] == "isolate" else np.log(0.2) for option in request.options]

    policy = Archetype(scripted(rate=rate))
    policy.reset(1, ["a"])
    first = act(policy, {"a": asked(people=10)})
    assert np.allclose(first["a"], [0.8, 0.2]) and len(seen) == 2  # both orders
    assert "age: 65A" in seen[0] and "cases: 120" in seen[0] and "What do they do?" in seen[0]
    assert act(policy, {"a": asked(people=10**6)})["a"].tolist() == first["a"].tolist() and len(seen) == 2
    act(policy, {"a": asked(cases=130.0)})
    assert len(seen) == 4 and policy.counts["questions"] == 2


def test_what_replies_leave_open_is_carried_on():
    """Over seeds the draws cover a known share as often as they say, and narrow as replies grow."""
    truth, inside, width = 0.3, {}, {}
    for replies in (5, 80):
        draws = []
        for seed in range(300):
            policy = Archetype(lambda question: [truth, 1 - truth], replies=replies)
            policy.reset(seed, ["a"])
            draws.append(act(policy, {"a": asked()})["a"][0])
        width[replies] = np.std(draws)
        inside[replies] = abs(np.mean(draws) - (0.5 + replies * truth) / (replies + 1)) < 4 * np.std(draws) / np.sqrt(300)
    assert all(inside.values()) and width[5] > 2.5 * width[80]
    # sd of counts / k and of the posterior, about sqrt(2 p q / k)
    assert width[80] == pytest.approx(np.sqrt(2 * truth * (1 - truth) / 81), rel=0.15)


def test_the_draw_is_of_the_question_not_of_the_step():
    policy = Archetype(lambda question: [0.5, 0.5], replies=4)
    policy.reset(3, ["a"])
    first = act(policy, {"a": asked()})["a"]
    act(policy, {"a": asked(cases=1.0)})
    state = json.loads(json.dumps(policy.state_dict()))
    assert act(policy, {"a": asked()})["a"].tolist() == first.tolist()
    copy = Archetype(lambda question: [0.5, 0.5], replies=4)
    copy.reset(0, ["a"])
    copy.load_state_dict(state)
    assert act(copy, {"a": asked()})["a"].tolist() == first.tolist()


def test_replies_that_cannot_be_read_are_counted_and_are_no_zeros():
    texts = iter(["Isolate.", "I would go out", "isolate or go out", "no idea", "They ISOLATE", "0.0"])
    policy = Archetype(scripted(lambda request: next(texts)), replies=6, prior=1e-6)
    policy.reset(0, ["a"])
    shares = act(policy, {"a": asked()})["a"]
    assert policy.counts == {"questions": 1, "replies": 6, "failures": 3}
    assert shares.sum() == pytest.approx(1) and 0 < shares[0] < 1
    silent = Archetype(scripted(lambda request: "?"), replies=3)
    means = []
    for seed in range(200):
        silent.reset(seed, ["a"])
        means.append(act(silent, {"a": asked()})["a"][0])
    assert silent.counts["failures"] == 3 and np.mean(means) == pytest.approx(0.5, abs=0.1)


def test_an_option_inside_of_another():
    options = ("work", "work from home", "stay")
    assert named("work from home", options) == 1 and named("They Work.", options) == 0
    assert named("work, or work from home", options) is None and named("homework", options) is None
