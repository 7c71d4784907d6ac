"""Spellings of models, and the models they name.

smollm2                          the embedded model, offline
gguf:/path/to/file.gguf          any model that llama.cpp can load
tuned:/path/to/folder            what `language.tuning.tune` wrote
openai:NAME                      at OPENAI_BASE_URL (default: OpenAI), with the key in OPENAI_API_KEY
http://127.0.0.1:8000/v1#NAME    any endpoint that speaks OpenAI's protocol; a key, if any, is in ETHOGRAM_API_KEY
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import ConfigError, EthogramError, ModelError
from ethogram.language.backends import Backend
from ethogram.language.budget import Budget
from ethogram.language.cache import Cache
from ethogram.language.model import LanguageModel, Probe

__all__ = ["DEFAULT", "Status", "available", "check", "model", "scripted"]

DEFAULT = "smollm2"

AROUND = frozenset({"seed", "prices", "attempts", "repairs", "deadline", "backoff"})
"""Options that `LanguageModel` takes; the others go to the back end."""

LISTED = "ETHOGRAM_MODELS"
"""Environment variable with the spellings of models that the user has, separated by blanks."""

SPELLINGS = (
    "smollm2 (embedded), gguf:/path/to/file.gguf, tuned:/path/to/folder, openai:NAME, or the address of an endpoint "
    "with the model's name, as http://127.0.0.1:8000/v1#NAME"
)


def model(
    spec: str | LanguageModel = DEFAULT,
    *,
    cache: Cache | Path | str | None = None,
    budget: Budget | None = None,
    **options: Any,
) -> LanguageModel:
    """The language model that a spelling names; the same spelling serves everywhere.

    Nothing is loaded or called yet, but what can be seen without (a missing file, package or key) is.

    Args:
        spec: `smollm2`, `gguf:PATH`, `tuned:FOLDER`, `openai:NAME` or `URL#NAME`; a LanguageModel is given back as it is.
        cache: where valid answers are kept: a path, a `Cache`, or None for nowhere.
        budget: what its calls may take.
        **options: `seed`, `prices`, `attempts`, `repairs`, `deadline`, `backoff` (see `LanguageModel`); `context` for
            embedded models; `timeout`, `in_flight`, `samples` for endpoints.

    Raises:
        ModelError: there is no such model, or it is plain that it cannot be used.
        ConfigError: an option is unknown.
    """
    if isinstance(spec, LanguageModel):
        if cache is not None or budget is not None or options:
            raise ConfigError(f"{spec!r} is a model already: give cache, budget and options where it is made")
        return spec
    around = {key: options.pop(key) for key in AROUND & options.keys()}
    try:
        backend = _backend(spec, options)
    except TypeError as error:
        raise ConfigError(f"model {spec} does not take {', '.join(options)}: {error}") from error
    backend.check()
    return LanguageModel(backend, cache=cache, budget=budget, **around)


def scripted(respond: Any = None, rate: Any = None, name: str = "", **options: Any) -> LanguageModel:
    """A model that is a Python function, for tests and examples.

    Args:
        respond: gets the request (`messages`, `schema`, `seed`, ...) and gives the text of a reply; may be async.
        rate: gets the request and gives the log-likelihood of each of its `options`; without it all are alike.
        name: what the function stands for; records say `scripted:NAME`.
        **options: as `model` takes them.
    """
    from ethogram.language.backends.scripted import Scripted

    return LanguageModel(Scripted(respond, rate, name), **options)


def check(spec: str) -> None:
    """See that a spelling names a model that can be used, without calling it.

    Raises:
        ModelError: it does not.
    """
    model(spec)


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a model can be used here."""

    name: str
    usable: bool
    detail: str
    """Why not, or what is known of it."""
    probe: Probe | None = None
    """What a real call showed, where one was made."""


async def available(specs: Sequence[str] = (), *, probe: bool = False) -> list[Status]:
    """The models that can be used here: the embedded one, those listed in `ETHOGRAM_MODELS`, and those given.

    Args:
        specs: further spellings.
        probe: make real calls of each; else only see what can be seen without (a file, a key).
    """
    names = dict.fromkeys([DEFAULT, *os.environ.get(LISTED, "").split(), *specs])
    return [await _status(name, probe) for name in names]


async def _status(spec: str, probe: bool) -> Status:
    try:
        async with model(spec) as found:
            kind = "costs money" if found.backend.paid else "free"
            if not probe:
                return Status(spec, True, f"{kind}, not called")
            shown = await found.probe()
    except EthogramError as error:
        return Status(spec, False, str(error))
    speed = f"{shown.tokens_per_second:.0f} tokens/s" if shown.tokens_per_second else "speed unknown"
    detail = f"{kind}, {shown.seconds * 1000:.0f} ms a short reply, {speed}, scores: {shown.score}"
    return Status(spec, True, detail, shown)


def _backend(spec: str, options: dict[str, Any]) -> Backend:
    if spec == DEFAULT:
        from ethogram.language.backends.embedded import Embedded, smollm2

        return Embedded(spec, smollm2(), **options)
    kind, _, rest = spec.partition(":")
    if kind == "gguf" and rest:
        from ethogram.language.backends.embedded import Embedded

        path = Path(rest).expanduser().resolve()
        return Embedded(f"gguf:{path}", path, **options)
    if kind == "tuned" and rest:
        from ethogram.language.backends.tuned import Tuned

        path = Path(rest).expanduser().resolve()
        return Tuned(f"tuned:{path}", path, **options)
    if kind in ("openai", "http", "https") and rest:
        from ethogram.language.backends.endpoint import Endpoint

        return Endpoint.named(spec, **options)
    if kind == "scripted":
        raise ModelError("a scripted model is a Python function, so make it in Python, with ethogram.language.scripted(...)")
    raise ModelError(f"there is no model {spec!r}: give {SPELLINGS}")
