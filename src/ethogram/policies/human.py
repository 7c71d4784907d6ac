"""Human: a person at the terminal decides.

simulate(world, {"you": Human(), "them": other})
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from gymnasium import Space
from gymnasium.spaces import Discrete

from ethogram.errors import VerbError
from ethogram.policy import Fault, Policy
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent

__all__ = ["Human"]


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
        return {a: await asyncio.to_thread(self._one, a, seen, spaces[a]) for a, seen in observations.items()}

    def _one(self, agent: Agent, seen: Any, space: Space[Any]) -> Any:
        shown = (
            json.dumps(seen.model_dump(mode="json"), ensure_ascii=False, indent=1) if hasattr(seen, "model_dump") else seen
        )
        text = f"\n{agent} observes: {shown}\n{describe(space)}\n{agent}> "
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
