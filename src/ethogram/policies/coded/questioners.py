"""Questioners by stated laws, for twenty questions: at random, by information, by guessing names."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ethogram.errors import ConfigError
from ethogram.guessing.knowledge import Knowledge, things
from ethogram.guessing.recall import UNASKED, Recall
from ethogram.guessing.vocabulary import Ask, Guess, Questioning
from ethogram.policies.coded.scripted import Scripted

__all__ = ["SURE", "NameGuesser", "RandomQuestions", "Splitter", "WithRecall"]

SURE = 0.3
"""With one thing as likely as this, a guess is worth its turn: naming three equally likely things one after the other takes
two turns on average, and a question that divides them 2.33."""


class WithRecall(Scripted):
    """Knows the base, and names the likeliest thing as soon as it is sure enough, or has to; a subclass picks questions.

    Args:
        knowledge: what it knows: the file of a base, or a base; None: the one that comes with ethogram.
        noise: the share of wrong answers that it reckons with.
        sure: the probability of one thing from which it is named.
    """

    def __init__(self, knowledge: str | Path | Knowledge | None = None, noise: float = 0.0, sure: float = SURE) -> None:
        super().__init__()
        if not 0 < sure <= 1:
            raise ConfigError(f"how sure one has to be to guess is above 0 and at most 1, not {sure}")
        base = knowledge if isinstance(knowledge, Knowledge) else Knowledge.load(knowledge) if knowledge else things()
        self.recall, self.sure = Recall(base, noise), sure

    def script(
        self, observation: Questioning, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator
    ) -> Ask | Guess:
        """A question, or a guess."""
        base = self.recall.knowledge
        answers, weights = self.recall.remember(observation.said)
        shares = self.recall.shares(weights)
        best = int(shares[0].argmax())
        if observation.turn < observation.turns and shares[0, best] < self.sure:
            open_ = np.flatnonzero(answers[0] == UNASKED)
            if len(open_):
                return Ask(question=base.questions[self.pick(open_, shares, rng)])
        return Guess(entity=base.called(best))

    @abstractmethod
    def pick(self, open_: NDArray[Any], shares: NDArray[np.float32], rng: np.random.Generator) -> int:
        """The number of the next question.

        Args:
            open_: numbers of the questions that were not asked yet, at least one.
            shares: the probabilities of all things, (1, N).
            rng: random numbers.
        """


class RandomQuestions(WithRecall):
    """Asks the questions of the list in random order."""

    def pick(self, open_: NDArray[Any], shares: NDArray[np.float32], rng: np.random.Generator) -> int:
        """Any question."""
        return int(rng.choice(open_))


class Splitter(WithRecall):
    """Asks the question whose answer is expected to tell most (greedy in information; Bayesian where the judge errs).

    Args:
        knowledge: as in `WithRecall`.
        noise: as in `WithRecall`.
        sure: as in `WithRecall`.
        menu: it chooses among so many questions, drawn anew each turn; 0: among all. As the surrogate of a language model
            that is shown a menu, it is what a perfect reader of the menu would do.
    """

    def __init__(
        self,
        knowledge: str | Path | Knowledge | None = None,
        noise: float = 0.0,
        sure: float = SURE,
        menu: int = 0,
    ) -> None:
        super().__init__(knowledge, noise, sure)
        if menu < 0:
            raise ConfigError(f"a splitter's menu has {menu} questions; give 0 for all, or how many")
        self.menu = menu

    def pick(self, open_: NDArray[Any], shares: NDArray[np.float32], rng: np.random.Generator) -> int:
        """The question with the highest gain; of equal ones the first in the list."""
        if self.menu and self.menu < len(open_):
            open_ = np.sort(rng.choice(open_, self.menu, replace=False))
        return int(open_[self.recall.gains(shares)[0, open_].argmax()])


class NameGuesser(Scripted):
    """Asks nothing, and names one thing of the base after the other, in random order.

    Args:
        knowledge: whose things it names; None: the base that comes with ethogram.
    """

    def __init__(self, knowledge: str | Path | Knowledge | None = None) -> None:
        super().__init__()
        self.knowledge = (
            knowledge if isinstance(knowledge, Knowledge) else Knowledge.load(knowledge) if knowledge else things()
        )

    def script(self, observation: Questioning, space: Space[Any], memory: dict[str, Any], rng: np.random.Generator) -> Guess:
        """A name that was not said yet."""
        if "order" not in memory:
            memory["order"] = rng.permutation(len(self.knowledge))
        return Guess(entity=self.knowledge.called(int(memory["order"][(observation.turn - 1) % len(self.knowledge)])))
