"""What people of a town can do: all of it, and the parts that are open to somebody right now."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.social import Do, Go, Leave, Say, Wait
from ethogram.spaces import Verbs

__all__ = ["Choices"]

_KEPT = 10_000
"""The most parts that are kept for the next time."""


class Choices:
    """The action space of a town and its parts, each built once.

    Args:
        places: names of all places.
        people: names of all people.
        things: names of all things.
    """

    def __init__(self, places: Sequence[str], people: Sequence[str], things: Sequence[str]) -> None:
        verbs = Verbs(Go, Say, Leave, Do, Wait).where(Go, to=places).where(Say, to=people)
        self.all = verbs.where(Do, thing=["", *things])
        self.nothing = self.all.only(Wait)
        self._parts: dict[str | tuple[tuple[str, ...], ...], Verbs] = {}

    def talking(self, partner: str) -> Verbs:
        """In a conversation, when it is one's turn."""
        if partner not in self._parts:
            self._keep(partner, self.all.only(Say, Leave, Wait).where(Say, to=[partner]))
        return self._parts[partner]

    def free(self, places: tuple[str, ...], people: tuple[str, ...], things: tuple[str, ...]) -> Verbs:
        """At a tick: where one can go, to whom one can speak, what is there."""
        key = (places, people, things)
        if key not in self._parts:
            part = self.all.only(*[v for v, some in ((Go, places), (Say, people), (Do, True), (Wait, True)) if some])
            part = part.where(Do, thing=["", *things])
            part = part.where(Go, to=places) if places else part
            self._keep(key, part.where(Say, to=people) if people else part)
        return self._parts[key]

    def _keep(self, key: str | tuple[tuple[str, ...], ...], part: Verbs) -> None:
        if len(self._parts) >= _KEPT:
            self._parts.clear()
        self._parts[key] = part
