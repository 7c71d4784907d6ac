"""What `shapley-llm` finds: from scores of options to attributions, shares of noise, and people's beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.measures import Estimate, mean
from ethogram.measures.attribution import mean_values, noise_share, shapley_values
from ethogram.measures.prompt_parts import chances, log_odds, token_noise
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.people import _shapley_llm_policies as policies
from ethogram.studies.people._shapley_llm_policies import BIASED, COLOUR, FIRST, FORM, LOGIT
from ethogram.studies.people._shapley_llm_prompts import INFORMATIVE, Design

__all__ = [
    "NOISE",
    "PARTS",
    "beside_people",
    "engine",
    "framing",
    "known",
    "noise",
    "pictures",
    "rewording",
    "tabulated",
    "worths",
]

Array = NDArray[np.float64]
PARTS = (*INFORMATIVE, "form", "colour")
NOISE = (False, False, False, True, True)
BOTH, TRAIN_FIRST, OTHER_FIRST, ODDS = "both orders", "train first", "Swissmetro first", "both orders, log-odds"
FRAME_NOISE = (False, False, True, True)
DRAWS = 2000
HUMAN_GAP = Reported("78 % against 28 %", "Tversky and Kahneman 1981, problems 1 and 2", 0.5)


def worths(scores: Any) -> dict[str, Array]:
    """What coalitions are worth, by condition, each of shape (prompts, 2^parts): P or the log-odds of the second option."""
    return {
        BOTH: chances(scores)[..., 1],
        TRAIN_FIRST: chances(scores, [0])[..., 1],
        OTHER_FIRST: chances(scores, [1])[..., 1],
        ODDS: log_odds(scores, 1),
    }


def engine(findings: Findings, worst: Mapping[str, float], errors: Sequence[Sequence[float]], draws: Sequence[int]) -> None:
    """Axioms, and how the error of sampling falls."""
    labels = {
        "efficiency": "Efficiency: distance of the sum of exact values from what is shared out, largest",
        "efficiency_sampled": "The same of sampled values",
        "symmetry": "Symmetry: difference of two like parts, largest",
        "null": "Null player: value of a part that adds nothing, largest",
    }
    for name, label in labels.items():
        findings.estimate(f"axiom_{name}", Estimate.exact(worst[name]), label)
    slopes = [float(np.polyfit(np.log(draws), np.log(one), 1)[0]) for one in errors]
    findings.estimate("slope", mean(slopes), "Slope of log error over log draws, mean over games")
    table = {"draws": list(draws), "error": np.sqrt(np.mean(np.square(errors), 0)).tolist()}
    findings.table("sampling", pl.DataFrame(table), "Root mean square error of sampled Shapley values, by draws.")


def noise(findings: Findings, arm: str, scores: Any, crossed: list[list[int]]) -> None:
    """The controls of one chooser: shares of noise in each order of options, mean attributions, the gap between orders."""
    tables = worths(scores)
    if max(float(np.ptp(table)) for table in tables.values()) < 1e-12:
        findings.note(f"Nothing that {arm} is told changes what it chooses: there is nothing to attribute.")
        return
    for condition, found in token_noise(tables, NOISE, crossed).items():
        at = f"{arm}, {condition}"
        findings.estimate("noise_share", found["noise share"], "Share of attribution that noise gets", arm=at, unit="%")
        findings.estimate("loo_share", found["leave one out"], "The same by leaving one out", arm=at, unit="%")
        findings.estimate("residual", found["residual"], "What Shapley values do not share out", arm=at)
        findings.estimate("left_over", found["left over"], "What leaving one out does not share out", arm=at)
    sizes = mean_values(np.abs(shapley_values(tables[BOTH])), PARTS, crossed)
    for part in PARTS:
        findings.estimate(f"size_{part}", sizes[part], f"Mean size of the attribution of {part}", arm=f"{arm}, {BOTH}")
    gap = mean_values((tables[OTHER_FIRST] - tables[TRAIN_FIRST])[:, -1:], ["gap"], crossed)["gap"]
    findings.estimate("order_gap", gap, "P(Swissmetro) where it is listed first, minus listed second", arm=arm)


def tabulated(findings: Findings, scores: Mapping[str, Any], crossed: list[list[int]]) -> None:
    """All attributions: the mean and the mean size of each part, by chooser and condition."""
    rows = []
    for arm, one in scores.items():
        for condition, table in worths(one).items():
            values = shapley_values(table)
            means, sizes = mean_values(values, PARTS, crossed), mean_values(np.abs(values), PARTS, crossed)
            for part in PARTS:
                row = {"chooser": arm, "condition": condition, "part": part, "mean": means[part].value}
                rows.append(row | {"low": means[part].low, "high": means[part].high, "size": sizes[part].value})
    caption = "Mean attribution of each part to P(Swissmetro), or to its log-odds, with intervals; and its mean size."
    findings.table("attributions", pl.DataFrame(rows), caption)


def known(findings: Findings, scores: Mapping[str, Any], design: Design) -> None:
    """Coded policies: attributions beside what follows from their law; and two other ways to attribute."""
    adds, constant = policies.effects(design.pairs()), -policies.people().coefficient("train")
    price = INFORMATIVE.index("price")
    odds, shares = (shapley_values(worths(scores[LOGIT])[name]) for name in (ODDS, BOTH))
    wrong = float(np.abs(odds[:, price] - adds[:, price]).max())
    exact = policies.analytic(adds, constant)
    wrong_shares = float(np.abs(shares[:, : len(INFORMATIVE)] - exact).max())
    n, what = len(adds), "largest distance over prompts"
    findings.estimate("price_error", Estimate.exact(wrong, n, what), "Price: attribution to log-odds minus β Δ, largest")
    findings.estimate("share_error", Estimate.exact(wrong_shares, n, what), "Attribution to P minus closed form, largest")
    biased = shapley_values(worths(scores[BIASED])[ODDS])
    planted = float(np.abs(biased[:, len(INFORMATIVE) :] - np.array([FORM, COLOUR])).max())
    findings.estimate("planted_error", Estimate.exact(planted, n, what), "Planted noise: attribution minus planted, largest")
    first = np.abs(worths(scores[BIASED])[ODDS] - log_odds(scores[BIASED], 1, [1]) + FIRST).max()
    findings.estimate("first_error", Estimate.exact(float(first), n, what), "Planted taste for the first, not recovered")
    p = 1 / (1 + np.exp(-(constant + adds.sum(1))))
    slopes = np.concatenate([adds * (p * (1 - p))[:, None], np.zeros((n, 2))], 1)
    gradient = noise_share(slopes, NOISE, design.crossed)
    findings.estimate("gradient_share", gradient, "Noise share of gradient × input", arm=LOGIT, unit="%")
    random = np.random.default_rng(0).normal(size=(n, len(PARTS)))
    chance = noise_share(random, NOISE, design.crossed)
    findings.estimate("random_share", chance, "Noise share of random attributions", unit="%")


def beside_people(findings: Findings, arm: str, scores: Any, design: Design) -> None:
    """What price, time and wait are to a chooser and to people: shares among the three, and agreement prompt by prompt."""
    human = policies.analytic(policies.effects(design.pairs()), -policies.people().coefficient("train"))
    values = shapley_values(worths(scores)[BOTH])[:, : len(INFORMATIVE)]
    drawn = np.stack(
        [
            np.abs(policies.analytic(one, -policies.people().coefficient("train"))).sum(0)
            for one in policies.drawn_effects(design.pairs(), DRAWS)
        ]
    )
    drawn = drawn / drawn.sum(1, keepdims=True)
    for i, part in enumerate(INFORMATIVE):
        others = [j != i for j in range(len(INFORMATIVE))]
        at = Estimate(
            float(np.abs(human[:, i]).sum() / np.abs(human).sum()),
            float(np.quantile(drawn[:, i], 0.025)),
            float(np.quantile(drawn[:, i], 0.975)),
            policies.people().n,
            "share of |φ|, coefficients drawn from their distribution (robust to persons)",
        )
        if arm == LOGIT:
            findings.estimate("importance", at, f"People's logit: share of {part}", arm=f"people, {part}", unit="%")
            continue
        share = noise_share(values, [not other for other in others], design.crossed)
        people = Reported(f"{at.value:.0%}", "logit of Swissmetro's choices", at.value)
        findings.estimate(
            "importance", share, f"Share of {part} among price, time and wait", arm=f"{arm}, {part}", unit="%", human=people
        )
        together = _correlation(values[:, i], human[:, i], design.crossed)
        findings.estimate("agreement", together, f"Correlation with people's attribution of {part}", arm=f"{arm}, {part}")


def _correlation(one: Array, other: Array, crossed: list[list[int]]) -> Estimate:
    """Pearson's correlation over prompts, with the bootstrap of crossed levels."""
    rng, n = np.random.default_rng(0), len(one)
    places = [np.unique(levels, return_inverse=True)[1] for levels in crossed]

    def weighted(w: Array) -> float:
        a, b = one - np.average(one, weights=w), other - np.average(other, weights=w)
        below = np.sqrt((w * a * a).sum() * (w * b * b).sum())
        return float((w * a * b).sum() / below) if below > 1e-15 else np.nan

    drawn = []
    for _ in range(DRAWS // 2):
        w = np.ones(n)
        for place in places:
            many = int(place.max()) + 1
            w = w * rng.multinomial(many, np.full(many, 1 / many))[place]
        if w.sum() > 0 and not np.isnan(found := weighted(w)):
            drawn.append(found)
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
    return Estimate(weighted(np.ones(n)), float(low), float(high), n, "Pearson's r, percentile bootstrap of levels")


def rewording(findings: Findings, arm: str, deleted: Any, neutral: Any, crossed: list[list[int]]) -> None:
    """The same prompts with absent parts deleted, and replaced by words that say nothing."""
    tables = {"deleted": worths(deleted)[BOTH], "neutral words": worths(neutral)[BOTH]}
    for condition, found in token_noise(tables, NOISE, crossed).items():
        label = f"Noise share where absent parts are {condition}, same prompts"
        findings.estimate("reworded_share", found["noise share"], label, arm=f"{arm}, {condition}", unit="%")
    values = [shapley_values(table).ravel() for table in tables.values()]
    found = _correlation(values[0], values[1], [np.repeat(levels, len(PARTS)).tolist() for levels in crossed])
    findings.estimate("reworded_agreement", found, "Correlation of attributions, deleted with neutral words", arm=arm)


def framing(findings: Findings, arm: str, scores: Any) -> None:
    """The framing gap and what carries it, story by story."""
    for condition, orders in (("both orders", None), ("sure option first", [0]), ("gamble first", [1])):
        table, at = chances(scores, orders)[..., 1], f"{arm}, {condition}"
        values = shapley_values(table)
        gap = mean(table[:, -1] - table[:, 0])
        findings.estimate("frame_gap", gap, "P(gamble | loss) - P(gamble | gain)", arm=at, human=HUMAN_GAP)
        by_noise = mean(values[:, list(FRAME_NOISE)].sum(1))
        findings.estimate("frame_by_noise", by_noise, "Of that, by words without meaning", arm=at)
        try:
            share = noise_share(values, FRAME_NOISE)
        except DataError:
            continue
        findings.estimate("frame_noise_share", share, "Their share of attribution", arm=at, unit="%")


def pictures(findings: Findings, arms: Sequence[str]) -> None:
    """Sizes of attributions part by part, and the falling error of sampling."""
    figure, (left, right) = canvas(7.5, 3.6, columns=2)
    width = 0.8 / len(arms)
    for i, arm in enumerate(arms):
        found = [findings.get(f"size_{part}", f"{arm}, {BOTH}") for part in PARTS]
        total = sum(one.value for one in found)
        at = np.arange(len(PARTS)) + (i - (len(arms) - 1) / 2) * width
        spread = [[one.value - one.low for one in found], [one.high - one.value for one in found]]
        left.bar(at, [one.value / total for one in found], width, color=SERIES[i], label=arm)
        left.errorbar(at, [one.value / total for one in found], np.array(spread) / total, fmt="none", color="#777777", lw=1)
    left.set_xticks(range(len(PARTS)), PARTS)
    left.set_ylabel("share of attribution")
    left.legend(fontsize=9)
    table = findings.tables["sampling"].frame
    draws, errors = table["draws"].to_numpy(), table["error"].to_numpy()
    right.plot(draws, errors, "o-", color=SERIES[0])
    right.plot(draws, errors[0] * np.sqrt(draws[0] / draws), "--", color="#777777", lw=1)
    right.set_xscale("log", base=2)
    right.set_yscale("log", base=2)
    right.xaxis.set_major_formatter("{x:g}")
    right.yaxis.set_major_formatter("{x:g}")
    right.set_xlabel("pairs of orders drawn")
    right.set_ylabel("root mean square error")
    findings.figure(
        "attribution",
        figure,
        "Left: share of each part in all attribution, over all prompts and both orders of options; form and colour say "
        "nothing. Lines: intervals of the sizes. Right: error of sampled values; dashed: as the root of draws.",
    )
