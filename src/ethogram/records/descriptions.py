"""Spaces as JSON: what a record says of the space that its observations and actions are members of, and the space again.

Bounds are exact. Of `Typed` and `Verbs` the models are named, which must be importable to be had again. A space of another
kind, or of models whose code is gone, comes back as `Values`: the plain JSON values that the record holds.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space

from ethogram.errors import DataError
from ethogram.spaces import Typed, Verbs

__all__ = ["Values", "covering", "describe", "space_of"]


class Values(Space[Any]):
    """JSON values of which no more is known: members of a space whose code is not there, or of several spaces."""

    def contains(self, x: Any) -> bool:
        """True."""
        return True

    def from_jsonable(self, sample_n: Any) -> list[Any]:
        """The values; what is no list of them was written as one."""
        return sample_n if isinstance(sample_n, list) else [sample_n]

    def __eq__(self, other: object) -> bool:
        """Whether the other is of this kind."""
        return isinstance(other, Values)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return "Values()"


def model_name(model: type) -> str:
    """Where a model can be imported from: `module:qualified.name`."""
    return f"{model.__module__}:{model.__qualname__}"


def import_model(name: str) -> Any:
    """The model that `model_name` named; ImportError or AttributeError where it is gone."""
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _bound(values: np.ndarray[Any, Any]) -> Any:
    """A bound as one number where it is the same everywhere; infinities as text, which any JSON reader takes."""
    plain = [str(v) if isinstance(v, float) and not math.isfinite(v) else v for v in values.reshape(-1).tolist()]
    return plain[0] if plain and all(v == plain[0] for v in plain) else plain


def _bound_of(plain: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    values = plain if isinstance(plain, list) else [plain] * math.prod(shape)
    numbers = [float(v) if isinstance(v, str) else v for v in values]
    return np.array(numbers, dtype).reshape(shape)


def describe(space: Space[Any]) -> dict[str, Any]:
    """A space as JSON values."""
    if isinstance(space, Verbs | Typed):
        models = space.verbs if isinstance(space, Verbs) else (space.model,)
        return {"type": type(space).__name__, "models": [model_name(m) for m in models]}
    if isinstance(space, gs.Box):
        spec = {"shape": list(space.shape), "dtype": np.dtype(space.dtype).name}
        return {"type": "Box", **spec, "low": _bound(space.low), "high": _bound(space.high)}
    if isinstance(space, gs.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, gs.MultiDiscrete):
        spec = {"nvec": space.nvec.tolist(), "start": space.start.tolist(), "dtype": np.dtype(space.dtype).name}
        return {"type": "MultiDiscrete", **spec}
    if isinstance(space, gs.MultiBinary):
        return {"type": "MultiBinary", "shape": list(space.shape)}
    if isinstance(space, gs.Text):
        spec = {
            "min_length": space.min_length,
            "max_length": space.max_length,
            "charset": "".join(sorted(space.character_set)),
        }
        return {"type": "Text", **spec}
    if isinstance(space, gs.Dict):
        return {"type": "Dict", "spaces": [[key, describe(part)] for key, part in space.spaces.items()]}
    if isinstance(space, gs.Tuple):
        return {"type": "Tuple", "spaces": [describe(part) for part in space.spaces]}
    if isinstance(space, gs.Sequence):
        return {"type": "Sequence", "space": describe(space.feature_space), "stack": bool(space.stack)}
    return {"type": "Values", "was": type(space).__name__}


def _models(spec: Mapping[str, Any]) -> Space[Any]:
    try:
        models = [import_model(name) for name in spec["models"]]
    except (ImportError, AttributeError):
        return Values()
    return Verbs(*models) if spec["type"] == "Verbs" else Typed(models[0])


def _box(spec: Mapping[str, Any]) -> gs.Box:
    shape, dtype = tuple(spec["shape"]), np.dtype(spec["dtype"])
    low, high = (_bound_of(spec[side], shape, dtype) for side in ("low", "high"))
    return gs.Box(low, high, shape, dtype.type)


_KINDS = {
    "Box": _box,
    "Discrete": lambda s: gs.Discrete(s["n"], start=s["start"]),
    "MultiDiscrete": lambda s: gs.MultiDiscrete(np.array(s["nvec"]), np.dtype(s["dtype"]).type, start=np.array(s["start"])),
    "MultiBinary": lambda s: gs.MultiBinary(s["shape"] if len(s["shape"]) != 1 else s["shape"][0]),
    "Text": lambda s: gs.Text(s["max_length"], min_length=s["min_length"], charset=s["charset"]),
    "Dict": lambda s: gs.Dict([(key, space_of(part)) for key, part in s["spaces"]]),
    "Tuple": lambda s: gs.Tuple([space_of(part) for part in s["spaces"]]),
    "Sequence": lambda s: gs.Sequence(space_of(s["space"]), stack=s["stack"]),
    "Verbs": _models,
    "Typed": _models,
    "Values": lambda s: Values(),
}


def space_of(spec: Any) -> Space[Any]:
    """The space that `describe` described. Raises DataError where it is no description."""
    try:
        return _KINDS[spec["type"]](spec)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise DataError(f"{str(spec)[:120]} does not describe a space ({type(error).__name__}: {error})") from error


def covering(spaces: Iterable[Space[Any]]) -> Space[Any]:
    """A space that holds the members of all the given ones, which are of one kind, shape and type."""
    distinct = list({id(s): s for s in spaces}.values())
    first = distinct[0]
    if len(distinct) == 1 or all(s == first for s in distinct[1:]):
        return first
    if all(isinstance(s, gs.Discrete) for s in distinct):
        low = min(int(s.start) for s in distinct)  # pyright: ignore[reportAttributeAccessIssue]
        return gs.Discrete(max(int(s.start + s.n) for s in distinct) - low, start=low)  # pyright: ignore[reportAttributeAccessIssue]
    if all(isinstance(s, gs.Box) and (s.shape, s.dtype) == (first.shape, first.dtype) for s in distinct):
        low = np.min([s.low for s in distinct], axis=0)  # pyright: ignore[reportAttributeAccessIssue]
        high = np.max([s.high for s in distinct], axis=0)  # pyright: ignore[reportAttributeAccessIssue]
        return gs.Box(low, high, first.shape, first.dtype.type)  # pyright: ignore
    if all(isinstance(s, Verbs) for s in distinct):
        return Verbs(*dict.fromkeys(verb for s in distinct for verb in s.verbs))  # pyright: ignore[reportAttributeAccessIssue]
    described = [describe(s) for s in distinct]
    return space_of(described[0]) if all(d == described[0] for d in described) else Values()
