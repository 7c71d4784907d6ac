"""Nations by stated laws: at random, by reciprocity, in peace, disarming, in an arms race, or as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted
from ethogram.policy import Policy
from ethogram.war import ACTS, KINDS, MANY, MESSAGE, NAME, WORLD, Act, Deed, Letter, Orders, Severity, Situation, Wait
from ethogram.world import Agent

__all__ = ["Disarmer", "Pacifist", "Racer", "RandomNation", "Reciprocator", "Recorded", "orders_of"]

EXERCISE, ARM = "Do military posturing or military exercise", "Increase military capacities"
PEACE, NUCLEAR = "Start formal peace negotiations", "Acquire or develop nuclear option"
FRIENDLY = (
    "High-level visit of nation to strengthen relationship",
    "Negotiate trade agreement with other nation",
    "Engage in international arbitration",
)
RUNGS: tuple[tuple[str, ...], ...] = (
    (EXERCISE,),
    ("Publicly criticise a nation's actions", "Impose trade restrictions", "Cut diplomatic relationships"),
    ("Execute targeted attack", "Blockade basic supplies"),
    ("Execute tactical nuclear strike",),
)
"""Answers to hostile acts, from the mildest on, by rung."""
RUNG: dict[Severity, int] = {"non-violent": 1, "violent": 2, "nuclear": 3}
LIMIT = 3


class RandomNation(Scripted):
    """Draws the kinds and the targets of its acts uniformly: a kind of all but messages, and another nation.

    Args:
        acts: how many a day.
    """

    def __init__(self, acts: int = LIMIT) -> None:
        super().__init__()
        if acts < 1:
            raise ConfigError(f"a random nation acts at least once a day, not {acts} times")
        self.acts = acts

    def script(self, observation: Situation, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Orders:
        """Some acts."""
        kinds = rng.integers(len(ACTS), size=self.acts)
        return Orders(actions=tuple(Act(kind=ACTS[int(i)], target=_other(observation, rng)) for i in kinds))


class Pacifist(Scripted):
    """Visits, trades and goes to court; who does it harm is offered peace talks instead. It never answers in kind.

    Args:
        acts: how many a day.
    """

    def __init__(self, acts: int = 2) -> None:
        super().__init__()
        self.acts = acts

    def script(self, observation: Situation, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Orders:
        """Peaceful acts."""
        drawn = [(FRIENDLY[int(rng.integers(len(FRIENDLY)))], _other(observation, rng)) for _ in range(self.acts)]
        talks = [(PEACE, aggressor) for aggressor in grievances(observation)]
        return _orders([*talks, *drawn][: self.acts])


class Disarmer(Scripted):
    """Gives up nuclear weapons at once, then reduces its forces while it has more than `least`; is otherwise a pacifist."""

    def __init__(self, least: float = 5.0) -> None:
        super().__init__()
        self.least = least

    def script(self, observation: Situation, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Orders:
        """Disarmament, and a visit."""
        mine = next(nation for nation in observation.nations if nation.name == observation.you)
        acts = [(FRIENDLY[0], _other(observation, rng))]
        if mine.nuclear > 0:
            acts.append(("Do nuclear disarmament", observation.you))
        if mine.military > self.least:
            acts.append(("Do military disarmament", observation.you))
        return _orders(acts)


class Racer(Scripted):
    """Arms with probability `base` + `pull` x (strongest other / own military - 1), held to 0 ... 1 (after Richardson 1960).

    Args:
        base: the probability where it is as strong as the strongest other.
        pull: by how much it rises where that one has twice as much.
    """

    def __init__(self, base: float = 0.2, pull: float = 0.5) -> None:
        super().__init__()
        self.base, self.pull = base, pull

    def script(self, observation: Situation, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """An act of arming, or none."""
        forces = {nation.name: float(nation.military) for nation in observation.nations}
        own = max(forces.pop(observation.you), 1.0)
        chance = min(max(self.base + self.pull * (max(forces.values()) / own - 1), 0.0), 1.0)
        return _orders([(ARM, observation.you)]) if rng.random() < chance else Wait()


class Reciprocator(Scripted):
    """Tit for tat among nations, with forgiveness, noise, sanctions and answers to arming.

    1. Each nation that did it harm since its last orders is answered once, on the rung of its worst act (`RUNGS`): an
       exercise, pressure, force, nuclear force. With probability `forgive` the answer is a rung milder; below the lowest
       there is none.
    2. Force used against a third nation is answered with pressure, with probability `sanctions`.
    3. Where others were seen arming, it arms itself with probability `arms` x the share of the others that were.
    4. With probability `slip` it holds an exercise against a nation drawn at random, or (as often) arms, without a reason.
    5. Where nothing of this happens, it visits or trades. At most three acts, the most severe first.

    Args:
        forgive: see 1.
        sanctions: see 2.
        arms: see 3.
        slip: see 4.
    """

    def __init__(self, forgive: float = 0.3, sanctions: float = 0.2, arms: float = 0.8, slip: float = 0.05) -> None:
        super().__init__()
        rates = {"forgive": forgive, "sanctions": sanctions, "arms": arms, "slip": slip}
        if wrong := [f"{name}={rate}" for name, rate in rates.items() if not 0 <= rate <= 1]:
            raise ConfigError(f"a reciprocator's probabilities lie between 0 and 1, not {', '.join(wrong)}")
        self.forgive, self.sanctions, self.arms, self.slip = forgive, sanctions, arms, slip

    def script(self, observation: Situation, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Orders:
        """Answers, or friendliness."""
        found: list[tuple[int, str, str]] = []
        harm = grievances(observation)
        for aggressor, rung in harm.items():
            answer = rung - (rng.random() < self.forgive)
            if answer >= 0:
                found.append((answer, _drawn(RUNGS[answer], rng), aggressor))
        strangers = [aggressor for aggressor in _users_of_force(observation) if aggressor not in harm]
        found += [(1, _drawn(RUNGS[1], rng), aggressor) for aggressor in strangers if rng.random() < self.sanctions]
        others = len(observation.nations) - 1
        if rng.random() < self.arms * len(_arming(observation)) / others:
            found.append((0, ARM, observation.you))
        if rng.random() < self.slip:
            found.append((0, EXERCISE, _other(observation, rng)) if rng.random() < 0.5 else (0, ARM, observation.you))
        if not found:
            return _orders([(_drawn(FRIENDLY[:2], rng), _other(observation, rng))])
        found.sort(key=lambda act: -act[0])
        return _orders([(kind, target) for _, kind, target in found[:LIMIT]])


class Recorded(Policy):
    """Does what was recorded: on each day the orders that a nation has for it, else nothing.

    Args:
        orders: by nation and day.
    """

    def __init__(self, orders: Mapping[Agent, Mapping[int, Orders]]) -> None:
        self.orders = orders

    def act(self, observations: Mapping[Agent, Situation], spaces: Mapping[Agent, Space[Any]]) -> dict[Agent, Any]:
        """The orders of the day."""
        return {agent: self.orders.get(agent, {}).get(seen.day) or Wait() for agent, seen in observations.items()}


def orders_of(deeds: Sequence[Deed]) -> dict[Agent, dict[int, Orders]]:
    """A list of what nations ordered, as their orders by nation and day, in the order of the list.

    Names and targets are kept as they were spelled, up to the most characters that orders may hold.

    Raises:
        ConfigError: a nation did more in a day than orders may hold.
    """
    gathered: dict[tuple[Agent, int], list[Deed]] = {}
    for deed in deeds:
        gathered.setdefault((deed.actor, deed.day), []).append(deed)
    found: dict[Agent, dict[int, Orders]] = {}
    for (actor, day), done in gathered.items():
        acts = tuple(Act(kind=d.name[:NAME], target=d.target[:NAME]) for d in done if d.name != MESSAGE)
        letters = tuple(Letter(to=d.target[:NAME]) for d in done if d.name == MESSAGE)
        if max(len(acts), len(letters)) > MANY:
            raise ConfigError(f"{actor} gave {len(done)} orders on day {day}, more than {MANY} actions or messages")
        found.setdefault(actor, {})[day] = Orders(actions=acts, messages=letters)
    return found


def grievances(seen: Situation) -> dict[str, int]:
    """The rung of the worst hostile act of each nation that did one to this nation since its last orders."""
    found: dict[str, int] = {}
    for event in seen.events:
        if event.target == seen.you and event.actor != seen.you:
            rung = _rung(event.kind)
            if rung is not None:
                found[event.actor] = max(rung, found.get(event.actor, 0))
    return found


def _rung(kind: str) -> int | None:
    """How hostile a kind is to its target; None where it is not."""
    if kind == EXERCISE:
        return 0
    return None if kind == NUCLEAR else RUNG.get(KINDS[kind].severity)


def _users_of_force(seen: Situation) -> list[str]:
    """Who is known to have used force against a third nation."""
    forces = (e.actor for e in seen.events if KINDS[e.kind].severity in ("violent", "nuclear") and e.actor != seen.you)
    return list(dict.fromkeys(forces))


def _arming(seen: Situation) -> set[str]:
    """Which others were seen arming."""
    return {e.actor for e in seen.events if e.kind in (ARM, NUCLEAR) and e.actor != seen.you}


def _other(seen: Situation, rng: np.random.Generator) -> str:
    """Another nation, drawn."""
    return _drawn([nation.name for nation in seen.nations if nation.name != seen.you] or [WORLD], rng)


def _drawn(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _orders(acts: Sequence[tuple[str, str]]) -> Orders:
    return Orders(actions=tuple(Act(kind=kind, target=target) for kind, target in acts))
