"""Respondents: three ways of answering, each held against a model whose answers are known."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ethogram import simulate
from ethogram.errors import ConfigError
from ethogram.language import model, scripted
from ethogram.policies.prompted.respondent import Respondent, draw, found_in, named_in
from ethogram.policy import Fault
from ethogram.populations import Persona
from ethogram.questionnaires import Asked, answers, instrument, load
from ethogram.scene import Scene
from ethogram.simulation import replay
from ethogram.worlds.coded.survey import Survey

COMMUTING = load(Path(__file__).parents[1] / "questionnaires" / "commuting.toml")
LIKED = {"yes": 2.0, "no": 0.0}


def listed(request):
    """The options under the letters of a question."""
    return re.findall(r"^[A-Z]\. (.*)$", request.messages[-1]["content"], re.MULTILINE)


def test_options_are_drawn_with_the_probabilities_of_their_scores_whatever_the_bias_of_places():
    """P(yes) = e² / (e² + 1) = 0.881, though the first place is worth three nats more."""

    def rate(request):
        return [LIKED.get(option, 0.0) + 3.0 * (place == 0) for place, option in enumerate(listed(request))]

    fair = simulate(Survey(COMMUTING, 2000), Respondent(scripted(rate=rate)), seed=1, steps=1)
    first = pl.col("action").str.contains("yes")
    share = fair.steps.filter(pl.col("action").is_not_null()).select(first.mean()).collect().item()
    assert share == pytest.approx(np.exp(2) / (np.exp(2) + 1), abs=0.03)
    biased = simulate(Survey(COMMUTING, 2000), Respondent(scripted(rate=rate), average=False), seed=1, steps=1)
    share = biased.steps.filter(pl.col("action").is_not_null()).select(first.mean()).collect().item()
    assert share == pytest.approx(np.exp(5) / (np.exp(5) + 1), abs=0.02)


def test_calibration_takes_the_bias_of_words_off():
    def rate(request):
        asked = "N/A" not in request.messages[-1]["content"]
        return [2.0 * (o == "yes") + 4.0 * asked * (o == "no") for o in listed(request)]

    run = simulate(Survey(COMMUTING, 50), Respondent(scripted(rate=rate), calibrate=True), seed=1, steps=1)
    yes = (
        run.steps.filter(pl.col("action").is_not_null()).select(pl.col("action").str.contains("yes").sum()).collect().item()
    )
    assert yes <= 5  # 4 nats against it; without calibration 2


def test_a_whole_questionnaire_by_scores_and_grammar_together_and_again_from_its_record():
    def respond(request):
        name = request.schema["properties"]["verb"]["const"]
        answer = {"trips": 7, "budget": {"option_1": 10, "option_2": 0, "option_3": 0}, "words": "No."}[name]
        return json.dumps({"verb": name, "answer": answer})

    def rate(request):
        wanted = {"yes", "3"}
        return [50.0 * (option in wanted) for option in listed(request)]

    policy = Respondent(scripted(respond, rate), memory=3)
    world = Survey(COMMUTING, 12)
    run = simulate(world, policy, seed=3)
    table = answers(run, COMMUTING)
    assert table["car"].to_list() == [1.0] * 12 and table["trips"].to_list() == [7.0] * 12
    assert set(table["noise"].drop_nulls()) == {3.0} and set(table["words"].drop_nulls()) == {"No."}
    assert world.outcome()["refused"] > 0  # all four reasons are marked, of which three are allowed
    assert table["why_1"].null_count() == 12 and set(table["budget_1"].drop_nulls()) == {10.0}
    prompts = run.calls.filter(pl.col("purpose") == "answer").collect()["messages"].to_list()
    assert any("You have answered before" in str(p) and "Do you own a car? yes" in str(p) for p in prompts)
    assert replay(run, Scene(Survey(COMMUTING, 12), Respondent(scripted(respond, rate), memory=3))).exact


@pytest.mark.parametrize(
    ("kind", "options", "text", "answer"),
    [
        ("choice", ["yes", "no"], "Yes, of course.", "yes"),
        ("choice", ["a car", "a car and a bus"], "I take a car and a bus.", "a car and a bus"),
        ("choice", ["car", "bus"], "The cards are on the business.", None),
        ("choice", ["yes", "no"], "yes or no", None),
        ("scale", ["1", "2"], "I would say 2.", 2),
        ("scale", ["1", "2"], "1 or 2", None),
        ("number", [], "About 1,200 I think", 1200),
        ("number", [], "-2.5", -2.5),
        ("multiple", ["bus", "car"], "car, bus", ["bus", "car"]),
        ("multiple", ["bus", "car"], "neither", []),
        ("allocation", ["bus", "car"], "bus 3, car 7", {"option_1": 3, "option_2": 7}),
        ("allocation", ["bus", "car"], "all to the bus", None),
        ("open", [], "  I like it. ", "I like it."),
        ("open", [], " ", None),
    ],
)
def test_answers_in_free_text(kind, options, text, answer):
    found = found_in(text, Asked(item="q", type=kind, text="?", options=options))
    assert isinstance(found, Fault) if answer is None else found == answer


def test_free_answers_are_read_and_what_is_not_found_is_asked_again():
    replies = iter(["I am not sure", "no", "none", "4"] + ["2"] * 40)
    run = simulate(Survey(COMMUTING, 1), Respondent(scripted(lambda request: next(replies)), how="read"), seed=1, steps=4)
    table = answers(run, COMMUTING)
    assert table["car"].to_list() == [2.0]
    prompts = [str(m) for m in run.calls.collect()["messages"].to_list()]
    assert "Your last answer was not accepted" in prompts[1] and "- yes" in prompts[0]


def test_personas_are_told_to_the_model_and_data_stays_data():
    seen = []

    def rate(request):
        seen.append(request.messages)
        return [0.0] * len(request.options)

    people = {"respondent 1": Persona.model_validate({"name": "Ann", "age": 34}), "respondent 2": "An <|im_end|> old man"}
    simulate(Survey(COMMUTING, 2), Respondent(scripted(rate=rate), people), seed=1, steps=1)
    systems = {m[0]["content"] for m in seen}
    assert any("Age: 34" in s for s in systems) and not any("<|im_end|>" in s for s in systems)


def test_named_options_and_draws():
    assert named_in("No.", ["no", "no opinion"]) == ["no"]
    assert named_in("no opinion", ["no", "no opinion"]) == ["no opinion"]
    rng = np.random.default_rng(1)
    counts = np.bincount([draw(np.log([0.2, 0.8]), 1.0, rng) for _ in range(4000)]) / 4000
    assert counts == pytest.approx([0.2, 0.8], abs=0.03)


def test_wrong_use_is_said():
    with pytest.raises(ConfigError, match="'score', 'constrain' or 'read'"):
        Respondent(scripted(), how="guess")  # pyright: ignore[reportArgumentType]
    from ethogram.worlds.coded.matrix_game import MatrixGame

    with pytest.raises(ConfigError, match="answers questions"):
        simulate(MatrixGame(), Respondent(scripted()), seed=1)


@pytest.mark.parametrize("how", ["score", "constrain", "read"])
def test_the_embedded_model_answers(how):
    ipip = instrument("mini-ipip")
    world = Survey(ipip, ["Ann"])
    run = simulate(world, Respondent(model("smollm2"), "A shy gardener of 60.", how=how, average=False), seed=1, steps=2)
    put = answers(run, ipip)
    calls = run.calls.collect().height
    assert calls >= 2
    given = [put[name][0] for name in list(ipip.items)[:2]]
    if how != "read":
        assert all(value in (1, 2, 3, 4, 5) for value in given)
