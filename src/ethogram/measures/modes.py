"""How many of a task's countable ways of solving it a policy keeps.

The measures of D3IL (Jia et al., ICLR 2024), in the base |B|, the number of modes of the task, so that 1 is all modes
equally often and 0 is always the same one. Only successful rollouts count: give the modes of those.

Computed from n rollouts, all of them are biased: the plug-in entropy is too low by about (K-1)/(2n ln|B|) for K modes seen,
the divergence too high by as much. `correction="miller-madow"` takes this first-order bias out of the value (Miller 1955);
the default leaves it there, as D3IL does. Intervals have it taken out in either case: they are percentiles of the values of
resampled rollouts, moved to have the corrected value for their mean, so a plug-in value can lie outside its own interval. In
simulations they cover 84 to 99 %; the less, the more of the entropy is in modes too rare to have been seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import numpy as np

from ethogram.errors import ConfigError, DataError
from ethogram.measures.estimate import Estimate, check_level
from ethogram.measures.means import mean
from ethogram.seeds import generator

__all__ = ["Correction", "conditional_mode_entropy", "mode_divergence", "mode_entropy"]

Correction = Literal["none", "miller-madow"]

BOOTSTRAP = "bootstrap moved to the unbiased value"
UNSEEN = "exact bound of what was not seen"


def mode_entropy(
    modes: Iterable[int],
    count: int,
    correction: Correction = "none",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 9999,
) -> Estimate:
    """Entropy of the modes of successful rollouts from one start, −Σ π(β) log π(β) in base `count`.

    Where only one mode was seen a resample cannot show another: the interval then ends at the largest entropy that there is
    if the others share evenly what n rollouts without them leave open at `level`.

    Args:
        modes: of each successful rollout, a number from 0 to `count` - 1, shape (n,).
        count: the number of modes the task has, at least 2.
        correction: of the value's bias.
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many.
    """
    check_level(level)
    counts = _counts(modes, count)
    n = int(counts.sum())
    value = float(_entropies(counts[None], correction)[0])
    method = f"entropy of modes, base {count}{_named(correction)}"
    if (counts > 0).sum() == 1:
        rest = min(_open(n, level), (count - 1) / count)
        spread = np.array([[1 - rest, *[rest / (count - 1)] * (count - 1)]])
        return Estimate(value, 0.0, float(_plug_in(spread)[0]), n, f"{method}, {UNSEEN}", level)
    drawn = generator(seed, "modes").multinomial(n, counts / n, size=resamples)
    centre = float(_entropies(counts[None], "miller-madow")[0])
    low, high = np.clip(_around(centre, _entropies(drawn, "none"), level), 0, 1)
    return Estimate(value, float(low), float(high), n, f"{method}, {BOOTSTRAP}", level)


def conditional_mode_entropy(
    modes: Iterable[int],
    starts: Iterable[int | str],
    count: int,
    correction: Correction = "none",
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The mean over initial states of the entropy of the modes of the successful rollouts from each.

    Diversity that only comes from different initial states does not count here. Every state weighs the same; states
    without a success are left out, and `n` is the number of those left. The interval is the bootstrap's over states.
    With few rollouts a state the bias is large: 16 rollouts over 4 equal modes lose about 7 % of the entropy.

    Args:
        modes: of each successful rollout, shape (n,).
        starts: its initial state's number or name, shape (n,).
        count: the number of modes the task has.
        correction: of each state's bias.
        level: coverage of the interval.
        seed: of the resampling.
    """
    each = [float(_entropies(counts[None], correction)[0]) for counts in _by_start(modes, starts, count)]
    found = mean(each, "percentile", level, seed)
    return found._replace(method=f"mean over initial states of the entropy of modes, base {count}{_named(correction)}")


def mode_divergence(
    modes: Iterable[int],
    demonstrated: Iterable[int],
    count: int,
    starts: Iterable[int | str] | None = None,
    correction: Correction = "none",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 9999,
) -> Estimate:
    """KL divergence of a policy's modes from the demonstrators', Σ π(β) log(π(β) / p(β)), in base `count`.

    The demonstrators' shares p are those of their modes with half a demonstration added to each mode, so that a mode they
    never showed costs much and not everything. The demonstrations are taken as given: the interval is over rollouts, or over
    initial states where there are `starts`. Without them, and where only one mode was seen, it reaches over all shares of
    the others that n rollouts without them leave open at `level`, however these share it.

    Args:
        modes: of each successful rollout of the policy, shape (n,).
        demonstrated: of each demonstration, shape (m,).
        count: the number of modes the task has.
        starts: the initial state of each rollout: the mean over states of each one's divergence is taken, against the
            same p.
        correction: of the plug-in's bias.
        level: coverage of the interval.
        seed: of the resampling.
        resamples: how many, without `starts`.
    """
    check_level(level)
    shares = _counts(demonstrated, count) + 0.5
    shares /= shares.sum()
    method = f"divergence from the demonstrators' modes, base {count}{_named(correction)}"
    if starts is not None:
        each = [float(_divergences(c[None], shares, correction)[0]) for c in _by_start(modes, starts, count)]
        return mean(each, "percentile", level, seed)._replace(method=f"mean over initial states of the {method}")
    counts = _counts(modes, count)
    n = int(counts.sum())
    value = float(_divergences(counts[None], shares, correction)[0])
    if (counts > 0).sum() == 1:
        found = _divergences(_extremes(int(counts.argmax()), shares, _open(n, level)), shares, "none")
        return Estimate(value, float(found.min()), float(found.max()), n, f"{method}, {UNSEEN}", level)
    drawn = generator(seed, "modes").multinomial(n, counts / n, size=resamples)
    centre = float(_divergences(counts[None], shares, "miller-madow")[0])
    low, high = np.maximum(_around(centre, _divergences(drawn, shares, "none"), level), 0)
    return Estimate(value, float(low), float(high), n, f"{method}, {BOOTSTRAP}", level)


def _entropies(counts: np.ndarray, correction: Correction) -> np.ndarray:
    """The entropy of each row of counts, shape (k, modes), in the base of their number."""
    plain = _plug_in(counts / counts.sum(axis=1, keepdims=True))
    return np.minimum(plain + _bias(counts, correction), 1.0)


def _divergences(counts: np.ndarray, shares: np.ndarray, correction: Correction) -> np.ndarray:
    """The divergence of each row of counts, shape (k, modes), from `shares`, shape (modes,)."""
    p = counts / counts.sum(axis=1, keepdims=True)
    plain = -_plug_in(p) - p @ np.log(shares) / math.log(counts.shape[1])
    return np.maximum(plain - _bias(counts, correction), 0.0)


def _plug_in(p: np.ndarray) -> np.ndarray:
    from scipy.special import xlogy

    return -xlogy(p, p).sum(axis=1) / math.log(p.shape[1])


def _bias(counts: np.ndarray, correction: Correction) -> np.ndarray | float:
    """By how much the plug-in entropy of each row is too low, to the first order (Miller 1955)."""
    if correction == "none":
        return 0.0
    return ((counts > 0).sum(axis=1) - 1) / (2 * counts.sum(axis=1) * math.log(counts.shape[1]))


def _open(n: int, level: float) -> float:
    """The largest share of modes that n rollouts do not show with a probability of 1 - `level` or more."""
    return 1 - (1 - level) ** (1 / n)


def _extremes(seen: int, shares: np.ndarray, rest: float) -> np.ndarray:
    """Distributions that leave the modes not `seen` at most `rest`: the nearest to `shares`, and the farthest, (3, modes).

    The divergence is convex: it is largest where nothing is left to the others, or all of it to the rarest of them.
    """
    kept = max(1 - rest, shares[seen])
    near = shares * (1 - kept) / (1 - shares[seen])
    near[seen] = kept
    one, other = np.zeros_like(shares), np.zeros_like(shares)
    one[seen] = 1
    other[seen] = 1 - rest
    other[np.where(np.arange(len(shares)) == seen, np.inf, shares).argmin()] = rest
    return np.stack([near, one, other])


def _around(centre: float, draws: np.ndarray, level: float) -> np.ndarray:
    """The percentile interval of resampled values, moved so that their mean is at `centre`."""
    return centre + np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) - draws.mean()


def _counts(modes: Iterable[int], count: int) -> np.ndarray:
    """How often each mode was taken, shape (count,)."""
    if count < 2:
        raise ConfigError(f"an entropy of modes needs a task with at least two modes, not {count}")
    try:
        given = np.asarray(list(modes), float)
    except (TypeError, ValueError) as error:
        raise DataError(f"modes are whole numbers from 0 to {count - 1}: {error}") from error
    if given.ndim != 1 or given.size == 0:
        raise DataError("there are no successful rollouts whose modes could be counted")
    if not np.isin(given, np.arange(count)).all():
        raise DataError(f"modes are whole numbers from 0 to {count - 1}: give those of successful rollouts only")
    return np.bincount(given.astype(np.int64), minlength=count).astype(float)


def _by_start(modes: Iterable[int], starts: Iterable[int | str], count: int) -> list[np.ndarray]:
    """The counts of the modes from each initial state."""
    taken, begun = list(modes), list(starts)
    if len(taken) != len(begun):
        raise DataError(f"each rollout has a mode and an initial state, but there are {len(taken)} and {len(begun)} of them")
    grouped: dict[int | str, list[int]] = {}
    for mode, start in zip(taken, begun, strict=True):
        grouped.setdefault(start, []).append(mode)
    if not grouped:
        raise DataError("there are no successful rollouts whose modes could be counted")
    return [_counts(group, count) for group in grouped.values()]


def _named(correction: Correction) -> str:
    return "" if correction == "none" else ", Miller-Madow"
