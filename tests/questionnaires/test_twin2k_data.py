"""The published layout of Twin-2K-500, on a made-up person."""

import json

import pytest

from ethogram.errors import DataError
from ethogram.populations.depths import answered
from ethogram.questionnaires.datasets.twin2k import answers, pairs, person

MATRIX = {
    "QuestionID": "QID2",
    "QuestionType": "Matrix",
    "QuestionText": "I am <b>someone</b> who",
    "Columns": ["no", "yes"],
}
MULTIPLE = {"QuestionID": "QID3", "QuestionType": "MC", "QuestionText": "Pets?", "Settings": {"Selector": "MAVR"}}
FORM = {"QuestionID": "QID5", "QuestionType": "TE", "QuestionText": "Write:", "Settings": {"Selector": "FORM"}}
PERSON = [
    {
        "ElementType": "Block",
        "Questions": [
            {"QuestionID": "QID0", "QuestionType": "DB", "QuestionText": "Welcome"},
            {
                "QuestionID": "QID1",
                "QuestionType": "MC",
                "QuestionText": "Region&nbsp;?",
                "Settings": {"Selector": "SAVR"},
                "Options": ["North", "South"],
                "Answers": {"SelectedByPosition": 2, "SelectedText": "South"},
            },
            {
                **MATRIX,
                "Rows": ["talks", "rests", "sings"],
                "RowsID": ["1", "2", "4"],
                "Answers": {"SelectedByPosition": [1, 2], "SelectedText": ["no", "yes"]},
            },
        ],
    },
    {
        "ElementType": "Branch",
        "Elements": [
            {
                "ElementType": "Block",
                "Questions": [
                    {**MULTIPLE, "Options": ["cat", "dog", "eel"], "Answers": {"SelectedByPosition": [1, 3]}},
                    {
                        "QuestionID": "QID4",
                        "QuestionType": "Slider",
                        "QuestionText": "Chance",
                        "Statements": [""],
                        "Answers": {"Values": ["55"]},
                    },
                    {**FORM, "Rows": ["age", "word"], "Answers": {"Text": [{"age": "1,041"}, {"word": "sun"}]}},
                    {"QuestionID": "QID6", "QuestionType": "TE", "QuestionText": "Pay?", "Answers": {"Text": "$12.50"}},
                ],
            }
        ],
    },
]


def write(folder, content, name="pid_7_mega_persona.json"):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / name


def test_every_type_of_question_has_its_number(tmp_path):
    write(tmp_path, PERSON)
    write(tmp_path, json.dumps(json.dumps({"Elements": PERSON[:1]})), "pid_3_mega_persona.json")  # JSON within a text
    table = answers(tmp_path)
    assert table["TWIN_ID"].to_list() == [3, 7]
    assert table.row(1, named=True) == {
        **{"TWIN_ID": 7, "QID1": 2, "QID2_1": 1, "QID2_2": 2, "QID3_1": 1, "QID3_2": 0, "QID3_3": 1},
        **{"QID4": 55, "QID5_1": 1041, "QID6": 12.5},
    }
    assert table["QID4"].to_list() == [None, 55]


def test_a_person_becomes_a_persona_of_what_was_answered(tmp_path):
    given = person(write(tmp_path, PERSON))
    assert [a.column for a in given][:4] == ["QID1", "QID2_1", "QID2_2", "QID2_4"]
    said = pairs(given)
    assert ("I am someone who rests", "yes") in said and ("Pets? dog", "no") in said and ("Write: word", "sun") in said
    assert not any("sings" in question for question, _ in said)  # not answered
    assert "Question: Region ?\nAnswer: South" in answered(said)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "no readable JSON"),
        ({"a": 1}, "a list of blocks"),
        ([{"ElementType": "Block", "Questions": [{"QuestionID": "QID9", "QuestionType": "Hologram"}]}], "QID9.*'Hologram'"),
        ([{"ElementType": "Block", "Questions": [{**MATRIX, "Rows": ["a"], "RowsID": ["1", "2"]}]}], "QID2.*type Matrix"),
    ],
)
def test_what_is_not_of_the_layout_is_named(tmp_path, content, says):
    with pytest.raises(DataError, match=says):
        person(write(tmp_path, content))
    with pytest.raises(DataError, match=r"holds no file nobody\*"):
        answers(tmp_path, "nobody*")
