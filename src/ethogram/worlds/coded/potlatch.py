"""A potlatch: people give each other coins, and a coin given becomes two."""

from pydantic import BaseModel, Field

from ethogram.social import Wait
from ethogram.spaces import Typed, Verbs
from ethogram.world import Step, World


class Give(BaseModel):
    """Give one of your coins to somebody, for whom it becomes two."""

    to: str = Field(description="who gets it", max_length=20)


class Purse(BaseModel):
    """What you have."""

    coins: int = Field(ge=0)


class Potlatch(World):
    """Each round everybody may give a coin away. Rewards are the change of one's purse."""

    metadata = {"name": "potlatch", "render_modes": []}
    state_fields = ("coins", "left")

    def __init__(self, people: tuple[str, ...] = ("Ada", "Bo", "Cy"), rounds: int = 20) -> None:
        self.possible_agents, self.agents, self.rounds = list(people), [], rounds
        self.observation_spaces = {a: Typed(Purse) for a in people}
        self.action_spaces = {a: Verbs(Give, Wait).where(Give, to=[b for b in people if b != a]) for a in people}

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Begin with ten coins each."""
        super().reset(seed)
        self.coins, self.left = dict.fromkeys(self.agents, 10), self.rounds
        return {a: Purse(coins=10) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: dict) -> Step:
        """Hand over the gifts of those who have a coin to give."""
        live, before, self.left = self.agents, dict(self.coins), self.left - 1
        for giver, act in actions.items():
            if isinstance(act, Give) and before[giver] > 0:
                self.coins[giver] -= 1
                self.coins[act.to] += 2
        self.agents = live if self.left else []
        seen, gained = {a: Purse(coins=self.coins[a]) for a in live}, {a: float(self.coins[a] - before[a]) for a in live}
        return seen, gained, dict.fromkeys(live, False), dict.fromkeys(live, not self.left), {a: {} for a in live}
