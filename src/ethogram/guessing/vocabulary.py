"""The vocabulary of guessing games: what the questioner and the judge can do and see, and the rules of names and scores.

The rules are those of the Entity-Deduction Arena (Zhang, Lu, Jaitly 2023, arXiv:2310.01468, and the authors' release),
written anew from their description.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ANSWERS",
    "MUST_GUESS",
    "TEXT",
    "TURNS",
    "Answer",
    "Ask",
    "AskFreely",
    "Exchange",
    "Guess",
    "Heard",
    "Questioning",
    "Reply",
    "asked",
    "bank",
    "content",
    "names_it",
    "normalise",
    "score",
]

TURNS = 20
TEXT = 300
"""The most characters of a question."""
Reply = Literal["no", "yes", "maybe"]
ANSWERS: tuple[Reply, ...] = ("no", "yes", "maybe")
"""In the order of the values NO, YES and DEPENDS of a base of knowledge."""
MUST_GUESS = "You must guess now: what is it?"

_LEAKS = (
    (re.compile(r"the (?:entity|thing|object|item) (?:that )?you(?:'re| are) thinking of", re.IGNORECASE), "it"),
    (re.compile(r" (?:that )?you(?:'re| are) thinking of", re.IGNORECASE), ""),
)
_FILLERS = frozenset(
    ("a", "an", "the", "is", "it", "does", "do", "did", "can", "could", "has", "have", "would", "will", "this", "that")
) | {"thing", "entity", "object"}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ask(_Value):
    """Ask one of the questions of the list."""

    question: str = Field(description="the question, word for word", min_length=1, max_length=TEXT)


class AskFreely(_Value):
    """Ask a question of your own that can be answered by yes, no or maybe."""

    text: str = Field(description="the question, brief and on one line", min_length=1, max_length=TEXT)


class Guess(_Value):
    """Say what you think it is."""

    entity: str = Field(description="the name of the thing", min_length=1, max_length=80)


class Answer(_Value):
    """Answer the question about the thing that you know."""

    answer: Reply = Field(description="yes, no or maybe")


class Exchange(_Value):
    """A question (or guess) and its answer."""

    asked: str = Field(max_length=TEXT + 20)
    answer: Literal["no", "yes", "maybe", "bingo"] = Field(description="bingo: the thing was named")


class Questioning(_Value):
    """What the questioner sees."""

    task: str = Field(max_length=1000, description="the rules")
    turn: int = Field(ge=1, description="the turn that comes now, from 1")
    turns: int = Field(ge=1, description="how many turns there are")
    said: list[Exchange] = Field(max_length=1000, description="what was asked and answered so far")
    told: str = Field(max_length=100, description="what the judge adds, such as that it is time to guess")


class Heard(_Value):
    """What the judge sees."""

    entity: str = Field(max_length=200, description="the thing that is to be guessed")
    question: str = Field(max_length=TEXT + 20, description="what is asked; empty while the questioner thinks")


def asked(action: BaseModel, last: bool = False) -> str:
    """The words of a questioner's action; the last turn's are a guess, and have "Is it right?" after them."""
    words = action.text if isinstance(action, AskFreely) else action.question if isinstance(action, Ask) else ""
    words = words or f"Is it {getattr(action, 'entity', '')}?"
    return normalise(words) + (" Is it right?" if last else "")


def normalise(text: str) -> str:
    """A question without the phrases that speak of what the judge is thinking of, on one line."""
    for pattern, word in _LEAKS:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def names_it(text: str, entity: str) -> bool:
    """Whether a text has a name of the thing in it as whole words: "car" is in "Is it a car?", and not in "a card".

    Args:
        text: any.
        entity: the name, or names divided by |.
    """
    lower = text.lower()
    for name in (one.strip().lower() for one in entity.split("|")):
        if name and name in lower and re.search(rf"(?:^|\W){re.escape(name)}(?:$|\W)", lower):
            return True
    return False


def content(question: str) -> frozenset[str]:
    """The words by which two wordings of a question are known as the same: all but fillers (articles, is, it, does ...)."""
    return frozenset(re.findall(r"[a-z0-9-]+", normalise(question).lower())) - _FILLERS


def score(won: bool, turns: int) -> float:
    """1 - 0.02 max(turns - 5, 0) where the game was won, with the winning turn counted, else 0."""
    return 1 - 0.02 * max(turns - 5, 0) if won else 0.0


def bank(questions: Sequence[str]) -> dict[frozenset[str], int]:
    """The questions of a list by their content."""
    return {content(question): k for k, question in enumerate(questions)}
