"""SimpleToM: who can say that somebody is not aware of a thing, and yet expects him to act as if he were?

The stories are ours, 240 in ten scenarios (see `_simpletom_stories`): none of the paper's 1,147 is used. Each has an *aware
twin*, in which the protagonist is told the fact, so that the right answers to all three questions turn round. In the paper's
format they do not: "no", the careless action and "reasonable" are always right, and whoever says no to everything shows a
gap of 100 points between tiers without reading a word. Sensitivity d' over twins is free of that.

Questions are answered in one word: `Is Ada aware that ...?`, yes or no; `What will Ada probably do next: pay for the bag of
rice, or put the bag of rice back on the shelf?`, pay or put; `Ada goes on to pay for the bag of rice. Is that fine or odd?`
Options are listed in both orders, and log-likelihoods are means. What is tuned on the first question has therefore never
answered in the words of the other two; part of a gap may be that. Models at an endpoint answer by the words' letters.

Coded policies of known mind show that the instrument measures what it should. The learned policy is SmolLM2-135M, adapters
tuned on the explicit tier of half the scenarios, and asked about the others, five times over; it never sees an applied
question or a reminder before it is tested, and the reminder gives back its own explicit answer, right or wrong, and stands
before applied questions only. The raw model is asked in the same words and reported without and with content-free
calibration. Answers are the likelier option's, as at temperature 0; what a model would write is not read.

Pilots of one tuning each (2026-11). Two by letter, which this model does not learn, left the explicit tier at chance, 15 of
30 both times. The one by words, 160 lessons visited twice at rate 0.001, was at chance for 30 of its 40 updates and came to
0.64 nats over the last five; of 20 explicit questions about held-out scenarios 14 were answered rightly (the untuned model:
9), of 40 applied ones 19, with the reminder 20. The full run has 200 lessons visited three times at the same rate, which no
pilot has tried. No threshold was changed: a claim holds where its interval lies above zero (above one half for carrying
over).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people._simpletom_findings import generated, measured, picture, tabulated
from ethogram.studies.people._simpletom_parts import answered, marked, reading, tuned
from ethogram.studies.people._simpletom_players import SURROGATE
from ethogram.studies.people._simpletom_stories import TIERS

paper = Paper(
    "SimpleToM: Exposing the Gap between Explicit ToM Inference and Implicit ToM Application in LLMs",
    "Gu, Tafjord, Kim, Moore, Le Bras, Clark, Choi",
    "2024",
    "https://arxiv.org/abs/2410.13648",
)
cell = "coded world (text), prompted and learned policies"
model = "smollm2"
surrogates = (SURROGATE,)
tags = ("theory of mind", "questions", "tuning")
EMBEDDED = "smollm2"
TUNED, RAW = "tuned", "raw"
ARMS = {"oracle": "oracle", "egocentric": "egocentric", "nay": "nay-sayer", SURROGATE: "surrogate"}


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    each: int = Field(default=24, ge=1, le=24, description="stories of a scenario that coded policies answer")
    tunings: int = Field(default=5, ge=0, description="tunings, each with a division of the scenarios of its own")
    base: str = Field(default="smollm2", description="what is tuned: smollm2, or tiny (random weights)")
    lessons: int = Field(default=20, ge=1, le=24, description="stories of a scenario that a tuning learns from")
    tested: int = Field(default=3, ge=1, le=24, description="stories of a held-out scenario that it is asked about")
    epochs: int = Field(default=3, ge=1, description="visits to each lesson")
    rate: float = Field(default=1e-3, gt=0, description="highest learning rate")
    raw: int = Field(default=2, ge=0, le=24, description="stories of a scenario that the untuned model answers; 0: none")
    processes: int = Field(default=2, ge=1, description="processes for the tunings")


presets = {
    "smoke": Config(each=2, tunings=2, base="tiny", lessons=2, epochs=1, tested=1, raw=0, processes=1),
    "laptop": Config(),
    "paper": Config(tunings=10, lessons=24, tested=24, raw=24),
}


def run(config: Config, lab: Lab) -> Findings:
    """Generate, ask, tune, ask again, and measure."""
    findings = Findings()
    generated(findings)
    arms: dict[str, list[dict[str, Any]]] = {}
    items = [{"player": p, "each": config.each, "seed": lab.seed, "calibrate": False} for p in ARMS]
    for arm, rows in zip(ARMS.values(), lab.parts(answered, items), strict=True):
        arms[arm] = rows
        measured(findings, arm, _by(rows, "scenario"))
    _played(findings, lab)
    if config.tunings:
        names = ("base", "epochs", "rate")
        shared = {"each": config.lessons, "test": config.tested} | {name: getattr(config, name) for name in names}
        parts = lab.parts(tuned, [{"seed": s, **shared} for s in lab.seeds(config.tunings)], config.processes)
        arms[TUNED] = [row for part in parts for row in part]
        measured(findings, TUNED, parts, paper=True)
    if config.raw and lab.model and lab.model not in surrogates:
        _raw(config, lab, findings, arms)
    else:
        findings.note("No language model answered untuned in this run.")
    tabulated(findings, arms)
    shown = [arm for arm in ("egocentric", "surrogate", RAW, "raw, calibrated", TUNED) if arm in arms]
    caption = "Share of right answers over both twins, by question; faint: reminded of the own answer to the first."
    findings.figure("tiers", picture(findings, shown), caption)
    _tell(findings, config)
    return findings


def _by(rows: list[dict[str, Any]], key: str) -> list[list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return list(groups.values())


def _played(findings: Findings, lab: Lab) -> None:
    """The oracle in the world of questionnaires: the same questions, as a recorded run."""
    run = lab.simulate("oracle-reads", reading("oracle", 1, lab.seed), seed=lab.seed)
    share, n = marked(run, 1, lab.seed)
    label = "Right answers of the oracle as a respondent of the survey"
    findings.estimate("recorded", Estimate.exact(share, n), label, unit="%")


def _raw(config: Config, lab: Lab, findings: Findings, arms: dict[str, list[dict[str, Any]]]) -> None:
    """The language model as it is, without and with calibration."""
    base = {"player": lab.model, "each": config.raw, "seed": lab.seed}
    parts = lab.parts(answered, [{**base, "calibrate": calibrate} for calibrate in (False, True)])
    for arm, rows in zip((RAW, "raw, calibrated"), parts, strict=True):
        arms[arm] = rows
        measured(findings, arm, _by(rows, "scenario"), paper=True)
    if lab.model != EMBEDDED:
        findings.estimate(
            "strong_gap", findings.get("gap", RAW), f"Explicit minus applied accuracy of {lab.model}", unit="%"
        )


def _tell(findings: Findings, config: Config) -> None:
    def share(name: str, arm: str) -> str:
        return f"{findings.get(name, arm).value:.0%}"

    findings.summary = (
        "On stories without twins somebody who says no to everything would show a gap of "
        f"{share('original_gap', 'nay-sayer')} between saying who is aware and applying it; with twins its gap in d' is "
        f"{findings.get('d_gap', 'nay-sayer').value:.2f}."
    )
    if config.tunings:
        findings.summary += (
            f" A model tuned to say who is aware ({config.base}, half of the scenarios) is right in "
            f"{share('awareness', TUNED)} of held-out stories, in {share('behaviour', TUNED)} about what comes next and in "
            f"{share('judgement', TUNED)} about what is reasonable; reminded of its own answer, in "
            f"{share('behaviour_reminded', TUNED)} and {share('judgement_reminded', TUNED)}."
        )
    findings.note(
        "The stories are ours and stand for the paper's 1,147, which are not to be had here; the paper's figures are of "
        "stories without twins, where a constant answer can be right throughout. No answer rates of people are published."
    )
    findings.note(
        "Intervals are over scenarios for a single answerer and over tunings for the tuned model. Of the paper's "
        "interventions the reminder is tested; chains of thought are not: the embedded model writes none that hold."
    )


# --- the claims ---


def _stories(findings: Findings) -> Verdict:
    count, scenarios, texts, opposite = (findings.get(n).value for n in ("stories", "scenarios", "texts", "opposite"))
    said = f"{count:.0f} stories in {scenarios:.0f} scenarios, {texts:.0f} texts with twins, opposite in {opposite:.0%}"
    return holds(said) if count >= 200 and scenarios == 10 and texts == 2 * count and opposite == 1 else fails(said)


def _coded(findings: Findings, arm: str, unaware: float) -> Verdict:
    """Whether a coded policy is right in a share of unaware twins and in all aware ones, on all tiers."""
    found = {twin: [findings.get(f"{tier}_{twin}", arm).value for tier in TIERS] for twin in ("unaware", "aware")}
    said = "; ".join(f"{twin}: {', '.join(f'{v:.0%}' for v in values)}" for twin, values in found.items())
    said = f"right by tier: {said}"
    return holds(said) if set(found["unaware"]) == {unaware} and set(found["aware"]) == {1.0} else fails(said)


def _oracle(findings: Findings) -> Verdict:
    verdict, recorded = _coded(findings, "oracle", 1.0), findings.get("recorded")
    return verdict if recorded.value == 1 else fails(f"{verdict.reason}; in the recorded survey {recorded.value:.0%}")


def _constant(findings: Findings) -> Verdict:
    gap, original = findings.get("d_gap", "nay-sayer"), findings.get("original_gap", "nay-sayer")
    right = [findings.get(tier, "nay-sayer").value for tier in TIERS]
    said = (
        f"d' explicit minus applied is {gap.value:.2f}, accuracy {', '.join(f'{v:.0%}' for v in right)}; without twins the "
        f"gap would be {original.value:.0%}"
    )
    return holds(said) if abs(gap.value) < 1e-9 and set(right) == {0.5} and original.value == 1 else fails(said)


def _planted(findings: Findings) -> Verdict:
    gap, reminded = findings.get("gap", "surrogate"), findings.get("gap_reminded", "surrogate")
    said = f"the surrogate's gap is {gap.value:.0%} (planted: 50 %), with the reminder {reminded.value:.0%} (planted: 0)"
    return holds(said) if gap.value == 0.5 and reminded.value == 0 else fails(said)


def _carries(findings: Findings) -> Verdict:
    found = findings.get("awareness", TUNED)
    if not found.bounded:
        return not_tested("there are too few tunings for an interval")
    said = f"{found.value:.0%} [{found.low:.0%}, {found.high:.0%}] right on held-out scenarios, n = {found.n} tunings"
    return holds(said) if found.low > 0.5 else fails(f"{said}: not above one half")


def _model(findings: Findings) -> Verdict:
    if any(m.name == "strong_gap" for m in findings.measured):
        return not_tested("another model than the embedded one answered")
    seen = ", ".join(f"{tier} {findings.get(f'd_{tier}', 'raw, calibrated').value:.2f}" for tier in TIERS)
    found = positive(findings.get("d_gap", "raw, calibrated"), "d' explicit minus applied")
    return found._replace(reason=f"{found.reason} (d' by tier: {seen})")


def _strong(findings: Findings) -> Verdict:
    if not any(m.name == "strong_gap" for m in findings.measured):
        return not_tested("it takes a stronger model than the embedded one: give --model an endpoint")
    return positive(findings.get("strong_gap"), "explicit minus applied accuracy")


claims = (
    Claim(
        "stories-with-twins",
        "The generator yields at least 200 stories in 10 scenarios, each with an aware twin whose answers are opposite.",
        Reported("1,147 stories in 10 scenarios, without twins", "the authors' repository"),
        _stories,
    ),
    Claim("oracle-right", "Who goes by what the protagonist was told is right throughout.", None, _oracle),
    Claim(
        "egocentric-on-aware-twins-only",
        "Who assumes that everybody knows is always wrong on unaware stories and always right on their twins.",
        None,
        lambda f: _coded(f, "egocentric", 0.0),
    ),
    Claim(
        "constants-show-no-gap",
        "A constant answer, which without twins fakes a full gap, shows none in d' and is right half the time.",
        None,
        _constant,
    ),
    Claim(
        "planted-gap-found",
        "The gap and the effect of the reminder that are planted in the surrogate are found.",
        None,
        _planted,
    ),
    Claim(
        "explicit-tuning-carries-over",
        "Tuned to say who is aware in some scenarios, the model says it in others.",
        None,
        _carries,
    ),
    Claim(
        "tuned-gap",
        "Tuned on the explicit tier only, the model is better at saying who is aware than at applying it.",
        Reported("most models: mental state far above behaviour, above judgement", "abstract"),
        lambda f: positive(f.get("gap", TUNED), "explicit minus applied accuracy"),
    ),
    Claim(
        "reminder-shrinks-the-gap",
        "Reminded of its own explicit answer, the tuned model applies it more often.",
        Reported("GPT-4o: behaviour 49.5 to 93.5 %, judgement 15.3 to 94.7 %, with interventions", "abstract"),
        lambda f: positive(f.get("reminder", TUNED), "applied accuracy with minus without the reminder"),
    ),
    Claim(
        "behaviour-above-judgement",
        "The tuned model is better at what comes next than at what is reasonable.",
        Reported("GPT-4o: 49.5 against 15.3 %", "abstract"),
        lambda f: positive(f.get("behaviour_minus_judgement", TUNED), "behaviour minus judgement accuracy"),
    ),
    Claim(
        "raw-model-gap",
        "The untuned embedded model, calibrated, tells twins apart better on the explicit tier than on the applied ones.",
        None,
        _model,
    ),
    Claim(
        "stronger-models-gap",
        "Large language models say who is aware far better than they apply it.",
        Reported("GPT-4o: behaviour 49.5 %, judgement 15.3 %, mental state near 100 %", "abstract"),
        _strong,
    ),
)
