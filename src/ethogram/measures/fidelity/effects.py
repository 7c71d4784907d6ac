"""Effects: differences between groups or arms, among people and among those who stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate
from ethogram.measures.fidelity.items import Beside
from ethogram.measures.means import mean
from ethogram.measures.proportions import proportion_difference

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Contrast", "Effect", "compare_effects", "contrasts", "normative", "summary_of_effects"]

Array = NDArray[np.float64]
LEAST = 10
"""A contrast with fewer answers on either side is left out."""


class Contrast(NamedTuple):
    """A difference to look at: the mean of `item` where `by` is `one`, less where it is `other`."""

    item: str
    by: str
    one: str
    other: str | None
    """None: all who are not `one`."""


class Effect(NamedTuple):
    """A contrast among people and among simulated people, as Cohen's d with pooled standard deviations."""

    contrast: Contrast
    people: Estimate
    simulated: Estimate

    @property
    def same_sign(self) -> bool:
        """Whether both effects point the same way."""
        return self.people.value * self.simulated.value > 0

    @property
    def replicated(self) -> bool:
        """Whether the simulated effect is found where the people's is: both intervals on the same side of zero."""
        return (self.people.above and self.simulated.above) or (self.people.below and self.simulated.below)


def contrasts(table: pl.DataFrame, by: str, items: Sequence[str]) -> list[Contrast]:
    """All contrasts of a grouping: its two levels with each other, or each of several with all others."""
    levels = sorted(str(level) for level in table[by].drop_nulls().unique())
    if len(levels) == 2:
        return [Contrast(item, by, levels[0], levels[1]) for item in items]
    return [Contrast(item, by, level, None) for item in items for level in levels]


def compare_effects(
    people: pl.DataFrame, simulated: pl.DataFrame, wanted: Sequence[Contrast], level: float = 0.95
) -> list[Effect]:
    """Each contrast in both tables; those with fewer than `LEAST` answers on a side, or without any spread, are left out.

    The interval of d is Hedges and Olkin's (1985), normal with variance (n + m) / (n m) + d² / (2 (n + m)).

    Raises:
        DataError: a column is not in both tables.
    """
    found = []
    for contrast in wanted:
        one, other = (_d(table, contrast, level) for table in (people, simulated))
        if one is not None and other is not None:
            found.append(Effect(contrast, one, other))
    return found


def summary_of_effects(effects: Sequence[Effect], seed: int = 0, resamples: int = 1000) -> dict[str, Estimate]:
    """What effects come to together; empty where there are fewer than three.

    Returns:
        `sign agreement`, among people's effects whose interval excludes zero; `replication`, the share of those that are
        found on the same side of zero; `effect correlation`, `effect slope` (simulated on people's: below 1 effects are
        too small) and `effect error` (root mean square difference of d). Intervals: bootstrap of effects.
    """
    if len(effects) < 3:
        return {}
    a, b = (np.array([getattr(e, side).value for e in effects]) for side in ("people", "simulated"))
    clear = np.array([e.people.above or e.people.below for e in effects])
    same = np.array([e.same_sign for e in effects])
    again = np.array([e.replicated for e in effects])
    rng, n = np.random.default_rng(seed), len(effects)

    def figures(i: NDArray[np.int64]) -> dict[str, float]:
        x, y, c = a[i], b[i], clear[i]
        spread = x.std() > 0 and y.std() > 0
        return {
            "sign agreement": float(same[i][c].mean()) if c.any() else np.nan,
            "replication": float(again[i][c].mean()) if c.any() else np.nan,
            "effect correlation": float(np.corrcoef(x, y)[0, 1]) if spread else np.nan,
            "effect slope": float((x @ y) / (x @ x)) if x @ x > 0 else np.nan,
            "effect error": float(np.sqrt(np.mean((x - y) ** 2))),
        }

    values = figures(np.arange(n))
    draws = [figures(rng.integers(n, size=n)) for _ in range(resamples)]
    return {
        name: Estimate(value, *_middle([d[name] for d in draws]), n, f"bootstrap of {resamples} over effects")
        for name, value in values.items()
        if np.isfinite(value)
    }


def normative(people: Array, simulated: Array, right: float) -> Estimate:
    """How much more often simulated people than people give the answer that is right by a norm (Newcombe's interval)."""
    x, y = (a[np.isfinite(a)] for a in (people, simulated))
    return proportion_difference((int((y == right).sum()), len(y)), (int((x == right).sum()), len(x)))


def keyed_shift(shifts: Mapping[str, Beside], keys: Mapping[str, int]) -> Estimate:
    """The mean shift of items towards their good end: positive where simulated people are kinder than people.

    Args:
        shifts: the shift of each item.
        keys: +1 for items whose high end is good, -1 for those whose low end is.
    """
    missing = [name for name in keys if name not in shifts]
    if missing or any(key not in (-1, 1) for key in keys.values()):
        raise DataError(f"positive keys are +1 or -1 for items that are compared; {missing[:3] or dict(keys)} is not")
    return mean([keys[name] * shifts[name].value.value for name in keys])


def _d(table: pl.DataFrame, contrast: Contrast, level: float) -> Estimate | None:
    import polars as pl
    from scipy.stats import norm

    for column in (contrast.item, contrast.by):
        if column not in table.columns:
            raise DataError(f"the column {column!r} of a contrast is not in both tables")
    rows = table.select(
        pl.col(contrast.by).cast(pl.String).alias("by"), pl.col(contrast.item).cast(pl.Float64).alias("item")
    )
    rows = rows.drop_nulls().filter(pl.col("item").is_finite())
    x = rows.filter(pl.col("by") == contrast.one)["item"].to_numpy()
    rest = pl.col("by") != contrast.one if contrast.other is None else pl.col("by") == contrast.other
    y = rows.filter(rest)["item"].to_numpy()
    n, m = len(x), len(y)
    if min(n, m) < LEAST:
        return None
    pooled = np.sqrt(((n - 1) * x.var(ddof=1) + (m - 1) * y.var(ddof=1)) / (n + m - 2))
    if not pooled > 0:
        return None
    d = float((x.mean() - y.mean()) / pooled)
    half = float(norm.ppf(0.5 + level / 2) * np.sqrt((n + m) / (n * m) + d**2 / (2 * (n + m))))
    return Estimate(d, d - half, d + half, n + m, "Cohen's d, normal interval", level)


def _middle(draws: Sequence[float]) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)
