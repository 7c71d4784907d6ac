"""SPeCtrum: social identity, personal identity and the context of a life as parts of a persona, taken apart.

*Planted people* have a latent identity of which three descriptions are made (S, P, C), and twenty statements in other
words (`_spectrum_people` states the law). The seven combinations are compared by how well the twenty statements of a
person are matched to it among all descriptions: by embeddings, a statement counts for the nearest sentence of a
description. Controls: C of somebody else, and C without the words that it shares with the person's statements.

*Real people* (`psych/bfi`): half of the items predicted from gender, age and education (S), from the other half (P), and
from both; and a model that is told S, P or both answers as they did. For these people there is no C.

*Judges* play a person and accept or reject statements, its own and others': a surrogate with a stated law, one that
always says yes, and a language model. The paper's Guess Who is left out: planted people have no names to be known by.

That C is ahead is not a finding about people: half of what planted people say of themselves is about their lives. The
study therefore also shows at which share S, P and C would be level. What a pilot settled (2026-11, one population, before
the first full run): the unit is a person's twenty statements, since by one statement no description finds its person well
(C 0.12 against a chance of 0.08); vectors are taken less what all texts have in common; P leaves out what is middling and
what does not matter, which embeddings cannot tell from what does; the surrogate's bar lies between the cosines of own and
of others' statements. No threshold was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.studies import Findings, Lab, Paper
from ethogram.studies.people import _spectrum_asked as asked
from ethogram.studies.people import _spectrum_bfi as real
from ethogram.studies.people import _spectrum_findings as told
from ethogram.studies.people import _spectrum_judge as judges
from ethogram.studies.people import _spectrum_people as planted
from ethogram.studies.people import _spectrum_retrieval as retrieval
from ethogram.studies.people._spectrum_claims import claims
from ethogram.studies.people._spectrum_judge import EMBEDDED, SURROGATE, YES_SAYER

__all__ = ["Config", "cell", "claims", "model", "paper", "presets", "run", "surrogates", "tags"]

paper = Paper(
    "SPeCtrum: A Grounded Framework for Multidimensional Identity Representation in LLM-Based Agent",
    "Lee, Kim, Lee, Eun, Ko, Jeon, Kim, Cho, Yang, Kim, Lim",
    "NAACL 2025",
    "https://arxiv.org/abs/2502.08599",
)
cell = "coded world; prompted policies"
model = EMBEDDED
surrogates = (SURROGATE,)
tags = ("identity", "personas", "questionnaires", "embeddings", "human data")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    people: int = Field(default=80, ge=10, description="planted people in a population")
    seeds: int = Field(default=8, ge=2, description="populations")
    real: int = Field(default=0, ge=0, description="real people; 0: all that are there")
    halves: int = Field(default=10, ge=1, description="splits of the items into halves")
    folds: int = Field(default=5, ge=2, description="folds of real people")
    judged: int = Field(default=20, ge=2, description="people of each population that coded judges play")
    statements: int = Field(
        default=10, ge=1, le=20, description="of its own, and of others, that each person is asked about"
    )
    views: tuple[str, ...] = Field(
        default=("S", "P", "C", "SPC", retrieval.SHUFFLED), description="descriptions that a language model is told"
    )
    model_judged: int = Field(default=10, ge=0, description="people that it plays, of the first population; 0: none")
    model_statements: int = Field(default=5, ge=1, le=20, description="of its own, and of others, that it is asked about")
    answers_as: int = Field(
        default=8, ge=0, description="real people as whom it answers; the surrogate answers as 25 times as many"
    )
    answers_items: int = Field(default=3, ge=1, le=10, description="held-out items of each that are asked for")
    processes: int = Field(default=2, ge=1, description="processes for what needs no language model")


presets = {
    "smoke": Config(
        people=12,
        seeds=2,
        real=200,
        halves=2,
        folds=2,
        judged=3,
        statements=3,
        views=("SPC", retrieval.SHUFFLED),
        model_judged=2,
        model_statements=1,
        answers_as=2,
        answers_items=1,
        processes=1,
    ),
    "laptop": Config(),
    "paper": Config(
        people=80, seeds=20, halves=50, judged=80, views=retrieval.VIEWS[:-1], model_judged=80, model_statements=20
    ),
}


def run(config: Config, lab: Lab) -> Findings:
    """Match statements to planted people, predict real ones, let judges accept or reject."""
    findings = Findings()
    populations = [{"people": config.people, "seed": seed} for seed in lab.seeds(config.seeds)]
    matched = lab.parts(retrieval.retrieved, populations, config.processes)
    told.tell_retrieval(findings, matched, config.people, lab.seed)
    _real(findings, config, lab)
    for view in retrieval.VIEWS[:-1]:
        _judge(findings, config, lab, SURROGATE, view, populations)
    _judge(findings, config, lab, YES_SAYER, "SPC", populations)
    if lab.model and lab.model != SURROGATE and config.model_judged:
        for view in config.views:
            _judge(findings, config, lab, lab.model, view, populations[:1])
    told.draw_judges(findings)
    _play(config, lab, populations[0])
    _tell(findings, config, lab)
    return findings


def _real(findings: Findings, config: Config, lab: Lab) -> None:
    """Predict real people's items, where they are."""
    items = [{"people": config.real, "seed": seed, "folds": config.folds} for seed in lab.seeds(config.halves)]
    try:
        told.tell_real(findings, lab.parts(real.accuracies, items))
        if config.answers_as:
            _answer(findings, config, lab)
    except DataError as error:
        findings.note(f"Real people's items were not there, so that nothing was predicted of real people: {error}")


def _answer(findings: Findings, config: Config, lab: Lab) -> None:
    """Let the surrogate and the model answer as real people."""
    for player in [SURROGATE, lab.model] if lab.model and lab.model != SURROGATE else [SURROGATE]:
        count = config.answers_as * (25 if player == SURROGATE else 1)
        (people,) = lab.parts(asked.answers_as, [{"player": player, "people": count, "items": config.answers_items}])
        told.tell_asked(findings, player, people)


def _judge(
    findings: Findings, config: Config, lab: Lab, judge: str, view: str, populations: Sequence[dict[str, Any]]
) -> None:
    """Let a judge play people of all populations as they are described in a view."""
    coded = judge in (SURROGATE, YES_SAYER)
    judged, statements = (config.judged, config.statements) if coded else (config.model_judged, config.model_statements)
    how = {"judge": judge, "view": view, "judged": min(judged, config.people), "statements": statements}
    items = [{**population, **how} for population in populations]
    people = [one for part in lab.parts(judges.accepted, items) for one in part]
    told.tell_judge(findings, judge, view, people)


def _play(config: Config, lab: Lab, population: dict[str, Any]) -> None:
    """Record a few people answering the statements in the world of surveys."""
    few = {**population, "judged": 2, "statements": min(2, config.model_statements)}
    lab.simulate("played-surrogate", judges.twenty_statements(SURROGATE, "SPC", **few))
    if lab.model and lab.model != SURROGATE and config.model_judged:
        cache = str((lab.dir / "answers.sqlite").resolve())
        lab.simulate("played-model", judges.twenty_statements(lab.model, "SPC", **few, cache=cache))


def _tell(findings: Findings, config: Config, lab: Lab) -> None:
    """The summary, and what the findings stand for."""
    by = {view: _said(findings.get("mrr", view)) for view in ("S", "P", "C", "SPC")}
    findings.summary = (
        f"Among {config.people} planted people, twenty statements find their person with a mean reciprocal rank of "
        f"{by['C']} by "
        f"the context of its life, {by['S']} by its social and {by['P']} by its personal identity, and {by['SPC']} by "
        "all three."
    )
    level = findings.get("level_share")
    findings.summary += (
        f" C would be no better than the others if lives were {100 * level.value:.0f}% of what they say, or less."
    )
    arms = {m.arm for m in findings.measured if m.name == "accuracy"}
    if arms:
        known = {arm: _said(findings.get("accuracy", arm)) for arm in ("mean", "S", "P", "SP")}
        findings.summary += (
            f" Half of real people's items is predicted to {known['P']} from the other half, {known['S']} from "
            "gender, age and "
            f"education, {known['SP']} from both, and {known['mean']} from means."
        )
    judged = [m for m in findings.measured if m.name == "tells_apart" and m.arm.startswith("model: ")]
    whole = next((m for m in judged if m.arm.endswith(", SPC")), None)
    if whole is not None:
        findings.summary += (
            f" {lab.model}, told all three parts, accepts own rather than others' statements by {_said(whole.estimate)}."
        )
    else:
        findings.note("No language model judged in this run.")
    shares = ", ".join(f"{count} about {kind}" for kind, count in planted.SHARES.items())
    findings.note(
        f"Planted people are made up by a stated law; of their twenty statements {shares}. That C is ahead follows "
        "from that "
        "share, which the figure varies; it says that description and measure carry what was planted, nothing about people."
    )
    findings.note(
        "As real people the surrogate answers with the mean of what it is told of the same trait, by the published keys "
        f"({asked.SHARP:g} nats off for each point of the scale); a model is told the same and knows no keys."
    )
    findings.note(
        f"The surrogate judge is a stated law: log-odds of yes of {judges.SLOPE:g} times (the cosine of a statement "
        "with the "
        f"nearest sentence of the description - {judges.BAR:g}), and {judges.FIRST:g} nats for what stands first, "
        "which averaging "
        "over orders takes out."
    )
    findings.note(
        "Personality is answered and scored with the IPIP-50, values with ethogram's own value portraits, in place "
        "of the BFI-2-S "
        "and PVQ-21. The paper's characters and its 80 people are not here: the first have no licence, the others "
        "are not public."
    )


def _said(found: Estimate) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
