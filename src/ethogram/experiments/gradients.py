"""Calibration by gradients from finite differences with common random numbers: few parameters, few simulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.experiments.likelihood_free import Summaries, learn_summaries
from ethogram.experiments.problems import Array, Posterior, Problem, seeds_of
from ethogram.seeds import generator

__all__ = ["fit_moments"]

BOUND = 3.0
"""Scores are searched within ± this; beyond lies a quarter of a percent of a prior."""


def fit_moments(
    problem: Problem,
    observed: Mapping[str, Any],
    *,
    summaries: Summaries | None = None,
    replicates: int = 20,
    step: float = 0.2,
    start: Mapping[str, float] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Posterior:
    """Bring the mean of simulated summaries to what is observed: simulated moments with priors, by Gauss–Newton.

    Minimises (m - o)' S⁻¹ (m - o) plus the sum of the parameters' squared scores (their priors), where o are the summaries
    of what is observed, m their mean over replicates, and S their covariance over runs (McFadden, Econometrica 57:995, 1989;
    with S at the best point it is the synthetic likelihood of Wood, Nature 466:1102, 2010). The replicates' seeds stay the
    same all along (common random numbers), so that m is a function of the parameters, and its central differences are means
    over as many runs as there are replicates. It is done twice: with S at the start, then with S at what was found.

    The draws are those of the normal approximation at the best point: it misleads where the posterior is bent or has several
    modes; `abc_smc` does not, but takes more simulations. The information that noise in the differences feigns is taken out:
    it is large where a world does not keep its random streams apart, so that runs with the same seed soon have other luck. A
    parameter that nothing depends on keeps its prior.

    Args:
        problem: the simulator and its priors.
        observed: numbers and series by name, as the simulator gives them.
        summaries: what simulations are compared by; None: learnt from 500 simulations.
        replicates: runs that m and its differences are means over, at least 2; S takes 40 at least.
        step: half the width of the differences, in normal scores. Worlds of counts are steps when seen closely: do not go
            much below 0.1.
        start: parameters to begin with; None: where the summaries themselves point.
        draws: size of the sample that stands for the estimate and its spread.
        seed: everything random derives from it.

    Raises:
        ConfigError: wrong arguments, or the extra `calibrate` is not installed.
        RunError: a simulation failed.
    """
    if replicates < 2 or step <= 0:
        raise ConfigError(f"replicates is {replicates} and step {step}: they must be at least 2, and above 0")
    with problem.working() as working:
        summaries = summaries or learn_summaries(working, 500, seed)
        search = _Search(working, summaries, summaries.of(problem, observed), replicates, step, seed)
        score = search.target if start is None else problem.scores(start)
        for _ in range(2):
            score = np.clip(score, -0.99 * BOUND, 0.99 * BOUND)
            search.weigh(score)
            score = search.minimise(score)
        spread = np.linalg.inv(search.information(score))
    scores = score + generator(seed, "draws").standard_normal((draws, len(score))) @ np.linalg.cholesky(spread).T
    method = f"simulated moments, Gauss–Newton, {replicates} common seeds"
    return Posterior(problem, scores, np.full(draws, 1 / draws), method, search.simulations + summaries.simulations)


@dataclass
class _Search:
    """A search under way."""

    problem: Problem
    summaries: Summaries
    target: Array
    replicates: int
    step: float
    seed: int
    simulations: int = 0
    whiten: Any = 1.0
    """Makes summaries independent with variance 1 at the point that `weigh` was told, shape (k, k)."""

    def runs(self, scores: Array, replicates: int, what: str = "moments") -> Array:
        """Summaries of runs with common seeds at several points, shape (points, replicates, k)."""
        points = np.repeat(scores, replicates, axis=0)
        seeds = seeds_of(self.seed, what, replicates) * len(scores)
        self.simulations += len(points)
        return self.summaries(self.problem.simulate(points, seeds)).reshape(len(scores), replicates, -1)

    def weigh(self, score: Array) -> None:
        """Take the covariance of the summaries from runs at a point."""
        found = self.runs(score[None], max(40, self.replicates), "spread")[0]
        k = len(score)
        covariance = np.cov(found.T).reshape(k, k) + 1e-6 * np.eye(k)  # summaries are near 1 in size, or constant
        self.whiten = np.linalg.inv(np.linalg.cholesky(covariance * (1 + 1 / self.replicates)))

    def residuals(self, score: Array) -> Array:
        """Standardised distances of the mean from what is observed, then the scores, shape (2k,)."""
        return np.concatenate([self.whiten @ (self.runs(score[None], self.replicates)[0].mean(axis=0) - self.target), score])

    def slopes(self, score: Array) -> Array:
        """Central differences of the standardised summaries for each replicate, shape (replicates, k, parameters)."""
        k = len(score)
        steps = self.step * np.eye(k)
        found = self.runs(np.vstack([score + steps, score - steps]), self.replicates)
        return np.moveaxis((found[:k] - found[k:]) / (2 * self.step) @ self.whiten.T, 0, -1)

    def jacobian(self, score: Array) -> Array:
        """Derivatives of `residuals`, shape (2k, k)."""
        return np.vstack([self.slopes(score).mean(axis=0), np.eye(len(score))])

    def minimise(self, score: Array) -> Array:
        """The point where the sum of squares is least."""
        from scipy.optimize import least_squares

        jacobian: Any = self.jacobian  # what is declared of `least_squares` leaves functions out
        return least_squares(
            self.residuals, score, jac=jacobian, bounds=(-BOUND, BOUND), xtol=1e-3, ftol=1e-3, max_nfev=12
        ).x

    def information(self, score: Array) -> Array:
        """Of data and priors, shape (k, k), without what the noise of the differences adds to that of the data."""
        slopes = self.slopes(score)
        mean, k = slopes.mean(axis=0), len(score)
        apart = slopes - mean
        noise = np.einsum("rik,ril->kl", apart, apart) / (self.replicates * (self.replicates - 1))
        values, vectors = np.linalg.eigh(mean.T @ mean - noise)
        return (vectors * np.maximum(values, 0)) @ vectors.T + np.eye(k)
