from pydantic import BaseModel, Field

from ethogram import Typed, Verbs, World


class Shore(BaseModel):
    fish: float = Field(ge=0, le=100, description="tons of fish in the lake")


class Fish(BaseModel):
    """Go fishing."""

    tons: int = Field(ge=0, le=10, description="how much you try to catch")


class Lake(World):  # what fishers leave in it grows back; once it is empty, nothing does
    state_fields = ("fish",)

    def __init__(self, fishers=5):
        self.possible_agents = [f"fisher {i}" for i in range(fishers)]
        self.observation_spaces = {agent: Typed(Shore) for agent in self.possible_agents}
        self.action_spaces = {agent: Verbs(Fish) for agent in self.possible_agents}

    def reset(self, seed=None, options=None):
        super().reset(seed)
        self.fish = 100.0
        return {agent: Shore(fish=self.fish) for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions):
        caught = {agent: min(action.tons, self.fish / len(actions)) for agent, action in actions.items()}
        self.fish = self.grow(max(0.0, self.fish - sum(caught.values())))
        seen, over = dict.fromkeys(caught, Shore(fish=self.fish)), dict.fromkeys(caught, self.fish < 1)
        self.agents = [agent for agent in self.agents if not over[agent]]
        return seen, caught, over, dict.fromkeys(caught, False), {agent: {} for agent in caught}

    def grow(self, left):
        return left + self.rng.uniform(0.4, 0.6) * left * (1 - left / 100)

    def idle(self, agent):
        return Fish(tons=0)
