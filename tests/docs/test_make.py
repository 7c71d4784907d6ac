"""What make says to newcomers."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def a_python(folder: Path, script: str) -> str:
    """A program that plays an interpreter."""
    path = folder / "python3"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return f"PYTHON={path}"


def project(folder: Path) -> Path:
    """A folder with the files that make looks at."""
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_text("")
    return folder


def test_help_is_the_default_and_names_the_commands(tmp_path: Path) -> None:
    done = make(folder=tmp_path)
    assert done.returncode == 0
    for target in ("demo", "test", "check", "docs", "bench", "clean"):
        assert f"make {target} " in done.stdout


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    old = a_python(tmp_path, '[ "$1" = --version ] && { echo Python 3.9.2; exit 0; }\nexit 1\n')
    done = make("demo", old, folder=project(tmp_path))
    assert done.returncode == 2
    first, *rest = done.stderr.strip().splitlines()
    assert first.startswith("ethogram needs Python 3.11 or newer")
    assert "is Python 3.9.2" in first and "make PYTHON=" in first
    assert all(line.startswith("make: ***") for line in rest)
    assert not (tmp_path / ".venv").exists()


def test_an_absent_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = make("demo", "PYTHON=no-such-python", folder=project(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("ethogram needs Python 3.11 or newer")


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    bare = a_python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac\nexit 0\n')
    done = make("demo", bare, folder=project(tmp_path))
    assert done.returncode == 2
    assert "python3-venv" in done.stderr


def test_pins_name_versions_and_nothing_else() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert pins and all(pin.count("==") == 1 and " " not in pin and "/" not in pin for pin in pins)
