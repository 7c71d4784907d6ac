"""Human: a person at the terminal decides.

simulate(world, {"you": Human(), "them": other})
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import textwrap
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from gymnasium import Space
from gymnasium.spaces import Discrete
from pydantic import BaseModel

from ethogram.errors import VerbError
from ethogram.policy import Fault, Policy
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent

__all__ = ["Human"]

T = TypeVar("T")

SHORT = 100
"""Shorter values stand on the line of their name."""


class Human(Policy):
    """Shows a person what an agent observes and what it may do, and reads the answer.

    Verbs are typed as `say to=Ana text="good morning"` or as JSON, discrete actions as a number. A wrong answer is explained
    and asked for again; an empty line or the end of the input is no action.

    Args:
        ask: prints a prompt and returns a line; EOFError at the end of the input. Default: the terminal.
    """

    repeatable: ClassVar[bool] = False

    def __init__(self, ask: Callable[[str], str] = input) -> None:
        self._ask = ask

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Ask for each agent in turn, while other policies go on."""
        return {a: await _aside(self._one, a, seen, spaces[a]) for a, seen in observations.items()}

    def _one(self, agent: Agent, seen: Any, space: Space[Any]) -> Any:
        text = f"\n{agent} observes\n{outline(seen)}\n{describe(space)}\n{agent}> "
        while True:
            try:
                line = self._ask(text).strip()
            except EOFError:
                line = ""
            if not line:
                return Fault("the person gave no action")
            try:
                return read(line, space)
            except VerbError as error:
                text = f"{error}\n{agent}> "


def outline(seen: Any, indent: str = "  ") -> str:
    """An observation as lines of `name: value`, deeper ones indented; texts are shown as they are written."""
    value = seen.model_dump(mode="json") if isinstance(seen, BaseModel) else seen
    if isinstance(value, Mapping):
        parts = [(f"{name}:", inner) for name, inner in value.items()]
    elif isinstance(value, list | tuple):
        parts = [("-", inner) for inner in value]
    else:
        return textwrap.indent(str(value), indent)
    lines = []
    for name, inner in parts:
        line = _line(inner)
        short = line is not None and len(line) < SHORT
        lines.append(f"{indent}{name} {line}" if short else f"{indent}{name}\n{outline(inner, indent + '  ')}")
    return "\n".join(lines)


def _line(value: Any) -> str | None:
    """A value on one line; None where it takes several."""
    if not isinstance(value, Mapping | list | tuple):
        text = "none" if value is None else str(value)
        return None if "\n" in text else text
    inner = list(value.values() if isinstance(value, Mapping) else value)
    lines = [_line(part) for part in inner]
    if None in lines or any(isinstance(part, Mapping | list | tuple) and part for part in inner):
        return None
    words = [f"{name}: {line}" for name, line in zip(value, lines, strict=True)] if isinstance(value, Mapping) else lines
    return ", ".join(map(str, words)) or "none"


async def _aside(work: Callable[..., T], *arguments: Any) -> T:
    """Await `work` done in a thread that an interrupted program does not wait for, since a person may never answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if not done.cancelled():
            done.set_exception(error) if error else done.set_result(cast(T, result))

    def run() -> None:
        result = error = None
        try:
            result = work(*arguments)
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="ethogram-human", daemon=True).start()
    return await done


def describe(space: Space[Any]) -> str:
    """What a person may type."""
    if isinstance(space, Verbs):
        return f"You can:\n{space.describe()}"
    if isinstance(space, Discrete):
        return f"Choose a number from {space.start} to {space.start + space.n - 1}."
    return f"Give a JSON value of {space}."


def read(line: str, space: Space[Any]) -> Any:
    """The action a line stands for; VerbError says what is wrong with it."""
    if isinstance(space, Verbs | Typed):
        return space.parse(line if line[0] in "{[" else json.dumps(_words(line)))
    try:
        action = space.from_jsonable([json.loads(line)])[0]
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise VerbError(f"{line[:80]!r} cannot be read: {error}") from error
    if not space.contains(action):
        raise VerbError(f"{line[:80]!r} is not in {space}")
    return action


def _words(line: str) -> dict[str, Any]:
    """`say to=Ana text="good morning"` as a dictionary."""
    try:
        verb, *fields = shlex.split(line)
    except ValueError as error:
        raise VerbError(f"{line[:80]!r} cannot be read: {error}") from error
    if bad := [f for f in fields if "=" not in f]:
        raise VerbError(f"{bad[0]!r} is not of the form name=value; put values with spaces in quotes")
    return {"verb": verb, **{name: _value(text) for name, _, text in (f.partition("=") for f in fields)}}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text
