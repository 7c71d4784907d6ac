"""People who talk about a claim, played by a language model with short and long memory (FPS, Liu et al., IJCAI 2024)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gymnasium import Space

from ethogram.errors import CallFailed, ConfigError
from ethogram.media import TEXT, Day, Opine
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import Persona, clean
from ethogram.seeds import generator
from ethogram.spaces import Typed
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["BELIEF", "Citizens"]

BELIEF = ("yes, it is true", "no, it is not true")
"""The answers to the question of belief."""


class Citizens(Policy):
    """The model sums up a person's day (temperature 0.5), merges that into memory (1), and decides (1).

    A decision is a post, a belief and a reason. With `mind="structured"` it is one constrained answer, as in the paper. With
    `mind="choice"` belief is drawn from the likelihoods of yes and no, averaged over both orders and letters, and the post
    is then written to fit it: for models too weak to write JSON that means anything. Whether others believe is never shown,
    only what they said. An action that could not be had is a Fault: the person keeps to what it said.

    Args:
        model: the language model.
        claim: what people talk about.
        personas: who they are; None: nobody in particular (an ablation). Likewise the next three.
        short: whether the day is summed up before it is remembered; without, its posts are merged into memory as they are.
        long: whether memory lasts; without, it is the day's summary alone.
        bias: whether people are told to hold on to what they think.
        mind: how a decision is asked for.
        sentence: tokens of a written sentence, at most.
    """

    def __init__(
        self,
        model: LanguageModel,
        claim: str,
        personas: Mapping[Agent, Persona] | None,
        *,
        short: bool = True,
        long: bool = True,
        bias: bool = True,
        mind: Literal["choice", "structured"] = "choice",
        sentence: int = 24,
    ) -> None:
        if mind not in ("choice", "structured"):
            raise ConfigError(f"the mind of citizens is 'choice' or 'structured', not {mind!r}")
        self.model, self.claim, self.personas = model, claim, personas
        self.short, self.long, self.bias, self.mind, self.sentence = short, long, bias, mind, sentence
        self.calls_per_step = short + long + 1.0 if mind == "structured" else short + long + 3.0
        self._seed = 0
        self._memory: dict[Agent, str] = {}
        self._space = Typed(Opine)

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode without memories."""
        self._seed, self._memory = seed, {}

    async def act(self, observations: Mapping[Agent, Day], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What each says; the calls of all are in flight at once."""
        said = await asyncio.gather(*(self._say(agent, day) for agent, day in observations.items()))
        return dict(zip(observations, said, strict=True))

    async def _say(self, agent: Agent, day: Day) -> Opine | Fault:
        try:
            memory = await self._remember(agent, day)
            return await self._decide(agent, day, memory)
        except CallFailed as error:
            return Fault(str(error))

    async def _remember(self, agent: Agent, day: Day) -> str:
        """What the person has in mind when it decides."""
        today = [one.text for one in day.met]
        if self.short:
            today = [await self._write(agent, "short", 0.5, posts=today)]
        if not self.long:
            return " ".join(today)
        memory = await self._write(agent, "long", 1.0, before=self._memory.get(agent, "nothing"), today=today)
        self._memory[agent] = memory
        return memory

    async def _decide(self, agent: Agent, day: Day, memory: str) -> Opine:
        shown = _shown(day, memory)
        if self.mind == "structured":
            messages = self._messages(agent, "opine", **shown)
            reply = await self.model.generate(messages, space=self._space, max_tokens=200, agent=agent, purpose="opine")
            return reply.value
        rng = generator(self._seed, "belief", agent, day.day)
        question = self.question(agent, day, memory)
        choice = await self.model.choose(question, list(BELIEF), rng=rng, agent=agent, purpose="belief")
        belief = choice.index == 0
        return Opine(post=await self._write(agent, "post", 1.0, belief=belief, **shown) or BELIEF[not belief], belief=belief)

    def question(self, agent: Agent, day: Day, memory: str) -> list[dict[str, str]]:
        """The messages that ask whether a person believes the claim, with what it has in mind."""
        return self._messages(agent, "belief", **_shown(day, memory))

    async def _write(self, agent: Agent, template: str, temperature: float, **values: Any) -> str:
        """A sentence of free text, on one line."""
        messages = self._messages(agent, template, **values)
        reply = await self.model.generate(
            messages, max_tokens=self.sentence, temperature=temperature, stop="\n", agent=agent, purpose=template
        )
        return clean(reply.text, TEXT)

    def _messages(self, agent: Agent, template: str, **values: Any) -> list[dict[str, str]]:
        name, about = agent, ""
        if self.personas is not None:
            persona = self.personas[agent]
            name, about = persona.name, Trusted(" ".join(persona.sentences()))
        system = render("citizen_system", name=name, persona=about, bias=self.bias)
        user = render(f"citizen_{template}", name=name, claim=self.claim, **values)
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def state_dict(self) -> dict[str, Any]:
        """The seed and the memories."""
        return {"seed": self._seed, "memory": dict(self._memory)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._memory = state["seed"], dict(state["memory"])


def _shown(day: Day, memory: str) -> dict[str, str]:
    """What a person has before its eyes when it decides."""
    return {"memory": memory, "mine": day.mine.text, "denial": day.denial}
