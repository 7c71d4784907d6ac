"""The Minari layout, with minari itself as the judge."""

import json

import gymnasium.spaces as gs
import numpy as np
import pytest
from pydantic import BaseModel

from ethogram.errors import DataError
from ethogram.records import Trajectories, Trajectory
from ethogram.records.minari import export_minari, import_minari
from ethogram.spaces import Verbs

minari = pytest.importorskip("minari")
h5py = pytest.importorskip("h5py")


class Walk(BaseModel):
    """Go."""

    to: str


class Rest(BaseModel):
    """Stay."""


GOALS = gs.Dict({"observation": gs.Box(-9, 9, (3,), np.float64), "achieved_goal": gs.Box(-9, 9, (2,), np.float64)})
PAIRS = {
    "vectors": (gs.Box(-np.inf, 1, (3,), np.float32), gs.Discrete(4, start=-1)),
    "goals": (GOALS, gs.Box(-1, 1, (2,))),
    "pictures": (gs.Box(0, 255, (40, 32, 3), np.uint8), gs.MultiBinary(3)),
    "nested": (gs.Tuple([gs.Text(6), gs.Dict({"n": gs.MultiDiscrete([3, 4])})]), gs.Discrete(2)),
}


def made(observations, actions, lengths=(3, 1, 4)):
    for space in (observations, actions):
        space.seed(5)
    found = []
    for i, n in enumerate(lengths):
        seen, done = [observations.sample() for _ in range(n + 1)], [actions.sample() for _ in range(n)]
        found.append(
            Trajectory(f"a{i}", i + 7, seen, done, np.arange(n) * 0.5, np.arange(n) + 2.5, i == 1, {"score": i / 3})
        )
    return Trajectories.of(found, observations, actions)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b)


@pytest.mark.parametrize("kind", PAIRS)
def test_minari_reads_what_is_written_and_back(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    data = made(*PAIRS[kind])
    export_minari(data, tmp_path / "ours" / f"{kind}-v0", f"ours/{kind}-v0", algorithm="none", author="us")
    theirs = minari.load_dataset(f"ours/{kind}-v0")
    assert (theirs.total_episodes, theirs.total_steps) == (3, 8)
    assert theirs.observation_space == data.observation_space and theirs.action_space == data.action_space
    for one, episode in zip(data, theirs.iterate_episodes(), strict=True):
        assert same(episode.observations, one.observations) and same(episode.actions, one.actions)
        assert np.array_equal(episode.rewards, one.rewards)
        assert episode.terminations.tolist() == [False] * (len(one.rewards) - 1) + [one.terminated]
        assert episode.truncations[-1] != one.terminated
    again = import_minari(tmp_path / "ours" / f"{kind}-v0")
    assert all(all(map(same, a, b)) for a, b in zip(again, data, strict=True))
    assert again.observation_space == data.observation_space


@pytest.mark.filterwarnings("ignore::UserWarning:minari")
@pytest.mark.parametrize("kind", PAIRS)
def test_what_minari_writes_is_read(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    observations, actions = PAIRS[kind]
    data = made(observations, actions)
    buffers = []
    for one in data:
        ends = np.arange(len(one.rewards)) == len(one.rewards) - 1
        ended, cut = (ends & one.terminated).tolist(), (ends & (not one.terminated)).tolist()
        buffers.append(
            minari.data_collector.EpisodeBuffer(None, 3, None, one.observations, one.actions, list(one.rewards), ended, cut)
        )
    spaces = {"observation_space": observations, "action_space": actions}
    minari.create_dataset_from_buffers(
        f"theirs/{kind}-v1", buffers, algorithm_name="x", author="y", author_email="z@y.org", code_permalink="w", **spaces,
        description="d", jpeg_encoding=kind == "pictures",
    )  # fmt: skip
    again = import_minari(tmp_path / "theirs" / f"{kind}-v1")
    assert len(import_minari(minari.load_dataset(f"theirs/{kind}-v1"))) == len(again)
    assert again.observation_space == observations and again.action_space == actions
    for ours, one, judge in zip(again, data, minari.load_dataset(f"theirs/{kind}-v1").iterate_episodes(), strict=True):
        assert same(ours.observations, judge.observations)  # of pictures: what is left of them after JPEG
        assert same(ours.actions, one.actions) and np.array_equal(ours.rewards, one.rewards)
        assert ours.terminated == one.terminated
        assert kind == "pictures" or same(ours.observations, one.observations)


def test_verbs_come_back_as_verbs(tmp_path):
    data = made(gs.Box(0, 1, (1,)), Verbs(Walk, Rest))
    export_minari(data, tmp_path / "walks")
    assert [t.actions for t in import_minari(tmp_path / "walks")] == [t.actions for t in data]
    texts = minari.MinariDataset(tmp_path / "walks" / "data")[0].actions
    assert [json.loads(text)["verb"] for text in texts] == [type(v).__name__.lower() for v in data[0].actions]


def test_what_is_wrong_is_said_in_one_sentence(tmp_path):
    data = made(*PAIRS["vectors"])
    with pytest.raises(DataError, match="no id of a Minari data set"):
        export_minari(data, tmp_path / "a b")
    folder = export_minari(data, tmp_path / "d-v3") / "data"
    with pytest.raises(DataError, match="exists already"):
        export_minari(data, tmp_path / "d-v3")
    with pytest.raises(DataError, match="needs the final observation"):
        export_minari(
            Trajectories.of([t._replace(observations=t.observations[:-1]) for t in data], *PAIRS["vectors"]), tmp_path / "e"
        )
    with pytest.raises(DataError, match=r"metadata\.json is missing; give the folder"):
        import_minari("D4RL/pen/human-v2")
    with pytest.raises(DataError, match="not as a list"):
        import_minari([folder])
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        kept = file["episode_1/rewards"][()]
        del file["episode_1/rewards"]
    with pytest.raises(DataError, match=r"no sound Minari data set: .*rewards"):
        import_minari(tmp_path / "d-v3")
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        file["episode_1"]["rewards"] = np.append(kept, 1.0)
    with pytest.raises(DataError, match="trajectory 1 has 2 observations"):
        import_minari(tmp_path / "d-v3")
    (folder / "main_data.hdf5").write_bytes(b"no hdf5")
    with pytest.raises(DataError, match="no sound Minari data set"):
        import_minari(tmp_path / "d-v3")
    (folder / "main_data.hdf5").unlink()
    with pytest.raises(DataError, match=r"main_data\.hdf5 is missing"):
        import_minari(tmp_path / "d-v3")
    about = folder / "metadata.json"
    about.write_text(about.read_text().replace('"hdf5"', '"arrow"'))
    with pytest.raises(DataError, match="only hdf5"):
        import_minari(tmp_path / "d-v3")
