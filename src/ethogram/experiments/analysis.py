"""The analysis of experiments: effects with intervals, tests by randomisation, analysis of variance, and reliability.

Everything is computed from one *score* a unit: what the contrast makes of the unit's own mean outcomes. However often a unit
was measured, it counts once, so that nothing is replicated in appearance only. For contrasts within units this is the
summary-measures analysis (Matthews et al., BMJ 300:230, 1990); with one contrast between two cells it is Welch's t test, in
blocks of one unit a cell the paired t test, and the F tests are those of the split-plot analysis of variance.

Outcomes have the shape (units, conditions, crossed nuisances, repeats) of `Layout.shape`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.experiments.contrasts import Contrast, helmert, term_weights, weights
from ethogram.experiments.layouts import Layout
from ethogram.measures import Estimate, proportion_difference
from ethogram.seeds import generator

__all__ = ["Spread", "Tested", "effect_of", "reliability", "spreads", "variance_ratio", "variation"]

Array = NDArray[np.float64]
POWER = 0.8
"""With which the smallest detectable effect would be detected."""


class Tested(NamedTuple):
    """What the outcomes say of a contrast."""

    estimate: Estimate
    """`n` is the number of units. Of `anything`: partial eta squared, without an interval."""
    p: float
    method: str
    """How p was had."""
    inner: tuple[float, float]
    """The interval of level 1 - 2 alpha, by which equivalence is judged (two one-sided tests); NaN where a few units are all
    alike, so few that no permutation test of them could reach alpha."""
    detectable: float
    """The effect that such data would show with power 80 %, at alpha; NaN for `anything`, and where nothing varies."""


class Spread(NamedTuple):
    """An effect at each level of a nuisance factor: of each wording, say."""

    factor: str
    values: tuple[float, ...]
    p: float
    """That the effect is the same at all of them; NaN where the units are too few to tell."""


class _T(NamedTuple):
    value: Array
    error: Array
    freedom: Array


def effect_of(contrast: Contrast, layout: Layout, y: Array, *, test: str, alpha: float, resamples: int, seed: int) -> Tested:
    """Estimate and test a contrast.

    Args:
        contrast: one that the layout can answer.
        layout: of the experiment.
        y: outcomes, shape `layout.shape`.
        test: `permutation` or `t`; `anything` is always tested by F.
        alpha: of the test; the interval has level 1 - alpha.
        resamples: how many permutations.
        seed: of the permutations.
    """
    if contrast.kind == "anything":
        return _anything(contrast, layout, y, alpha)
    g, h = weights(contrast, layout)
    s = y.mean(axis=(2, 3)) @ h
    found = _contrast_t(s, layout, g)
    value, error, freedom = float(found.value), float(found.error), float(found.freedom)
    p, method = _p_of_t(value, error, freedom), "t test of units' scores"
    if test == "permutation" or not error:
        p, method = _permuted(contrast, layout, s, g, resamples, seed), f"{resamples:,} random permutations of units"
    within = _interval(layout, contrast, y, value, error, freedom)
    label = "weighted difference of cell means over units" if g.size > 1 else "mean of units' differences"
    low, high = within(1 - alpha)
    estimate = Estimate(value, low, high, layout.n, f"{label}, {method}", 1 - alpha)
    inner = within(1 - 2 * alpha)
    if not error and 2.0 ** (1 - layout.n) > alpha:  # so few units that are all alike say nothing of others
        inner = math.nan, math.nan
    detectable = (_t(1 - alpha / 2, freedom) + _t(POWER, freedom)) * error if error else math.nan
    return Tested(estimate, p, method, inner, detectable)


def _interval(
    layout: Layout, contrast: Contrast, y: Array, value: float, error: float, freedom: float
) -> Callable[[float], tuple[float, float]]:
    """The interval as a function of its level: Newcombe's for two shares of independent units, else Student's t."""
    plain = len(layout.cells) == 2 and len(layout.blocks) == 1 and y[0].size == 1
    if plain and contrast.kind == "difference" and np.isin(y, (0, 1)).all():
        one, two = (y[layout.cell_of == cell].ravel() for cell in (1, 0))
        sign = np.sign(weights(contrast, layout).cells[1])
        counts = (int(one.sum()), one.size), (int(two.sum()), two.size)

        def newcombe(level: float) -> tuple[float, float]:
            found = proportion_difference(*(counts if sign > 0 else counts[::-1]), level=level)
            return found.low, found.high

        return newcombe
    return lambda level: (value - _t((1 + level) / 2, freedom) * error, value + _t((1 + level) / 2, freedom) * error)


def _contrast_t(s: Array, layout: Layout, g: Array) -> _T:
    """Value, standard error and degrees of freedom of sum g x cell mean; s has shape (..., units).

    Each cell has a variance of its own (Welch and Satterthwaite); block means are taken out first.
    """
    cells = _indicator(layout.cell_of, len(g))
    size = layout.n / len(g)
    means = s @ cells / size
    variance = (_residuals(s, layout, means) ** 2) @ cells / size * (layout.n / layout.error_freedom)
    parts = g**2 * variance / size
    total = parts.sum(-1)
    freedom = layout.error_freedom / len(g)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(total > 0, total**2 / (parts**2 / freedom).sum(-1), layout.error_freedom)
    scale = np.abs(s).max(-1)
    error = np.sqrt(np.where(total > (1e-12 * scale) ** 2, total, 0.0))  # what only rounding made is none
    return _T(means @ g, error, df)


def _residuals(s: Array, layout: Layout, means: Array) -> Array:
    """What cells and blocks leave of the scores, shape (..., units)."""
    left = s - means[..., layout.cell_of]
    if len(layout.blocks) > 1:
        blocks = _indicator(layout.block_of, len(layout.blocks))
        left = left - (left @ blocks / (layout.n / len(layout.blocks)))[..., layout.block_of]
    return left


def _permuted(contrast: Contrast, layout: Layout, s: Array, g: Array, resamples: int, seed: int) -> float:
    """Two-sided p of the studentised contrast under re-assignment of the units.

    One factor between units: units are exchanged within blocks and within the levels of the other factors, as they were
    assigned (an exact test of no effect on any unit). Several: the residuals of the full model are (ter Braak 1992). None:
    the signs of the units' scores.
    """
    rng = generator(seed, "permutation", contrast.name)
    between = [i for i, factor in enumerate(layout.between) if factor.name in contrast.factors]
    if not between:
        drawn = s * rng.choice([-1.0, 1.0], size=(resamples, layout.n))
    elif len(between) == 1 and not layout.fraction:
        drawn = s[_shuffled(_exchangeable(contrast, layout, between[0]), resamples, rng)]
    else:
        means = s @ _indicator(layout.cell_of, len(g)) / (layout.n / len(g))
        drawn = _residuals(s, layout, means)[_shuffled(layout.block_of, resamples, rng)]
    observed, null = _contrast_t(s, layout, g), _contrast_t(drawn, layout, g)
    tolerance = 1e-9 * float(np.abs(s).max())
    reached = _studentised(null, tolerance) >= float(_studentised(observed, tolerance)) * (1 - 1e-9)
    return float((1 + reached.sum()) / (1 + resamples))


def _studentised(found: _T, tolerance: float) -> Array:
    """The absolute t; infinite where there is a difference and nothing varies."""
    size = np.abs(found.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(found.error > 0, size / found.error, np.where(size > tolerance, np.inf, 0.0))


def _exchangeable(contrast: Contrast, layout: Layout, at: int) -> NDArray[np.int64]:
    """A number for each unit; those that share it could have been assigned each other's level of a factor."""
    pair = contrast.levels
    compared = None if pair is None else {layout.between[at].levels.index(level) for level in pair}
    groups: dict[tuple[int, ...], int] = {}
    found = []
    for cell, block in zip(layout.cell_of.tolist(), layout.block_of.tolist(), strict=True):
        point = list(layout.cells[cell])
        if compared is None or point[at] in compared:
            point[at] = -1
        found.append(groups.setdefault((block, *point), len(groups)))
    return np.array(found)


def _shuffled(groups: NDArray[np.int64], resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Permutations of the units within their groups, shape (resamples, units)."""
    found = np.tile(np.arange(groups.size), (resamples, 1))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        found[:, members] = members[np.argsort(rng.random((resamples, members.size)), axis=1)]
    return found


def _anything(contrast: Contrast, layout: Layout, y: Array, alpha: float) -> Tested:
    """The F test of a term of the analysis of variance, each in its own stratum of error."""
    g, h = term_weights(contrast, layout)
    f = _f_test(y.mean(axis=(2, 3)) @ h.T, layout, g, float(np.abs(y).max()))
    estimate = Estimate(f.share, math.nan, math.nan, layout.n, f"partial eta squared, {f.method}", 1 - alpha)
    return Tested(estimate, f.p, f.method, (math.nan, math.nan), math.nan)


class _F(NamedTuple):
    f: float
    freedom: tuple[float, float]
    p: float
    share: float
    method: str


def _f_test(scores: Array, layout: Layout, g: Array, scale: float) -> _F:
    """That all contrasts g (orthonormal rows over cells) of all scores, shape (units, k), are zero.

    What is small beside the scale of the outcomes is taken for rounding.
    With k > 1 the degrees of freedom are corrected for unequal variances of the differences (Greenhouse and Geisser 1959).
    """
    size, k = layout.n / g.shape[1], scores.shape[1]
    means = scores.T @ _indicator(layout.cell_of, g.shape[1]) / size
    explained = size * float(((means @ g.T) ** 2).sum())
    left = _residuals(scores.T, layout, means)
    spread = left @ left.T
    error = float(np.trace(spread))
    rounding = scores.size * (1e-12 * scale) ** 2
    if error <= rounding:
        there = explained > rounding
        return _F(math.inf if there else 0.0, (math.nan, math.nan), 0.0 if there else 1.0, float(there), "nothing varies")
    correction = error**2 / (k * float((spread**2).sum()))
    return _ratio(explained, len(g) * k, error, k * layout.error_freedom, correction)


def _ratio(explained: float, df1: float, error: float, df2: float, correction: float = 1.0) -> _F:
    from scipy.special import fdtrc

    f = (explained / df1) / (error / df2)
    one, two = df1 * correction, df2 * correction
    method = f"F({one:.3g}, {two:.3g}) = {f:.3g}"
    return _F(f, (one, two), float(fdtrc(one, two, f)), explained / (explained + error), method)


def reliability(contrast: Contrast, layout: Layout, y: Array, level: float = 0.95) -> Estimate | None:
    """Test and retest: how far a unit's score comes out the same when the same unit is measured again with other luck.

    The intraclass correlation of single measurements, ICC(1, 1), with its F interval (Shrout and Fleiss, Psychological
    Bulletin 86:420, 1979), cell and block means taken out. 0: units do not differ in what the contrast is about, or not
    reliably. Of `anything`: of the unit's mean outcome.

    Returns:
        None where nothing was measured twice; NaN where nothing varies at all.
    """
    n, _, _, repeats = y.shape
    if repeats < 2:
        return None
    h = np.full(y.shape[1], 1 / y.shape[1]) if contrast.kind == "anything" else weights(contrast, layout).conditions
    s = np.einsum("ucr,c->ur", y.mean(axis=2), h)
    means = s.mean(axis=1)
    cells = _indicator(layout.cell_of, len(layout.cells))
    left = _residuals(means, layout, means @ cells / (n / len(layout.cells)))
    among = repeats * float(left @ left) / layout.error_freedom
    inside = float(((s - means[:, None]) ** 2).sum()) / (n * (repeats - 1))
    return variance_ratio(among, inside, repeats, layout.error_freedom, n * (repeats - 1), level)._replace(n=n)


def variance_ratio(among: float, inside: float, k: int, df1: int, df2: int, level: float = 0.95) -> Estimate:
    """ICC(1, 1) from the mean squares among and inside units of k measurements each."""
    from scipy.special import fdtri

    method = f"ICC(1, 1) of {k} measurements, F interval"
    if not inside:
        value = 1.0 if among > 0 else math.nan
        return Estimate(value, value, value, df1 + 1, method, level)
    f, tail = among / inside, (1 - level) / 2
    bounds = f / float(fdtri(df1, df2, 1 - tail)), f * float(fdtri(df2, df1, 1 - tail))
    value, low, high = ((ratio - 1) / (ratio + k - 1) for ratio in (f, *bounds))
    return Estimate(value, low, high, df1 + 1, method, level)


def variation(layout: Layout, y: Array) -> tuple[float, float]:
    """Standard deviation of a single measurement, and the correlation of two of one unit (0 where there is but one).

    Means under each condition in each cell, and blocks, are taken out; components of variance by the method of moments.
    """
    flat = y.reshape(layout.n, -1)
    k = flat.shape[1]
    cells = _indicator(layout.cell_of, len(layout.cells))
    centred = flat - (flat.T @ cells / (layout.n / len(layout.cells))).T[layout.cell_of]
    means = centred.mean(axis=1)
    left = _residuals(means, layout, np.zeros(len(layout.cells)))
    among = k * float(left @ left) / layout.error_freedom
    if k == 1:
        return math.sqrt(among), 0.0
    inside = float(((centred - means[:, None]) ** 2).sum()) / ((layout.n - len(layout.cells)) * (k - 1))
    own = max(0.0, (among - inside) / k)
    total = own + inside
    return math.sqrt(total), own / total if total else 0.0


def spreads(contrast: Contrast, layout: Layout, y: Array) -> tuple[Spread, ...]:
    """The effect at each level of each nuisance factor; empty for `anything`."""
    if contrast.kind == "anything":
        return ()
    g, h = weights(contrast, layout)
    blocks = [f for f in layout.factors if f.nuisance and not f.within]
    crossed = [f for f in layout.factors if f.nuisance and f.within]
    found = []
    for at, factor in enumerate(blocks):
        level = np.array([layout.blocks[b][at] for b in layout.block_of])
        found.append(_over_blocks(factor.name, y.mean(axis=(2, 3)) @ h, level, layout, g))
    for at, factor in enumerate(crossed):
        level = np.array([point[at] for point in layout.crossed])
        s = np.einsum("ucx,c->xu", y.mean(axis=3), h)
        each = np.stack([s[level == i].mean(axis=0) for i in range(len(factor.levels))])
        test = _f_test((helmert(len(each)) @ each).T, layout, g[None] / math.sqrt(float(g @ g)), float(np.abs(y).max()))
        found.append(Spread(factor.name, tuple(map(float, _contrast_t(each, layout, g).value)), test.p))
    return tuple(found)


def _over_blocks(name: str, s: Array, level: NDArray[np.int64], layout: Layout, g: Array) -> Spread:
    """The effect among the units of each level of a factor that makes blocks."""
    count = int(level.max()) + 1
    means = np.array([[s[(level == i) & (layout.cell_of == c)].mean() for c in range(len(g))] for i in range(count)])
    values = means @ g
    full = layout.block_of * len(g) + layout.cell_of
    freedom = layout.n - len(layout.blocks) * len(g)
    p = math.nan
    if freedom > 0:
        inside = _indicator(full, len(layout.blocks) * len(g))
        left = s - (s @ inside / inside.sum(0))[full]
        size = layout.n / count / len(g)
        explained = float(((values - values.mean()) ** 2).sum()) * size / float(g @ g)
        error = float(left @ left)
        p = _ratio(explained, count - 1, error, freedom).p if error > 0 else math.nan
    return Spread(name, tuple(map(float, values)), p)


def _indicator(group: NDArray[np.int64], count: int) -> Array:
    """Membership as columns, shape (units, count)."""
    return (group[:, None] == np.arange(count)).astype(float)


def _t(probability: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _p_of_t(value: float, error: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(value) / error)) if error else math.nan
