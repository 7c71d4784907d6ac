"""A model that answers from recorded calls, outside of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ethogram.errors import CallFailed, ModelError
from ethogram.language.backends import Backend, Fault
from ethogram.language.request import Answer, Request
from ethogram.language.results import answer_in
from ethogram.session import Call

__all__ = ["Replay"]


class Replay(Backend):
    """Answers each request as the recorded call with the same content key was answered.

    Args:
        calls: recorded calls, or rows of a `calls` table as dicts. Calls with the same key were answered alike.
        name: the model whose calls they are; default: that of the first.
    """

    def __init__(self, calls: Iterable[Call | Mapping[str, Any]], name: str = "") -> None:
        self._calls: dict[str, Call | Mapping[str, Any]] = {}
        for call in calls:
            self._calls.setdefault(_get(call, "key"), call)
        if not name and not self._calls:
            raise ModelError("there are no recorded calls to answer from: give the calls of a run that made some")
        self.name = name or _get(next(iter(self._calls.values())), "model")

    async def complete(self, request: Request) -> Answer:
        """The recorded text."""
        return self._answer(request)

    async def score(self, request: Request) -> Answer:
        """The recorded scores."""
        return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        call = self._calls.get(request.key)
        if call is None:
            raise CallFailed(f"no recorded call of model {self.name} has the content of this {request.kind} request")
        if (error := _get(call, "error")) is not None:
            raise Fault(error, final=True)
        return answer_in(*(_get(call, name) for name in ("reply", "scores", "method", "tokens_in", "tokens_out")))


def _get(call: Call | Mapping[str, Any], name: str) -> Any:
    return call[name] if isinstance(call, Mapping) else getattr(call, name)
