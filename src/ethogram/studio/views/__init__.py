"""Views: how worlds are drawn. A file here with one class of `View` is all that a new kind of world needs.

A view is found by the name of its file, which is the world's name (`town.py` draws the world `town`), or because its
`suits` says so. `events.py` draws any world.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ethogram.studio.reading import Record

__all__ = ["View", "views_of"]


class View(ABC):
    """Draws a run's world as it was at a moment.

    Args:
        record: of the run.
        pick: call it with an agent's name where a reader chooses an agent.
    """

    title: ClassVar[str]
    """What its tab is called."""
    rank: ClassVar[int] = 1
    """Of several views that suit a run, the one of the highest rank is shown first."""

    def __init__(self, record: Record, pick: Callable[[str], None]) -> None:
        self.record = record
        self.pick = pick
        self.picked = ""
        """The agent that the page shows beside the view."""

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Whether it can draw this run, besides those of the world that its file is called after."""
        return False

    @abstractmethod
    def build(self) -> None:
        """Lay out the view in the current place of the page; `show` follows."""

    @abstractmethod
    def show(self, frame: int) -> None:
        """Draw the moment."""

    async def grown(self) -> None:
        """The record of a live run has more frames than before."""


@cache
def _views() -> dict[str, type[View]]:
    """The view in each file, by the file's name."""
    from ethogram.discovery import classes

    names = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem[0] != "_")
    found = {}
    for name in names:
        module = f"{__name__}.{name}"
        import_module(module)
        own = [c for c in classes(module, View, f"the view {name!r}").values() if c.__module__ == module]
        if own:
            found[name] = own[0]
    return found


def views_of(record: Record) -> list[type[View]]:
    """The views that draw a run, the most telling first; the plain one is always among them."""
    found = [(name == record.world, view) for name, view in _views().items() if name == record.world or view.suits(record)]
    return [view for _, view in sorted(found, key=lambda f: (f[0], f[1].rank), reverse=True)]
