"""Users of a feed played by a language model: what they notice, how they feel, what they do (S3, Gao et al. 2023)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import Space

from ethogram.errors import CallFailed
from ethogram.media import ATTITUDES, EMOTIONS, TEXT, Post, Publish, Read, Repost, Timeline
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import Persona, clean
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["FeedUsers", "influence"]

FEELINGS = ("calm", "a little upset", "very upset")
SIDES = ("against it", "for it")
DEEDS = ("post my own view", "share what I received", "only read")
SHOWN = ("somewhat", "firmly")


def influence(post: Post, age: int, profile: str, authenticity: float, decay: float) -> float:
    """How much a post weighs with a reader: decay^age x relevance x authenticity.

    Relevance is 1/2 plus half the share of the post's words that are in the reader's profile.

    Args:
        post: received.
        age: rounds since it was received.
        profile: the reader's profile in words.
        authenticity: of the post's author.
        decay: a round.
    """
    words = set(re.findall(r"\w+", post.text.lower()))
    shared = len(words & set(re.findall(r"\w+", profile.lower()))) / max(1, len(words))
    return decay**age * (0.5 + shared / 2) * authenticity


class FeedUsers(Policy):
    """Each user keeps a pool of the posts received, notices the `notice` most influential, and chooses in turn its emotion,
    its attitude, and what to do; all by the likelihoods that the model gives to options, averaged over their orders.

    Emotion is asked for with how many posts came in and the emotion before, attitude and action with the emotion just chosen
    and the attitude before: each question shows what it depends on and no more, so that equal situations share an answer.

    A post of one's own is one of six stock phrases for its emotion and attitude unless `writes`, when the model writes it.

    Args:
        model: the language model.
        event: what users talk about.
        personas: who the users are; None: nobody in particular (an ablation).
        authenticity: of each user; default: 1.
        emotion: whether emotion is shown and changes (else everybody stays calm: an ablation).
        notice: posts shown.
        pool: posts kept.
        decay: of influence a round.
        writes: whether the model writes posts.
    """

    def __init__(
        self,
        model: LanguageModel,
        event: str,
        personas: Mapping[Agent, Persona] | None,
        authenticity: Mapping[Agent, float] | None = None,
        *,
        emotion: bool = True,
        notice: int = 2,
        pool: int = 20,
        decay: float = 0.8,
        writes: bool = False,
    ) -> None:
        self.model, self.event, self.personas, self.emotion = model, event, personas, emotion
        self.authenticity = dict(authenticity or {})
        self.notice, self.pool, self.decay, self.writes = notice, pool, decay, writes
        self.calls_per_step = 5.0 + 3.0 * emotion + writes
        self._seed = 0
        self._pools: dict[Agent, list[tuple[int, Post]]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode with empty pools."""
        self._seed, self._pools = seed, {}

    async def act(self, observations: Mapping[Agent, Timeline], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What each feels and does; the calls of all are in flight at once."""
        done = await asyncio.gather(*(self._act(agent, view) for agent, view in observations.items()))
        return dict(zip(observations, done, strict=True))

    async def _act(self, agent: Agent, view: Timeline) -> Any:
        noticed = self._perceive(agent, view)
        try:
            emotion, attitude = EMOTIONS.index(view.emotion), ATTITUDES.index(view.attitude)
            shown: dict[str, Any] = {"posts": [post.text for post in noticed], "amount": "posts"}
            if view.posts and self.emotion:
                coming = shown | {"amount": "one post" if len(view.posts) == 1 else "several posts"}
                emotion = await self._choose(agent, view.round, "emotion", FEELINGS, emotion, None, coming)
            if view.posts:
                attitude = await self._choose(agent, view.round, "attitude", SIDES, emotion, attitude, shown)
            deed = await self._choose(agent, view.round, "action", DEEDS, emotion, attitude, shown)
            feeling: dict[str, Any] = {"emotion": EMOTIONS[emotion], "attitude": ATTITUDES[attitude]}
            if deed == 0:
                return Publish(text=await self._text(agent, emotion, attitude, shown), **feeling)
            if deed == 1 and noticed:
                return Repost(post=noticed[0].id, **feeling)
            return Read(**feeling)
        except CallFailed as error:
            return Fault(str(error))

    def _perceive(self, agent: Agent, view: Timeline) -> list[Post]:
        """Take the timeline into the pool; the most influential posts, the most influential first."""
        pool = self._pools.setdefault(agent, [])
        pool += [(view.round, post) for post in view.posts]
        profile = self._about(agent)[1]
        scores = [
            influence(post, view.round - then, profile, self.authenticity.get(post.author, 1.0), self.decay)
            for then, post in pool
        ]
        order = np.argsort(-np.array(scores), kind="stable")
        kept = [pool[i] for i in order[: self.pool].tolist()]
        self._pools[agent] = kept
        return [post for _, post in kept[: self.notice]]

    async def _choose(
        self,
        agent: Agent,
        now: int,
        what: str,
        options: Sequence[str],
        emotion: int,
        attitude: int | None,
        shown: dict[str, Any],
    ) -> int:
        question = {
            "emotion": "How do you feel about it now?",
            "attitude": "Are you for it or against it now?",
            "action": "What do you do?",
        }[what]
        messages = self._messages(agent, emotion, attitude, question=question, **shown)
        rng = generator(self._seed, what, agent, now)
        return (await self.model.choose(messages, list(options), rng=rng, agent=agent, purpose=what)).index

    async def _text(self, agent: Agent, emotion: int, attitude: int, shown: dict[str, Any]) -> str:
        """The words of a post of one's own."""
        stock = f"I am {FEELINGS[emotion]} and {SHOWN[emotion > 0]} {SIDES[attitude]}."
        if not self.writes:
            return stock
        messages = self._messages(agent, emotion, attitude, question="Write your post, in one short sentence.", **shown)
        reply = await self.model.generate(messages, max_tokens=32, stop="\n", agent=agent, purpose="post")
        return clean(reply.text, TEXT) or stock

    def _about(self, agent: Agent) -> tuple[str, str]:
        """Name and profile."""
        if self.personas is None:
            return "a user", ""
        persona = self.personas[agent]
        return persona.name, " ".join(persona.sentences())

    def _messages(self, agent: Agent, emotion: int, attitude: int | None, **values: Any) -> list[dict[str, str]]:
        name, about = self._about(agent)
        system = render("user_system", name=name, persona=Trusted(about))
        known = [f"{FEELINGS[emotion]} about it"] * self.emotion + ([] if attitude is None else [SIDES[attitude]])
        state = {"state": ", and ".join(known)}
        user = render("user_feeling", event=self.event, **state, **values)
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def state_dict(self) -> dict[str, Any]:
        """The seed and the pools."""
        pools = {agent: [[then, post.model_dump()] for then, post in pool] for agent, pool in self._pools.items()}
        return {"seed": self._seed, "pools": pools}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed = state["seed"]
        self._pools = {agent: [(then, Post(**post)) for then, post in pool] for agent, pool in state["pools"].items()}
