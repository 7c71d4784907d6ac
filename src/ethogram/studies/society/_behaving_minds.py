"""The subjects of `survey-agent-behavioral-science`: one policy for all tasks, whose mind is a law or a language model.

A task turns what the world shows into a question: who is asked, what is asked, the options, and the *values* of the options
to the coded surrogate, which chooses by their softmax. A language model is asked the same question in words; options are
drawn from the likelihoods of their letters, averaged over all rotations of the list. Whoever decides, the random numbers are
the policy's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import Space

from ethogram.policy import Policy
from ethogram.seeds import generator
from ethogram.session import current
from ethogram.world import Agent

__all__ = ["CODED", "INTENT", "Question", "Subject", "Task", "forget_executions"]

CODED = "coded"
"""The word for the surrogate in place of a model."""
INTENT = "intent"
"""The kind of a private note of what one is going to do."""

_asked: dict[tuple[str, ...], list[float]] = {}
"""Probabilities that models gave, by the whole question: likelihoods do not depend on where in a run they are asked for."""


_executions: dict[int, int] = {}
"""How often runs were executed in this process, by seed: the hidden state of subjects that are not `logged`."""


def forget_executions() -> None:
    """Begin to count executions anew."""
    _executions.clear()


class Question(NamedTuple):
    """What a subject is asked."""

    who: str
    """Who it is, for a model's system message; may be empty."""
    text: str
    options: tuple[str, ...]
    values: tuple[float, ...]
    """Of the options, to the surrogate: it takes each with probability proportional to exp(value)."""


class Task(Protocol):
    """What a subject does in a world."""

    def question(self, seen: Any, memory: dict[str, Any]) -> Question:
        """What is asked where this is seen; `memory` is the agent's own and empty at first."""
        ...

    def action(self, choice: int, seen: Any) -> Any:
        """The world's action for a choice."""
        ...


class Subject(Policy):
    """Decides by a task's law, or as a language model would.

    A call of the model that fails for good is not made a Fault, for the world's idle action would be counted as a choice: it
    fails the measurement, which is made up for when the experiment is conducted again.

    Args:
        task: that is done.
        mind: `coded`, or the spelling of a language model.
        notes: a private note of what it is going to do comes before every choice (`INTENT` in the run's notes).
        candour: the probability that the surrogate then does what it has noted, and not something else.
        logged: draws come from the run's seed alone; else also from how often this process has executed the run, which no
            record says (`forget_executions` begins at none).
        recorded: every question goes to the model, so that its answer stands in the run's record; else one that was asked
            before in this process is not asked again.
    """

    calls_per_step = None

    def __init__(
        self,
        task: Task,
        mind: str = CODED,
        *,
        notes: bool = False,
        candour: float = 1.0,
        logged: bool = True,
        recorded: bool = False,
    ) -> None:
        self.task, self.mind, self.notes, self.candour = task, mind, notes, candour
        self.logged, self.recorded = logged, recorded
        self._model: Any = None
        self._seed = 0
        self._counts: dict[Agent, int] = {}
        self._memory: dict[Agent, dict[str, Any]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode without memories."""
        self._seed, self._counts, self._memory = seed, {}, {}
        if not self.logged:
            _executions[seed] = _executions.get(seed, 0) + 1

    async def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What each does."""
        return {agent: await self._act(agent, seen) for agent, seen in observations.items()}

    async def _act(self, agent: Agent, seen: Any) -> Any:
        asked = self.task.question(seen, self._memory.setdefault(agent, {}))
        count = self._counts[agent] = self._counts.get(agent, 0) + 1
        hidden = () if self.logged else (_executions[self._seed],)
        rng = generator(self._seed, "subject", agent, count, *hidden)
        choice = await (self._noted(agent, asked, rng) if self.notes else self._choose(agent, asked, rng, "act"))
        return self.task.action(choice, seen)

    async def _noted(self, agent: Agent, asked: Question, rng: np.random.Generator) -> int:
        """Note an intention, then choose."""
        private = asked._replace(text=f"{asked.text}\nFirst note in your private diary what you are going to choose.")
        meant = await self._choose(agent, private, rng, "note")
        if (session := current()) is not None:
            session.note(agent, INTENT, {"option": asked.options[meant]})
        if self.mind == CODED:
            others = [i for i in range(len(asked.options)) if i != meant]
            return meant if rng.random() < self.candour else others[int(rng.integers(len(others)))]
        after = asked._replace(
            text=f"{asked.text}\nIn your private diary you have noted: I will choose {asked.options[meant]}."
        )
        return await self._choose(agent, after, rng, "act")

    async def _choose(self, agent: Agent, asked: Question, rng: np.random.Generator, purpose: str) -> int:
        if len(asked.options) == 1:
            return 0
        if self.mind == CODED:
            weights = [math.exp(value - max(asked.values)) for value in asked.values]
            return _draw(weights, rng)
        messages = [{"role": "user", "content": asked.text}]
        if asked.who:
            messages.insert(0, {"role": "system", "content": asked.who})
        key = (self.mind, asked.who, asked.text, *asked.options)
        if self.recorded or key not in _asked:
            model = self._open()
            choice = await model.choose(messages, list(asked.options), rng=_NOTHING, agent=agent, purpose=purpose)
            _asked[key] = choice.probabilities.tolist()
        return _draw(_asked[key], rng)

    def _open(self) -> Any:
        if self._model is None:
            from ethogram.language import model

            self._model = model(self.mind)
        return self._model

    def state_dict(self) -> dict[str, Any]:
        """The seed, how often each has chosen, and the memories."""
        memory = {agent: dict(kept) for agent, kept in self._memory.items()}
        return {"seed": self._seed, "counts": dict(self._counts), "memory": memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._counts = state["seed"], dict(state["counts"])
        self._memory = {agent: dict(kept) for agent, kept in state["memory"].items()}


_NOTHING = np.random.default_rng(0)
"""Stands where a model's own draw is not used."""


def _draw(weights: Sequence[float], rng: np.random.Generator) -> int:
    """An index, with probability proportional to its weight."""
    reached = rng.random() * sum(weights)
    for i, weight in enumerate(weights):
        reached -= weight
        if reached < 0:
            return i
    return len(weights) - 1
