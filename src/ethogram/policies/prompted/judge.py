"""A judge of twenty questions played by a language model that is told the thing (Entity-Deduction Arena)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gymnasium import Space

from ethogram.errors import CallFailed
from ethogram.guessing.vocabulary import ANSWERS, Answer, Heard
from ethogram.policies.prompted.templates import render
from ethogram.policy import Fault, Policy
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["Judge"]


class Judge(Policy):
    """Answers with one of yes, no and maybe, drawn by the likelihoods that the model gives them, averaged over their orders.

    Whether a question names the thing is not its business: the world sees to that.

    Args:
        model: the language model.
        temperature: of the draw; the authors' judge has 0.2.
    """

    def __init__(self, model: LanguageModel, temperature: float = 0.2) -> None:
        self.model, self.temperature = model, temperature
        self.calls_per_step = float(len(ANSWERS))
        self._seed, self._count = 0, 0

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode."""
        self._seed, self._count = seed, 0

    async def act(self, observations: Mapping[Agent, Heard], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The answers; the calls of all are in flight at once."""
        self._count += 1
        said = await asyncio.gather(*(self._answer(agent, heard) for agent, heard in observations.items()))
        return dict(zip(observations, said, strict=True))

    async def _answer(self, agent: Agent, heard: Heard) -> Answer | Fault:
        messages = [{"role": "user", "content": render("judge", entity=heard.entity, question=heard.question)}]
        rng = generator(self._seed, "judge", agent, self._count)
        try:
            choice = await self.model.choose(
                messages, list(ANSWERS), rng=rng, temperature=self.temperature, agent=agent, purpose="answer"
            )
        except CallFailed as error:
            return Fault(str(error))
        return Answer(answer=ANSWERS[choice.index])

    def state_dict(self) -> dict[str, Any]:
        """The seed, and how often it was asked."""
        return {"seed": self._seed, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._count = state["seed"], state["count"]
