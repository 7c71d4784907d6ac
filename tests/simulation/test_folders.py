"""What can be wrong with a run folder: full disk, read-only, in use, of another version, damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pond import Pond, hop, pond
from test_simulate import same_tables

from ethogram.errors import RunError
from ethogram.policy import coded
from ethogram.records import Run
from ethogram.scene import Scene
from ethogram.simulation import replay, simulate


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_run_in_a_sentence_and_space_lets_it_go_on(small_disk):
    (small_disk / "ballast").write_bytes(b"x" * 750_000)
    options = {"seed": 3, "checkpoint_every": 10}
    folder = small_disk / "run"
    with pytest.raises(RunError, match="no space left"):
        simulate(pond(frogs=40, days=400), to=folder, **options)
    read = Run(folder)
    assert not [p for p in read.check() if p.startswith("table")]
    assert read.steps.collect().height > 0
    with pytest.raises(RunError, match="no space left"):
        simulate(pond(frogs=40, days=400), to=folder, resume=True, **options)
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    run = simulate(pond(frogs=40, days=400), to=folder, resume=True, **options)
    assert run.manifest.status == "complete"
    assert same_tables(simulate(pond(frogs=40, days=400), **options), run)


def test_a_read_only_folder_is_refused(tmp_path):
    folder = tmp_path / "sealed"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting a read-only file system needs root")
    try:
        with pytest.raises(RunError, match="cannot be written"):
            simulate(pond(), to=folder / "run")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_two_processes_on_one_folder(tmp_path):
    victim = Path(__file__).with_name("victim.py")
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, str(victim), "coded", str(folder)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "go\n"
        while not (folder / "manifest.json").exists():
            pass
        import scenes

        scene, options, _ = scenes.coded()
        with pytest.raises(RunError, match=f"is being written by another process \\({first.pid}\\)"):
            simulate(scene, to=folder, resume=True, **options)
        assert first.wait(60) == 0
    assert Run(folder).manifest.status == "complete"


def test_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="not empty and not a run"):
        simulate(pond(), to=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    simulate(pond(), steps=3, to=tmp_path / "run")
    with pytest.raises(RunError, match="holds a run already"):
        simulate(pond(), steps=3, to=tmp_path / "run")
    with pytest.raises(RunError, match=r"not a run folder"):
        Run(tmp_path / "nowhere")


def test_resuming_something_else_is_refused(tmp_path):
    simulate(pond(), steps=3, to=tmp_path / "run")
    with pytest.raises(RunError, match="begun with seed = 0, not 1"):
        simulate(pond(), steps=3, seed=1, to=tmp_path / "run", resume=True)
    with pytest.raises(RunError, match="begun with steps = 3, not 4"):
        simulate(pond(), steps=4, to=tmp_path / "run", resume=True)


def test_another_version_and_a_broken_manifest(tmp_path):
    simulate(pond(), steps=3, to=tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    good = json.loads(path.read_text())
    path.write_text(json.dumps({**good, "format": 99}))
    with pytest.raises(RunError, match="a run of format 99"):
        Run(tmp_path / "run")
    path.write_text(json.dumps({**good, "seed": "many"}))
    with pytest.raises(RunError, match="broken at seed"):
        Run(tmp_path / "run")
    path.write_text(path.read_text()[:50])
    with pytest.raises(RunError, match="cannot be read"):
        Run(tmp_path / "run")


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "a flipped bit":
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["truncated", "a flipped bit", "missing"])
def test_a_damaged_table_is_named_and_the_rest_is_read(tmp_path, how):
    whole = simulate(pond(), seed=1, checkpoint_every=10, to=tmp_path / "run")
    segments = [s for s in whole.manifest.segments if s.table == "steps"]
    expected = whole.steps.collect()
    damage(tmp_path / "run" / segments[2].file, how)
    run = Run(tmp_path / "run")
    found = run.steps.collect()
    start = sum(s.rows for s in segments[:2])
    assert found.equals(expected.head(start).vstack(expected.tail(-start - segments[2].rows)))
    (problem,) = run.check()
    assert segments[2].file in problem
    assert f"{segments[2].rows} rows lost" in problem
    with pytest.raises(RunError, match="is damaged"):
        replay(run)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    with pytest.raises(RunError, match="is damaged"):
        simulate(pond(), seed=1, checkpoint_every=10, to=tmp_path / "run", resume=True)


def test_a_broken_checkpoint_is_passed_over(tmp_path):
    def stop_at(step: int):
        def hop_or_fail(observation, space, rng):
            if world.clock == step:
                raise KeyboardInterrupt
            return hop(observation, space, rng)

        return hop_or_fail

    world = Pond(4, 50)
    scene = pond(frogs=4, days=50)
    with pytest.raises(KeyboardInterrupt):
        simulate(Scene(world, coded(stop_at(25)), scene.recipe), to=tmp_path / "run", checkpoint_every=10)
    run = Run(tmp_path / "run")
    assert run.manifest.status == "interrupted"
    assert run.manifest.checkpoints == ["0-10", "0-20"]
    (tmp_path / "run" / "checkpoints" / "0-20" / "state.json").write_text("{")
    resumed = simulate(scene, to=tmp_path / "run", checkpoint_every=10, resume=True)
    assert same_tables(simulate(scene), resumed)
    assert resumed.manifest.steps_done == 50


def test_a_failing_policy_leaves_a_record_that_says_why(tmp_path):
    def fail(observation, space):
        raise ZeroDivisionError("no frogs")

    with pytest.raises(ZeroDivisionError):
        simulate(Pond(2), coded(fail), to=tmp_path / "run")
    run = Run(tmp_path / "run")
    assert (run.manifest.status, run.manifest.reason) == ("failed", "ZeroDivisionError: no frogs")


def test_a_copied_run_is_a_run(tmp_path):
    run = simulate(pond(), to=tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert same_tables(run, Run(tmp_path / "copy"))
    assert replay(tmp_path / "copy").exact
    assert not [n for n in os.listdir(tmp_path / "copy") if n.startswith("journal-") and n != "journal-00001"]
