"""Spaces as JSON, so that what was fitted to a space is never used in another one.

| space | spec |
|---|---|
| `Box` | shape, type, and the bounds: one number where they are all the same, else a nested list |
| `Discrete`, `MultiDiscrete`, `MultiBinary`, `Text` | their arguments |
| `Dict`, `Tuple` | the specs of their members |
| `Typed`, `Verbs` | the importable names of their models |
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError, DataError
from ethogram.spaces import Typed, Verbs

__all__ = ["demand_same", "space_of", "spec_of"]


def spec_of(space: Space[Any]) -> dict[str, Any]:
    """The JSON of a space.

    Raises:
        ConfigError: a kind of space for which there is none.
    """
    if isinstance(space, Verbs | Typed):
        models = space.verbs if isinstance(space, Verbs) else (space.model,)
        names = [f"{m.__module__}:{m.__qualname__}" for m in models]
        return {"kind": "verbs" if isinstance(space, Verbs) else "typed", "models": names}
    if isinstance(space, gs.Box):
        bounds = {"low": _numbers(space.low), "high": _numbers(space.high)}
        return {"kind": "box", "shape": list(space.shape), "dtype": np.dtype(space.dtype).name, **bounds}
    if isinstance(space, gs.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, gs.MultiDiscrete):
        return {"kind": "multidiscrete", "n": space.nvec.tolist(), "start": space.start.tolist()}
    if isinstance(space, gs.MultiBinary):
        return {"kind": "multibinary", "shape": list(space.shape)}
    if isinstance(space, gs.Text):
        return {"kind": "text", "longest": space.max_length, "shortest": space.min_length, "characters": space.characters}
    if isinstance(space, gs.Dict):
        return {"kind": "dict", "members": {str(name): spec_of(member) for name, member in space.spaces.items()}}
    if isinstance(space, gs.Tuple):
        return {"kind": "tuple", "members": [spec_of(member) for member in space.spaces]}
    raise ConfigError(
        f"a space of kind {type(space).__name__} cannot be written; use Box, Discrete, Dict, Verbs or the like"
    )


def space_of(spec: dict[str, Any]) -> Space[Any]:
    """The space that `spec_of` wrote.

    Raises:
        DataError: it is no such spec, or a model that it names cannot be imported.
    """
    try:
        return _build(spec)
    except (KeyError, TypeError, ValueError, AssertionError, ImportError, AttributeError) as error:
        raise DataError(f"the space {str(spec)[:200]} cannot be built again: {error}") from error


def demand_same(spec: dict[str, Any], space: Space[Any], what: str) -> None:
    """DataError where a space is not the one of the spec; `what` says which of whose spaces it is."""
    if (now := spec_of(space)) != spec:
        raise DataError(
            f"{what} was fitted to {_short(spec)}, and this is {_short(now)}; give it the space it was fitted to"
        )


def _build(spec: dict[str, Any]) -> Space[Any]:
    kind = spec["kind"]
    if kind == "box":
        shape, dtype = tuple(spec["shape"]), np.dtype(spec["dtype"])
        return gs.Box(_array(spec["low"], shape, dtype), _array(spec["high"], shape, dtype), shape, dtype.type)
    if kind == "discrete":
        return gs.Discrete(spec["n"], start=spec["start"])
    if kind == "multidiscrete":
        return gs.MultiDiscrete(spec["n"], start=spec["start"])
    if kind == "multibinary":
        return gs.MultiBinary(spec["shape"])
    if kind == "text":
        return gs.Text(spec["longest"], min_length=spec["shortest"], charset=spec["characters"])
    if kind == "dict":
        return gs.Dict({name: _build(member) for name, member in spec["members"].items()})
    if kind == "tuple":
        return gs.Tuple([_build(member) for member in spec["members"]])
    if kind in ("verbs", "typed"):
        models = [_model(name) for name in spec["models"]]
        return Verbs(*models) if kind == "verbs" else Typed(models[0])
    raise ValueError(f"unknown kind {kind!r}")


def _model(name: str) -> Any:
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _numbers(bound: np.ndarray[Any, Any]) -> Any:
    """A bound as JSON: one number where all are the same; infinities as strings, which JSON has no numbers for."""
    if bound.size and (bound == bound.flat[0]).all():
        return _number(bound.flat[0].item())
    return [_numbers(row) for row in bound]


def _number(value: float) -> Any:
    return value if np.isfinite(value) else str(value)


def _array(value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    def expand(value: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        if isinstance(value, list):
            return np.array([expand(v, shape[1:]) for v in value], dtype).reshape(shape)
        return np.full(shape, float(value) if isinstance(value, str) else value, dtype)

    return expand(value, shape)


def _short(spec: dict[str, Any]) -> str:
    text = ", ".join(f"{key} {value}" for key, value in spec.items() if key != "kind")
    return f"a {spec['kind']} space ({text[:160]})"
