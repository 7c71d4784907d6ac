"""Can a small network take the place of a policy that thinks, or asks a language model? Fidelity and speed of distillation.

A project study, not a paper's: the bridge from prompted policies to learned ones. Whatever a teacher was, its records are
situations and actions; the student (`policies.learned.distilled`) is fitted to them by maximum likelihood and put back in
its place. Three teachers:

- fishers in a commons with a *stated law*, so that the distance between what the student does and what it should do is known
  exactly, and can be followed as records grow;
- the *generative agents* of a town, played by the coded surrogate: they remember, plan and talk, and the student does not
  remember; the noise floor is the same teacher with other seeds;
- a *language model* in the commons that sees nothing but the stock, whose own choice probabilities are in the record.

Every replication has teacher's records, students and held-out runs of its own, so intervals cover all of that. "Like the
teacher" is tested as: the distance between student and teacher is less than twice that between the teacher and itself with
other seeds (over sets of runs of the same size). Thresholds were set before the first run: 0.05 for the total variation to
the stated law, a fifth for the number of conversations. They stand; after one pilot of one replication, in which students of
20 days of the town were in other places than their teachers (total variation 0.14, where teachers differ by 0.04), the hour
became a word of the featuriser, the town was recorded for 60 days, and of few episodes one is kept to say when to stop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.studies import Claim, Findings, Lab, Paper, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society._distil_findings import draw_law, draw_likelihood, draw_places, tell
from ethogram.studies.society._distil_parts import fishers, modelled, speeds, townspeople

paper = Paper("Distillation of prompted policies into learned ones", "The ethogram developers", "a study of this project")
cell = "coded world, prompted and learned policies"
model = "smollm2"
surrogates = ("coded",)
tags = ("distillation", "town", "commons", "fidelity")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    seeds: int = Field(default=5, ge=1, description="replications, each with records and a student of its own")
    sea_episodes: tuple[int, ...] = Field(default=(5, 20, 80), description="episodes of the commons to learn from")
    sea_tests: int = Field(default=40, ge=2, description="episodes to judge on, and of each set that is compared")
    sea_steps: int = Field(default=1000, ge=1, description="steps of training")
    town: str = Field(default="small", description="a town that comes with ethogram")
    town_days: int = Field(default=60, ge=1, description="days of the town to learn from")
    town_tests: int = Field(default=8, ge=1, description="days to judge on, and of each set that is compared")
    town_steps: int = Field(default=3000, ge=1, description="steps of training")
    model_episodes: int = Field(
        default=3, ge=2, description="episodes in which the language model fishes; the last is held out"
    )
    model_steps: int = Field(default=6, ge=0, description="steps of such an episode; 0: no language model")
    processes: int = Field(default=2, ge=1, description="processes for the replications")


presets = {
    "smoke": Config(
        seeds=2, sea_episodes=(2, 4), sea_tests=2, sea_steps=40, town_days=1, town_tests=1, town_steps=20, model_steps=0,
        processes=1,
    ),
    "laptop": Config(),
    "paper": Config(
        seeds=20, sea_episodes=(5, 20, 80, 320), town="sallow_reach", town_days=120, town_steps=20000, model_steps=50
    ),
}  # fmt: skip


def run(config: Config, lab: Lab) -> Findings:
    """Teach, fit, put back and compare."""
    findings = Findings()
    seeds = lab.seeds(config.seeds)
    common = {"tests": config.sea_tests, "steps": config.sea_steps}
    items = [{"episodes": n, "seed": seed, **common} for n in config.sea_episodes for seed in seeds]
    sea = lab.parts(fishers, items, config.processes)
    by_size = {
        n: [part for item, part in zip(items, sea, strict=True) if item["episodes"] == n] for n in config.sea_episodes
    }
    _sea(findings, by_size)
    days = {"map": config.town, "days": config.town_days, "tests": config.town_tests, "steps": config.town_steps}
    town = lab.parts(townspeople, [{"seed": seed, **days} for seed in seeds], config.processes)
    _town(findings, town)
    played: dict[str, Any] | None = None
    if config.model_steps and lab.model and lab.model not in surrogates:
        played = modelled(lab, config.model_episodes, config.model_steps)
        _model(findings, played, lab.model)
    else:
        findings.note("No language model played in this run.")
    fast = speeds(lab, config.town, town[0]["folder"], sea[-1]["folder"])
    _speed(findings, fast, played, lab.model)
    draw_law(findings, by_size[config.sea_episodes[-1]])
    draw_likelihood(findings)
    draw_places(findings, town)
    tell(findings, config.sea_episodes[-1], played is not None, lab.model)
    return findings


def _sea(findings: Findings, by_size: dict[int, list[dict[str, Any]]]) -> None:
    """Distances to the stated law by the number of episodes; with the most of them, the stock."""
    for n, parts in by_size.items():
        arm = f"{n} episodes"
        for name, label in (
            ("tv", "Total variation between the student's choice and the stated law"),
            ("kl", "Divergence of the student's choice from the stated law"),
            ("regret", "Log-likelihood of held-out takes, the law's minus the student's"),
            ("gain", "Log-likelihood of held-out takes, the student's minus each fisher's frequencies"),
            ("tv_frequency", "Total variation between each fisher's frequencies and the stated law"),
        ):
            unit = "" if name.startswith("tv") else "nats"
            findings.estimate(f"sea_{name}", mean([part[name] for part in parts]), label, arm=arm, unit=unit)
    least, most = (list(by_size.values())[i] for i in (0, -1))
    falls = paired_difference([part["tv"] for part in least], [part["tv"] for part in most])
    findings.estimate("sea_tv_falls", falls, "Total variation with the fewest minus with the most episodes")
    _near(findings, "sea_stock", most, "Distance in the mean stock over time", "of the sea")


def _near(findings: Findings, name: str, parts: list[dict[str, Any]], label: str, unit: str = "") -> None:
    """A distance between student and teacher beside the teacher's own, and what is beyond twice that."""
    own, floor = ([part[f"{name}{end}"] for part in parts] for end in ("", "_floor"))
    findings.estimate(name, mean(own), f"{label}, student and teacher", unit=unit)
    findings.estimate(f"{name}_floor", mean(floor), f"{label}, teacher and teacher with other seeds", unit=unit)
    beyond = paired_difference(own, [2 * x for x in floor])
    findings.estimate(f"{name}_beyond", beyond, f"{label}, student's minus twice the teacher's own", unit=unit)


def _town(findings: Findings, parts: list[dict[str, Any]]) -> None:
    """Held-out likelihood beside simple rules, and days with the student beside days with the teacher."""
    for arm in parts[0]["log_likelihood"]:
        values = [part["log_likelihood"][arm] for part in parts]
        findings.estimate("town_log_likelihood", mean(values), "Log-likelihood of a held-out action", arm=arm, unit="nats")
        if arm != "student":
            gain = paired_difference([part["log_likelihood"]["student"] for part in parts], values)
            findings.estimate(
                "town_gain", gain, "Log-likelihood of a held-out action, student's minus rule's", arm=arm, unit="nats"
            )
    seen = mean([1 - part["unseen"] for part in parts])
    findings.estimate("town_covered", seen, "Held-out actions for which the student has a template", unit="%")
    _near(findings, "town_places", parts, "Total variation between the places of a person in an hour")
    for name, label in (
        ("talks", "Conversations in a day"),
        ("utterances", "Utterances in a day"),
        ("told", "Tellings of a planted fact in a day"),
        ("untold", "Tellings in a day of a fact that nobody had told the teller"),
    ):
        for arm in ("teacher", "student"):
            findings.estimate(f"town_{name}", mean([np.mean(part[arm][name]) for part in parts]), label, arm=arm)
    share = [np.mean(p["student"]["talks"]) / np.mean(p["teacher"]["talks"]) - 1 for p in parts]
    findings.estimate(
        "town_talks_change", mean(share), "Conversations, student's relative to the teacher's, minus 1", unit="%"
    )
    untold = {arm: [float(np.mean(p[arm]["untold"])) for p in parts] for arm in ("student", "teacher")}
    more = paired_difference(untold["student"], untold["teacher"])
    findings.estimate("town_untold_more", more, "Tellings of what was never told to the teller, student's minus teacher's")
    faults = sum(part["faults"] for part in parts)
    findings.estimate("town_faults", Estimate.exact(faults, len(parts)), "Situations in which no template was open")


def _model(findings: Findings, played: dict[str, Any], name: str) -> None:
    """The student of a language model against the model's own probabilities, on an episode held out."""
    for arm, label in (("student", "the student"), ("frequency", "each fisher's frequencies")):
        words = f"Total variation between {label} and {name}'s own probabilities"
        findings.estimate("model_tv", mean(played["tv"][arm], "percentile"), words, arm=arm)
        words = f"Log-likelihood of {name}'s held-out takes by {label}"
        findings.estimate(
            "model_log_likelihood", mean(played["log_likelihood"][arm], "percentile"), words, arm=arm, unit="nats"
        )
    findings.note(
        f"{name} fished for {played['steps']} agent-steps with no memory but the stock; the last episode was held out. The "
        "intervals are over its situations, of one run. What the model does is reported as what it does."
    )


def _speed(findings: Findings, fast: dict[str, float], played: dict[str, Any] | None, name: str) -> None:
    words = "Agent-steps a second, the policy alone"
    for arm, rate in fast.items():
        findings.estimate("speed", Estimate.exact(rate, 1, "timed once"), words, arm=arm)
    ratio = fast["student, town"] / fast["surrogate, town"]
    findings.estimate(
        "speed_up", Estimate.exact(ratio, 1, "timed once"), "Times as fast as its teacher", arm="surrogate, town"
    )
    if played is not None:
        findings.estimate("speed", Estimate.exact(played["rate"], 1, "timed once"), words, arm=f"{name}, commons")
        ratio = fast["student, commons"] / played["rate"]
        findings.estimate(
            "speed_up", Estimate.exact(ratio, 1, "timed once"), "Times as fast as its teacher", arm="language model"
        )


# --- the claims ---


def _law(findings: Findings) -> Verdict:
    arms = [m for m in findings.measured if m.name == "sea_tv"]
    found = arms[-1].estimate
    said = f"the total variation to the law with {arms[-1].arm} is {found}"
    if not found.bounded:
        return not_tested(said)
    return holds(f"{said}, all below 0.05") if found.high < 0.05 else fails(f"{said}, not all below 0.05")


def _better(findings: Findings) -> Verdict:
    rules = [m for m in findings.measured if m.name == "town_gain"]
    verdicts = [positive(m.estimate, f"the gain over {m.arm}") for m in rules]
    outcomes = {v.outcome for v in verdicts}
    reason = "; ".join(v.reason for v in verdicts)
    return (
        fails(reason) if "does not hold" in outcomes else not_tested(reason) if "not tested" in outcomes else holds(reason)
    )


def _within(beyond: Estimate, what: str) -> Verdict:
    """Holds where the whole interval of a distance, minus twice the teacher's own, lies below zero."""
    if not beyond.bounded:
        return not_tested(f"{what}: {beyond}")
    said = f"{what}, minus twice the teacher's own, is {beyond}"
    return holds(f"{said}, all below zero") if beyond.below else fails(f"{said}, not all below zero")


def _talks(findings: Findings) -> Verdict:
    change = findings.get("town_talks_change")
    said = f"the relative difference in conversations is {change}"
    if not change.bounded:
        return not_tested(said)
    inside = change.low > -0.2 and change.high < 0.2
    return holds(f"{said}, within a fifth") if inside else fails(f"{said}, not all within a fifth")


def _fast(findings: Findings) -> Verdict:
    ratio = findings.get("speed_up", "language model").value
    return (holds if ratio >= 100 else fails)(f"the student is {ratio:.0f} times as fast as the language model")


claims = (
    Claim("law-recovered", "Fitted to the most records, the student chooses as the stated law does, to 0.05.", None, _law),
    Claim(
        "more-records-help",
        "The more records, the nearer the student is to the stated law.",
        None,
        lambda f: positive(f.get("sea_tv_falls"), "the total variation with the fewest minus with the most episodes"),
    ),
    Claim(
        "stock-as-with-the-teacher",
        "Put back in the commons, students leave the stock where their teachers do, to twice the noise of seeds.",
        None,
        lambda f: _within(f.get("sea_stock_beyond"), "the distance in the mean stock"),
    ),
    Claim(
        "town-predicted",
        "On held-out days the student predicts what people do better than frequencies, a timetable or persistence.",
        None,
        _better,
    ),
    Claim(
        "town-places",
        "Put back in the town, students spend their hours where the teachers do, to twice the noise of seeds.",
        None,
        lambda f: _within(f.get("town_places_beyond"), "the total variation between places"),
    ),
    Claim("town-talks", "They begin as many conversations as the teachers, to a fifth.", None, _talks),
    Claim(
        "memory-is-lost",
        "Without memory they pass on news that nobody told them, which the teachers do less.",
        None,
        lambda f: positive(f.get("town_untold_more"), "the tellings of what was never told, student's minus teacher's,"),
    ),
    Claim("faster-than-the-model", "The student decides a hundred times as fast as the language model.", None, _fast),
)
