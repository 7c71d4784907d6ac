"""A language model that chooses between two gambles: as itself, for one person, or as a forecast of how many choose which.

    policy = PromptedGambler(model("smollm2"), framing="predict", think=True)     # in the world Gambling

The three framings, each asked directly or step by step, are those of Liu et al. (2024), "Large Language Models Assume People
are More Rational than We Really are"; the wording is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ethogram.decisions.asking import Outcome, Take, TwoGambles
from ethogram.errors import CallFailed, ConfigError
from ethogram.policies.prompted.prompted import Drawing
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault
from ethogram.seeds import generator
from ethogram.spaces import Typed
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["FRAMINGS", "Framing", "PromptedGambler", "Share", "Weighed", "gamble", "question"]

Framing = Literal["act", "predict", "share"]
FRAMINGS: tuple[Framing, ...] = ("act", "predict", "share")
"""Choose as the person; predict what one person chooses; say how many of many people choose which."""
SURE = 0.005
"""The least share that a forecast gives an option."""


class Share(BaseModel):
    """A forecast."""

    model_config = ConfigDict(extra="forbid")

    percent_a: int = Field(ge=0, le=100, description="percentage that chooses machine A")


class Weighed(NamedTuple):
    """What a model makes of one problem."""

    scores: NDArray[np.float64]
    """Log-likelihoods, shape (orders, 2): of A and B as the problem has them; in the first row A was named first, in the
    second B was."""

    def chance(self, temperature: float = 1.0) -> float:
        """P(B) by the mean over orders, so that what the first place or its letter adds cancels; at 0: 0, 1, or a half."""
        a, b = self.scores.mean(0)
        if temperature == 0:
            return float(0.5 + 0.5 * np.sign(b - a))
        return float(1 / (1 + np.exp(np.clip((a - b) / temperature, -500, 500))))

    @property
    def first_named(self) -> float:
        """The probability of what is named first, mean over both orders: a half without bias. NaN if asked in one."""
        if len(self.scores) < 2:
            return float("nan")
        odds = self.scores[:, 1] - self.scores[:, 0]
        return float(np.mean(1 / (1 + np.exp(np.clip(odds * [1, -1], -500, 500)))))


def gamble(outcomes: Sequence[Outcome]) -> str:
    """A gamble in words, its outcomes in an order that depends on them alone: `$26 with 95% chance, $-1 with 5% chance`."""
    told = [f"${o.amount:g} with {round(100 * o.chance, 2):g}% chance" for o in outcomes]
    order = generator(0, "outcomes", *told).permutation(len(told))
    return ", ".join(told[i] for i in order)


def question(framing: Framing, people: int = 100, think: bool = False, listed: Sequence[str] = ()) -> str:
    """What is asked, without the gambles or with them listed."""
    return render("promptedgambler", framing=framing, people=people, think=think, listed=[Trusted(text) for text in listed])


class PromptedGambler(Drawing):
    """Chooses between the gambles of the world `Gambling` by the likelihood of each one's letter.

    With `think` the model first writes its reasoning, of which it is reminded. In the framing `share` it writes which share
    of people chooses which, and A or B is drawn with that chance.

    Args:
        model: the language model.
        framing: what it is asked; see `FRAMINGS`.
        think: whether it is asked to think step by step.
        average: whether each problem is put in both orders, and log-likelihoods are averaged.
        temperature: of the draw from likelihoods, and of reasoning.
        people: how many it is told there are, in the framing `share`.
        tokens: of reasoning, at most.
    """

    calls_per_step = None

    def __init__(
        self,
        model: LanguageModel,
        *,
        framing: Framing = "act",
        think: bool = False,
        average: bool = True,
        temperature: float = 0.7,
        people: int = 100,
        tokens: int = 200,
    ) -> None:
        super().__init__(model, memory=0)
        if framing not in FRAMINGS or temperature < 0 or people < 1 or tokens < 1:
            raise ConfigError(
                f"framing={framing!r}, temperature={temperature}, people={people}, tokens={tokens}: give one of "
                f"{', '.join(FRAMINGS)}, a temperature of 0 or more, and positive numbers"
            )
        self.framing: Framing = framing
        self.think, self.average, self.temperature = think, average, temperature
        self.people, self.tokens = people, tokens

    def _shown(self, observation: Any) -> Any:
        if not isinstance(observation, TwoGambles):
            raise ConfigError(f"a PromptedGambler chooses between gambles, not in {type(observation).__name__}")
        return observation

    async def _act(self, agent: Agent, observation: TwoGambles, space: Any) -> Any:
        rng = self._luck("gamble", agent, self._count(agent))
        try:
            weighed = await self.weigh(agent, observation)
        except CallFailed as error:
            return Fault(str(error))
        chance = weighed.chance(1.0 if self.framing == "share" else self.temperature)
        return Take(gamble="B" if rng.random() < chance else "A")

    async def weigh(self, agent: Agent, seen: TwoGambles) -> Weighed:
        """The likelihood of each gamble. Two that are worded alike are alike, and not asked for."""
        told = [gamble(seen.a), gamble(seen.b)]
        orders = ([0, 1], [1, 0]) if self.average else ([0, 1],)
        if told[0] == told[1]:
            return Weighed(np.zeros((len(orders), 2)))
        found = await asyncio.gather(*(self._ask(agent, [told[i] for i in order]) for order in orders))
        scores = np.array([np.array(scores)[order] for scores, order in zip(found, orders, strict=True)])
        return Weighed(scores)

    async def _ask(self, agent: Agent, told: list[str]) -> Sequence[float]:
        """Scores of two gambles in the order given."""
        forecast = self.framing == "share"
        listed = told if self.think or forecast else ()
        messages = [{"role": "user", "content": question(self.framing, self.people, self.think, listed)}]
        if self.think:
            reply = await self.model.generate(
                messages, max_tokens=self.tokens, temperature=self.temperature, agent=agent, purpose="think"
            )
            messages += [
                {"role": "assistant", "content": reply.text},
                {"role": "user", "content": question(self.framing, self.people)},
            ]
        if forecast:
            return await self._forecast(agent, messages)
        choice = await self.model.choose(
            messages, told, rng=np.random.default_rng(0), average=False, agent=agent, purpose="choose"
        )
        return choice.scores.tolist()

    async def _forecast(self, agent: Agent, messages: list[dict[str, str]]) -> Sequence[float]:
        reply = await self.model.generate(
            messages, space=SHARE, temperature=self.temperature, max_tokens=30, agent=agent, purpose="forecast"
        )
        first = float(np.clip(reply.value.percent_a / 100, SURE, 1 - SURE))
        return np.log([first, 1 - first]).tolist()


SHARE = Typed(Share)
