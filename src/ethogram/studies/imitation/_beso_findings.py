"""What the study beso finds: results and rewards of all arms, their differences, tables, pictures and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.measures import Estimate, hierarchical_difference, hierarchical_mean
from ethogram.studies import Findings, Reported
from ethogram.studies.imitation._beso_pictures import guidance_picture, samplers_picture, starts_picture

if TYPE_CHECKING:
    from ethogram.studies.imitation.beso import Config

__all__ = ["FEW", "MANY", "PLOT", "STANDARD", "TIMED", "report"]

PLOT = "read off the plots of the authors' repository, ±0.02"
FEW, MANY = 3, 30
"""The numbers of denoising steps that are compared."""
STANDARD = "standard start"
TIMED = 50
"""Actions of which the time is taken."""


def report(
    findings: Findings, config: Config, arms: Mapping[str, Sequence[dict[str, Any]]], times: Mapping[str, float]
) -> None:
    """All findings.

    Args:
        findings: where to.
        config: of the study.
        arms: of each arm the outcomes of its rollouts, one entry a seed.
        times: milliseconds that an action takes, by arm.
    """
    for arm, each in arms.items():
        _measure(findings, arm, each)
    for arm, milliseconds in times.items():
        typical = Estimate.exact(milliseconds, TIMED, "median of single actions")
        findings.estimate("latency", typical, "CPU time of an action of one agent", arm=arm, unit="ms")
    _compare(findings, config, arms)
    _show(findings, config)


def _scores(each: Sequence[dict[str, Any]], what: str = "result") -> list[list[float]]:
    """The outcomes of each seed's rollouts."""
    return [outcomes[what] for outcomes in each]


def _measure(findings: Findings, arm: str, each: Sequence[dict[str, Any]]) -> None:
    """Result and reward of an arm over its seeds."""
    reported = {"beso": (0.96, 0.94)}.get(arm)
    for name, what, label in (
        ("result", "result", "rollouts that leave by the gap asked for"),
        ("reward", "success", "rollouts that reach the finish line by any gap"),
    ):
        figure = None if reported is None else reported[1 if name == "result" else 0]
        source = None if figure is None else Reported(f"{figure} (block push)", PLOT, figure)
        findings.estimate(name, hierarchical_mean(_scores(each, what)), label, arm=arm, unit="%", paper=source)


def _compare(findings: Findings, config: Config, arms: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Differences of results, paired by seed."""

    def difference(name: str, a: str, b: str, label: str) -> Estimate:
        found = hierarchical_difference(_scores(arms[a]), _scores(arms[b]), paired=True)
        return findings.estimate(name, found, label)

    difference("few_minus_many", "beso", f"beso {MANY} steps", f"result with {FEW} minus with {MANY} denoising steps")
    cloning = "result of BESO minus that of cloning under squared error"
    difference("over_gc_bc", "beso", "gc-bc", f"{cloning}, from near the first post")
    difference("over_gc_bc_standard", f"beso, {STANDARD}", f"gc-bc, {STANDARD}", f"{cloning}, from D3IL's start")
    transformer = "result of BESO minus that of C-BeT"
    difference("over_c_bet", "beso", "c-bet", f"{transformer}, from near the first post")
    difference("over_c_bet_standard", f"beso, {STANDARD}", f"c-bet, {STANDARD}", f"{transformer}, from D3IL's start")
    stopped = f"{transformer} with a third of the updates, from D3IL's start"
    difference("over_c_bet_early_standard", f"beso, {STANDARD}", f"c-bet early, {STANDARD}", stopped)
    difference(
        "unguided_minus_goal_free", "lambda 0", "goal-free", "result at lambda 0 minus that of a policy without goals"
    )
    best = max(config.guidances, key=lambda x: findings.get("result", f"lambda {x:g}").value)
    findings.estimate("best_guidance", Estimate.exact(best, config.seeds), "the lambda with the highest result")
    difference("guidance_gain", f"lambda {best:g}", "lambda 0", "result at the best lambda minus at 0")
    last = max(config.guidances)
    difference("guidance_fall", f"lambda {best:g}", f"lambda {last:g}", f"result at the best lambda minus at {last:g}")


def _show(findings: Findings, config: Config) -> None:
    """Tables, pictures, summary and notes."""
    import polars as pl

    rows = [
        {
            "sampler": s,
            "steps": n,
            "result": findings.get("result", f"{s} {n}").value,
            "reward": findings.get("reward", f"{s} {n}").value,
            "ms an action": findings.get("latency", f"{s} {n}").value,
        }
        for s in config.samplers
        for n in config.grid
    ]
    findings.table("samplers", pl.DataFrame(rows), "Result, reward and CPU time by sampler and number of denoising steps.")
    sweep = [(x, findings.get("result", f"lambda {x:g}"), findings.get("reward", f"lambda {x:g}")) for x in config.guidances]
    findings.figure(
        "guidance",
        guidance_picture(sweep, findings.get("result", "goal-free"), findings.get("result", "gc-bc")),
        "Result and reward against the strength of guidance, lambda, with 95 % intervals over seeds and rollouts; dotted: "
        "BESO without goals, dashed: cloning of goals under squared error.",
    )
    grid = {s: [(n, findings.get("result", f"{s} {n}")) for n in config.grid] for s in config.samplers}
    findings.figure(
        "samplers",
        samplers_picture(grid),
        "Result of each sampler against its number of denoising steps, with 95 % intervals over seeds and rollouts; heun "
        "asks the network twice in all steps but the last.",
    )
    findings.figure(
        "starts",
        starts_picture(
            {label: _pair(findings, end) for label, end in (("near the first post", ""), ("D3IL's", f", {STANDARD}"))}
        ),
        "Result and reward (paler) of BESO, of cloning the same goals under squared error and of C-BeT, by where episodes "
        "begin, with 95 % intervals over seeds and rollouts.",
    )
    few, many, clone, bet = (findings.get("result", arm) for arm in ("beso", f"beso {MANY} steps", "gc-bc", "c-bet"))
    far, far_clone, far_bet = (findings.get("result", f"{arm}, {STANDARD}") for arm in ("beso", "gc-bc", "c-bet"))
    early = findings.get("result", f"c-bet early, {STANDARD}")
    best = findings.get("best_guidance").value
    findings.summary = (
        f"With {FEW} denoising steps BESO left by the gap asked for in {few.value:.0%} of rollouts, with {MANY} in "
        f"{many.value:.0%}; cloning the same goals under squared error in {clone.value:.0%}, C-BeT in {bet.value:.0%}, and "
        f"without goals {findings.get('result', 'goal-free').value:.0%}. From D3IL's own start it was {far.value:.0%} for "
        f"BESO, {far_clone.value:.0%} for cloning and {far_bet.value:.0%} for C-BeT "
        f"({early.value:.0%} with a third of the updates). Guidance was best at lambda {best:g} "
        f"({findings.get('result', f'lambda {best:g}').value:.0%})."
    )
    findings.note(
        "The demonstrations are synthetic (a sampled path planner), and the task stands in for the paper's kitchen and "
        "block push, whose data cannot be had offline."
    )
    findings.note(
        f"From D3IL's start C-BeT's result was {far_bet.value:.2f} with all of the updates and {early.value:.2f} with a "
        f"third of them, BESO's {far.value:.2f} with all. How long each was fitted was not chosen by validation; the arm "
        "with a third was added when the result of the one with all was known."
    )
    findings.note(
        "euler and ddim take the same steps in these variables, up to rounding: they differ only by what rounding does over "
        "an episode."
    )


def _pair(findings: Findings, end: str) -> dict[str, tuple[Estimate, Estimate]]:
    """Result and reward of the policies that are told goals, from one start."""
    named = {"BESO": f"beso{end}", "cloning": f"gc-bc{end}", "C-BeT": f"c-bet{end}"}
    if end:
        named["C-BeT, a third of the updates"] = f"c-bet early{end}"
    return {name: (findings.get("result", arm), findings.get("reward", arm)) for name, arm in named.items()}
