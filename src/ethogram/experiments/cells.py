"""Cells: the single simulations that an experiment is made of, and how they are shared out, kept and gone on with.

A cell is a scene with arguments, a seed and interventions, and the function that measures its run. It depends on nothing
else, so that an experiment comes out the same however many processes or machines compute it, and whatever was kept before.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments.executors import Executor, executor
from ethogram.experiments.keeping import KeptTask, identity, kept_outcomes
from ethogram.scene import Scene
from ethogram.simulation import Intervention

if TYPE_CHECKING:
    from ethogram.records import Run

__all__ = ["Cell", "CellsFailed", "Measure", "Result", "collect", "compute_all", "numbers"]

Measure = Callable[["Run"], Mapping[str, "float | Sequence[float]"]]
"""From a run to numbers and series by name. It is called where the run was computed: define it at the top of a module."""

Result = dict[str, "float | list[float]"]
"""What a measure gave, as JSON values."""


@dataclass(frozen=True)
class Cell:
    """One simulation of an experiment."""

    name: str
    """As a reader should call it: arm or arguments, and replicate."""
    scene: Callable[..., Scene]
    """A function marked `@scene`."""
    arguments: Mapping[str, Any]
    measure: Measure
    seed: int
    steps: int | None = None
    interventions: tuple[Intervention, ...] = ()
    run: str | None = None
    """The folder that the run is kept in; None: it is dropped once it is measured."""

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What another process must be able to find."""
        return self.scene, self.measure

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on: everything but the name and the folder."""
        return {
            "scene": identity(self.scene),
            "arguments": dict(self.arguments),
            "measure": identity(self.measure),
            "seed": self.seed,
            "steps": self.steps,
            "interventions": [i._asdict() for i in self.interventions],
        }

    def compute(self) -> Result:
        """Simulate the cell and measure its run; a run that was cut short in the cell's folder is gone on with.

        Raises:
            RunError: a budget ended the run.
            DataError: the measure gives something else than finite numbers and series.
        """
        from ethogram.simulation import simulate
        from ethogram.simulation.rollouts import one_thread

        with one_thread():
            run = simulate(
                self.scene(**self.arguments),
                steps=self.steps,
                seed=self.seed,
                to=self.run,
                interventions=self.interventions,
                resume=self.run is not None,
                progress=False,
            )
            if run.manifest.status != "complete":
                raise RunError(f"the run was stopped: {run.manifest.reason}")
            return numbers(self.measure(run), getattr(self.measure, "__name__", "the measure"))


class CellsFailed(RunError):
    """Some cells of an experiment failed; the message names the first, `failures` has them all, by name."""

    def __init__(self, failures: Mapping[str, str], cells: int, kept: str) -> None:
        name, why = next(iter(failures.items()))
        super().__init__(f"{len(failures)} of {cells} cells failed, the first at {name}: {why}; {kept}")
        self.failures = dict(failures)
        self.results: list[Result | None] = []
        """The results of the others, in the order of the cells; None for those that failed."""


def numbers(found: Any, what: str) -> Result:
    """What a measure gave, as floats and lists of floats.

    Raises:
        DataError: it is not a mapping from names to finite numbers and series of them.
    """
    if not isinstance(found, Mapping):
        raise DataError(f"{what} must give a dict of numbers and series by name, not a {type(found).__name__}")
    result: Result = {}
    for name, value in found.items():
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):
            array = np.array([[math.nan]])
        if array.ndim > 1 or not np.isfinite(array).all():
            raise DataError(f"{what} must give finite numbers or series of them, but {name!r} is {str(value)[:80]}")
        result[str(name)] = array.tolist()
    return result


def compute_all(
    cells: Sequence[Cell],
    workers: int | Executor = 1,
    to: str | Path | None = None,
    name: str = "cells",
    progress: bool | None = None,
) -> list[Result]:
    """The results of all cells, in order; each is kept in `to/cells` as soon as it is there.

    Args:
        cells: those with a `run` keep it at `to/runs/RUN`, or nowhere where there is no folder.
        workers: how many processes; or something that computes cells elsewhere.
        to: the folder; results that are there are not computed again.
        name: of the progress line.
        progress: show it; None: where the terminal can.

    Raises:
        ConfigError: a scene does not take the arguments.
        CellsFailed: some failed; the others are kept.
    """
    for cell in cells:
        check(cell)
    folder = None if to is None else Path(to).resolve()
    placed = [replace(cell, run=str(folder / "runs" / cell.run) if folder and cell.run else None) for cell in cells]
    return collect(placed, [cell.name for cell in cells], workers, folder, name, progress)


def collect(
    tasks: Sequence[KeptTask],
    names: Sequence[str],
    workers: int | Executor,
    folder: Path | None,
    what: str,
    progress: bool | None,
) -> list[Result]:
    """The results of tasks of any kind, in order; each is kept in `folder/cells` as soon as it is there.

    Raises:
        CellsFailed: some failed; the others are kept.
    """
    from ethogram.simulation.progress import bar

    results: list[Result | None] = [None] * len(tasks)
    errors: dict[int, str] = {}
    with bar(what, len(tasks), progress) as advance, executor(workers, len(tasks)) as running:
        for at, result, error in kept_outcomes(tasks, running, folder and folder / "cells"):
            results[at] = result
            if error:
                errors[at] = error
            advance(1)
    if errors:
        kept = "the others are not kept: give a folder with to=" if folder is None else f"the others are kept in {folder}"
        failed = CellsFailed({names[at]: errors[at] for at in sorted(errors)}, len(tasks), kept)
        failed.results = results
        raise failed
    return [result for result in results if result is not None]


def check(cell: Cell) -> None:
    """ConfigError where the cell's function is not a scene, or does not take the arguments."""
    if not getattr(cell.scene, "__scene__", False):
        raise ConfigError(f"{getattr(cell.scene, '__name__', cell.scene)} must be a function marked @scene")
    try:
        inspect.signature(cell.scene).bind(**cell.arguments)
        json.dumps(cell.recipe)
    except TypeError as error:
        raise ConfigError(f"{cell.name}: scene {cell.scene.__name__} cannot be called so: {error}") from error
