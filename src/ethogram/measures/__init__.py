"""Functions from tables to numbers with intervals."""

from ethogram.measures.differences import Permutation, mean_difference, paired_difference, permutation_test
from ethogram.measures.estimate import Estimate
from ethogram.measures.means import bootstrap, mean
from ethogram.measures.proportions import proportion, proportion_difference

__all__ = [
    "Estimate",
    "Permutation",
    "bootstrap",
    "mean",
    "mean_difference",
    "paired_difference",
    "permutation_test",
    "proportion",
    "proportion_difference",
]
