"""Who answers in `simpletom`: coded policies whose mind is known, and language models; all are asked as models are.

- `oracle` goes by what the protagonist has been told.
- `egocentric` answers as if everybody knew what the reader knows.
- `nay` says no to everything: not aware, does not go on, not fine but odd.
- `coded`, the surrogate, is the oracle about what the protagonist is aware of, and egocentric about what follows from it,
  unless it is reminded of its own answer, which it then goes by. Each answer is so with the chance `SURE`, by its scores.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.studies.people._simpletom_stories import TIERS, Question, Story, Tier, question, stories

if TYPE_CHECKING:
    from ethogram.language import LanguageModel, Request

__all__ = ["CODED", "SURE", "SURROGATE", "SYSTEM", "chances", "messages", "opened"]

SYSTEM = "Read the story."
SURROGATE = "coded"
CODED = ("oracle", "egocentric", "nay", SURROGATE)
SURE = 0.9


def messages(asked: Question) -> list[dict[str, str]]:
    """What a model is sent, without the list of options."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked.text}]


def opened(spec: str, cached: str = "") -> LanguageModel:
    """The player of that name, or the language model of that spelling."""
    if spec not in CODED:
        return open_model(spec, cache=cached or None)
    return scripted(rate=lambda request: _rated(spec, request), name=f"simpletom-{spec}")


async def chances(player: LanguageModel, asked: Sequence[Question], calibrate: bool = False) -> NDArray[np.float64]:
    """How likely a player gives the right answer to each question, mean of both orders' log-likelihoods: shape (questions,).

    Args:
        player: the model.
        asked: the questions.
        calibrate: whether the scores that the options have under a question without a story are taken off.
    """
    none = np.random.default_rng(0)  # only the scores are taken
    by = "text" if player.backend.capability == "exact" else "label"  # endpoints tell the likelihoods of letters at best

    async def scores(one: Question) -> NDArray[np.float64]:
        choice = await player.choose(messages(one), one.options, by=by, rng=none, agent="reader", purpose=one.tier)
        return choice.scores

    found = np.array(await asyncio.gather(*(scores(one) for one in asked)))
    if calibrate:
        blank = [question(one.story, one.aware, one.tier, read=False) for one in asked]
        found = found - np.array(await asyncio.gather(*(scores(one) for one in blank)))
    right = np.array([one.right for one in asked])
    rows = np.arange(len(asked))
    return 1 / (1 + np.exp(np.clip(found[rows, 1 - right] - found[rows, right], -500, 500)))


# --- coded policies ---


@cache
def _known() -> dict[str, tuple[Story, bool]]:
    return {story.text(aware): (story, aware) for story in stories() for aware in (False, True)}


def _rated(player: str, request: Request) -> list[float]:
    """Log-likelihoods of words, or of letters: the answer that the player's law gives has the chance `SURE`, or 1."""
    lines, options = request.messages[-1]["content"].split("\n"), request.options or []
    listed = {option: option for option in options} | {line[0]: line[3:] for line in lines if line[:3] in ("A. ", "B. ")}
    words = {listed[option] for option in options}
    chosen = _says(player, lines, words)
    sure = SURE if player == SURROGATE else 1 - 1e-9
    return [math.log(sure if listed[option] == chosen else 1 - sure) for option in options]


def _says(player: str, lines: list[str], options: set[str]) -> str:
    story, told = _known().get(lines[0], (None, False))
    if story is None:
        return min(options)  # a question without a story
    reminded = next((line for line in lines if line.startswith("You said before: ")), "")
    tier: Tier = next(t for t in TIERS if set(question(story, told, t).options) == options)
    if player == "nay":
        aware = tier != "awareness"
    elif player == "egocentric" or (player == SURROGATE and tier != "awareness" and not reminded):
        aware = True
    elif player == SURROGATE and tier != "awareness":
        aware = " is not aware " not in reminded
    else:
        aware = told
    asked = question(story, aware, tier)
    return asked.options[asked.right]
