"""Conversations of two: who speaks to whom, whose turn it is, when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypedDict

import numpy as np

from ethogram.social import Leave, Say

__all__ = ["Speech", "Talk", "answer", "begin", "find", "sides"]


class Talk(TypedDict):
    """A conversation that goes on."""

    pair: list[int]
    """The two people, by index."""
    turn: int
    """Which of the two is to speak, 0 or 1."""
    said: int
    """Utterances so far."""


class Speech(NamedTuple):
    """One utterance."""

    speaker: int
    hearer: int
    text: str


def find(talks: Iterable[Talk], i: int) -> Talk | None:
    """The conversation that a person is in."""
    return next((talk for talk in talks if i in talk["pair"]), None)


def sides(talk: Talk) -> tuple[int, int]:
    """Whose turn it is, and the other."""
    return talk["pair"][talk["turn"]], talk["pair"][1 - talk["turn"]]


def begin(
    sayings: list[tuple[int, Say]], near: np.ndarray, index: Mapping[str, int], turns: int
) -> tuple[list[Talk], list[Speech]]:
    """The conversations that first words open, and what is said.

    Taken in the order given: the first who speaks to somebody has his ear; what the other said to him at the same time is
    the answer; what either said to others is not heard.

    Args:
        sayings: who says what.
        near: who can hear whom, shape (n, n), bool.
        index: people's indices by name.
        turns: utterances after which a conversation ends.
    """
    talks: list[Talk] = []
    speeches: list[Speech] = []
    for i, say in sayings:
        j, talk = index[say.to], find(talks, i)
        if talk is None and near[i, j] and find(talks, j) is None:
            talk = Talk(pair=[i, j], turn=0, said=0)
            talks.append(talk)
        if talk is not None and sides(talk) == (i, j):
            speeches.append(_speak(talk, say.text))
    return [talk for talk in talks if talk["said"] < turns], speeches


def answer(
    talks: list[Talk], actions: Mapping[int, Any], index: Mapping[str, int], turns: int
) -> tuple[list[Talk], list[Speech]]:
    """The conversations that go on after those whose turn it was have acted, and what was said."""
    going_on: list[Talk] = []
    speeches: list[Speech] = []
    for talk in talks:
        i, j = sides(talk)
        action = actions[i]
        if isinstance(action, Say) and index[action.to] == j:
            speeches.append(_speak(talk, action.text))
            if talk["said"] < turns:
                going_on.append(talk)
        elif isinstance(action, Leave) and action.text:
            speeches.append(_speak(talk, action.text))
    return going_on, speeches


def _speak(talk: Talk, text: str) -> Speech:
    speaker, hearer = sides(talk)
    talk["turn"] = 1 - talk["turn"]
    talk["said"] += 1
    return Speech(speaker, hearer, text)
