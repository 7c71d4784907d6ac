"""The parts of `simpletom` that are computed apart: what each answerer makes of the questions, with and without reminder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.language.tuning import Lesson, predict, tune
from ethogram.policies.prompted.respondent import Respondent
from ethogram.questionnaires import Block, Choice, Item, Questionnaire
from ethogram.questionnaires.tables import asked as told
from ethogram.records import Run
from ethogram.scene import Policies, scene
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._simpletom_players import chances, messages, opened
from ethogram.studies.people._simpletom_stories import SCENARIOS, TIERS, Question, Story, question, stories
from ethogram.world import World
from ethogram.worlds.coded.survey import Survey

__all__ = ["answered", "divided", "lessons", "marked", "reading", "some", "tuned"]

Array = NDArray[np.float64]
SHARE = 0.95
"""Of a lesson, how often the right answer was given: the tuned model is not taught to be certain."""


def some(scenarios: Sequence[str], each: int, seed: int) -> list[Story]:
    """As many stories of each scenario, drawn without regard to anything else."""
    found: list[Story] = []
    for scenario in scenarios:
        own = [story for story in stories() if story.scenario == scenario]
        found += [own[i] for i in generator(seed, "stories", scenario).permutation(len(own))[:each]]
    return found


def divided(seed: int) -> tuple[list[str], list[str]]:
    """Half of the scenarios to learn from, and the others."""
    order = [list(SCENARIOS)[i] for i in generator(seed, "scenarios").permutation(len(SCENARIOS))]
    half = len(order) // 2
    return order[:half], order[half:]


def lessons(chosen: Sequence[Story]) -> list[Lesson]:
    """Both twins of each story on the explicit tier, and on no other."""
    every = [question(story, aware, "awareness") for story in chosen for aware in (False, True)]
    return [put(q, SHARE) for q in every]


def put(asked: Question, share: float = 0.5) -> Lesson:
    """A question as a tuned model is asked: its words answer. The right one was given with this share."""
    shares = (share, 1 - share) if asked.right == 0 else (1 - share, share)
    return Lesson(messages(asked), asked.options, shares, by="text")


def answered(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """What a player answers about stories.

    Args:
        item: `player` (a coded one, or the spelling of a model), `each` (stories of a scenario), `seed`, `calibrate`.
        lab: whose folder keeps a model's answers.

    Returns:
        One row a twin and tier; see `_rows`.
    """
    player = opened(item["player"], str((lab.dir / "answers.sqlite").resolve()))

    def ask(asked: list[Question]) -> Array:
        return run_coroutine(_asked(player, asked, item["calibrate"]))

    return _rows(some(list(SCENARIOS), item["each"], item["seed"]), ask)


async def _asked(player: Any, asked: list[Question], calibrate: bool) -> Array:
    try:
        return await chances(player, asked, calibrate)
    finally:
        await player.aclose()


def tuned(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """Tune a base on the explicit tier of half the scenarios, and ask it about the others.

    Args:
        item: `base`, `seed`, `each` (stories of a scenario that are learned), `test` (that are asked about), `epochs`,
            `rate`.
        lab: whose folder keeps the adapters.
    """
    seed = item["seed"]
    known, held_out = divided(seed)
    taught = lessons(some(known, item["each"], seed))

    def make(folder: Path) -> None:
        how = {name: item[name] for name in ("base", "epochs", "rate")}
        tune(taught, folder, seed=seed % 2**31, **how)

    adapter = lab.made(f"tuned-{item['base']}-{seed}", make)

    def ask(asked: list[Question]) -> Array:
        found = predict(adapter, [put(one) for one in asked], average=True)
        return found[np.arange(len(asked)), [one.right for one in asked]]

    return _rows(some(held_out, item["test"], seed), ask)


def _rows(chosen: list[Story], ask: Callable[[list[Question]], Array]) -> list[dict[str, Any]]:
    """Both twins of each story on all tiers; the applied ones again with a reminder of the answerer's own explicit answer.

    Returns:
        `scenario`, `severe`, `aware`, `tier`, `reminded`, and `right`, the chance of the right answer.
    """
    twins = [(story, aware) for story in chosen for aware in (False, True)]
    plain = [question(story, aware, tier) for story, aware in twins for tier in TIERS]
    found = ask(plain)
    explicit = dict(zip(twins, found[:: len(TIERS)], strict=True))
    again = [
        question(story, aware, tier, reminder=aware if explicit[story, aware] > 0.5 else not aware)
        for story, aware in twins
        for tier in TIERS[1:]
    ]
    every = [(q, False, p) for q, p in zip(plain, found, strict=True)]
    every += [(q, True, p) for q, p in zip(again, ask(again), strict=True)]
    return [
        {
            "scenario": q.story.scenario,
            "story": f"{q.story.thing} {q.story.fault}",
            "severe": q.story.severe,
            "aware": q.aware,
            "tier": q.tier,
            "reminded": reminded,
            "right": float(p),
        }
        for q, reminded, p in every
    ]


def _form(each: int, seed: int) -> tuple[Questionnaire, dict[str, Question]]:
    """Stories as a questionnaire, and its questions by the names of the items."""
    asked = {
        f"story_{number}_{'aware' if aware else 'unaware'}_{tier}": question(story, aware, tier)
        for number, story in enumerate(some(list(SCENARIOS), each, seed))
        for aware in (False, True)
        for tier in TIERS
    }
    items: list[Item] = [Choice(name=name, text=one.text, options=list(one.options)) for name, one in asked.items()]
    return Questionnaire(title="Who is aware of what", block=[Block(name="stories", item=items)]), asked


@scene
def reading(player: str, each: int, seed: int, cache: str = "") -> tuple[World, Policies]:
    """A questionnaire of stories, both twins on all tiers, answered by one reader.

    Args:
        player: `oracle`, `egocentric`, `nay`, `coded`, or the spelling of a language model.
        each: stories of each scenario.
        seed: of their choice.
        cache: file of the model's answers.
    """
    return Survey(_form(each, seed)[0], ["reader"]), Respondent(opened(player, cache))


def marked(run: Run, each: int, seed: int) -> tuple[float, int]:
    """The share of right answers in a run of `reading` with these arguments, and how many questions there are."""
    form, questions = _form(each, seed)
    given = {item: json.loads(said) for item, said in told(run, form).select("item", "answer").iter_rows()}
    hits = [given[name] == one.options[one.right] for name, one in questions.items()]
    return sum(hits) / len(hits), len(hits)
