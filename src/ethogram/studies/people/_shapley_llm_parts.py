"""The parts of `shapley-llm` that are computed apart: the engine on known games, and what choosers make of prompts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.aio import run_coroutine
from ethogram.decisions.trips import swissmetro
from ethogram.language.model import LanguageModel
from ethogram.measures.attribution import coalitions, efficiency_residual, shapley, shapley_values
from ethogram.measures.prompt_parts import PartedChoice, Removed, part_scores
from ethogram.policies.prompted.respondent import Respondent
from ethogram.questionnaires import Block, Choice, Questionnaire
from ethogram.scene import Policies, scene
from ethogram.seeds import generator
from ethogram.studies import Lab
from ethogram.studies.people._shapley_llm_policies import CODED, opened
from ethogram.studies.people._shapley_llm_prompts import Design, design, framed, stories
from ethogram.world import World
from ethogram.worlds.coded.survey import Survey

__all__ = ["axioms", "sampled", "scored", "survey", "trips"]

Array = NDArray[np.float64]
PARTS = 8
"""Of the games on which the engine is judged."""


def _game(seed: int, number: int) -> Array:
    return generator(seed, "game", number).normal(size=2**PARTS)


def axioms(item: dict[str, Any], lab: Lab) -> dict[str, float]:
    """The largest violation of each axiom over random games of eight parts.

    The second part is made the like of the first (the game is averaged with the one in which they change places), and the
    last is made to add nothing.
    """
    names = [f"p{i}" for i in range(PARTS)]
    worst = dict.fromkeys(("efficiency", "efficiency_sampled", "symmetry", "null"), 0.0)
    numbers = np.arange(2**PARTS)
    swapped = (numbers & ~3) | (numbers & 1) << 1 | (numbers & 2) >> 1
    without_last = numbers & ~(1 << PARTS - 1)
    for number in range(item["games"]):
        game = _game(lab.seed, number)
        alike = ((game + game[swapped]) / 2)[without_last]
        values = shapley_values(alike)
        worst["efficiency"] = max(worst["efficiency"], float(efficiency_residual(shapley_values(game), game)))
        worst["symmetry"] = max(worst["symmetry"], abs(values[0] - values[1]))
        worst["null"] = max(worst["null"], abs(values[-1]))
        at = dict(zip(coalitions(names), game, strict=True))
        drawn = shapley(at.__getitem__, names, permutations=5, seed=number)
        left = float(efficiency_residual([e.value for e in drawn.values()], game))
        worst["efficiency_sampled"] = max(worst["efficiency_sampled"], left)
    return {name: float(value) for name, value in worst.items()}


def sampled(item: dict[str, Any], lab: Lab) -> list[float]:
    """The root mean square error of sampled values of one game, for each number of draws."""
    names = [f"p{i}" for i in range(PARTS)]
    game = _game(lab.seed, item["game"])
    at, exact = dict(zip(coalitions(names), game, strict=True)), shapley_values(game)
    errors = []
    for draws in item["draws"]:
        squares = []
        for turn in range(item["repeats"]):
            seed = 1000 * item["game"] + turn
            found = shapley(at.__getitem__, names, permutations=draws, seed=seed)
            squares.append((np.array([e.value for e in found.values()]) - exact) ** 2)
        errors.append(float(np.sqrt(np.mean(squares))))
    return errors


def trips(sizes: list[int]) -> Design:
    """The design of the prompts about trips."""
    return design(swissmetro(), sizes)


def scored(item: dict[str, Any], lab: Lab) -> list[Any]:
    """What a chooser scores, nested lists of shape (prompts, coalitions, orders, options).

    Args:
        item: `player`; `removed`; and `stories`, how many gambles with lives, or `sizes` of the design of trips and `rows`.
        lab: the lab, whose folder keeps a model's answers.
    """
    if "stories" in item:
        prompts: list[PartedChoice] = [framed(story) for story in stories(item["stories"])]
    else:
        every = trips(item["sizes"]).prompts()
        prompts = [every[row] for row in item["rows"]]
    player, removed = _player(item["player"], lab), item["removed"]

    async def ask(removed: Removed) -> Array:
        try:
            return await part_scores(player, prompts, removed)
        finally:
            await player.aclose()

    return run_coroutine(ask(removed)).tolist()


def _player(name: str, lab: Lab) -> LanguageModel:
    return opened(name, "" if name in CODED else str((lab.dir / "answers.sqlite").resolve()))


@scene
def survey(player: str, sizes: list[int], cache: str = "") -> tuple[World, Policies]:
    """A questionnaire of trips with all their parts, answered by one respondent without a persona.

    Args:
        player: `logit`, `biased`, or the spelling of a language model.
        sizes: of the design.
        cache: file of the model's answers.
    """
    items = []
    for number, prompt in enumerate(trips(sizes).prompts()):
        text, options = prompt.put(prompt.parts)
        items.append(Choice(name=f"trip_{number}", text=text, options=options))
    asked = Questionnaire(title="Trips by train or Swissmetro", block=[Block(name="trips", item=items)])
    return Survey(asked, 1), Respondent(opened(player, cache))
