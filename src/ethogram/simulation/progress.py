"""What a user sees while a run goes on: steps, time left, tokens spent."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ethogram.records.manifest import Manifest, Usage

if TYPE_CHECKING:
    from ethogram.simulation.loop import Loop

__all__ = ["Progress", "bar"]

REFRESH_SECONDS = 0.1


@contextmanager
def bar(name: str, total: int, show: bool | None) -> Iterator[Callable[[int], None]]:
    """A progress line over so many episodes; gives a function that hears how many more are complete."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    shown = sys.stderr.isatty() if show is None else show
    with Bar(console=Console(stderr=True), transient=True, disable=not shown) as lines:
        task = lines.add_task(name, total=total)
        yield lambda more: lines.advance(task, more)


class Progress:
    """A progress line on a terminal; silent elsewhere, except for what must be said."""

    def __init__(self, manifest: Manifest, show: bool | None, agents: int) -> None:
        self._show = sys.stderr.isatty() if show is None else show
        self._total = manifest.steps * manifest.episodes if manifest.steps else None
        self._steps = manifest.steps
        self._name = manifest.world
        self._bar: Any = None
        self._task: Any = None
        self._shown = 0.0

    def __enter__(self) -> Progress:
        if self._show:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[spent]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self._name, total=self._total, spent="")
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, loop: Loop, usage: Usage) -> None:
        """A step is complete."""
        if self._bar is None or (now := time.monotonic()) - self._shown < REFRESH_SECONDS:
            return
        self._shown = now
        done = loop.place.step + (loop.place.episode * self._steps if self._steps else 0)
        spent = ""
        if usage.calls:
            spent = f"{usage.calls} calls, {usage.tokens_in + usage.tokens_out} tokens"
            spent += f", {usage.cost:.4f} paid" if usage.cost else ""
        self._bar.update(self._task, completed=done, spent=spent)

    def say(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)
