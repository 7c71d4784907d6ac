"""Reference data: found, or said to be missing."""

import os

import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.records.reference import VARIABLE, cascades, reference


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(DataError, match=r"'cascades'.*ETHOGRAM_DATA is not set.*camel-ai/oasis.*Apache-2.0"):
        reference("cascades")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="does not exist"):
        reference("cascades")
    with pytest.raises(ConfigError, match="no reference data set 'nonsense'"):
        reference("nonsense")


def test_tables_are_checked(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    path = tmp_path / "cascades" / "cascades.csv"
    path.parent.mkdir()
    names = "label,source,num_users,max_depth,mean_time,median_time,max_time,topic_category,topic_name"
    path.write_text(
        f"{names}\nTrue,twitter15,534,4,1.37,1.08,2.08,Politics,a\nFalse,twitter16,286,3,0.7,0.67,1.24,Business,b\n"
    )
    frame = cascades()
    assert frame["label"].to_list() == [True, False] and frame["num_users"].to_list() == [534, 286]
    path.write_text("label,users\nTrue,3\n")
    with pytest.raises(DataError, match="is not the table of cascades"):
        cascades()


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set: the real cascades are not here")
def test_the_real_cascades():
    frame = cascades()
    assert frame.height == 198 and frame["label"].sum() == 100 and (frame["mean_time"] < 0).sum() == 2
    assert frame["num_users"].min() == 108 and frame["max_depth"].max() == 9
