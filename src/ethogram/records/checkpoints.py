"""Checkpoints: state trees of JSON values and numpy arrays on disk. Never pickle."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import RunError
from ethogram.records.durable import sync

__all__ = ["load_state", "save_state"]

_ARRAY = "__array__"
_SCALARS = {type(None), bool, int, float, str}


def _split(tree: Any, arrays: dict[str, np.ndarray[Any, Any]], where: str) -> Any:
    """Replace each array of the tree by a reference; TypeError (with the place) for what is neither JSON nor array."""
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, np.ndarray):
        if tree.dtype == object:
            raise TypeError(f"{where} is an array of objects; a state holds JSON values and numeric arrays only")
        key = f"a{len(arrays)}"
        arrays[key] = tree
        return {_ARRAY: key}
    if isinstance(tree, np.generic):
        return tree.item()
    if isinstance(tree, Mapping):
        if bad := [k for k in tree if not isinstance(k, str)]:
            raise TypeError(f"{where} has the key {bad[0]!r}; keys of a state are strings")
        return {k: _split(v, arrays, f"{where}.{k}") for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        if _SCALARS.issuperset(map(type, tree)):
            return list(tree)
        return [_split(v, arrays, f"{where}[{i}]") for i, v in enumerate(tree)]
    raise TypeError(f"{where} is a {type(tree).__name__}; a state holds JSON values and numpy arrays only")


def _join(tree: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(tree, dict):
        if tree.keys() == {_ARRAY}:
            return arrays[tree[_ARRAY]]
        return {k: _join(v, arrays) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_join(v, arrays) for v in tree]
    return tree


def save_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write a state tree as `folder`, in one go: `state.json` and `arrays.npz`."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    tree = _split(state, arrays, "state")
    temporary = folder.with_name(folder.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        (temporary / "state.json").write_text(json.dumps(tree), encoding="utf-8")
        np.savez(temporary / "arrays.npz", allow_pickle=False, **arrays)
        for file in temporary.iterdir():
            fd = os.open(file, os.O_RDONLY)
            sync(fd)
            os.close(fd)
        os.replace(temporary, folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load_state(folder: Path) -> dict[str, Any]:
    """Read a state tree; RunError where it is absent or broken."""
    try:
        tree = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            return _join(tree, arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"checkpoint {folder} cannot be read ({error}); delete it to resume from an earlier one") from error
