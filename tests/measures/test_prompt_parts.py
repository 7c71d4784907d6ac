"""Attribution to the parts of prompts: what a scripted chooser goes by is found, and what it does not go by gets nothing."""

import asyncio
import re

import numpy as np
import pytest

from ethogram.errors import ConfigError
from ethogram.language import scripted
from ethogram.measures.attribution import shapley_values
from ethogram.measures.prompt_parts import Part, PartedChoice, chances, log_odds, part_scores, token_noise

FIRST = 0.7


def prompt(a, b):
    """Two flights with prices, a form without meaning, and words of courtesy."""
    parts = {
        "price": Part({"a": f", {a} francs", "b": f", {b} francs"}, {"a": ", price not stated", "b": ", price not stated"}),
        "form": Part({"form": "Form K-4721. "}, {"form": "Form. "}, noise=True),
        "please": Part({"please": "Please "}, {}, noise=True),
    }
    return PartedChoice("{form}{please}choose a flight.", ("early{a}", "late{b}"), parts)


def chooser(price=-0.05, form=0.0):
    """Goes by the price, and prefers what is listed first; with `form`, the early flight where a form is named."""

    def rate(request):
        lines = re.findall(r"^([AB])\. (\w+)(?:, (\d+) francs)?", request.messages[-1]["content"], re.MULTILINE)
        named = "K-4721" in request.messages[-1]["content"]
        return {
            letter: price * float(francs or 0) + FIRST * (letter == "A") + form * named * (flight == "early")
            for letter, flight, francs in lines
        }

    return scripted(rate=rate)


def scored(model, removed="deleted"):
    return asyncio.run(part_scores(model, [prompt(90, 60), prompt(40, 70)], removed))


@pytest.mark.parametrize("removed", ["deleted", "neutral"])
def test_a_chooser_by_price_gives_noise_nothing(removed):
    scores = scored(chooser(), removed)
    assert scores.shape == (2, 8, 2, 2)
    odds = log_odds(scores, 0)
    assert shapley_values(odds) == pytest.approx(np.array([[-1.5, 0, 0], [1.5, 0, 0]]), abs=1e-12)
    assert np.allclose(log_odds(scores, 0, [0]) - odds, FIRST) and np.allclose(log_odds(scores, 0, [1]) - odds, -FIRST)
    assert chances(scores)[0, 1] == pytest.approx([1 / (1 + np.exp(1.5)), 1 / (1 + np.exp(-1.5))])
    found = token_noise({"both": odds, "first": chances(scores, [0])[..., 0]}, prompt(1, 2).noise)
    assert all(one["noise share"].high < 1e-12 and one["residual"].value < 1e-12 for one in found.values())


def test_a_planted_taste_for_a_form_is_found():
    scores = scored(chooser(form=0.5))
    assert shapley_values(log_odds(scores, 0)) == pytest.approx(np.array([[-1.5, 0.5, 0], [1.5, 0.5, 0]]), abs=1e-12)
    assert token_noise({"both": log_odds(scores, 0)}, prompt(1, 2).noise)["both"]["noise share"].value == pytest.approx(0.25)


def test_prompts_read_as_told_and_are_asked_for_once():
    one = prompt(90, 60)
    assert one.put({"price", "please"}) == ("Please choose a flight.", ["early, 90 francs", "late, 60 francs"])
    assert one.put(set(), "neutral") == ("Form. choose a flight.", ["early, price not stated", "late, price not stated"])
    texts = []
    asyncio.run(part_scores(scripted(rate=lambda r: texts.append(r.messages[-1]["content"]) or [0.0, 0.0]), [one, one]))
    assert len(texts) == len(set(texts)) == 16 and texts == sorted(texts)


def test_three_options_against_one_another():
    scores = np.log([[[0.2, 0.3, 0.5]]])
    assert chances(scores)[0] == pytest.approx([0.2, 0.3, 0.5])
    assert log_odds(scores, 2)[0] == pytest.approx(0.0) and log_odds(scores, 0)[0] == pytest.approx(np.log(0.25))


@pytest.mark.parametrize(
    ("question", "parts", "said"),
    [
        ("{a}?", {}, "the slot 'a'"),
        ("?", {"p": Part({"b": "x"}, {})}, "the slot 'b'"),
        ("{a}?", {"p": Part({"a": "x"}, {}), "q": Part({"a": "y"}, {})}, "filled by one part"),
        ("{a}?", {"p": Part({"a": "x"}, {"c": "y"})}, "neutral words for the slot 'c'"),
    ],
)
def test_slots_that_do_not_fit_are_refused(question, parts, said):
    with pytest.raises(ConfigError, match=said):
        PartedChoice(question, ("yes", "no"), parts)
