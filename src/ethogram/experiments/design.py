"""Designed experiments on anything that can be run: what is varied, measured and asked is laid down before the first run.

experiment = Experiment("restraint", play, [Factor("persona", ["greedy", "modest"])], [difference("persona")], units=20)
report = experiment.conduct(to="folder")

`play(assignment, seed)` is a plain function to a number. The folder holds the registration, with its hash, and every
outcome; nothing that is registered can be changed in it afterwards.
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments.analysis import effect_of
from ethogram.experiments.cells import Cell, Measure, Result, collect, numbers
from ethogram.experiments.contrasts import Contrast, check_contrast, check_family
from ethogram.experiments.executors import Executor
from ethogram.experiments.keeping import digest, identity
from ethogram.experiments.layouts import UNIT, Factor, Layout, Trial
from ethogram.experiments.reports import Report
from ethogram.experiments.sample_sizes import contrast_power, units_needed
from ethogram.measures import Estimate, benjamini_hochberg, holm, proportion
from ethogram.measures.estimate import check_level
from ethogram.records.manifest import replace_file
from ethogram.scene import Scene
from ethogram.seeds import derive

__all__ = ["Experiment", "OnScene"]

Run = Callable[[dict[str, Any], int], "float | Mapping[str, float]"]
"""From an assignment (a level of each factor, the constants, and `unit`: the unit's own seed) and the seed of all luck in
this measurement to the outcome; or to several by name, of which one is registered."""


@dataclass(frozen=True)
class Experiment:
    """An experiment: design, outcome and analysis, all of them registered.

    Args:
        name: of the experiment.
        run: measures one unit under one assignment; to be computed on processes, it is defined at the top of a module.
        factors: treatments and nuisances.
        analysis: the contrasts to be tested, a family.
        units: in each combination of levels of the treatments between units, and in each block.
        outcome: what is measured; the key, where `run` gives several numbers.
        repeats: measurements of a unit under each condition, which differ in luck: with two or more, the report says how
            reliable the units' scores are.
        fraction: of a two-level factorial, see `Layout`.
        constants: further entries of every assignment, JSON values.
        test: `permutation` of the units as they were assigned, or `t`.
        alpha: of the family under `holm`, of the share of false discoveries under `bh`, else of each test.
        correction: for the number of contrasts.
        resamples: how many permutations.
        seed: everything random derives from it.

    Raises:
        ConfigError: the design is none, or the registered analysis does not fit it.
    """

    name: str
    run: Run
    factors: Sequence[Factor]
    analysis: Sequence[Contrast]
    units: int
    outcome: str = "outcome"
    repeats: int = 1
    fraction: Mapping[str, Sequence[str]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    test: Literal["permutation", "t"] = "permutation"
    alpha: float = 0.05
    correction: Literal["holm", "bh", "none"] = "holm"
    resamples: int = 1999
    seed: int = 0

    def __post_init__(self) -> None:
        check_level(self.alpha)
        if self.test not in ("permutation", "t") or self.correction not in ("holm", "bh", "none"):
            raise ConfigError(
                f"test={self.test!r}, correction={self.correction!r}: give 'permutation' or 't', and 'holm', 'bh' or 'none'"
            )
        if isinstance(self.run, partial):
            raise ConfigError(f"experiment {self.name!r}: run is a partial function: give its arguments as constants=")
        if not self.analysis:
            raise ConfigError(f"experiment {self.name!r} has no analysis: register at least one contrast before it is run")
        if clash := {UNIT, *(f.name for f in self.factors)} & set(self.constants):
            raise ConfigError(f"experiment {self.name!r}: {sorted(clash)[0]!r} is a factor (or the unit) and a constant")
        for contrast in self.analysis:
            check_contrast(contrast, self.layout)
        check_family(self.analysis, self.layout)
        if self.test == "permutation" and self.resamples < 1 / self.alpha:
            raise ConfigError(f"with {self.resamples} permutations no p is below alpha = {self.alpha}: take more")

    @cached_property
    def layout(self) -> Layout:
        """The factors, and who gets what."""
        return Layout(tuple(self.factors), self.units, self.repeats, dict(self.fraction), self.seed)

    @cached_property
    def registration(self) -> dict[str, Any]:
        """All that is laid down beforehand, as JSON values; `run` by its name and a digest of its text."""
        plain = {f: getattr(self, f) for f in ("name", "outcome", "units", "repeats", "test", "alpha", "correction", "seed")}
        data = {
            **plain,
            "resamples": self.resamples,
            "run": identity(self.run),
            "factors": [asdict(factor) for factor in self.factors],
            "analysis": [asdict(contrast) for contrast in self.analysis],
            "fraction": self.fraction,
            "constants": self.constants,
        }
        try:
            return json.loads(json.dumps(data))
        except TypeError as error:
            raise ConfigError(f"experiment {self.name!r}: constants must be JSON values: {error}") from error

    @property
    def hash(self) -> str:
        """Of the registration."""
        return digest(self.registration)

    # Planning

    def power(self, contrast: Contrast, *, sd: float, effect: float | None = None, correlation: float = 0.0) -> float:
        """The probability of detecting an effect (by default the contrast's `smallest`), by formula.

        Under a correction it is that of the family's smallest p, so that it is a lower bound where others are true too.
        Arguments as in `sample_sizes.contrast_power`.
        """
        return contrast_power(contrast, self.layout, self._effect(contrast, effect), sd, correlation, self._first_alpha)

    def units_for(
        self, contrast: Contrast, *, sd: float, effect: float | None = None, correlation: float = 0.0, power: float = 0.8
    ) -> int:
        """The units a cell and block with which an effect (by default the contrast's `smallest`) is detected so often."""
        size = self._effect(contrast, effect)
        return units_needed(contrast, self.layout, size, sd, correlation, self._first_alpha, power)

    def simulated(self, law: Run, runs: int = 1000, seed: int = 0) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which contrasts are detected in simulated experiments, shape (runs, contrasts).

        Args:
            law: stands in for `run`; cheap, with the effect to be found planted in it.
            runs: simulated experiments, each with units, luck and assignment of its own.
            seed: of the simulation.
        """
        found = []
        for i in range(runs):
            one = replace(self, run=law, seed=derive(seed, "simulated", i))
            y = one.outcomes([Measurement(law, trial).compute() for trial in one.layout.trials(one.constants)])
            found.append(one.detections(y))
        return np.array(found)

    def simulated_power(self, law: Run, runs: int = 1000, seed: int = 0) -> dict[str, Estimate]:
        """How often each contrast is detected where `law` is what is measured, by contrast: power, or error under a null.

        Arguments as in `simulated`.
        """
        hits = self.simulated(law, runs, seed).sum(axis=0)
        method = f"share of {runs:,} simulated experiments, exact"
        shares = [proportion(int(k), runs, "exact")._replace(method=method) for k in hits]
        return dict(zip([c.name for c in self.analysis], shares, strict=True))

    def _effect(self, contrast: Contrast, effect: float | None) -> float:
        size = contrast.smallest if effect is None else effect
        if size is None:
            raise ConfigError(f"say which effect of {contrast.name!r} is looked for: effect=, or smallest= of the contrast")
        return size

    @property
    def _first_alpha(self) -> float:
        return self.alpha if self.correction == "none" else self.alpha / len(self.analysis)

    # Running

    def conduct(self, to: str | Path | None = None, *, workers: int | Executor = 1, progress: bool | None = None) -> Report:
        """Register the experiment, measure all units, and analyse.

        Args:
            to: the folder of the registration and of all outcomes. What was cut short there goes on where it was.
            workers: how many processes, or `Ray(…)`.
            progress: show a progress line; None: where the terminal can.

        Raises:
            RunError: the folder is that of an experiment that is registered otherwise.
            CellsFailed: some measurements failed; the others are kept.
            DataError: an outcome is missing, or not a finite number.
        """
        folder = None if to is None else Path(to).resolve()
        if folder is not None:
            register(self, folder)
        tasks = [Measurement(self.run, trial) for trial in self.layout.trials(self.constants)]
        names = [f"unit {t.trial.unit}, {json.dumps(t.trial.assignment)[:200]}" for t in tasks]
        found = collect(tasks, names, workers, folder, f"measurements of {self.name}", progress)
        report = Report(self, [trial.trial for trial in tasks], found)
        if folder is not None:
            replace_file(folder / "report.json", json.dumps(report.dump(), indent=1).encode() + b"\n")
        return report

    def outcomes(self, results: Sequence[Mapping[str, Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The registered outcome of all trials, shape `layout.shape`."""
        values = [next(iter(r.values())) if list(r) == [ALONE] else r.get(self.outcome) for r in results]
        for value in values:
            if not isinstance(value, float):
                shown = "nothing" if value is None else "a series"
                raise DataError(f"experiment {self.name!r}: run gives {shown} under the registered outcome {self.outcome!r}")
        return np.array(values, float).reshape(self.layout.shape)

    def adjusted(self, p: Sequence[float]) -> np.ndarray[Any, Any]:
        """The p values of the registered contrasts, corrected for their number."""
        how = {"holm": holm, "bh": benjamini_hochberg, "none": np.asarray}[self.correction]
        return how(p)

    def detections(self, y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Which of the registered contrasts are detected in outcomes of shape `layout.shape`."""
        settings = {"test": self.test, "alpha": self.alpha, "resamples": self.resamples, "seed": self.seed}
        return self.adjusted([effect_of(c, self.layout, y, **settings).p for c in self.analysis]) <= self.alpha


ALONE = ""
"""The name of an outcome where `run` gives but one number."""


@dataclass(frozen=True)
class Measurement:
    """One trial, as a task."""

    run: Run
    trial: Trial

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What another process must be able to find."""
        return (self.run,)

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on."""
        return {"run": identity(self.run), "assignment": self.trial.assignment, "seed": self.trial.seed}

    def compute(self) -> Result:
        """Measure the unit."""
        found = self.run(dict(self.trial.assignment), self.trial.seed)
        return numbers(found if isinstance(found, Mapping) else {ALONE: found}, "run of the experiment")


@dataclass(frozen=True)
class OnScene:
    """A `run` for any scene: simulate it with the assignment as its arguments, and measure the run.

    Args:
        scene: a function marked `@scene`. It gets `unit` only if it has an argument of that name.
        measure: from a run to numbers by name.
        steps: of each run; None: until the world ends it.
    """

    scene: Callable[..., Scene]
    measure: Measure
    steps: int | None = None

    def __call__(self, assignment: dict[str, Any], seed: int) -> Result:
        """Simulate and measure."""
        if UNIT not in inspect.signature(self.scene).parameters:
            assignment = {name: value for name, value in assignment.items() if name != UNIT}
        return Cell("measurement", self.scene, assignment, self.measure, seed, self.steps).compute()

    @property
    def identity(self) -> dict[str, Any]:
        """What tells it from others."""
        return {"scene": identity(self.scene), "measure": identity(self.measure), "steps": self.steps}


def register(experiment: Experiment, folder: Path) -> None:
    """Write the registration into a folder, or see that the one that is there is the same.

    Raises:
        RunError: it is another; or there are outcomes without a registration.
    """
    path = folder / "registration.json"
    if path.exists():
        try:
            kept = json.loads(path.read_text("utf-8"))
            known, sealed = kept["experiment"], kept["hash"]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({error}): take another folder") from error
        if digest(known) != sealed:
            raise RunError(f"{path} was changed after it was written: its hash is not {sealed}; take another folder")
        now = experiment.registration
        if changed := [key for key in now if known.get(key) != now[key]]:
            key = changed[0]
            raise RunError(
                f"{folder} holds an experiment registered with {key} = {json.dumps(known.get(key))[:160]}, not "
                f"{json.dumps(now[key])[:160]}: what is registered stays; take another folder, or explore() the report"
            )
        return
    if (folder / "cells").exists():
        raise RunError(
            f"{folder} has outcomes but no registration: an analysis must be laid down before; take another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kept = {"registered": when, "hash": experiment.hash, "experiment": experiment.registration}
    replace_file(path, json.dumps(kept, indent=1).encode() + b"\n")
