"""How to compare policies so that the answer can be believed: the tests themselves, and then the protocol on real rollouts.

The paper trained a diffusion policy on about 1,700 hours of robot data, fine-tuned it task by task, and compared it with
policies of one task in blind, matched trials: Beta posteriors, a sequential test of every pair, a letter display. Its
statistics are what this study tests first, by simulation: what each test does where nothing is to be found, its power, when
the sequential one stops, the letters against brute force.

Then the protocol, at the size of a laptop: a small policy cloned from the scripted experts of a dozen Meta-World tasks is
fine-tuned to tasks that it has not seen, with one to thirty demonstrations, and compared with policies fitted from scratch
to the same demonstrations, from the same initial conditions. It is a perceptron of 2 x 256 units on positions (no images, no
language), three to four orders of magnitude smaller in data than the paper's: the direction of the claims can be tested
here, the size of the effects not. Completion is graded by the task's own dense reward, relative to the demonstrator's; full
marks are for success only. The shift is a hand that is led away at the beginning, in a direction drawn for each episode.

Sizes were set by one pilot of the policies from scratch: of seven tasks, `push` and `reach` need tens of demonstrations, the
others under ten.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, positive
from ethogram.studies.imitation import _lbm_eval_policies as policies
from ethogram.studies.imitation import _lbm_eval_statistics as statistics
from ethogram.studies.imitation._lbm_eval_findings import report_policies, report_tests
from ethogram.studies.imitation._lbm_eval_statistics import ALPHA, RULES

paper = Paper(
    "A Careful Examination of Large Behavior Models for Multitask Dexterous Manipulation",
    "TRI LBM Team",
    "2025",
    "https://arxiv.org/abs/2507.05331",
)
cell = "coded world, learned policies"
tags = ("evaluation", "statistics", "multitask", "manipulation")

TASKS = (
    "push-back",
    "sweep-into",
    "pick-place",
    "drawer-open",
    "drawer-close",
    "window-open",
    "window-close",
    "door-close",
    "faucet-open",
    "button-press",
    "plate-slide",
    "coffee-button",
)


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    runs: int = Field(default=2000, ge=1, description="simulated experiments for each test and success rate")
    rates: tuple[float, ...] = Field(default=(0.1, 0.5, 0.9), description="success rates of the equal policies")
    n: int = Field(default=50, ge=10, description="rollouts a policy in these experiments")
    longest: int = Field(default=300, ge=10, description="pairs after which the sequential test gives up")
    gaps: tuple[float, ...] = Field(default=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5), description="gaps of the power curve; has 0.3")
    graphs: int = Field(default=500, ge=1, description="random graphs for the letter display")
    tasks: tuple[str, ...] = Field(default=TASKS, description="Meta-World tasks of the pretraining")
    targets: tuple[str, ...] = Field(
        default=("push", "reach", "door-open", "button-press-topdown"), description="tasks to fine-tune to"
    )
    sizes: tuple[int, ...] = Field(default=(1, 3, 10, 30), description="demonstrations of a target task")
    reference: int = Field(default=10, description="the size whose score from scratch is to be matched; one of `sizes`")
    each: tuple[int, ...] = Field(default=(5, 20), description="demonstrations of each pretraining task; the last is all")
    noise: float = Field(default=0.1, ge=0, description="of the demonstrators' actions, a share of half their range")
    seeds: int = Field(default=5, ge=2, description="replications: initial weights, demonstrations, initial conditions")
    rollouts: int = Field(default=50, ge=1, description="of each policy, task and seed")
    together: int = Field(default=10, ge=1, description="rollouts stepped side by side")
    policy: str = Field(default="bc", description="kind of the learned policies")
    settings: dict[str, Any] = Field(default={"hidden": (256, 256)}, description="of the learned policies")
    batch: int = Field(default=128, ge=1)
    pretrain_steps: int = Field(default=5000, ge=1)
    fit_steps: int = Field(default=1200, ge=1, description="of a fit from scratch or a fine-tuning, alike")
    fine_tune_lr: float = Field(default=5e-4, gt=0)
    processes: int = Field(default=1, ge=1)


presets = {
    "smoke": Config(
        runs=60,
        rates=(0.5,),
        n=20,
        longest=100,
        gaps=(0.0, 0.3),
        graphs=30,
        tasks=("window-open", "drawer-close"),
        targets=("button-press-topdown",),
        sizes=(1, 2),
        reference=2,
        each=(1, 2),
        seeds=2,
        rollouts=2,
        together=1,
        settings={"hidden": (32,)},
        pretrain_steps=100,
        fit_steps=60,
    ),
    "laptop": Config(processes=2),
    "paper": Config(seeds=10, rollouts=200, each=(5, 20, 50), sizes=(1, 3, 10, 30, 100), policy="ddpm", settings={}),
}


def run(config: Config, lab: Lab) -> Findings:
    """Simulate the tests, then fit and compare the policies."""
    findings = Findings()
    _tests(findings, config, lab)
    _policies(findings, config, lab)
    return findings


def _tests(findings: Findings, config: Config, lab: Lab) -> None:
    items = [{"rule": rule, "p": p, "n": config.n, "runs": config.runs} for rule in RULES for p in config.rates]
    errors = lab.parts(statistics.false_alarms, items, config.processes)
    wanted = {"gaps": config.gaps, "n": config.n, "longest": config.longest, "runs": config.runs}
    (power,) = lab.parts(statistics.power, [wanted])
    (stopped,) = lab.parts(statistics.stopping, [{"gaps": config.gaps, "n": config.n, "runs": config.runs}])
    at = power["gap"].index(0.3)
    reached = min(Estimate.read(power["e_longest"][at]).value, 0.99)
    (fixed,) = lab.parts(statistics.fixed_number, [{"p": 0.65, "q": 0.35, "power": reached}])
    wrong = statistics.wrong_displays(config.graphs, lab.seed)
    found = list(zip(items, errors, strict=True))
    report_tests(findings, config.n, config.longest, found, power, stopped, reached, fixed, wrong)


def _policies(findings: Findings, config: Config, lab: Lab) -> None:
    most = max(config.sizes)
    wanted = [{"task": task, "n": max(config.each), "noise": config.noise} for task in config.tasks]
    wanted += [{"task": task, "n": most, "noise": config.noise} for task in config.targets]
    shown = lab.parts(policies.demonstrate, wanted, config.processes)
    reward = {item["task"]: result["reward"] for item, result in zip(wanted, shown, strict=True)}
    for item, result in zip(wanted, shown, strict=True):
        if result["demonstrations"] < item["n"]:
            findings.note(
                f"Of {item['task']} there are only {result['demonstrations']:.0f} demonstrations: its expert fails often."
            )
    settings = config.model_dump(mode="json")
    pretrainings = [{"config": settings, "seed": seed, "each": n} for seed in lab.seeds(config.seeds) for n in config.each]
    lab.parts(policies.pretrain, pretrainings, config.processes)
    every = config.each[-1]
    cells = [(each, n) for each in (0, *config.each) for n in (0, *config.sizes) if each == every or (n and not each)]
    cells += [(each, n) for each in config.each[:-1] for n in config.sizes if n <= config.reference]
    items = [
        {
            "config": settings,
            "task": task,
            "seed": seed,
            "each": each,
            "n": n,
            "reward": reward[task],
            "shift": n == config.reference and each in (0, every),
        }
        for seed in lab.seeds(config.seeds)
        for task in config.targets
        for each, n in cells
    ]
    results = lab.parts(policies.evaluate, items, config.processes)
    found = {
        (item["each"], item["n"], item["task"], item["seed"]): result for item, result in zip(items, results, strict=True)
    }
    report_policies(findings, config.targets, lab.seeds(config.seeds), cells, config.sizes, config.reference, every, found)


# --- the claims ---


def _bounded(findings: Findings, kind: str) -> Verdict:
    """Holds where no rule of a kind rejects true nulls significantly more often than α."""
    rates = [(m.arm, m.name, m.estimate) for m in findings.measured if m.name.startswith("false_alarms_")]
    rates = [(arm, name, e) for arm, name, e in rates if RULES[arm].kind == kind]
    worst = max(rates, key=lambda rate: rate[2].value)
    said = f"the highest of {len(rates)} simulated rates is {worst[2]} ({RULES[worst[0]].words}), with α = {ALPHA}"
    if kind == "guaranteed":
        barnard, step = (findings.get(f"{name}_size").value for name in ("barnard", "step"))
        said += f"; the exact rate of Barnard's test is {barnard:.3f} at most, that of STEP {step:.3f}"
    return fails(said) if any(e.low > ALPHA for _, _, e in rates) else holds(said)


def _peeking(findings: Findings) -> Verdict:
    rates = [m.estimate for m in findings.measured if m.name.startswith("false_alarms_") and m.arm == "peeking"]
    said = f"looked at again and again it rejects {', '.join(str(rate) for rate in rates)} of the time"
    return holds(said) if all(rate.low > ALPHA for rate in rates) else fails(said)


def _stops(findings: Findings) -> Verdict:
    used, fixed = findings.get("pairs_used"), findings.get("fixed_number")
    said = f"it used {used} pairs on average; Barnard's test of the same power needs {fixed.value:.0f}"
    return holds(said) if used.high < fixed.value else fails(said)


def _more_than_the_e_value(findings: Findings) -> Verdict:
    step, pairs, e, used = (findings.get(name) for name in ("step_power", "step_pairs", "e_power", "e_pairs"))
    said = f"power {step.value:.2f} with {pairs.value:.1f} pairs on average (exact), the e-value {e} with {used}"
    return holds(said) if step.value > e.high and pairs.value < used.low else fails(said)


def _letters(findings: Findings) -> Verdict:
    wrong = findings.get("wrong_displays")
    said = f"{wrong.value:.0f} of {wrong.n} displays of random graphs differ"
    return holds(said) if wrong.value == 0 else fails(said)


def _times_less(findings: Findings) -> Verdict:
    ratio = findings.get("data_ratio")
    said = f"demonstrations from scratch per demonstration in fine-tuning, at the same success: {ratio}"
    return holds(said) if ratio.low >= np.log2(3) else fails(f"{said} (log2; three times is {np.log2(3):.2f})")


SUMMARY = "secondary summaries of the paper, not verified in its text"

claims = (
    Claim(
        "errors-are-bounded",
        "Barnard's test, the e-value, STEP and the letters call equal policies different in at most 5 % of experiments.",
        None,
        lambda f: _bounded(f, "guaranteed"),
    ),
    Claim(
        "approximate-rules-keep-to-it",
        "Intervals and posteriors that promise it only approximately do no worse, at 50 rollouts.",
        None,
        lambda f: _bounded(f, "approximate"),
    ),
    Claim(
        "peeking-inflates",
        "A test for a fixed number of rollouts that is looked at again and again calls equal policies different too often.",
        None,
        _peeking,
    ),
    Claim(
        "sequential-stops-early",
        "At a gap of 30 points the e-value stops earlier, on average, than a fixed number of the same power.",
        None,
        _stops,
    ),
    Claim(
        "known-last-pair-finds-more",
        "At a gap of 30 points STEP, whose last pair is fixed, finds it more often than the e-value, and with fewer pairs.",
        None,
        _more_than_the_e_value,
    ),
    Claim("letters-are-cliques", "The letter display agrees with brute force on random graphs.", None, _letters),
    Claim(
        "less-data",
        "A fine-tuned policy of many tasks matches one of a single task with fewer demonstrations of that task.",
        Reported("a fraction of the data when compared to single-task baselines", "abstract"),
        lambda f: positive(f.get("data_ratio"), "log2 of how many times less data"),
    ),
    Claim(
        "three-times-less",
        "A fine-tuned policy of many tasks matches one of a single task with at least three times fewer demonstrations.",
        Reported("3 to 5 times less data", SUMMARY, 3.0),
        _times_less,
    ),
    Claim(
        "robust-under-shift",
        "Under shift the fine-tuned policy succeeds more often than the one from scratch with the same demonstrations.",
        Reported("multi-task pretraining makes the policies more successful and robust", "abstract"),
        lambda f: positive(f.get("shift_gain"), "success under shift, fine-tuned minus from scratch,"),
    ),
    Claim(
        "gains-grow",
        "More pretraining data make the fine-tuned policy better.",
        Reported("performance predictably increases as pretraining scale and diversity grows", "abstract"),
        lambda f: positive(
            f.get("pretraining_gain"), "success after fine-tuning, all minus a part of the pretraining data,"
        ),
    ),
)
