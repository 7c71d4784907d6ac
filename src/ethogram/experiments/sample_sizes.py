"""How many units an experiment needs: the power of the t test of a contrast, by its formula."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ethogram.errors import ConfigError
from ethogram.experiments.contrasts import Contrast, weights
from ethogram.experiments.layouts import Layout

__all__ = ["contrast_power", "units_needed"]

MOST = 1_000_000


def contrast_power(
    contrast: Contrast, layout: Layout, effect: float, sd: float, correlation: float = 0.0, alpha: float = 0.05
) -> float:
    """The probability that the t test of a contrast finds an effect (noncentral t, two-sided).

    Args:
        contrast: which.
        layout: of the experiment.
        effect: the true value of the contrast.
        sd: of a single measurement, among units and luck together, alike under all conditions.
        correlation: of two measurements of one unit: the share of the variance that is among units. Blocks are taken to
            explain nothing.
        alpha: of the test.

    Raises:
        ConfigError: a number makes no sense, or the contrast is `anything` (simulate its power instead).
    """
    from scipy.special import nctdtr, stdtrit

    if contrast.kind == "anything":
        raise ConfigError(f"there is no formula for the power of {contrast.name!r}: use simulated_power")
    if not sd > 0 or not 0 <= correlation <= 1 or not math.isfinite(effect):
        raise ConfigError(f"power needs sd > 0 and a correlation from 0 to 1, not sd={sd}, correlation={correlation}")
    g, h = weights(contrast, layout)
    averaged = len(layout.crossed) * layout.repeats
    variance = sd**2 * (correlation * h.sum() ** 2 + (1 - correlation) * (h @ h) / averaged)
    if variance <= 1e-12 * sd**2:
        return 1.0 if effect else alpha
    each = layout.error_freedom / len(g)
    freedom = float((g @ g) ** 2 / ((g**4).sum() / each))
    shift = effect / math.sqrt(variance * float(g @ g) / (layout.n / len(g)))
    critical = float(stdtrit(freedom, 1 - alpha / 2))
    above, below = 1 - nctdtr(freedom, abs(shift), critical), nctdtr(freedom, abs(shift), -critical)
    return float(np.nan_to_num(above, nan=1.0) + np.nan_to_num(below, nan=0.0))


def units_needed(
    contrast: Contrast,
    layout: Layout,
    effect: float,
    sd: float,
    correlation: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """The fewest units a cell and block with which the t test has the power; arguments as in `contrast_power`."""
    if not effect or not alpha < power < 1:
        raise ConfigError(f"sample size needs an effect other than 0 and a power from alpha to 1, not {effect} and {power}")

    def enough(units: int) -> bool:
        planned = replace(layout, units=units)
        return planned.error_freedom > 0 and contrast_power(contrast, planned, effect, sd, correlation, alpha) >= power

    high = 1
    while not enough(high):
        high *= 2
        if high > MOST:
            raise ConfigError(f"an effect of {effect} with sd {sd} takes more than {MOST:,} units a cell")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
