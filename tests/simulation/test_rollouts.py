"""rollouts: the same episodes whatever the number of workers, and what can go wrong with these."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hill import Hill, careless, climb, hill
from pond import pond

from ethogram.errors import ConfigError, RunError
from ethogram.policy import coded
from ethogram.records.trajectories import Trajectories
from ethogram.scene import Scene
from ethogram.simulation import Workers, replay, rollouts, simulate
from ethogram.world import GymWorld


def same(a: Trajectories, b: Trajectories) -> bool:
    """Whether two sets of trajectories are equal bit for bit."""
    return len(a) == len(b) and all(repr(x) == repr(y) for x, y in zip(map(plain, a), map(plain, b), strict=True))


def plain(t: Any) -> Any:
    seen = t.observations
    arrays = list(seen.values()) if isinstance(seen, dict) else [seen]
    return (
        t.agent,
        t.episode,
        [a.tobytes() for a in arrays],
        t.actions.tobytes(),
        t.rewards.tobytes(),
        t.terminated,
        t.outcome,
    )


@pytest.fixture(scope="module")
def three():
    with Workers(3) as workers:
        yield workers


@pytest.fixture(scope="module")
def two():
    with Workers(2) as workers:
        yield workers


def test_the_number_of_workers_changes_nothing(two, three):
    options = {"episodes": 7, "steps": 60, "seed": 4}
    alone = rollouts(hill(), **options)
    assert len({len(t.actions) for t in alone}) > 1
    assert same(alone, rollouts(hill(), **options, workers=two))
    assert same(alone, rollouts(hill(), **options, workers=three))
    grouped = rollouts(hill(), **options, together=3)
    assert same(grouped, rollouts(hill(), **options, together=3, workers=two))
    assert same(grouped, rollouts(hill(), **options, together=3, workers=three))
    assert [t.episode for t in grouped] == list(range(7))
    for a, b in zip(alone, grouped, strict=True):
        assert a.agent == b.agent == "agent"
        assert all((a.observations[k][0] == b.observations[k][0]).all() for k in a.observations)  # matched beginnings
    assert not same(alone, rollouts(hill(), **options | {"seed": 5}))
    some = rollouts(hill(), **options | {"episodes": [5, 2]})
    assert same(some, alone[np.array([5, 2])])


def test_a_world_and_policies_are_a_scene_as_in_simulate():
    chosen = {"episodes": 3, "steps": 40}
    one, other = rollouts(GymWorld(Hill()), coded(climb), **chosen), rollouts(hill(), **chosen)
    assert [t.actions.tolist() for t in one] == [t.actions.tolist() for t in other]
    assert len(rollouts(GymWorld(Hill()), coded(climb), steps=2)) == 1


@pytest.mark.parametrize("together", [1, 3])
def test_actions_that_are_none_are_counted_and_told(together):
    with pytest.warns(RuntimeWarning, match=r"actions in \d of 6 trajectories were no members of their space") as told:
        found = rollouts(careless(), episodes=6, steps=5, together=together)
    wrong = [int((t.observations["observation"][:-1, 0] > 0).sum()) for t in found]
    assert np.array_equal(found.outcomes("faults"), [n or np.nan for n in wrong], equal_nan=True) and 0 in wrong
    assert str(told[0].message).startswith(f"{sum(wrong)} actions in {sum(n > 0 for n in wrong)} of 6")


def test_an_episode_is_the_one_that_simulate_runs():
    found = rollouts(hill(), episodes=3, steps=40, seed=9)
    run = simulate(hill(), episodes=3, steps=40, seed=9, record="all")
    recorded = run.trajectories()
    assert len(found) == len(recorded) == 3
    for a, b in zip(found, recorded, strict=True):
        seen = b.observations
        assert all(np.array_equal(a.observations[k], seen[k]) for k in a.observations)
        assert np.array_equal(a.actions, b.actions)
        assert np.array_equal(a.rewards, b.rewards)
        assert np.array_equal(a.times, b.times)
        assert (a.terminated, a.outcome) == (b.terminated, b.outcome)
    notes = run.sql("select episode, data from notes where kind = 'outcome' and agent = '' order by episode").rows()
    assert [(t.episode, t.outcome) for t in found] == [(e, json.loads(d)) for e, d in notes]
    assert {name for t in found for name in t.outcome} == {"success", "gap"}
    for t in found:
        gaps = np.abs(t.observations["observation"][1:, 0] - t.observations["desired_goal"][1:, 0])
        assert t.outcome["success"] == float((gaps < 0.3).any())
        assert t.outcome["gap"] == pytest.approx(gaps[-1])
        assert np.allclose(t.rewards, -gaps)
    assert replay(run).exact


def test_worlds_of_many_agents_who_come_and_go():
    recorded = {(t.episode, t.agent): t for t in simulate(pond(), episodes=2, seed=3).trajectories()}
    found = rollouts(pond(), episodes=2, seed=3, together=1)
    assert {(t.episode, t.agent) for t in found} == set(recorded)
    for t in found:
        other = recorded[t.episode, t.agent]
        assert np.array_equal(t.observations, np.array(other.observations))
        assert np.array_equal(t.rewards, other.rewards)
        assert np.array_equal(t.times, other.times)
        assert (t.terminated, t.outcome) == (other.terminated, {})
    copied = rollouts(pond(), episodes=2, seed=3, together=2)
    assert [(t.episode, t.agent) for t in copied] == [(t.episode, t.agent) for t in found]
    assert all(np.array_equal(a.observations[0], b.observations[0]) for a, b in zip(copied, found, strict=True))
    assert all((t.times % 1.5 == 0).all() for t in copied)


def test_the_outcome_is_part_of_the_state():
    first, second = hill(), hill()
    simulate(first, steps=30, seed=2)
    assert first.world.outcome()["success"] in (0.0, 1.0)
    second.world.load_state_dict(first.world.state_dict())
    assert second.world.outcome() == first.world.outcome()


def test_wrong_arguments_and_failures_are_told_in_a_sentence(two):
    with pytest.raises(ConfigError, match="mark it @scene"):
        rollouts(Scene(GymWorld(Hill()), coded(climb)), episodes=2, together=2)
    with pytest.raises(ConfigError, match="not a World: wrap a gymnasium env"):
        rollouts(Hill(), coded(climb), episodes=2)
    with pytest.raises(ConfigError, match="workers is 0"):
        rollouts(hill(), episodes=2, workers=0)
    for wrong in (0, 2.5, "3", [0, 1.5], [-1]):
        with pytest.raises(ConfigError, match="give how many"):
            rollouts(hill(), episodes=wrong)
    for wrong in ({"steps": 1.5}, {"seed": None}, {"together": 0}):
        with pytest.raises(ConfigError, match="and must be a whole number"):
            rollouts(hill(), episodes=2, **wrong)
    with pytest.raises(RunError, match=r"a worker died \(exit code 7\) in episode"):
        rollouts(hill(die_at=2), episodes=9, steps=5, workers=two)
    assert len(rollouts(hill(), episodes=3, steps=5, workers=two)) == 3  # new ones are started


def test_an_interrupt_ends_the_workers(tmp_path):
    script = """
        from hill import hill
        from ethogram.simulation import rollouts
        if __name__ == "__main__":
            print("go", flush=True)
            rollouts(hill(), episodes=1_000_000, steps=50, workers=2, progress=False)
    """
    path = tmp_path / "long.py"
    path.write_text(textwrap.dedent(script))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, str(path)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 30
        while len(workers := list(filter(working, children.read_text().split()))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(workers) == 2
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) != 0
        assert not list(filter(working, workers))


def working(pid: str) -> bool:
    """Whether a process is a worker that lives."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
