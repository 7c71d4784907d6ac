"""Findings of `lbm-eval`: estimates, tables and pictures from what was simulated and rolled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ethogram.measures import (
    Estimate,
    barnard_region,
    compare_successes,
    hierarchical_difference,
    hierarchical_mean,
    mean,
    proportion,
    sequential_test,
    step_region,
    step_stops,
    step_test,
)
from ethogram.studies import Findings
from ethogram.studies._plots import posterior_violins
from ethogram.studies.drawing import SERIES, canvas
from ethogram.studies.imitation._lbm_eval_statistics import ALPHA, RULES, exact_rate

Found = Mapping[tuple[int, int, str, int], Mapping[str, Sequence[float]]]
"""Results of rollouts by (demonstrations of each pretraining task, demonstrations of the target, task, seed)."""


def report_tests(
    findings: Findings,
    n: int,
    longest: int,
    errors: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    power: Mapping[str, Any],
    stopped: Mapping[str, Any],
    reached: float,
    fixed: int,
    wrong: Estimate,
) -> None:
    """What came of the simulations of the tests."""
    import polars as pl

    rows = []
    for item, dumped in errors:
        rule, rate = RULES[item["rule"]], Estimate.read(dict(dumped))
        label = f"share of experiments that call two policies of success rate {item['p']:g} different"
        findings.estimate(f"false_alarms_{100 * item['p']:.0f}", rate, label, arm=item["rule"])
        row = {"rule": rule.words, "promise": rule.kind, "rate of both": item["p"]}
        rows.append({**row, "false alarms": rate.value, "low": rate.low, "high": rate.high, "experiments": rate.n})
    caption = f"How often each rule calls equal policies different, at {n} rollouts a policy and α = {ALPHA}."
    findings.table("false_alarms", pl.DataFrame(rows), caption)
    rejected, rates = barnard_region(n, n, ALPHA), np.linspace(0.01, 0.99, 99)
    highest = max(exact_rate(rejected, p, p) for p in rates)
    findings.estimate(
        "barnard_size", Estimate.exact(highest, 99, "computed"), "highest false-alarm rate of Barnard's test, exact"
    )
    highest = max(float(step_stops(step_region(n, ALPHA), p, p).sum()) for p in rates)
    findings.estimate(
        "step_size", Estimate.exact(highest, 99, "computed"), f"highest false-alarm rate of STEP by {n}, exact"
    )
    at = power["gap"].index(0.3)
    findings.estimate("pairs_used", Estimate.read(power["pairs"][at]), "pairs the e-value used at a gap of 30 points")
    for name, computed, words in (
        ("step_power", stopped["power"][at], f"power of STEP at that gap, with at most {n} pairs, exact"),
        ("step_pairs", stopped["pairs"][at], f"pairs that STEP used there, of at most {n}, exact"),
    ):
        findings.estimate(name, Estimate.exact(computed, 1, "computed"), words)
    findings.estimate("e_power", Estimate.read(power["e"][at]), f"power of the e-value there, with at most {n} pairs")
    findings.estimate("e_pairs", Estimate.read(stopped["e_pairs"][at]), f"pairs that the e-value used there, of at most {n}")
    words = f"rollouts a policy that Barnard's test needs for a power of {reached:.2f} at that gap"
    findings.estimate("fixed_number", Estimate.exact(fixed, 1, "computed"), words)
    findings.estimate("wrong_displays", wrong, "letter displays that differ from brute force")
    _power_figure(findings, n, longest, power, stopped)


def _power_figure(findings: Findings, n: int, longest: int, power: Mapping[str, Any], stopped: Mapping[str, Any]) -> None:
    import polars as pl

    e, late, used = ([Estimate.read(x) for x in power[key]] for key in ("e", "e_longest", "pairs"))
    columns = {
        "gap": power["gap"],
        f"Barnard at {n}": power["barnard"],
        f"STEP by {n}": stopped["power"],
        f"e-value by {n}": [x.value for x in e],
        f"e-value by {longest}": [x.value for x in late],
        f"pairs STEP used, of {n}": stopped["pairs"],
        f"pairs the e-value used, of {n}": [Estimate.read(x).value for x in stopped["e_pairs"]],
        f"pairs the e-value used, of {longest}": [x.value for x in used],
    }
    caption = (
        "Power at success rates around one half: Barnard's test and STEP exactly, the e-value over simulated experiments."
    )
    findings.table("power", pl.DataFrame(columns), caption)
    figure, (left, right) = canvas(columns=2)
    left.plot(power["gap"], power["barnard"], color=SERIES[0], label=f"Barnard at {n}")
    left.plot(power["gap"], stopped["power"], color=SERIES[2], label=f"STEP by {n}")
    for found, colour, style, label in (
        (e, SERIES[1], "-", f"e-value by {n}"),
        (late, SERIES[1], "--", f"e-value by {longest}"),
    ):
        left.plot(power["gap"], [x.value for x in found], style, color=colour, label=label)
    left.axhline(ALPHA, color="#888888", linewidth=1)
    left.set(xlabel="gap between success rates", ylabel="share of experiments that reject", ylim=(0, 1.02))
    left.legend()
    right.plot(power["gap"], [x.value for x in used], "--", color=SERIES[1])
    right.plot(power["gap"], [Estimate.read(x).value for x in stopped["e_pairs"]], color=SERIES[1])
    right.plot(power["gap"], stopped["pairs"], color=SERIES[2])
    right.axhline(n, color=SERIES[0], linewidth=1)
    right.set(xlabel="gap between success rates", ylabel="pairs of rollouts used", ylim=(0, None))
    findings.figure(
        "power",
        figure,
        "Left: how often each test finds a gap (grey: α). Right: pairs that each used on average, in the same colours.",
    )


def report_policies(
    findings: Findings,
    targets: Sequence[str],
    seeds: Sequence[int],
    cells: Sequence[tuple[int, int]],
    sizes: Sequence[int],
    reference: int,
    every: int,
    found: Found,
) -> None:
    """What came of the rollouts."""
    import polars as pl

    def per_seed(each: int, n: int, key: str = "success") -> list[list[float]]:
        return [[x for task in targets for x in found[each, n, task, seed][key]] for seed in seeds]

    rows = []
    for each, n in cells:
        arm, shares = named(each, n, every), {}
        success = findings.estimate("success", hierarchical_mean(per_seed(each, n)), "success rate over tasks", arm=arm)
        label = "task completion over tasks, from 0 to 1"
        findings.estimate("completion", hierarchical_mean(per_seed(each, n, "completion")), label, arm=arm)
        for task in targets:
            shares[task] = float(np.mean([found[each, n, task, seed]["success"] for seed in seeds]))
        rows.append({"policy": arm, "success": success.value, "low": success.low, "high": success.high, **shares})
    findings.table("success", pl.DataFrame(rows), "Success rates over all target tasks (with intervals) and task by task.")
    for n in sizes:
        gain = hierarchical_difference(per_seed(every, n), per_seed(0, n), paired=True)
        findings.estimate("gain", gain, "success, fine-tuned minus from scratch", arm=f"{n} demonstrations")
    a, b = per_seed(every, reference, "shifted_success"), per_seed(0, reference, "shifted_success")
    for each, scores in ((every, a), (0, b)):
        arm = named(each, reference, every)
        findings.estimate("success_shifted", hierarchical_mean(scores), "success rate, hand led away at first", arm=arm)
    gain = hierarchical_difference(a, b, paired=True)
    findings.estimate("shift_gain", gain, f"success under shift, fine-tuned minus from scratch, {reference} demonstrations")
    part = min(each for each, _ in cells if each)
    small = [n for n in sizes if n <= reference]
    more, less = (
        [list(chain(*scores)) for scores in zip(*(per_seed(each, n) for n in small), strict=True)] for each in (every, part)
    )
    words = f"success after fine-tuning, {every} minus {part} demonstrations of each pretraining task"
    findings.estimate("pretraining_gain", hierarchical_difference(more, less, paired=True), words)
    _data_to_match(findings, seeds, sizes, reference, every, per_seed)
    _curves(findings, sizes, every, part, reference)
    _letters(findings, targets, seeds, sizes, reference, every, found)


def named(each: int, n: int, every: int) -> str:
    """A policy in words."""
    if not each:
        return f"scratch {n}"
    return (
        ("fine-tuned" if each == every else f"pretrained on {each} each, fine-tuned") + f" {n}" if n else "pretrained only"
    )


def matching(sizes: Sequence[int], curve: Sequence[float], wanted: float) -> float:
    """The number of demonstrations at which a success curve first reaches what is wanted.

    Between two sizes the curve is a straight line over the logarithm of the number. Where the first size already suffices
    it is that; where none does it is the last, though more would be needed.
    """
    for i, value in enumerate(curve):
        if value >= wanted:
            if not i:
                return float(sizes[0])
            share = (wanted - curve[i - 1]) / (value - curve[i - 1])
            return float(sizes[i - 1] * (sizes[i] / sizes[i - 1]) ** share)
    return float(sizes[-1])


def _data_to_match(
    findings: Findings, seeds: Sequence[int], sizes: Sequence[int], reference: int, every: int, per_seed: Any
) -> None:
    """How many times less data fine-tuning needs, in powers of two, seed by seed."""
    curves = np.array([[np.mean(scores) for scores in per_seed(every, n)] for n in sizes])  # (sizes, seeds)
    wanted = [np.mean(scores) for scores in per_seed(0, reference)]
    needed = [matching(sizes, curves[:, i].tolist(), float(wanted[i])) for i in range(len(seeds))]
    findings.estimate("data_needed", mean(needed), f"demonstrations with which fine-tuning matches {reference} from scratch")
    ratio = mean(np.log2(reference / np.array(needed)))
    findings.estimate("data_ratio", ratio, "log2 of how many times less data fine-tuning needs")


def _curves(findings: Findings, sizes: Sequence[int], every: int, part: int, reference: int) -> None:
    figure, (axes,) = canvas(width=5.5)
    for i, (each, label) in enumerate(
        ((0, "from scratch"), (part, f"pretrained on {part} each"), (every, f"on {every} each"))
    ):
        shown = [n for n in sizes if each != part or n <= reference]
        found = [findings.get("success", named(each, n, every)) for n in shown]
        axes.plot(shown, [e.value for e in found], "o-", color=SERIES[i], label=label)
        axes.fill_between(shown, [e.low for e in found], [e.high for e in found], color=SERIES[i], alpha=0.15, linewidth=0)
    axes.set(xscale="log", xlabel="demonstrations of the target task", ylabel="success rate", ylim=(0, 1))
    axes.set_xticks(list(sizes), [str(n) for n in sizes])
    axes.minorticks_off()
    axes.legend()
    findings.figure(
        "data-to-match", figure, "Success over all target tasks by the number of demonstrations; bands: seeds and episodes."
    )


def _letters(
    findings: Findings,
    targets: Sequence[str],
    seeds: Sequence[int],
    sizes: Sequence[int],
    reference: int,
    every: int,
    found: Found,
) -> None:
    """The letter display of each task, and the sequential tests of the two policies at the reference size."""
    import polars as pl

    shown = [(every, 0)] + [(each, n) for n in sizes if n <= reference for each in (0, every)]
    pooled: dict[str, tuple[int, int]] = {named(each, n, every): (0, 0) for each, n in shown}
    rows = []
    for task in targets:
        outcomes = {
            named(each, n, every): np.concatenate([found[each, n, task, seed]["success"] for seed in seeds])
            for each, n in shown
        }
        compared = compare_successes({name: (int(x.sum()), x.size) for name, x in outcomes.items()}, ALPHA)
        for name, x in outcomes.items():
            pooled[name] = (pooled[name][0] + int(x.sum()), pooled[name][1] + x.size)
        words = {name: f"{share.value:.2f} {compared.letters[name]}" for name, share in compared.shares.items()}
        pair = outcomes[named(every, reference, every)], outcomes[named(0, reference, every)]
        looks = {"e-value": sequential_test(*pair), "STEP": step_test(*pair, longest=pair[0].size)}
        said = {
            f"{name} at {reference}": f"{'differ' if look.rejected else 'no difference found'} after {look.pairs} pairs"
            for name, look in looks.items()
        }
        rows.append({"task": task, **{name: words[name] for name in outcomes}, **said})
    caption = (
        "Success by task; policies that share a letter cannot be told apart (Barnard, Holm). Rollouts of all seeds are "
        "pooled: the letters compare these fitted policies, not the ways of fitting them."
    )
    findings.table("letters", pl.DataFrame(rows), caption)
    compared = compare_successes(pooled, ALPHA)
    figure, (axes,) = canvas(height=3.4)
    posterior_violins(axes, pooled, compared.letters)
    findings.figure("posteriors", figure, "Posteriors of success rates over all target tasks, with their letters.")
    best = next(iter(compared.shares))
    shares = {name: proportion(*pooled[name]) for name in pooled}
    at = named(every, reference, every), named(0, reference, every)
    findings.summary = (
        f"Equal policies were called different in at most {max(_guaranteed(findings)):.1%} of simulated experiments by the "
        f"tests that guarantee 5 %, and in up to {max(_rates(findings, 'peeking')):.1%} by a test looked at again and "
        f"again. On {len(targets)} Meta-World tasks, {reference} demonstrations gave {shares[at[0]].value:.0%} "
        f"success with pretraining on other tasks and {shares[at[1]].value:.0%} without; the best was {best}."
    )
    findings.note(
        "Demonstrations are those of scripted experts with noise; policies see positions, not images, and no language."
    )


def _guaranteed(findings: Findings) -> list[float]:
    return [value for rule, about in RULES.items() if about.kind == "guaranteed" for value in _rates(findings, rule)]


def _rates(findings: Findings, rule: str) -> list[float]:
    return [m.estimate.value for m in findings.measured if m.name.startswith("false_alarms_") and m.arm == rule]
