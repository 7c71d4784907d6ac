"""A language model answers a questionnaire, as the people that it is told it is.

policy = Respondent(model("smollm2"), persona=personas)     # in the world Survey
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ethogram.errors import ConfigError, VerbError
from ethogram.policies.prompted.prompted import ANGLES, Drawing, Past
from ethogram.policies.prompted.templates import Trusted, render
from ethogram.policy import Fault
from ethogram.populations.persona import Persona
from ethogram.questionnaires import Asked, said
from ethogram.world import Agent

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["How", "Respondent"]

How = Literal["score", "constrain", "read"]
CONTENT_FREE = "N/A"
"""The question of which only the bias towards options is left (Zhao et al. 2021, "Calibrate before use")."""
LETTERS = 26


class Respondent(Drawing):
    """Answers each question by itself, in one of three ways.

    - `score`: an option is drawn from the likelihoods that the model gives them. Each option of a question with several
      answers is a question of its own, yes or no. What has no options (numbers, shares, words) is answered by `constrain`.
    - `constrain`: the model writes an answer that its grammar keeps within the form. Options are then not drawn with the
      model's own probabilities: constrained decoding distorts them.
    - `read`: the model writes freely, and the answer is looked for in what it wrote. What is not found is no answer.

    Args:
        model: the language model.
        persona: who the agents are: a persona or a text for all, or one by agent.
        how: see above.
        average: by `score`: whether each option is asked for at every place and under every letter, and the mean taken.
        calibrate: by `score`: whether the scores that options have under a question without content are taken off.
        temperature: of the softmax over scores, or of what is written.
        memory: how many of its last answers a respondent is reminded of.
        template: the jinja2 file of the question, which sees `intro`, `memory`, `text`, `options` and `tail`.
    """

    calls_per_step = None

    def __init__(
        self,
        model: LanguageModel,
        persona: Persona | str | Mapping[Agent, Persona | str] = "",
        *,
        how: How = "score",
        average: bool = True,
        calibrate: bool = False,
        temperature: float = 1.0,
        memory: int = 0,
        template: str | Path | None = None,
    ) -> None:
        super().__init__(model, template, persona=persona, memory=memory)
        if how not in ("score", "constrain", "read"):
            raise ConfigError(f"how={how!r}: a respondent answers by 'score', 'constrain' or 'read'")
        self.how, self.average, self.calibrate, self.temperature = how, average, calibrate, temperature

    def _shown(self, observation: Any) -> Any:
        if not isinstance(observation, Asked):
            raise ConfigError(f"a Respondent answers questions (the world Survey), not {type(observation).__name__}")
        return observation

    async def _act(self, agent: Agent, observation: Asked, space: Any) -> Any:
        count = self._count(agent)
        if self.how == "score" and observation.options and observation.type != "allocation":
            answer = await self._scored(agent, observation, count)
        elif self.how == "read":
            answer = await self._read(agent, observation)
        else:
            answer = await self._constrained(agent, observation, space)
        if isinstance(answer, Fault):
            return answer
        try:
            action = space.load({"verb": observation.item, "answer": answer})
        except VerbError as error:
            return Fault(str(error))
        if self.memory:
            words = said(list(answer.values()) if isinstance(answer, dict) else answer)
            past = self._past.setdefault(agent, [])
            past.append(Past(_plain(observation.text), _plain(words)))
            del past[: -self.memory]
        return action

    async def _scored(self, agent: Agent, asked: Asked, count: int) -> Any:
        if asked.type != "multiple":
            rng = self._luck("answer", agent, count)
            index = await self._choose(agent, _plain(asked.text), list(asked.options), asked, rng)
            return _value(asked, asked.options[index])
        each = []
        for place, option in enumerate(asked.options):
            question = _plain(f"{asked.text}\nDoes this apply: {option}?")
            rng = self._luck("answer", agent, count, place)
            each.append(self._choose(agent, question, ["yes", "no"], asked, rng))
        chosen = await asyncio.gather(*each)
        return [option for option, index in zip(asked.options, chosen, strict=True) if index == 0]

    async def _choose(self, agent: Agent, text: Trusted, options: list[str], asked: Asked, rng: np.random.Generator) -> int:
        """The place of the option that is drawn."""
        by = "label" if len(options) <= LETTERS else "text"

        async def scores(question: Trusted, purpose: str) -> np.ndarray:
            choice = await self.model.choose(
                self._question(agent, question, asked, (), ""),
                options,
                rng=np.random.default_rng(0),  # only the scores are taken
                by=by,
                average=self.average,
                agent=agent,
                purpose=purpose,
            )
            return choice.scores

        found = await scores(text, "answer")
        if self.calibrate:
            found = found - await scores(Trusted(CONTENT_FREE), "bias")
        return draw(found, self.temperature, rng)

    async def _constrained(self, agent: Agent, asked: Asked, space: Any) -> Any:
        verb = next(verb for verb in space.verbs if verb.__name__ == asked.item)
        only = space.only(verb)
        tail = Trusted(f"Answer with one JSON object, in this form:\n{only.describe()}")
        reply = await self.model.generate(
            self._question(agent, _plain(asked.text), asked, asked.options, tail),
            space=only,
            temperature=self.temperature,
            max_tokens=300,
            agent=agent,
            purpose="answer",
        )
        return only.dump(reply.value)["answer"]

    async def _read(self, agent: Agent, asked: Asked) -> Any:
        tail = Trusted(f"Answer with {asked.hint}. Write nothing else.")
        messages = self._question(agent, _plain(asked.text), asked, asked.options, tail)
        reply = await self.model.generate(
            messages, temperature=self.temperature, max_tokens=120, agent=agent, purpose="answer"
        )
        return found_in(reply.text, asked)

    def _question(
        self, agent: Agent, text: Trusted, asked: Asked, options: Sequence[str], tail: str
    ) -> list[dict[str, str]]:
        user = render(
            self.template,
            name=agent,
            intro=_plain(asked.intro),
            memory=self._past.get(agent, []),
            text=text,
            options=[_plain(option) for option in options],
            refused=_plain(asked.refused),
            tail=Trusted(tail),
        )
        return [{"role": "system", "content": self._system(agent, None)}, {"role": "user", "content": user}]


def draw(scores: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """An index with probability softmax(scores / temperature); one uniform number is drawn."""
    from ethogram.language.choice import softmax

    cumulative = np.cumsum(softmax(scores, temperature))
    return min(int(np.searchsorted(cumulative, rng.random(), side="right")), len(scores) - 1)


def found_in(text: str, asked: Asked) -> Any:
    """The answer that a free reply gives: the one option named in it, its only number, or the text; else a Fault."""
    if asked.type == "open":
        return text.strip() or Fault("the reply is empty")
    if asked.type in ("number", "scale"):
        numbers = re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
        if len(set(numbers)) == 1:
            return float(numbers[0]) if "." in numbers[0] else int(numbers[0])
        return Fault(f"the reply {text[:80]!r} holds {len(set(numbers))} numbers, where one is wanted")
    if asked.type == "allocation":
        numbers = re.findall(r"\d+", text)
        if len(numbers) == len(asked.options):
            return {f"option_{place}": int(number) for place, number in enumerate(numbers, 1)}
        return Fault(f"the reply {text[:80]!r} holds {len(numbers)} numbers for {len(asked.options)} options")
    named = named_in(text, asked.options)
    if asked.type == "multiple":
        return named
    return named[0] if len(named) == 1 else Fault(f"the reply {text[:80]!r} names {len(named)} of the options")


def named_in(text: str, options: Sequence[str]) -> list[str]:
    """The options that a text names as whole words; one that is part of a longer one that is named does not count there."""
    left, found = text.casefold(), set()
    for option in sorted(options, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(option.casefold())}(?!\w)"
        if re.search(pattern, left):
            found.add(option)
            left = re.sub(pattern, " | ", left)
    return [option for option in options if option in found]


def _value(asked: Asked, option: str) -> Any:
    """The answer that an option stands for: its text, or the number that a point of a scale begins with."""
    return int(option.split(" ", 1)[0]) if asked.type == "scale" else option


def _plain(text: str) -> Trusted:
    """A text of the questionnaire, or of the respondent's own, which cannot open a message of the chat format."""
    return Trusted(text.translate(ANGLES))
