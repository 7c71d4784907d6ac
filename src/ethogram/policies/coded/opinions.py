"""People who come to believe a claim, or cease to, by stated laws: surrogates for minds in worlds of meetings."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space
from pydantic import BaseModel, ConfigDict, Field

from ethogram.media import Day, Opine
from ethogram.policy import Policy
from ethogram.seeds import generator
from ethogram.world import Agent

__all__ = ["Believers", "Contagious", "OpinionLaw", "Opinionated"]

SAID = (
    ("I do not believe it.", "There is nothing to it.", "I see no reason to think so."),
    ("It is true.", "I am sure that it happened.", "Everybody should know of it."),
)
"""What one who does not believe, and one who does, may say."""


class Believers(Policy):
    """A policy for worlds of `Day`s in which a subclass states the chance of believing.

    Luck is drawn by (seed, day, person), so that two arms of an experiment share it, in whatever order people speak.
    """

    def __init__(self) -> None:
        self._seed = 0
        self._agents: dict[Agent, int] = {}
        self._luck: tuple[int, np.ndarray[Any, Any]] = (-1, np.zeros(0))

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode."""
        self._seed, self._agents = seed, {agent: i for i, agent in enumerate(agents)}
        self._luck = (-1, np.zeros(0))

    @abstractmethod
    def chance(self, agent: Agent, day: Day) -> float:
        """The probability that the agent believes after this day; called once a day."""

    def act(self, observations: Mapping[Agent, Day], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Opine]:
        """What each says."""
        return {agent: self._say(agent, day) for agent, day in observations.items()}

    def _say(self, agent: Agent, day: Day) -> Opine:
        if self._luck[0] != day.day:
            self._luck = (day.day, generator(self._seed, "belief", day.day).random((len(self._agents), 2)))
        turn, words = self._luck[1][self._agents[agent]]
        belief = bool(turn < self.chance(agent, day))
        said = SAID[belief]
        return Opine(post=said[int(words * len(said))], belief=belief)

    def state_dict(self) -> dict[str, Any]:
        """The seed, and for whom it decides."""
        return {"seed": self._seed, "agents": list(self._agents)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the state back."""
        self._seed, self._agents = state["seed"], {agent: i for i, agent in enumerate(state["agents"])}
        self._luck = (-1, np.zeros(0))


class Contagious(Believers):
    """The SIS law: who does not believe comes to with `beta` times the share of believers it reads; who does ceases to with
    `gamma`.

    With random meetings among n people the expected change of I believers in a day is beta (n - I) I / (n - 1) - gamma I.

    Args:
        beta: in [0, 1].
        gamma: in [0, 1].
    """

    def __init__(self, beta: float, gamma: float) -> None:
        super().__init__()
        self.beta, self.gamma = beta, gamma

    def chance(self, agent: Agent, day: Day) -> float:
        """By the share of believers among those met."""
        if day.mine.belief:
            return 1 - self.gamma
        return self.beta * sum(one.belief for one in day.met) / max(1, len(day.met))


class OpinionLaw(BaseModel):
    """The parameters of `Opinionated`; stated, not fitted to people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: float = Field(default=1.5, description="log-odds of believing without any of the below")
    stale: float = Field(default=0.3, ge=0, description="log-odds that a claim loses with each day of its age")
    credulity: float = Field(default=1.0, description="log-odds a unit of credulity")
    own: float = Field(default=2.5, description="log-odds for what one believes already, against what one does not")
    short: float = Field(default=4.0, description="log-odds for today's evidence")
    long: float = Field(default=2.0, description="log-odds for evidence remembered")
    doubt: float = Field(default=0.4, ge=0, description="weight of one who doubts, where one who believes has 1")
    bias: float = Field(default=0.4, ge=0, le=1, description="confirmation bias: how far contrary evidence is discounted")
    keep: float = Field(default=0.7, ge=0, lt=1, description="share of remembered evidence that is left a day later")
    denial: float = Field(default=1.5, ge=0, description="log-odds that fully effective denials take away")
    fade: float = Field(default=0.65, ge=0, lt=1, description="share of a denial's effect that is left a day later")


class Opinionated(Believers):
    """A coded surrogate for the minds of FPS, with the parts that its prompts name: traits, memories, confirmation bias.

    The law. Today's evidence e is the sum over those met of 1 for each believer and -`doubt` for each doubter, contrary
    ones (doubters for one who believes, and the reverse) times 1 - `bias`, over the number met. Memory is
    m = `keep` m + (1 - `keep`) e. Denials weigh d = `fade` d + 1 on their days, else `fade` d, and their effect saturates:
    1 - exp(-d). On day t a person believes with log-odds `base` - `stale` (t - 1) + `credulity` c + `own` (1 or -1) +
    `short` e + `long` m - `denial` (1 - exp(-d)).

    Args:
        law: the parameters.
        credulity: c of each agent.
    """

    def __init__(self, law: OpinionLaw, credulity: Mapping[Agent, float]) -> None:
        super().__init__()
        self.law, self.credulity = law, dict(credulity)
        self._memory: dict[Agent, list[float]] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin an episode without memories."""
        super().reset(seed, agents)
        self._memory = {agent: [0.0, 0.0] for agent in agents}

    def chance(self, agent: Agent, day: Day) -> float:
        """The law; remembers the day."""
        law, mine = self.law, day.mine.belief
        weights = [(1.0 if one.belief else -law.doubt) * (1.0 if one.belief == mine else 1 - law.bias) for one in day.met]
        evidence = sum(weights) / max(1, len(weights))
        before, denied = self._memory[agent]
        memory = law.keep * before + (1 - law.keep) * evidence
        denied = law.fade * denied + bool(day.denial)
        self._memory[agent] = [memory, denied]
        odds = law.base - law.stale * (day.day - 1) + law.credulity * self.credulity[agent]
        odds += law.own * (1 if mine else -1) + law.short * evidence
        return 1 / (1 + math.exp(-(odds + law.long * memory - law.denial * (1 - math.exp(-denied)))))

    def state_dict(self) -> dict[str, Any]:
        """Also the memories."""
        return {**super().state_dict(), "memory": {agent: list(values) for agent, values in self._memory.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the memories back."""
        super().load_state_dict(state)
        self._memory = {agent: list(values) for agent, values in state["memory"].items()}
