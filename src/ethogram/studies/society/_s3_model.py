"""The coupled law of S3 on whole columns: exposures on a follow graph, its fit to a recorded cascade, and its forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.measures.logistic import logistic
from ethogram.policies.coded.feelings import EmotionLaw, Exposure, advance
from ethogram.populations import Network
from ethogram.records import Trajectories
from ethogram.seeds import generator

__all__ = ["CURVES", "Setting", "State", "Trace", "curves", "density", "fit", "forecast", "perceive", "play", "trace"]

CURVES = ("aware", "positive", "posting")
"""The curves that all families forecast: shares of users aware, aware and positive, posting in the round."""


@dataclass(frozen=True)
class Setting:
    """Who follows whom, and who they are."""

    network: Network
    relevance: NDArray[np.float64]
    """Of the topic to each user, shape (users,)."""
    authenticity: NDArray[np.float64]
    decay: float = 0.85

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each user the sum of `values` (users, k) over those it follows, (users, k)."""
        return self.network.to_scipy(weighted=False) @ values


@dataclass(frozen=True)
class State:
    """The state after a round, arrays of shape (users,)."""

    emotion: NDArray[np.int8]
    attitude: NDArray[np.int8]
    aware: NDArray[np.bool_]
    since: NDArray[np.int64]
    """The round in which each became aware; sources: 0."""
    posted: NDArray[np.bool_]
    """Who posted in the round."""
    round: int
    """The round that comes next."""

    @classmethod
    def start(cls, leanings: NDArray[np.int8], sources: NDArray[np.int64]) -> State:
        """Everybody calm, the sources have posted."""
        users = len(leanings)
        posted = np.zeros(users, bool)
        posted[sources] = True
        return cls(np.zeros(users, np.int8), leanings.copy(), posted, np.zeros(users, np.int64), posted, 0)


class Trace(NamedTuple):
    """A cascade: the state at the start and after each round."""

    states: list[State]

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return len(self.states) - 1


def perceive(setting: Setting, state: State) -> tuple[State, Exposure]:
    """Deliver the posts of the last round: who is aware now, and what everybody received."""
    weight = setting.authenticity * state.posted
    columns = np.stack([state.posted.astype(float), weight, weight * state.emotion / 2, weight * state.attitude], 1)
    heard = setting.sums(columns)
    aware = state.aware | (heard[:, 0] > 0)
    since = np.where(aware & ~state.aware, state.round, state.since)
    age = np.maximum(state.round - since, 0)
    seen = Exposure.of(heard[:, 1], heard[:, 2], heard[:, 3], setting.relevance, age, setting.decay)
    return replace(state, aware=aware, since=since), seen


def play(setting: Setting, law: EmotionLaw, state: State, rounds: int, luck: Any) -> Trace:
    """Rounds by the law; `luck(round)` gives uniform numbers (users, 3)."""
    states = [state]
    for _ in range(rounds):
        now, seen = perceive(setting, states[-1])
        done = advance(law, now.emotion, now.attitude, seen, setting.relevance, luck(now.round))
        states.append(
            State(
                np.where(now.aware, done.emotion, now.emotion),
                np.where(now.aware, done.attitude, now.attitude),
                now.aware,
                now.since,
                now.aware & done.posts,
                now.round + 1,
            )
        )
    return Trace(states)


def trace(setting: Setting, data: Trajectories, leanings: NDArray[np.int8], rounds: int) -> Trace:
    """A cascade from the record of a feed: what the users reported, and the deliveries that follow from it.

    The sources are the authors of the posts that are read in round 0, and those who act in it without having read any.
    """
    number = {f"user {i + 1}": i for i in range(len(leanings))}
    users = len(leanings)
    emotion = np.zeros((rounds, users), np.int8)
    attitude = np.repeat(leanings[None], rounds, 0)
    posted = np.zeros((rounds, users), bool)
    acted = np.zeros((rounds, users), bool)
    first: set[int] = set()
    for one in data:
        i = number[one.agent]
        for view, action in zip(one.observations, one.actions, strict=False):
            t = view.round
            acted[t, i] = True
            name = type(action).__name__
            if t == 0:
                first |= {number[post.author] for post in view.posts}
                first |= set() if view.posts else {i}
            if name != "Wait":
                emotion[t:, i], attitude[t:, i] = KNOWN[action.emotion], KNOWN[action.attitude]
            posted[t, i] = name in ("Publish", "Repost")
    state = State.start(leanings, np.array(sorted(first), np.int64))
    states = [state]
    for t in range(rounds):
        now, _ = perceive(setting, states[-1])
        assert (now.aware == acted[t]).all(), "the world delivered otherwise than the graph says"
        states.append(replace(now, emotion=emotion[t], attitude=attitude[t], posted=posted[t], round=t + 1))
    return Trace(states)


KNOWN = {"calm": 0, "moderate": 1, "intense": 2, "negative": 0, "positive": 1}


def curves(states: list[State]) -> NDArray[np.float64]:
    """Shares of users by round: aware, aware and positive, posting; shape (rounds, 3)."""
    return np.array([(s.aware.mean(), (s.aware & (s.attitude == 1)).mean(), s.posted.mean()) for s in states])


def density(states: list[State]) -> NDArray[np.float64]:
    """Shares of users who feel moderate, and intense, by round; shape (rounds, 2)."""
    return np.array([((s.emotion == 1).mean(), (s.emotion == 2).mean()) for s in states])


def fit(setting: Setting, seen: Trace, *, emotion: bool = True, profile: bool = True) -> EmotionLaw:
    """The law of the largest likelihood: four logistic regressions on what each user was exposed to and then did.

    Args:
        setting: graph and profiles.
        seen: the rounds to fit to.
        emotion: whether emotion enters attitude and action; without, its own chain is fitted but changes nothing.
        profile: whether relevance enters; without, everybody has the mean (hand in such a `setting`).
    """
    rows: dict[str, list[NDArray[np.float64]]] = {"up": [], "down": [], "attitude": [], "post": []}
    for before, after in zip(seen.states[:-1], seen.states[1:], strict=True):
        now, e = perceive(setting, before)
        one = np.ones(len(now.aware))
        side, felt = 2.0 * now.attitude - 1, after.emotion / 2
        rises = after.emotion > now.emotion
        parts = {
            "up": (now.aware & (e.amount > 0) & (now.emotion < 2), [one, e.stimulus, e.arousal, rises]),
            "down": (now.aware & (now.emotion > 0) & ~rises, [one, e.stimulus, after.emotion < now.emotion]),
            "attitude": (
                now.aware & (e.amount > 0),
                [side, 2 * e.tone - 1, *([side * felt] if emotion else []), after.attitude],
            ),
            "post": (
                now.aware,
                [one, *([felt] if emotion else []), *([setting.relevance] if profile else []), after.posted],
            ),
        }
        for name, (mask, columns) in parts.items():
            rows[name].append(np.stack(columns, 1).astype(float)[mask])
    names = {
        "up": ["up", "up_stimulus", "up_arousal"],
        "down": ["down", "down_stimulus"],
        "attitude": ["keep", "tone", *(["hold"] if emotion else [])],
        "post": ["post", *(["post_emotion"] if emotion else []), *(["post_relevance"] if profile else [])],
    }
    found = dict.fromkeys(EmotionLaw.model_fields, 0.0)
    for name, tables in rows.items():
        table = np.concatenate(tables)
        estimates = logistic(table[:, :-1], table[:, -1], names=names[name])
        found |= {key: estimate.value for key, estimate in estimates.items()}
    return EmotionLaw(**found)


def forecast(
    setting: Setting, law: EmotionLaw, state: State, rounds: int, seed: int, copies: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean curves (rounds, 3) and emotion densities (rounds, 2) of `copies` futures of a state by the law."""
    found = []
    for copy in range(copies):
        rng = generator(seed, "forecast", copy)
        states = play(setting, law, state, rounds, lambda _, rng=rng: rng.random((len(state.aware), 3))).states[1:]
        found.append((curves(states), density(states)))
    return np.mean([c for c, _ in found], 0), np.mean([d for _, d in found], 0)
