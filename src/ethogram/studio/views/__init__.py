"""Views: how worlds are drawn. A file here with one class of `View` is all that a new kind of world needs.

A view is found by the name of its file, which is the world's name (`town.py` draws the world `town`), or because its
`suits` says so. `events.py` draws any world. Files elsewhere are added by `add_views` (`ethogram studio --views FILE`), and
packages that are installed bring theirs along as entry points of the group `ethogram.views`, called as the world.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.studio.jobs import Office
    from ethogram.studio.reading import Record

__all__ = ["View", "add_views", "views_of"]


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
        self.office: Office | None = None
        """Does what takes long, where the page offers such things."""

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


_added: dict[str, type[View]] = {}


def add_views(file: Path) -> None:
    """Add the view in a file of one's own: it draws the world called as the file, and others that its `suits` accepts.

    Raises:
        ConfigError: the file cannot be run, or has no class of `View`.
    """
    module = f"ethogram_views_{file.stem}"
    spec = spec_from_file_location(module, file)
    if file.suffix != ".py" or not file.is_file() or spec is None or spec.loader is None:
        raise ConfigError(f"--views {file}: there is no such Python file")
    made = sys.modules[module] = module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except Exception as error:  # whatever a user's file may raise
        raise ConfigError(f"--views {file}: {type(error).__name__}: {error}") from error
    _added[file.stem] = _view_in(module, f"--views {file}")


def _view_in(module: str, what: str) -> type[View]:
    from ethogram.discovery import classes

    own = [c for c in classes(module, View, what).values() if c.__module__ == module]
    if not own:
        raise ConfigError(f"{what}: there is no class of ethogram.studio.views.View in it")
    return own[0]


@cache
def _installed() -> dict[str, type[View]]:
    """The view of each file here, by the file's name, and those that other packages bring along."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem[0] != "_")
    found = {name: _view_in(f"{__name__}.{name}", f"the view {name!r}") for name in names}
    for point in entry_points(group="ethogram.views"):
        try:
            view = point.load()
        except Exception as error:  # whatever another package may raise
            raise ConfigError(f"the view {point.value} of {point.name!r}: {type(error).__name__}: {error}") from error
        if not (isinstance(view, type) and issubclass(view, View)):
            raise ConfigError(f"the view {point.value} of {point.name!r} is no class of ethogram.studio.views.View")
        found[point.name] = view
    return found


def views_of(record: Record) -> list[type[View]]:
    """The views that draw a run, the most telling first; the plain one is always among them."""
    known = {**_installed(), **_added}
    found = [(name == record.world, view) for name, view in known.items() if name == record.world or view.suits(record)]
    return [view for _, view in sorted(found, key=lambda f: (f[0], f[1].rank), reverse=True)]
