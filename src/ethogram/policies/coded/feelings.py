"""Users of a feed whose emotion, attitude and action are coupled by a stated law: a surrogate for the agents of S3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.media import ATTITUDES, EMOTIONS, Post, Publish, Read, Repost, Timeline
from ethogram.policy import Policy
from ethogram.seeds import generator
from ethogram.world import Agent

__all__ = ["Advanced", "EmotionLaw", "Exposure", "Feelers", "advance", "luck"]

OPINIONS = (("This is wrong.", "I am against this."), ("This is right.", "I am all for this."))


class EmotionLaw(BaseModel):
    """The parameters of `advance`, all of them log-odds; stated, not fitted to people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    up: float = Field(default=-2.5, description="becoming more emotional, on receiving posts")
    up_stimulus: float = Field(default=3.0, description="the same, a unit of stimulus")
    up_arousal: float = Field(default=2.0, description="the same, from calm to intense posts")
    down: float = Field(default=0.6, description="becoming less emotional, where not more")
    down_stimulus: float = Field(default=-2.5, description="the same, a unit of stimulus")
    keep: float = Field(default=1.0, description="being positive, for one who was against one who was not, halved")
    tone: float = Field(default=1.0, description="the same, from negative to positive posts, halved")
    hold: float = Field(default=1.0, description="keeping to one's attitude, when intense rather than calm")
    post: float = Field(default=-4.0, description="posting")
    post_emotion: float = Field(default=4.0, description="posting, when intense rather than calm")
    post_relevance: float = Field(default=1.0, description="posting, a unit of relevance")


class Exposure(NamedTuple):
    """What users received in a round, float arrays of shape (users,)."""

    amount: NDArray[np.float64]
    """Posts, each weighted with its author's authenticity; 0: none."""
    arousal: NDArray[np.float64]
    """Mean emotion of the posts, 0 calm to 1 intense, weighted likewise; 0 where there are none."""
    tone: NDArray[np.float64]
    """Share of positive posts, weighted likewise; 1/2 where there are none."""
    stimulus: NDArray[np.float64]
    """Influence: relevance to the user x log(1 + amount) x decay^(rounds since it became aware)."""

    @classmethod
    def of(
        cls,
        amount: NDArray[np.float64],
        aroused: NDArray[np.float64],
        positive: NDArray[np.float64],
        relevance: NDArray[np.float64],
        age: NDArray[np.int64],
        decay: float,
    ) -> Exposure:
        """From weighted sums: of posts, of their emotion (0, 1/2 or 1), and of positive posts."""
        some = np.maximum(amount, 1e-12)
        tone = np.where(amount > 0, positive / some, 0.5)
        return cls(amount, aroused / some, tone, relevance * np.log1p(amount) * decay**age)


class Advanced(NamedTuple):
    """What users feel and do after a round, arrays of shape (users,)."""

    emotion: NDArray[np.int8]
    attitude: NDArray[np.int8]
    posts: NDArray[np.bool_]
    reposts: NDArray[np.bool_]
    """Of those who post, who repeats a post received."""


def advance(
    law: EmotionLaw,
    emotion: NDArray[np.int8],
    attitude: NDArray[np.int8],
    seen: Exposure,
    relevance: NDArray[np.float64],
    luck: NDArray[np.float64],
) -> Advanced:
    """One round of the law: emotion first, then attitude given the emotion, then action given the emotion.

    Emotion is an ordinal Markov chain: up with the odds of `up` where posts were received, else down with those of `down`.
    Attitude is positive with log-odds `keep` s + `tone` (2 tone - 1) + `hold` s e / 2 (s = 1 or -1, e = 0, 1, 2) where posts
    were received, and stays where not. One posts with log-odds `post` + `post_emotion` e / 2 + `post_relevance` relevance.

    Args:
        law: the parameters.
        emotion: 0 calm, 1 moderate, 2 intense, shape (users,).
        attitude: 0 negative, 1 positive.
        seen: what they received.
        relevance: of the topic to each.
        luck: uniform numbers, shape (users, 3).
    """
    some = seen.amount > 0
    up = np.where(
        some & (emotion < 2), chance(law.up + law.up_stimulus * seen.stimulus + law.up_arousal * seen.arousal), 0.0
    )
    down = np.where(emotion > 0, chance(law.down + law.down_stimulus * seen.stimulus), 0.0)
    rises = luck[:, 0] < up
    falls = ~rises & (luck[:, 0] < up + (1 - up) * down)
    felt = (emotion + rises - falls).astype(np.int8)
    side = 2.0 * attitude - 1
    odds = law.keep * side + law.tone * (2 * seen.tone - 1) + law.hold * side * felt / 2
    held = np.where(some, luck[:, 1] < chance(odds), attitude).astype(np.int8)
    active = chance(law.post + law.post_emotion * felt / 2 + law.post_relevance * relevance)
    posts = luck[:, 2] < active
    return Advanced(felt, held, posts, posts & some & (luck[:, 2] < active / 2))


def chance(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of log-odds."""
    return 1 / (1 + np.exp(-odds))


def luck(seed: int, round: int, users: int) -> NDArray[np.float64]:
    """The uniform numbers of a round, shape (users, 3)."""
    return generator(seed, "feelings", round).random((users, 3))


class Feelers(Policy):
    """Acts by `EmotionLaw` for all users of a feed at once.

    Args:
        law: the parameters.
        relevance: of the topic to each agent, from 0 to 1.
        authenticity: weight of each agent's posts with its readers.
        decay: of the stimulus with each round since one became aware.
    """

    def __init__(
        self, law: EmotionLaw, relevance: Mapping[Agent, float], authenticity: Mapping[Agent, float], decay: float = 0.85
    ) -> None:
        self.law, self.decay = law, decay
        self.relevance, self.authenticity = dict(relevance), dict(authenticity)
        self._seed = 0
        self._agents: dict[Agent, int] = {}
        self._since: dict[Agent, int] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode."""
        self._seed, self._agents, self._since = seed, {agent: i for i, agent in enumerate(agents)}, {}

    def act(self, observations: Mapping[Agent, Timeline], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What each feels and does."""
        if not observations:
            return {}
        agents, views = list(observations), list(observations.values())
        now = views[0].round
        age = np.array([now - self._since.setdefault(agent, now) for agent in agents])
        sums = np.array([self._sums(view.posts) for view in views])
        relevance = np.array([self.relevance[agent] for agent in agents])
        seen = Exposure.of(sums[:, 0], sums[:, 1], sums[:, 2], relevance, age, self.decay)
        emotion = np.array([EMOTIONS.index(view.emotion) for view in views], np.int8)
        attitude = np.array([ATTITUDES.index(view.attitude) for view in views], np.int8)
        rows = [self._agents[agent] for agent in agents]
        done = advance(self.law, emotion, attitude, seen, relevance, luck(self._seed, now, len(self._agents))[rows])
        return {
            agent: _action(int(done.emotion[i]), int(done.attitude[i]), bool(done.posts[i]), bool(done.reposts[i]), view)
            for i, (agent, view) in enumerate(observations.items())
        }

    def _sums(self, posts: Sequence[Post]) -> tuple[float, float, float]:
        amount = aroused = positive = 0.0
        for post in posts:
            weight = self.authenticity[post.author]
            amount += weight
            aroused += weight * EMOTIONS.index(post.emotion) / 2
            positive += weight * (post.attitude == "positive")
        return amount, aroused, positive

    def state_dict(self) -> dict[str, Any]:
        """The seed, for whom it decides, and since when each is aware."""
        return {"seed": self._seed, "agents": list(self._agents), "since": dict(self._since)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._since = state["seed"], dict(state["since"])
        self._agents = {agent: i for i, agent in enumerate(state["agents"])}


def _action(emotion: int, attitude: int, posts: bool, reposts: bool, view: Timeline) -> Any:
    feeling: dict[str, Any] = {"emotion": EMOTIONS[emotion], "attitude": ATTITUDES[attitude]}
    if reposts:
        return Repost(post=view.posts[-1].id, **feeling)
    if posts:
        return Publish(text=OPINIONS[attitude][emotion > 0], **feeling)
    return Read(**feeling)
