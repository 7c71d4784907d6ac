"""A language model between two gambles: prompts, both orders, forecasts, reasoning, and play in the world."""

import asyncio
import json
import re

import numpy as np
import pytest

from ethogram.decisions import Gambles
from ethogram.decisions.asking import Outcome, TwoGambles
from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.policies.prompted.prompted_gambler import FRAMINGS, PromptedGambler, Weighed, gamble, question
from ethogram.simulation import simulate
from ethogram.worlds.coded.gambling import Gambling

SURE, RISKY = [Outcome(chance=1.0, amount=30)], [Outcome(chance=0.8, amount=40), Outcome(chance=0.2, amount=-1.5)]
SEEN = TwoGambles(a=SURE, b=RISKY, number=0, got=None)


def wanting(text, bias=0.0):
    """A model that gives 2 nats to the line with a text, and `bias` to the first letter; it keeps what it was asked."""
    asked = []

    def rate(request):
        asked.append(request.messages)
        lines = re.findall(r"^([AB])\. (.*)$", request.messages[-1]["content"], re.MULTILINE)
        return {letter: 2.0 * (text in line) + bias * (letter == "A") for letter, line in lines}

    def respond(request):
        asked.append(request.messages)
        lines = re.findall(r"^([AB])\. (.*)$", request.messages[0]["content"], re.MULTILINE)
        first = text in lines[0][1]
        return json.dumps({"percent_a": 90 if first else 10}) if request.schema else "I compare them."

    return scripted(respond, rate), asked


def weighed(policy):
    policy.reset(0, ["me"])
    return asyncio.run(policy.weigh("me", SEEN))


def test_gambles_in_words():
    assert gamble(SURE) == "$30 with 100% chance"
    assert sorted(gamble(RISKY).split(", ")) == ["$-1.5 with 20% chance", "$40 with 80% chance"]
    many = [Outcome(chance=0.1, amount=i) for i in range(10)]
    assert gamble(many) == gamble(many) != gamble(many[::-1]), "shuffled, and the same each time"


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("think", [False, True])
def test_orders_cancel_what_the_first_place_adds(framing, think):
    model, asked = wanting("$40", bias=1.0)
    found = weighed(PromptedGambler(model, framing=framing, think=think))
    if framing == "share":
        assert found.chance() == pytest.approx(0.9) and found.first_named == pytest.approx(0.5)
    else:
        assert found.scores == pytest.approx(np.array([[1.0, 2.0], [0.0, 3.0]]))
        assert found.chance() == pytest.approx(1 / (1 + np.exp(-2))) and found.first_named > 0.5
        assert found.chance(0) == 1.0
    assert len(asked) == (4 if think else 2)
    assert ("I compare them." in str(asked[-1])) is think and ("step by step" in str(asked[0])) is think
    assert all("$40" in str(messages) and "$30" in str(messages) for messages in asked)


def test_framings_differ_in_who_chooses():
    assert "Which machine do you choose?" in question("act") and "the person choose?" in question("predict")
    assert question("share", people=17).startswith("17 people") and "JSON" not in question("share", think=True)
    with pytest.raises(ConfigError, match="give one of act, predict, share"):
        PromptedGambler(wanting("")[0], framing="dream")  # type: ignore[arg-type]


def test_one_order_and_none():
    model, _ = wanting("$40", bias=3.0)
    assert weighed(PromptedGambler(model, average=False)).chance() == pytest.approx(1 / (1 + np.e))
    assert np.isnan(Weighed(np.zeros((1, 2))).first_named) and Weighed(np.zeros((2, 2))).chance(0) == 0.5
    policy = PromptedGambler(model)
    same = asyncio.run(policy.weigh("me", TwoGambles(a=RISKY, b=RISKY, number=0, got=None)))
    assert same.chance() == 0.5


def test_it_plays_in_the_world(tmp_path):
    model, _ = wanting("$40")
    a, b = Gambles.of([[[1.0, 30]]] * 300), Gambles.of([[[0.8, 40], [0.2, 0]]] * 300)
    run = simulate(Gambling(a, b), PromptedGambler(model, temperature=2.0), seed=3, to=tmp_path / "run", progress=False)
    share = run.trajectories().outcomes("chose b")[0]
    assert share == pytest.approx(1 / (1 + np.exp(-1)), abs=4 * np.sqrt(0.2 / 300))
