"""Recall: what the answers so far leave of a base of knowledge, by Bayes' rule, in one game or in many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.guessing.knowledge import DEPENDS, NO, YES, Knowledge
from ethogram.guessing.vocabulary import ANSWERS, Exchange, Guess, asked

__all__ = ["LEAST", "UNASKED", "Recall"]

UNASKED = -1
"""Stands for the answer to a question that was not asked."""

LEAST = 1e-6
"""The likelihood of what cannot be: whoever takes a judge for faultless still finds what fits the answers best."""

Array = NDArray[np.float32]


class Recall:
    """The likelihoods of a judge's answers, for somebody who knows the base; every thing is as likely at first.

    A judge turns a yes or no into its opposite with probability `noise`, and says maybe where it depends. Asked again, it
    gives the same answer: so each question counts once.

    Args:
        knowledge: the base.
        noise: the share of wrong answers that is reckoned with.
    """

    def __init__(self, knowledge: Knowledge, noise: float = 0.0) -> None:
        if not 0 <= noise < 0.5:
            raise ConfigError(f"a judge's noise is from 0 to below 0.5, not {noise}")
        self.knowledge, self.noise = knowledge, noise
        values = knowledge.values
        self._is: dict[int, Array] = {value: (values == value).astype(np.float32) for value in (NO, YES, DEPENDS)}
        likely = np.empty((3, *values.shape), np.float32)
        likely[YES] = self._is[YES] * (1 - noise) + self._is[NO] * noise
        likely[NO] = self._is[NO] * (1 - noise) + self._is[YES] * noise
        likely[DEPENDS] = self._is[DEPENDS]
        self.log_likelihoods: Array = np.log(np.maximum(likely, LEAST)).astype(np.float32)
        """Of an answer (first axis, as in ANSWERS) about a thing (second) to a question (third): (3, N, K)."""
        self._asked = {question: k for k, question in enumerate(knowledge.questions)}
        self._guessed = {
            asked(Guess(entity=name)): i for i, names in enumerate(knowledge.names) for name in names.split("|")
        }

    def start(self, games: int = 1) -> Array:
        """The log-weights of all things before the first question, (games, N)."""
        return np.zeros((games, len(self.knowledge)), np.float32)

    def heard(self, weights: Array, questions: NDArray[Any], answers: NDArray[Any]) -> Array:
        """The log-weights (games, N) after an answer in each game; `questions` and `answers` are (games,)."""
        return weights + self.log_likelihoods[answers, :, questions]

    def remember(self, said: Sequence[Exchange]) -> tuple[NDArray[np.int8], Array]:
        """The answers (1, K), UNASKED where there is none, and the log-weights (1, N) that a game has come to.

        Names that were wrong are out. What is neither a question of the list nor a guess of a thing says nothing here.
        """
        answers = np.full((1, len(self.knowledge.questions)), UNASKED, np.int8)
        weights = self.start()
        for one in said:
            k = self._asked.get(one.asked)
            if k is not None and one.answer in ANSWERS and answers[0, k] == UNASKED:
                answers[0, k] = ANSWERS.index(one.answer)
                weights += self.log_likelihoods[answers[0, k], :, k]
            elif k is None and one.asked in self._guessed:
                weights[0, self._guessed[one.asked]] = -np.inf
        return answers, weights

    @staticmethod
    def shares(weights: Array) -> Array:
        """The posterior probabilities that log-weights stand for, (games, N)."""
        likely = np.exp(weights - weights.max(-1, keepdims=True))
        return likely / likely.sum(-1, keepdims=True)

    def gains(self, shares: Array) -> Array:
        """The expected information of each question in bits, (games, K), from the probabilities of all things (games, N).

        It is the entropy of the answer less what the judge's errors make of it: I(thing; answer).
        """
        yes, no = shares @ self._is[YES], shares @ self._is[NO]
        error = float(_entropy(np.array([self.noise, 1 - self.noise], np.float32)).sum())
        depends = np.maximum(1 - yes - no, 0)
        flipped = (1 - self.noise) * yes + self.noise * no, (1 - self.noise) * no + self.noise * yes
        found = _entropy(flipped[0]) + _entropy(flipped[1]) + _entropy(depends) - error * (yes + no)
        return np.maximum(found, 0)


def _entropy(p: NDArray[Any]) -> NDArray[Any]:
    """-p log2 p, 0 at 0."""
    return -p * np.log2(np.maximum(p, 1e-12))
