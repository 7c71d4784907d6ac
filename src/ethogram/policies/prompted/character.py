"""Who an agent is: what its mind is told about it, and nothing about anybody else."""

from __future__ import annotations

from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from ethogram.populations.persona import Persona, clean

__all__ = ["Character", "Slot"]


class Slot(BaseModel):
    """A line of somebody's usual day: from `start` until the next line starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="time of day, as in 07:30")
    activity: str = Field(min_length=1, max_length=120, description="what is done, as in 'opening the cafe'")
    place: str = Field(default="", description="where, if it is always done there")
    thing: str = Field(default="", description="the thing used there, if any")

    @property
    def minute(self) -> int:
        """Minutes since midnight."""
        hours, minutes = self.start.split(":")
        return 60 * int(hours) + int(minutes)


class Character(Persona):
    """A persona with what a generative agent needs: the paper's paragraph about each agent (section 3.1) and a usual day.

    What changes in a run is not here; what an agent knows of others it knows from its own memories.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    age: int | None = None
    occupation: str = ""
    traits: str = Field(default="", description="innate, as in 'friendly, outgoing'")
    about: str = Field(default="", description="a few sentences in the third person")
    home: str = Field(default="", description="the place where the agent sleeps")
    routine: tuple[Slot, ...] = Field(default=(), description="the usual day; a line that begins with 'sleep' is the night")
    knows: dict[str, str] = Field(default_factory=dict, description="other agents: 'friend', 'sister', 'neighbour'")
    interests: tuple[str, ...] = ()
    memories: tuple[str, ...] = Field(default=(), description="what the agent remembers at the start, in the third person")

    @cached_property
    def summary(self) -> str:
        """The identity in one paragraph: always the same text, so that a prompt cache can keep it."""
        age = f", {self.age} years old" if self.age is not None else ""
        parts = [f"{self.name}{age}{f', {self.occupation}' if self.occupation else ''}"]
        if self.traits:
            parts.append(f"{self.name} is {self.traits}")
        if self.about:
            parts.append(self.about)
        if self.knows:
            parts.append("Knows " + ", ".join(f"{who} ({how})" for who, how in self.knows.items()))
        if self.interests:
            parts.append(f"Interests: {', '.join(self.interests)}")
        return clean(" ".join(f"{part.rstrip('.')}." for part in parts), 1000)
