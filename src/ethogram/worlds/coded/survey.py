"""A survey: respondents answer a questionnaire, each at its own pace, one question a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from ethogram.errors import ConfigError
from ethogram.questionnaires import Asked, Form, Question, Questionnaire, Skip, filled, instrument
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World

__all__ = ["Survey"]


class Survey(World):
    """Each respondent is asked the questions of its form, in its order, and answers by the verb that is called as the item.

    Who gets which form, order of blocks, items and options follows from the episode's seed. An answer that does not fit is
    refused, with the reason, and asked for again; after so many tries the question counts as unanswered.

    Args:
        questionnaire: what is asked. Default: the 20 items of the Mini-IPIP.
        respondents: their names, or how many.
        tries: how many answers a respondent may give to a question before it counts as unanswered.
        may_skip: whether a question that a respondent skips is left at once, or put again like any answer that does not fit.

    The outcome has `answered`, `unanswered` and `refused`, over all respondents. Rewards are 0.

    Raises:
        ConfigError: no respondents, or two of one name.
    """

    metadata = {"name": "survey", "render_modes": []}
    time_unit = "question"
    state_fields = ("luck", "answers", "places", "tried", "said", "refusals")

    def __init__(
        self,
        questionnaire: Questionnaire | None = None,
        respondents: int | Sequence[str] = 3,
        *,
        tries: int = 3,
        may_skip: bool = False,
    ) -> None:
        names = [f"respondent {i + 1}" for i in range(respondents)] if isinstance(respondents, int) else list(respondents)
        if not names or len(set(names)) < len(names) or tries < 1:
            raise ConfigError("Survey: give at least one respondent and one try, and each respondent a name of its own")
        self.questionnaire = questionnaire or instrument("mini-ipip")
        self.possible_agents = names
        self.agents = []
        self.tries, self.may_skip = tries, may_skip
        self.verbs = {name: item.verb for name, item in self.questionnaire.items.items()}
        self._all = Verbs(*self.verbs.values(), Skip)
        self._open = {name: self._all.only(verb, Skip) for name, verb in self.verbs.items()}
        self.observation_spaces = dict.fromkeys(names, Typed(Asked))
        self.action_spaces = dict.fromkeys(names, self._all)
        self._index = {name: i for i, name in enumerate(names)}
        self.expected_steps = len(self.verbs)
        self.luck = 0

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Hand out the forms."""
        super().reset(seed)
        assert self.rng is not None
        self.luck = int(self.rng.integers(2**53))
        self._forms.clear()
        self.answers: dict[Agent, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.places = dict.fromkeys(self.agents, 0)
        self.tried = dict.fromkeys(self.agents, 0)
        self.said = dict.fromkeys(self.agents, "")
        self.refusals = 0
        for agent in self.agents:
            self._forward(agent)
        seen = {agent: self._seen(agent) for agent in self.agents}
        self.agents = [agent for agent in self.agents if self._question(agent) is not None]
        return seen, {agent: {} for agent in seen}

    @cached_property
    def _forms(self) -> dict[Agent, Form]:
        return {}

    def form(self, agent: Agent) -> Form:
        """What a respondent is asked in this episode."""
        if agent not in self._forms:
            self._forms[agent] = self.questionnaire.form(self._index[agent], len(self._index), self.luck)
        return self._forms[agent]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a state back, and with it the forms that belong to it."""
        super().load_state_dict(state)
        self._forms.clear()

    def available(self, agent: Agent) -> Verbs:
        """The answers to the question that the respondent is at."""
        question = self._question(agent)
        return self._all if question is None else self._open[question.item.name]

    def idle(self, agent: Agent) -> Skip:
        """No answer."""
        return Skip()

    def step(self, actions: Mapping[Agent, BaseModel]) -> Step:
        """Take each respondent's answer, or say why not."""
        alive = list(self.agents)
        for agent in alive:
            self._take(agent, actions[agent])
        self.agents = [agent for agent in alive if self._question(agent) is not None]
        over = {agent: self._question(agent) is None for agent in alive}
        nothing: dict[Agent, dict[str, Any]] = {agent: {} for agent in alive}
        seen = {agent: self._seen(agent) for agent in alive}
        return seen, dict.fromkeys(alive, 0.0), over, dict.fromkeys(alive, False), nothing

    def outcome(self) -> Mapping[str, float]:
        """How many questions were answered and left, and how many answers were refused."""
        given = [answer for answers in self.answers.values() for answer in answers.values()]
        unanswered = sum(answer is None for answer in given)
        return {
            "answered": float(len(given) - unanswered),
            "unanswered": float(unanswered),
            "refused": float(self.refusals),
        }

    def _take(self, agent: Agent, action: BaseModel) -> None:
        question = self._question(agent)
        assert question is not None
        item = question.item
        if type(action) is self.verbs[item.name]:
            answer = action.model_dump(mode="json")["answer"]
            fault = item.fault(answer)
        elif isinstance(action, Skip) and not self.may_skip:
            answer, fault = None, "this question must be answered"
        else:
            answer, fault = None, "" if isinstance(action, Skip) else f"the question is {item.name!r}: answer that one"
        self.said[agent] = fault[:400]
        if fault:
            self.refusals += 1
            self.tried[agent] += 1
            if self.tried[agent] < self.tries:
                return
            self.said[agent], answer = "", None
        self.answers[agent][item.name] = answer
        self.places[agent] += 1
        self.tried[agent] = 0
        self._forward(agent)

    def _forward(self, agent: Agent) -> None:
        """Pass over the questions that a respondent is not asked."""
        questions = self.form(agent).questions
        while self.places[agent] < len(questions):
            if self.questionnaire.asked(questions[self.places[agent]], self._values(agent)):
                return
            self.places[agent] += 1

    def _values(self, agent: Agent) -> dict[str, Any]:
        return {**self.form(agent).arms, **self.answers[agent]}

    def _question(self, agent: Agent) -> Question | None:
        questions = self.form(agent).questions
        place = self.places[agent]
        return questions[place] if place < len(questions) else None

    def _seen(self, agent: Agent) -> Asked:
        question, form, before = self._question(agent), self.form(agent), len(self.answers[agent])
        if question is None:
            return Asked(item="", type="end", text="Thank you.", number=before, form=form.number)
        item = question.item
        return Asked(
            item=item.name,
            type=item.type,
            text=filled(item.text, self._values(agent)),
            options=list(question.options) or item.points(),
            hint=item.hint(),
            intro="" if before else self.questionnaire.intro,
            number=before,
            form=form.number,
            refused=self.said[agent],
        )
