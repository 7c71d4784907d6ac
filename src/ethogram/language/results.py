"""Answers as records and caches keep them."""

from __future__ import annotations

import json
from typing import Any

from ethogram.language.request import Answer, encode

__all__ = ["answer_in", "packed", "reply_text", "unpacked"]


def reply_text(answer: Answer) -> str | None:
    """What the column `reply` of a call holds: the text; for scores, JSON with the options' numbers of tokens."""
    return answer.text if answer.scores is None else encode({"tokens": answer.tokens or []})


def answer_in(reply: str | None, scores: list[float] | None, method: str, tokens_in: int, tokens_out: int) -> Answer:
    """The answer that the columns of a recorded call say."""
    if scores is None:
        return Answer(text=reply, tokens_in=tokens_in, tokens_out=tokens_out)
    tokens = json.loads(reply)["tokens"] if reply else []
    return Answer(None, list(scores), tokens, method, tokens_in, tokens_out)  # type: ignore[arg-type]


def packed(answer: Answer) -> str:
    """An answer as text, for a cache."""
    fields = [answer.text, answer.scores, answer.tokens, answer.method, answer.tokens_in, answer.tokens_out, answer.finish]
    return encode(fields)


def unpacked(text: str) -> Answer:
    """The answer that `packed` wrote; ValueError where it did not write it."""
    fields: Any = json.loads(text)
    if not isinstance(fields, list) or len(fields) != 7:
        raise ValueError("not an answer")
    return Answer(*fields)
