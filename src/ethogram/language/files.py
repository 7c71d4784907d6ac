"""Files of tuned models: digests, replacement in one go, and what is known of an adapter without its weights."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ethogram.errors import DataError

__all__ = ["BLANK", "FORMAT", "digest", "facts", "replace_file"]

FORMAT = 1
"""Version of the folder. A folder of another version is refused."""
BLANK = "0" * 64
"""Stands in the JSON where its own digest goes, while that is computed."""


def facts(folder: Path) -> dict[str, Any]:
    """What is known of adapters on disk, without their weights.

    Raises:
        DataError: there are none, or the file is damaged or of another version.
    """
    file = folder / "adapter.json"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(
            f"{folder} holds no tuned model ({file.name}: {error.strerror}): give the folder that tune() wrote"
        ) from error
    try:
        found = json.loads(data)
        stated = found["digest"].encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is damaged: it is not the JSON that was written; tune anew, or restore it") from error
    at = data.find(stated)
    if len(stated) != 64 or digest(data[:at] + BLANK.encode() + data[at + 64 :]).encode() != stated:
        raise DataError(f"{file} is damaged: its digest is wrong; tune anew, or restore it")
    if found["format"] != FORMAT:
        raise DataError(f"{file} is of format {found['format']}, not {FORMAT}: load it with the version that wrote it")
    return found


def digest(*parts: bytes) -> str:
    """A digest of some bytes, 64 hexadecimal digits."""
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees either the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    os.replace(temporary, path)
