"""How trajectories lie in memory and on disk: the columns of all episodes, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.errors import DataError
from ethogram.records.columns import Array, Column, chain, from_arrow, pick, rows, to_arrow
from ethogram.records.descriptions import describe, space_of

__all__ = ["Store", "read_store", "write_store"]

FORMAT = 1
BATCH_BYTES = 2**29
"""About how much of a column is written as one piece."""


class Store(NamedTuple):
    """Columns of E episodes one after the other, and where in them each episode lies."""

    observations: Column
    actions: Column
    rewards: Column
    times: Column
    agents: list[str]
    episodes: Array
    lengths: Array
    """(E,) T of each."""
    seen: Array
    """(E,) number of observations of each: T + 1, T, or 0."""
    terminated: Array
    outcomes: dict[str, Array]
    """(E,) each; NaN where an episode has none of that name."""

    @property
    def first_action(self) -> Array:
        """(E,) row of the first action of each."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def first_seen(self) -> Array:
        """(E,) row of the first observation of each."""
        return np.cumsum(self.seen) - self.seen


def write_store(folder: Path, store: Store, index: Array, spaces: tuple[Space[Any], Space[Any]]) -> None:
    """Write the episodes `index` of a store into an empty folder; `spaces` are those of observations and actions."""
    s, i, first = store, index, (store.first_seen[index], store.first_action[index])
    seen = _pieces("observations", spaces[0], s.observations, first[0], s.seen[i], {})
    beside = {"rewards": s.rewards, "times": s.times}
    done = _pieces("actions", spaces[1], s.actions, first[1], s.lengths[i], beside)
    sizes = {
        "observations": _write(folder / "observations.arrow", seen),
        "actions": _write(folder / "actions.arrow", done),
    }
    episodes = {
        "agent": pa.array([s.agents[k] for k in i.tolist()], pa.string()),
        **{f: pa.array(getattr(s, f)[i]) for f in ("episodes", "lengths", "seen", "terminated")},
        **{f"outcome/{name}": pa.array(values[i]) for name, values in s.outcomes.items()},
    }
    sizes["episodes"] = _write(folder / "episodes.arrow", iter([pa.record_batch(episodes)]))
    about = {
        "format": FORMAT,
        "trajectories": len(i),
        "steps": int(s.lengths[i].sum()),
        "bytes": sizes,
        "observation_space": describe(spaces[0]),
        "action_space": describe(spaces[1]),
    }
    (folder / "trajectories.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def read_store(path: Path) -> tuple[Store, Space[Any], Space[Any]]:
    """Map what `write_store` wrote. Raises DataError where it is none, or broken."""
    try:
        about = json.loads((path / "trajectories.json").read_bytes())
        if about["format"] != FORMAT:
            raise DataError(f"{path} is of format {about['format']}, and this version of ethogram reads {FORMAT}")
        spaces = (space_of(about["observation_space"]), space_of(about["action_space"]))
        tables = {name: _read(path / f"{name}.arrow", size) for name, size in about["bytes"].items()}
        episodes = pa.Table.from_batches(tables["episodes"])
        flat = {name: episodes[name].to_numpy() for name in episodes.column_names if name != "agent"}
        observed, acted = tables["observations"], tables["actions"]
        store = Store(
            observations=_mapped(spaces[0], [b["observations"] for b in observed]),
            actions=_mapped(spaces[1], [b["actions"] for b in acted]),
            rewards=chain([b["rewards"].to_numpy() for b in acted]),
            times=chain([b["times"].to_numpy() for b in acted]),
            agents=episodes["agent"].to_pylist(),
            episodes=flat["episodes"],
            lengths=flat["lengths"],
            seen=flat["seen"],
            terminated=flat["terminated"].astype(bool),
            outcomes={name.partition("/")[2]: values for name, values in flat.items() if name.startswith("outcome/")},
        )
        whole = store.lengths.sum() == len(store.rewards) == rows(store.actions)
        if not whole or store.seen.sum() != rows(store.observations):
            raise DataError(f"{path} is broken: its columns are not as long as its episodes; make it anew")
    except FileNotFoundError as error:
        raise DataError(f"{path} is no saved trajectories: {Path(str(error.filename)).name} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path} holds no sound trajectories ({error}): make the data set anew") from error
    return store, *spaces


def _pieces(
    name: str, space: Space[Any], column: Column, first: Array, lengths: Array, beside: dict[str, Column]
) -> Iterator[pa.RecordBatch]:
    """The rows of the episodes as record batches of about `BATCH_BYTES`, each without a copy where its rows are adjacent."""
    width = max(1, to_arrow(space, pick(column, slice(0, 1))).nbytes)
    bounds = np.searchsorted(np.cumsum(lengths) * width, np.arange(BATCH_BYTES, int(lengths.sum()) * width, BATCH_BYTES))
    for some in np.split(np.arange(len(lengths)), np.unique(bounds)):
        start, n = first[some], lengths[some]
        ends = start + n
        index: slice | Array = np.concatenate([np.zeros(0, int), *map(np.arange, start.tolist(), ends.tolist())])
        if len(index) and index[-1] - index[0] + 1 == len(index) and (start[1:] == ends[:-1]).all():
            index = slice(int(index[0]), int(index[-1]) + 1)
        arrays = {name: to_arrow(space, pick(column, index)), **{k: pa.array(v[index]) for k, v in beside.items()}}
        yield pa.record_batch(arrays)


def _write(path: Path, batches: Iterator[pa.RecordBatch]) -> int:
    """Write an Arrow file; returns its size in bytes."""
    first = next(batches)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
    return path.stat().st_size


def _read(path: Path, size: int) -> list[pa.RecordBatch]:
    """Map an Arrow file. Raises DataError where its size is not the recorded one."""
    found = path.stat().st_size
    if found != size:
        raise DataError(f"{path} has {found} bytes and should have {size}: make the data set anew")
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    return [reader.get_batch(i) for i in range(reader.num_record_batches)]


def _mapped(space: Space[Any], arrays: list[pa.Array]) -> Column:
    return chain([from_arrow(space, array) for array in arrays])
