"""The parts of `fps-fake-news` that are computed apart: replications of each experiment with the coded surrogates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures.cascades import Cascade, forest
from ethogram.records import Trajectories
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.studies.society._fps_scene import citizens, credulity, mixing

__all__ = ["NONE", "beliefs", "cascading", "contagious", "denied", "played", "schedule", "trees"]

NONE = (0, 0)
"""The schedule without denials."""


def beliefs(data: Trajectories) -> NDArray[np.bool_]:
    """Who believes at the start and after each day, shape (days + 1, people); people in the order of their numbers."""
    ordered = sorted(data, key=lambda one: int(one.agent.split()[1]))
    first = [one.observations[0].mine.belief for one in ordered]
    after = [[action.belief for action in one.actions] for one in ordered]
    return np.concatenate([[first], np.array(after).T]).astype(bool)


def contagious(item: dict[str, Any], lab: Lab) -> dict[str, list[int]]:
    """Numbers of believers by day under the SIS law, in both orders, with the same luck."""
    common = {"people": item["people"], "days": item["days"], "rates": item["rates"], "believers": item["believers"]}
    return {
        order: _curve(mixing(order=order, **common), item["seed"], item["days"]) for order in ("synchronous", "asynchronous")
    }


def _curve(scene: Any, seed: int, days: int) -> list[int]:
    """Believers by day; nobody after the world has ended early."""
    found = beliefs(rollouts(scene, episodes=1, seed=seed, progress=False)).sum(1).tolist()
    return found + [0] * (days + 1 - len(found))


def played(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """One episode of the surrogate with an ablation: the curve, who ever believed, and the people's credulity."""
    scene = mixing(people=item["people"], days=item["days"], population=item["population"], ablation=item["ablation"])
    found = beliefs(rollouts(scene, episodes=1, seed=item["seed"], progress=False))
    curve = found.sum(1).tolist()
    return {
        "curve": curve + [0] * (item["days"] + 1 - len(curve)),
        "first": found[0].tolist(),
        "ever": found.any(0).tolist(),
        "credulity": [credulity(person) for person in citizens(item["people"], item["population"])],
    }


def schedule(start: int, period: int, days: int) -> list[int]:
    """Days of denials: from `start`, every `period` days; once where that is 0; none where both are 0."""
    if (start, period) == NONE:
        return []
    return [start] if period == 0 else list(range(start, days + 1, period))


def denied(item: dict[str, Any], lab: Lab) -> list[tuple[int, int]]:
    """Statements made and belief-days, for each schedule, with the same people and luck."""
    found = []
    for start, period in item["schedules"]:
        days = schedule(start, period, item["days"])
        scene = mixing(people=item["people"], days=item["days"], population=item["population"], denials=days)
        curve = beliefs(rollouts(scene, episodes=1, seed=item["seed"], progress=False)).sum(1)
        found.append((sum(day < len(curve) for day in days), int(curve[1:].sum())))
    return found


def cascading(item: dict[str, Any], lab: Lab) -> list[list[Any]]:
    """The shapes of the cascades of belief in one episode of the surrogate, those with at least `least` members."""
    scene = mixing(people=item["people"], days=item["days"], population=item["population"])
    data = rollouts(scene, episodes=1, seed=item["seed"], progress=False)
    return [list(shape) for shape in trees(data) if shape.size >= item["least"]]


def trees(data: Trajectories) -> list[Cascade]:
    """Cascades of belief: each who comes to believe has it from the first believer it read that day; else it is a source."""
    parents: dict[int, int | None] = {}
    times: dict[int, float] = {}
    for one in data:
        person = int(one.agent.split()[1])
        if one.observations[0].mine.belief:
            parents[person], times[person] = None, 0.0
            continue
        for view, action in zip(one.observations, one.actions, strict=False):
            if action.belief:
                source = next((int(other.author.split()[1]) for other in view.met if other.belief), None)
                parents[person], times[person] = source, float(view.day)
                break
    return forest(parents, times)
