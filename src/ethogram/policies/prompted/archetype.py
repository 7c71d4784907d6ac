"""A policy that is asked once for all who are alike: its answer is a distribution over options, from which each one draws.

A world of columns groups its rows by what the question is to depend on (`ethogram.columns.decision`) and asks one agent a
group; each row draws its own option from the group's shares. The number of model calls is the number of groups, whatever the
number of rows. (Chopra et al. 2025, "On the limits of agency in agent-based models", call these groups archetypes.)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Discrete

from ethogram.errors import CallFailed, ConfigError
from ethogram.language import LanguageModel
from ethogram.policies.prompted.templates import Trusted, load, render
from ethogram.policy import Fault, Policy
from ethogram.seeds import generator
from ethogram.session import current
from ethogram.world import Agent

if TYPE_CHECKING:
    from gymnasium import Space

    from ethogram.columns import Asked

__all__ = ["Archetype", "Law"]

Law = Callable[["Asked"], Sequence[float]]
"""A stated law: from a question to the probability of each of its options."""


class Archetype(Policy):
    """Answers `Asked` with shares of its options, by a stated law or a language model; one question, one answer.

    The answer is had in one of two ways:

    - `replies=0`: as it is: the law's probabilities, or the model's likelihoods of the options, averaged over the orders in
      which they can be listed. There is nothing to be uncertain of but the model itself.
    - `replies=k`: the group's shares are *estimated* from k replies, and what k replies leave open is carried on: the shares
      are one draw from their posterior, Dirichlet(`prior` + number of replies for each option). It is drawn once for a
      question, seed and group, so that it enters the spread between runs, not the noise between steps. A reply that names no
      option, or more than one, is counted as a failure and in no option; without any valid reply the draw is the prior's.

    A group that is asked the very same question in the next step is not asked again. What was asked, and how many replies
    failed, is counted (`counts`), and noted in the run's record, one `archetype` note a question.

    Args:
        answers: a language model, or a law.
        replies: how many replies are had for a question; 0: probabilities.
        prior: pseudo-replies of each option (0.5: Jeffreys' prior).
        average: whether likelihoods are averaged over all orders of the options (one call an option, instead of one).
        template: the jinja2 file of the message; it sees `who`, `facts`, `question` and, for replies, `options`.
        max_tokens: of a reply.
    """

    calls_per_step = None

    def __init__(
        self,
        answers: LanguageModel | Law,
        *,
        replies: int = 0,
        prior: float = 0.5,
        average: bool = True,
        template: str | Path = "archetype",
        max_tokens: int = 16,
    ) -> None:
        if replies < 0 or prior <= 0:
            raise ConfigError(f"replies={replies}, prior={prior}: give 0 replies or more, and a prior above 0")
        self.answers, self.replies, self.prior = answers, replies, prior
        self.average, self.template, self.max_tokens = average, template, max_tokens
        self._seed = 0
        self._last: dict[Agent, tuple[str, list[float]]] = {}
        self.counts = dict.fromkeys(("questions", "replies", "failures"), 0)
        """How many questions were asked since the reset, replies had, and replies that could not be read."""
        load(template)

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget the answers, and begin to count anew."""
        self._seed, self._last = seed, {}
        self.counts = dict.fromkeys(self.counts, 0)

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The shares of each group's options; all groups are asked at once. A call that fails for good is a Fault."""
        found = await asyncio.gather(*(self._act(agent, seen, spaces[agent]) for agent, seen in observations.items()))
        return dict(zip(observations, found, strict=True))

    async def _act(self, agent: Agent, seen: Any, space: Space[Any]) -> Any:
        if hasattr(seen, "decision"):
            return await self._shares(agent, seen)
        if isinstance(space, Discrete) and space.n == 1:  # an agent that only looks on, as a world of columns has one
            return space.start
        raise ConfigError(f"Archetype answers questions with shares, but {agent!r} is asked for an action in {space}")

    async def _shares(self, agent: Agent, asked: Asked) -> np.ndarray[Any, Any] | Fault:
        question = self._question(asked)
        kept = self._last.get(agent)
        if kept is not None and kept[0] == question:
            return np.array(kept[1])
        self.counts["questions"] += 1
        try:
            shares, valid = await self._answer(agent, asked, question)
        except CallFailed as error:
            return Fault(str(error))
        self._last[agent] = (question, shares.tolist())
        if (session := current()) is not None:
            answer = {"shares": shares.round(6).tolist(), "replies": self.replies, "valid": valid, "people": asked.people}
            session.note(agent, "archetype", answer)
        return shares

    def _question(self, asked: Asked) -> str:
        return render(self.template, who=asked.who, facts=_plain(asked.facts), question=Trusted(asked.decision))

    async def _answer(self, agent: Agent, asked: Asked, question: str) -> tuple[np.ndarray[Any, Any], int]:
        """The shares, and how many replies could be read."""
        rng = generator(self._seed, "archetype", agent, question)
        if not self.replies:
            return await self._probabilities(agent, asked, question, rng), 0
        if isinstance(self.answers, LanguageModel):
            counts = await self._read(agent, asked, question)
        else:
            counts = rng.multinomial(self.replies, self._law(asked))
        valid = int(counts.sum())
        self.counts["replies"] += self.replies
        self.counts["failures"] += self.replies - valid
        return rng.dirichlet(self.prior + counts), valid

    async def _probabilities(
        self, agent: Agent, asked: Asked, question: str, rng: np.random.Generator
    ) -> np.ndarray[Any, Any]:
        if not isinstance(self.answers, LanguageModel):
            return self._law(asked)
        choice = await self.answers.choose(
            question, list(asked.options), rng=rng, average=self.average, agent=agent, purpose="decide"
        )
        return choice.probabilities

    def _law(self, asked: Asked) -> np.ndarray[Any, Any]:
        assert not isinstance(self.answers, LanguageModel)
        p = np.asarray(self.answers(asked), dtype=float)
        if p.shape != (len(asked.options),) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-9:
            raise ConfigError(f"the law must give {len(asked.options)} probabilities for {asked.decision!r}, not {p}")
        return p

    async def _read(self, agent: Agent, asked: Asked, question: str) -> np.ndarray[Any, Any]:
        """Replies for each option; those that cannot be read, or failed, are for none."""
        assert isinstance(self.answers, LanguageModel)
        listed = "\n".join([question, "", *(f"- {option}" for option in asked.options)])
        message = f"{listed}\n\nAnswer with one of these, word for word."
        calls = [
            self.answers.generate(message, max_tokens=self.max_tokens, agent=agent, purpose="decide")
            for _ in range(self.replies)
        ]
        found = await asyncio.gather(*calls, return_exceptions=True)
        counts = np.zeros(len(asked.options), dtype=np.int64)
        for reply in found:
            if isinstance(reply, CallFailed):
                continue
            if isinstance(reply, BaseException):
                raise reply
            if (option := named(reply.text, asked.options)) is not None:
                counts[option] += 1
        return counts

    def state_dict(self) -> dict[str, Any]:
        """The seed, the last question of each group with its answer, and the counts."""
        last = {agent: [question, list(shares)] for agent, (question, shares) in self._last.items()}
        return {"seed": self._seed, "last": last, "counts": dict(self.counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self.counts = state["seed"], dict(state["counts"])
        self._last = {agent: (question, list(shares)) for agent, (question, shares) in state["last"].items()}


def named(text: str, options: Sequence[str]) -> int | None:
    """Which option a reply names, as whole words, in any case; None where it names none or several.

    An option that is part of a longer one that is named ("work" in "work from home") does not count beside it.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for i, option in enumerate(options):
        matches = re.finditer(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE)
        if spans := [match.span() for match in matches]:
            found[i] = spans

    def inside(span: tuple[int, int], i: int) -> bool:
        others = (s for j, spans in found.items() if j != i for s in spans if s[1] - s[0] > span[1] - span[0])
        return any(a <= span[0] and span[1] <= b for a, b in others)

    own = [i for i, spans in found.items() if not all(inside(span, i) for span in spans)]
    return own[0] if len(own) == 1 else None


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a prompt shows them: numbers to four digits."""
    return {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in facts.items()}
