"""Real processes, really killed: what is resumed equals what was never killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import scenes
from test_simulate import same_tables

from ethogram.records import Run
from ethogram.simulation import replay, simulate

VICTIM = Path(__file__).with_name("victim.py")


def start(scene: str, folder: Path, at: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(VICTIM), scene, str(folder), "--at", str(at)], stdout=subprocess.PIPE, text=True
    )


def grown(folder: Path) -> int:
    """Bytes of the record; what changes is what a run has written."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.exists() else 0


def die_after_writing(scene: str, folder: Path, times: int, delay: float) -> bool:
    """Let a victim write so often, and so many seconds longer, then kill it; False where it was done before."""
    with start(scene, folder) as victim:
        size = grown(folder)
        while times > 0 and victim.poll() is None:
            time.sleep(0.002)
            try:
                times -= (now := grown(folder)) != size
            except FileNotFoundError:
                continue
            size = now
        time.sleep(delay)
        if victim.poll() is not None:
            return False
        victim.kill()
    return True


def finish(scene: str, folder: Path) -> Run:
    with start(scene, folder) as victim:
        assert victim.wait(120) == 0
    return Run(folder)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path):
    scene, options, _ = scenes.coded()
    whole = simulate(scene, to=tmp_path / "whole", **options)
    rng, folder, at = random.Random(1), tmp_path / "run-0", []
    while len(at) < 20:
        if not die_after_writing("coded", folder, rng.randint(0, 40), rng.uniform(0, 0.01)):
            assert same_tables(whole, Run(folder))
            folder = tmp_path / f"run-{len(at)}"
            continue
        at.append(Run(folder).sql("select count(*) from steps").item() if (folder / "manifest.json").exists() else 0)
    run = finish("coded", folder)
    assert run.manifest.status == "complete"
    assert same_tables(whole, run)
    assert run.manifest.steps_done == whole.manifest.steps_done
    assert len(set(at)) > 5, "the kills must have hit different moments"
    assert replay(run).exact


@pytest.mark.parametrize("at", [1, 2, 3, 4, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
def test_killed_at_a_file_operation(tmp_path, at):
    """The first operations of a run cover creation, journal writes (torn halfway where odd), sealing and the manifest."""
    scene, options, _ = scenes.brief()
    with start("brief", tmp_path / "run", at) as victim:
        assert victim.wait(60) == -9
    run = simulate(scene, to=tmp_path / "run", resume=True, **options)
    assert run.manifest.status == "complete"
    assert not run.check()
    assert same_tables(simulate(scene, **options), run)


def test_a_killed_run_can_be_read_up_to_its_last_complete_step(tmp_path):
    assert die_after_writing("coded", tmp_path / "run", 10, 0)
    run = Run(tmp_path / "run")
    steps = run.steps.collect()
    assert run.manifest.status == "running"
    assert steps.height > 0
    assert not run.check()
    scene, options, _ = scenes.coded()
    whole = simulate(scene, **options).steps.collect()
    assert whole.head(steps.height).equals(steps)
