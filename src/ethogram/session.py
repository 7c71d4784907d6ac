"""The seam between a model call and the run around it.

A policy or a world calls `model.generate(...)` wherever it likes; the language layer asks `current()` in which run, episode
and step that happens, so that the call gets its own seed, is recorded, and can be answered from a record. Outside of a run
`current()` is None: the call is then neither recorded nor replayed. The project's only other context variable is the budget
in force (`ethogram.language.spending`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

__all__ = ["Call", "Position", "Session", "current", "use"]


class Position(NamedTuple):
    """The place of a call in a run. `n` counts the calls of one agent for one purpose within one step, from 0."""

    episode: int
    step: int
    agent: str
    purpose: str
    n: int


@dataclass
class Call:
    """One model call, whatever became of it: a row of the run's `calls` table.

    The columns down to `method` say what happened and are the same whenever the run is repeated; the rest says how this
    execution went (time, money, cache) and may differ.
    """

    position: Position
    model: str
    """Canonical spelling of the model, as `ethogram.language.model` reads it."""
    kind: str
    """`generate` or `score`."""
    key: str
    """Content hash of the whole request: model, messages, options, schema, parameters and seed."""
    messages: list[dict[str, str]]
    options: list[str] | None = None
    reply: str | None = None
    """The text answered; None where the call failed for good."""
    scores: list[float] | None = None
    """Log-likelihood (nats) of each option, for `score`."""
    method: str = ""
    """How scores were had: `exact`, `top-k` or `sampled`; empty for `generate`."""
    error: str | None = None
    """Why the call failed for good, else None."""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    """Money paid for it, in the currency of the price list; 0 where cached or free."""
    cached: bool = False
    faults: list[str] = field(default_factory=list)
    """One entry an attempt that failed, in order: `timeout`, `reset`, `http 429`, `not JSON: ...`, `schema: ...`."""


class Session(Protocol):
    """What a run offers to the calls made within it. Implemented by `ethogram.simulation`."""

    seed: int
    episode: int
    step: int

    def place(self, agent: str, purpose: str) -> Position:
        """The position of the next call of `agent` for `purpose`; each call of this method counts one on."""
        ...

    def recorded(self, position: Position, key: str, messages: list[dict[str, str]] | None = None) -> Call | None:
        """The recorded call that answers this one, or None where it must be made. Never makes a call.

        `messages` only serve to say how a request differs from the recorded one.
        """
        ...

    def write(self, call: Call) -> None:
        """Record a call that was made, answered from a cache, or failed for good."""
        ...

    def note(self, agent: str, kind: str, data: dict[str, Any]) -> None:
        """Record something that went on inside a policy or world (a memory, a plan): a row of the `notes` table."""
        ...

    def say(self, text: str) -> None:
        """Tell the user something now (a cost estimate, a warning), without disturbing a progress display."""
        ...


_current: ContextVar[Session | None] = ContextVar("ethogram_session", default=None)


def current() -> Session | None:
    """The run in which this code runs, or None."""
    return _current.get()


@contextmanager
def use(session: Session) -> Iterator[Session]:
    """Make `session` the current one within a `with` block (and in the tasks and threads started in it)."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)
