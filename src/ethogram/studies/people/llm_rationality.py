"""Language models as theories of people: do they take us for more rational than we are? Forward, in what they predict that
people choose; inverse, in what they think that a choice reveals.

*Forward*: problems of choices13k that are clear (no hidden probabilities, outcomes shown). Policies are correlated
(Spearman) with people's rates and with the choice of higher expected value, in which ties count a half; the rationality gap
G is the latter minus people's own. Whatever is fitted predicts problems that it was not fitted to. Models are asked to act,
to predict one person, or to forecast shares, directly and step by step, with the gambles named in both orders. A small
model is tuned on other problems: it reads `First: ... Second: ... Which machine does a person choose?` and answers in one
word, first or second. In every other lesson B is named first; when it is asked, and its untuned base beside it, log-odds
are means over both orders of the gambles and of the words.

*Inverse*: the 47 choices of Jern, Lucas and Kemp (2017), ranked by people as evidence for a preference, by Bayesian
inference about a softmax chooser, by counted features, and by models that compare pairs. Without that data set these claims
are not tested.

What a pilot settled (2026-11, before the first full run). The figures of the catalogue come from the whole file, which need
not be there: they count as reproduced within 0.005, as *done* asks, or where the interval of the part that is there holds
them. They come out with ties at a half; otherwise all lie 0.01 to 0.03 lower. A policy is measured by as many choices as
people made, five by each person, since recorded rates are means of five; the paper draws one for each person. That matters:
the gap of prospect theory is then 0.08; one choice each makes it -0.03 and hides that it predicts people better (the added
noise costs its correlation with people 0.1); its own probabilities, which hold no noise, 0.11. All three are reported. No
threshold was changed.

Two pilots of tuning learned nothing. By letter, 200 problems did no more than drop the bias. By words, 400 problems at a
rate of 0.001 brought the loss (mean of ten updates) from 0.94 to 0.70 nats; chance is 0.69, people's own shares are 0.58. On
40 other problems correlations with people were 0.20 (tuned), 0.21 (untuned) and 0.70 (prospect theory, fitted to the same
400). The full run keeps the words and gives the model 1,400 problems, which no pilot has tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.decisions.inverse import CONDITIONS, read_rankings
from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.records.reference import reference
from ethogram.seeds import derive, generator
from ethogram.studies import Findings, Lab, Paper
from ethogram.studies.people import _llm_rationality_findings as told
from ethogram.studies.people import _llm_rationality_forward as forward
from ethogram.studies.people import _llm_rationality_inverse as inverse
from ethogram.studies.people import _llm_rationality_model as models
from ethogram.studies.people import _llm_rationality_pictures as pictures
from ethogram.studies.people._llm_rationality_claims import DIRECT, claims
from ethogram.studies.people._llm_rationality_model import SURROGATE

__all__ = ["Config", "cell", "claims", "model", "paper", "presets", "run", "surrogates", "tags"]

paper = Paper(
    "Large Language Models Assume People are More Rational than We Really are",
    "Liu, Geng, Peterson, Sucholutsky, Griffiths",
    "arXiv 2406.17055, 2024",
    "https://arxiv.org/abs/2406.17055",
)
cell = "real data; coded, learned and prompted policies"
model = models.EMBEDDED
surrogates = (SURROGATE,)
tags = ("risky choice", "rationality", "inference of preferences", "human data", "tuning")
WAYS = tuple((framing, think) for think in (False, True) for framing in ("predict", "act", "share"))
"""Ways of asking a model: framing, and whether step by step."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    rows: int = Field(default=0, ge=0, description="rows of choices13k, drawn at random; 0: all that are there")
    folds: int = Field(default=5, ge=2, description="folds of problems for what is fitted")
    seeds: int = Field(default=5, ge=1, description="replications of folds and of drawn choices")
    resamples: int = Field(default=400, ge=20, description="bootstrap resamples of problems")
    inverse_resamples: int = Field(default=2000, ge=20, description="of people and choices")
    draws: int = Field(default=4000, ge=10, description="utilities drawn from the prior, each used 48 times")
    gambles: int = Field(default=150, ge=0, description="problems a model predicts directly; 0: no model is asked")
    acts: int = Field(default=50, ge=0, description="problems it acts in, directly")
    shares: int = Field(default=24, ge=0, description="problems it forecasts, directly")
    thoughts: int = Field(default=8, ge=0, description="problems of each framing that it thinks about step by step")
    outcomes: int = Field(default=6, ge=2, description="outcomes of both gambles together, in problems a model is asked")
    tokens: int = Field(default=80, ge=1, description="of its reasoning, at most")
    played: int = Field(default=10, ge=0, description="problems it plays in the world, recorded")
    cards: int = Field(default=14, ge=0, le=47, description="choices of which it compares all pairs; 0: none")
    conditions: tuple[str, ...] = Field(default=("positive",), description="in which it does; of positive, negative")
    lessons: int = Field(default=1400, ge=0, description="other problems that a model is tuned on; 0: none is")
    rate: float = Field(default=1e-3, gt=0, description="highest learning rate")
    base: str = Field(default="smollm2", description="the model that is tuned")
    processes: int = Field(default=2, ge=1, description="processes for what is fitted")


presets = {
    "smoke": Config(
        rows=400,
        folds=2,
        seeds=2,
        resamples=20,
        inverse_resamples=20,
        draws=50,
        gambles=20,
        acts=8,
        shares=8,
        thoughts=8,
        played=3,
        cards=6,
        lessons=12,
        base="tiny",
        processes=1,
    ),
    "laptop": Config(),
    "paper": Config(
        folds=10,
        resamples=2000,
        gambles=10_000,
        acts=10_000,
        shares=10_000,
        thoughts=1000,
        outcomes=64,
        tokens=500,
        cards=47,
        conditions=CONDITIONS,
        lessons=9000,
    ),
}


def run(config: Config, lab: Lab) -> Findings:
    """Fit and correlate coded policies, infer from choices, ask models, tune one."""
    findings = Findings()
    data = forward.people(config.rows, lab.seed)
    forward.tell_people(findings, data, config.resamples, lab.seed)
    data = forward.clear(data)
    predicted, chief = _policies(findings, config, lab, data)
    rankings = _rankings(findings)
    shown = inverse.tell(findings, rankings, config.draws, config.inverse_resamples, lab.seed) if rankings else {}
    prospect = np.mean(predicted["PT"], 0)
    names = [SURROGATE, lab.model] if lab.model and lab.model != SURROGATE else [SURROGATE]
    for name in names if config.gambles else []:
        _ask(findings, config, lab, name, data, prospect)
    for name in names if config.cards else []:
        _compare(findings, config, lab, name, rankings)
    if config.lessons and config.gambles:
        _tune(findings, config, lab, data, prospect)
    _draw(findings, data, chief, shown)
    _tell(findings, config, names, data)
    return findings


def _policies(findings: Findings, config: Config, lab: Lab, data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What coded policies predict for each clear problem, by policy; and the correlations of each."""
    common = {"rows": config.rows, "there": len(data), "folds": config.folds, "seeds": config.seeds}
    items = [{"policy": name, **common} for name in forward.POLICIES]
    found = lab.parts(forward.held_out, items, config.processes)
    predicted = {name: [np.array(one) for one in part] for name, part in zip(forward.POLICIES, found, strict=True)}
    chief = forward.tell_policies(findings, data, predicted, config.resamples, lab.seeds(config.seeds))
    return predicted, chief


def _rankings(findings: Findings) -> Mapping[str, NDArray[np.float64]] | None:
    """People's rankings, where they are."""
    try:
        return read_rankings(reference("preference-learning"))
    except DataError as error:
        findings.note(f"People's rankings of choices were not there, so that nothing inverse is set beside people: {error}")
        return None


def _ask(findings: Findings, config: Config, lab: Lab, name: str, data: Any, prospect: NDArray[np.float64]) -> None:
    """Put problems to a model in each way; the surrogate gets as many in all."""
    rows = models.chosen_rows(data, config.gambles, config.outcomes, lab.seed)
    counts = {("predict", False): config.gambles, ("act", False): config.acts, ("share", False): config.shares}
    found: dict[tuple[str, bool], told.Answers] = {}
    for way in WAYS:
        some = rows[: config.gambles if name == SURROGATE else counts.get(way, config.thoughts)]
        if len(some) < 3:
            continue
        item = {"player": name, "framing": way[0], "think": way[1], "tokens": config.tokens, "limit": config.rows}
        (scores,) = lab.parts(models.weighed, [{**item, "rows": some.tolist()}])
        found[way] = told.Answers(some, scores)
        told.tell_answers(findings, name, way, found[way], data, prospect, config.resamples, lab.seeds(config.seeds))
    if DIRECT in found and ("predict", True) in found:
        thought = found["predict", True]
        told.tell_thinking(findings, name, found[DIRECT], thought, data, config.resamples, lab.seeds(config.seeds))
    if config.played:
        cache = "" if name == SURROGATE else str((lab.dir / "answers.sqlite").resolve())
        made = models.between(name, rows[: config.played].tolist(), config.rows, lab.seed, cache)
        lab.simulate(f"played-{'surrogate' if name == SURROGATE else 'model'}", made)


def _compare(findings: Findings, config: Config, lab: Lab, name: str, rankings: Any) -> None:
    """Let a model compare choices; the surrogate does so in both conditions."""
    cards = models.chosen_cards(config.cards, config.draws, lab.seed)
    for condition in CONDITIONS if name == SURROGATE else config.conditions:
        (result,) = lab.parts(models.compared, [{"player": name, "condition": condition, "cards": cards}])
        about = (rankings, config.draws, config.inverse_resamples, lab.seed)
        told.tell_pairs(findings, name, condition, cards, result, *about)


def _tune(findings: Findings, config: Config, lab: Lab, data: Any, prospect: NDArray[np.float64]) -> None:
    """Tune a model on other problems than those it is then asked, and ask it."""
    from ethogram.language.tuning import tune

    rows = models.chosen_rows(data, config.gambles, config.outcomes, lab.seed)
    others = models.chosen_rows(data, len(data), config.outcomes, derive(lab.seed, "lessons"))
    others = others[~np.isin(data.problem[others], data.problem[rows])][: config.lessons]
    seed = int(generator(lab.seed, "tuning").integers(2**31))

    def make(folder: Path) -> None:
        tune(models.lessons(data, others), folder, base=config.base, rate=config.rate, seed=seed)

    folder = lab.made(f"tuned-{config.base}-{len(others)}", make)
    chance, plain = (models.foretold(where, config.base, data, rows) for where in (folder, None))
    told.tell_tuned(findings, rows, chance, plain, data, prospect, config.resamples, lab.seed)
    findings.note(
        f"The tuned model is {config.base} with LoRA, tuned once on people's shares in {len(others)} problems. None is "
        f"among the {len(rows)} problems it is measured on. The luck of that one fit is not in the intervals."
    )


def _draw(findings: Findings, data: Any, chief: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    """The pictures."""
    panels = {"coded policies, all clear problems": {name: pair for name, pair in chief.items() if name != "random"}}
    own = {"coded policies, all clear problems": findings.get("rho_ev", forward.HUMAN).value}
    asked = {}
    for m in findings.measured:
        if m.name == "rho_people" and (m.arm == "tuned" or (m.arm.startswith("model") and ";" not in m.arm)):
            asked[m.arm.split(": ", 1)[-1].split(", ", 1)[-1]] = m.estimate, findings.get("rho_ev", m.arm)
    if asked:
        panels["language model, its problems"] = asked
        own["language model, its problems"] = next(
            m.estimate.value for m in findings.measured if m.arm.endswith("people on the same problems")
        )
    findings.figure(
        "plane",
        pictures.plane_picture(panels, own),
        "Correlations of policies with the choice of higher expected value (across) and with people's rates (up), with 95 % "
        "intervals over problems. People's own correlation with expected value is dashed: right of it a policy is more "
        "rational than people.",
    )
    if shown:
        findings.figure(
            "rankings",
            pictures.rankings_picture(shown, (inverse.RULE, inverse.ABSOLUTE)),
            "How strongly each of 47 choices suggests a preference: people's mean rank, over the rank by inference about "
            "utilities and by a count of attributes forgone minus chosen.",
        )


def _tell(findings: Findings, config: Config, names: list[str], data: Any) -> None:
    """The summary, and what the findings stand for."""
    gap, pt = findings.get("gap", forward.MAXIMISER), findings.get("gap", "PT")
    more, own = findings.get("pt_minus_ev", "as often as people"), findings.get("rho_ev", forward.HUMAN)
    findings.summary = (
        f"On {len(data):,} clear problems people's rates correlate {_said(own)} with the choice of higher expected value. A "
        f"maximiser of expected value is more rational than that by {_said(gap)}, prospect theory fitted to other problems "
        f"by {_said(pt)}; its correlation with people is higher by {_said(more)}."
    )
    relative = [m for m in findings.measured if m.name == "inverse_rho" and m.arm.endswith(f", {inverse.RELATIVE}")]
    if relative:
        said = ", ".join(f"{_said(m.estimate)} ({m.arm.split(',')[0]} attributes)" for m in relative)
        findings.summary += f" What choices reveal by relative utility correlates with people's rankings {said}."
    asked = {m.arm: m.estimate for m in findings.measured if m.name == "rho_people"}
    direct = told.arm(names[-1], *DIRECT)
    if names[-1] != SURROGATE and direct in asked:
        findings.summary += f" {names[-1]}'s direct predictions correlate {_said(asked[direct])} with people."
    if "tuned" in asked:
        findings.summary += f" Tuned on other problems, those of {config.base} correlate {_said(asked['tuned'])}."
    findings.note(
        "The surrogate is a stated law, no model and no person: prospect theory between gambles, expected values where it "
        f"has written them down, the utilities that a choice reveals, and {models.FIRST:g} nats for what stands first. That "
        "what was put in is found shows that the measures work."
    )
    findings.note(
        f"Models are asked about problems with at most {config.outcomes} outcomes in both gambles together; what they are "
        "set beside (people, prospect theory) is measured on the same problems."
    )
    if len(names) > 1:
        findings.note(
            "A model's answers are kept as parts of the study and not as runs, but for the few problems it plays in the "
            "world, so that most of its calls are not in the count of the run's cost."
        )
    if len(names) == 1 or not config.gambles:
        findings.note("No language model played in this run.")


def _said(found: Estimate) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
