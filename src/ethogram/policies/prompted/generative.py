"""Generative agents: memory stream, retrieval, reflection and planning as one loop, over any world of the social vocabulary.

References:
    Park et al. (2023), Generative Agents: Interactive Simulacra of Human Behavior, sections 3 and 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from gymnasium import Space
from pydantic import ValidationError

from ethogram.errors import CallFailed, ConfigError
from ethogram.policies.prompted.character import Character
from ethogram.policies.prompted.life import Life
from ethogram.policies.prompted.loop import GenerativeConfig, Loop
from ethogram.policies.prompted.memory import MemoryStream
from ethogram.policies.prompted.mind import Mind
from ethogram.policies.prompted.vectors import Embeds
from ethogram.policy import Fault, Policy
from ethogram.seeds import derive
from ethogram.world import Agent, intervention

__all__ = ["GenerativeAgents", "GenerativeConfig"]


class GenerativeAgents(Policy):
    """Plays people who perceive, remember, reflect, plan, react and talk, in any world of `ethogram.social`.

    Args:
        personas: who the agents are, by name.
        mind: what takes their judgements: `SurrogateMind()`, `ChoiceMind(model)`, `StructuredMind(model)`.
        places: the places one can go to, each with the things that are there.
        embedder: for the relevance of memories; default: the packaged sentence vectors.
        config: parameters and ablations.

    All agents decide concurrently, each of them strictly in sequence. An agent whose model call fails for good has a `Fault`
    in that step; an exhausted budget stops the run. An agent that goes on with a piece of its plan and perceives nothing new
    asks its mind nothing.
    """

    def __init__(
        self,
        personas: Mapping[Agent, Character],
        mind: Mind,
        *,
        places: Mapping[str, Sequence[str]],
        embedder: Embeds | None = None,
        config: GenerativeConfig | None = None,
    ) -> None:
        self.personas = dict(personas)
        self.embedder = embedder or _packaged()
        self.config = config or GenerativeConfig()
        self.loop = Loop(mind, {place: tuple(things) for place, things in places.items()}, self.config)
        self.calls_per_step = mind.calls_per_step
        self.lives: dict[Agent, Life] = {}

    # --- the contract of a policy ---

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Everybody begins with the memories of its persona."""
        missing = [agent for agent in agents if agent not in self.personas]
        if missing:
            raise ConfigError(f"no persona is given for {', '.join(missing)}: add it to the personas of GenerativeAgents")
        self.loop.mind.reset(seed)
        self.lives = {
            agent: Life(
                self.personas[agent],
                MemoryStream(self.embedder, capacity=self.config.capacity, seed=derive(seed, "memory", agent)),
                planted=list(self.personas[agent].memories),
            )
            for agent in agents
        }

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """A social verb for each agent that is asked."""
        agents = list(observations)
        found = await asyncio.gather(
            *(self.loop.step(self.lives[agent], observations[agent], spaces[agent]) for agent in agents),
            return_exceptions=True,
        )
        actions: dict[Agent, Any] = {}
        for agent, action in zip(agents, found, strict=True):
            if isinstance(action, CallFailed):
                action = Fault(str(action))
            elif isinstance(action, BaseException):
                raise action
            actions[agent] = action
        return actions

    async def ask(self, agent: Agent, question: str) -> str:  # type: ignore[override]
        """Answer an interviewer from the agent's own memory; nothing is stored, and nothing counts as accessed."""
        life = self._life(agent)
        memories = self.loop.retrieve(life, question, self.config.retrieved, life.time, touch=False)
        return await self.loop.mind.answer(life.moment(memories), question)

    def recall(self, agent: Agent, question: str) -> list[dict[str, Any]]:
        """The memories that an answer to a question would stand on, best first, with the scores they are retrieved by.

        Each has `node` (its number), `text`, `score` and its terms `recency`, `relevance`, `importance`, scaled as the
        configuration says. Nothing counts as accessed. Empty where the agent retrieves at random or remembers nothing.
        """
        life, by = self._life(agent), self.loop.config.by
        if by is None or by.chance:
            return []
        found = life.memory.retrieve(question, now=life.time, k=self.config.retrieved, by=by, touch=False)
        return [{**r._asdict(), "node": r.node.id, "text": r.node.text} for r in found]

    @intervention
    def remember(self, agent: Agent, text: str, importance: float = 8, source: str = "planted") -> None:
        """Plant a memory: one sentence in the third person, with its importance from 1 to 10."""
        life = self._life(agent)
        if not 1 <= importance <= 10:
            raise ConfigError(f"the importance of a planted memory goes from 1 to 10, not {importance}")
        self.loop.store(life, text, "observation", importance, life.time, source=source, subject=agent)

    @intervention
    def change(self, agent: Agent, attribute: str, value: Any) -> None:
        """Change an attribute of who an agent is, such as `occupation`, `traits` or `about`, from now on."""
        life = self._life(agent)
        open_to_change = [name for name in type(life.persona).model_fields if name not in ("name", "memories")]
        if attribute not in open_to_change:
            raise ConfigError(f"{agent} has no attribute {attribute!r} to change; there are {', '.join(open_to_change)}")
        try:
            life.become({attribute: value})
        except ValidationError as error:
            raise ConfigError(f"the {attribute} of {agent} cannot be {value!r}: {error.errors()[0]['msg']}") from None

    @intervention
    def forget(self, agent: Agent, text: str) -> None:
        """Remove every memory of the agent that contains the text (in any case), however it came by it."""
        life = self._life(agent)
        gone = [node.id for node in life.memory if text.lower() in node.text.lower()]
        life.memory.forget(gone)
        life.pending = [id for id in life.pending if id not in gone]

    def state_dict(self) -> dict[str, Any]:
        """Every agent's life."""
        return {agent: life.state_dict() for agent, life in self.lives.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put every agent's life back."""
        for agent, life in state.items():
            self.lives[agent].load_state_dict(life)

    def _life(self, agent: Agent) -> Life:
        if agent not in self.lives:
            raise ConfigError(f"there is no agent {agent!r}; there are: {', '.join(self.lives) or 'none before reset'}")
        return self.lives[agent]


@cache
def _packaged() -> Embeds:
    """One for the process: a vector depends on its text alone."""
    from ethogram.language import Embedder

    return Embedder()
