"""What a respondent sees of a questionnaire, and how it leaves a question out. Worlds and policies both speak this."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Asked", "Skip"]


class Asked(BaseModel):
    """A question as a respondent sees it."""

    model_config = ConfigDict(frozen=True)

    item: str = Field(max_length=60, description="the question's name, which is the verb of your answer")
    type: str = Field(max_length=20, description="the kind of question; `end` when there are no more")
    text: str = Field(max_length=8000, description="the question")
    options: list[str] = Field(default=[], max_length=200, description="the answers there are, or the points of a scale")
    hint: str = Field(default="", max_length=400, description="what an answer looks like")
    intro: str = Field(default="", max_length=4000, description="what is said before the first question")
    number: int = Field(default=0, ge=0, description="how many questions you have been asked before this one")
    form: int = Field(default=0, ge=0, description="which form of the questionnaire you have")
    refused: str = Field(default="", max_length=400, description="why your last answer was not accepted; empty where it was")


class Skip(BaseModel):
    """Leave the question unanswered."""

    model_config = ConfigDict(frozen=True, extra="forbid")
