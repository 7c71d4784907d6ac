"""Whether a calibration can be believed: how often its intervals cover parameters that were planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ethogram.experiments.problems import Posterior, Problem, seeds_of
from ethogram.measures import Estimate, proportion
from ethogram.seeds import derive

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Coverage", "binomial_p", "planted_coverage"]


class Coverage(NamedTuple):
    """How often intervals covered what was planted."""

    level: float
    """How often they should."""
    shares: dict[str, Estimate]
    """By parameter: the share of problems in which it was covered, with the exact interval."""
    p: dict[str, float]
    """By parameter: of the exact two-sided binomial test that it is covered with probability `level`."""
    table: pl.DataFrame
    """One row a problem and parameter: problem, parameter, planted, value, low, high, covered, rank.

    `rank` is the posterior probability below the planted value: uniform where the posterior is right (Talts et al. 2018,
    simulation-based calibration).
    """

    def __str__(self) -> str:
        """A line a parameter."""
        return "\n".join(f"{name} covered: {share}, should be {self.level}" for name, share in self.shares.items())


def planted_coverage(
    problem: Problem, fit: Callable[[Mapping[str, Any], int], Posterior], *, n: int = 20, level: float = 0.9, seed: int = 0
) -> Coverage:
    """Plant parameters drawn from the priors, simulate, fit what was simulated, and see whether intervals cover them.

    Args:
        problem: the simulator and its priors.
        fit: from what is observed and a seed to the posterior.
        n: how many problems.
        level: of the intervals.
        seed: everything random derives from it.
    """
    import polars as pl

    planted = problem.draw(n, derive(seed, "planted"))
    parameters = problem.parameters(planted)
    rows = []
    for i, series in enumerate(problem.series(parameters, seeds_of(seed, "planted", n))):
        posterior = fit(series, derive(seed, "fit", i))
        for at, name in enumerate(problem.names):
            value, low, high, *_ = posterior.estimate(name, level)
            true = parameters[i][name]
            rank = float(posterior.weights[posterior.scores[:, at] < planted[i, at]].sum())
            rows.append((i, name, true, value, low, high, low <= true <= high, rank))
    names = ["problem", "parameter", "planted", "value", "low", "high", "covered", "rank"]
    table = pl.DataFrame(rows, names, orient="row")
    covered = {name: int(table.filter(pl.col("parameter") == name)["covered"].sum()) for name in problem.names}
    shares = {name: proportion(k, n, "exact", 0.95) for name, k in covered.items()}
    return Coverage(level, shares, {name: binomial_p(k, n, level) for name, k in covered.items()}, table)


def binomial_p(successes: int, n: int, p: float) -> float:
    """The exact two-sided binomial test: the probability of all counts that are no likelier than the one found."""
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    log = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)
    mass = np.exp(log)
    return min(1.0, float(mass[mass <= mass[successes] * (1 + 1e-7)].sum()))
