"""A questioner of twenty questions played by a language model (Entity-Deduction Arena, Zhang et al. 2023)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from gymnasium import Space

from ethogram.errors import CallFailed, ConfigError
from ethogram.guessing.recall import UNASKED, Recall
from ethogram.guessing.vocabulary import TEXT, Ask, AskFreely, Guess, Questioning
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import clean
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["LanguageQuestioner"]


class LanguageQuestioner(Policy):
    """Asks with a language model, in one of two ways.

    With `mind="bank"` the model chooses, by the likelihoods of the letters averaged over all rotations, among `menu`
    questions of the list, drawn at random each turn from those that were not asked; what the answers leave is recalled from
    the base, and the likeliest thing is named as soon as it is `sure`, or when it must be: the model decides what is asked,
    and nothing else. With `mind="free"` it writes whatever it likes, a line of at most 64 tokens at temperature 0.8, as in
    the paper, and knows nothing but what it knows.

    Args:
        model: the language model.
        recall: the base, and the noise to be reckoned with; for `bank`.
        mind: `bank` or `free`.
        menu: questions that it is shown, at most 26.
        sure: the probability of one thing from which it is named.
        temperature: of choosing, and of writing.
    """

    def __init__(
        self,
        model: LanguageModel,
        recall: Recall | None = None,
        *,
        mind: Literal["bank", "free"] = "bank",
        menu: int = 6,
        sure: float = 0.3,
        temperature: float = 0.8,
    ) -> None:
        if mind not in ("bank", "free") or (mind == "bank" and recall is None) or not 2 <= menu <= 26:
            raise ConfigError(
                f"a questioner's mind is 'bank', which needs a base to recall, or 'free', not {mind!r}; "
                f"its menu has 2 to 26 questions, not {menu}"
            )
        self.model, self.recall, self.mind, self.menu = model, recall, mind, menu
        self.sure, self.temperature = sure, temperature
        self.calls_per_step = float(menu) if mind == "bank" else 1.0
        self._seed = 0

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode."""
        self._seed = seed

    async def act(
        self, observations: Mapping[Agent, Questioning], spaces: Mapping[Agent, Space[Any]]
    ) -> Mapping[Agent, Any]:
        """What each says; the calls of all are in flight at once."""
        say = self._free if self.recall is None or self.mind == "free" else self._from_bank
        said = await asyncio.gather(*(say(agent, seen) for agent, seen in observations.items()))
        return dict(zip(observations, said, strict=True))

    async def _from_bank(self, agent: Agent, seen: Questioning) -> Ask | Guess | Fault:
        assert self.recall is not None
        base = self.recall.knowledge
        answers, weights = self.recall.remember(seen.said)
        shares = self.recall.shares(weights)[0]
        unasked = np.flatnonzero(answers[0] == UNASKED)
        if seen.turn == seen.turns or shares.max() >= self.sure or not len(unasked):
            return Guess(entity=base.called(int(shares.argmax())))
        rng = generator(self._seed, "menu", agent, seen.turn)
        shown = rng.choice(unasked, min(self.menu, len(unasked)), replace=False)
        messages = self._messages(seen, "Which question do you ask next, so as to learn most?")
        try:
            choice = await self.model.choose(
                messages,
                [base.questions[k] for k in shown],
                rng=rng,
                temperature=self.temperature,
                agent=agent,
                purpose="question",
            )
        except CallFailed as error:
            return Fault(str(error))
        return Ask(question=choice.option)

    async def _free(self, agent: Agent, seen: Questioning) -> AskFreely | Fault:
        messages = self._messages(seen, "Write only your next question, in one short line.")
        try:
            reply = await self.model.generate(
                messages, max_tokens=64, temperature=self.temperature, stop="\n", agent=agent, purpose="question"
            )
        except CallFailed as error:
            return Fault(str(error))
        return AskFreely(text=clean(reply.text, TEXT) or "I do not know.")

    def _messages(self, seen: Questioning, request: str) -> list[dict[str, str]]:
        text = render(
            "questioner",
            task=Trusted(seen.task),
            said=seen.said,
            turn=seen.turn,
            turns=seen.turns,
            told=Trusted(seen.told),
            request=request,
        )
        return [{"role": "user", "content": text}]

    def state_dict(self) -> dict[str, Any]:
        """The seed: all else is in what is seen."""
        return {"seed": self._seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed = state["seed"]
