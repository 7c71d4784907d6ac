"""Fitted things on disk: a folder with `<kind>.json` and `weights.safetensors`. Loading never unpickles.

The JSON holds what is needed to build the module again (`spec`) and the digests of both files, so that a file of which a
byte has changed is refused, as is another kind of thing, another architecture or another space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ethogram.errors import ConfigError, DataError
from ethogram.nn.checkpoints import digest, replace_file

__all__ = ["FORMAT", "load", "restore", "save"]

FORMAT = 1
"""Version of the folder. A folder of another version is refused."""

_WEIGHTS = "weights.safetensors"
_BLANK = "0" * 64


def save(path: str | Path, kind: str, spec: Mapping[str, Any], module: nn.Module) -> None:
    """Write a module.

    Args:
        path: a folder; it is made, and what it holds of this kind is replaced.
        kind: what the thing is, such as `policy` or `world`: the name of the JSON file.
        spec: JSON values from which the module can be built again.
        module: whose parameters and buffers are written.

    Raises:
        ConfigError: the folder holds another kind of thing, whose weights would be lost.
    """
    folder = Path(path)
    for other in folder.glob("*.json"):
        if other.stem != kind and _kind(other) == other.stem:
            raise ConfigError(f"{folder} already holds a {other.stem}, whose weights would be lost; save to another folder")
    weights = save_tensors({name: value.detach().contiguous().clone() for name, value in module.state_dict().items()})
    facts = {"digest": _BLANK, "format": FORMAT, "kind": kind, "weights": digest(weights), "spec": spec}
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    replace_file(folder / _WEIGHTS, weights)
    replace_file(folder / f"{kind}.json", text.replace(_BLANK, digest(text.encode()), 1).encode())


def load(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what `save` wrote: the spec, and the tensors for `restore`.

    Raises:
        DataError: there is nothing of this kind, a file is damaged or missing, or it is of another version.
    """
    folder = Path(path)
    file = folder / f"{kind}.json"
    if not file.is_file():
        others = ", ".join(sorted(p.name for p in folder.glob("*.json")))
        beside = f", but {others}" if others else ""
        raise DataError(
            f"{folder} holds no {kind}: there is no {kind}.json in it{beside}; give the folder that save() wrote"
        )
    facts = _facts(file)
    if facts.get("format") != FORMAT or facts.get("kind") != kind:
        raise DataError(
            f"{file} is a {facts.get('kind')!r} of format {facts.get('format')}, not a {kind!r} of format {FORMAT}; "
            "load it as what it is, with the version that wrote it"
        )
    try:
        weights = (folder / _WEIGHTS).read_bytes()
    except OSError as error:
        raise DataError(f"{folder / _WEIGHTS} cannot be read ({error.strerror}); restore it from a copy") from error
    if digest(weights) != facts["weights"]:
        raise DataError(f"{folder / _WEIGHTS} is damaged, or is not what {file.name} was written with; restore both")
    try:
        return facts["spec"], load_tensors(weights)
    except SafetensorError as error:
        raise DataError(f"{folder / _WEIGHTS} is not a safetensors file: {error}") from error


def _kind(file: Path) -> str | None:
    """The kind of thing that a JSON file says it is of, if any."""
    try:
        return json.loads(file.read_bytes())["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _facts(file: Path) -> dict[str, Any]:
    """The content of the JSON file; DataError where a byte of it has changed."""
    data = file.read_bytes()
    try:
        facts = json.loads(data)
        stated = facts["digest"].encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is damaged: it is not the JSON that was written; restore it from a copy") from error
    at = data.find(stated)
    if len(stated) != 64 or digest(data[:at] + _BLANK.encode() + data[at + 64 :]).encode() != stated:
        raise DataError(f"{file} is damaged: its digest is wrong; restore it from a copy")
    return facts


def restore(module: nn.Module, tensors: Mapping[str, Tensor], where: str | Path) -> None:
    """Put saved tensors into a module that has exactly these, and leave it in evaluation mode.

    Raises:
        DataError: the module misses one, has another one, or has one of another shape or type.
    """
    own = module.state_dict()
    for what, names in (("has no", own.keys() - tensors.keys()), ("has an unknown", tensors.keys() - own.keys())):
        if names:
            raise DataError(f"{where} is of another architecture: it {what} {min(names)}; load it with the settings it has")
    for name, value in own.items():
        saved = tensors[name]
        if saved.shape != value.shape or saved.dtype != value.dtype:
            raise DataError(
                f"{where} is of another architecture: its {name} is {saved.dtype} of shape {tuple(saved.shape)}, not "
                f"{value.dtype} of shape {tuple(value.shape)}; load it with the settings it has"
            )
    module.load_state_dict(dict(tensors))
    module.eval()
