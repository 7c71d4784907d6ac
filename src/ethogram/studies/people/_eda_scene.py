"""The scene of `eda`: twenty questions about things of one part of the base, and who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethogram.guessing import Recall, things
from ethogram.policies.coded.questioners import NameGuesser, RandomQuestions, Splitter
from ethogram.policy import Policy
from ethogram.scene import scene
from ethogram.world import World
from ethogram.worlds.coded.question_game import QuestionGame

__all__ = ["CODED", "HELD_OUT", "SHARES", "TRAIN", "part", "twenty_questions"]

TRAIN, DEV, HELD_OUT, ALL = "train", "dev", "held-out", "all"
SHARES = (3, 1, 1)
"""Of the things: to learn from, to tune on, and held out; the proportions of the paper's 300, 100 and 100."""
CODED = ("random", "names", "splitter", "menu")
"""The coded questioners; `menu` is the surrogate of a language model that is shown a menu of questions."""


def part(which: str, split: int) -> list[int]:
    """The numbers of the things of a part; no thing is in two parts of one split."""
    if which == ALL:
        return list(range(len(things())))
    return things().split(*SHARES, seed=split)[(TRAIN, DEV, HELD_OUT).index(which)]


@scene
def twenty_questions(
    player: str = "splitter",
    which: str = HELD_OUT,
    split: int = 0,
    noise: float = 0.0,
    menu: int = 4,
    mind: str = "bank",
    cache: str = "",
) -> tuple[World, Policy]:
    """A game against the coded judge.

    Args:
        player: of `CODED`, the folder of a learned policy, or the spelling of a language model.
        which: part of the things.
        split: seed of the parts.
        noise: how often the judge errs. Every questioner that knows the base reckons with as much, but learned ones, which
            reckon with what they were made for.
        menu: questions that `menu` and language models choose among.
        mind: how a language model is asked: see `LanguageQuestioner`.
        cache: file in which a model's answers are kept.
    """
    base = things()
    world = QuestionGame(entities=[base.called(i) for i in part(which, split)], noise=noise)
    return world, _questioner(player, noise, menu, mind, cache)


def _questioner(player: str, noise: float, menu: int, mind: Any, cache: str) -> Policy:
    if player == "random":
        return RandomQuestions(noise=noise)
    if player == "names":
        return NameGuesser()
    if player in CODED:
        return Splitter(noise=noise, menu=menu if player == "menu" else 0)
    if Path(player).is_dir():
        from ethogram.policies.learned import load

        return load(player)
    from ethogram.language import model
    from ethogram.policies.prompted.language_questioner import LanguageQuestioner

    return LanguageQuestioner(model(player, cache=cache or None), Recall(things(), noise), mind=mind, menu=menu)
