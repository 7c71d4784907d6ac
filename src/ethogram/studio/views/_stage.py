"""A stage: agents on a background, moving and speaking."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup
from nicegui import ui

__all__ = ["Bubble", "Figure", "Stage", "colour_of"]

COLOURS = ("#2f6f9f", "#c2572b", "#4a8c5c", "#8a5a9e", "#b8912f", "#5f7d8c", "#a3415f", "#3d8f8a")
_numbers = itertools.count()


class Figure(NamedTuple):
    """An agent on the stage."""

    name: str
    x: float
    """From left, in hundredths of the width."""
    y: float
    """From the top, in hundredths of the height."""
    title: str
    """What is told of it where a pointer rests on it."""
    colour: str
    acts: bool = True
    """Whether it acts at the moment; else it is drawn fainter."""
    picked: bool = False


class Bubble(NamedTuple):
    """Something said, above a place of the stage."""

    x: float
    y: float
    text: str
    past: bool = False
    """Whether it was said in the step before."""


def colour_of(number: int) -> str:
    """The colour of an agent by its number in the run."""
    return COLOURS[number % len(COLOURS)]


class Stage:
    """Lays out a stage in the current place of the page.

    Args:
        background: a drawing (SVG) that fills it.
        ratio: width by height.
        pick: called with the name of an agent that is clicked.
    """

    def __init__(self, background: Markup, ratio: float, pick: Callable[[str], None]) -> None:
        self._id = f"stage-{next(_numbers)}"
        with ui.element("div").classes("stage").style(f"aspect-ratio: {ratio:.4f}"):
            self._background = ui.html(background).classes("background")
            ui.element("div").classes("figures").props(f"id={self._id}")
        ui.on("studio-pick", lambda event: pick(str(event.args)))

    def show(self, figures: Sequence[Figure], bubbles: Sequence[Bubble]) -> None:
        """Move everybody to where they are."""
        people = [{**f._asdict(), "short": f.name.partition(" ")[0] if len(f.name) > 10 else f.name} for f in figures]
        state = {"people": people, "bubbles": [b._asdict() for b in bubbles]}
        ui.run_javascript(f"stage.show({json.dumps(self._id)}, {json.dumps(state)})")

    def redraw(self, background: Markup) -> None:
        """Put another drawing behind."""
        self._background.content = background
