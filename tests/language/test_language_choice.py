"""Choices: how questions are put, and what is made of the scores."""

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_tools import Run

from ethogram.errors import ConfigError
from ethogram.language import Request, Scores, scripted
from ethogram.language.choice import arrangements, decide, softmax
from ethogram.seeds import generator
from ethogram.session import use

ASK = [{"role": "system", "content": "You are Ann."}, {"role": "user", "content": "What now?"}]


def test_by_label_every_option_stands_once_under_every_letter() -> None:
    found = arrangements(ASK, ["rest", "work", "play"], "label", True, "")
    assert [a.messages[-1]["content"].split("\n")[2:5] for a in found] == [
        ["A. rest", "B. work", "C. play"],
        ["A. work", "B. play", "C. rest"],
        ["A. play", "B. rest", "C. work"],
    ]
    assert [a.order for a in found] == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    assert all(a.answers == ["A", "B", "C"] and not a.mean for a in found)
    assert all(a.messages[0] == ASK[0] and a.messages[1]["content"].startswith("What now?\n\n") for a in found)
    assert ASK[1]["content"] == "What now?"  # the caller's messages are left alone


def test_by_text_the_options_themselves_are_scored_and_their_length_taken_out() -> None:
    (one,) = arrangements(ASK, ["rest", "work"], "text", False, "")
    assert (one.answers, one.mean) == (["rest", "work"], True)
    assert "\n- rest\n- work\n" in one.messages[1]["content"]
    assert not arrangements(ASK, ["rest"], "text", False, "sum")[0].mean
    assert arrangements(ASK, ["rest"], "label", False, "mean")[0].mean


@pytest.mark.parametrize(
    ("messages", "n", "by", "length", "said"),
    [
        (ASK, 2, "guess", "", "by='guess'"),
        (ASK, 2, "text", "max", "length='max'"),
        (ASK, 27, "label", "", "27 options but only 26 letters"),
        (ASK[:1], 2, "label", "", "role 'system'"),
    ],
)
def test_what_cannot_be_asked_is_said(messages, n: int, by: str, length: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arrangements(messages, [str(i) for i in range(n)], by, True, length)


def scores(values: list[float], tokens: list[int] | None = None, method="exact") -> Scores:
    return Scores([""] * len(values), values, method, tokens or [])


def test_scores_are_averaged_over_arrangements_by_hand() -> None:
    asked = arrangements(ASK, ["x", "y"], "label", True, "")
    # x under A: -1, y under B: -2; then y under A: -1.5, x under B: -4.
    made = decide(["x", "y"], asked, [scores([-1, -2]), scores([-1.5, -4])], 1.0, np.random.default_rng(0))
    assert made.scores.tolist() == [(-1 - 4) / 2, (-2 - 1.5) / 2]
    p = math.exp(-2.5) / (math.exp(-2.5) + math.exp(-1.75))
    assert made.probabilities.tolist() == pytest.approx([p, 1 - p])
    assert made.arrangements == 2


def test_the_mean_over_tokens_by_hand() -> None:
    asked = arrangements(ASK, ["one", "two three"], "text", False, "")
    made = decide(["one", "two three"], asked, [scores([-3.0, -4.0], [1, 4])], 1.0, np.random.default_rng(0))
    assert made.scores.tolist() == [-3.0, -1.0]
    unknown = decide(["one", "two three"], asked, [scores([-3.0, -4.0])], 1.0, np.random.default_rng(0))
    assert unknown.scores.tolist() == [-3.0, -2.0]  # words, where tokens are not known


def test_the_index_is_where_one_uniform_number_falls() -> None:
    class Fixed:
        def __init__(self, u: float) -> None:
            self.u = u

        def random(self) -> float:
            return self.u

    asked = arrangements(ASK, ["a", "b", "c"], "label", False, "")
    result = scores([math.log(0.2), math.log(0.5), math.log(0.3)])
    for u, index in [(0.0, 0), (0.199, 0), (0.201, 1), (0.699, 1), (0.701, 2), (0.9999999999999999, 2)]:
        assert decide(["a", "b", "c"], asked, [result], 1.0, Fixed(u)).index == index  # type: ignore[arg-type]
    rng, twin = generator(1), generator(1)
    decide(["a", "b", "c"], asked, [result], 1.0, rng)
    twin.random()
    assert rng.random() == twin.random()


def test_softmax_at_its_edges() -> None:
    assert softmax(np.array([0.0, 0.0])).tolist() == [0.5, 0.5]
    assert softmax(np.array([-1.0, 3.0, 3.0]), 0).tolist() == [0, 1, 0]
    assert softmax(np.array([-np.inf, -np.inf])).tolist() == [0.5, 0.5]
    assert softmax(np.array([-np.inf, -7.0])).tolist() == [0, 1]
    assert softmax(np.array([-1000.0, -2000.0]), 1e-300).tolist() == [1, 0]
    assert softmax(np.array([0.0, math.log(9.0)]), 2.0).tolist() == pytest.approx([0.25, 0.75])


@settings(deadline=None, max_examples=50)
@given(
    preference=st.lists(st.floats(-5, 5), min_size=2, max_size=6),
    bias=st.lists(st.floats(-5, 5), min_size=6, max_size=6),
)
def test_biases_of_places_cancel(preference: list[float], bias: list[float]) -> None:
    options = [f"option {i}" for i in range(len(preference))]

    def rate(r: Request) -> list[float]:
        lines = r.messages[-1]["content"].split("\n")[2 : 2 + len(options)]
        return [preference[options.index(line[3:])] + bias[place] for place, line in enumerate(lines)]

    made = asyncio.run(scripted(None, rate).choose("Which?", options, rng=generator(0)))
    assert made.probabilities == pytest.approx(softmax(np.array(preference)), abs=1e-9)


def test_a_choice_is_recorded_one_call_an_arrangement_and_replays() -> None:
    def choose(run: Run) -> tuple:
        with use(run.session):
            made = asyncio.run(speaker.choose("Which?", ["x", "y", "z"], rng=generator(3), agent="ann", purpose="pick"))
        return made.option, made.probabilities.tolist(), made.method

    speaker = scripted(None, lambda r: [-1.0, -1.5, -len(r.messages[-1]["content"]) / 10])
    run = Run()
    first = choose(run)
    assert [(c.position.agent, c.position.purpose, c.position.n) for c in run.calls] == [
        ("ann", "pick", n) for n in range(3)
    ]
    assert choose(run.resumed()) == first


def test_choices_follow_the_probabilities_that_are_given() -> None:
    speaker = scripted(None, lambda r: {"A": math.log(0.1), "B": math.log(0.9)})

    async def many() -> list[int]:
        rng = generator(7)
        return [(await speaker.choose("Which?", ["x", "y"], rng=rng, average=False)).index for _ in range(2000)]

    assert abs(np.mean(asyncio.run(many())) - 0.9) < 4 * math.sqrt(0.09 / 2000)


def test_the_weakest_method_is_the_one_named() -> None:
    asked = arrangements(ASK, ["x", "y"], "label", True, "")
    results = [scores([-1, -2], method="top-k"), scores([-1, -2])]
    assert decide(["x", "y"], asked, results, 1.0, np.random.default_rng(0)).method == "top-k"
