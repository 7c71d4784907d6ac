"""What `deep-binding` finds: from its parts to estimates, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures import mean, paired_difference, proportion
from ethogram.studies import Findings, Reported
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.people._deep_binding_cells import Cells, cells, estimated, people_alone, real_people
from ethogram.studies.people._deep_binding_people import DEGREES, ITEMS, SIDES, law

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FLOOR", "PEOPLE", "Results", "answered", "compared", "critics", "drawn_by_law", "planted", "stories"]

Array = NDArray[np.float64]
Results = Sequence[Mapping[str, Any]]

PEOPLE, FLOOR = "real people", "real people, resampled"
LAWS = {"none": "law, no persona", "line": "law, line", "story": "law, story"}
DISTANCE = Reported("up to 87 % lower than earlier persona methods", "abstract", 0.87)
CRITIC = Reported("41 to 54 % lower", "third-party notes, not verified", 0.41)


def planted(findings: Findings, results: Results) -> None:
    """Planted pairs: how many are recovered, and whether the assignment outweighs the greedy one."""
    for method in ("assignment", "greedy"):
        right = [one[method]["right"] for one in results]
        findings.estimate("pairs_right", mean(right), "Planted pairs recovered", arm=method, unit="%")
    best, greedy = ([one[method]["weight"] for one in results] for method in ("assignment", "greedy"))
    gain = paired_difference(best, greedy)
    findings.estimate("weight_gain", gain, "Total weight, assignment minus greedy", unit="nats")


def stories(findings: Findings, results: Mapping[str, Results]) -> None:
    """Told stories in each arm: contradictions, and the distance to people once they are matched; a figure of the arms."""
    words = {
        "contradictory": ("Stories that contradict themselves", "%"),
        "contradictions": ("Contradictions in a story", ""),
        "rejected": ("Answers rejected in a story", ""),
        "identity": ("Matched to somebody of the same party identification", "%"),
    }
    for arm, found in results.items():
        for name, (label, unit) in words.items():
            findings.estimate(f"told_{name}", mean([one[name] for one in found]), label, arm=arm, unit=unit)
        findings.estimate("told_distance", mean(_told(found)), "Wasserstein distance of told stories, last year", arm=arm)
    full, bare = ([one["contradictory"] for one in results[arm]] for arm in ("full", "no critic"))
    findings.estimate(
        "critic_spares", paired_difference(bare, full), "Stories that contradict themselves: no critic minus full", unit="%"
    )
    for arm, name in (("no critic", "critic_gain"), ("no matching", "matching_gain"), ("greedy", "assignment_gain")):
        gain = 1 - _told(results["full"]) / _told(results[arm])
        paper = CRITIC if arm == "no critic" else None
        findings.estimate(name, mean(gain), f"Distance, full arm: lower than {arm}", unit="%", paper=paper)
    _arms(findings, results)


def _told(results: Results) -> Array:
    return np.array([float(np.mean(list(one["distance"].values()))) for one in results])


def _arms(findings: Findings, results: Mapping[str, Results]) -> None:
    figure, axes = canvas(columns=2)
    for panel, name, label in (
        (axes[0], "told_contradictory", "stories that contradict themselves"),
        (axes[1], "told_distance", "Wasserstein distance"),
    ):
        found = [findings.get(name, arm) for arm in results]
        errors = [[one.value - one.low for one in found], [one.high - one.value for one in found]]
        panel.bar(range(len(found)), [one.value for one in found], yerr=np.nan_to_num(errors), color=SERIES[0], width=0.6)
        panel.set_xticks(range(len(found)), [arm.replace(" ", "\n") for arm in results])
        panel.set_ylabel(label)
    caption = (
        "Stories told by a surrogate that contradicts itself at a known rate, matched to people of the last year: with all "
        "parts, and without one. Means over seeds with 95 % intervals."
    )
    findings.figure("arms", figure, caption)


def critics(findings: Findings, part: Mapping[str, Sequence[int]]) -> None:
    """How often the coded critic rejects answers with a planted contradiction, and honest ones."""
    for name, kind in (("critic_hits", "contradictory"), ("critic_alarms", "honest")):
        label = "Contradictory answers rejected" if kind == "contradictory" else "Honest answers rejected"
        findings.estimate(name, proportion(part[kind][0], part[kind][1]), label, arm="coded critic", unit="%")


def drawn_by_law(people: pl.DataFrame) -> dict[str, Array]:
    """Ways of answering without a model: uniform, and by the laws of the training years at each depth."""
    rows = list(people.iter_rows(named=True))
    found = {"uniform": np.full((len(rows), len(ITEMS), DEGREES), 1 / DEGREES)}
    for depth, arm in LAWS.items():
        found[arm] = np.array([[law(row, depth, item) for item in ITEMS] for row in rows])
    return found


def answered(findings: Findings, ways: Mapping[str, Array], people: pl.DataFrame, seed: int, draws: int) -> None:
    """Each way of answering beside the people of the tested years: distance, gap, its growth, and effect sizes."""
    import polars as pl

    found = {arm: cells(answers, people, seed, draws) for arm, answers in ways.items()}
    years = found["uniform"].years
    found[FLOOR], real = people_alone(years, seed, draws), real_people(years, seed, draws)
    n, last = people.height, years[-1]
    rows = []
    for arm, came in found.items():
        every = estimated(came.distances(), n, "mean over years, parties and items", recentred=True)
        findings.estimate("distance", every, f"Wasserstein distance, {years[0]} to {last}", arm=arm)
        row: dict[str, Any] = {"answers": arm, "distance": round(every.value, 4)}
        for side in SIDES:
            one = estimated(came.distances(last, side), n, "mean over items", recentred=True)
            findings.estimate(f"distance_{side.lower()}", one, f"Wasserstein distance, {side}s {last}", arm=arm)
            row[f"{side}s {last}"] = round(one.value, 4)
        finer = (
            people_alone(years, seed, draws, "identity")
            if arm == FLOOR
            else cells(ways[arm], people, seed, draws, "identity")
        )
        one = estimated(finer.distances(), n, "mean over years, identifications and items", recentred=True)
        findings.estimate("distance_finer", one, f"Wasserstein distance by identification, {years[0]} to {last}", arm=arm)
        rows.append(row | {"by identification": round(one.value, 4)})
    findings.table("distances", pl.DataFrame(rows), "Wasserstein-1 distance to people, as a share of the thermometer.")
    for arm, came in {**{a: c for a, c in found.items() if a not in ("uniform", FLOOR)}, PEOPLE: real}.items():
        _gaps(findings, arm, came, n)
    for arm, came in found.items():
        if arm not in ("uniform", FLOOR):
            error = np.abs(came.effects(last) - real.effects(last)).mean(1)
            findings.estimate(
                "effect_error", estimated(error, n, "mean over parties"), f"Error of Cohen's d, {last}", arm=arm
            )
    _pictures(findings, found, real)


def _gaps(findings: Findings, arm: str, came: Cells, n: int) -> None:
    """The gap of each year and party, its growth, and Cohen's d in the last year."""
    gaps = came.gaps()
    for i, year in enumerate(came.years):
        for j, side in enumerate(SIDES):
            gap = estimated(gaps[:, i, j], n, "own minus other party")
            findings.estimate(f"gap_{side.lower()}_{year}", gap, f"Gap of {side}s, {year}", arm=arm, unit="degrees")
    growth = estimated(came.growth(), n, "least squares on the year")
    findings.estimate("growth", growth, "Growth of the gap in the tested years", arm=arm, unit="degrees a year")
    for j, side in enumerate(SIDES):
        d = estimated(came.effects(came.years[-1])[:, j], n, "gap over the root of the mean variance")
        findings.estimate(f"effect_{side.lower()}", d, f"Cohen's d of {side}s, {came.years[-1]}", arm=arm)


def compared(findings: Findings, ways: Mapping[str, Array], way: str, people: pl.DataFrame, seed: int, draws: int) -> None:
    """What was learned on stories beside what was learned on less: differences on the same resamples.

    Args:
        findings: to be added to.
        ways: answers by arm.
        way: `tuned` or `head`.
        people: who is simulated.
        seed: of the resamples.
        draws: how many.
    """
    deep = cells(ways[f"{way}, story"], people, seed, draws)
    real = real_people(deep.years, seed, draws)
    n, last = people.height, deep.years[-1]

    def error(one: Cells) -> Array:
        return np.abs(one.effects(last) - real.effects(last)).mean(1)

    for depth in ("none", "line"):
        arm = f"{way}, {depth}"
        other = cells(ways[arm], people, seed, draws)
        gain = estimated(other.distances() - deep.distances(), n, "difference on the same resamples", recentred=True)
        label = "Distance, this arm minus with a story"
        findings.estimate("gain", gain, label, arm=arm)
        lower = estimated(1 - deep.distances() / other.distances(), n, "1 - story / this persona", recentred=True)
        paper = DISTANCE if depth == "line" else None
        findings.estimate("lower", lower, "Distance with a story: lower than this arm", arm=arm, unit="%", paper=paper)
        parts = (cells(ways[one], people, seed, draws, "identity").distances() for one in (arm, f"{way}, story"))
        finer = estimated(-np.diff(np.stack(list(parts)), axis=0)[0], n, "difference on the same resamples", recentred=True)
        findings.estimate("gain_finer", finer, "The same by party identification", arm=arm)
        closer = estimated(error(other) - error(deep), n, "difference on the same resamples")
        findings.estimate("effect_gain", closer, "Error of Cohen's d, this arm minus with a story", arm=arm)


def _pictures(findings: Findings, found: Mapping[str, Cells], real: Cells) -> None:
    figure, (axes,) = canvas(height=0.8 + 0.34 * len(found))
    order = sorted(found, key=lambda arm: -findings.get("distance", arm).value)
    for k, arm in enumerate(order):
        one = findings.get("distance", arm)
        colour = SERIES[0] if arm.startswith(("tuned", "head")) else SERIES[2] if arm == FLOOR else SERIES[5]
        axes.barh(k, one.value, xerr=[[one.value - one.low], [one.high - one.value]], color=colour, height=0.6)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("Wasserstein distance, as a share of the thermometer")
    axes.grid(axis="y", visible=False)
    years = real.years
    caption = (
        f"How far answers are from those of real people, {years[0]} to {years[-1]}: mean over years, parties and both "
        f"thermometers, with 95 % intervals. All that is learned was learned from the years before. '{FLOOR}': as many "
        "people again as were asked, drawn from those."
    )
    findings.figure("distances", figure, caption)
    figure, axes2 = canvas(columns=2)
    shown = [arm for arm in ("tuned, story", "head, story", "head, line", "law, story") if arm in found]
    for j, (side, panel) in enumerate(zip(SIDES, axes2, strict=True)):
        for k, (arm, came) in enumerate({PEOPLE: real, **{arm: found[arm] for arm in shown}}.items()):
            gap = came.gaps()[:, :, j]
            low, high = np.quantile(gap[1:], [0.025, 0.975], axis=0)
            panel.plot(years, gap[0], marker="o", markersize=4, color=SERIES[k], label=arm)
            panel.fill_between(years, low, high, color=SERIES[k], alpha=0.15, linewidth=0)
        panel.set_title(f"{side}s", fontsize=11)
        panel.set_xticks(years)
        panel.set_ylabel("own minus other party, degrees")
        panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]))
    axes2[1].legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    caption = (
        "How much warmer partisans feel about their own party than about the other, with 95 % intervals: people, and what "
        "was learned from the years before."
    )
    findings.figure("gaps", figure, caption)
