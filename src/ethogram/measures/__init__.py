"""Functions from tables to numbers with intervals, and tests."""

from ethogram.measures.differences import Permutation, mean_difference, paired_difference, permutation_test
from ethogram.measures.estimate import Estimate
from ethogram.measures.hierarchical import hierarchical_difference, hierarchical_mean
from ethogram.measures.linear import linear
from ethogram.measures.means import bootstrap, mean
from ethogram.measures.modes import conditional_mode_entropy, mode_divergence, mode_entropy
from ethogram.measures.power import rejection_rate
from ethogram.measures.proportions import proportion, proportion_difference
from ethogram.measures.sequential import Sequential, evidence, sequential_test
from ethogram.measures.several import Comparison, Pair, benjamini_hochberg, compare_successes, holm, letters
from ethogram.measures.social import contacts, curve, density, leaks, meetings, reachable
from ethogram.measures.step import Step, step_region, step_stops, step_test
from ethogram.measures.success import Test, barnard, barnard_region, posterior_density, probability_better
from ethogram.measures.suites import Profile, interquartile_mean, performance_profile, probability_of_improvement

__all__ = [
    "Comparison",
    "Estimate",
    "Pair",
    "Permutation",
    "Profile",
    "Sequential",
    "Step",
    "Test",
    "barnard",
    "barnard_region",
    "benjamini_hochberg",
    "bootstrap",
    "compare_successes",
    "conditional_mode_entropy",
    "contacts",
    "curve",
    "density",
    "evidence",
    "hierarchical_difference",
    "hierarchical_mean",
    "holm",
    "interquartile_mean",
    "leaks",
    "letters",
    "linear",
    "mean",
    "mean_difference",
    "meetings",
    "mode_divergence",
    "mode_entropy",
    "paired_difference",
    "performance_profile",
    "permutation_test",
    "posterior_density",
    "probability_better",
    "probability_of_improvement",
    "proportion",
    "proportion_difference",
    "reachable",
    "rejection_rate",
    "sequential_test",
    "step_region",
    "step_stops",
    "step_test",
]
