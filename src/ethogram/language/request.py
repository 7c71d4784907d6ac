"""What is asked of a language model, and what comes back: the values that models and back ends exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, Protocol

from ethogram.errors import ConfigError

__all__ = ["Answer", "Kind", "Message", "Messages", "Method", "Reply", "Request", "Scores", "Space", "normalised"]

Message = dict[str, str]
"""`role` (system, user or assistant) and `content`."""

Messages = str | Sequence[Mapping[str, str]]
"""What callers may give: one user message as text, or a list of messages."""

Kind = Literal["generate", "score"]
Method = Literal["exact", "top-k", "sampled"]

_encode = json.JSONEncoder(separators=(",", ":")).encode

ROLES = frozenset({"system", "user", "assistant"})


class Space(Protocol):
    """What a reply may be constrained to: `ethogram.spaces.Verbs` and `Typed` are such."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of all elements."""
        ...

    def parse(self, text: str) -> Any:
        """The element in a reply; raises VerbError."""
        ...


@dataclass(slots=True)
class Request:
    """One request, complete: an answer depends on nothing else.

    `key` names its content and is the same wherever and whenever it is made.
    """

    model: str
    kind: Kind
    messages: list[Message]
    messages_json: str
    """`messages` as JSON: encoded once, for the key and for the wire."""
    options: list[str] | None = None
    schema: dict[str, Any] | None = None
    schema_json: str = ""
    max_tokens: int = 256
    temperature: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    key: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            head = [self.model, self.kind, self.options, self.max_tokens, self.temperature, self.stop, self.seed]
            content = f"{encode(head)}\n{self.schema_json}\n{self.messages_json}"
            self.key = blake2b(content.encode(), digest_size=16).hexdigest()

    def again(self, seed: int, extra: list[Message]) -> Request:
        """The same request with another seed and with messages added: a second try. It keeps its key."""
        messages = [*self.messages, *extra]
        return Request(
            self.model,
            self.kind,
            messages,
            encode(messages),
            self.options,
            self.schema,
            self.schema_json,
            self.max_tokens,
            self.temperature,
            self.stop,
            seed,
            self.key,
        )


@dataclass(slots=True)
class Answer:
    """What a back end gives: a text, or the scores of the options."""

    text: str | None = None
    scores: list[float] | None = None
    tokens: list[int] | None = None
    """Number of tokens of each option, where scores are exact; else empty."""
    method: Method | Literal[""] = ""
    tokens_in: int = 0
    tokens_out: int = 0
    finish: str = "stop"
    """`stop`, or `length` where the text was cut off at `max_tokens`."""


@dataclass(slots=True)
class Reply:
    """The answer to `generate`."""

    text: str
    value: Any = None
    """The element of the space that the text says; None where no space was given."""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cost: float | None = 0.0
    """Money paid; 0 where free or answered without a call, None where the price is not known."""
    cached: bool = False
    """Whether it was answered without a call: from a record, a cache, or a like call in flight."""
    finish: str = "stop"
    """`stop`, or `length` where the text has `max_tokens` tokens, so that it may have been cut off."""


@dataclass(slots=True)
class Scores:
    """The answer to `score`: for each option, how likely the model is to say it."""

    options: list[str]
    values: list[float]
    """Log-likelihoods in nats, that the answer begins with the option: sums over its tokens."""
    method: Method
    """`exact`: of every token. `top-k`: of the first token, among the few most likely that an endpoint discloses.
    `sampled`: smoothed frequency among sampled answers."""
    tokens: list[int] = field(default_factory=list)
    """Number of tokens of each option; empty where not known (`top-k`, `sampled`)."""
    seconds: float = 0.0
    cost: float | None = 0.0
    cached: bool = False


def encode(value: Any) -> str:
    """Canonical JSON: the same for the same content. Any string can be encoded, also half a surrogate pair."""
    return _encode(value)


def normalised(messages: Messages) -> list[Message]:
    """Messages as a list of plain dicts with `role` and `content`.

    Raises:
        ConfigError: they are not messages.
    """
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    plain: list[Message] = []
    for message in messages:
        try:
            role, content = message["role"], message["content"]
        except (KeyError, TypeError) as error:
            raise ConfigError(f'message {len(plain)} is {message!r}: give {{"role": ..., "content": ...}}') from error
        if role not in ROLES or not isinstance(content, str):
            raise ConfigError(
                f"message {len(plain)} has role {role!r} and content of type {type(content).__name__}: "
                "give one of the roles system, user, assistant, and text"
            )
        plain.append({"role": role, "content": content})
    if not plain:
        raise ConfigError("there are no messages: give at least one")
    return plain
