"""What a test does in the long run: how often it rejects where there is nothing to find, and where there is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ethogram.measures.estimate import Estimate
from ethogram.measures.proportions import proportion
from ethogram.seeds import generator

__all__ = ["rejection_rate"]


def rejection_rate(
    trial: Callable[[np.random.Generator], bool], runs: int = 2000, level: float = 0.95, seed: int = 0
) -> Estimate:
    """The share of simulated experiments in which a test rejects: its type-1 error under a true null, else its power.

    Args:
        trial: draws an experiment's data from the generator and says whether the test rejects.
        runs: how many experiments; each has a random stream of its own, whatever the others draw.
        level: coverage of the exact (Clopper-Pearson) interval.
        seed: of the experiments.
    """
    rejections = sum(bool(trial(generator(seed, "experiment", i))) for i in range(runs))
    return proportion(rejections, runs, "exact", level)._replace(method=f"share of {runs:,} simulated experiments, exact")
