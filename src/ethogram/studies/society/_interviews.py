"""Interviews at the end of a run, and a coded score of how far the answers agree with the record."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from ethogram.seeds import derive
from ethogram.studies.society._diffusion import Telling

if TYPE_CHECKING:
    from ethogram.records import Run
    from ethogram.worlds.coded.town import Town

__all__ = ["agrees", "answers", "denies", "questions", "score"]

_DENIES = re.compile(r"\b(not|n't|no|nothing|never|nobody|no one)\b|n't\b", re.IGNORECASE)
_SMALL = frozenset(
    {"a", "an", "and", "at", "for", "from", "i", "in", "is", "it", "my", "of", "on", "or", "the", "to", "was"}
)


def answers(run: Run, asked: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Ask the agents as they are at the end of a run; nothing in the run changes.

    Args:
        run: the run.
        asked: question by key, by agent.

    Returns:
        Answers by the same keys.
    """
    from ethogram.aio import run_coroutine
    from ethogram.simulation import restore

    policies: Any = restore(run).policies

    async def ask() -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for agent, each in asked.items():
            found[agent] = {key: await policies[agent].ask(agent, question) for key, question in each.items()}
        return found

    return run_coroutine(ask())


def questions(run: Run, town: Town, said: list[Telling], seed: int) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Questions whose right answers the record knows, one of each sort for each agent.

    - `self`: who one is; right if the answer has the occupation.
    - `day`: what one does at a full hour of the last day; right if it agrees with what the record says was done.
    - `heard`: what somebody said who did speak to the agent; right if it agrees with something that was said.
    - `unheard`: the same of somebody who never did; right if the answer denies it.

    Returns:
        Questions by sort, by agent, and by the same keys what an answer must agree with (None: it must deny).
    """
    asked: dict[str, dict[str, str]] = {}
    right: dict[str, Any] = {}
    done = _activities(run)
    for person in town.persons:
        name = person.name
        asked[name] = {"self": "Please introduce yourself."}
        right[name] = {"self": [person.occupation or name]}
        hours = sorted(done.get(name, {}))
        if hours:
            hour = hours[derive(seed, "hour", name) % len(hours)]
            asked[name]["day"] = f"What is your plan for today at {hour:02d}:00?"
            right[name]["day"] = [done[name][hour]]
        heard: dict[str, list[str]] = {}
        for one in said:
            if one.target == name and one.kind == "told" and one.source in town.people.persons:
                heard.setdefault(one.source, []).append(one.text)
        partners = Counter({source: len(texts) for source, texts in heard.items()}).most_common(1)
        if partners:
            asked[name]["heard"] = f"What did {partners[0][0]} tell you?"
            right[name]["heard"] = heard[partners[0][0]]
        strangers = [other for other in town.possible_agents if other != name and other not in heard]
        if strangers:
            stranger = strangers[derive(seed, "stranger", name) % len(strangers)]
            asked[name]["unheard"] = f"What did {stranger} tell you?"
            right[name]["unheard"] = None
    return asked, right


def score(answered: dict[str, dict[str, str]], right: dict[str, Any]) -> dict[str, float]:
    """The share of right answers, by sort of question."""
    correct: dict[str, list[bool]] = {}
    for agent, each in right.items():
        for sort, texts in each.items():
            answer = answered[agent][sort]
            ok = denies(answer) if texts is None else any(agrees(answer, text) for text in texts)
            correct.setdefault(sort, []).append(ok)
    return {sort: sum(found) / len(found) for sort, found in correct.items()}


def agrees(answer: str, text: str) -> bool:
    """Whether an answer has at least half of the words of a text that carry meaning."""
    words, given = _words(text), _words(answer)
    return bool(words) and len(words & given) >= len(words) / 2


def denies(answer: str) -> bool:
    """Whether an answer says no: that one does not know, or that it was not so."""
    return _DENIES.search(answer) is not None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - _SMALL


def _activities(run: Run) -> dict[str, dict[int, str]]:
    """What each agent was doing at full hours of the last day, where it was not walking or talking: by agent and hour."""
    import polars as pl

    found: dict[str, dict[int, str]] = {}
    rows = run.steps.filter(pl.col("observation").is_not_null()).select("agent", "observation").collect().rows()
    views = [(agent, json.loads(observation)) for agent, observation in rows]
    last = max((view["time"] for _, view in views), default=0.0)
    day = (last - 1) // 1440
    for agent, view in views:
        hour, minute = divmod(view["time"] - day * 1440, 60)
        passing = re.match(r"walking|talking|arriving|getting up|waiting|sleeping", view["activity"])
        if 0 < minute <= 30 and hour >= 0 and not passing and not view["going"]:
            found.setdefault(agent, {}).setdefault(int(hour), view["activity"])
    return found
