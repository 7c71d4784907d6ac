"""The fidelity card: where and how simulated people differ from people, each figure beside what people's own noise gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.measures.estimate import Estimate
from ethogram.measures.fidelity.effects import Effect, compare_effects, contrasts, keyed_shift, normative, summary_of_effects
from ethogram.measures.fidelity.individuals import individuals
from ethogram.measures.fidelity.items import Beside, compare_item
from ethogram.measures.fidelity.samples import Samples, samples
from ethogram.measures.fidelity.structure import detection, structure
from ethogram.seeds import generator

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Card", "fidelity_card"]

WORST = 5
"""How many items the sentences of a card name."""


@dataclass
class Card:
    """What was found; `sentences` says it in words, `items_table` and `table` in numbers."""

    people: int
    simulated: int
    paired: bool
    left_out: list[str]
    """Items that could not be compared."""
    items: dict[str, dict[str, Beside]]
    """By item: `distance` (Wasserstein-1 as a share of the range), `shift` (of the mean, same unit), `spread` (ratio of
    standard deviations)."""
    overall: dict[str, Beside]
    """Structure, detection, and single people where samples are paired."""
    effects: list[Effect] = field(default_factory=list)
    """Differences between groups or arms."""
    estimates: dict[str, Estimate] = field(default_factory=dict)
    """What effects come to together, kindness and rationality: figures without a floor."""

    def items_table(self) -> pl.DataFrame:
        """A row an item and figure: value, interval, floor, and whether it is outside of people's own noise."""
        import polars as pl

        rows = [_row(item, name, beside) for item, found in self.items.items() for name, beside in found.items()]
        return pl.DataFrame(rows)

    def table(self) -> pl.DataFrame:
        """A row a figure of the whole: those of `overall` with their floors, then `estimates` without."""
        import polars as pl

        rows = [_row("", name, beside) for name, beside in self.overall.items()]
        rows += [_row("", name, Beside(e, np.nan, np.nan)) | {"outside": None} for name, e in self.estimates.items()]
        schema = {"item": pl.String, "figure": pl.String, **dict.fromkeys(("value", "low", "high"), pl.Float64)}
        schema |= {
            "floor_low": pl.Float64,
            "floor_high": pl.Float64,
            "outside": pl.Boolean,
            "n": pl.Int64,
            "method": pl.String,
        }
        return pl.DataFrame(rows, schema=schema)

    def share(self, figure: str, above: bool | None = None) -> float:
        """The share of items whose figure is outside of people's own noise (above it, or below it)."""
        return float(np.mean([_outside(found[figure], above) for found in self.items.values()]))

    def sentences(self) -> list[str]:
        """What the card says, in plain words."""
        return [*self._of_items(), *self._of_the_whole(), *self._of_effects()]

    def _of_items(self) -> list[str]:
        count = len(self.items)
        far = sorted(self.items, key=lambda i: -self.items[i]["distance"].value.value)[:WORST]
        worst = ", ".join(f"{item} ({self.items[item]['distance'].value.value:.2f})" for item in far)
        mean = np.mean([found["distance"].value.value for found in self.items.values()])
        noise = np.mean([found["distance"].high for found in self.items.values()])
        ratios = [found["spread"].value.value for found in self.items.values()]
        narrow, wide = self.share("spread", above=False), self.share("spread", above=True)
        return [
            f"Of {count} items, {self.share('distance'):.0%} are answered differently from people, beyond noise: the mean "
            f"distance is {mean:.3f} of the range, where people differ from people by up to {noise:.3f}.",
            f"Furthest off: {worst}.",
            f"{narrow:.0%} of the items vary too little and {wide:.0%} too much; the median ratio of standard deviations is "
            f"{np.median(ratios):.2f}.",
            f"Means are higher than people's on {self.share('shift', above=True):.0%} of the items and lower on "
            f"{self.share('shift', above=False):.0%}.",
        ]

    def _of_the_whole(self) -> list[str]:
        said, found = [], self.overall
        if "structure agreement" in found:
            one, error = found["structure agreement"], found["structure error"]
            said.append(
                f"How items hang together agrees with people's to {one.value} (halves of people: {one.low:.2f} to "
                f"{one.high:.2f}); correlations are off by {error.value.value:.2f} (halves: up to {error.high:.2f})."
            )
        if "detection" in found:
            one = found["detection"]
            said.append(
                f"A classifier tells them from people with an area under the curve of {one.value} (halves of people: up to "
                f"{one.high:.2f}; 0.5 is chance)."
            )
        if "accuracy" in found:
            own, mean, r = (found[name] for name in ("accuracy", "accuracy of the item mean", "individual correlation"))
            said.append(
                f"Single people are met to {own.value.value:.1%} of the range (dealt to others: {own.high:.1%}; guessing "
                f"the items' means: {mean.value.value:.1%}); beyond the items' means the correlation is {r.value}."
            )
        return said

    def _of_effects(self) -> list[str]:
        found = self.estimates
        said = []
        if "sign agreement" in found:
            said.append(
                f"Of people's clear effects {found['sign agreement'].value:.0%} have the same sign and "
                f"{found['replication'].value:.0%} are found again; simulated effects are {found['effect slope'].value:.2f} "
                "times people's."
            )
        if "kindness" in found:
            said.append(f"Answers are shifted towards the good end by {found['kindness']} of the range.")
        rational = [
            f"{name.removeprefix('rationality of ')} {e}" for name, e in found.items() if name.startswith("rationality")
        ]
        if rational:
            said.append(f"They give the normative answer more often by: {', '.join(rational)}.")
        return said


def fidelity_card(
    people: pl.DataFrame,
    simulated: pl.DataFrame,
    *,
    items: Sequence[str] | None = None,
    key: str | None = None,
    groups: Sequence[str] = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    good: Mapping[str, int] | None = None,
    right: Mapping[str, float] | None = None,
    detect: bool = True,
    seed: int = 0,
    resamples: int = 200,
) -> Card:
    """Compare a simulated sample with people, item by item, as a whole, and person by person where a key pairs them.

    Args:
        people: a row a person, a column an item (numbers; missing where not answered).
        simulated: a row a simulated person, with the same columns.
        items: which columns. None: all numeric ones that both have.
        key: the column that says who stands for whom.
        groups: columns of both tables whose effects are compared: attributes of people, or arms of an experiment.
        bounds: lowest and highest possible answer of items; else those that were given.
        good: +1 or -1 by item, where the high (low) end is the kind or desirable one.
        right: the answer of an item that is right by a norm.
        detect: whether a classifier is fitted (needs scikit-learn).
        seed: of everything random.
        resamples: of each interval and floor.

    Raises:
        DataError: the tables do not fit together; see `samples`.
    """
    there = samples(people, simulated, _without(items, people, simulated, groups), key, bounds)
    found = {
        name: compare_item(*_answers(there, i), float(there.span[i]), generator(seed, "item", name), resamples)
        for i, name in enumerate(there.items)
    }
    overall: dict[str, Beside] = structure(there, generator(seed, "structure"), max(20, resamples // 4))
    if detect:
        overall["detection"] = detection(there, generator(seed, "detection"), resamples)
    if there.paired:
        overall |= individuals(there, generator(seed, "individuals"), resamples)
    wanted = [c for by in groups for c in contrasts(people, by, there.items)]
    effects = compare_effects(people, simulated, wanted)
    estimates = summary_of_effects(effects, seed)
    if good:
        estimates["kindness"] = keyed_shift({name: beside["shift"] for name, beside in found.items()}, good)
    for name, answer in (right or {}).items():
        estimates[f"rationality of {name}"] = normative(*_answers(there, there.items.index(name)), answer)
    sizes = len(there.people), len(there.simulated)
    return Card(*sizes, there.paired, there.left_out, found, overall, effects, estimates)


def _without(
    items: Sequence[str] | None, people: pl.DataFrame, simulated: pl.DataFrame, groups: Sequence[str]
) -> Sequence[str] | None:
    """The items, or where none are named all that can be compared but the groups."""
    if items is not None or not groups:
        return items
    both = [c for c in people.columns if c in simulated.columns and c not in groups]
    return [c for c in both if people.schema[c].is_numeric() and simulated.schema[c].is_numeric()]


def _answers(there: Samples, i: int) -> tuple[Any, Any]:
    x, y = there.people[:, i], there.simulated[:, i]
    return x[np.isfinite(x)], y[np.isfinite(y)]


def _outside(beside: Beside, above: bool | None) -> bool:
    if above is None:
        return beside.outside
    return beside.value.low > beside.high if above else beside.value.high < beside.low


def _row(item: str, figure: str, beside: Beside) -> dict[str, Any]:
    value = beside.value
    return {
        "item": item,
        "figure": figure,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "floor_low": beside.low,
        "floor_high": beside.high,
        "outside": beside.outside,
        "n": value.n,
        "method": value.method,
    }
