"""`deep-binding` as a language model plays it, untuned: it answers thermometers at each depth, tells its story, and vets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.measures import Estimate, paired_difference, proportion
from ethogram.policies.prompted.backstory import ModelWriter, Story, interview, traits
from ethogram.policies.prompted.consistency import PromptedCritic, StatementCritic
from ethogram.questionnaires import Block, Questionnaire, instrument
from ethogram.studies import Findings, Lab, Reported
from ethogram.studies.people._deep_binding_cells import cells, estimated
from ethogram.studies.people._deep_binding_parts import pairs
from ethogram.studies.people._deep_binding_people import ITEMS, OPTIONS, SIDES, drawn, messages, personas, story, tested

if TYPE_CHECKING:
    import polars as pl

    from ethogram.language import LanguageModel

__all__ = ["DEPTHS", "judged", "played"]

Array = NDArray[np.float64]

DEPTHS = ("none", "line", "biography", "answers", "story", "backstory")
"""What a model is told it is, from nothing to a transcript of its own."""
ASKED = ("origins", "family", "work", "home", "public")
"""The questions of the interview in which the model tells its story."""
CRITIC = Reported("critic lowers the mismatch by 41 to 54 %", "third-party notes, not verified")


def played(findings: Findings, lab: Lab, each: int, seed: int, draws: int) -> None:
    """Distances of the untuned model at each depth in the last year, and what its interviews were like."""
    people = tested().filter(tested()["year"] == tested()["year"].max())
    people = drawn(people, each, seed)
    opened = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()), seed=seed)
    found = run_coroutine(_all(opened, people))
    for depth in DEPTHS:
        arm = f"{lab.model}, {depth}"
        came = cells(found[depth], people, seed, draws)
        what = f"mean over items, {came.years[0]}"
        findings.estimate(
            "model_distance",
            estimated(came.distances(), people.height, what, recentred=True),
            "Wasserstein distance, untuned",
            arm=arm,
        )
        for j, side in enumerate(SIDES):
            gap = estimated(came.gaps()[:, 0, j], people.height, "own minus other party")
            findings.estimate(f"model_gap_{side.lower()}", gap, f"Gap of {side}s, untuned", arm=arm, unit="degrees")
    line, deep = (cells(found[depth], people, seed, draws).distances() for depth in ("line", "backstory"))
    findings.estimate(
        "model_gain",
        estimated(1 - deep / line, people.height, "1 - backstory / line"),
        "Untuned: distance lower with a backstory than with a line",
        unit="%",
        paper=Reported("up to 87 % lower than earlier persona methods", "abstract", 0.87),
    )
    _interviewed(findings, lab, found["stories"], found["party"], people["party"].to_list())


async def _all(opened: LanguageModel, people: pl.DataFrame) -> dict[str, Any]:
    """The model's interviews, and its answers at all depths: shares of the options, shape (people, items, options)."""
    form = instrument("life-story")
    short = Questionnaire(title=form.title, block=[Block(name="life", item=[form.items[name] for name in ASKED])])
    rows = list(people.iter_rows(named=True))
    writer = ModelWriter(opened, {row["respondent"]: story(row) for row in rows}, max_tokens=70)
    critic = StatementCritic()
    async with opened:
        stories = [await interview(row["respondent"], writer, critic, form=short) for row in rows]  # one by one: see cache
        told = [personas(row) | {"backstory": one.text()} for row, one in zip(rows, stories, strict=True)]
        parties = [row["party"] for row in rows]
        asked: dict[str, Any] = {d: await _answers(opened, [one[d] for one in told], parties) for d in DEPTHS}
        question = ("Which party do you feel closer to?", [f"the {side} side" for side in ("Democratic", "Republican")])
        read = await asyncio.gather(*(traits(opened, one, {"party": question}) for one in stories))
    return asked | {"stories": stories, "party": [one["party"] for one in read]}


async def _answers(opened: LanguageModel, told: Sequence[str], parties: Sequence[str]) -> Array:
    """What the model answers with each persona; a persona that is asked twice is asked once."""
    rng = np.random.default_rng(0)  # only the probabilities are taken
    who = [(text, party if text else "") for text, party in zip(told, parties, strict=True)]
    keys = dict.fromkeys((text, item, party) for text, party in who for item in ITEMS)
    chosen = await asyncio.gather(
        *(opened.choose(messages(*key), OPTIONS, rng=rng, agent=key[1], purpose="answer") for key in keys)
    )
    found: Mapping[tuple[str, str, str], Array] = dict(zip(keys, (one.probabilities for one in chosen), strict=True))
    return np.array([[found[text, item, party] for item in ITEMS] for text, party in who])


def _interviewed(
    findings: Findings, lab: Lab, stories: Sequence[Story], party: Sequence[Array], true: Sequence[str]
) -> None:
    """What was rejected in the model's interviews, and whether the party can be read out of its stories."""
    answers = sum(len(one.told) + len(one.rejected) for one in stories)
    rejected = sum(len(one.rejected) for one in stories) + sum(bool(t.faults) for one in stories for t in one.told)
    findings.estimate(
        "model_rejected", proportion(rejected, answers), "Answers of its interviews rejected", arm=lab.model, unit="%"
    )
    words = np.mean([len(one.text().split()) for one in stories])
    findings.estimate("model_words", Estimate.exact(float(words), len(stories), "mean"), "Words of a story", arm=lab.model)
    right = sum(SIDES[int(p.argmax())] == side for p, side in zip(party, true, strict=True))
    findings.estimate(
        "model_party", proportion(right, len(true)), "Party read out of its stories rightly", arm=lab.model, unit="%"
    )


def judged(findings: Findings, lab: Lab, count: int, seed: int, oblique: float) -> None:
    """What the model says of contradictory and of honest answers, as a critic."""
    tried = pairs(count, seed, oblique)
    opened = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()), seed=seed)
    critic = PromptedCritic(opened)

    async def ask() -> list[tuple[float, float]]:
        async with opened:
            asked = [
                asyncio.gather(
                    *(critic.probability(one.story, one.question, said) for said in (one.honest, one.contradictory))
                )
                for one in tried
            ]
            return [(p, q) for p, q in await asyncio.gather(*asked)]

    said = run_coroutine(ask())
    honest, contradictory = ([pair[k] for pair in said] for k in (0, 1))
    findings.estimate(
        "critic_tells",
        paired_difference(contradictory, honest),
        "Probability that an answer contradicts, contradictory minus honest ones",
        arm=lab.model,
    )
    for name, values in (("critic_hits", contradictory), ("critic_alarms", honest)):
        share = proportion(sum(p >= critic.threshold for p in values), len(values))
        label = "Contradictory answers rejected" if name == "critic_hits" else "Honest answers rejected"
        findings.estimate(name, share, label, arm=lab.model, unit="%", paper=CRITIC if name == "critic_hits" else None)
