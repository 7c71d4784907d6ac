"""Twins of single people: experiments with known effects, answers left out, and recorded twins beside their people.

*Experiments*: thirteen classic between-subject experiments are run from questionnaire to effect size. Coded respondents have
effects that are known exactly (as people have them, none, reversed); a language model answers those with options.

*Answers left out*: people answered 25 items of the Big Five (SAPA). Each item of people held out is predicted from their
other answers: at random, by the items' means, demographics, ridge, gradient boosting, and by language models that read the
person in a line (age, gender, yes or no to the four items that go with it most closely): their own, somebody else's, or
masked. They say yes or no; on the scale, either counts what people who are not held out answered on that side of the middle.
The tuned model learns from these: how the twenty whose answers in the line are nearest answered. Accuracy is
1 - |guess - answer| / range of the scale; the individual correlation is what is left once the items' means are taken off.
Split halves are printed as ceiling.

What a pilot settled (2026-11, before the first full run). Asked for one of the six answers, the tuned model learned nothing:
by a line of the five scores in words its loss stayed at chance (480 lessons), by four answers as they were given its
individual correlation was 0.01 (400 lessons). Asked for yes or no by letter, in shorter prompts, it came to 0.10 with 400
lessons (0.05 by somebody else's line) on 50 people. The trouble was the letters: with 320 lessons that it answered in the
words yes and no themselves, its chances correlated 0.66 with the shares of 120 other lessons (untuned -0.02). So models
answer in these words (endpoints by letter), and it gets 1,000 lessons at a rate of 0.001. No threshold was changed.

*Recorded twins*: of the mega-study (language models that were given all answers of a person to Twin-2K-500), beside their
people. Its table has no arms, so that effects are differences within people.

The answers of Twin-2K-500 itself, with their retest, were not reached; `questionnaires.datasets.twin2k` reads their layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.studies import Findings, Lab, Paper
from ethogram.studies.people import _twin_2k_500_bfi as left_out
from ethogram.studies.people import _twin_2k_500_experiments as experiments
from ethogram.studies.people import _twin_2k_500_findings as told
from ethogram.studies.people import _twin_2k_500_mega as mega
from ethogram.studies.people import _twin_2k_500_model as models
from ethogram.studies.people import _twin_2k_500_pictures as pictures
from ethogram.studies.people._twin_2k_500_claims import TUNED, claims
from ethogram.studies.people._twin_2k_500_model import PERSONAS, SURROGATE

__all__ = ["Config", "cell", "claims", "model", "paper", "presets", "run", "surrogates", "tags"]

paper = Paper(
    "Twin-2K-500: A dataset for building digital twins of over 2,000 people based on their answers to over 500 questions",
    "Toubia, Gui, Peng, Merlau, Li, Chen",
    "arXiv 2505.17479, 2025",
    "https://arxiv.org/abs/2505.17479",
)
cell = "coded world and real data; coded, learned and prompted policies"
model = models.EMBEDDED
surrogates = (SURROGATE,)
tags = ("survey", "personas", "heuristics and biases", "human data", "tuning")
Array = NDArray[np.float64]
RATE = 1e-3
"""Of the tuning, at its highest."""


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    respondents: int = Field(default=200, ge=20, description="respondents of each experiment")
    seeds: int = Field(default=5, ge=1, description="replications of each experiment")
    model_respondents: int = Field(default=100, ge=0, description="answers drawn from a language model in each; 0: none")
    people: int = Field(default=0, ge=0, description="people of the Big-Five data, drawn at random; 0: all")
    share: float = Field(default=0.2, gt=0, lt=1, description="of them who are held out")
    resamples: int = Field(default=400, ge=20, description="of each bootstrap")
    told: int = Field(default=80, ge=0, description="people held out whom surrogate and tuned model are asked about; 0: all")
    told_items: int = Field(default=5, ge=1, le=25, description="items that they are asked for, of each")
    raw: int = Field(default=15, ge=0, description="people whom a language model is asked about as it is; 0: none")
    raw_items: int = Field(default=4, ge=1, le=25, description="items that it is asked for, of each")
    lessons: int = Field(default=1000, ge=0, description="lessons that a model is tuned on; 0: none is")
    alike: int = Field(default=20, ge=1, description="people whose answers are the shares of a lesson")
    base: str = Field(default="smollm2", description="the model that is tuned")
    processes: int = Field(default=2, ge=1, description="processes for experiments and what is fitted")


presets = {
    "smoke": Config(
        respondents=60,
        seeds=1,
        model_respondents=12,
        people=250,
        resamples=20,
        told=12,
        told_items=4,
        raw=3,
        raw_items=2,
        lessons=16,
        base="tiny",
        processes=1,
    ),
    "laptop": Config(),
    "paper": Config(
        respondents=1000,
        seeds=20,
        model_respondents=1000,
        resamples=2000,
        told=0,
        told_items=25,
        raw=487,
        raw_items=25,
        lessons=20_000,
    ),
}


def run(config: Config, lab: Lab) -> Findings:
    """Run experiments, predict what was left out, and set recorded twins beside their people."""
    findings = Findings()
    name = lab.model if lab.model != SURROGATE else ""
    _experiments(findings, config, lab, name)
    try:
        known = left_out.people(config.people, config.share, lab.seed)
    except DataError as error:
        findings.note(f"The Big-Five answers were not there, so that nothing was predicted from people's answers: {error}")
    else:
        _left_out(findings, config, lab, known, name)
    try:
        data = mega.mega()
    except DataError as error:
        findings.note(f"The recorded twins were not there: {error}")
    else:
        _mega(findings, config, lab, data)
    _tell(findings, config, name)
    return findings


def _experiments(findings: Findings, config: Config, lab: Lab, name: str) -> None:
    """Coded respondents in all experiments, and a language model in those with options."""
    items = [
        {"who": kind, "seed": seed, "respondents": config.respondents, "experiments": experiments.names()}
        for kind in experiments.CODED
        for seed in lab.seeds(config.seeds)
    ]
    found = iter(lab.parts(experiments.measured, items, config.processes))
    told.tell_experiments(findings, {kind: [next(found) for _ in range(config.seeds)] for kind in experiments.CODED})
    if name and config.model_respondents:
        wanted = experiments.names(experiments.LISTED)
        cache = str((lab.dir / "answers.sqlite").resolve())
        item = {
            "who": name,
            "seed": lab.seed,
            "respondents": config.model_respondents,
            "experiments": wanted,
            "cache": cache,
        }
        (answers,) = lab.parts(experiments.measured, [item])
        told.tell_model_effects(findings, name, answers)
    tables = findings.tables
    shown = {row["contrast"]: row for row in tables["model_effects"].frame.to_dicts()} if "model_effects" in tables else {}
    findings.figure(
        "effects",
        pictures.effects_picture(tables["experiments"].frame.to_dicts(), shown, name),
        "Effects of coded respondents in between-subject experiments: what was put in (black) and what was found, mean of "
        f"{config.seeds} seeds with its interval." + (" Squares: the language model without a persona." if shown else ""),
    )


def _left_out(findings: Findings, config: Config, lab: Lab, known: left_out.People, name: str) -> None:
    """What is guessed of the answers of people who are held out."""
    common = {"people": config.people, "share": config.share, "seed": lab.seed}
    found = lab.parts(left_out.fitted, [{"method": m, **common} for m in ("item mean", *left_out.FITTED)], config.processes)
    fitted = {m: np.array(one) for m, one in zip(("item mean", *left_out.FITTED), found, strict=True)}
    everything = {"random": left_out.at_random(known, lab.seed), **fitted}
    tell = partial(told.tell_guesses, findings, known, resamples=config.resamples, seed=lab.seed)
    tell(guesses=everything)
    told.tell_mean_r(findings, known, fitted["ridge"], "ridge")
    label = "Reliability of the five scores: the ceiling"
    findings.estimate("split_half", left_out.split_half(known.answers, config.resamples // 4, lab.seed), label)
    asked = {**common, "count": config.told, "items": config.told_items}
    _asked(findings, config, known, asked, SURROGATE, fitted, lab)
    if config.lessons:
        _asked(findings, config, known, {**asked, "folder": _tuned(config, lab, known)}, TUNED, fitted, lab)
    if name and config.raw:
        _asked(findings, config, known, {**common, "count": config.raw, "items": config.raw_items}, name, fitted, lab)
    _draw_guesses(findings)


def _tuned(config: Config, lab: Lab, known: left_out.People) -> str:
    """The name of the tuned model among what the lab keeps."""
    from ethogram.language.tuning import tune

    def make(folder: Path) -> None:
        tune(
            models.lessons(known, config.lessons, config.alike, lab.seed), folder, base=config.base, rate=RATE, seed=lab.seed
        )

    return lab.made(f"tuned-{config.base}-{config.lessons}-{config.alike}-{config.people}", make).name


def _asked(
    findings: Findings,
    config: Config,
    known: left_out.People,
    item: Mapping[str, Any],
    name: str,
    fitted: Mapping[str, Array],
    lab: Lab,
) -> None:
    """Ask a model about people in a line, and set it beside what is fitted, on the same answers."""
    pairs = models.asked(known, item["count"], item["items"], item["seed"])
    guesses = {}
    for persona in PERSONAS:
        part = {**item, "persona": persona}
        (chances,) = lab.parts(*((models.tuned, [part]) if name == TUNED else (models.answered, [{**part, "player": name}])))
        guesses[told.who(name, persona)] = models.guesses(known, pairs, chances)
    beside = {m: fitted[m] for m in ("item mean", "ridge on the line", "ridge")}
    everything = {**guesses, **{f"{m}, asked of {name}": guess for m, guess in beside.items()}}
    drawn = told.tell_guesses(findings, known, everything, config.resamples, lab.seed)
    own, n = told.who(name, "own"), len({row for row, _ in pairs})
    for key, other in (
        ("over_shuffled", told.who(name, "shuffled")),
        ("over_masked", told.who(name, "masked")),
        ("over_line_ridge", f"ridge on the line, asked of {name}"),
        ("over_ridge", f"ridge, asked of {name}"),
    ):
        told.tell_difference(findings, drawn, key, own, other, n)


def _draw_guesses(findings: Findings) -> None:
    """The picture of accuracy and correlation."""

    def pair(arm: str) -> tuple[Estimate, Estimate]:
        return findings.get("accuracy", arm), findings.get("correlation", arm)

    arms = [m.arm for m in findings.measured if m.name == "accuracy"]
    panels = {"all items of all held out": {a: pair(a) for a in ("random", "item mean", *left_out.FITTED)}}
    asked = [a for a in arms if a.startswith(f"{TUNED}, ") or a.endswith(f"asked of {TUNED}")]
    if asked:
        panels["what the tuned model is asked"] = {a.removesuffix(f", asked of {TUNED}"): pair(a) for a in asked}
    findings.figure(
        "guesses",
        pictures.guesses_picture(panels),
        "What is guessed of people's answers to an item from their other answers: accuracy (across), in which the items' "
        "means do well, and individual correlation (up), in which they have none; 95 % intervals over people.",
    )


def _mega(findings: Findings, config: Config, lab: Lab, data: mega.Mega) -> None:
    contrasts = told.tell_mega(findings, data, config.resamples, lab.seed)
    s = data.samples
    findings.note(
        f"Recorded twins: {len(s.people):,} pairs, {len(s.items)} items of {len(set(data.studies))} studies. Left out, for "
        f"want of a scale or with answers off it: {', '.join(data.left_out) or 'none'}. No retest is in the data."
    )
    if contrasts:
        findings.figure(
            "contrasts",
            pictures.contrasts_picture(contrasts),
            "Differences between questions that the same people answered: among people (across) and among their recorded "
            "twins (up). On the dashed line twins are as people are.",
        )


def _tell(findings: Findings, config: Config, name: str) -> None:
    """The summary, and what the findings stand for."""
    recovered, false = findings.get("covered", "classic"), findings.get("found", "none")
    findings.summary = (
        f"{findings.get('experiments').value:.0f} between-subject experiments were run with coded respondents: "
        f"{recovered.value:.0%} of planted effects lie in their intervals, and of nulls {false.value:.0%} are found."
    )
    shown = {(m.name, m.arm): m.estimate for m in findings.measured}
    if ("accuracy", "ridge") in shown:
        findings.summary += (
            f" On Big-Five items left out, ridge is accurate to {shown['accuracy', 'ridge'].value:.1%} and guessing the "
            f"mean to {shown['accuracy', 'item mean'].value:.1%}; beyond the means ridge correlates "
            f"{_said(shown['correlation', 'ridge'])} with single people"
        )
        own = told.who(TUNED, "own")
        if ("correlation", own) in shown:
            findings.summary += (
                f", and the tuned {config.base} by a line about each {_said(shown['correlation', own])} (by somebody else's "
                f"{_said(shown['correlation', told.who(TUNED, 'shuffled')])}), on the part that it was asked"
            )
        findings.summary += "."
    if ("mega_accuracy", "twins") in shown:
        findings.summary += (
            f" Recorded twins are accurate to {shown['mega_accuracy', 'twins'].value:.1%}, guessing the mean to "
            f"{shown['mega_accuracy', 'item mean'].value:.1%}; beyond the means they correlate "
            f"{_said(shown['mega_correlation', ''])} with their people."
        )
    findings.note(
        "The experiments are the classic ones in words of our own, not the questionnaire of Twin-2K-500. Coded respondents "
        "are laws, not people: that their effects are found shows that the engine and the measures work."
    )
    findings.note(
        "The Big-Five answers stand in for those of Twin-2K-500. They are of one sitting, so that split halves of the "
        "scores, not a retest, are the ceiling; the surrogate is a stated law that reads the line."
    )
    if config.lessons:
        findings.note(
            f"The tuned model is {config.base} with LoRA, tuned once on {config.lessons} questions about people who are not "
            f"held out; the shares of a lesson are the answers of the {config.alike} of them whose lines are most "
            "alike. The luck of that one fit is not in the intervals."
        )
    if not name:
        findings.note("No language model played in this run but the tuned one.")


def _said(found: Estimate) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
