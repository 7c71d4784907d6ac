"""What somebody sees who chooses between two gambles. Worlds and policies both speak this."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ethogram.decisions.gambles import Gambles

__all__ = ["Outcome", "Take", "TwoGambles"]


class Outcome(BaseModel):
    """One outcome of a gamble."""

    model_config = ConfigDict(frozen=True)

    chance: float = Field(ge=0, le=1, description="how likely it is, from 0 to 1")
    amount: float = Field(description="what you win; below zero, what you lose")


class TwoGambles(BaseModel):
    """A choice between two gambles."""

    model_config = ConfigDict(frozen=True)

    a: list[Outcome] = Field(max_length=64, description="gamble A")
    b: list[Outcome] = Field(max_length=64, description="gamble B")
    number: int = Field(ge=0, description="how many you have chosen between before")
    got: float | None = Field(description="what your last choice brought; null where you are not told")

    def gambles(self) -> tuple[Gambles, Gambles]:
        """Both, as arrays of one row."""
        return (
            Gambles.of([[(o.chance, o.amount) for o in self.a]]),
            Gambles.of([[(o.chance, o.amount) for o in self.b]]),
        )


class Take(BaseModel):
    """Choose a gamble: it is played, and you get what comes of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gamble: str = Field(pattern="^[AB]$", examples=["A", "B"], description="A or B")
