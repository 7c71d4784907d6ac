"""The common vocabulary of worlds in which people make statements: who reads what, and what they can say.

Worlds (random meetings, a feed) and policies that speak it can be put together, and neither imports the other. The verbs are
shown to language models with their docstrings and field descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ethogram.social import Wait

__all__ = [
    "ATTITUDES",
    "EMOTIONS",
    "Attitude",
    "Day",
    "Emotion",
    "Opine",
    "Post",
    "Publish",
    "Read",
    "Repost",
    "Statement",
    "Timeline",
    "Wait",
]

Emotion = Literal["calm", "moderate", "intense"]
Attitude = Literal["negative", "positive"]
EMOTIONS: tuple[Emotion, ...] = ("calm", "moderate", "intense")
ATTITUDES: tuple[Attitude, ...] = ("negative", "positive")
TEXT = 280
"""The most characters of a post."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- people who meet ---


class Statement(_Value):
    """What somebody last said about the claim that everybody talks about."""

    author: str
    text: str = Field(max_length=TEXT)
    belief: bool
    """Whether its author believes the claim. The experimenter knows it; a mind that reads words must not look."""


class Day(_Value):
    """What a person perceives of a day on which it meets others."""

    day: int
    """From 1 on."""
    mine: Statement
    """What it said last."""
    met: tuple[Statement, ...] = Field(default=(), max_length=100)
    """What those whom it met today said last."""
    denial: str = Field(default="", max_length=TEXT)
    """An official denial of the claim, on the days on which there is one."""


class Opine(_Value):
    """Say what you think about the claim today."""

    post: str = Field(description="what you say, one or two sentences", min_length=1, max_length=TEXT)
    belief: bool = Field(description="whether you believe the claim")
    reason: str = Field(default="", description="why, in a few words", max_length=TEXT)


# --- people who follow each other ---


class Post(_Value):
    """A post as its reader sees it."""

    id: int
    author: str
    text: str = Field(max_length=TEXT)
    emotion: Emotion
    attitude: Attitude
    source: int = -1
    """The post that this one repeats; -1 where it is new."""


class Timeline(_Value):
    """What a user of a network perceives in a round."""

    round: int
    emotion: Emotion
    """What it said that it feels."""
    attitude: Attitude
    posts: tuple[Post, ...] = Field(default=(), max_length=10_000)
    """What the users it follows posted in the last round, each post once."""


class _Feeling(_Value):
    emotion: Emotion = Field(description="how strongly you feel about it now")
    attitude: Attitude = Field(description="whether you are for it or against it now")


class Publish(_Feeling):
    """Write a post of your own about it, for your followers."""

    text: str = Field(description="the post", min_length=1, max_length=TEXT)


class Repost(_Feeling):
    """Pass on a post that you received to your followers."""

    post: int = Field(description="the id of the post")


class Read(_Feeling):
    """Only read, and say nothing."""
