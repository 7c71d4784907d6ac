"""A run with a learned policy, to be killed: `python learned_victim.py POLICY FOLDER N` dies in the world's step N."""

import os
import signal
import sys

import numpy as np
import torch
from gymnasium import spaces

from ethogram.policies.learned import load
from ethogram.simulation import simulate
from ethogram.world import World

SPACES = spaces.Box(-np.inf, np.inf, (2,), np.float32), spaces.Box(-1, 1, (1,), np.float32)


class Line(World):
    """Two agents, each pushing a point of its own; `die` is the number of steps after which the process kills itself."""

    metadata = {"name": "line", "render_modes": []}
    state_fields = ("points",)

    def __init__(self, die=0):
        self.possible_agents = ["a", "b"]
        self.observation_spaces, self.action_spaces = (dict.fromkeys(self.possible_agents, s) for s in SPACES)
        self.left = die

    def reset(self, seed=None, options=None):
        super().reset(seed, options)
        self.points = {agent: self.rng.normal(size=2).astype(np.float32) for agent in self.agents}
        return dict(self.points), {agent: {} for agent in self.agents}

    def step(self, actions):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        for agent, action in actions.items():
            place, speed = self.points[agent]
            speed = 0.9 * speed + 0.1 * action[0] + 0.01 * self.rng.normal()
            self.points[agent] = np.array([place + speed, speed], np.float32)
        rewards = {agent: -float(abs(self.points[agent][0])) for agent in self.agents}
        never = dict.fromkeys(self.agents, False)
        return dict(self.points), rewards, never, never, {agent: {} for agent in self.agents}


def run(policy, to, die=0):
    return simulate(
        Line(die), load(policy), steps=30, episodes=2, seed=5, to=to, resume=True, checkpoint_every=7, progress=False
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
