"""Trajectories into the LeRobot layout."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.errors import DataError
from ethogram.records.codec import codec
from ethogram.records.columns import Array, collect, gather, rows
from ethogram.records.folders import fresh
from ethogram.records.frames import encode_png, write_video
from ethogram.records.lerobot.layout import DATA, FRAME, OWN, PICTURES, VERSION, VIDEOS, Leaf, leaves, part
from ethogram.records.trajectories import Trajectories, Trajectory

__all__ = ["export_lerobot"]

INDEX = "__index_level_0__"
"""What pandas calls an index without a name."""
CHUNK_FILES = 1000
FILE_BYTES = 100 * 2**20
VIDEO_BYTES = 200 * 2**20
COMPRESSION = 30
"""How many times smaller than its pictures a video is taken to be when files are divided."""
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def _column(leaf: Leaf, values: Any) -> pa.Array:
    """A feature's values as a column of the data files."""
    if leaf.dtype == "string":
        return codec(leaf.space).encode(values)
    if leaf.dtype == "image":
        pngs = pa.array([encode_png(frame) for frame in values], pa.binary())
        return pa.StructArray.from_arrays([pngs, pa.nulls(len(values), pa.string())], names=["bytes", "path"])
    flat: pa.Array = pa.array(np.ascontiguousarray(values).reshape(-1))
    if leaf.shape == (1,):
        return flat
    if len(leaf.shape) == 1:
        return pa.FixedSizeListArray.from_arrays(flat, leaf.shape[0])
    for size in reversed(leaf.shape):
        flat = pa.ListArray.from_arrays(pa.array(range(0, len(flat) + 1, size), pa.int32()), flat)
    return flat


def _statistics(values: Array, is_picture: bool) -> dict[str, Array]:
    """Of one feature's values (N, ...) in an episode; those of pictures by channel, from 0 to 1."""
    count = len(values)
    if is_picture:
        values = values[:: max(1, count // 100)].reshape(-1, 3) / 255.0
    values = values.astype(np.float64)
    found = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    found |= dict(zip(QUANTILES, quantiles, strict=True))
    shape = (3, 1, 1) if is_picture else values.shape[1:] or (1,)
    return {**{k: v.reshape(shape) for k, v in found.items()}, "count": np.array([count])}


def _together(some: list[dict[str, Array]]) -> dict[str, list[Any]]:
    """One feature's statistics over episodes; quantiles are the episodes' weighted mean, as lerobot's are."""
    counts = np.array([s["count"][0] for s in some])
    weights = counts / counts.sum()

    def mean(name: str) -> Array:
        return np.tensordot(weights, np.stack([s[name] for s in some]), 1)

    whole = mean("mean")
    second = np.tensordot(weights, np.stack([s["std"] ** 2 + (s["mean"] - whole) ** 2 for s in some]), 1)
    found = {name: mean(name) for name in QUANTILES}
    found |= {"min": np.min([s["min"] for s in some], 0), "max": np.max([s["max"] for s in some], 0)}
    found |= {"mean": whole, "std": np.sqrt(second), "count": np.array([counts.sum()])}
    return {name: value.tolist() for name, value in found.items()}


def _files(lengths: Array, parts: list[Leaf]) -> list[Array]:
    """Positions of the episodes that go into one file, file by file."""
    row, film = 64.0, 0.0
    for leaf in parts:
        size = math.prod(leaf.shape)
        film += size / COMPRESSION if leaf.dtype == "video" else 0
        row += {"video": 0, "image": size / 2, "string": 200}.get(leaf.dtype, 8 * size)
    files = np.floor(np.cumsum(lengths) * max(row / FILE_BYTES, film / VIDEO_BYTES)).astype(int)
    return np.split(np.arange(len(files)), np.flatnonzero(np.diff(files)) + 1)


def _counted(group: list[Trajectory], first: tuple[int, int], tasks: list[int], fps: int, success: bool) -> dict[str, Array]:
    """What a frame has beside observation and action.

    Args:
        group: some episodes.
        first: the first one's number, and the number of its first frame.
        tasks: number of the task of each.
        fps: frames a second.
        success: whether success is kept.
    """
    counts = np.array([len(t.rewards) for t in group])
    steps = np.concatenate([np.arange(n) for n in counts])
    done = np.concatenate([np.arange(n) == n - 1 for n in counts])
    found = {
        "next.reward": np.concatenate([t.rewards for t in group]),
        "next.done": done,
        "time": np.concatenate([t.times for t in group]),
        "timestamp": (steps / fps).astype(np.float32),
        "frame_index": steps,
        "episode_index": np.repeat(first[0] + np.arange(len(group)), counts),
        "index": first[1] + np.arange(len(steps)),
        "task_index": np.repeat(np.array(tasks, np.int64), counts),
    }
    if success:
        found["next.success"] = done & np.repeat([t.outcome.get("success", 0) > 0 for t in group], counts)
    return found


def export_lerobot(
    trajectories: Trajectories,
    path: str | Path,
    *,
    fps: int = 10,
    task: str | Sequence[str] = "",
    robot: str | None = None,
    pictures: Literal["image", "video"] = "image",
) -> Path:
    """Write a data set that `LeRobotDataset(id, root=path)` reads.

    Args:
        trajectories: the episodes.
        path: folder of the data set, which must not exist yet.
        fps: frames a second; the layout wants one rate for all.
        task: what they are about, in words; or what each of them is about.
        robot: the kind of body.
        pictures: keep pictures as PNG (exact), or as H.264 video (small; needs av).

    Raises:
        DataError: the folder exists, an episode has no step or no observations, there are more or fewer tasks than episodes,
            or pictures do not fit a video.
    """
    path = Path(path)
    if path.exists():
        raise DataError(f"{path} exists already: choose another folder for the data set")
    if not len(trajectories) or trajectories.lengths.min() < 1 or rows(trajectories[0].observations) < 1:
        raise DataError("the LeRobot layout holds episodes of at least one step with observations: leave out the others")
    tasks = [task] * len(trajectories) if isinstance(task, str) else list(task)
    if len(tasks) != len(trajectories):
        raise DataError(f"{len(tasks)} tasks for {len(trajectories)} episodes: give one for all, or one for each")
    known = {words: i for i, words in enumerate(dict.fromkeys(tasks))}
    seen = list(leaves(trajectories.observation_space, "observation", pictures))
    done = list(leaves(trajectories.action_space, "action", pictures))
    success = "success" in trajectories.outcome_names
    names = [leaf.name for leaf in (*seen, *done)]
    if clash := sorted(name for name in names if names.count(name) > 1 or name in FRAME):
        raise DataError(f"two parts of the spaces would be called {clash[0]} in the LeRobot layout: rename an entry")
    features = {leaf.name: leaf.feature for leaf in (*seen, *done)}
    features |= {k: {"dtype": d, "shape": [1], "names": None} for k, d in FRAME.items() if success or k != "next.success"}
    with fresh(path) as folder:
        episodes, summary, first = [], [], 0
        for number, some in enumerate(_files(trajectories.lengths, [*seen, *done])):
            place, group = divmod(number, CHUNK_FILES), list(trajectories[some])
            columns = _columns(group, "observations", seen) | _columns(group, "actions", done)
            numbers = _counted(group, (int(some[0]), first), [known[tasks[i]] for i in some], fps, success)
            _write_frames(folder, place, [*seen, *done], columns, numbers, fps, features)
            values = {k: v for k, v in {**columns, **numbers}.items() if features[k]["dtype"] != "string"}
            start = 0
            for i, t in zip(some.tolist(), group, strict=True):
                end = start + len(t.rewards)
                stats = {k: _statistics(v[start:end], features[k]["dtype"] in PICTURES) for k, v in values.items()}
                episodes.append(_episode_row(i, tasks[i], first, (start, end), place, fps, features, stats))
                summary.append(stats)
                start = end
            first += start
        _write_meta(folder, features, fps, list(known), robot, episodes, summary)
        _write_rest(trajectories, folder / OWN)
    return path


def _columns(group: list[Trajectory], own: str, parts: list[Leaf]) -> dict[str, Any]:
    """The values of features, those of all frames of some episodes together."""
    found: dict[str, Any] = {}
    for leaf in parts:
        values = [part(getattr(t, own), leaf.path)[: len(t.rewards)] for t in group]
        found[leaf.name] = list(chain.from_iterable(values)) if leaf.dtype == "string" else np.concatenate(values)
    return found


def _write_frames(
    path: Path,
    place: tuple[int, int],
    parts: list[Leaf],
    columns: dict[str, Any],
    numbers: dict[str, Array],
    fps: int,
    features: dict[str, Any],
) -> None:
    """One data file and the videos beside it."""
    file = path / f"{DATA.format(chunk_index=place[0], file_index=place[1])}"
    file.parent.mkdir(parents=True, exist_ok=True)
    table = {leaf.name: _column(leaf, columns[leaf.name]) for leaf in parts if leaf.dtype != "video"}
    pq.write_table(pa.table(table | {k: pa.array(v) for k, v in numbers.items()}), file, compression="snappy")
    for leaf in parts:
        if leaf.dtype == "video":
            film = path / VIDEOS.format(video_key=leaf.name, chunk_index=place[0], file_index=place[1])
            features[leaf.name]["info"] = write_video(film, columns[leaf.name], fps)


def _episode_row(
    i: int,
    task: str,
    first: int,
    span: tuple[int, int],
    place: tuple[int, int],
    fps: int,
    features: dict[str, Any],
    stats: dict[str, dict[str, Array]],
) -> dict[str, Any]:
    """What `meta/episodes` says of an episode, whose frames are `span` of the data file at `place`."""
    row = {"episode_index": i, "tasks": [task], "length": span[1] - span[0]}
    row |= {"data/chunk_index": place[0], "data/file_index": place[1]}
    row |= {"dataset_from_index": first + span[0], "dataset_to_index": first + span[1]}
    for name in (name for name, feature in features.items() if feature["dtype"] == "video"):
        row |= {f"videos/{name}/chunk_index": place[0], f"videos/{name}/file_index": place[1]}
        row |= {f"videos/{name}/from_timestamp": span[0] / fps, f"videos/{name}/to_timestamp": span[1] / fps}
    row |= {f"stats/{name}/{kind}": value.tolist() for name, own in stats.items() for kind, value in own.items()}
    return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}


def _write_meta(
    path: Path,
    features: dict[str, Any],
    fps: int,
    tasks: list[str],
    robot: str | None,
    episodes: list[dict[str, Any]],
    summary: list[dict[str, dict[str, Array]]],
) -> None:
    info = {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": len(episodes),
        "total_frames": episodes[-1]["dataset_to_index"],
        "total_tasks": len(tasks),
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": FILE_BYTES // 2**20,
        "video_files_size_in_mb": VIDEO_BYTES // 2**20,
        "fps": fps,
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": DATA,
        "video_path": VIDEOS if any(f["dtype"] == "video" for f in features.values()) else None,
        "features": features,
    }
    meta = path / "meta"
    (meta / "episodes" / "chunk-000").mkdir(parents=True)
    (meta / "info.json").write_text(json.dumps(info, indent=4), encoding="utf-8")
    stats = {name: _together([s[name] for s in summary]) for name in summary[0]}
    (meta / "stats.json").write_text(json.dumps(stats, indent=4), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(episodes), meta / "episodes" / "chunk-000" / "file-000.parquet")
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), INDEX: pa.array(tasks)})
    columns = [
        {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": None},
        {"name": None, "field_name": INDEX, "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
    ]
    pandas = {"index_columns": [INDEX], "column_indexes": [], "columns": columns, "pandas_version": "2.3.0"}
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), meta / "tasks.parquet")


def _write_rest(trajectories: Trajectories, path: Path) -> None:
    """Save what the layout has no place for, as episodes without steps: the final observation and what came of it."""
    space, nothing = trajectories.observation_space, collect(trajectories.action_space, [])
    rest = []
    for t in trajectories:
        n = len(t.rewards)
        final = gather(collect(space, t.observations), slice(n, None))
        rest.append(t._replace(observations=final, actions=nothing, rewards=t.rewards[:0], times=t.times[:0]))
    Trajectories.of(rest, space, trajectories.action_space).save(path)
