"""Trajectories out of the LeRobot layout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gymnasium import Space

from ethogram.errors import DataError
from ethogram.records.codec import codec
from ethogram.records.columns import Array, collect, join
from ethogram.records.frames import decode_png, read_video
from ethogram.records.lerobot.layout import OWN, PICTURES, Leaf, leaves
from ethogram.records.trajectories import Trajectories, Trajectory

__all__ = ["import_lerobot", "tasks_of_lerobot"]


def import_lerobot(path: str | Path) -> Trajectories:
    """Read a data set in the LeRobot layout into memory.

    Of a data set that ethogram did not write, `next.reward`, `next.done` and `next.success` are taken where they are there;
    final observations are not, since the layout has none, and bounds of spaces are unknown. What the episodes are about, in
    words, `tasks_of_lerobot` says.

    Raises:
        DataError: it is none, is of another version than 3, or something in it is missing or malformed.
    """
    path = Path(path)
    with _sound(path):
        info, episodes = _meta(path)
        rest = Trajectories.load(path / OWN) if (path / OWN).is_dir() else None
        if rest is not None and len(rest) != info["total_episodes"]:  # lerobot has since added or removed episodes
            rest = None
        pictures = "video" if any(f["dtype"] == "video" for f in info["features"].values()) else "image"
        spaces = (rest.observation_space, rest.action_space) if rest is not None else _spaces(info["features"])
        parts = [list(leaves(s, p, pictures)) for s, p in zip(spaces, ("observation", "action"), strict=True)]
        found = list(_episodes(path, info, episodes, parts, spaces))
    if rest is not None:
        found = [_whole(t, r, spaces[0]) for t, r in zip(found, rest, strict=True)]
    return Trajectories.of(found, *spaces)


def tasks_of_lerobot(path: str | Path) -> list[tuple[str, ...]]:
    """What each episode of a data set in the LeRobot layout is about, in words: one task, or several, or none.

    In the order of `import_lerobot`, so that `data[[i for i, t in enumerate(tasks) if "push" in t]]` are those of one task.

    Raises:
        DataError: as `import_lerobot`.
    """
    path = Path(path)
    with _sound(path):
        return [tuple(row["tasks"]) for row in _meta(path)[1]]


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Say of whatever is missing or malformed in a data set that it is so."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path} is no data set in the LeRobot layout: {error.filename or error} is missing") from None
    except (OSError, KeyError, IndexError, ValueError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} holds no sound LeRobot data set: {type(error).__name__}: {error}") from error


def _meta(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a data set says of itself, and of each episode."""
    info = json.loads((path / "meta" / "info.json").read_bytes())
    if not str(info["codebase_version"]).startswith("v3."):
        raise DataError(f"{path} is of version {info['codebase_version']} of the LeRobot layout: only version 3 is read")
    files = sorted((path / "meta" / "episodes").glob("*/*.parquet"))
    if not files:
        raise DataError(f"{path} is no data set in the LeRobot layout: meta/episodes holds no table")
    lean = [[n for n in pq.read_schema(f).names if not n.startswith("stats/")] for f in files]
    table = pa.concat_tables([pq.read_table(f, columns=c) for f, c in zip(files, lean, strict=True)])
    return info, table.to_pylist()


def _whole(t: Trajectory, rest: Trajectory, space: Space[Any]) -> Trajectory:
    """An episode with what the layout has no place for."""
    both = [collect(space, t.observations), collect(space, rest.observations)]
    return rest._replace(observations=join(both), actions=t.actions, rewards=t.rewards, times=t.times)


def _space_of_feature(feature: dict[str, Any]) -> Space[Any]:
    shape = tuple(feature["shape"])
    if feature["dtype"] in PICTURES:
        height_first = shape if shape[-1] in (1, 3, 4) else (*shape[1:], shape[0])
        return gs.Box(0, 255, height_first, np.uint8)
    if feature["dtype"] == "string":
        return gs.Text(2**20, min_length=0)
    dtype = np.dtype(feature["dtype"])
    if dtype.kind == "f":
        return gs.Box(-np.inf, np.inf, shape, dtype.type)
    least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return gs.Box(least, most, shape, dtype.type)


def _spaces(features: dict[str, Any]) -> tuple[Space[Any], Space[Any]]:
    """The spaces of a data set that does not say them: one feature alone stands for itself, several are a Dict."""
    found = []
    for prefix, alone in (("observation", ("observation.state", "observation.image")), ("action", ("action",))):
        own = {name: feature for name, feature in features.items() if name.split(".")[0] == prefix}
        if not own:
            raise DataError(f"the data set has no feature {prefix}: it has {', '.join(features)}")
        if len(own) == 1 and next(iter(own)) in alone:
            found.append(_space_of_feature(next(iter(own.values()))))
        else:
            parts = {name.partition(".")[2] or name: _space_of_feature(feature) for name, feature in own.items()}
            found.append(gs.Dict(parts))
    return found[0], found[1]


def _episodes(
    path: Path, info: dict[str, Any], episodes: list[dict[str, Any]], parts: list[list[Leaf]], spaces: tuple[Any, Any]
) -> Iterator[Trajectory]:
    """The episodes as the layout has them, file by file."""
    held: tuple[Path | None, pa.Table | None, int] = None, None, 0
    films: dict[str, tuple[Path, Array]] = {}
    for row in episodes:
        file = path / info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        if held[0] != file:
            table = pq.read_table(file)
            held = file, table, table["index"][0].as_py()
        assert held[1] is not None
        part = held[1].slice(row["dataset_from_index"] - held[2], row["length"])
        if part.num_rows != row["length"] or set(part["episode_index"].to_pylist()) != {row["episode_index"]}:
            raise DataError(f"{file} does not hold the {row['length']} frames of episode {row['episode_index']}")
        trees = []
        for space, own in zip(spaces, parts, strict=True):
            values = {}
            for leaf in own:
                if leaf.dtype == "video":
                    frames = _film(path, info, row, leaf.name, films)
                    start = round(row[f"videos/{leaf.name}/from_timestamp"] * info["fps"])
                    values[leaf.path] = frames[start : start + row["length"]]
                else:
                    values[leaf.path] = _values(leaf, part[leaf.name].combine_chunks())
            trees.append(_tree(space, values))
        names = part.column_names
        done = "next.done" in names and bool(part["next.done"][-1].as_py())
        outcome = {"success": float(any(part["next.success"].to_pylist()))} if "next.success" in names else {}
        rewards = part["next.reward"].to_numpy() if "next.reward" in names else np.zeros(row["length"])
        times = part["time" if "time" in names else "timestamp"].to_numpy().astype(np.float64)
        yield Trajectory("agent", row["episode_index"], trees[0], trees[1], rewards.astype(np.float64), times, done, outcome)


def _film(path: Path, info: dict[str, Any], row: dict[str, Any], name: str, films: dict[str, tuple[Path, Array]]) -> Array:
    """The frames of the video that holds an episode; the last one of each feature is kept."""
    numbers = {f"{kind}_index": row[f"videos/{name}/{kind}_index"] for kind in ("chunk", "file")}
    file = path / info["video_path"].format(video_key=name, **numbers)
    if name not in films or films[name][0] != file:
        films[name] = file, read_video(file)
    return films[name][1]


def _values(leaf: Leaf, column: pa.Array) -> Any:
    """Inverse of `_column`."""
    if leaf.dtype == "string":
        return codec(leaf.space).decode(column)
    if leaf.dtype == "image":
        return np.array([decode_png(png) for png in column.field("bytes").to_pylist()], np.uint8)
    while isinstance(column.type, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        column = column.flatten()
    form = leaf.shape if leaf.space.shape is None else leaf.space.shape
    return column.to_numpy(zero_copy_only=False).reshape(-1, *form)


def _tree(space: Space[Any], values: dict[tuple[str | int, ...], Any], path: tuple[str | int, ...] = ()) -> Any:
    """The column of a space from those of its leaves."""
    if isinstance(space, gs.Dict):
        return {key: _tree(part, values, (*path, key)) for key, part in space.spaces.items()}
    if isinstance(space, gs.Tuple):
        return tuple(_tree(part, values, (*path, i)) for i, part in enumerate(space.spaces))
    return values[path]
