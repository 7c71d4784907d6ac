"""A language model that acts: one constrained answer, or one scored choice, an agent and step, in any world.

policy = Prompted(model("smollm2"), persona=personas)     # worlds of verbs
policy = Chooser(model("smollm2"), labels=["cooperate", "defect"])     # any finite set of actions
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import Space
from pydantic import BaseModel

from ethogram.errors import CallFailed, ConfigError
from ethogram.policies.prompted.templates import Trusted, load, render
from ethogram.policy import Fault, Policy
from ethogram.populations.persona import Persona
from ethogram.seeds import generator
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["ANGLES", "Asking", "Chooser", "Drawing", "Past", "Prompted"]

PERCEPT, PAST = 2000, 300
"""The most characters of an observation that a prompt shows: of the present one, and of each before it."""

ANGLES = str.maketrans({"<": "‹", ">": "›"})


class Past(NamedTuple):
    """A step in an agent's short memory, as a prompt shows it."""

    observation: str
    action: str


class Asking(Policy):
    """What policies have in common that ask a model for each agent: who the agents are, what they remember, and that all are
    asked at once.

    Args:
        model: the language model.
        template: the jinja2 file of the user message; it sees `name`, `observation`, `memory` (a list of `Past`) and, in
            `Chooser`, `options`. Default: one that comes with ethogram.
        persona: who the agents are: a persona or a text for all, or one by agent.
        memory: how many of an agent's last steps it is reminded of.
    """

    def __init__(
        self,
        model: LanguageModel,
        template: str | Path | None = None,
        *,
        persona: Persona | str | Mapping[Agent, Persona | str] = "",
        memory: int = 4,
    ) -> None:
        self.model = model
        self.template = Path(template) if template is not None else type(self).__name__.lower()
        self.persona = persona
        self.memory = memory
        self._past: dict[Agent, list[Past]] = {}
        self._systems: dict[Agent, tuple[Any, str]] = {}
        load(self.template)

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget what happened before."""
        self._past = {agent: [] for agent in agents}
        self._systems = {}

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """An action for each agent: the calls of all of them are in flight at once; one that fails for good is a Fault."""
        agents = list(observations)
        found = await asyncio.gather(
            *(self._act(agent, self._shown(observations[agent]), spaces[agent]) for agent in agents), return_exceptions=True
        )
        actions: dict[Agent, Any] = {}
        for agent, action in zip(agents, found, strict=True):
            if isinstance(action, CallFailed):
                action = Fault(str(action))
            elif isinstance(action, BaseException):
                raise action
            actions[agent] = action
        return actions

    def _shown(self, observation: Any) -> Any:
        """What of an observation `_act` is given."""
        return shown(observation)

    async def _act(self, agent: Agent, observation: Any, space: Any) -> Any:
        raise NotImplementedError

    def _messages(self, agent: Agent, space: Any, observation: Trusted, **values: Any) -> list[dict[str, str]]:
        past = self._past.get(agent, [])
        user = render(self.template, name=agent, observation=observation, memory=past, **values)
        return [{"role": "system", "content": self._system(agent, space)}, {"role": "user", "content": user}]

    def _system(self, agent: Agent, space: Any) -> str:
        """Who the agent is and what it can do; made anew only when that changes."""
        known = self._systems.get(agent)
        if known is None or known[0] is not space:
            actions = Trusted(space.describe()) if isinstance(self, Prompted) else ""
            text = render(f"{type(self).__name__.lower()}_system", name=agent, persona=self._who(agent), actions=actions)
            known = self._systems[agent] = (space, text)
        return known[1]

    def _who(self, agent: Agent) -> Trusted:
        persona = self.persona
        if isinstance(persona, Mapping):
            if agent not in persona:
                raise ConfigError(f"{type(self).__name__} has no persona for {agent!r}: add one, or give one for all")
            persona = persona[agent]
        return Trusted(persona.render() if isinstance(persona, Persona) else persona.translate(ANGLES))

    def _remember(self, agent: Agent, observation: Trusted, action: str) -> None:
        if self.memory:
            past = self._past.setdefault(agent, [])
            past.append(Past(Trusted(_cut(observation, PAST)), Trusted(action)))
            del past[: -self.memory]

    def state_dict(self) -> dict[str, Any]:
        """The agents' short memories."""
        return {agent: [list(past) for past in pasts] for agent, pasts in self._past.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the short memories back."""
        self._past = {a: [Past(Trusted(o), Trusted(x)) for o, x in pasts] for a, pasts in state.items()}


class Prompted(Asking):
    """Acts by one constrained answer of a language model an agent and step, in worlds of verbs.

    The model is shown the persona, the forms an action may take, the agent's last steps and its observation, and answers
    with one JSON object out of the space. Repair of a bad answer is the language layer's; what it cannot mend is a Fault.

    Args:
        model: the language model.
        template: the jinja2 file of the user message, which sees `name`, `observation` and `memory` (each with `observation`
            and `action`). Default: one that comes with ethogram.
        persona: who the agents are: a persona or a text for all, or one by agent.
        memory: how many of an agent's last steps it is reminded of.
        max_tokens: of an answer.
    """

    calls_per_step = 1

    def __init__(
        self,
        model: LanguageModel,
        template: str | Path | None = None,
        *,
        persona: Persona | str | Mapping[Agent, Persona | str] = "",
        memory: int = 4,
        max_tokens: int = 200,
    ) -> None:
        super().__init__(model, template, persona=persona, memory=memory)
        self.max_tokens = max_tokens

    async def _act(self, agent: Agent, observation: Trusted, space: Any) -> Any:
        if not hasattr(space, "parse"):
            raise ConfigError(f"Prompted acts in spaces of verbs, not in {space}: use Chooser for a finite one")
        messages = self._messages(agent, space, observation)
        reply = await self.model.generate(messages, space=space, agent=agent, purpose="act", max_tokens=self.max_tokens)
        self._remember(agent, observation, json.dumps(space.dump(reply.value)).translate(ANGLES))
        return reply.value


class Drawing(Asking):
    """What policies have in common that draw what an agent does, each agent on luck of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seed = 0
        self._counts: dict[Agent, int] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget what happened before, and begin each agent's draws."""
        super().reset(seed, agents)
        self._seed, self._counts = seed, {}

    def _count(self, agent: Agent) -> int:
        """How often the agent has been asked, this time included."""
        self._counts[agent] = self._counts.get(agent, 0) + 1
        return self._counts[agent]

    def _luck(self, *place: str | int) -> np.random.Generator:
        return generator(self._seed, *place)

    def state_dict(self) -> dict[str, Any]:
        """The short memories, and how often each agent has been asked."""
        return {"past": super().state_dict(), "seed": self._seed, "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        super().load_state_dict(state["past"])
        self._seed, self._counts = state["seed"], dict(state["counts"])


class Chooser(Drawing):
    """Acts by one choice among all actions open to an agent, drawn from the likelihoods that a language model gives them.

    Args:
        model: the language model.
        template: the jinja2 file of the user message, which sees `name`, `observation`, `memory` and `options`. Default: one
            that comes with ethogram.
        labels: what the actions of a `Discrete` space are called, in order. Default: their numbers. Verbs say what they are.
        persona: who the agents are: a persona or a text for all, or one by agent.
        memory: how many of an agent's last steps it is reminded of.
        average: whether a choice is averaged over all orders of the options, against the bias of letters and places; it
            takes a call an option instead of one.
    """

    calls_per_step = None

    def __init__(
        self,
        model: LanguageModel,
        template: str | Path | None = None,
        *,
        labels: Sequence[str] = (),
        persona: Persona | str | Mapping[Agent, Persona | str] = "",
        memory: int = 4,
        average: bool = True,
    ) -> None:
        super().__init__(model, template, persona=persona, memory=memory)
        self.labels = tuple(labels)
        self.average = average

    async def _act(self, agent: Agent, observation: Trusted, space: Any) -> Any:
        actions, options = self._options(space)
        messages = self._messages(agent, space, observation, options=[Trusted(option) for option in options])
        rng = self._luck("choice", agent, self._count(agent))
        choice = await self.model.choose(messages, options, rng=rng, average=self.average, agent=agent, purpose="act")
        self._remember(agent, observation, options[choice.index])
        return actions[choice.index]

    def _options(self, space: Any) -> tuple[list[Any], list[str]]:
        """The actions of a finite space and what each is called."""
        if isinstance(space, gymnasium.spaces.Discrete):
            actions = [space.start + i for i in range(int(space.n))]
            if self.labels and len(self.labels) != len(actions):
                raise ConfigError(f"Chooser has {len(self.labels)} labels for {len(actions)} actions: give one for each")
            return actions, list(self.labels) or [str(action) for action in actions]
        if not hasattr(space, "options"):
            raise ConfigError(f"Chooser acts in finite spaces (Discrete, or verbs that can be enumerated), not in {space}")
        actions = space.options()
        return actions, [_called(space.dump(action)) for action in actions]


def _called(action: Mapping[str, Any]) -> str:
    """A verb in words: `go, to: the park`."""
    parts = [str(action["verb"])] if "verb" in action else []
    return ", ".join([*parts, *(f"{key}: {value}" for key, value in action.items() if key != "verb")])[:200]


def shown(observation: Any) -> Trusted:
    """An observation as a prompt shows it: JSON on one line, in which all that was said stands quoted and escaped."""
    if isinstance(observation, BaseModel):
        text = observation.model_dump_json(exclude_defaults=True)
    else:
        text = json.dumps(observation, default=_plain, ensure_ascii=False)
    return Trusted(_cut(text, PERCEPT).translate(ANGLES))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return str(value)
