"""The LeRobot layout: round trips, and the real lerobot as the judge where its environment is there."""

import json
import subprocess
from pathlib import Path

import gymnasium.spaces as gs
import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from ethogram.errors import DataError
from ethogram.records import Trajectories, Trajectory
from ethogram.records.lerobot import export_lerobot, import_lerobot, tasks_of_lerobot, writing
from ethogram.spaces import Verbs

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-lerobot" / "bin" / "python"
needs_lerobot = pytest.mark.skipif(
    not (ROOT / ".venv-lerobot" / ".done").exists(),
    reason="lerobot has an environment of its own, which is not there: make it with python -m benchmarks.validate_lerobot",
)


class Walk(BaseModel):
    """Go."""

    to: str


class Rest(BaseModel):
    """Stay."""


PICTURE = gs.Box(0, 255, (24, 32, 3), np.uint8)
GOALS = gs.Dict({"observation": gs.Box(-9, 9, (3,), np.float64), "achieved_goal": gs.Box(-9, 9, (2,)), "image": PICTURE})
PAIRS = {
    "vectors": (gs.Box(-np.inf, 1, (3,), np.float32), gs.Discrete(4, start=-1)),
    "pictures": (PICTURE, gs.Box(-1, 1, (2,), np.float64)),
    "goals": (GOALS, gs.MultiBinary(3)),
    "nested": (gs.Tuple([gs.Text(6), gs.Dict({"n": gs.MultiDiscrete([3, 4])})]), gs.Box(0, 1, ())),
    "verbs": (gs.Box(0, 9, (2, 3)), Verbs(Walk, Rest)),
}


def made(observations, actions, lengths=(3, 1, 4), final=True):
    for space in (observations, actions):
        space.seed(5)
    found = []
    for i, n in enumerate(lengths):
        seen, done = [observations.sample() for _ in range(n + final)], [actions.sample() for _ in range(n)]
        outcome = {"success": float(i == 1), "score": i / 3}
        found.append(Trajectory(f"a{i}", i + 7, seen, done, np.arange(n) * 0.5, np.arange(n) + 2.5, i == 1, outcome))
    return Trajectories.of(found, observations, actions)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b)


@pytest.mark.parametrize("kind", PAIRS)
def test_there_and_back_nothing_is_lost(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "FILE_BYTES", 200)  # several files
    for final in (True, False):
        data = made(*PAIRS[kind], final=final)
        folder = export_lerobot(data, tmp_path / f"d{final}", task="be there")
        again = import_lerobot(folder)
        assert all(all(map(same, a, b)) for a, b in zip(again, data, strict=True))
        assert (again.observation_space, again.action_space) == PAIRS[kind]
        assert len(list((folder / "data").glob("*/*.parquet"))) > 1


def test_numbers_of_the_layout(tmp_path):
    data = made(*PAIRS["vectors"])
    folder = export_lerobot(data, tmp_path / "d", fps=4, task="be there", robot="frog")
    info = json.loads((folder / "meta" / "info.json").read_text())
    assert info["codebase_version"] == "v3.0" and (info["total_episodes"], info["total_frames"]) == (3, 8)
    frames = pq.read_table(folder / "data" / "chunk-000" / "file-000.parquet").to_pydict()
    assert frames["timestamp"] == [0, 0.25, 0.5, 0, 0, 0.25, 0.5, 0.75]
    assert frames["episode_index"] == [0, 0, 0, 1, 2, 2, 2, 2] and frames["index"] == list(range(8))
    assert frames["next.done"] == [False, False, True, True, False, False, False, True]
    assert frames["next.success"] == [False, False, False, True, False, False, False, False]
    stats = json.loads((folder / "meta" / "stats.json").read_text())
    seen = np.concatenate([t.observations[:-1] for t in data])
    for name, expected in (("min", seen.min(0)), ("max", seen.max(0)), ("mean", seen.mean(0)), ("std", seen.std(0))):
        assert np.allclose(stats["observation.state"][name], expected)
    assert stats["action"]["count"] == [8]


def test_each_episode_has_a_task_in_words(tmp_path):
    data, words = made(*PAIRS["vectors"]), ["push", "pull", "push"]
    folder = export_lerobot(data, tmp_path / "d", task=words)
    assert tasks_of_lerobot(folder) == [("push",), ("pull",), ("push",)]
    assert tasks_of_lerobot(export_lerobot(data, tmp_path / "e", task="wait")) == [("wait",)] * 3
    frames = pq.read_table(folder / "data" / "chunk-000" / "file-000.parquet").to_pydict()
    assert frames["task_index"] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert json.loads((folder / "meta" / "info.json").read_text())["total_tasks"] == 2
    with pytest.raises(DataError, match="2 tasks for 3 episodes"):
        export_lerobot(data, tmp_path / "f", task=words[:2])
    with pytest.raises(DataError, match="is missing"):
        tasks_of_lerobot(tmp_path / "none")


def test_video_is_small_and_close(tmp_path):
    pytest.importorskip("av")
    lengths = (12, 9)
    ramp = np.linspace(0, 200, 32).astype(np.uint8)
    episodes = []
    for i, n in enumerate(lengths):
        moving = [np.broadcast_to(np.roll(ramp, 2 * t)[None, :, None], PICTURE.shape) for t in range(n + 1)]
        episodes.append(Trajectory("a", i, np.stack(moving), np.zeros((n, 2)), np.zeros(n), np.arange(n), False))
    data = Trajectories.of(episodes, PICTURE, gs.Box(-1, 1, (2,)))
    again = import_lerobot(export_lerobot(data, tmp_path / "d", pictures="video"))
    for ours, one in zip(again, data, strict=True):
        assert np.abs(ours.observations.astype(int) - one.observations).mean() < 6
        assert np.array_equal(ours.observations[-1], one.observations[-1])  # kept beside the layout
    odd = Trajectories.of(
        [episodes[0]._replace(observations=np.zeros((13, 5, 4, 3)))], gs.Box(0, 255, (5, 4, 3), np.uint8), data.action_space
    )
    with pytest.raises(DataError, match="even height and width"):
        export_lerobot(odd, tmp_path / "odd", pictures="video")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]  # nothing half-written
    (tmp_path / "d" / "videos" / "observation.image" / "chunk-000" / "file-000.mp4").write_bytes(b"no film")
    with pytest.raises(DataError, match="no video"):
        import_lerobot(tmp_path / "d")


def test_what_is_wrong_is_said_in_one_sentence(tmp_path):
    data = made(*PAIRS["vectors"])
    folder = export_lerobot(data, tmp_path / "d")
    with pytest.raises(DataError, match="exists already"):
        export_lerobot(data, folder)
    with pytest.raises(DataError, match="at least one step"):
        export_lerobot(made(*PAIRS["vectors"], lengths=(2, 0)), tmp_path / "e")
    with pytest.raises(DataError, match="takes no / in names"):
        export_lerobot(made(gs.Dict({"a/b": gs.Discrete(2)}), gs.Discrete(2)), tmp_path / "e")
    with pytest.raises(DataError, match=r"info\.json is missing"):
        import_lerobot(tmp_path / "none")
    table = folder / "data" / "chunk-000" / "file-000.parquet"
    whole = pq.read_table(table)
    pq.write_table(whole.slice(0, 6), table)
    with pytest.raises(DataError, match="does not hold the 4 frames of episode 2"):
        import_lerobot(folder)
    pq.write_table(whole.drop_columns(["action"]), table)
    with pytest.raises(DataError, match=r"no sound LeRobot data set: .*action"):
        import_lerobot(folder)
    table.write_bytes(b"no table")
    with pytest.raises(DataError, match="no sound LeRobot data set"):
        import_lerobot(folder)
    table.unlink()
    with pytest.raises(DataError, match=r"file-000\.parquet is missing"):
        import_lerobot(folder)
    info = folder / "meta" / "info.json"
    info.write_text(info.read_text().replace("v3.0", "v2.1"))
    with pytest.raises(DataError, match=r"version v2\.1"):
        import_lerobot(folder)


def judged(role, root, out):
    command = [
        str(PYTHON),
        "-W",
        "ignore",
        str(ROOT / "benchmarks" / "peer" / "lerobot_judge.py"),
        role,
        str(root),
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(out))


@pytest.mark.slow
@needs_lerobot
def test_lerobot_reads_what_is_written(tmp_path):
    data = made(*PAIRS["goals"])
    folder = export_lerobot(data, tmp_path / "goals", task=["be there", "go", "be there"])
    found = judged("read", folder, tmp_path / "goals.npz")
    assert found["lengths"].tolist() == [3, 1, 4]
    assert found["task"].tolist() == ["be there"] * 3 + ["go"] + ["be there"] * 4
    for name, key in (("state", "observation"), ("achieved_goal", "achieved_goal")):
        assert np.allclose(found[f"observation.{name}"], np.concatenate([t.observations[key][:-1] for t in data]))
    pictures = np.concatenate([t.observations["image"][:-1] for t in data])
    assert np.array_equal(np.rint(found["observation.image"] * 255).astype(np.uint8), pictures.transpose(0, 3, 1, 2))
    assert np.array_equal(found["action"], np.concatenate([t.actions for t in data]))
    assert np.allclose(found["next.reward"].ravel(), np.concatenate([t.rewards for t in data]))
    assert found["stats/observation.image/mean"].shape == (3, 1, 1)
    calm = Trajectories.of(
        [t._replace(observations=t.observations["image"] // 4 * 0 + 90) for t in data], PICTURE, gs.MultiBinary(3)
    )
    film = judged("read", export_lerobot(calm, tmp_path / "film", pictures="video"), tmp_path / "film.npz")
    assert np.abs(film["observation.image"] * 255 - 90).max() < 6


@pytest.mark.slow
@needs_lerobot
def test_what_lerobot_writes_is_read(tmp_path):
    kept = judged("write", tmp_path / "theirs", tmp_path / "kept.npz")
    data = import_lerobot(tmp_path / "theirs")
    assert data.lengths.tolist() == [4, 3]
    for name in ("image", "state"):
        assert np.array_equal(np.concatenate([t.observations[name] for t in data]), kept[f"observation.{name}"])
    assert np.array_equal(np.concatenate([t.actions for t in data]), kept["action"])
    assert np.array_equal(np.concatenate([t.rewards for t in data]), kept["next.reward"].ravel())
    assert data.outcomes("success").tolist() == [0, 1] and tasks_of_lerobot(tmp_path / "theirs") == [("try",)] * 2
