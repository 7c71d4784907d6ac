import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).with_name("rumour.py")


class Cli:
    """Runs the real command in a real process, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", "from ethogram.cli import main; main()"]

    def __call__(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.command, *map(str, words)], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def refuses(self, *words: object) -> str:
        """The sentence with which a command is refused: status 2, one line on stderr, no traceback, nothing written."""
        before = self.files()
        done = self(*words, status=2)
        assert done.stdout == ""
        sentence = done.stderr.strip()
        assert sentence.startswith("ethogram: ") and "\n" not in sentence and "Traceback" not in sentence
        assert self.files() == before, "something was left behind"
        return sentence.removeprefix("ethogram: ")

    def files(self) -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in sorted(self.folder.rglob("*")) if p.is_file()}

    def start(self, *words: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self.command, *map(str, words)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


@pytest.fixture
def cli(tmp_path):
    return Cli(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A command line in whose folder the study `done` was run at the preset smoke."""
    cli = Cli(tmp_path_factory.mktemp("finished"))
    cli("run", STUDY, "--preset", "smoke", "--seed", "3", "--to", "done")
    return cli


@pytest.fixture(scope="session")
def run_names(finished):
    runs = finished.folder / "done/runs"
    return sorted(str(path.parent.relative_to(runs)) for path in runs.rglob("manifest.json"))


@pytest.fixture(scope="session")
def study_file():
    return STUDY
