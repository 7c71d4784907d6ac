"""Running studies: the folder, the lab, budgets, faults."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ethogram.errors import BudgetExhausted, ConfigError, RunError
from ethogram.measures import Estimate
from ethogram.studies import Findings, Lab, load
from ethogram.studies.execution import StudyFolder, execute
from ethogram.studies.results import usage_of, write_result

RUMOUR = str(Path(__file__).parents[1] / "cli" / "rumour.py")


@pytest.fixture(scope="module")
def study():
    return load(RUMOUR)


@pytest.fixture(scope="module")
def circle(study):
    return sys.modules["user_study_rumour"].circle


def test_a_lab_does_no_run_twice(circle, tmp_path):
    lab = Lab(tmp_path, seed=5, progress=False)
    first = lab.simulate("one", circle(3, 0.5), steps=10)
    written = (tmp_path / "runs/one/manifest.json").stat().st_mtime_ns
    again = lab.simulate("one", circle(3, 0.5), steps=10)
    assert first.manifest.seed == 5 and again.steps.collect().equals(first.steps.collect())
    assert (tmp_path / "runs/one/manifest.json").stat().st_mtime_ns == written


def test_a_run_of_something_else_is_not_taken(circle, tmp_path):
    lab = Lab(tmp_path, progress=False)
    lab.simulate("one", circle(3, 0.5), steps=10)
    with pytest.raises(RunError, match="seed"):
        lab.simulate("one", circle(3, 0.5), steps=10, seed=1)
    with pytest.raises(RunError, match="recipe"):
        lab.simulate("one", circle(4, 0.5), steps=10)


def test_a_scene_must_have_a_recipe(circle, tmp_path):
    with pytest.raises(ConfigError, match="@scene"):
        Lab(tmp_path).simulate("one", circle(3, 0.5)._replace(recipe=None), steps=1)


def test_map_gives_the_same_on_any_number_of_processes(study, tmp_path):
    import sys

    arm = sys.modules["user_study_rumour"].arm
    items = [("a", seed, 4, 0.5, 8) for seed in range(4)]
    alone = Lab(tmp_path / "alone", progress=False).map(arm, items)
    assert Lab(tmp_path / "two", progress=False).map(arm, items, processes=2) == alone


def test_an_error_in_a_worker_comes_through(study, tmp_path):
    import sys

    arm = sys.modules["user_study_rumour"].arm
    with pytest.raises(ConfigError, match="seed is -1"):
        Lab(tmp_path, progress=False).map(arm, [("a", 1, 3, 0.5, 8), ("a/1", -1, 3, 0.5, 8)], processes=2)


def test_replications_have_seeds_of_their_own():
    seeds = Lab("x", seed=1).seeds(20)
    assert len(set(seeds)) == 20 and seeds[:5] == Lab("y", seed=1).seeds(5) and seeds != Lab("x", seed=2).seeds(20)


def made(study, run):
    """The study with another `run`."""
    from dataclasses import replace

    return replace(study, run=run)


def test_a_stopped_run_stops_the_study(study, circle, tmp_path, monkeypatch):
    def run(config, lab):
        lab.stopped = "the budget of 10 calls is used up"  # as after a run that a budget ended
        lab.simulate("next", circle(3, 0.5), steps=3)
        raise AssertionError

    folder = execute(made(study, run), study.presets["smoke"], tmp_path / "out", progress=False)
    assert folder.record.status == "stopped" and "10 calls" in folder.record.reason
    assert folder.findings.dump() == Findings().dump() and folder.verdicts == {}
    with pytest.raises(BudgetExhausted):
        lab = Lab(tmp_path, progress=False)
        lab.stopped = "enough"
        lab.simulate("next", circle(3, 0.5), steps=3)


def test_a_defect_of_a_study_is_recorded_and_raised(study, tmp_path):
    def run(config, lab):
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        execute(made(study, run), study.presets["smoke"], tmp_path / "out", progress=False)
    assert StudyFolder(tmp_path / "out").record.status == "failed"


@pytest.mark.parametrize("kept", ["parts/one.json", "made/data/there"])
def test_what_was_computed_before_a_fault_stays(study, tmp_path, kept):
    def run(config, lab):
        (lab.dir / kept).parent.mkdir(parents=True)
        (lab.dir / kept).write_text("{}")
        raise RunError("no more")

    with pytest.raises(RunError, match="no more"):
        execute(made(study, run), study.presets["smoke"], tmp_path / "out", progress=False)
    assert (tmp_path / "out" / kept).exists()


KILLED = """
import os, signal, sys
from dataclasses import replace
from ethogram.studies import load
from ethogram.studies.execution import execute

def run(config, lab):
    (lab.dir / "parts").mkdir()
    (lab.dir / "parts" / "one.json").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)

study = load(sys.argv[1])
execute(replace(study, run=run), study.presets["smoke"], sys.argv[2], progress=False)
"""


def test_the_time_of_an_attempt_that_was_killed_counts(study, tmp_path):
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, RUMOUR, str(out)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL and StudyFolder(out).record.status == "running"
    begun = (out / "study.json").stat().st_mtime
    os.utime(out / "parts" / "one.json", (begun + 1000, begun + 1000))  # as if it had been killed after so many seconds
    second = made(study, lambda config, lab: Findings())
    folder = execute(second, study.presets["smoke"], out, resume=True, progress=False)
    assert folder.record.status == "complete" and folder.record.seconds >= 1000
    third = execute(second, study.presets["smoke"], out, resume=True, progress=False)
    assert third.record.seconds - folder.record.seconds < 1000  # it is added once


def test_a_fault_before_anything_was_computed_leaves_nothing(study, tmp_path):
    def run(config, lab):
        raise RunError("no more")

    with pytest.raises(RunError, match="no more"):
        execute(made(study, run), study.presets["smoke"], tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_results_are_small_and_only_of_presets(study, tmp_path):
    config = study.configure("smoke")
    folder = execute(study, config, tmp_path / "out", preset="smoke", model="coded", progress=False)
    assert usage_of(folder)["calls"] == 0
    path = write_result(folder, tmp_path / "results")
    assert path == tmp_path / "results/rumour/smoke--coded.json" and path.stat().st_size < 10_000
    result = json.loads(path.read_text())
    assert Estimate.read(result["measured"][0]["estimate"]) == folder.findings.measured[0].estimate
    changed = execute(
        study, config, tmp_path / "changed", preset="smoke", changes={"people": 3}, model="coded", progress=False
    )
    with pytest.raises(ConfigError, match="changed settings"):
        write_result(changed, tmp_path / "results")
