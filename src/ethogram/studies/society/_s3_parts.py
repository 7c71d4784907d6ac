"""The replications of `s3-social-network`: a cascade by a known law, families fitted to half of it, and their forecasts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.measures.cascades import Cascade, forest
from ethogram.measures.contagion import correlation, rmse
from ethogram.measures.spreading import MODELS, Spreading, fit_spreading, spread
from ethogram.policies.coded.feelings import EmotionLaw, chance
from ethogram.records import Trajectories
from ethogram.seeds import generator
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.studies.society._s3_model import (
    CURVES,
    Setting,
    State,
    Trace,
    curves,
    density,
    fit,
    forecast,
    perceive,
    trace,
)
from ethogram.studies.society._s3_scene import DECAY, feed, profiles
from ethogram.worlds.coded.feed import Feed

__all__ = ["auc", "misdelivered", "replicate", "setting_of", "trees"]


def setting_of(world: Feed, population: int) -> Setting:
    """The graph and the profiles of a feed as columns."""
    _, relevance, authenticity = profiles(len(world.possible_agents), population)
    return Setting(world.network, relevance, authenticity, DECAY)


def replicate(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """One cascade and all that is fitted to it.

    `rmse` and `correlation`: of each family's mean forecast with the second half of the curves (all three curves together,
    and each); `ratio`: each fitted parameter over the true one; `auc`: of the coupled model and its ablations, in telling
    who posts next; `density`: error of the coupled model's emotion densities; `shapes`: of the cascades; `misdelivered`.
    """
    rounds, half, copies = item["rounds"], item["rounds"] // 2, item["copies"]
    scene = feed(users=item["users"], sources=item["sources"], rounds=rounds, population=item["population"])
    data = rollouts(scene, episodes=1, seed=item["seed"], progress=False)
    world = scene.world
    assert isinstance(world, Feed)
    setting = setting_of(world, item["population"])
    seen = trace(setting, data, world.leanings, rounds)
    target = curves(seen.states[1:])
    later, now = target[half:], seen.states[half]
    flat = replace(setting, relevance=np.full_like(setting.relevance, setting.relevance.mean()))
    first = Trace(seen.states[: half + 1])
    laws = {
        "coupled": (setting, fit(setting, first)),
        "minus emotion": (setting, fit(setting, first, emotion=False)),
        "minus profile": (flat, fit(flat, first, profile=False)),
    }
    found: dict[str, NDArray[np.float64]] = {}
    feelings = np.zeros((0, 2))
    for name, (given, law) in laws.items():
        found[name], felt = forecast(given, law, now, rounds - half, item["seed"], copies)
        feelings = felt if name == "coupled" else feelings
    start, middle = _spreading(seen, 0), _spreading(seen, half)
    for name in MODELS:
        fitted = fit_spreading(
            name, setting.network, start, target[:half], seed=item["seed"], copies=item["fits"], grid=item["grid"], zooms=2
        )
        futures = [
            spread(name, fitted.parameters, setting.network, middle, rounds - half, generator(item["seed"], "future", copy))
            for copy in range(copies)
        ]
        found[name] = np.mean(futures, 0)
    truth = EmotionLaw()
    return {
        "rmse": {name: _errors(curve, later) for name, curve in found.items()},
        "correlation": {name: correlation(curve[:, 2], later[:, 2]) for name, curve in found.items()},
        "ratio": {name: getattr(laws["coupled"][1], name) / getattr(truth, name) for name in EmotionLaw.model_fields},
        "auc": {name: _auc(given, law, seen.states[half:]) for name, (given, law) in laws.items()},
        "density": rmse(feelings, density(seen.states[half + 1 :])),
        "shapes": [list(shape) for shape in trees(data) if shape.size >= item["least"]],
        "misdelivered": misdelivered(world, data),
        "truth": target.tolist(),
        "forecasts": {name: curve.tolist() for name, curve in found.items()},
    }


def _errors(curve: NDArray[np.float64], later: NDArray[np.float64]) -> dict[str, float]:
    return {"all": rmse(curve, later), **{name: rmse(curve[:, k], later[:, k]) for k, name in enumerate(CURVES)}}


def _spreading(seen: Trace, at: int) -> Spreading:
    """What the simple models are given of the state after `at` rounds."""
    state = seen.states[at]
    ever = np.any([one.posted for one in seen.states[: at + 1]], axis=0)
    return Spreading(state.aware, state.posted, ever, state.attitude.astype(float))


def _auc(setting: Setting, law: EmotionLaw, states: list[State]) -> float:
    """How well a law tells who posts in each round, given all that was before: the area under the ROC curve."""
    scores, posted = [], []
    for before, after in pairwise(states):
        now, seen = perceive(setting, before)
        some = (seen.amount > 0) & (now.emotion < 2)
        up = np.where(some, chance(law.up + law.up_stimulus * seen.stimulus + law.up_arousal * seen.arousal), 0.0)
        down = np.where(now.emotion > 0, (1 - up) * chance(law.down + law.down_stimulus * seen.stimulus), 0.0)
        odds = law.post + law.post_relevance * setting.relevance
        likely = (
            up * chance(odds + law.post_emotion * (now.emotion + 1) / 2)
            + down * chance(odds + law.post_emotion * (now.emotion - 1) / 2)
            + (1 - up - down) * chance(odds + law.post_emotion * now.emotion / 2)
        )
        scores.append(likely[now.aware])
        posted.append(after.posted[now.aware])
    return auc(np.concatenate(scores), np.concatenate(posted))


def auc(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The chance that a random positive has a higher score than a random negative; ties count half."""
    from scipy.stats import rankdata

    positives = int(truth.sum())
    ranks = rankdata(scores)[truth].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


def misdelivered(world: Feed, data: Trajectories) -> int:
    """Timelines that are not exactly the posts that those whom the user follows made in the round before, each once."""
    authors: dict[int, set[int]] = {}
    number = {agent: i for i, agent in enumerate(world.possible_agents)}
    for one in data:
        for view, action in zip(one.observations, one.actions, strict=False):
            if type(action).__name__ in ("Publish", "Repost"):
                authors.setdefault(view.round, set()).add(number[one.agent])
    wrong = 0
    for one in data:
        followed = set(world.network.neighbours(number[one.agent]).tolist())
        for view in one.observations[: len(one.actions)]:
            got = [number[post.author] for post in view.posts]
            if view.round:
                wrong += sorted(got) != sorted(followed & authors.get(view.round - 1, set()))
            else:
                wrong += len(set(got)) != len(got) or not set(got) <= followed
    return wrong


def trees(data: Trajectories) -> list[Cascade]:
    """Cascades of posting: who posts has it from the author of the first post it received; sources, from nobody."""
    first: dict[int, float] = {}
    source: dict[int, int] = {}
    roots: set[int] = set()
    for one in data:
        user = int(one.agent.split()[1])
        for view, action in zip(one.observations, one.actions, strict=False):
            if view.posts and user not in source:
                source[user] = int(view.posts[0].author.split()[1])
            if view.round == 0:
                roots |= {int(post.author.split()[1]) for post in view.posts}
                roots |= set() if view.posts else {user}
            if user not in first and type(action).__name__ in ("Publish", "Repost"):
                first[user] = float(view.round)
    times = {user: time for user, time in first.items() if user not in roots} | dict.fromkeys(roots, -1.0)
    parents: dict[int, int | None] = {user: None if user in roots else source[user] for user in times}
    return forest(parents, times)
