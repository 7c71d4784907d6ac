"""What a group is asked. It is apart from the other spaces since pydantic takes a while to import."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Asked"]


class Asked(BaseModel):
    """A decision that people who are alike in some respects have to make, each for themselves."""

    model_config = ConfigDict(frozen=True)

    decision: str = Field(description="What is to be decided.")
    options: tuple[str, ...] = Field(description="What they may choose from.")
    who: dict[str, str] = Field(description="What these people have in common.")
    facts: dict[str, float] = Field(description="What they know, in numbers.")
    people: int = Field(ge=0, description="How many they are.")
