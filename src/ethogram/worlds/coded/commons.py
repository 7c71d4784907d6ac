"""A commons: fishers share a stock of fish that grows back, if they leave enough of it."""

import numpy as np
from gymnasium.spaces import Box, Discrete

from ethogram.world import Step, World


class Commons(World):
    """Everybody sees the stock, shape (1,), as a share of the sea's capacity of 100, and takes 0 to 10 fish a step.

    Rewards are the fish caught. What is left grows by the logistic law, `growth` * stock * (1 - stock / 100).
    """

    metadata = {"name": "commons", "render_modes": []}
    state_fields = ("stock", "left")

    def __init__(self, fishers: int = 4, growth: float = 0.4, steps: int = 50) -> None:
        self.growth, self.steps = growth, steps
        self.possible_agents, self.agents = [f"fisher {i + 1}" for i in range(fishers)], []
        self.observation_spaces = {a: Box(0.0, 1.0, (1,), np.float32) for a in self.possible_agents}
        self.action_spaces = {a: Discrete(11) for a in self.possible_agents}

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Begin with a full sea."""
        super().reset(seed)
        self.stock, self.left = 100.0, self.steps
        return {a: np.ones(1, np.float32) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: dict) -> Step:
        """Take the catches, shared in proportion where there is not enough, and let the rest grow."""
        live, wanted = self.agents, sum(int(n) for n in actions.values())
        share = min(1.0, self.stock / max(wanted, 1))
        rest = max(0.0, self.stock - share * wanted)
        self.stock, self.left = rest + self.growth * rest * (1 - rest / 100), self.left - 1
        self.agents = live if self.left else []
        seen = {a: np.array([self.stock / 100], np.float32) for a in live}
        caught = {a: share * int(actions.get(a, 0)) for a in live}
        return seen, caught, dict.fromkeys(live, False), dict.fromkeys(live, not self.left), {a: {} for a in live}
