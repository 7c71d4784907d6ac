"""What came of a designed experiment: its effects, each beside how reliable it is and what a null of it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ethogram.experiments.analysis import Spread, effect_of, reliability, spreads, variation
from ethogram.experiments.cells import Result
from ethogram.experiments.contrasts import Contrast, check_contrast
from ethogram.experiments.layouts import Trial, named
from ethogram.experiments.tables import table_of
from ethogram.measures import Estimate, mean

if TYPE_CHECKING:
    import polars as pl

    from ethogram.experiments.design import Experiment

__all__ = ["Finding", "Report"]


class Finding(NamedTuple):
    """What an experiment says of one contrast."""

    contrast: Contrast
    estimate: Estimate
    p: float
    adjusted: float
    """p corrected for the number of registered contrasts; p itself where this one was not registered."""
    verdict: Literal["effect", "no effect that matters", "undecided"]
    """`no effect that matters`: shown to be smaller than the contrast's `smallest` (two one-sided tests at alpha), detected
    or not. `effect`: detected, and not so small. What is neither is undecided: absence of evidence."""
    detectable: float
    """The effect that data like these would have shown with power 80 %; NaN for `anything`, and where nothing varies."""
    retest: Estimate | None
    """Reliability of a unit's score, measured again; None where nothing was."""
    spreads: tuple[Spread, ...]
    """The effect at each level of each nuisance factor."""
    registered: bool

    def __str__(self) -> str:
        """The effect and, in brackets, its reliability."""
        head = f"{self.contrast.name}: {self.estimate}, p = {self.p:.2g} (corrected {self.adjusted:.2g}): {self.verdict}"
        if not self.registered:
            head = f"{self.contrast.name}: {self.estimate}, p = {self.p:.2g}, exploratory, not registered"
        said = []
        if not math.isnan(self.detectable):
            said.append(f"80% power for {self.detectable:.2g}")
        said.append(f"retest {'not measured' if self.retest is None else self.retest}")
        for spread in self.spreads:
            low, high = min(spread.values), max(spread.values)
            p = "" if math.isnan(spread.p) else f", p of a difference {spread.p:.2g}"
            said.append(f"over {len(spread.values)} levels of {spread.factor} from {low:.3g} to {high:.3g}{p}")
        return f"{head} [{'; '.join(said)}]"


class Report:
    """The outcomes of an experiment and what they say.

    Args:
        experiment: that was conducted.
        trials: in order.
        results: what was measured in each.
    """

    def __init__(self, experiment: Experiment, trials: Sequence[Trial], results: Sequence[Result]) -> None:
        self.experiment, self.trials, self.results = experiment, trials, results
        self.outcomes = experiment.outcomes(results)
        """The registered outcome, shape (units, conditions, crossed nuisances, repeats)."""
        self.hash = experiment.hash
        """Of the registration."""
        tested = [self._tested(contrast) for contrast in experiment.analysis]
        adjusted = experiment.adjusted([t.p for t in tested])
        self.effects = {
            c.name: self._finding(c, t, float(p), True)
            for c, t, p in zip(experiment.analysis, tested, adjusted, strict=True)
        }
        """By the names of the registered contrasts, in their order."""

    def _tested(self, contrast: Contrast) -> Any:
        e = self.experiment
        how = {"test": e.test, "alpha": e.alpha, "resamples": e.resamples, "seed": e.seed}
        return effect_of(contrast, e.layout, self.outcomes, **how)

    def _finding(self, contrast: Contrast, tested: Any, adjusted: float, registered: bool) -> Finding:
        e, small = self.experiment, contrast.smallest
        verdict = "effect" if adjusted <= e.alpha else "undecided"
        if small is not None and -small < tested.inner[0] and tested.inner[1] < small:
            verdict = "no effect that matters"
        retest = reliability(contrast, e.layout, self.outcomes)
        apart = spreads(contrast, e.layout, self.outcomes)
        return Finding(contrast, tested.estimate, tested.p, adjusted, verdict, tested.detectable, retest, apart, registered)

    def explore(self, contrast: Contrast) -> Finding:
        """The answer to a question that was not registered, marked as exploratory.

        Raises:
            ConfigError: the design cannot answer it.
        """
        check_contrast(contrast, self.experiment.layout)
        tested = self._tested(contrast)
        return self._finding(contrast, tested, tested.p, contrast in self.experiment.analysis)

    def variation(self) -> dict[str, float]:
        """What a pilot says for planning: `experiment.units_for(contrast, **pilot.variation())`.

        `sd` of a single measurement and `correlation` of two of one unit, conditions and blocks taken out.
        """
        sd, correlation = variation(self.experiment.layout, self.outcomes)
        return {"sd": sd, "correlation": correlation}

    def means(self) -> list[tuple[dict[str, Any], Estimate]]:
        """The mean over units under each combination of levels of the treatments, with its interval."""
        layout = self.experiment.layout
        own = self.outcomes.mean(axis=(2, 3))
        found = []
        for cell, point in enumerate(layout.cells):
            for c, condition in enumerate(layout.conditions):
                levels = {**named(layout.between, point), **named(layout.within, condition)}
                found.append((levels, mean(own[layout.cell_of == cell, c], level=1 - self.experiment.alpha)))
        return found

    @property
    def table(self) -> pl.DataFrame:
        """One row a measurement: its assignment, unit, repeat and seed, and a column an outcome."""
        rows = [{**self._flat(t), "number": t.unit, "repeat": t.repeat, "seed": t.seed} for t in self.trials]
        name = self.experiment.outcome
        results = [{key or name: value for key, value in result.items()} for result in self.results]
        return table_of(rows, results)

    def _flat(self, trial: Trial) -> dict[str, Any]:
        return {
            key: value if isinstance(value, str | int | float) else str(value) for key, value in trial.assignment.items()
        }

    def dump(self) -> dict[str, Any]:
        """The effects as JSON values."""
        effects = [
            {
                "name": f.contrast.name,
                "estimate": f.estimate.dump(),
                "p": f.p,
                "adjusted": f.adjusted,
                "verdict": f.verdict,
                "detectable": None if math.isnan(f.detectable) else f.detectable,
                "retest": f.retest and f.retest.dump(),
                "spreads": {s.factor: list(s.values) for s in f.spreads},
            }
            for f in self.effects.values()
        ]
        return {"experiment": self.experiment.name, "hash": self.hash, "effects": effects}

    def __str__(self) -> str:
        """A line an effect, below the registration's hash."""
        e = self.experiment
        head = f"{e.name}: {e.outcome}, {e.layout.n} units, registered as {self.hash}"
        return "\n".join([head, *(str(effect) for effect in self.effects.values())])
