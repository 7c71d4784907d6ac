"""Choices from scores: how options are put to the model, and how scores become a choice.

Answering letters are biased by the letter and by the place in the list; answering texts by their length. Asking in all
rotations of the list lets each option stand once at every place. With score = preference(option) + bias(place, letter) the
mean over rotations is preference + constant, and the constant drops out of the softmax. The mean is taken of log-likelihoods
for that reason. (An interaction of option and place does not cancel.)
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ethogram.errors import ConfigError
from ethogram.language.request import Message, Method, Scores

__all__ = ["Arrangement", "Choice", "arrangements", "decide", "softmax"]

LABELS = string.ascii_uppercase
RANKS: tuple[Method, ...] = ("exact", "top-k", "sampled")


@dataclass(slots=True)
class Choice:
    """One option, chosen."""

    index: int
    option: str
    probabilities: np.ndarray
    """Of each option, in the order given; float64, sums to 1."""
    scores: np.ndarray
    """What they were computed from: mean over the arrangements of log-likelihoods, in nats."""
    method: Method
    """The weakest method that was used; see `Scores`."""
    arrangements: int
    """How many orders of the list were asked for."""


@dataclass(slots=True)
class Arrangement:
    """One way of putting a question."""

    messages: list[Message]
    answers: list[str]
    """What is scored, in the order of the list."""
    order: list[int]
    """Which option stands at each place."""
    mean: bool
    """Whether an answer's score is the mean over its tokens, not the sum."""


def arrangements(messages: list[Message], options: list[str], by: str, average: bool, length: str) -> list[Arrangement]:
    """All ways in which a question is to be put.

    Raises:
        ConfigError: an unknown way, too many options for letters, or messages that do not end with the user's.
    """
    if by not in ("label", "text") or length not in ("", "sum", "mean"):
        raise ConfigError(f"by={by!r}, length={length!r}: give by='label' or 'text', and length='sum' or 'mean' or nothing")
    if by == "label" and len(options) > len(LABELS):
        raise ConfigError(f"there are {len(options)} options but only {len(LABELS)} letters: choose with by='text'")
    if messages[-1]["role"] != "user":
        raise ConfigError(f"the last message has role {messages[-1]['role']!r}: a choice answers a message of the user")
    n = len(options)
    mean = (length or ("sum" if by == "label" else "mean")) == "mean"
    found: list[Arrangement] = []
    for turn in range(n if average else 1):
        order = [(place + turn) % n for place in range(n)]
        listed = [options[i] for i in order]
        if by == "label":
            lines = [f"{letter}. {text}" for letter, text in zip(LABELS, listed, strict=False)]
            tail, answers = "Answer with one letter.", list(LABELS[:n])
        else:
            lines, tail, answers = [f"- {text}" for text in listed], "Answer with one of these, word for word.", listed
        content = "\n".join([messages[-1]["content"], "", *lines, "", tail])
        found.append(Arrangement([*messages[:-1], {"role": "user", "content": content}], answers, order, mean))
    return found


def decide(
    options: list[str],
    asked: Sequence[Arrangement],
    results: Sequence[Scores],
    temperature: float,
    rng: np.random.Generator,
) -> Choice:
    """The choice that the scores of all arrangements make; draws one uniform number."""
    total = np.zeros(len(options))
    for arrangement, result in zip(asked, results, strict=True):
        values = np.asarray(result.values, dtype=float)
        if arrangement.mean:
            values = values / (result.tokens or [max(1, len(a.split())) for a in arrangement.answers])
        total[arrangement.order] += values
    scores = total / len(asked)
    probabilities = softmax(scores, temperature)
    u = rng.random()
    index = min(int(np.searchsorted(np.cumsum(probabilities), u, side="right")), len(options) - 1)
    method = RANKS[max(RANKS.index(r.method) for r in results)]
    return Choice(index, options[index], probabilities, scores, method, len(asked))


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities proportional to exp(scores / temperature); at 0 all on the first best one; alike where all are -inf."""
    best = scores.max()
    if best == -np.inf:
        return np.full(len(scores), 1 / len(scores))
    if temperature == 0:
        return np.eye(len(scores))[int(scores.argmax())]
    weights = np.exp((scores - best) / temperature)
    return weights / weights.sum()
