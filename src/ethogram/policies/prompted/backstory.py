"""Backstories: life stories told in an interview, each answer on top of those before, vetted by a critic.

After Kang et al. 2025 ("Higher-order binding of language model virtual personas"): a model answers a fixed list of open
questions about its life; each answer is conditioned on the transcript so far; a critic rejects what contradicts it or makes
no sense, and the answer is drawn again. The questions here are our own (the instrument `life-story`).

story = await interview("Ann", ModelWriter(model("smollm2")), StatementCritic())     # one person, without a world
policy = Storyteller(ModelWriter(model("smollm2")), StatementCritic())               # in Survey(instrument("life-story"))
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import Space
from pydantic import BaseModel, ConfigDict

from ethogram.errors import CallFailed, ConfigError, VerbError
from ethogram.policies.prompted.prompted import ANGLES
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import clean
from ethogram.questionnaires import Asked, Questionnaire, instrument
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["Critic", "ModelWriter", "Rejected", "Story", "Storyteller", "Told", "Writer", "interview", "traits"]

LIMIT = 5
"""How many answers are drawn to a question, at most."""
LONGEST = 1200
"""The most characters of an answer that are kept."""
INTERVIEWER = re.compile(r"\n\s*\n|\b(?:Interviewer|Question|Q)\s*:")
"""Where a model has gone on to write the interviewer's part, or a second piece."""


class Told(BaseModel):
    """A question and the answer that was kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    question: str
    answer: str
    attempt: int = 0
    """Which of the answers drawn it is, from 0."""
    faults: tuple[str, ...] = ()
    """What the critic holds against it, where no answer passed; else empty."""


class Rejected(BaseModel):
    """An answer that was not kept, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    attempt: int
    answer: str
    faults: tuple[str, ...]


class Story(BaseModel):
    """A life story, and what was rejected on the way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str
    told: tuple[Told, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every answer passed the critic."""
        return not any(one.faults for one in self.told)

    def text(self) -> str:
        """The transcript, as a persona for a prompt: a question and an answer a paragraph."""
        return "\n\n".join(f"Interviewer: {one.question}\nMe: {one.answer}" for one in self.told)

    def extended(self, told: Told, rejected: Sequence[Rejected]) -> Story:
        """The story with one more answer."""
        return Story(agent=self.agent, told=(*self.told, told), rejected=(*self.rejected, *rejected))


class Writer(Protocol):
    """Who tells a story: a language model, or code."""

    async def answer(self, story: Story, item: str, question: str, attempt: int) -> str:
        """An answer to a question, given the story so far; another one for each attempt."""
        ...


class Critic(Protocol):
    """Who vets answers."""

    async def faults(self, story: Story, question: str, answer: str) -> list[str]:
        """Why the answer does not fit the story so far, a sentence each; empty where it does."""
        ...


class ModelWriter:
    """A language model tells the story, as a chat in which its own answers are what it said before.

    Args:
        model: the language model.
        about: what is known of the person beforehand: one text for all, or one by name; empty, it invents a person.
        temperature: of its answers.
        max_tokens: of an answer; one that is cut off ends with its last whole sentence.
    """

    def __init__(
        self,
        model: LanguageModel,
        about: str | Mapping[Agent, str] = "",
        *,
        temperature: float = 1.0,
        max_tokens: int = 120,
    ) -> None:
        self.model, self.about = model, about
        self.temperature, self.max_tokens = temperature, max_tokens

    async def answer(self, story: Story, item: str, question: str, attempt: int) -> str:
        """See `Writer`. Every call has a seed of its own, and so has every attempt."""
        about = self.about.get(story.agent, "") if isinstance(self.about, Mapping) else self.about
        messages = [{"role": "system", "content": render("backstory_system", about=Trusted(about.translate(ANGLES)))}]
        for one in story.told:
            messages += [{"role": "user", "content": one.question}, {"role": "assistant", "content": one.answer}]
        messages.append({"role": "user", "content": question})
        reply = await self.model.generate(
            messages, temperature=self.temperature, max_tokens=self.max_tokens, agent=story.agent, purpose="story"
        )
        return trimmed(reply.text, cut=reply.finish == "length")


def trimmed(text: str, cut: bool = False) -> str:
    """One paragraph of a reply, harmless in a prompt; without its last, unfinished sentence where the reply was cut off."""
    first = clean(INTERVIEWER.split(text.strip())[0], LONGEST).translate(ANGLES)
    whole = re.match(r".*[.!?…](?=\s|$)", first) if cut else None
    return whole[0] if whole else first


async def answered(
    writer: Writer, critic: Critic | None, story: Story, item: str, question: str, limit: int = LIMIT
) -> Story:
    """The story with an answer to one more question: the first that the critic passes, else the least faulty of `limit`."""
    tried: list[Rejected] = []
    for attempt in range(limit):
        answer = await writer.answer(story, item, question, attempt)
        faults = tuple(await critic.faults(story, question, answer)) if critic is not None else ()
        tried.append(Rejected(item=item, attempt=attempt, answer=answer, faults=faults))
        if not faults:
            break
    kept = min(tried, key=lambda one: len(one.faults))
    told = Told(item=item, question=question, answer=kept.answer, attempt=kept.attempt, faults=kept.faults)
    return story.extended(told, [one for one in tried if one is not kept])


async def interview(
    agent: str, writer: Writer, critic: Critic | None = None, *, form: Questionnaire | None = None, limit: int = LIMIT
) -> Story:
    """Have a life story told.

    With a model that has a cache and a seed of its own, an interview that was cut short goes on without a call made twice.

    Args:
        agent: who tells it.
        writer: the model, or the law, that answers.
        critic: who vets each answer; None keeps the first one.
        form: the open questions. Default: the instrument `life-story`.
        limit: how many answers are drawn to a question, at most.

    Raises:
        ConfigError: the limit is below 1, or a question is not open.
        CallFailed: a model gave no answer.
    """
    form = form or instrument("life-story")
    if limit < 1 or any(item.type != "open" for item in form.items.values()):
        raise ConfigError(f"interview: limit={limit} must be at least 1, and all items of {form.title!r} open questions")
    story = Story(agent=agent)
    for name, item in form.items.items():
        story = await answered(writer, critic, story, name, item.text, limit)
    return story


class Storyteller(Policy):
    """Tells life stories in the world `Survey`, where all questions are open.

    `stories` has what was told and what was rejected, by agent; it is part of the policy's state, so that a run that was cut
    short goes on, and a replay of a run has it again.

    Args:
        writer: the model, or the law, that answers.
        critic: who vets each answer; None keeps the first one.
        limit: how many answers are drawn to a question, at most.
    """

    calls_per_step = None

    def __init__(self, writer: Writer, critic: Critic | None = None, *, limit: int = LIMIT) -> None:
        if limit < 1:
            raise ConfigError(f"Storyteller: limit={limit}, but at least one answer must be drawn")
        self.writer, self.critic, self.limit = writer, critic, limit
        self.stories: dict[Agent, Story] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin all stories."""
        self.stories = {agent: Story(agent=agent) for agent in agents}

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The next answer of each agent; those of all are sought at once."""
        told = await asyncio.gather(*(self._tell(agent, asked, spaces[agent]) for agent, asked in observations.items()))
        return dict(zip(observations, told, strict=True))

    async def _tell(self, agent: Agent, asked: Any, space: Any) -> Any:
        if not isinstance(asked, Asked) or asked.type != "open":
            kind = asked.type if isinstance(asked, Asked) else type(asked).__name__
            raise ConfigError(f"a Storyteller answers open questions (the world Survey), not one of type {kind!r}")
        try:
            story = await answered(
                self.writer, self.critic, self.stories[agent], asked.item, asked.text.translate(ANGLES), self.limit
            )
        except CallFailed as error:
            return Fault(str(error))
        try:
            action = space.load({"verb": asked.item, "answer": story.told[-1].answer})
        except VerbError as error:
            return Fault(str(error))
        self.stories[agent] = story
        return action

    def state_dict(self) -> dict[str, Any]:
        """All that was told and rejected."""
        return {agent: story.model_dump(mode="json") for agent, story in self.stories.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self.stories = {agent: Story.model_validate(story) for agent, story in state.items()}


async def traits(
    model: LanguageModel, story: Story, questions: Mapping[str, tuple[str, Sequence[str]]]
) -> dict[str, np.ndarray]:
    """How likely each level of each trait is for whoever told a story: the likelihoods of options after the transcript.

    Args:
        model: who answers in the story's name.
        story: the story.
        questions: of each trait, its question and its levels.

    Returns:
        Of each trait, an array of shape (levels,) that sums to 1, averaged over the orders of the levels.

    Raises:
        CallFailed: the model gave no answer.
    """
    transcript = Trusted(story.text().translate(ANGLES))
    found = {}
    for name, (question, levels) in questions.items():
        content = render("backstory_trait", transcript=transcript, question=Trusted(question))
        choice = await model.choose(
            [{"role": "user", "content": content}],
            list(levels),
            rng=np.random.default_rng(0),  # only the probabilities are taken
            agent=story.agent,
            purpose="trait",
        )
        found[name] = choice.probabilities
    return found
