"""A world of verbs for the tests of prompted runs: people who give each other things, and see what they got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from ethogram.social import Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Agent, Step, World, intervention


class Give(BaseModel):
    """Give somebody a number of apples."""

    to: str = Field(description="who gets them", max_length=20)
    apples: int = Field(description="how many", ge=0, le=3)


class Basket(BaseModel):
    """What one has and hears."""

    apples: int
    news: str = Field(default="", max_length=200)


class Gathering(World):
    """Everybody has apples; gifts move them; what is announced is heard by one person only."""

    metadata = {"name": "gathering", "render_modes": []}
    state_fields = ("apples", "news", "round")

    def __init__(self, people: int = 4, rounds: int = 30) -> None:
        self.possible_agents = [f"P{i}" for i in range(people)]
        self.agents = []
        self.rounds = rounds
        space = Verbs(Give, Wait)
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Basket))
        self.action_spaces = {
            a: space.where(Give, to=[b for b in self.possible_agents if b != a]) for a in self.possible_agents
        }
        self.apples: dict[str, int] = {}
        self.news: dict[str, str] = {}
        self.round = 0

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed)
        self.apples = dict.fromkeys(self.agents, 20)
        self.news, self.round = {}, 0
        return self.observe(), {a: {} for a in self.agents}

    def observe(self) -> dict[Agent, Any]:
        return {a: Basket(apples=self.apples[a], news=self.news.get(a, "")) for a in self.possible_agents}

    @intervention
    def tell(self, agent: str, news: str) -> None:
        """Tell one person something."""
        self.news[agent] = news

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        live, before = list(self.agents), dict(self.apples)
        self.round += 1
        for giver, act in actions.items():
            if isinstance(act, Give):
                moved = min(act.apples, self.apples[giver])
                self.apples[giver] -= moved
                self.apples[act.to] += moved
        over = self.round >= self.rounds
        self.agents = [] if over else live
        gained = {a: float(self.apples[a] - before[a]) for a in live}
        return self.observe(), gained, dict.fromkeys(live, False), dict.fromkeys(live, over), {a: {} for a in live}
