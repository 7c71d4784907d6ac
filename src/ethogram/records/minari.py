"""Data sets in the layout of Minari (version 0.5, HDF5): read what minari wrote, write what it reads.

A data set is a folder `<datasets>/<id>/data` with `metadata.json` and `main_data.hdf5`, in which each episode is a group
with `observations` (T + 1), `actions`, `rewards`, `terminations` and `truncations` (T); the entries of `Dict` spaces are
groups, those of `Tuple` spaces groups named `_index_0` and so on. Layout: https://minari.farama.org/main/content/dataset_standards/

Members of `Typed` and `Verbs` spaces are written as `Text`, their JSON. What Minari has no place for (these spaces, names of
agents, times, outcomes) is written beside it, where minari passes over it, so nothing is lost on the way and back.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import gymnasium.spaces as gs
import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.errors import DataError, not_installed
from ethogram.records.codec import codec
from ethogram.records.columns import rows
from ethogram.records.descriptions import describe, space_of
from ethogram.records.folders import fresh
from ethogram.records.trajectories import Trajectories, Trajectory

__all__ = ["export_minari", "import_minari"]

LAYOUT = "0.5.4"
"""The version of minari whose layout this is."""
ID = re.compile(r"^([-_\w][-_\w/]*[-_\w]/)?[-_\w]+-v\d+$")


def _h5py() -> Any:
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise not_installed(error, "the Minari layout") from error
    return h5py


def _is_text(space: Space[Any]) -> bool:
    kinds = gs.Dict | gs.Tuple | gs.Box | gs.Discrete | gs.MultiDiscrete | gs.MultiBinary
    return not isinstance(space, kinds)


def _is_jpeg(space: Space[Any]) -> bool:
    """Whether minari keeps members as JPEG, where it does at all: pictures of at least 32 x 32 pixels."""
    shape = space.shape or ()
    large = len(shape) in (2, 3) and min(shape[:2]) >= 32
    return (
        isinstance(space, gs.Box) and large and space.dtype == np.uint8 and not space.low.any() and (space.high == 255).all()
    )


def _spec(space: Space[Any]) -> dict[str, Any]:
    """A space as minari describes it."""
    if isinstance(space, gs.Dict):
        return {"type": "Dict", "subspaces": {key: _spec(part) for key, part in space.spaces.items()}}
    if isinstance(space, gs.Tuple):
        return {"type": "Tuple", "subspaces": [_spec(part) for part in space.spaces]}
    if isinstance(space, gs.Box):
        bounds = {"low": space.low.tolist(), "high": space.high.tolist()}
        return {"type": "Box", "dtype": str(space.dtype), "shape": list(space.shape), **bounds}
    if isinstance(space, gs.Discrete):
        return {"type": "Discrete", "dtype": "int64", "start": int(space.start), "n": int(space.n)}
    if isinstance(space, gs.MultiDiscrete):
        bounds = {"nvec": space.nvec.tolist(), "start": space.start.tolist()}
        return {"type": "MultiDiscrete", "dtype": str(space.dtype), **bounds}
    if isinstance(space, gs.MultiBinary):
        return {"type": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(map(int, space.n))}
    if isinstance(space, gs.Text):
        return {"type": "Text", "max_length": space.max_length, "min_length": space.min_length, "charset": space.characters}
    printable = "".join(map(chr, range(32, 127)))
    return {"type": "Text", "max_length": 2**20, "min_length": 0, "charset": printable}


def _space(spec: dict[str, Any]) -> Space[Any]:
    """Inverse of `_spec`."""
    if spec["type"] in ("Dict", "Tuple"):
        parts = spec["subspaces"]
        return gs.Dict({k: _space(s) for k, s in parts.items()}) if spec["type"] == "Dict" else gs.Tuple(map(_space, parts))
    if spec["type"] == "Box":
        dtype = np.dtype(spec["dtype"])
        return gs.Box(np.array(spec["low"], dtype), np.array(spec["high"], dtype), tuple(spec["shape"]), dtype.type)
    if spec["type"] == "MultiBinary":
        return gs.MultiBinary(spec["n"])
    return space_of(spec)


def _write(group: Any, name: str, space: Space[Any], column: Any) -> None:
    if isinstance(space, gs.Dict | gs.Tuple):
        inner = group.create_group(name, track_order=True)
        parts = space.spaces.items() if isinstance(space, gs.Dict) else enumerate(space.spaces)
        for key, part in parts:
            _write(inner, key if isinstance(key, str) else f"_index_{key}", part, column[key])
    elif _is_text(space):
        texts = codec(space).encode(column).to_pylist()
        group.create_dataset(name, data=np.array(texts, object), dtype=_h5py().string_dtype())
    else:
        group.create_dataset(name, data=column)


def _read(node: Any, space: Space[Any], jpeg: bool) -> Any:
    if isinstance(space, gs.Dict):
        return {key: _read(node[key], part, jpeg) for key, part in space.spaces.items()}
    if isinstance(space, gs.Tuple):
        return tuple(_read(node[f"_index_{i}"], part, jpeg) for i, part in enumerate(space.spaces))
    if _is_text(space):
        return codec(space).decode(pa.array([text.decode() for text in node[()]], pa.string()))
    if jpeg and _is_jpeg(space):
        from PIL import Image

        return np.array([np.asarray(Image.open(io.BytesIO(bytes(frame)))) for frame in node[()]], np.uint8)
    return node[()]


def export_minari(
    trajectories: Trajectories,
    path: str | Path,
    dataset_id: str | None = None,
    *,
    env: str | None = None,
    algorithm: str = "",
    author: str = "",
    description: str = "",
) -> Path:
    """Write a data set that `minari.load_dataset(dataset_id)` reads where `path` is `$MINARI_DATASETS_PATH/<dataset_id>`.

    Args:
        trajectories: the episodes; pictures are kept without loss.
        path: folder of the data set.
        dataset_id: such as "pond/expert-v0"; by default the folder's name, with -v0 where it has no version.
        env: id of the gymnasium environment they come from.
        algorithm: what made them.
        author: who made them.
        description: what they are, in words.

    Raises:
        DataError: the folder holds a data set, the id is malformed, or final observations were not recorded.
    """
    h5py, path = _h5py(), Path(path)
    name = dataset_id or (path.name if re.search(r"-v\d+$", path.name) else f"{path.name}-v0")
    if not ID.match(name):
        raise DataError(f"{name!r} is no id of a Minari data set: give one such as pond/expert-v0")
    folder = path / "data"
    if folder.exists():
        raise DataError(f"{folder} exists already: choose another folder for the data set")
    if any(len(t.times) + 1 != rows(t.observations) for t in trajectories):
        raise DataError("the Minari layout needs the final observation of each episode, and some were not recorded")
    spaces = (trajectories.observation_space, trajectories.action_space)
    about: dict[str, Any] = {
        "total_episodes": len(trajectories),
        "total_steps": int(trajectories.lengths.sum()),
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "observation_space": json.dumps(_spec(spaces[0])),
        "action_space": json.dumps(_spec(spaces[1])),
        "dataset_id": name,
        "algorithm_name": algorithm,
        "author": [author] if author else [],
        "author_email": [],
        "code_permalink": "",
        "description": description,
        "minari_version": LAYOUT,
        "ethogram": {"observation_space": describe(spaces[0]), "action_space": describe(spaces[1])},
    }
    if env is not None:
        import gymnasium

        about["env_spec"] = gymnasium.spec(env).to_json()
    with fresh(folder) as new:
        with h5py.File(new / "main_data.hdf5", "w", track_order=True) as file:
            for i, t in enumerate(trajectories):
                _write_episode(file.create_group(f"episode_{i}", track_order=True), i, t, spaces)
        about["dataset_size"] = round((new / "main_data.hdf5").stat().st_size / 1e6, 1)
        (new / "metadata.json").write_text(json.dumps(about), encoding="utf-8")
    return path


def _write_episode(group: Any, i: int, t: Trajectory, spaces: tuple[Space[Any], Space[Any]]) -> None:
    group.attrs.update({"id": i, "total_steps": len(t.rewards), "agent": t.agent, "episode": t.episode})
    group.attrs.update({f"outcome/{key}": value for key, value in t.outcome.items()})
    _write(group, "observations", spaces[0], t.observations)
    _write(group, "actions", spaces[1], t.actions)
    group.create_dataset("rewards", data=t.rewards)
    last = np.arange(len(t.rewards)) == len(t.rewards) - 1
    group.create_dataset("terminations", data=last & t.terminated)
    group.create_dataset("truncations", data=last & (not t.terminated))
    group.create_group("infos").create_dataset("time", data=t.times)


def import_minari(dataset: str | Path | Any) -> Trajectories:
    """Read a data set in the Minari layout into memory.

    Args:
        dataset: its folder (the one that holds `data`), as under `$MINARI_DATASETS_PATH`; or a `MinariDataset`.

    Raises:
        DataError: it is none, is in another format of Minari's, or something in it is missing or malformed.
    """
    path = _place(dataset)
    h5py = _h5py()
    folder = path / "data" if (path / "data").is_dir() else path
    try:
        about = json.loads((folder / "metadata.json").read_bytes())
        if about["data_format"] != "hdf5":
            raise DataError(f"{path} is a Minari data set in the format {about['data_format']!r}: only hdf5 is read")
        spaces = _spaces(about, path)
        jpeg = bool(about.get("jpeg_encoding", True))
        with h5py.File(folder / "main_data.hdf5", "r") as file:
            found = [_episode(file[f"episode_{i}"], i, spaces, jpeg) for i in range(about["total_episodes"])]
        return Trajectories.of(found, *spaces)
    except FileNotFoundError as error:
        missing = Path(error.filename).name if error.filename else "main_data.hdf5"
        raise DataError(
            f"{path} is no data set in the Minari layout: data/{missing} is missing; give the folder of the data set (an id "
            "names one in $MINARI_DATASETS_PATH, or in ~/.minari/datasets)"
        ) from None
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no sound Minari data set: {error}") from error


def _place(dataset: str | Path | Any) -> Path:
    """The folder of a data set of minari's."""
    if isinstance(dataset, str | Path):
        return Path(dataset)
    try:
        return Path(dataset.storage.data_path)
    except AttributeError:
        kind = type(dataset).__name__
        raise DataError(f"a data set of minari is given by its folder or as a MinariDataset, not as a {kind}") from None


def _spaces(about: dict[str, Any], path: Path) -> tuple[Space[Any], Space[Any]]:
    own = about.get("ethogram")
    if own:
        return space_of(own["observation_space"]), space_of(own["action_space"])
    if "observation_space" in about and "action_space" in about:
        return _space(json.loads(about["observation_space"])), _space(json.loads(about["action_space"]))
    if "env_spec" not in about:
        raise DataError(f"{path} says neither its spaces nor its environment in metadata.json")
    import gymnasium
    from gymnasium.envs.registration import EnvSpec

    try:
        env = gymnasium.make(EnvSpec.from_json(about["env_spec"]))
    except gymnasium.error.Error as error:
        raise DataError(
            f"{path} names an environment from which to take its spaces, which cannot be made: {error}"
        ) from error
    return env.observation_space, env.action_space


def _episode(group: Any, i: int, spaces: tuple[Space[Any], Space[Any]], jpeg: bool) -> Trajectory:
    attrs = dict(group.attrs)
    rewards = np.asarray(group["rewards"][()], np.float64)
    times = group["infos/time"][()] if "infos/time" in group and "agent" in attrs else np.arange(len(rewards), dtype=float)
    return Trajectory(
        str(attrs.get("agent", "agent")),
        int(attrs.get("episode", i)),
        _read(group["observations"], spaces[0], jpeg),
        _read(group["actions"], spaces[1], jpeg),
        rewards,
        times,
        bool(group["terminations"][()][-1:].any()),
        {key.partition("/")[2]: float(value) for key, value in attrs.items() if key.startswith("outcome/")},
    )
