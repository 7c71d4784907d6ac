"""Respondents by rule: at random, always alike, or by a table. They are what measures of surveys are tried on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.policies.coded.scripted import Scripted
from ethogram.policy import Policy
from ethogram.questionnaires import Asked, Skip
from ethogram.world import Agent

__all__ = ["ConstantRespondent", "RandomRespondent", "TabledRespondent"]


class RandomRespondent(Scripted):
    """Answers every question, uniformly over what may be answered."""

    def script(self, observation: Asked, space: Any, memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """A sample of the answers to this question; shares are drawn so that they sum to the total."""
        verb = next((verb for verb in space.verbs if verb.__name__ == observation.item), None)
        if verb is None:
            raise ConfigError(f"a respondent is asked {observation.item!r}, which it cannot answer: is this a Survey?")
        if observation.type == "allocation":
            fields = verb.model_fields["answer"].annotation.model_fields
            total = next(bound.le for bound in next(iter(fields.values())).metadata if hasattr(bound, "le"))
            shares = rng.multinomial(total, np.full(len(fields), 1 / len(fields))).tolist()
            return space.load({"verb": observation.item, "answer": dict(zip(fields, shares, strict=True))})
        part = space.only(verb)
        part.seed(int(rng.integers(2**31)))
        return part.sample()


class ConstantRespondent(Scripted):
    """Always gives the option at the same place of the list, whatever is asked; what has no options it leaves.

    Args:
        place: 0 is the first option (or point of a scale), -1 the last. Where there are fewer, the nearest.
    """

    def __init__(self, place: int = 0) -> None:
        super().__init__()
        self.place = place

    def script(self, observation: Asked, space: Any, memory: dict[str, Any], rng: np.random.Generator) -> Any:
        """The option at the place."""
        options = observation.options
        if not options or observation.type == "allocation":
            return Skip()
        place = min(self.place, len(options) - 1) if self.place >= 0 else max(self.place, -len(options))
        option = options[place]
        answer: Any = int(option.split(" ", 1)[0]) if observation.type == "scale" else option
        return space.load({"verb": observation.item, "answer": [option] if observation.type == "multiple" else answer})


class TabledRespondent(Policy):
    """Says what a table says that each respondent would say, and leaves what is not in it.

    Args:
        answers: by respondent, then by item, as JSON values.
    """

    def __init__(self, answers: Mapping[Agent, Mapping[str, Any]]) -> None:
        self.answers = answers

    def act(self, observations: Mapping[Agent, Asked], spaces: Mapping[Agent, Any]) -> Mapping[Agent, Any]:
        """The answer of each, as it stands in the table."""
        return {agent: self._answer(agent, asked, spaces[agent]) for agent, asked in observations.items()}

    def _answer(self, agent: Agent, asked: Asked, space: Any) -> Any:
        answer = self.answers.get(agent, {}).get(asked.item)
        return Skip() if answer is None else space.load({"verb": asked.item, "answer": answer})
