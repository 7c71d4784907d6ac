"""The parts of `escalation-wargame` that are computed apart: who plays, the released records again, and coded nations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ethogram.errors import DataError
from ethogram.measures.escalation import arms_race, daily, deeds, first_violent, grid, weigh
from ethogram.policies.coded.nations import (
    Disarmer,
    Pacifist,
    Racer,
    RandomNation,
    Reciprocator,
    Recorded,
    orders_of,
)
from ethogram.policy import Policy
from ethogram.records.escalation import effects_file, released_run
from ethogram.scene import Policies, scene
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.war import MANY, Deed, Orders
from ethogram.world import Agent, World
from ethogram.worlds.coded.war_game import WarGame, read_effects
from ethogram.worlds.coded.war_game.nations import NATIONS

__all__ = ["CODED", "PLAYERS", "game", "guarded", "played", "replay", "replayed", "summary", "whispering"]

CODED = "coded"
"""The word for the surrogate in place of a model: the reciprocator."""
PLAYERS: dict[str, Callable[[], Policy]] = {
    "random": RandomNation,
    "reciprocator": Reciprocator,
    "pacifist": Pacifist,
    "disarmer": Disarmer,
    "racer": Racer,
}
"""Coded nations by name."""
DISARMING = ("White", "Green", "Pink", "Blue", "Red", "Yellow", "Purple", "Orange")
"""Who disarms first, second, …: those that are no party to the invasion before those that are."""


@scene
def game(
    player: str = CODED,
    scenario: str = "neutral",
    days: int = 14,
    disarmers: int = 0,
    mind: str = "choice",
    wording: str = "plain",
    narrated: bool = False,
    cache: str = "",
) -> tuple[World, Policies]:
    """A war game.

    Args:
        player: who plays the nations: of `PLAYERS`, `coded` for the surrogate, or the spelling of a language model.
        scenario: of day 0.
        days: how many.
        disarmers: how many nations (of `DISARMING`, in that order) disarm instead.
        mind: how a language model is asked, and with which `wording`: see `Government`.
        wording: see there.
        narrated: whether the model also sums up each day; else it is done by rule.
        cache: file in which a model's answers are kept.
    """
    policies: dict[Agent, Policy]
    if player == CODED or player in PLAYERS:
        narrated = False
        make = PLAYERS["reciprocator" if player == CODED else player]
        policies = dict.fromkeys(NATIONS, make())
    else:
        from ethogram.language import model as open_model
        from ethogram.policies.prompted.nation import Government, Narrator

        opened = open_model(player, cache=cache or None, repairs=5)
        policies = dict.fromkeys(NATIONS, Government(opened, mind=mind, wording=wording))  # type: ignore[arg-type]
        if narrated:
            policies["Narrator"] = Narrator(opened)
    policies |= dict.fromkeys(DISARMING[:disarmers], Disarmer())
    return WarGame(scenario, days=days, narrator=narrated), policies


@scene
def replay(run: str) -> tuple[World, Policy]:
    """A released run, played again: its nations do what was recorded, with the released effects."""
    found = released_run(run)
    if strangers := {deed.actor for deed in found.deeds} - set(NATIONS):
        raise DataError(
            f"the released run {run} has acts of {', '.join(sorted(strangers))}, which are no nations of the game"
        )
    world = WarGame(found.scenario, read_effects(effects_file()), days=len(found.scores), limit=MANY)
    return world, Recorded(orders_of(found.deeds))


def summary(done: Sequence[Deed], days: int) -> dict[str, Any]:
    """What is kept of a game: scores by day, also by nation; numbers of acts by day and severity; and what follows.

    `strict`, `nuclear`, `acts` and `unmatched` are as the released scorer has them; in the rest every kind is matched.
    """
    counts = grid(done, list(NATIONS), days)
    strict = daily(done, days, strict=True)
    return {
        "strict": [day.score for day in strict],
        "nations": weigh(counts).tolist(),
        "severities": counts.sum(1).tolist(),
        "nuclear": sum(day.counts["nuclear"] for day in strict),
        "acts": sum(day.actions for day in strict),
        "unmatched": sum(day.unmatched for day in strict),
        "first": first_violent(done),
        "arms": arms_race(done, days),
    }


def replayed(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """Released runs, played again, and on how many days our score is the released one to the last count."""
    found = []
    for name in item["runs"]:
        released = released_run(name)
        days = len(released.scores)
        done = deeds(rollouts(replay(name), episodes=1, progress=False))
        again = [day.released() for day in daily(done, days, strict=True)]
        same = sum(mine == theirs for mine, theirs in zip(again, released.scores, strict=True))
        found.append({"name": name, "days": days, "same": same, **summary(done, days)})
    return found


def played(item: dict[str, Any], lab: Lab) -> list[dict[str, Any]]:
    """Games of coded nations, one for each seed."""
    scene_of = game(item["player"], item["scenario"], item["days"], item["disarmers"])
    return [
        summary(deeds(rollouts(scene_of, episodes=1, seed=seed, progress=False)), item["days"]) for seed in item["seeds"]
    ]


# --- who reads what ---


@scene
def whispering(days: int = 5) -> tuple[World, Policies]:
    """A game of nations that are prompted, and answered by a script that whispers: see `guarded`."""
    from ethogram.language import scripted
    from ethogram.policies.prompted.nation import Government, Narrator

    opened = scripted(_whisper, name="whisperer")
    policies: dict[Agent, Policy] = dict.fromkeys(NATIONS, Government(opened))
    return WarGame("cyberattack", days=days, narrator=True), {**policies, "Narrator": Narrator(opened)}


def _whisper(request: Any) -> str:
    """Every day another nation is told a secret, and gets intelligence, or is attacked in its networks."""
    prompt = " ".join(message["content"] for message in request.messages)
    if "Sum up" in prompt:
        return "All was calm, as far as is known."
    name = re.search(r"what the nation (\w+) does", prompt)
    day = re.search(r"morning of day (\d+)", prompt)
    assert name and day
    names = list(NATIONS)
    other = names[(names.index(name[1]) + int(day[1])) % len(names)]
    kind = ("Share intelligence on threats with other nation", "Execute cybersecurity attack")[int(day[1]) % 2]
    return json.dumps(
        {
            "reasoning": f"thought-{name[1]}-{day[1]}",
            "actions": [{"kind": kind, "target": other}, {"kind": "Form an alliance", "target": other}],
            "messages": [{"to": other, "text": f"secret-{name[1]}-{day[1]}"}],
        }
    )


def guarded(item: dict[str, Any], lab: Lab) -> dict[str, int]:
    """Search all prompts of such a game, as they were sent, for all that is private in it.

    Returns:
        `prompts`, `secrets` (private acts, letters and thoughts), `leaks` (secrets that stand in a prompt of somebody who
        is no party to it; of a thought: in any), and `known` (that stand in a prompt of a party, as they should).
    """
    run = lab.simulate("whispering", whispering(item["days"]))
    prompts: dict[str, str] = {}
    count = 0
    for _, call in run.all_calls():
        prompts[call.position.agent] = prompts.get(call.position.agent, "") + json.dumps(call.messages, ensure_ascii=False)
        count += 1
    secrets: list[tuple[str, set[str]]] = []
    for one in run.trajectories():
        for time, orders in zip(one.times, one.actions, strict=True):
            if isinstance(orders, Orders):
                act, letter = orders.actions[0], orders.messages[0]
                secrets += [
                    (f"day {time:.0f}, {one.agent} to {act.target}: {act.kind}", {one.agent, act.target}),
                    (letter.text, {letter.to}),
                    (orders.reasoning, set()),
                ]
    leaks = sum(text in said for text, parties in secrets for who, said in prompts.items() if who not in parties)
    known = sum(text in prompts[who] for text, parties in secrets for who in parties)
    return {"prompts": count, "secrets": len(secrets), "leaks": leaks, "known": known}
