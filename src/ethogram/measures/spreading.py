"""Simple models of spreading on a follow graph, to hold richer ones against: two of contagion, three of opinion.

All forecast the same curves: the shares of users who are aware (somebody they follow has ever posted), who are aware and
positive, and who post in the round. All have two parameters, are fitted to the curves themselves by the same search, and see
the same users: who follows whom, who leans which way, who has just posted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError, DataError
from ethogram.populations import Network
from ethogram.seeds import generator

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["MODELS", "Fitted", "Spreading", "fit_spreading", "spread"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spreading:
    """Where a cascade stands, arrays of shape (users,)."""

    aware: NDArray[np.bool_]
    active: NDArray[np.bool_]
    """Who posted in the last round."""
    ever: NDArray[np.bool_]
    """Who has ever posted."""
    attitude: Array
    """0 negative to 1 positive; the leaning of those who are not aware yet."""


@dataclass(frozen=True)
class _Round:
    """What is heard in a round: of each user's followees, how many post, and how positive they are on average."""

    state: Spreading
    posting: Array
    tone: Array
    followed: Array
    graph: csr_array
    rng: np.random.Generator


def independent_cascade(r: _Round, parameters: Array) -> Spreading:
    """Each post of somebody followed makes a user who never posted post, with a chance p of its own, once.

    Kempe, Kleinberg and Tardos (KDD 2003), section 2.1. A user that hears posts takes their attitude with chance q.
    """
    p, q = parameters
    state = _persuade(r, q)
    active = ~state.ever & (r.rng.random(len(state.ever)) < 1 - (1 - p) ** r.posting)
    return replace(state, active=active, ever=state.ever | active)


def linear_threshold(r: _Round, parameters: Array) -> Spreading:
    """A user posts, once, when the share of its followees that ever posted reaches its threshold, uniform in [0, c].

    Kempe, Kleinberg and Tardos (KDD 2003), section 2.1 (there c = 1). What is not drawn beforehand but now is whether the
    threshold lies in the step that the share has just made, given that it was not reached before, which is the same and lets
    a cascade be taken up in its middle. A user that hears posts takes their attitude with chance q.
    """
    c, q = parameters
    state = _persuade(r, q)
    followed = np.maximum(r.followed, 1)
    ever = np.stack([state.ever, state.ever & ~r.state.active], 1).astype(float)
    share, before = (r.graph @ ever / followed[:, None]).T
    likely = np.where(share > before, (share - before) / np.maximum(c - before, 1e-9), 0.0)
    active = ~state.ever & (r.rng.random(len(share)) < likely)
    return replace(state, active=active, ever=state.ever | active)


def voter(r: _Round, parameters: Array) -> Spreading:
    """Who is aware posts with chance a a round; who hears posts takes the attitude of a random one with chance q.

    Holley and Liggett (1975) on what is heard.
    """
    a, q = parameters
    return _posting(r, _persuade(r, q), a)


def degroot(r: _Round, parameters: Array) -> Spreading:
    """Who is aware posts with chance a a round; who hears posts moves the part w of the way to their mean attitude.

    DeGroot (1974) on what is heard.
    """
    a, w = parameters
    attitude = r.state.attitude + w * np.where(r.posting > 0, r.tone - r.state.attitude, 0.0)
    return _posting(r, replace(r.state, attitude=attitude), a)


def bounded_confidence(r: _Round, parameters: Array) -> Spreading:
    """Like `degroot` with w = 1/2, but only where the mean attitude heard is nearer than e to one's own.

    Deffuant et al. (2000) and Hegselmann and Krause (2002) on what is heard.
    """
    a, e = parameters
    gap = r.tone - r.state.attitude
    attitude = r.state.attitude + np.where((r.posting > 0) & (np.abs(gap) <= e), gap / 2, 0.0)
    return _posting(r, replace(r.state, attitude=attitude), a)


def _persuade(r: _Round, q: float) -> Spreading:
    """Those who hear posts take the attitude of a random one with chance q."""
    taken = (r.posting > 0) & (r.rng.random(len(r.tone)) < q)
    drawn = (r.rng.random(len(r.tone)) < r.tone).astype(float)
    return replace(r.state, attitude=np.where(taken, drawn, r.state.attitude))


def _posting(r: _Round, state: Spreading, a: float) -> Spreading:
    active = state.aware & (r.rng.random(len(state.aware)) < a)
    return replace(state, active=active, ever=state.ever | active)


class _Model(NamedTuple):
    advance: Callable[[_Round, Array], Spreading]
    low: tuple[float, float]
    high: tuple[float, float]


MODELS: Mapping[str, _Model] = {
    "independent cascade": _Model(independent_cascade, (0.001, 0.0), (1.0, 1.0)),
    "linear threshold": _Model(linear_threshold, (0.2, 0.0), (20.0, 1.0)),
    "voter": _Model(voter, (0.001, 0.0), (1.0, 1.0)),
    "DeGroot": _Model(degroot, (0.001, 0.0), (1.0, 1.0)),
    "bounded confidence": _Model(bounded_confidence, (0.001, 0.0), (1.0, 1.0)),
}
"""The models by name, with the bounds of their parameters; the first parameter is searched on a logarithmic scale."""


def spread(name: str, parameters: Array, network: Network, start: Spreading, rounds: int, rng: np.random.Generator) -> Array:
    """The curves of one cascade, shape (rounds, 3): shares aware, aware and positive (attitude above 1/2), posting.

    Args:
        name: of a model in `MODELS`.
        parameters: its two.
        network: an arc leads from a user to one it follows.
        start: where it stands; posts of `active` are heard in the first round.
        rounds: how many.
        rng: draws.

    Raises:
        ConfigError: there is no such model.
    """
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r} of spreading; there are: {', '.join(MODELS)}")
    graph, followed = network.to_scipy(weighted=False), network.out_degree().astype(float)
    state, found = start, []
    for _ in range(rounds):
        active = state.active.astype(float)
        heard = graph @ np.stack([active, active * state.attitude], 1)
        tone = np.where(heard[:, 0] > 0, heard[:, 1] / np.maximum(heard[:, 0], 1), 0.5)
        state = replace(state, aware=state.aware | (heard[:, 0] > 0))
        state = MODELS[name].advance(_Round(state, heard[:, 0], tone, followed, graph, rng), parameters)
        found.append((state.aware.mean(), (state.aware & (state.attitude > 0.5)).mean(), state.active.mean()))
    return np.array(found)


class Fitted(NamedTuple):
    """A model fitted to curves."""

    name: str
    parameters: Array
    error: float
    """Root mean squared error of its mean curves on what it was fitted to."""


def fit_spreading(
    name: str,
    network: Network,
    start: Spreading,
    target: Array,
    *,
    seed: int = 0,
    copies: int = 4,
    grid: int = 7,
    zooms: int = 3,
) -> Fitted:
    """The parameters whose mean curves of `copies` cascades come nearest to the target, in squared error.

    A lattice of grid x grid parameters is searched, then `zooms` times a lattice of the same size around the best, three
    times as fine: the same number of cascades for every model, with the same luck at every point.

    Args:
        name: of a model in `MODELS`.
        network: who follows whom.
        start: where the cascade stood before the first round of the target.
        target: curves of shape (rounds, 3), as `spread` gives.
        seed: of the luck.
        copies: cascades a point.
        grid: points along each parameter.
        zooms: refinements.

    Raises:
        DataError: the target has another shape.
    """
    if target.ndim != 2 or target.shape[1] != 3:
        raise DataError(f"spreading models are fitted to curves of shape (rounds, 3), not {target.shape}")
    model = MODELS[name]
    low, high = np.array([np.log(model.low[0]), model.low[1]]), np.array([np.log(model.high[0]), model.high[1]])
    centre, half = (low + high) / 2, (high - low) / 2
    best: tuple[float, Array] = (np.inf, centre)
    for _ in range(zooms + 1):
        axes = [
            np.clip(np.linspace(c - h, c + h, grid), lo, hi) for c, h, lo, hi in zip(centre, half, low, high, strict=True)
        ]
        for first in np.unique(axes[0]):
            for second in np.unique(axes[1]):
                point = np.array([np.exp(first), second])
                error = _error(name, point, network, start, target, seed, copies)
                if error < best[0]:
                    best = (error, np.array([first, second]))
        centre, half = best[1], half / 3
    return Fitted(name, np.array([np.exp(best[1][0]), best[1][1]]), best[0])


def _error(name: str, point: Array, network: Network, start: Spreading, target: Array, seed: int, copies: int) -> float:
    rounds = len(target)
    found = [spread(name, point, network, start, rounds, generator(seed, "spreading", copy)) for copy in range(copies)]
    return float(np.sqrt(((np.mean(found, 0) - target) ** 2).mean()))
