"""The inverse half of `llm-rationality`: what choices reveal, to people and to models of inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.decisions.inverse import CARDS, CONDITIONS, FEATURES, InverseChooser, Revealed, feature_counts, ranks
from ethogram.measures import Estimate
from ethogram.seeds import generator
from ethogram.studies import Findings, Reported
from ethogram.studies.people._llm_rationality_forward import spearman

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ABSOLUTE",
    "FITTED",
    "PUBLISHED",
    "RELATIVE",
    "RULE",
    "VARIANTS",
    "inferred",
    "rank_correlations",
    "ranking_table",
    "tell",
]

Array = NDArray[np.float64]
ABSOLUTE, RELATIVE, SURPRISE = "absolute utility", "relative utility", "surprise"
VARIANTS = (ABSOLUTE, RELATIVE)
RULE, FITTED = "count of features", "fitted count of features"
MEAN, SD = 4.0, 2.0
"""The prior of the paper's model: its mean at two standard deviations, negative for what is borne."""
OTHERS = {"half the spread": 1.0, "the released code's spread": 2**0.5, "twice the spread": 4.0}
"""Standard deviations of other priors, each with its mean at two of them."""
PUBLISHED = Reported("highly correlated", "abstract; of language models and people")


def inferred(condition: str, draws: int, seed: int, sd: float = SD) -> Revealed:
    """What the 47 choices reveal in a condition, by the prior of this spread."""
    sign = 1 if condition == "positive" else -1
    return InverseChooser(sign * MEAN / SD * sd, sd, draws=draws, seed=seed).infer(CARDS)


def counted() -> Array:
    """The rule without parameters: attributes forgone minus attributes chosen, shape (choices,)."""
    counts = dict(zip(FEATURES, feature_counts(CARDS).T, strict=True))
    return counts["forgone"] - counts["chosen"]


def fitted(mean_ranks: Array) -> Array:
    """People's mean ranks of each choice, by a regression on the counted features of the other 46; shape (choices,)."""
    x = np.column_stack([np.ones(len(CARDS)), feature_counts(CARDS)])
    others = ~np.eye(len(CARDS), dtype=bool)
    return np.array([x[i] @ np.linalg.lstsq(x[keep], mean_ranks[keep], rcond=None)[0] for i, keep in enumerate(others)])


def rank_correlations(rankings: Array, models: Mapping[str, Array], resamples: int, seed: int) -> Callable[..., Estimate]:
    """Spearman's correlations of models with people's mean ranks, with a bootstrap over people and choices.

    Args:
        rankings: shape (people, choices).
        models: values by name, shape (choices,).
        resamples: how many; people and choices are drawn with replacement, independently.
        seed: of the resampling.

    Returns:
        A function of two names: the first's correlation with people, minus the second's (none where it is empty).
    """
    rng, (m, n) = generator(seed, "rankings"), rankings.shape
    table = np.column_stack([np.round(values, 9) for values in models.values()])
    samples = [(np.arange(m), np.arange(n)), *((rng.integers(0, m, m), rng.integers(0, n, n)) for _ in range(resamples))]
    found = np.array(
        [spearman(np.column_stack([rankings[who].mean(0)[which], table[which]]))[0, 1:] for who, which in samples]
    )
    names = list(models)

    def estimate(name: str, other: str = "") -> Estimate:
        values = found[:, names.index(name)] - (found[:, names.index(other)] if other else 0)
        low, high = np.percentile(values[1:], [2.5, 97.5])
        what = "difference of Spearman's" if other else "Spearman"
        method = f"{what}, percentile bootstrap of {resamples:,} over people and choices"
        return Estimate(float(values[0]), float(low), float(high), m, method)

    return estimate


def tell(
    findings: Findings, rankings: Mapping[str, Array], draws: int, resamples: int, seed: int
) -> dict[str, dict[str, Array]]:
    """How the models of inference rank the choices beside people; model values and mean ranks, by condition."""
    shown: dict[str, dict[str, Array]] = {}
    for condition in CONDITIONS:
        found = inferred(condition, draws, seed)
        mean_ranks = rankings[condition].mean(0)
        models = {ABSOLUTE: found.absolute, RELATIVE: found.relative, SURPRISE: found.surprise}
        models |= {RULE: counted(), FITTED: fitted(mean_ranks)}
        others = {f"{ABSOLUTE}, {name}": inferred(condition, draws, seed, sd).absolute for name, sd in OTHERS.items()}
        estimate = rank_correlations(rankings[condition], models | others, resamples, seed)
        for name in models | others:
            label = "Correlation of ranks with people's mean ranks"
            findings.estimate("inverse_rho", estimate(name), label, arm=f"{condition}, {name}")
        for name in VARIANTS:
            for rival in (RULE, FITTED):
                label = f"Correlation with people: minus that of the {rival}"
                arm = f"{condition}, {name} - {rival}"
                findings.estimate("inverse_gain", estimate(name, rival), label, arm=arm)
        label = "Correlation of two halves of the people, for all of them (Spearman and Brown)"
        findings.estimate("inverse_ceiling", halves(rankings[condition], seed), label, arm=condition)
        shown[condition] = {"people": mean_ranks, **{name: models[name] for name in (*VARIANTS, RULE)}}
    findings.table("inferences", ranking_table(shown), "Ranks of the 47 choices, from the weakest evidence to the strongest")
    return shown


def halves(rankings: Array, seed: int, times: int = 200) -> Estimate:
    """The reliability of mean ranks: mean over random halves of 2 r / (1 + r)."""
    rng, half = generator(seed, "halves"), len(rankings) // 2
    found = []
    for _ in range(times):
        who = rng.permutation(len(rankings))
        r = spearman(np.column_stack([rankings[who[:half]].mean(0), rankings[who[half : 2 * half]].mean(0)]))[0, 1]
        found.append(2 * r / (1 + r))
    return Estimate.exact(float(np.mean(found)), len(rankings), f"mean over {times} random halves")


def ranking_table(shown: Mapping[str, Mapping[str, Array]]) -> pl.DataFrame:
    """A row a choice and condition: people's mean rank, and ranks by the models."""
    import polars as pl

    rows = [
        {
            "condition": condition,
            "choice": card,
            **{
                name: round(float(values[i] if name == "people" else ranks(values)[i]), 2)
                for name, values in columns.items()
            },
        }
        for condition, columns in shown.items()
        for i, card in enumerate(CARDS)
    ]
    return pl.DataFrame(rows)
