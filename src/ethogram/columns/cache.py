"""Generated modules on disk, so that a model is compiled once and not in every process.

They are kept in the folder that the environment variable ETHOGRAM_COLUMNS names, else in the user's cache. A module's name
is a digest of its text (in which the rules and their constants stand), of the compiled primitives and of numba's version;
beside it lies what numba has compiled of it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ethogram.columns.emit import Module

__all__ = ["FOLDER", "folder", "load"]

FOLDER = "ETHOGRAM_COLUMNS"
"""The environment variable that names the folder of generated modules."""


def folder() -> Path:
    """Where generated modules are kept."""
    if named := os.environ.get(FOLDER):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return Path(base or Path.home() / ".cache") / "ethogram" / "columns"


def load(module: Module) -> dict[str, Any]:
    """What a generated module defines. One with a rule whose source is not to be had is compiled in every process anew."""
    if module.lost:
        names: dict[str, Any] = {"CACHE": False, "LOST": module.lost, "__name__": "ethogram_columns_unsaved"}
        exec(compile(module.text, "<columns>", "exec"), names)
        return names
    return vars(_import(f"CACHE = True\n{module.text}"))


@lru_cache(maxsize=256)
def _import(text: str) -> ModuleType:
    name = f"ethogram_columns_{_digest(text)}"
    try:
        file = _written(folder(), name, text)
    except OSError:  # no such folder can be made here: compiled in every process anew
        file = _written(Path(tempfile.mkdtemp(prefix="ethogram-columns-")), name, text)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def _digest(text: str) -> str:
    import numba

    primitives = (Path(__file__).parent / "kernels.py").read_bytes() + (Path(__file__).parent / "luck.py").read_bytes()
    compiler = f"{numba.__version__} {os.environ.get('NUMBA_BOUNDSCHECK')}"
    return hashlib.blake2b(compiler.encode() + primitives + text.encode(), digest_size=12).hexdigest()


def _written(where: Path, name: str, text: str) -> Path:
    """The module's file, written in one go where it is not there: several processes may do so at once."""
    file = where / f"{name}.py"
    if not file.exists():
        where.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=name, suffix=".new", dir=where)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.utime(temporary, (10**9, 10**9))  # numba takes another time for another text
        os.replace(temporary, file)
    return file
