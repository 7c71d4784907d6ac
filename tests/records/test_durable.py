"""What is kept waits for the disk; what goes with the process does not."""

import os

import pytest

from ethogram import simulate
from ethogram.policy import Random
from ethogram.worlds.coded.matrix_game import MatrixGame


@pytest.fixture
def synced(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    return calls


def test_a_run_in_a_folder_waits_for_the_disk_and_a_passing_one_does_not(synced, tmp_path):
    run = simulate(MatrixGame(), Random())
    assert not synced and run.steps.collect().height
    simulate(MatrixGame(), Random(), to=tmp_path / "run")
    assert len(synced) >= 3  # manifest, rows, checkpoint
