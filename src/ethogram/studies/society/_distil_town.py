"""The town for `distil`: a student in the place of generative agents, and what is compared between the two."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.policies.learned import load
from ethogram.records import Trajectories
from ethogram.scene import Policies, scene
from ethogram.social import Say
from ethogram.studies.society._town import town
from ethogram.world import World
from ethogram.worlds.coded.town import Town

__all__ = ["baselines", "macro", "occupancy_distance", "peopled"]

HOUR = 60
EVENTS = ("told", "heard")


@scene
def peopled(map: str = "small", player: str = "coded") -> tuple[World, Policies]:
    """A town for a day.

    Args:
        map: a town that comes with ethogram.
        player: `coded` for generative agents with the surrogate mind, or the folder of a distilled policy.
    """
    if player == "coded":
        return town(map=map)[:2]
    return Town(map), load(Path(player))


def macro(data: Trajectories, world: Town) -> dict[str, Any]:
    """What the days of some records were like, a number a day each, and who was where at which hour.

    `untold` counts how often somebody told a fact that nobody had told it, in its hearing, and that it did not hold.
    """
    days: dict[int, Counter[str]] = {}
    where: Counter[str] = Counter()
    facts = world.people.facts
    for t in data:
        day = days.setdefault(t.episode, Counter(talks=0, utterances=0, told=0, untold=0))
        knows = {fact.name for fact in facts if fact.holder == t.agent}
        for view, action in zip(t.observations, t.actions, strict=False):
            where[f"{t.agent}|{int(view.time % 1440) // HOUR}|{view.place}"] += 1
            spoken = [event.text for event in view.events if event.kind in EVENTS]
            knows |= {fact.name for fact in facts if any(fact.told_in(text) for text in spoken)}
            if isinstance(action, Say):
                day["utterances"] += 1
                day["talks"] += not view.talking_to
                told = {fact.name for fact in facts if fact.told_in(action.text)}
                day["told"] += len(told)
                day["untold"] += len(told - knows)
    names = ("talks", "utterances", "told", "untold")
    return {**{name: [day[name] for day in days.values()] for name in names}, "where": dict(where)}


def occupancy_distance(a: dict[str, int], b: dict[str, int]) -> float:
    """How differently people spend their hours: total variation between the places of a person in an hour, mean over both.

    Hours in which a person is asked nothing in one of the two (asleep, on the way) are left out.
    """
    cells: dict[str, list[Counter[str]]] = {}
    for i, counts in enumerate((a, b)):
        for key, n in counts.items():
            cell, _, place = key.rpartition("|")
            cells.setdefault(cell, [Counter(), Counter()])[i][place] += n
    found = []
    for first, second in cells.values():
        if first and second:
            places = first.keys() | second.keys()
            found.append(0.5 * sum(abs(first[p] / first.total() - second[p] / second.total()) for p in places))
    return float(np.mean(found))


def baselines(
    train: Trajectories, numeric: Trajectories, test: Trajectories, tested: Trajectories, classes: int
) -> dict[str, np.ndarray[Any, Any]]:
    """The log-likelihood that simple rules give each step of `test`, (N,), smoothed by one count spread over all classes.

    `frequency`: of the actions overall; `own frequency`: of the agent's; `timetable`: of the agent's in the hour of the day,
    with the agent's own as prior; `persistence`: the action before with the probability that it was repeated in training,
    else the agent's own frequency.

    Args:
        train: records to count in.
        numeric: the same as numbers of templates.
        test: records to judge on.
        tested: the same as numbers of templates.
        classes: how many numbers there are.
    """
    overall = np.full(classes, 1 / classes)
    own: dict[str, np.ndarray[Any, Any]] = {}
    hourly: dict[tuple[str, int], np.ndarray[Any, Any]] = {}
    repeats = np.array([1.0, 2.0])
    for t, chosen in zip(train, numeric, strict=True):
        overall += np.bincount(chosen.actions, minlength=classes)
        own.setdefault(t.agent, np.zeros(classes))[:] += np.bincount(chosen.actions, minlength=classes)
        for view, action in zip(t.observations, chosen.actions, strict=False):
            hourly.setdefault((t.agent, int(view.time % 1440) // HOUR), np.zeros(classes))[action] += 1
        repeats += np.sum(chosen.actions[1:] == chosen.actions[:-1]), max(len(chosen.actions) - 1, 0)
    overall /= overall.sum()
    smoothed = {agent: (counts + overall) / (counts.sum() + 1) for agent, counts in own.items()}
    again = repeats[0] / repeats[1]
    found: dict[str, list[Any]] = {"frequency": [], "own frequency": [], "timetable": [], "persistence": []}
    for t, chosen in zip(test, tested, strict=True):
        mine: np.ndarray[Any, Any] = smoothed.get(t.agent, overall)
        for i, (view, action) in enumerate(zip(t.observations, chosen.actions, strict=False)):
            counts: np.ndarray[Any, Any] = hourly.get((t.agent, int(view.time % 1440) // HOUR), np.zeros(classes))
            found["frequency"].append(overall[action])
            found["own frequency"].append(mine[action])
            found["timetable"].append((counts[action] + mine[action]) / (counts.sum() + 1))
            repeated = i > 0 and chosen.actions[i - 1] == action
            found["persistence"].append(again * repeated + (1 - again) * mine[action] if i else mine[action])
    return {name: np.log(values) for name, values in found.items()}
