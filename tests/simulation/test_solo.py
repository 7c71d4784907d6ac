"""One agent in a gymnasium env: its quick steps leave the same record as the loop's own, and lose nothing when killed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary
from hill import Hill, climb, walk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_simulate import same_tables

from ethogram.policy import Policy
from ethogram.records import Run, lean
from ethogram.simulation import loop, replay, simulate
from ethogram.simulation.solo import quick_check
from ethogram.world import GymWorld


class Awaited(Policy):
    """Answers with a coroutine."""

    def act(self, observations, spaces):
        async def answer():
            return {a: climb(seen, None, np.random.default_rng(1)) for a, seen in observations.items()}

        return answer()


@pytest.mark.parametrize("record", ["all", "actions", "none"])
def test_quick_steps_leave_the_record_of_the_others(record, monkeypatch, tmp_path):
    options = {"episodes": 6, "steps": 90, "seed": 8, "record": record}
    quick = simulate(walk(), **options, checkpoint_every=7, to=tmp_path / "run")
    awaited = simulate(GymWorld(Hill()), Awaited(), **options)
    if record != "none":
        assert replay(quick).exact
    monkeypatch.setattr(loop, "suits", lambda world: False)
    slow = simulate(walk(), **options)
    assert same_tables(quick, slow)
    monkeypatch.setattr(lean.Lean, "of", lambda *args: None)
    assert same_tables(quick, simulate(walk(), **options))  # rows of Arrow, one by one
    assert quick.manifest.steps_done == slow.manifest.steps_done > 100
    assert [c for c in quick.manifest.checkpoints if c.startswith("0-")][:3] == ["0-7", "0-14", "0-21"]
    kinds = dict(quick.sql("select kind, count(*) from notes group by kind").rows())
    assert kinds["outcome"] == 6
    assert kinds["thought"] > 5
    if record != "none":
        assert quick.sql("select count(fault) from steps").item() > 5
        assert {"terminated", "last"} < set(quick.steps.collect()["ended"])
    assert same_tables(awaited, simulate(GymWorld(Hill()), Awaited(), **options))


def test_killed_in_a_step_a_run_has_lost_that_step_and_no_other(tmp_path):
    script = """
        import sys
        from hill import walk
        from ethogram.simulation import simulate
        simulate(walk(), episodes=6, steps=120, seed=8, to=sys.argv[1], resume=True, checkpoint_every=50, progress=False)
    """
    (tmp_path / "victim.py").write_text(textwrap.dedent(script))
    whole = simulate(walk(), episodes=6, steps=120, seed=8)

    def victim(die_at: int) -> int:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "DIE_AT": str(die_at)}
        return subprocess.run([sys.executable, str(tmp_path / "victim.py"), str(tmp_path / "run")], env=env).returncode

    assert victim(131) == -9
    steps = Run(tmp_path / "run").steps.collect()
    assert Run(tmp_path / "run").check() == []
    assert (steps["ended"] != "last").sum() == 130
    assert whole.steps.collect().head(len(steps)).equals(steps)
    assert victim(95) == -9  # the steps of the episode so far happen again in a new env, so it dies some steps later
    again = Run(tmp_path / "run").steps.collect()
    assert len(again) >= len(steps)
    assert whole.steps.collect().head(len(again)).equals(again)
    with open(tmp_path / "run" / f"journal-{Run(tmp_path / 'run').manifest.sealed:05d}", "rb+") as journal:
        journal.truncate(len(journal.read().rstrip(b"\0")) - 3)  # as if torn in the middle of a row
    (problem,) = Run(tmp_path / "run").check()
    assert "is torn after" in problem
    assert victim(-1) == 0
    run = Run(tmp_path / "run")
    assert run.manifest.status == "complete"
    assert same_tables(whole, run)
    assert run.manifest.steps_done == whole.manifest.steps_done


BOX = Box(np.array([-1, 0], np.float32), np.array([1, np.inf], np.float32))
EVEN = Box(-1, 1, (5,), np.float32)


@given(
    st.one_of(
        hnp.arrays(
            np.float32, st.sampled_from([(2,), (2,), (3,), (1, 2)]), elements=st.floats(-2, 2, width=32) | st.just(np.nan)
        ),
        hnp.arrays(np.float64, 2, elements=st.floats(-0.5, 0.9)),
        st.integers(-3, 9),
        st.none(),
    )
)
def test_the_quick_check_admits_members_only(action):
    for space in (BOX, Discrete(3, start=2), MultiBinary(2)):
        admitted = quick_check(space)(action)
        assert not admitted or space.contains(action)
        if isinstance(action, np.ndarray) and action.dtype == np.float32 and space is BOX:
            assert admitted == BOX.contains(action)
        if isinstance(action, int) and isinstance(space, Discrete):
            assert admitted == space.contains(action)


@given(hnp.arrays(np.float32, 5, elements=st.sampled_from([-np.inf, -2, -1, -0.5, 0, 1, 3, np.inf, np.nan])))
def test_the_quick_check_is_not_deceived_by_numbers_that_do_not_sort(action):
    assert quick_check(EVEN)(action) == EVEN.contains(action)
