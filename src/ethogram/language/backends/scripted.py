"""A model that is a Python function, for tests and examples."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ethogram.errors import ConfigError
from ethogram.language.backends import Backend
from ethogram.language.request import Answer, Request

__all__ = ["Scripted"]

Respond = Callable[[Request], str | Awaitable[str]]
Rate = Callable[[Request], Sequence[float] | Mapping[str, float] | Awaitable[Sequence[float] | Mapping[str, float]]]


class Scripted(Backend):
    """Answers by calling functions of the request.

    Args:
        respond: gives the text of a reply. May be async, and may raise `Fault`, to be tried again.
        rate: gives the log-likelihood of each option, in order or by option. Without it all are alike.
        name: put after `scripted:` in records, to say what the function stands for.
    """

    capability = "exact"

    def __init__(self, respond: Respond | None = None, rate: Rate | None = None, name: str = "") -> None:
        self.name = f"scripted:{name}" if name else "scripted"
        self._respond = respond
        self._rate = rate

    async def complete(self, request: Request) -> Answer:
        """What the function says; tokens are counted as words."""
        if self._respond is None:
            raise ConfigError(f"model {self.name} has no function that gives replies: make it with respond=...")
        text = await _value(self._respond(request))
        if not isinstance(text, str):
            raise ConfigError(f"the function of model {self.name} gave {type(text).__name__}, but a reply is text")
        return Answer(text=text, tokens_in=_words(request), tokens_out=len(text.split()))

    async def score(self, request: Request) -> Answer:
        """What the function rates each option; equal ones where there is no function."""
        options = request.options or []
        given = await _value(self._rate(request)) if self._rate else [-math.log(len(options))] * len(options)
        scores = [float(given[o]) for o in options] if isinstance(given, Mapping) else [float(v) for v in given]
        if len(scores) != len(options):
            raise ConfigError(f"the function of model {self.name} rated {len(scores)} of {len(options)} options")
        tokens = [max(1, len(o.split())) for o in options]
        return Answer(scores=scores, tokens=tokens, method="exact", tokens_in=_words(request))


async def _value(given: Any) -> Any:
    return await given if inspect.isawaitable(given) else given


def _words(request: Request) -> int:
    return sum(len(m["content"].split()) for m in request.messages)
