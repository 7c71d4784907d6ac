"""The commons for `distil`: fishers with a stated law, so that what a student should have learned is known exactly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.policies.learned import load
from ethogram.policies.learned.distilled import Distilled
from ethogram.policies.prompted.prompted import Chooser
from ethogram.policy import Coded
from ethogram.records import Trajectories
from ethogram.scene import Policies, scene
from ethogram.world import World
from ethogram.worlds.coded.commons import Commons

__all__ = ["LAW", "PERSONA", "law", "sea", "situations", "stock_curve", "takes"]

LAW = {"fisher 1": (-5.0, 5.0), "fisher 2": (-1.2, 0.0), "fisher 3": (-2.0, 2.0), "fisher 4": (-0.5, -2.0)}
"""Each fisher takes Binomial(10, p) fish, p = 1 / (1 + exp(-(a + b * stock))), stock from 0 to 1: its (a, b). One is
careful, one steady, one greedy, and one contrary: he takes the more the less there is."""
MOST = 10
PERSONA = (
    "You live by fishing in a small sea that you share with three others. You perceive the stock of fish as a share of what "
    "the sea can hold, and say how many fish you take."
)


def law(agent: str, stock: np.ndarray[Any, Any] | float) -> np.ndarray[Any, Any]:
    """The stated probabilities of taking 0 to 10 fish, (..., 11), at a stock (...)."""
    a, b = LAW[agent]
    p = 1 / (1 + np.exp(-(a + b * np.asarray(stock, float))))[..., None]
    n = np.arange(MOST + 1)
    ways = np.array([math.comb(MOST, k) for k in n])
    return ways * p**n * (1 - p) ** (MOST - n)


def _fisher(agent: str) -> Any:
    def take(seen: np.ndarray[Any, Any], space: Space[Any], rng: np.random.Generator) -> np.int64:
        return np.int64(np.searchsorted(law(agent, float(seen[0])).cumsum(), rng.random(), side="right").clip(0, MOST))

    return take


@scene
def sea(player: str = "law", model: str = "", steps: int = 50) -> tuple[World, Policies]:
    """The commons with four fishers.

    Args:
        player: `law`, `model`, or the folder of a distilled policy.
        model: the spelling of the language model where it plays; it sees nothing but the stock.
        steps: of an episode.
    """
    world = Commons(fishers=len(LAW), steps=steps)
    if player == "law":
        return world, {agent: Coded(_fisher(agent)) for agent in LAW}
    if player == "model":
        from ethogram.language import model as open_model

        return world, Chooser(open_model(model), persona=PERSONA, memory=0, average=False)
    return world, load(Path(player))


def takes(student: Distilled, data: Trajectories) -> np.ndarray[Any, Any]:
    """A student's probabilities of taking 0 to 10 fish at each step of some records, (N, 11)."""
    found, _ = student.likelihoods(data)
    likely = np.repeat(found[:, -1:] / (MOST + 1), MOST + 1, axis=1)  # what it keeps for what it has not seen
    likely[:, [int(template) for template in student.config.templates]] += found[:, :-1]
    return likely


def situations(data: Trajectories) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The agent, the stock and the take of each step, (N,) each."""
    agents = [agent for t in data for agent in [t.agent] * len(t.actions)]
    stocks = np.concatenate([t.observations[: len(t.actions), 0] for t in data])
    return agents, stocks, np.concatenate([t.actions for t in data])


def stock_curve(data: Trajectories) -> np.ndarray[Any, Any]:
    """The stock over time in each episode, (episodes, steps + 1)."""
    first = data.agents[0]
    return np.stack([t.observations[:, 0] for t in data if t.agent == first])
