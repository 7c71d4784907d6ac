"""Every way to get it wrong: one sentence on stderr, status 2, nothing half-written."""

import json
import shutil
import subprocess
import sys

import pytest


def test_unknown_study(cli):
    assert "did you mean 'generative-agents'" in cli.refuses("run", "generative-agent")
    assert "there is no study 'xyzzy'" in cli.refuses("run", "xyzzy")
    assert "no study file" in cli.refuses("run", "missing.py")


def test_a_study_of_the_catalogue_that_is_not_written(cli):
    from ethogram.studies.catalog import catalog
    from ethogram.studies.registry import names

    missing = [system.slug for system in catalog() if system.slug not in names()]
    if missing:
        assert "not written yet" in cli.refuses("run", missing[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "smok"], "no preset 'smok', did you mean 'smoke'"),
        (["--set", "peeple=3"], "no setting 'peeple', did you mean 'people'"),
        (["--set", "people.age=3"], "no setting 'people.age'"),
        (["--set", "people=many"], "people = 'many'"),
        (["--set", "people=99"], "people = 99"),
        (["--set", "people"], "--set takes KEY=VALUE"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "one"], "--seed"),
        (["--color"], "--color"),
        (["--to", "file.txt"], "file.txt is there already"),
        (["--to", "file.txt/inside"], "cannot be written"),
        (["--to", "full"], "full is there already and is not a study's folder"),
        (["--to", "new", "--resume"], "nothing to resume"),
        (["--budget-calls", "0"], "--budget-calls"),
    ],
)
def test_wrong_options_of_run(cli, study_file, words, said):
    (cli.folder / "file.txt").write_text("mine")
    (cli.folder / "full").mkdir()
    (cli.folder / "full/photo.jpg").write_text("mine")
    assert said in cli.refuses("run", study_file, *words)


def test_missing_argument_and_unknown_command(cli):
    assert "slug" in cli.refuses("run")
    assert "rum" in cli.refuses("rum")
    assert "--at" in cli.refuses("branch", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def run(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("", "must define paper"),
        ("from ethogram.studies import Paper\npaper = Paper('x')\ncell = 'c'\nclass Config: pass\n", "must define"),
    ],
)
def test_a_study_file_that_is_none(cli, text, said):
    (cli.folder / "broken.py").write_text(text)
    assert said in cli.refuses("run", "broken.py")


def test_a_study_is_not_overwritten(finished, study_file):
    assert "--resume" in finished.refuses("run", study_file, "--preset", "smoke", "--to", "done")


def test_resume_with_other_settings(finished, study_file):
    same = ["run", study_file, "--preset", "smoke", "--to", "done", "--resume"]
    assert "seed = 3, not 4" in finished.refuses(*same, "--seed", 4)
    assert "config.people = 5, not 6" in finished.refuses(*same, "--seed", 3, "--set", "people=6")


def test_an_error_of_the_study_leaves_no_folder(cli, study_file):
    text = study_file.read_text()
    text = text.replace("import gymnasium", "from ethogram.errors import ConfigError\nimport gymnasium", 1)
    text = text.replace("    findings = Findings()\n", "    raise ConfigError('this cannot be, so mend it')\n")
    (cli.folder / "wrong.py").write_text(text)
    assert "this cannot be" in cli.refuses("run", "wrong.py", "--preset", "smoke", "--to", "out")


def test_unknown_family(cli):
    assert "no family 'socety'" in cli.refuses("atlas", "--family", "socety")


@pytest.mark.parametrize("words", [["report"], ["replay"], ["branch", "--at", "1"], ["interview", "--agent", "A", "Hm?"]])
def test_no_such_folder(cli, words):
    (cli.folder / "empty").mkdir()
    assert "no folder gone" in cli.refuses(words[0], "gone", *words[1:])
    assert "not a run folder" in cli.refuses(words[0], "empty", *words[1:])


def test_run_of_another_version(finished, run_names, cli):
    shutil.copytree(finished.folder / "done", cli.folder / "old")
    path = cli.folder / "old/runs" / run_names[0] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    assert "format 99" in cli.refuses("replay", path.parent)
    assert "format 99" in cli.refuses("report", "old")
    study = cli.folder / "old/study.json"
    study.write_text(json.dumps({**json.loads(study.read_text()), "format": 0}))
    assert "format 0" in cli.refuses("report", "old")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "\x00\x01"])
def test_broken_study_folder(finished, cli, content):
    shutil.copytree(finished.folder / "done", cli.folder / "old")
    (cli.folder / "old/study.json").write_text(content)
    assert "study.json" in cli.refuses("report", "old")


def test_damaged_findings(finished, cli):
    shutil.copytree(finished.folder / "done", cli.folder / "old")
    table = next((cli.folder / "old/tables").iterdir())
    table.write_bytes(table.read_bytes()[:20])
    assert "findings" in cli.refuses("report", "old")
    (cli.folder / "old/findings.json").write_text("{}")
    assert "findings" in cli.refuses("report", "old")


def test_the_report_cannot_be_written(finished):
    assert "cannot be written" in finished.refuses("report", "done", "--to", "done/study.json/report.html")


def test_which_run(finished, run_names):
    assert "choose one with --run" in finished.refuses("interview", "done", "--agent", "Ana", "Hm?")
    assert "no run 'loud'" in finished.refuses("replay", "done", "--run", "loud")
    assert "leave out --run" in finished.refuses("replay", f"done/runs/{run_names[0]}", "--run", "x")


def test_interview_of_nobody_or_never(finished, run_names):
    where = ["interview", "done", "--run", run_names[0]]
    assert "no agent 'Anna', did you mean 'Ana'" in finished.refuses(*where, "--agent", "Anna", "Hm?")
    assert "no step 99" in finished.refuses(*where, "--agent", "Ana", "--step", 99, "Hm?")
    assert "--agent" in finished.refuses(*where, "Hm?")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "99"], "99"),
        (["--at", "2", "--intervene", "dance"], "dance"),
        (["--at", "2", "--intervene", "silence who=Ana"], "silence"),
        (["--at", "2", "--intervene", "silence person=Zoe"], "Zoe"),
        (["--at", "2", "--intervene", "silence Ana"], "KEY=VALUE"),
        (["--at", "2", "--intervene", "'open"], "cannot be read"),
        (["--at", "2", "--intervene", "silence person=Ana", "--agent", "Zoe"], "no agent 'Zoe'"),
        (["--at", "2", "--to", "done"], "done"),
        (["--at", "two"], "--at"),
    ],
)
def test_wrong_branches(finished, run_names, words, said):
    assert said in finished.refuses("branch", "done", "--run", run_names[0], *words)


def test_debug_shows_the_traceback(cli):
    done = cli("run", "xyzzy", "--debug", status=1)
    assert "Traceback" in done.stderr and "ConfigError" in done.stderr


@pytest.mark.parametrize(
    ("package", "words", "says"),
    [
        ("torch", ["run", "dropout-dreamland", "--preset", "smoke", "--to", "absent"], "pip install 'ethogram[learn]'"),
        ("vizdoom", ["run", "dropout-dreamland", "--preset", "smoke", "--to", "absent"], "pip install 'ethogram[bodies]'"),
    ],
)
def test_a_package_of_an_extra_that_is_absent_is_named(tmp_path, package, words, says):
    program = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from ethogram.cli import main
main({words!r})
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and says in done.stderr and repr(package) in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not list(tmp_path.iterdir())
