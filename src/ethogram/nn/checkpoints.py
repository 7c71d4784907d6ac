"""Files of weights: a safetensors file whose header holds facts as JSON and a digest of everything. Never pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ethogram.errors import DataError

__all__ = ["digest", "read_checkpoint", "replace_file", "write_checkpoint"]


def digest(*parts: bytes) -> str:
    """A digest of some bytes, 64 hexadecimal digits."""
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees either the old content or the new one."""
    temporary = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_checkpoint(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> None:
    """Replace a checkpoint in one go.

    Args:
        path: of the file; its folder is made.
        facts: JSON values.
        arrays: tensors by name; they may share memory.
    """
    own = {name: value.detach().contiguous().clone() for name, value in arrays.items()}
    text = json.dumps(facts, sort_keys=True)
    replace_file(path, save(own, {"facts": text, "digest": _digest(text, own)}))


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The facts and tensors of a checkpoint; DataError where it is broken."""
    data = path.read_bytes()
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])["__metadata__"]
        arrays = load(data)
        sound = header["digest"] == _digest(header["facts"], arrays)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a checkpoint of a training ({error}); delete it to train anew") from error
    if not sound:
        raise DataError(f"{path} is damaged: its digest is wrong; delete it to train anew")
    return json.loads(header["facts"]), arrays


def _digest(facts: str, arrays: Mapping[str, Tensor]) -> str:
    parts = [facts.encode()]
    for name in sorted(arrays):
        array = arrays[name].numpy()
        parts += [f"{name} {array.dtype} {array.shape}".encode(), array.tobytes()]
    return digest(*parts)
