"""What the study of Sim2Rec found: estimates, tables, pictures, summary and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.studies import Findings
from ethogram.studies.society._sim2rec_pictures import code_picture, range_picture, test_picture

if TYPE_CHECKING:
    from ethogram.studies.society.sim2rec import Config

__all__ = ["Results", "tell"]


class Results(NamedTuple):
    """What was computed; lists have an entry for each seed."""

    known: list[dict[str, float]]
    """Optimum and best constant item of each group of the range, and of the test group last."""
    codes: list[dict[str, Any]]
    """As `judge_codes` gives them."""
    learned: dict[str, list[dict[str, Any]]]
    """Of each arm."""
    constant: list[float]
    """Engagement of the test users with the best constant item."""


def tell(findings: Findings, config: Config, results: Results) -> None:
    """Add everything to the findings."""
    tests = {arm: [found["test"] for found in each] for arm, each in results.learned.items()}
    tests["constant"] = results.constant
    _test_group(findings, config, results, tests)
    _codes(findings, config, results.codes)
    shares = _range(findings, config, results)
    _sizes(findings, config, results.learned["sim2rec"])
    _show(findings, config, results, shares)
    _words(findings, config, results)


def _test_group(findings: Findings, config: Config, results: Results, tests: dict[str, list[float]]) -> None:
    optimum = results.known[-1]["optimum"]
    what = f"engagement a step in the unseen group of {config.test:g}"
    for arm, values in tests.items():
        findings.estimate("engagement", mean(values), f"Mean {what}", arm=arm)
    method = "dynamic programming with all parameters, all users by quadrature"
    findings.estimate("optimum", Estimate.exact(optimum, method=method), f"The most there is: {what}")
    for arm, values in tests.items():
        findings.estimate("regret", mean(optimum - np.array(values)), f"Optimum minus mean {what}", arm=arm)
        if arm != "sim2rec":
            gap = paired_difference(tests["sim2rec"], values)
            findings.estimate("sim2rec_minus", gap, f"Mean {what}, Sim2Rec minus this arm, paired by seed", arm=arm)
        if arm != "direct":
            share = mean(np.array(values) / np.array(tests["direct"]))
            findings.estimate("of_direct", share, "Share of the engagement of the policy trained there", arm=arm, unit="%")
            gap = paired_difference(tests["direct"], values)
            findings.estimate("direct_minus", gap, f"Mean {what}, direct minus this arm, paired by seed", arm=arm)


def _codes(findings: Findings, config: Config, codes: Sequence[dict[str, Any]]) -> None:
    for part, where in (("between", "between the training groups"), ("beyond", "outside the training groups' range")):
        for arm, key in (("code", f"r2_{part}"), ("mean-signal", f"mean_{part}")):
            if key in codes[0]:
                label = f"R² of choc in unseen groups {where}, by a linear map fitted on the training groups"
                findings.estimate(f"r2_{part}", mean([code[key] for code in codes]), label, arm=arm)
    kl = mean([code["kl"] for code in codes])
    findings.estimate(
        "decoded_kl", kl, "From an unseen group's signals to what its code decodes to, between the groups", unit="nats"
    )
    worst, n = max(code["permuted"] for code in codes), sum(code["permutations"] for code in codes)
    method = "largest of all permutations"
    findings.estimate("permuted", Estimate.exact(worst, n, method), "Largest change of a code when its users are permuted")


def _range(findings: Findings, config: Config, results: Results) -> dict[str, np.ndarray]:
    """Shares of the optimum over the range, (seeds, groups) of each arm; also their means over unseen groups."""
    best = np.array([known["optimum"] for known in results.known[:-1]])
    shares = {arm: np.array([found["range"] for found in each]) / best for arm, each in results.learned.items()}
    low, high = min(config.training), max(config.training)
    groups = np.array(config.range)
    between = (groups > low) & (groups < high) & ~np.isin(groups, config.training)
    for name, where, chosen in (
        ("range_between", "between the training groups", between),
        ("range_beyond", "outside the training groups' range", (groups < low) | (groups > high)),
    ):
        if not chosen.any():
            continue
        means = {arm: share[:, chosen].mean(1) for arm, share in shares.items()}
        for arm, values in means.items():
            label = f"Share of the optimum in unseen groups {where}"
            findings.estimate(name, mean(values), label, arm=arm, unit="%")
        for arm in ("universal", "lstm"):
            gap = paired_difference(means["sim2rec"], means[arm])
            label = f"Share of the optimum in unseen groups {where}, Sim2Rec minus this arm, paired by seed"
            findings.estimate(f"{name}_minus", gap, label, arm=arm)
    return shares


def _sizes(findings: Findings, config: Config, learned: Sequence[dict[str, Any]]) -> None:
    for i, size in enumerate(config.set_sizes):
        label = "Mean engagement a step of Sim2Rec in the test group, by how many users share a code"
        findings.estimate("by_set_size", mean([found["sizes"][i] for found in learned]), label, arm=f"{size} users")


def _show(findings: Findings, config: Config, results: Results, shares: dict[str, np.ndarray]) -> None:
    arms = [*results.learned, "constant"]
    rows = [
        {
            "arm": arm,
            "engagement": findings.get("engagement", arm).value,
            "regret": findings.get("regret", arm).value,
            "of direct": 1.0 if arm == "direct" else findings.get("of_direct", arm).value,
        }
        for arm in arms
    ]
    findings.table("arms", pl.DataFrame(rows), f"Every arm in the unseen group of {config.test:g}, mean over seeds.")
    findings.figure(
        "test-group",
        test_picture({arm: findings.get("engagement", arm) for arm in arms}, findings.get("optimum").value),
        f"Engagement a step in the unseen group of {config.test:g} with 95 % intervals over seeds; the line is the optimum. "
        "The direct policy was trained in this group, the oracle is shown all parameters.",
    )
    findings.figure(
        "range",
        range_picture(config.range, {arm: shares[arm] for arm in shares if arm != "direct"}, config.training),
        "Share of the optimum in groups from one end to the other; ticks mark the training groups. Means over seeds, with "
        "bands of 95 %.",
    )
    sizes = {size: findings.get("by_set_size", f"{size} users") for size in config.set_sizes}
    findings.figure(
        "codes",
        code_picture(results.codes, config.training, sizes),
        "Left: what a linear map, fitted on the training groups, makes of the code of a set of 100 users (one set of each "
        "group and seed). Right: engagement of Sim2Rec in the test group by how many users share a code, with 95 % "
        "intervals over seeds.",
    )


def _words(findings: Findings, config: Config, results: Results) -> None:
    values = {arm: findings.get("engagement", arm).value for arm in (*results.learned, "constant")}
    optimum, r2 = findings.get("optimum").value, findings.get("r2_between", "code").value
    findings.summary = (
        f"In a group that it had not seen, Sim2Rec had {values['sim2rec']:.2f} engagement a step, the same policy without "
        f"the code {values['lstm']:.2f}, the universal one {values['universal']:.2f}; trained there, "
        f"{values['direct']:.2f}; the best constant item brought {values['constant']:.2f}, and the most there is is "
        f"{optimum:.2f} (oracle: {values['oracle']:.2f}). A linear map tells unseen groups from their codes with "
        f"R² = {r2:.3f}."
    )
    findings.note(
        "The users are synthetic: RecSim's model of long-term satisfaction with the parameters of Sim2Rec's repository."
    )
    findings.note(
        "A group's code is made of its users' signals alone, which do not change in a session; the mean signal, which "
        "says all that they hold, is reported beside it."
    )
    findings.note(
        f"Every arm had {config.batches} batches of {config.users * len(config.training) * config.horizon:,} steps and the "
        "same settings. The ride-hailing test of the paper cannot be repeated: its logs are private."
    )
