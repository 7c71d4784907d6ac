"""Simulated cascades beside the 198 real ones: distances between their distributions, and what these can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import DataError
from ethogram.measures import Estimate, mean_difference, permutation_test
from ethogram.measures.cascades import Cascade, distance, gap
from ethogram.records.reference import cascades
from ethogram.seeds import generator
from ethogram.studies import Findings, Verdict, fails, holds, not_tested
from ethogram.studies.drawing import SERIES, canvas

if TYPE_CHECKING:
    import polars as pl

__all__ = ["beside_reality", "like_real"]

COMPARED = {
    "size": "Users reached",
    "depth": "Depth",
    "mean_share": "Mean time of those reached, as a share of the last one's",
    "median_share": "Median time of those reached, as a share of the last one's",
}
"""What both have. Times are shares of the whole, as one is in simulated rounds and the other in an unstated unit."""
DRAWS = 999


def beside_reality(findings: Findings, simulated: Sequence[Cascade], what: str, seed: int) -> None:
    """Add distances between simulated and real cascades, with what chance alone gives, and true against false ones.

    Where the real ones are not there, a note says so, and the claims that need them are not tested.
    """
    try:
        frame = cascades()
    except DataError as error:
        findings.note(f"Not held beside real cascades: {error}.")
        return
    ours, real = _columns(simulated), _real(frame)
    for name, label in COMPARED.items():
        if len(ours[name]) < 2:
            continue
        findings.estimate(
            f"real_distance_{name}",
            distance(ours[name], real[name], seed=seed),
            f"{label}: distance of the distributions, simulated and real",
        )
        findings.estimate(
            f"real_floor_{name}",
            _floor(real[name], len(ours[name]), seed),
            f"{label}: distance of two samples of the real ones, of the same sizes",
        )
    _true_and_false(findings, frame)
    _picture(findings, ours, real, what)
    findings.note(
        f"{len(simulated)} simulated cascades ({what}) beside {frame.height} real ones (Twitter15/16 as OASIS released "
        "them; two with times below zero are left out of times). The real ones are a selection: all reached 108 to 829 "
        "users, and who they were, what was said and who had it from whom is not in the data. So breadth cannot be "
        "compared, size is set by how many people are simulated and by what was selected, and times only as shares of "
        "the whole. A small distance would not show that the mechanism is right; a large one shows that this shape is "
        "not what was observed."
    )


def _columns(simulated: Sequence[Cascade]) -> dict[str, NDArray[np.float64]]:
    timed = [c for c in simulated if c.size > 1 and c.max_time > 0]
    return {
        "size": np.array([c.size for c in simulated], float),
        "depth": np.array([c.depth for c in simulated], float),
        "mean_share": np.array([c.mean_time / c.max_time for c in timed]),
        "median_share": np.array([c.median_time / c.max_time for c in timed]),
    }


def _real(frame: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    import polars as pl

    timed = frame.filter((pl.col("max_time") > 0) & (pl.col("mean_time") > 0))
    return {
        "size": frame["num_users"].to_numpy().astype(float),
        "depth": frame["max_depth"].to_numpy().astype(float),
        "mean_share": (timed["mean_time"] / timed["max_time"]).to_numpy(),
        "median_share": (timed["median_time"] / timed["max_time"]).to_numpy(),
    }


def _floor(real: NDArray[np.float64], n: int, seed: int) -> Estimate:
    """The distance between n and all of the real ones, drawn from one distribution: its mean, and where 95 % of it lies."""
    rng = generator(seed, "floor")
    drawn = [gap(rng.choice(real, n), rng.choice(real, len(real))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(np.mean(drawn)), float(low), float(high), n, f"two samples of the real ones, {DRAWS} times")


def _true_and_false(findings: Findings, frame: pl.DataFrame) -> None:
    """Do false news go further? In this selection."""
    import polars as pl

    timed = frame.filter((pl.col("max_time") > 0) & (pl.col("mean_time") > 0))
    for name, label, table in (
        ("num_users", "Users reached", frame),
        ("max_depth", "Depth", frame),
        ("median_time", "Median time of those reached, in the data's own unit", timed),
    ):
        parts = [table.filter(pl.col("label") == kind)[name].to_numpy().astype(float) for kind in (False, True)]
        p = permutation_test(parts[0], parts[1]).p
        words = f"{label}: real false cascades minus true ones (permutation p = {p:.3f})"
        findings.estimate(f"false_minus_true_{name}", mean_difference(parts[0], parts[1]), words)
        findings.estimate(f"false_true_distance_{name}", distance(parts[0], parts[1]), f"{label}: distance, false and true")


def _picture(
    findings: Findings, ours: dict[str, NDArray[np.float64]], real: dict[str, NDArray[np.float64]], what: str
) -> None:
    figure, axes = canvas(height=3.2, columns=3)
    for axis, (name, label) in zip(
        axes, (("size", "users reached"), ("depth", "depth"), ("median_share", "median time / last time")), strict=True
    ):
        for k, (values, words) in enumerate(((real[name], "real"), (ours[name], "simulated"))):
            ordered = np.sort(values)
            axis.step(ordered, np.arange(1, len(ordered) + 1) / max(1, len(ordered)), color=SERIES[k], label=words)
        axis.set_xlabel(label)
        axis.set_ylim(0, 1.02)
    axes[0].set_xscale("log")
    axes[0].set_ylabel("share of cascades at or below")
    axes[-1].legend(loc="lower right")
    caption = (
        f"Distribution functions of real cascades and of simulated ones ({what}): size, depth, and when half are reached."
    )
    findings.figure("real-cascades", figure, caption)


def like_real(findings: Findings, names: Sequence[str]) -> Verdict:
    """Holds where no distance is larger than what two samples of the real ones show."""
    found = [(name, findings.get(f"real_distance_{name}"), findings.get(f"real_floor_{name}")) for name in names]
    said = "; ".join(f"{name}: {d}, where chance gives up to {floor.high:.2f}" for name, d, floor in found)
    if any(not d.bounded for _, d, _ in found):
        return not_tested(said)
    return holds(said) if all(d.value <= floor.high for _, d, floor in found) else fails(said)
