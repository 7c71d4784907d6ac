"""The demonstrations of `survey-agent-behavioral-science`: an experiment for each determinant of behaviour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ethogram.experiments import Experiment, Factor, difference, interaction, trend
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies.society._behaving_minds import CODED
from ethogram.studies.society._behaving_tasks import PERSONAS, RULES, WORDINGS, bandit, dilemma, shore

__all__ = ["DETERMINANTS", "MAIN", "demonstration", "fishes", "learns", "shares"]

WORDING = Factor("wording", WORDINGS, within=True, nuisance=True)


def actions(scene: Scene, agent: str, seed: int) -> Any:
    """What an agent did in one episode."""
    (found,) = [one for one in rollouts(scene, episodes=1, seed=seed, progress=False) if one.agent == agent]
    return found.actions


def shares(assignment: dict[str, Any], seed: int) -> float:
    """The share of rounds in which the subject cooperated."""
    done = actions(dilemma(**assignment), "subject", seed)
    return sum(a.option == "share" for a in done) / len(done)


def fishes(assignment: dict[str, Any], seed: int) -> float:
    """Fish that the subject set out to take, a day."""
    return float(actions(shore(**assignment), "fisher 1", seed).mean())


def learns(assignment: dict[str, Any], seed: int) -> float:
    """The share of the second half of the rounds in which the subject pressed the better button."""
    done = actions(bandit(**assignment), "subject", seed)
    late = done[len(done) // 2 :]
    return sum(a.option == assignment["better"] for a in late) / len(late)


DETERMINANTS: dict[str, tuple[Callable[..., float], str, tuple[Factor, ...], tuple[Any, ...]]] = {
    "attribute": (
        shares,
        "share of rounds in which the subject shares",
        (Factor("persona", list(PERSONAS)), Factor("temptation", [10, 14], within=True), WORDING),
        (
            difference("persona", smallest=0.1),
            difference("temptation", smallest=0.1),
            interaction("persona", "temptation", smallest=0.1),
        ),
    ),
    "environment": (
        fishes,
        "fish taken a day",
        (Factor("rule", list(RULES), within=True), Factor("neighbours", ["modest", "greedy"], within=True), WORDING),
        (
            difference("rule", ["none", "quota"], smallest=0.5),
            difference("rule", ["none", "placebo"], smallest=0.5),
            difference("rule", ["placebo", "quota"], smallest=0.5),
            difference("neighbours", smallest=0.5),
        ),
    ),
    "feedback": (
        learns,
        "share of late choices of the better button",
        (
            Factor("feedback", ["none", "told"]),
            Factor("gap", [0, 2, 4], within=True),
            Factor("better", ["red", "blue"], within=True, nuisance=True),
            WORDING,
        ),
        (
            interaction("feedback", "gap", smallest=0.03),
            trend("gap", smallest=0.03),
            difference("feedback", smallest=0.1),
        ),
    ),
}
"""By determinant: what is run, the outcome in words, the factors, and the registered contrasts, the chief one first."""

MAIN = {name: contrasts[0] for name, (*_, contrasts) in DETERMINANTS.items()}


def demonstration(determinant: str, mind: str = CODED, units: int = 20, repeats: int = 2, seed: int = 0) -> Experiment:
    """The experiment on a determinant, with the surrogate or a language model as its subjects."""
    run, outcome, factors, contrasts = DETERMINANTS[determinant]
    return Experiment(determinant, run, factors, contrasts, units, outcome, repeats, constants={"mind": mind}, seed=seed)
