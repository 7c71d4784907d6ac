"""Sessions: how the model calls of a run are placed, recorded, and answered from a record.

One session serves a plain run, a resumed one, a replay and a branch; they differ only in the record that answers and in what
happens when it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ethogram.records.tables import to_json
from ethogram.session import Call, Position

__all__ = ["RunSession"]


Mismatch = Callable[[Position, str, Call | None, list[dict[str, str]] | None], Call | None]


class RunSession:
    """The session of a run; see `ethogram.session.Session`.

    Args:
        seed: the run's seed.
        on_call: gets each call to be recorded, with its order within the agent's step.
        say: tells the user something.
        expected_calls: how many model calls the run will make at a guess, or None.
    """

    def __init__(
        self,
        seed: int,
        on_call: Callable[[int, Call], None],
        say: Callable[[str], None],
        expected_calls: int | None = None,
    ) -> None:
        self.seed = seed
        self.episode = 0
        self.step = 0
        self.expected_calls = expected_calls
        self.notes: list[dict[str, Any]] = []
        self.used = False
        """Whether the step has had a call or a note."""
        self._on_call = on_call
        self._say = say
        self._counts: dict[tuple[str, str], int] = {}
        self._orders: dict[Position, int] = {}
        self._order: dict[str, int] = {}
        self.by_position: dict[Position, Call] = {}
        """Recorded calls that answer those made at the same place."""
        self.by_key: dict[str, Call] = {}
        """Recorded calls that answer any with the same content (a branch's parent)."""
        self.asked: set[Position] = set()
        """Positions of the calls made so far in this process."""
        self.kept: set[Position] = set()
        """Positions that the record being written holds already."""
        self.on_mismatch: Mismatch | None = None
        """Asked where `by_position` has no call (None) or another one for a place: gives the answer, or None to call."""
        self.adopt = False
        """Whether a call answered from a record is written to this run's own (a branch's prefix)."""

    def at(self, episode: int, step: int) -> None:
        """Go to a step."""
        self.episode, self.step = episode, step
        self._counts.clear()
        self._orders.clear()
        self._order.clear()
        self.notes = []
        self.used = False

    def place(self, agent: str, purpose: str) -> Position:
        """The position of the agent's next call."""
        self.used = True
        n = self._counts.get((agent, purpose), 0)
        self._counts[agent, purpose] = n + 1
        position = Position(self.episode, self.step, agent, purpose, n)
        self._orders[position] = self._order[agent] = self._order.get(agent, -1) + 1
        return position

    def recorded(self, position: Position, key: str, messages: list[dict[str, str]] | None = None) -> Call | None:
        """The recorded answer, or None where the call must be made."""
        found = self.by_position.get(position)
        self.asked.add(position)
        if found is None or found.key != key:
            if self.on_mismatch is not None:
                found = self.on_mismatch(position, key, found, messages)
            else:
                found = self.by_key.get(key)
        if found is not None and self.adopt and position not in self.kept:
            self._on_call(self._orders[position], replace(found, position=position, cached=True, cost=0.0, seconds=0.0))
        return found

    def write(self, call: Call) -> None:
        """Record a call that was made."""
        self._on_call(self._orders.get(call.position, 0), call)

    def note(self, agent: str, kind: str, data: dict[str, Any]) -> None:
        """Keep a note until the step is committed."""
        self.used = True
        self.notes.append({"episode": self.episode, "step": self.step, "agent": agent, "kind": kind, "data": to_json(data)})

    def say(self, text: str) -> None:
        """Tell the user."""
        self._say(text)

    def answer_from(self, calls: Iterable[tuple[int, Call]]) -> None:
        """Answer from these calls where place and content are the same."""
        for _, call in calls:
            self.by_position[call.position] = call
