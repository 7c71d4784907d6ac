"""The common vocabulary of worlds in which people live: what one sees, and what one can do.

A world that speaks it (a town, an office, a ship) can be peopled by any policy that speaks it, and neither imports the
other. The verbs are shown to language models with their docstrings and field descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Do", "Event", "Go", "Leave", "Say", "View", "Wait"]


class Verb(BaseModel):
    """Base of the verbs: values that cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Go(Verb):
    """Walk to a place."""

    to: str = Field(description="the place", max_length=80)


class Say(Verb):
    """Say something to a person nearby. The first word opens a conversation; the person may answer."""

    to: str = Field(description="who is spoken to", max_length=80)
    text: str = Field(description="what is said, one or two sentences", min_length=1, max_length=400)


class Leave(Verb):
    """End the conversation you are in, with a last word or none."""

    text: str = Field(default="", description="a last word", max_length=400)


class Do(Verb):
    """Spend the time on an activity where you are, perhaps with a thing that is there."""

    activity: str = Field(description="what you do, as in 'reading the paper'", min_length=1, max_length=120)
    thing: str = Field(default="", description="the thing used, if any", max_length=80)


class Wait(Verb):
    """Do nothing for now."""


class Event(BaseModel):
    """Something that happened and that an agent perceived."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["seen", "heard", "told"]
    """`seen`: an action or state; `heard`: overheard speech; `told`: speech addressed to the agent."""
    actor: str
    """The person or thing that it is about."""
    text: str
    """A full sentence about it ("Ana is painting in the park."), or for speech the words themselves."""
    place: str
    to: str = ""
    """For speech, who was addressed."""


class View(BaseModel):
    """What one agent perceives when it is asked to act."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: float
    """Minutes since midnight of the first day."""
    clock: str
    """The same for people: `Monday 08:10`."""
    place: str
    """Where the agent is, or on the way: the place it comes from."""
    going: str = ""
    """The place it is walking to, if any."""
    activity: str
    """What it is doing, in its own words."""
    events: tuple[Event, ...] = Field(default=(), max_length=1000)
    """What it perceived since it last acted, oldest first."""
    people: tuple[str, ...] = Field(default=(), max_length=1000)
    """Who is near enough to be spoken to."""
    things: dict[str, str] = Field(default_factory=dict, max_length=1000)
    """The things in sight and their states."""
    talking_to: str = ""
    """The partner of the conversation it is in; it is then asked for its next words (Say or Leave)."""
