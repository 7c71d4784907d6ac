"""The scene of `s3-social-network`: users of a feed with profiles, and who plays them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ethogram.policies.coded.feelings import EmotionLaw, Feelers
from ethogram.policy import Policy
from ethogram.populations.persona import Persona
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.world import World
from ethogram.worlds.coded.feed import Feed

__all__ = ["CODED", "EVENT", "User", "feed", "profiles"]

CODED = "coded"
"""The word for the surrogate in place of a model."""

EVENT = "A nuclear power station is to be built near the coast."
"""In the manner of the paper's second event; the words are ours."""

DECAY = 0.85


class User(Persona):
    """What a prompt says of a user. Users of one kind are shown alike, so that they share a model's answers."""

    interest: str = Field(description="interest in energy and politics")


def profiles(users: int, population: int) -> tuple[list[User], NDArray[np.float64], NDArray[np.float64]]:
    """Users drawn at random: what prompts show, the relevance of the topic (uniform), and authenticity (1 or 1/2)."""
    rng = generator(population, "profiles")
    relevance, authenticity = rng.random(users), np.where(rng.random(users) < 0.5, 0.5, 1.0)
    shown = [User(name="a user", interest="great" if r > 0.5 else "little") for r in relevance]
    return shown, relevance, authenticity


@scene
def feed(
    player: str = CODED,
    users: int = 2000,
    follows: int = 4,
    follow_back: float = 0.3,
    sources: int = 40,
    rounds: int = 24,
    population: int = 0,
    ablation: str = "full",
    cache: str = "",
) -> tuple[World, Policy]:
    """Users who follow each other.

    Args:
        player: `coded` for the surrogate, or the spelling of a language model.
        users: how many.
        follows: whom a newcomer follows.
        follow_back: probability of being followed back.
        sources: who posts first.
        rounds: of an episode.
        population: seed of the graph, the leanings and the profiles.
        ablation: of the prompts of a model: `full`, `no emotion` or `no profile`.
        cache: file in which a model's answers are kept.
    """
    opening = f"Have you heard? {EVENT}"
    world = Feed(users, follows, follow_back, population, sources, rounds, opening)
    shown, relevance, authenticity = profiles(users, population)
    names = world.possible_agents
    trusted = dict(zip(names, authenticity.tolist(), strict=True))
    if player == CODED:
        return world, Feelers(EmotionLaw(), dict(zip(names, relevance.tolist(), strict=True)), trusted, DECAY)
    from ethogram.language import model as open_model
    from ethogram.policies.prompted.feed_users import FeedUsers

    personas = None if ablation == "no profile" else dict(zip(names, shown, strict=True))
    policy = FeedUsers(
        open_model(player, cache=cache or None), EVENT, personas, trusted,
        emotion=ablation != "no emotion", notice=1, decay=DECAY,
    )  # fmt: skip
    return world, policy
