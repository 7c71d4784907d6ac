"""Many guessing games side by side, as arrays: the same game as the world's, for practice and for counting.

Questions are those of the list, and whoever guesses names the thing that is likeliest by what was answered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.guessing.knowledge import DEPENDS, Knowledge
from ethogram.guessing.recall import UNASKED, Recall
from ethogram.guessing.vocabulary import TURNS, score

__all__ = ["Games", "features", "told"]


class Games:
    """B games, each with a thing and a judge of its own.

    Args:
        recall: what the questioners know, and reckon with.
        things: what is to be guessed in each game, (B,).
        luck: of the judge, uniform in [0, 1), (B, K): an answer is wrong where it is below the noise.
        noise: of the judges, one number or (B,).
        turns: of a game.
    """

    def __init__(
        self,
        recall: Recall,
        things: NDArray[Any],
        luck: NDArray[Any],
        noise: float | NDArray[Any] = 0.0,
        turns: int = TURNS,
    ) -> None:
        self.recall, self.things, self.turns = recall, np.asarray(things), turns
        games, count = len(self.things), len(recall.knowledge.properties)
        self.said = told(recall.knowledge, self.things, luck, noise)
        """What the judge says to each question, (B, K)."""
        self.answers: NDArray[np.int8] = np.full((games, count), UNASKED, np.int8)
        """What was answered so far, (B, K)."""
        self.weights = recall.start(games)
        self.turn = 0
        """Turns played, the same in all games that go on."""
        self.over, self.won = np.zeros(games, bool), np.zeros(games, bool)
        self.length = np.zeros(games, int)
        """Turns that each game took, (B,)."""

    @property
    def shares(self) -> NDArray[np.float32]:
        """How likely each thing is by the answers, (B, N)."""
        return self.recall.shares(self.weights)

    def features(self) -> NDArray[np.float32]:
        """What a questioner may look at: see `features`."""
        return features(self.answers, self.shares, self.turn, self.turns)

    def step(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """Play a turn in all games that go on: a question by its number, or K to guess. The rewards, (B,).

        The last turn is a guess whatever is done. A game that is won pays its score, and nothing else pays.
        """
        actions, count = np.asarray(actions), self.answers.shape[1]
        self.turn += 1
        guesses = ~self.over & ((actions == count) | (self.turn == self.turns))
        asks = np.flatnonzero(~self.over & ~guesses)
        asks = asks[self.answers[asks, actions[asks]] == UNASKED]
        which = actions[asks]
        self.answers[asks, which] = self.said[asks, which]
        self.weights[asks] = self.recall.heard(self.weights[asks], which, self.answers[asks, which])
        guessing = np.flatnonzero(guesses)
        named = self.weights[guessing].argmax(-1)
        right = named == self.things[guessing]
        self.won[guessing] = right
        self.weights[guessing[~right], named[~right]] = -np.inf
        self.length[~self.over] = self.turn
        rewards = np.where(guesses & self.won, score(True, self.turn), 0.0)
        self.over |= self.won | (self.turn == self.turns)
        return rewards


def told(
    knowledge: Knowledge, things: NDArray[Any], luck: NDArray[Any], noise: float | NDArray[Any] = 0.0
) -> NDArray[np.int8]:
    """What judges say to each question about things (B,), with their luck (B, K): answers as in ANSWERS, (B, K)."""
    true = knowledge.values[np.asarray(things)].astype(np.int8)
    wrong = (np.asarray(luck) < np.reshape(noise, (-1, 1))) & (true != DEPENDS)
    return np.where(wrong, 1 - true, true).astype(np.int8)


def features(answers: NDArray[np.int8], shares: NDArray[np.float32], turn: int, turns: int = TURNS) -> NDArray[np.float32]:
    """The state of a game as numbers, (B, 3 K + 3).

    Three for each question (answered no, yes, maybe; all 0 where it was not asked), the share of the turns that are over,
    and what it is like to remember: the probability of the likeliest thing, and the entropy of all in bits, over 10.
    """
    said = (answers[:, :, None] == np.arange(3)).reshape(len(answers), -1)
    entropy = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(-1)
    rest = np.stack([np.full(len(answers), turn / turns), shares.max(-1), entropy / 10], -1)
    return np.concatenate([said, rest], -1).astype(np.float32)
