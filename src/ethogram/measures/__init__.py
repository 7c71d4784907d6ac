"""Functions from tables to numbers with intervals."""

from ethogram.measures.differences import Permutation, mean_difference, paired_difference, permutation_test
from ethogram.measures.estimate import Estimate
from ethogram.measures.means import bootstrap, mean
from ethogram.measures.proportions import proportion, proportion_difference
from ethogram.measures.social import contacts, curve, density, leaks, meetings, reachable

__all__ = [
    "Estimate",
    "Permutation",
    "bootstrap",
    "contacts",
    "curve",
    "density",
    "leaks",
    "mean",
    "mean_difference",
    "meetings",
    "paired_difference",
    "permutation_test",
    "proportion",
    "proportion_difference",
    "reachable",
]
