"""`twin-2k-500`: how its figures become findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import Estimate, mean, proportion
from ethogram.studies import Findings, Reported
from ethogram.studies.people import _twin_2k_500_bfi as left_out
from ethogram.studies.people import _twin_2k_500_experiments as experiments
from ethogram.studies.people import _twin_2k_500_mega as mega
from ethogram.studies.people._twin_2k_500_bfi import People, estimated

__all__ = ["tell_experiments", "tell_guesses", "tell_mega", "tell_model_effects", "who"]

Array = NDArray[np.float64]
FIGURE_2 = "Toubia et al. 2025, figure 2, as quoted by others"
OWN = "the project's catalogue, measured apart from this code on another draw of people"
REFERENCE = {
    ("accuracy", "random"): 0.616,
    ("accuracy", "item mean"): 0.768,
    ("accuracy", "ridge"): 0.823,
    ("mean_r", "ridge"): 0.569,
}
"""What was measured apart from this code on the same data, with other people held out."""


def who(name: str, persona: str) -> str:
    """The arm of a model with a persona."""
    return f"{name}, {persona} persona"


def tell_experiments(findings: Findings, found: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]) -> None:
    """How often planted effects lie in their intervals, and how often an effect is found.

    Args:
        findings: added to.
        found: by coded respondent, a list of contrasts a seed (`experiments.measured`).
    """
    import polars as pl

    rows = []
    for kind, seeds in found.items():
        covered = seen = count = 0
        for place, experiment in enumerate(experiments.EXPERIMENTS):
            true = experiments.truth(experiment, kind)
            estimates = [Estimate.read(seed[place]["difference"]) for seed in seeds]
            within = sum(e.low <= true.difference <= e.high for e in estimates)
            right = {"classic": lambda e: e.above, "reversed": lambda e: e.below, "none": lambda e: e.above or e.below}[kind]
            clear = sum(right(e) for e in estimates)
            covered, seen, count = covered + within, seen + clear, count + len(estimates)
            found_d = [seed[place]["d"]["value"] for seed in seeds if seed[place]["d"]]
            if not found_d:  # too few respondents, or all answered alike
                continue
            d = mean(found_d)
            rows.append(
                {
                    **{"contrast": experiment.name, "respondents": kind, "planted_d": true.d, "found_d": d.value},
                    **{"low": d.low, "high": d.high, "covered": within, "found": clear, "seeds": len(estimates)},
                }
            )
        findings.estimate(
            "covered", proportion(covered, count), "Planted effects that lie in their 95 % intervals", arm=kind, unit="%"
        )
        what = "Contrasts where an effect is found that is not there" if kind == "none" else "Planted effects that are found"
        findings.estimate("found", proportion(seen, count), what, arm=kind, unit="%")
    findings.estimate(
        "experiments",
        Estimate.exact(len({e.instrument for e in experiments.EXPERIMENTS})),
        "Between-subject experiments that were run from questionnaire to effect",
    )
    caption = "Coded respondents: the effect (Cohen's d) that was put in, and what was found (mean of seeds, t interval)."
    findings.table("experiments", pl.DataFrame(rows), caption)


def tell_model_effects(findings: Findings, name: str, found: Sequence[Mapping[str, Any]]) -> None:
    """The effects of a language model without a persona, contrast by contrast."""
    import polars as pl

    rows = []
    for one in found:
        if one["d"] is None:
            continue
        d = Estimate.read(one["d"])
        rows.append({"contrast": one["name"], "d": d.value, "low": d.low, "high": d.high, "n": d.n})
    if not rows:
        findings.note(f"{name} gave too few or too uniform answers in the experiments for an effect.")
        return
    kinds = [row["low"] > 0 for row in rows], [row["high"] < 0 for row in rows]
    for key, clear, label in zip(
        ("as_people", "against_people"), kinds, ("as people have", "against people's"), strict=True
    ):
        findings.estimate(
            key,
            proportion(sum(clear), len(clear)),
            f"Experiments with a clear effect {label} it in the literature",
            arm=name,
        )
    caption = f"{name}, without a persona, in the experiments whose answers are options: Cohen's d, positive as in people."
    findings.table("model_effects", pl.DataFrame(rows), caption)


def tell_guesses(
    findings: Findings, known: People, guesses: Mapping[str, Array], resamples: int, seed: int, where: str = ""
) -> dict[str, dict[str, Array]]:
    """Accuracy and individual correlation of guesses, over the answers that all of them are about.

    Args:
        findings: added to.
        known: the people.
        guesses: by method, shape (held out, 25); NaN where there is none.
        resamples: of the bootstrap over people.
        seed: of it.
        where: goes to the arms' names, where the answers are a part of all.

    Returns:
        The bootstraps (`left_out.ratio`), for differences.
    """
    true = known.answers[known.held]
    there = np.all([np.isfinite(guess) for guess in guesses.values()], 0)
    rows = there.any(1)
    true, there = true[rows], there[rows]
    shown = {name: np.where(there, guess[rows], np.nan) for name, guess in guesses.items()}
    drawn = left_out.ratio(shown, true, resamples, seed)
    count, n = int(there.sum()), int(rows.sum())
    for name, draws in drawn.items():
        arm, paper = f"{name}{where}", REFERENCE.get(("accuracy", name)) if not where else None
        findings.estimate(
            "accuracy",
            estimated(draws["accuracy"], n, f"{count} answers; "),
            "Accuracy, 1 - |guess - answer| / range",
            arm=arm,
            unit="%",
            human=Reported(f"{paper:.1%}", OWN, paper) if paper else None,
        )
        findings.estimate(
            "correlation",
            estimated(draws["correlation"], n, f"{count} answers; "),
            "Individual correlation, beyond the items' means",
            arm=arm,
        )
    return drawn


def tell_difference(
    findings: Findings, drawn: Mapping[str, Mapping[str, Array]], key: str, one: str, other: str, n: int
) -> None:
    """How much higher the individual correlation of one is than that of another, on the same answers."""
    findings.estimate(
        key,
        estimated(drawn[one]["correlation"] - drawn[other]["correlation"], n, "paired; "),
        f"Individual correlation of {one}, less that of {other}",
        arm=one,
    )


def tell_mean_r(findings: Findings, known: People, guess: Array, name: str) -> None:
    """Pearson's r item by item, the mean over items: what the catalogue has beside the accuracy."""
    true = known.answers[known.held]
    found = [float(np.corrcoef(guess[:, i], true[:, i])[0, 1]) for i in range(guess.shape[1])]
    value = REFERENCE["mean_r", "ridge"]
    findings.estimate(
        "mean_r",
        mean(found),
        "Correlation within items, mean over items",
        arm=name,
        human=Reported(f"{value:.3f}", OWN, value),
    )


def tell_mega(findings: Findings, data: mega.Mega, resamples: int, seed: int) -> dict[str, tuple[Estimate, Estimate]]:
    """The recorded twins beside their people; returns the contrasts within people and twins."""
    import polars as pl

    found = mega.studies(data, seed)
    for name, label in (
        ("twins", "Accuracy of the recorded twins"),
        ("random", "Accuracy of a random answer"),
        ("item mean", "Accuracy of the items' means among people"),
        ("dealt to others", "Accuracy of twins dealt to other people"),
    ):
        paper = Reported("71.7 %", FIGURE_2, 0.7172) if name == "twins" else None
        findings.estimate(
            "mega_accuracy", mega.by_study(found, name), f"{label}, mean over studies", arm=name, unit="%", paper=paper
        )
        if name != "twins":
            label = f"Accuracy of the twins, less that of: {name}; mean over studies"
            findings.estimate("mega_gain", mega.by_study(found, "twins", name), label, arm=name, unit="%")
    one = mega.whole(data, resamples, seed)["individual correlation"]
    findings.estimate("mega_correlation", one.value, "Individual correlation of twins and people, beyond the items' means")
    floor = Estimate((one.low + one.high) / 2, one.low, one.high, one.value.n, "twins dealt to other people, 100 times")
    findings.estimate("mega_correlation", floor, "Individual correlation of twins dealt to others", arm="dealt to others")
    label = "Correlation of the items' means, twins with people, over items"
    findings.estimate("mega_means", mega.of_means(data, resamples, seed), label)
    rows = [{"study": study, **values} for study, values in found.items()]
    findings.table("mega", pl.DataFrame(rows), "Accuracy by study: recorded twins, and what they are held beside.")
    contrasts = mega.contrasts(data, resamples, seed)
    labels = {
        "same sign": "People's clear contrasts in which the twins' has the same sign",
        "slope": "Slope of the twins' contrasts on people's",
        "exaggerated": "Contrasts that are larger among twins than among people",
    }
    if len(contrasts) >= 3:
        for name, value in mega.of_contrasts(contrasts, resamples, seed).items():
            unit = "" if name == "slope" else "%"
            findings.estimate(f"contrasts_{name.replace(' ', '_')}", value, labels[name], unit=unit)
    return contrasts
