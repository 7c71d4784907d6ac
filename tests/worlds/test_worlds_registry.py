"""Worlds are found by their file names, without being imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from ethogram import worlds
from ethogram.errors import ConfigError


def test_names_imports_no_world() -> None:
    code = "import sys, ethogram.worlds as w; print(w.names()); print([m for m in sys.modules if '.worlds.' in m])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "'town'" in out[0] and "'commons'" in out[0] and out[1] == "[]"


def test_make_takes_options() -> None:
    assert worlds.make("commons", fishers=7).possible_agents[-1] == "fisher 7"


def test_unknown_names_and_options_are_explained() -> None:
    with pytest.raises(ConfigError, match=r"no world 'twon'; did you mean 'town'"):
        worlds.make("twon")
    with pytest.raises(ConfigError, match=r"'commons' does not take these options.*'fisher'; did you mean 'fishers'"):
        worlds.make("commons", fisher=3)


def test_kinds() -> None:
    assert set(worlds.names("coded")) <= set(worlds.names())
    assert worlds.names("nothing") == []


def test_a_new_file_is_a_new_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in worlds.KINDS:
        (tmp_path / kind).mkdir()
    source = Path(worlds.__file__).parent / "coded" / "commons.py"
    (tmp_path / "coded" / "fishery.py").write_text(source.read_text())
    (tmp_path / "coded" / "empty.py").write_text("")
    (tmp_path / "coded" / "hungry.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.setattr(worlds, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(worlds, "__path__", [str(tmp_path)])
    import ethogram.worlds.coded as coded

    monkeypatch.setattr(coded, "__path__", [str(tmp_path / "coded")])
    assert worlds.names() == ["empty", "fishery", "hungry"]
    assert worlds.make("fishery").possible_agents[0] == "fisher 1"
    with pytest.raises(ConfigError, match="exactly one public subclass of World, but it has none"):
        worlds.make("empty")
    with pytest.raises(ConfigError, match="needs the package 'a_package_that_nobody_has'"):
        worlds.make("hungry")
    (tmp_path / "prompted" / "fishery.py").write_text("")
    with pytest.raises(ConfigError, match="two worlds are called 'fishery', in coded and prompted"):
        worlds.names()
