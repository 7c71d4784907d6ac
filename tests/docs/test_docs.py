"""What the documentation shows works: every Python block runs, every example runs, every command line is one that exists."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)
ANSWERS = "fish tons=2\n" * 3
"""What the person in the example of a human policy types."""


def blocks(page: Path, *languages: str) -> list[tuple[int, str]]:
    """The fenced blocks of a page in these languages, each with the number of its first line."""
    text = page.read_text("utf-8")
    return [(text[: m.start(2)].count("\n"), m[2]) for m in BLOCK.finditer(text) if m[1] in languages]


def script_of(page: Path) -> str:
    """A page as a Python script: its Python blocks where they stand, so that a traceback names the page's own lines.

    An example that the page includes is imported, so that what comes after it on the page can use it.
    """
    lines = [""] * (page.read_text("utf-8").count("\n") + 1)
    for start, code in blocks(page, "python"):
        included = INCLUDED.sub(lambda m: f"from {Path(m[1]).stem} import *", code)
        lines[start : start + code.count("\n")] = included.splitlines()
    return "\n".join(lines)


def marked(path: Path, text: str) -> object:
    """A test parameter named after a file, marked where the language model plays in it."""
    marks = [pytest.mark.lm] if "smollm2" in text or "model()" in text else []
    return pytest.param(path, id=str(path.relative_to(ROOT)), marks=marks)


def run(script: Path, folder: Path, stdin: str = "") -> str:
    """Run a script in an empty folder as a user would, the examples beside it; returns what it prints."""
    path = os.pathsep.join([str(ROOT / "examples"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error::DeprecationWarning:__main__"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script.name} failed:\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("page", [marked(p, script_of(p)) for p in PAGES if script_of(p).strip()])
def test_every_python_block_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    script = tmp_path / f"page_{page.stem}.py"
    script.write_text(script_of(page), "utf-8")
    (tmp_path / "here").mkdir()
    run(script, tmp_path / "here")


@pytest.mark.parametrize("example", [marked(e, e.read_text("utf-8")) for e in EXAMPLES])
def test_every_example_runs(example: Path, tmp_path: Path) -> None:
    printed = run(example, tmp_path, ANSWERS)
    assert printed.strip() or "__main__" not in example.read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_page_includes_is_there(page: Path) -> None:
    for name in INCLUDED.findall(page.read_text("utf-8")):
        assert (ROOT / name).is_file(), f"{page.name} includes {name}, which does not exist"


def test_every_example_is_on_a_page() -> None:
    shown = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [e.name for e in EXAMPLES if f"examples/{e.name}" not in shown] == []


def test_a_study_of_one_s_own_runs_by_its_path(tmp_path: Path) -> None:
    study = ROOT / "examples" / "restraint.py"
    ethogram = str(Path(sys.executable).with_name("ethogram"))
    command = [ethogram, "run", str(study), "--preset", "smoke", "--to", "out", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '"holds"' in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_world_takes_forty_lines_and_a_policy_ten() -> None:
    assert len((ROOT / "examples" / "lake.py").read_text("utf-8").splitlines()) <= 40
    for example in EXAMPLES:
        if not example.stem.endswith("_policy"):
            continue
        for node in ast.parse(example.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.end_lineno:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                assert node.end_lineno - first + 1 <= 10, f"{node.name} in {example.name} takes more than ten lines"


def command_lines(page: Path) -> list[str]:
    """The command lines that a page tells its reader to type."""
    lines = [line.split("#")[0].strip() for _, code in blocks(page, "sh") for line in code.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("page", [p for p in PAGES if command_lines(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_line_is_one_that_exists(page: Path) -> None:
    import typer

    from ethogram.cli.app import app

    group: Any = typer.main.get_command(app)
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in command_lines(page):
        program, *words = shlex.split(line)
        if program == "make":
            assert words[0] in targets, f"there is no target in {line!r}"
        elif program == "ethogram":
            name, *rest = words
            group.commands[name].make_context(name, rest)  # raises where it does not take these options
        else:
            assert program in ("git", "cd", "export", "pip"), f"what is {line!r}?"


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    builder = Path(sys.executable).with_name("zensical")
    if not builder.exists():
        pytest.skip("zensical is not installed (make env installs it)")
    for name in ("docs", "examples", "benchmarks/results"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run([str(builder), "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "guides" / "world.html").is_file()
