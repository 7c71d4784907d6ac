"""Reading answers: what is valid, and how an invalid one is asked again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ethogram.errors import VerbError
from ethogram.language.request import Answer, Message, Request, Space
from ethogram.seeds import derive

__all__ = ["Invalid", "Read", "read_reply", "read_scores", "second_try"]

Read = Callable[[Answer], Any]
"""Gives the value that an answer says, or raises `Invalid`."""


class Invalid(Exception):
    """An answer that cannot be used; the message is fit to be shown to the model."""

    def __init__(self, label: str, message: str, *, cut: bool = False) -> None:
        super().__init__(message)
        self.label = label
        """What the record says: `truncated`, `schema` or `scores`, and why."""
        self.cut = cut


def read_reply(space: Space | None, validate: Callable[[Any], None] | None, max_tokens: int) -> Read:
    """How replies are read: cut off ones are invalid where a space is given; `validate` may raise ValueError."""

    def read(answer: Answer) -> Any:
        text = answer.text
        if text is None:
            raise Invalid("schema: no text", "there is no text")
        value: Any = None
        if space is not None:
            if answer.finish == "length":
                raise Invalid(
                    f"truncated: at {max_tokens} tokens", f"it is longer than {max_tokens} tokens; be much briefer", cut=True
                )
            try:
                value = space.parse(text)
            except VerbError as error:
                raise Invalid(f"schema: {error}", str(error)) from error
        if validate is not None:
            try:
                validate(text if space is None else value)
            except ValueError as error:
                raise Invalid(f"schema: {error}", str(error)) from error
        return value

    return read


def read_scores(options: list[str]) -> Read:
    """How scores are read: one number for each option, none of them NaN or above 0 by more than rounding."""

    def read(answer: Answer) -> None:
        scores = answer.scores
        if scores is None or len(scores) != len(options):
            raise Invalid("scores: not one for each option", "there is not one score for each option")
        if any(math.isnan(s) or s == math.inf for s in scores):
            raise Invalid("scores: not numbers", "scores are not numbers")

    return read


def second_try(request: Request, answer: Answer, error: Invalid, attempt: int) -> Request:
    """The request after an invalid answer: with a seed of its own, and with the error said to the model.

    The invalid reply is shown to the model too, unless it was cut off; then its excess is only mentioned.
    """
    seed = derive(request.seed, "attempt", attempt) % 2**31
    if request.kind == "score":
        return request.again(seed, [])
    if error.cut or not answer.text:
        note: Message = {"role": "user", "content": f"(A first reply was not valid: {error}.)"}
        return request.again(seed, [note])
    said: Message = {"role": "assistant", "content": answer.text[:2000]}
    note = {"role": "user", "content": f"That is not valid: {error}. Reply again, with nothing but a valid reply."}
    return request.again(seed, [said, note])
