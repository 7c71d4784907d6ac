"""Surveys from and to SurveyJS."""

import json
from pathlib import Path

import pytest

from ethogram.errors import DataError
from ethogram.questionnaires import Condition, instrument, load
from ethogram.questionnaires.surveyjs import from_surveyjs, to_surveyjs

COMMUTING = load(Path(__file__).with_name("commuting.toml"))
SURVEY = {
    "title": {"default": "Holidays", "de": "Ferien"},
    "description": "About your last holiday.",
    "pages": [
        {
            "name": "page1",
            "elements": [
                {"type": "html", "name": "hello", "html": "<b>Hello</b>"},
                {"type": "boolean", "name": "wentAway", "title": "Did you go away?"},
                {
                    "type": "panel",
                    "name": "panel1",
                    "visibleIf": "{wentAway} = 'Yes'",
                    "elements": [
                        {
                            "type": "dropdown",
                            "name": "how",
                            "title": "How?",
                            "choices": ["train", {"value": 2, "text": "by car"}],
                            "showOtherItem": True,
                        },
                        {
                            "type": "checkbox",
                            "name": "2 why",
                            "title": "Why?",
                            "choices": ["sun", "rest"],
                            "maxSelectedChoices": 1,
                            "choicesOrder": "random",
                        },
                        {
                            "type": "text",
                            "name": "cost",
                            "inputType": "number",
                            "min": 0,
                            "visibleIf": "{how} <> 'train' and !({2 why} contains 'sun')",
                        },
                    ],
                },
            ],
        },
        {
            "name": "page 2",
            "visibleIf": "{how} anyof ['train', 'Other'] || {cost} >= 100",
            "questionsOrder": "random",
            "elements": [
                {
                    "type": "rating",
                    "name": "liked",
                    "title": "Did you like it?",
                    "rateMax": 7,
                    "minRateDescription": "no",
                    "maxRateDescription": "very much",
                },
                {"type": "comment", "name": "more", "title": "Anything else?"},
            ],
        },
    ],
}


@pytest.mark.parametrize("questionnaire", [COMMUTING, instrument("mini-ipip")], ids=["commuting", "mini-ipip"])
def test_there_and_back_it_is_the_same_questionnaire(questionnaire):
    survey = json.loads(json.dumps(to_surveyjs(questionnaire)))
    back = from_surveyjs(survey)
    assert to_surveyjs(back) == survey
    mine, theirs = (q.model_dump() for q in (questionnaire, back))
    for block in mine["blocks"] + theirs["blocks"]:
        for part in (block, *block["items"]):
            part["shown_if"] = None  # written differently, and compared below
    assert theirs == mine
    for name, condition in questionnaire.conditions.items():
        for car, frame, price in (("yes", "gain", "2"), ("no", "loss", "4"), ("no", "loss", "2"), (None, "loss", "8")):
            values = {"car": car, "frame": frame, "price": price}
            assert condition(values) == back.conditions[name](values)


def test_a_survey_made_elsewhere():
    q = from_surveyjs(SURVEY)
    assert q.title == "Holidays" and [b.name for b in q.blocks] == ["page1", "page_2"]
    assert list(q.items) == ["went_away", "how", "q_2_why", "cost", "liked", "more"]
    assert q.items["went_away"].options == ["Yes", "No"] and q.items["how"].options == ["train", "by car", "Other"]
    assert q.items["q_2_why"].most == 1 and q.items["q_2_why"].shuffled
    assert q.items["liked"].points() == ["1 (no)", "2", "3", "4", "5", "6", "7 (very much)"]
    assert q.items["cost"].low == 0 and q.items["cost"].high is None and q.blocks[1].order == "random"
    cost = q.conditions["cost"]
    assert cost({"went_away": "Yes", "how": "by car", "q_2_why": ["rest"]})
    assert not cost({"went_away": "Yes", "how": "by car", "q_2_why": ["sun"]})
    assert not cost({"went_away": "No", "how": "by car", "q_2_why": ["rest"]})
    page = q.conditions["page_2"]
    assert page({"how": "Other"}) and page({"how": "by car", "cost": 150}) and not page({"how": "by car", "cost": 15})


def test_json_files_are_read(tmp_path):
    path = tmp_path / "holidays.json"
    path.write_text(json.dumps(SURVEY))
    assert list(load(path).items) == list(from_surveyjs(SURVEY).items)
    path.write_text("{")
    with pytest.raises(DataError, match=r"holidays.json is not JSON"):
        load(path)


def test_conditions_of_every_kind_survive():
    for text in (
        "not (a == 1 or b != 'x')",
        "1 < a <= 3",
        "'x' in c",
        "'x' not in c",
        "a in [1, 2]",
        "b not in ['x']",
        "a == -2",
    ):
        from ethogram.questionnaires.surveyjs import _exported, _imported

        again = Condition(_imported(_exported(Condition(text)), "here"))
        for a in (-2, 1, 2, 4, None):
            for b in ("x", "y"):
                for c in (["x"], []):
                    values = {"a": a, "b": b, "c": c}
                    assert again(values) == Condition(text)(values), (text, again.text, values)


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        ([], "is no SurveyJS survey"),
        (
            {"pages": [{"name": "p", "elements": [{"type": "matrix", "name": "m"}]}]},
            "element m is of the type 'matrix', which is not known",
        ),
        ({"elements": [{"type": "radiogroup", "name": "x"}]}, "element x has no list of choices"),
        (
            {"elements": [{"type": "comment", "name": "x", "visibleIf": "iif({a}, 1)"}]},
            "cannot be read from 'iif({a}, 1)' on",
        ),
        ({"elements": [{"type": "comment", "name": "x", "visibleIf": "{nothing} = 1"}]}, "'x' refers to 'nothing'"),
        ({"elements": [{"type": "comment", "name": "???"}]}, "is no name"),
        ({"elements": [{"type": "rating", "name": "x", "rateValues": ["a", "b"]}]}, "not whole numbers in a row"),
    ],
)
def test_what_cannot_be_taken_over_is_said(survey, said):
    with pytest.raises(DataError, match="the survey") as error:
        from_surveyjs(survey)
    assert said in str(error.value)
