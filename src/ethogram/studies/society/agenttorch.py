"""agenttorch: a language model asked once per group of like people, in a New York with a disease and a labour force.

What is real: the people of Astoria with their contacts, the cases of five neighbourhoods, the labour statistics of five
boroughs, all as they ship in the wheel `agent-torch` 0.6.0. What stands in: the people and contacts of Astoria live in all
five neighbourhoods (no others ship with contacts; by their area code, BK0101, they are of Brooklyn); half of the infections
are taken to be reported; the population that ships as New York is 2.71 million people in areas of Brooklyn alone, without
contacts, so random ones are made.

How the four parts are tested:

- *Archetypes*: calls a step beside the number of groups at three sizes; processor time of a step.
- *Calibration*: weekly R, known because it was planted, from the cases of the world of columns, by gradient through a torch
  program of the same disease with straight-through draws; random search has the same number of simulator calls (and in a
  second arm three times as many). A case is counted in the week of the infection.
- *Forecasts*: four weeks ahead in five neighbourhoods. The origins that choose the strength of fear, with the weeks that
  they forecast, all lie before the first origin that tests. Test origins are four weeks apart: errors do not overlap.
- *Final size*: on a complete graph, beside the root of the analytic equation, with the real shares of age bands.

Thresholds are those of the catalogue; for the final size, where it says "matches": the interval of the difference is within
0.02. One pilot (one neighbourhood, three seeds) came before: people who had been infected at random had fewer contacts than
those whom a disease infects, so that every forecast began with a fall; those who are ill at the beginning are since drawn
by susceptibility and contacts. After the first outbreaks of the full run the final-size equation was corrected for that,
too (it had taken the seeds as of any age alike): by less than 0.001, which for R = 3 decides whether the interval is within
0.02.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate, mean, paired_difference
from ethogram.seeds import derive
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society import _agenttorch_data as data
from ethogram.studies.society._agenttorch_findings import draw_calibration, draw_forecasts, draw_labour, tell
from ethogram.studies.society._agenttorch_forecast import HORIZON, forecasts
from ethogram.studies.society._agenttorch_labour import labour
from ethogram.studies.society._agenttorch_parts import (
    archetype_gap,
    calibrated,
    called,
    counterfactual,
    finished,
    rise,
    whole_city,
)
from ethogram.studies.society._agenttorch_scenes import folder, residents
from ethogram.worlds.coded.new_york import AGES, reproduced

paper = Paper(
    "On the limits of agency in agent-based models",
    "Ayush Chopra, Shashank Kumar, Nurullah Giray-Kuru, Ramesh Raskar, Arnau Quera-Bofarull",
    "AAMAS 2025",
    "https://arxiv.org/abs/2409.10568",
)
cell = "coded world of columns, prompted policy asked by archetype"
model = "smollm2"
surrogates = ("coded",)
tags = ("population", "epidemic", "labour", "archetypes", "calibration", "counterfactual")

FIRST, TEST = 8, 44
"""Weeks of the first origin that fits and of the first that tests."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    data: Literal["shipped", "synthetic"] = Field(default="shipped", description="of agent-torch, or a small made-up city")
    seeds: int = Field(default=5, ge=2, description="replications of calibrations; twice as many of counterfactuals")
    complete: int = Field(default=2500, ge=50, description="people of the complete graph")
    outbreaks: int = Field(default=20, ge=2, description="outbreaks on it for each R")
    reproduction: tuple[float, ...] = Field(default=(3.0, 4.5), description="R on it")
    weeks: int = Field(default=8, ge=2, description="weeks of R that are calibrated")
    calls: int = Field(default=60, ge=2, description="simulator calls of a calibration")
    sizes: tuple[int, ...] = Field(default=(10_000, 100_000, 1_000_000), description="people, to count calls")
    gap: int = Field(default=4, ge=4, description="weeks between two origins of forecasts, which look four weeks ahead")
    test_until: int = Field(default=108, ge=8, description="the last week that may be an origin")
    strengths: tuple[float, ...] = Field(default=(0.2, 0.4, 0.8, 1.2), description="strengths of fear that are tried")
    replicates: int = Field(default=3, ge=1, description="simulations of a forecast")
    halvings: int = Field(default=6, ge=2, description="steps of the bisection that finds R")
    neighbourhoods: int = Field(default=5, ge=1, le=5, description="how many of the five")
    replies: tuple[int, ...] = Field(default=(3, 30), description="replies of an archetype, whose spread is compared")
    sample: int = Field(default=100, ge=10, description="people who are each asked")
    city_days: int = Field(default=14, ge=0, description="days of the whole city; 0: it is left out")
    processes: int = Field(default=2, ge=1, description="processes for the parts")


presets = {
    "smoke": Config(
        data="synthetic", seeds=2, complete=150, outbreaks=2, reproduction=(4.5,), weeks=2, calls=4, sizes=(500, 1000, 2000),
        gap=12, test_until=56, strengths=(0.4,), replicates=1, halvings=3, neighbourhoods=2, replies=(3,), sample=20,
        city_days=2, processes=1,
    ),
    "laptop": Config(),
    "paper": Config(seeds=20, complete=5000, outbreaks=100, weeks=27, calls=500, replicates=20, sizes=(10**5, 10**6, 10**7)),
}  # fmt: skip


def run(config: Config, lab: Lab) -> Findings:
    """All parts, one after the other; each is kept once it is there."""
    findings = Findings()
    seeds = lab.seeds(config.seeds)
    base = {"kind": config.data}
    _finals(findings, config, lab)
    fitted = lab.parts(
        calibrated, [base | {"weeks": config.weeks, "calls": config.calls, "seed": s} for s in seeds], config.processes
    )
    _calibration(findings, fitted)
    _calls(findings, config, lab)
    told = _forecasts(findings, config, lab)
    strength = float(np.median([t["strength"] for t in told]))
    arms = [
        base | {"seed": s, "strength": strength, "weeks": 12, "replies": list(config.replies)}
        for s in lab.seeds(2 * config.seeds)
    ]
    _counterfactuals(findings, lab.parts(counterfactual, arms, config.processes), config.replies)
    _gaps(findings, config, lab)
    boroughs = [
        base | {"borough": b, "share": 0.6, "replicates": config.replicates, "seed": lab.seed} for b in data.BOROUGHS
    ]
    jobs = lab.parts(labour, boroughs, config.processes)
    _labour(findings, jobs)
    if config.city_days:
        _city(
            findings, lab.parts(whole_city, [base | {"days": config.city_days, "strength": strength, "seed": lab.seed}])[0]
        )
    draw_forecasts(findings, told, TEST)
    draw_calibration(findings, fitted)
    draw_labour(findings, jobs)
    tell(findings, config.data, len(told))
    return findings


def _finals(findings: Findings, config: Config, lab: Lab) -> None:
    """Final sizes on a complete graph, simulated and analytic."""
    ages = residents(config.data).table["age"].cast(str).value_counts(normalize=True)
    share = dict(ages.iter_rows())
    shares = [float(share.get(age, 0.0)) for age in AGES]
    for r in config.reproduction:
        common = {"people": config.complete, "r": r, "ages": shares, "days": 400}
        items = [common | {"seed": derive(lab.seed, "final", i)} for i in range(config.outbreaks)]
        done = lab.parts(finished, items, config.processes)
        arm = f"R = {r:g}"
        simulated, analytic = ([part[key] for part in done] for key in ("simulated", "analytic"))
        findings.estimate("final_size", mean(simulated), "Share ever infected on a complete graph", arm=arm, unit="%")
        exact = Estimate.exact(analytic[0], method="root of the final-size equation")
        findings.estimate("final_size_analytic", exact, "Share ever infected, analytic", arm=arm, unit="%")
        gap = paired_difference(simulated, analytic)
        findings.estimate("final_size_gap", gap, "Share ever infected, simulated minus analytic", arm=arm)
    findings.note(f"R = 1 of this model is a reproduction number of {reproduced():.2f} where all have the susceptibility 1.")


def _calibration(findings: Findings, parts: list[dict[str, Any]]) -> None:
    for arm in parts[0]["errors"]:
        errors = [part["errors"][arm] for part in parts]
        findings.estimate("r_error", mean(errors), "Mean relative error of weekly R that was planted", arm=arm, unit="%")
    for arm in list(parts[0]["errors"])[1:]:
        worse = paired_difference([p["errors"][arm] for p in parts], [p["errors"]["gradient"] for p in parts])
        findings.estimate("r_error_more", worse, "Error of weekly R, minus that of the gradient of free numbers", arm=arm)
    seconds = mean([part["seconds"] / len(part["losses"]) for part in parts])
    findings.estimate("gradient_seconds", seconds, "Processor time of a simulator call with its gradient", unit="s")


def _calls(findings: Findings, config: Config, lab: Lab) -> None:
    """Model calls a step and processor time of a step by number of people."""
    items = [{"kind": config.data, "people": n, "steps": 7, "groups": "age, gender", "seed": lab.seed} for n in config.sizes]
    for part in lab.parts(called, items):
        arm = f"{part['people']:,} people"
        # a day on which nothing that is asked about has changed needs no call
        calls = Estimate.exact(max(part["calls"]), len(part["calls"]))
        findings.estimate("calls", calls, "Model calls in a step in which archetypes are asked", arm=arm)
        findings.estimate("archetypes", Estimate.exact(part["archetypes"]), "Archetypes in the population", arm=arm)
        took = Estimate.exact(part["seconds"], 1, "timed once, one thread")
        findings.estimate("step_seconds", took, "Processor time of a step", arm=arm, unit="s")


def _forecasts(findings: Findings, config: Config, lab: Lab) -> list[dict[str, Any]]:
    """Choose the strength of fear on fit weeks, and compare errors on test weeks."""
    names = data.cases(folder(config.data)).columns[1 : 1 + config.neighbourhoods]
    common = {"kind": config.data, "fit_weeks": TEST, "replicates": config.replicates, "halvings": config.halvings}
    common |= {"seed": lab.seed}
    early = list(range(FIRST, TEST - HORIZON + 1, config.gap))
    fits = lab.parts(
        forecasts,
        [common | {"neighbourhood": n, "origins": early, "strengths": list(config.strengths)} for n in names],
        config.processes,
    )
    chosen = []
    for part in fits:
        tried = {s: float(np.mean([f["error"] for f in part if f["strength"] == s])) for s in config.strengths}
        chosen.append(min(tried, key=lambda s: tried[s]))
    late = list(range(TEST, config.test_until + 1, config.gap))
    tests = lab.parts(
        forecasts,
        [common | {"neighbourhood": n, "origins": late, "strengths": [0.0, s]} for n, s in zip(names, chosen, strict=True)],
        config.processes,
    )
    told = []
    for name, strength, part in zip(names, chosen, tests, strict=True):
        fear, still = ([f for f in part if f["strength"] == s] for s in (strength, 0.0))
        told.append({"name": name, "strength": strength, "fear": fear, "constant": still})
        errors = {"fear of cases": fear, "constant behaviour": still}
        for arm, found in errors.items():
            label = "Error of forecasts four weeks ahead, mean |log ratio|"
            findings.estimate("forecast_error", mean([f["error"] for f in found]), label, arm=f"{name}, {arm}")
            pairs = [(x, y) for f in found for x, y in zip(f["forecast"], f["came"], strict=True)]
            ahead, came = np.array(pairs).T
            nd = Estimate.exact(float(np.abs(ahead - came).sum() / came.sum()), len(found), "summed over test weeks")
            findings.estimate("forecast_nd", nd, "Sum of |forecast - cases| over the sum of cases", arm=f"{name}, {arm}")
        last = mean([f["persistence"] for f in fear])
        findings.estimate(
            "forecast_error", last, "Error of forecasts four weeks ahead, mean |log ratio|", arm=f"{name}, last week"
        )
        better = paired_difference([f["error"] for f in still], [f["error"] for f in fear])
        findings.estimate("fear_gain", better, "Error of constant behaviour minus that of fear of cases", arm=name)
        findings.estimate("fear_strength", Estimate.exact(strength), "Strength of fear chosen on the fit weeks", arm=name)
    return told


def _counterfactuals(findings: Findings, parts: list[dict[str, Any]], replies: tuple[int, ...]) -> None:
    """What fear averts, with paired luck and without; how much wider answers from few replies make the outcome."""
    fear, still, other = ([p[key] for p in parts] for key in ("fear", "constant", "constant, other luck"))
    averted = findings.estimate(
        "averted", paired_difference(still, fear), "Infections in twelve weeks that fear averts", arm="paired seeds"
    )
    unpaired = findings.estimate(
        "averted", paired_difference(other, fear), "Infections in twelve weeks that fear averts", arm="other seeds"
    )
    if averted.bounded and averted.high > averted.low:
        ratio = (unpaired.high - unpaired.low) / (averted.high - averted.low)
        wider = Estimate.exact(ratio, len(parts), "ratio of the two intervals")
        findings.estimate("pairing_gain", wider, "Width of the interval with other seeds over that with paired ones")
    findings.estimate("spread", _spread(fear), "Standard deviation of infections over seeds", arm="probabilities")
    for k in replies:
        values = [p["replies"][str(k)] for p in parts]
        findings.estimate("spread", _spread(values), "Standard deviation of infections over seeds", arm=f"{k} replies")


def _spread(values: list[float]) -> Estimate:
    """A standard deviation with the interval of normal samples."""
    from scipy.stats import chi2

    n, sd = len(values), float(np.std(values, ddof=1))
    low, high = (sd * float(np.sqrt((n - 1) / chi2.ppf(q, n - 1))) for q in (0.975, 0.025))
    return Estimate(sd, low, high, n, "standard deviation, chi-square interval")


def _gaps(findings: Findings, config: Config, lab: Lab) -> None:
    """Archetypes of several grains beside asking each of a hundred people, by the stated law and by the model."""
    laws: dict[str, dict[str, Any]] = {"stated law": {"law": "fear", "base": 0.3, "strength": 0.4, "reference": 200.0}}
    if lab.model and lab.model not in surrogates:
        laws[lab.model] = {"model": lab.model}
    else:
        findings.note("No language model was asked in this run.")
    for who, law in laws.items():
        item = {"kind": config.data, "law": law, "sample": config.sample, "seed": lab.seed}
        part = lab.parts(archetype_gap, [item])[0]
        more = lab.parts(rise, [{"law": law, "seed": lab.seed}])[0]
        findings.estimate("rise", mean(more), "Share who isolate, with many cases minus with few, over age bands", arm=who)
        each = part["arms"]["each person"]["isolating"]
        for groups, found in part["arms"].items():
            arm = f"{who}, {groups}"
            said = Estimate.exact(found["isolating"], part["people"], "weighted answers")
            findings.estimate("isolating", said, "Share of a hundred people who isolate", arm=arm, unit="%")
            findings.estimate(
                "questions", Estimate.exact(found["questions"]), "Questions asked for a hundred people", arm=arm
            )
            if groups != "each person":
                gap = Estimate.exact(found["isolating"] - each, part["people"], "weighted answers")
                findings.estimate("archetype_gap", gap, "Share who isolate, by archetypes minus asked one by one", arm=arm)


def _labour(findings: Findings, parts: list[dict[str, Any]]) -> None:
    label = "Mean error of unemployment in test months, percentage points"
    paper_says = Reported("24.59", "a third-party summary of the paper; its unit is unknown")
    for arm in parts[0]["arms"]:
        errors = [part["arms"][arm]["error"] for part in parts]
        own = paper_says if arm == "willingness that cases lower" else None
        findings.estimate("unemployment_error", mean(errors), label, arm=arm, paper=own)
        nd = mean([part["arms"][arm]["nd"] for part in parts])
        findings.estimate(
            "unemployment_nd", nd, "Error of unemployment relative to its level, test months", arm=arm, unit="%"
        )
    for arm in ("recorded labour force", "willingness that cases lower"):
        against = [part["arms"]["last fit month"]["error"] for part in parts]
        gain = paired_difference(against, [part["arms"][arm]["error"] for part in parts])
        findings.estimate("unemployment_gain", gain, "Error of the last fit month minus that of", arm=arm)


def _city(findings: Findings, part: dict[str, Any]) -> None:
    """The whole shipped population, once."""
    for key, label, unit in (
        ("people", "People of the whole population", ""),
        ("in_brooklyn", "Those of them whose area is in Brooklyn", "%"),
        ("contacts", "Contacts (random, made for this)", ""),
        ("build_seconds", "Processor time to read it and make its contacts", "s"),
        ("day_seconds", "Processor time of a day", "s"),
        ("world_megabytes", "Memory of its columns and contacts", "MB"),
        ("megabytes", "Peak memory of the process, with the study's other data", "MB"),
    ):
        how = "timed once, one thread" if unit == "s" else "counted"
        findings.estimate(f"city_{key}", Estimate.exact(part[key], 1, how), label, unit=unit)


def _sizes(findings: Findings) -> Verdict:
    calls = {m.arm: m.estimate.value for m in findings.measured if m.name == "calls"}
    groups = {m.arm: m.estimate.value for m in findings.measured if m.name == "archetypes"}
    if not calls:
        return not_tested("no calls were counted")
    said = "; ".join(f"{arm}: {calls[arm]:g} calls for {groups[arm]:g} archetypes" for arm in calls)
    return (holds if calls == groups else fails)(said)


def _quick(findings: Findings) -> Verdict:
    found = [m for m in findings.measured if m.name == "step_seconds" and m.arm.startswith("1,000,000 ")]
    if not found:
        return not_tested("this run had no million people")
    seconds = found[0].estimate.value
    return (holds if seconds < 2 else fails)(f"a step of a million people takes {seconds:.2f} s of one core")


def _recovered(findings: Findings) -> Verdict:
    error = findings.get("r_error", "gradient")
    said = f"the mean relative error is {error}"
    if not error.bounded or error.n < 5:
        return not_tested(f"{said}: too few calibrations")
    return holds(f"{said}, all below 0.10") if error.high < 0.1 else fails(f"{said}, not all below 0.10")


def _braver(findings: Findings) -> Verdict:
    gains = {m.arm: m.estimate for m in findings.measured if m.name == "fear_gain"}
    if len(gains) < 5:
        return not_tested(f"only {len(gains)} of 5 neighbourhoods were forecast")
    better = [arm for arm, gain in gains.items() if gain.above]
    said = "; ".join(f"{arm}: {gain}" for arm, gain in gains.items())
    return (holds if len(better) >= 3 else fails)(f"{len(better)} of {len(gains)} intervals lie above zero ({said})")


def _matches(findings: Findings) -> Verdict:
    gaps = [m for m in findings.measured if m.name == "final_size_gap"]
    if not gaps or gaps[0].estimate.n < 5:
        return not_tested("too few outbreaks")
    inside = all(m.estimate.low > -0.02 and m.estimate.high < 0.02 for m in gaps)
    said = "; ".join(f"{m.arm}: {m.estimate}" for m in gaps)
    return (holds if inside else fails)(f"simulated minus analytic, {said}; {'all' if inside else 'not all'} within 0.02")


def _grain(findings: Findings) -> Verdict:
    """The paper's claim, on whatever policy was asked; the stated law is the positive control."""
    gaps = [m for m in findings.measured if m.name == "archetype_gap" and m.arm.endswith(", age, gender")]
    if not gaps:
        return not_tested("archetypes were not compared")
    said = "; ".join(f"{m.arm}: {m.estimate.value:+.3f}" for m in gaps)
    return (holds if all(abs(m.estimate.value) < 0.05 for m in gaps) else fails)(
        f"difference in the share who isolate, {said}"
    )


LARGE = Reported("8.4 million agents", "abstract")
claims = (
    Claim(
        "calls-by-archetype",
        "Model calls of a step are as many as there are archetypes, for any number of people.",
        LARGE,
        _sizes,
    ),
    Claim("a-million-in-two-seconds", "A step of a million people takes less than 2 s of one core.", None, _quick),
    Claim("r-recovered", "Gradient calibration finds planted weekly R to a tenth.", None, _recovered),
    Claim(
        "gradient-beats-search",
        "Gradient calibration has a smaller error than random search with as many simulator calls.",
        None,
        lambda f: positive(f.get("r_error_more", "random search"), "the error of search minus that of the gradient"),
    ),
    Claim(
        "fear-forecasts-better",
        "Four weeks ahead, people who fear cases forecast better than constant behaviour in 3 of 5 neighbourhoods.",
        Reported("95.17 infections", "a third-party summary of the paper; its unit is unknown"),
        _braver,
    ),
    Claim("final-size", "On a complete graph the final size is the analytic one, to 0.02.", None, _matches),
    Claim(
        "archetypes-as-good-as-people",
        "Archetypes of age and gender give the share that asking each of a hundred people gives, to 0.05.",
        Reported("archetypes as good as calls for each agent", "from memory, not verified"),
        _grain,
    ),
    Claim(
        "labour-beats-last-month",
        "Unemployment from a simulated labour force is nearer than the last month of the fit.",
        None,
        lambda f: positive(
            f.get("unemployment_gain", "willingness that cases lower"), "the last month's error minus the model's"
        ),
    ),
)
