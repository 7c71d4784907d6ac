"""Results that are kept: each in a file of its own, named after all that it depends on."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from ethogram.experiments.executors import Executor, Outcome, Task
from ethogram.records.manifest import replace_file

__all__ = ["KeptTask", "digest", "identity", "kept_outcomes"]


class KeptTask(Task, Protocol):
    """A task whose result is a JSON value."""

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on, as JSON values."""
        ...


def kept_outcomes(tasks: Sequence[KeptTask], running: Executor, folder: Path | None) -> Iterator[Outcome]:
    """The outcome of each task, by its place: first those that are in the folder, then the others as they come in.

    A result is in the folder before it is given out, so that whoever is killed loses what was under way and no more.

    Args:
        tasks: what to compute.
        running: where.
        folder: where results are kept; None: nowhere.
    """
    if folder is None:
        yield from running.outcomes(list(enumerate(tasks)))
        return
    folder.mkdir(parents=True, exist_ok=True)
    recipes = [task.recipe for task in tasks]
    paths = [folder / f"{digest(recipe)}.json" for recipe in recipes]
    missing = []
    for at, path in enumerate(paths):
        if path.exists():
            yield Outcome(at, json.loads(path.read_text("utf-8"))["result"])
        else:
            missing.append((at, tasks[at]))
    for outcome in running.outcomes(missing):
        if not outcome.error:
            text = json.dumps({**recipes[outcome.at], "result": outcome.result}, ensure_ascii=False)
            replace_file(paths[outcome.at], text.encode() + b"\n")
        yield outcome


def digest(item: Any) -> str:
    """A short name for a JSON value, the same wherever it is computed."""
    return hashlib.blake2b(json.dumps(item, sort_keys=True).encode(), digest_size=10).hexdigest()


def identity(function: Callable[..., Any]) -> Any:
    """What tells a function from others, and from what it was before it was changed: its name and a digest of its text.

    What it calls is not looked at. An object that is called like a function can say itself what it is: `identity`.
    """
    if (own := getattr(function, "identity", None)) is not None:
        return own
    try:
        text = _text(function)
    except (OSError, TypeError):
        text = ""
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', repr(function))} {digest(text)}"


@lru_cache(256)
def _text(function: Callable[..., Any]) -> str:
    """A function's text, which takes a millisecond to find."""
    return inspect.getsource(function)
