"""Calibration by gradients from finite differences with common random numbers: few parameters, few simulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.experiments.problems import Array, Posterior, Problem, seeds_of
from ethogram.seeds import derive, generator

__all__ = ["fit_moments"]

BOUND = 3.0
"""Scores are searched within ± this; beyond lies a quarter of a percent of a prior."""
FLOOR = 0.05
"""Least standard deviation of a feature, as a share of the largest: what hardly varies must not outweigh all the rest."""


def fit_moments(
    problem: Problem,
    observed: Mapping[str, Any],
    *,
    replicates: int = 10,
    step: float = 0.2,
    start: Mapping[str, float] | None = None,
    starts: int = 10,
    draws: int = 1000,
    seed: int = 0,
) -> Posterior:
    """Bring the mean of simulations to what is observed: simulated moments with priors, by Gauss–Newton.

    Minimises the sum over features t of ((m_t - o_t) / s_t)², plus that of the parameters' squared scores (their priors),
    where m is the mean and s the standard deviation over replicates. Their seeds stay the same all along (common random
    numbers), so that m is a function of the parameters, and its central differences are averages over as many runs as there
    are replicates. It is done twice: with s at the start, then with s at what was found.

    The spread of the estimate is the sandwich of simulated moments (McFadden, Econometrica 57:995, 1989): what the features'
    covariance over runs, however they hang together, makes of the estimate; one more time 1/replicates for the noise in m.
    It is the normal approximation at the best point, so it misleads where the posterior is bent or has several modes;
    `abc_smc` does not, but takes many more simulations. A parameter that nothing depends on keeps its prior.

    Args:
        problem: the simulator and its priors.
        observed: numbers and series by name, as the simulator gives them.
        replicates: runs that m and its differences are means over, at least 2; s and the covariance take 40 runs at least.
        step: half the width of the differences, in normal scores. Worlds of counts are steps when seen closely: do not go
            much below 0.1.
        start: parameters to begin with; None: the best of `starts` draws from the priors, and their medians.
        starts: how many points are tried, one run each.
        draws: size of the sample that stands for the estimate and its spread.
        seed: everything random derives from it.

    Raises:
        ConfigError: wrong arguments.
        RunError: a simulation failed.
    """
    if replicates < 2 or step <= 0:
        raise ConfigError(f"replicates is {replicates} and step {step}: they must be at least 2, and above 0")
    search = _Search(problem, problem.observed(observed), replicates, step, seed)
    score = search.begin(starts) if start is None else problem.scores(start)
    for _ in range(2):
        search.weigh(score)
        score = search.minimise(score)
    spread = search.spread(score)
    k = len(score)
    scores = score + generator(seed, "draws").standard_normal((draws, k)) @ np.linalg.cholesky(spread).T
    method = f"simulated moments, Gauss–Newton, {replicates} common seeds, sandwich"
    return Posterior(problem, scores, np.full(draws, 1 / draws), method, search.simulations)


@dataclass
class _Search:
    """A search under way."""

    problem: Problem
    target: Array
    replicates: int
    step: float
    seed: int
    simulations: int = 0
    scale: Any = 1.0
    """Standard deviation of each feature."""
    covariance: Any = None
    """Of the features over runs."""

    def runs(self, scores: Array, replicates: int, what: str = "moments") -> Array:
        """Features of runs with common seeds at several points, shape (points, replicates, features)."""
        points = np.repeat(scores, replicates, axis=0)
        seeds = seeds_of(self.seed, what, replicates) * len(scores)
        self.simulations += len(points)
        return self.problem.simulate(points, seeds).reshape(len(scores), replicates, -1)

    def begin(self, starts: int) -> Array:
        """The best of some points, by the plain squared distance."""
        k = len(self.problem.priors)
        points = np.vstack([np.zeros(k), self.problem.draw(starts, derive(self.seed, "starts"))])
        gaps = ((self.runs(points, 1)[:, 0] - self.target) ** 2).sum(axis=1)
        return points[int(np.argmin(gaps))]

    def weigh(self, score: Array) -> None:
        """Take scale and covariance from runs at a point."""
        found = self.runs(score[None], max(40, self.replicates), "spread")[0]
        self.covariance = np.atleast_2d(np.cov(found.T))
        scale = np.sqrt(np.diag(self.covariance))
        self.scale = np.maximum(scale, max(FLOOR * scale.max(), 1e-12))

    def residuals(self, score: Array) -> Array:
        """Standardised distances of the mean from what is observed, then the scores, shape (features + parameters,)."""
        gap = (self.runs(score[None], self.replicates)[0].mean(axis=0) - self.target) / self.scale
        return np.concatenate([gap, score])

    def jacobian(self, score: Array) -> Array:
        """Central differences of `residuals`, shape (features + parameters, parameters)."""
        k = len(score)
        steps = self.step * np.eye(k)
        found = self.runs(np.vstack([score + steps, score - steps]), self.replicates).mean(axis=1) / self.scale
        return np.vstack([((found[:k] - found[k:]) / (2 * self.step)).T, np.eye(k)])

    def minimise(self, score: Array) -> Array:
        """The point where the sum of squares is least."""
        from scipy.optimize import least_squares

        inside = np.clip(score, -0.99 * BOUND, 0.99 * BOUND)
        jacobian: Any = self.jacobian  # what is declared of `least_squares` leaves functions out
        found = least_squares(
            self.residuals, inside, jac=jacobian, bounds=(-BOUND, BOUND), xtol=1e-3, ftol=1e-4, max_nfev=15
        )
        return found.x

    def spread(self, score: Array) -> Array:
        """The covariance of the estimate, shape (parameters, parameters)."""
        k = len(score)
        jacobian = self.jacobian(score)
        slopes = jacobian[:-k] / self.scale[:, None]  # what a feature's error does to the gradient
        noise = slopes.T @ self.covariance @ slopes * (1 + 1 / self.replicates) + np.eye(k)
        inverse = np.linalg.inv(jacobian.T @ jacobian)
        return inverse @ noise @ inverse
