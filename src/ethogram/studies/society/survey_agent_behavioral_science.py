"""AI agents as subjects of behavioural science: designed experiments on what makes them behave as they do.

The paper is a programme without figures of its own. What is tested is the instrument (`ethogram.experiments.Experiment`):
whether it finds what was planted as often as it predicts and no more; three demonstrations, one for each determinant of
behaviour (an attribute, the environment, feedback); and probes of five properties of responsible behaviour with a control
that violates each and one that does not.

The subjects are a *coded surrogate*, whose laws are stated in `_behaving_tasks` and `_behaving_probes`, and a language model
that is asked the same questions; options are drawn from its likelihoods, averaged over all rotations of the list. Units of
the surrogate differ from each other (`own`). Units of a model are draws of its luck, for it has one set of weights: what is
found of it is found of these questions, and the effect in each paraphrase is the replication that counts.

Of a model nothing is concluded from the absence of an effect: where it is not shown to be smaller than what would matter,
the claim is not tested.

Set by a pilot of 8 units a cell (2026-11), before the first full run: how much surrogates differ (0.8 own in the dilemma),
so that a unit's score can be reliable at all. No threshold was changed.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.experiments import Experiment, Processes, Report
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested
from ethogram.studies.society import _behaving_findings as found
from ethogram.studies.society._behaving_experiments import DETERMINANTS, MAIN, demonstration
from ethogram.studies.society._behaving_findings import SURROGATE, judged, key
from ethogram.studies.society._behaving_minds import CODED
from ethogram.studies.society._behaving_planted import PLANS, families, repeated, simulated
from ethogram.studies.society._behaving_probes import CONTROLS, PROBES, probing

paper = Paper("AI Agent Behavioral Science", "Chen et al.", "arXiv 2506.06366, 2025", "https://arxiv.org/abs/2506.06366")
cell = "coded world, coded and prompted policies"
model = "smollm2"
surrogates = (CODED,)
tags = ("experiments", "power", "fairness", "privacy", "safety", "reliability")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    simulated: int = Field(default=1000, ge=20, description="simulated experiments for each share")
    parts: int = Field(default=4, ge=1, description="parts in which they are computed; divides their number")
    units: int = Field(default=40, ge=2, description="units a cell of the surrogate's demonstrations")
    model_units: int = Field(default=20, ge=0, description="units a cell of the language model's demonstrations; 0: none")
    probe_units: int = Field(default=40, ge=2, description="units of each subject of a probe")
    repeats: int = Field(default=2, ge=1, description="measurements of a unit under each condition")
    processes: int = Field(default=2, ge=1, description="processes")


presets = {
    "smoke": Config(simulated=20, parts=1, units=4, model_units=0, probe_units=3, processes=1),
    "laptop": Config(),
    "paper": Config(simulated=5000, units=200, model_units=100, probe_units=200, repeats=3),
}


def run(config: Config, lab: Lab) -> Findings:
    """Simulate planted experiments, conduct the demonstrations and the probes."""
    findings = Findings()
    _planted(findings, config, lab)
    prompted = lab.model if config.model_units and lab.model not in ("", *surrogates) else ""
    with Processes(config.processes) if config.processes > 1 else nullcontext(1) as workers:
        reports = _demonstrations(config, lab, prompted, workers)
        probes = {
            name: _conduct(
                probing(name, prompted, config.probe_units, config.repeats, lab.seed),
                lab,
                "model" if prompted else "controls",
                1 if prompted else workers,
            )
            for name in PROBES
        }
    found.demonstrated(findings, reports)
    found.probed(findings, probes)
    found.effects_table(findings, {**reports, **{(name, "controls"): report for name, report in probes.items()}})
    _tell(findings, config, prompted)
    return findings


def _demonstrations(config: Config, lab: Lab, prompted: str, workers: Any) -> dict[tuple[str, str], Report]:
    """The experiment on each determinant, with the surrogate and with the model where there is one."""
    reports: dict[tuple[str, str], Report] = {}
    for determinant in DETERMINANTS:
        one = demonstration(determinant, CODED, config.units, config.repeats, lab.seed)
        reports[determinant, SURROGATE] = _conduct(one, lab, "surrogate", workers)
        if prompted:
            one = demonstration(determinant, prompted, config.model_units, config.repeats, lab.seed)
            reports[determinant, prompted] = _conduct(one, lab, "model", 1)
    return reports


def _conduct(experiment: Experiment, lab: Lab, who: str, workers: Any) -> Report:
    """Conduct an experiment in a folder of its own, which keeps the registration and what was measured."""
    return experiment.conduct(lab.dir / "experiments" / f"{experiment.name}-{who}", workers=workers, progress=lab.progress)


def _planted(findings: Findings, config: Config, lab: Lab) -> None:
    """The simulated experiments."""
    common = [{"runs": config.simulated // config.parts, "part": i} for i in range(config.parts)]
    total = config.simulated // config.parts * config.parts
    items = [{"plan": plan, "planted": true, **part} for plan in PLANS for true in (True, False) for part in common]
    hits = lab.parts(simulated, items, config.processes)
    counts: dict[tuple[str, bool], int] = {}
    for item, count in zip(items, hits, strict=True):
        at = item["plan"], item["planted"]
        counts[at] = counts.get(at, 0) + count
    found.planted(findings, counts, total)
    several = {
        how: np.concatenate(lab.parts(families, [{"correction": how, **part} for part in common], config.processes))
        for how in ("holm", "bh")
    }
    found.correction(findings, several["holm"], several["bh"])
    found.repetition(findings, lab.parts(repeated, common, config.processes), total)


def _tell(findings: Findings, config: Config, prompted: str) -> None:
    """The summary, and what the findings stand for."""
    effects = ", ".join(f"{d} {findings.get(_main(d), SURROGATE)}" for d in DETERMINANTS)
    flagged = sum(judged(findings.get(name, CONTROLS[1])) == "flagged" for name in PROBES)
    cleared = sum(judged(findings.get(name, CONTROLS[0])) == "cleared" for name in PROBES)
    findings.summary = (
        f"The chief effects of the demonstrations, with the surrogate as subject: {effects}. Of five probes {flagged} flag "
        f"a subject that violates the property, and {cleared} clear one that does not, with {config.probe_units} units each."
    )
    if prompted:
        said = "; ".join(f"{d} {findings.get(_main(d), prompted)}" for d in DETERMINANTS)
        judgements = ", ".join(f"{name} {judged(findings.get(name, prompted))}" for name in PROBES)
        findings.summary += f" {prompted} in the same experiments: {said}. Its probes: {judgements}."
        findings.note(
            "A subject that chooses at random violates privacy, interpretability and safety too. Whether it responds to "
            "what it should respond to is measured beside: public news, a partner's repute, the absence of pressure."
        )
        findings.note(
            "Experiments keep outcomes and not runs, so that their model calls are not in the count of the run's cost."
        )
        findings.note(
            f"All units of {prompted} have the same weights: they differ in luck alone, so that their retest reliability "
            "can only be about zero, and intervals are about repetitions of these questions, not other models or people."
        )
    else:
        findings.note("No language model took part in this run.")
    findings.note(
        "The coded surrogate is a stated law. That its persona, its rules or its feedback have effects shows that the "
        "instrument finds what was put in, not that people or models behave so."
    )


def _main(determinant: str) -> str:
    """The finding of a demonstration's chief contrast."""
    return f"{determinant}_{key(MAIN[determinant].name)}"


# --- the claims ---


def _as_predicted(findings: Findings, name: str) -> Verdict:
    shares = {plan: (findings.get(f"predicted_{name}", plan).value, findings.get(name, plan)) for plan in PLANS}
    said = "; ".join(f"{plan}: predicted {p:.3f}, found {share}" for plan, (p, share) in shares.items())
    return holds(said) if all(share.low <= p <= share.high for p, share in shares.values()) else fails(said)


def _families(findings: Findings) -> Verdict:
    any_wrong, false = findings.get("family_error"), findings.get("false_discoveries")
    said = f"Holm: any false detection in {any_wrong} of families; Benjamini and Hochberg: {false} of detections false"
    return holds(said) if any_wrong.low <= 0.05 and false.low <= 0.05 else fails(said)


def _repeats(findings: Findings) -> Verdict:
    naive, units = (findings.get("repeated_alarms", how) for how in ("naive", "units"))
    said = f"false alarms {naive} where measurements count as units, {units} where units do"
    if units.low <= 0.05 <= units.high and naive.low <= 0.05 <= naive.high:
        return not_tested(f"{said}: too few simulated experiments to tell them apart")
    return holds(said) if naive.low > 0.05 and units.low <= 0.05 <= units.high else fails(said)


def _determinant(name: str, sign: int) -> Any:
    """Whether the surrogate's chief contrast is detected on the side of its law."""

    def test(findings: Findings) -> Verdict:
        effect, p = findings.get(_main(name), SURROGATE), findings.get(f"{_main(name)}_p", SURROGATE).value
        said = f"{MAIN[name].name} is {effect}, p = {p:.2g} corrected"
        if p > 0.05 and not findings.get(f"{_main(name)}_negligible", SURROGATE).value:
            return not_tested(f"{said}: neither detected nor shown to be small")
        return holds(said) if p <= 0.05 and effect.value * sign > 0 else fails(said)

    return test


def _placebo(findings: Findings) -> Verdict:
    name = f"environment_{key('rule: placebo - none')}"
    effect, negligible = findings.get(name, SURROGATE), findings.get(f"{name}_negligible", SURROGATE).value
    said = f"placebo minus no rule is {effect} fish a day"
    return (
        holds(f"{said}, shown to be less than half a fish") if negligible else not_tested(f"{said}, not shown to be small")
    )


def _of_model(name: str) -> Any:
    """What a language model shows: an effect, one that is too small to matter, or nothing that can be told."""

    def test(findings: Findings) -> Verdict:
        arms = [m.arm for m in findings.measured if m.name == _main(name) and m.arm != SURROGATE]
        if not arms:
            return not_tested("no language model took part")
        (arm,) = arms
        effect, p = findings.get(_main(name), arm), findings.get(f"{_main(name)}_p", arm).value
        said = f"{arm}: {MAIN[name].name} is {effect}, p = {p:.2g} corrected"
        if findings.get(f"{_main(name)}_negligible", arm).value:
            return fails(f"{said}, shown to be smaller than {MAIN[name].smallest}")
        right = p <= 0.05 and effect.value * (-1 if name == "environment" else 1) > 0
        return holds(said) if right else not_tested(f"{said}: neither detected in this direction nor shown to be small")

    return test


def _probe(name: str) -> Any:
    """Whether a probe flags the control that violates the property and clears the one that does not."""

    def test(findings: Findings) -> Verdict:
        good, bad = (findings.get(name, control) for control in CONTROLS)
        said = f"violation {bad} of the positive control, {good} of the negative one"
        outcome = judged(bad), judged(good)
        if outcome == ("flagged", "cleared"):
            return holds(said)
        return not_tested(f"{said}: too few units to tell") if "undecided" in outcome else fails(said)

    return test


def _reliable(findings: Findings) -> Verdict:
    effects = [m.name[:-2] for m in findings.measured if m.name.endswith("_p")]
    have = {m.name for m in findings.measured}
    bare = [name for name in effects if f"{name}_retest" not in have or f"{name}_wordings" not in have]
    said = f"{len(effects)} effects, {len(bare)} of them without retest or paraphrases"
    return fails(said) if bare or not effects else holds(said)


claims = (
    Claim(
        "predicted-power",
        "Planted effects are detected as often as predicted.",
        None,
        lambda f: _as_predicted(f, "power"),
    ),
    Claim(
        "predicted-alarms",
        "Where there is nothing, as many experiments detect something as predicted: 5 %, of yes and no fewer.",
        None,
        lambda f: _as_predicted(f, "false_alarms"),
    ),
    Claim("families", "Corrections keep the errors of a family of contrasts at 5 % or below.", None, _families),
    Claim("no-pseudo-replication", "Repeated measurements of a unit do not count as units.", None, _repeats),
    Claim(
        "attribute",
        "A generous persona shares more than a selfish one (surrogate).",
        Reported("intrinsic attributes determine behaviour; no figure", "a third party's summary"),
        _determinant("attribute", 1),
    ),
    Claim(
        "environment",
        "A rule makes fishers take less than no rule does (surrogate).",
        Reported("environmental factors shape behavior over time; no figure", "abstract"),
        _determinant("environment", -1),
    ),
    Claim("placebo", "A rule about something else changes nothing that matters (surrogate).", None, _placebo),
    Claim(
        "feedback",
        "With feedback the better option is chosen the more often, the better it is; without, it is not (surrogate).",
        Reported("interaction feedbacks shape behavior over time; no figure", "abstract"),
        _determinant("feedback", 1),
    ),
    Claim("attribute-model", "The same as `attribute`, of the language model.", None, _of_model("attribute")),
    Claim("environment-model", "The same as `environment`, of the language model.", None, _of_model("environment")),
    Claim("feedback-model", "The same as `feedback`, of the language model.", None, _of_model("feedback")),
    *(
        Claim(
            f"probe-{name}",
            f"The probe of {name} flags a subject that violates it and clears one that does not.",
            Reported("five properties treated as behavioral properties; no figure", "abstract"),
            _probe(name),
        )
        for name in PROBES
    ),
    Claim("reliability", "Beside every effect stand its retest and its paraphrases.", None, _reliable),
)
