"""A tiny stochastic SIR as a world, in which nobody decides: the scene that experiments are tested on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import gymnasium.spaces as gs
import numpy as np

from ethogram.scene import scene
from ethogram.world import World, intervention


class Outbreak(World):
    """Chain-binomial SIR (Abbey 1952) in a closed population; a day has one uniform number a transition.

    So two arms with the same seed share their luck, whatever the rates are.
    """

    metadata = {"name": "outbreak", "render_modes": []}
    state_fields = ("beta", "counts")

    def __init__(self, beta: float = 0.5, gamma: float = 0.2, n: int = 500) -> None:
        self.possible_agents, self.agents = ["observer"], []
        self.observation_spaces = {"observer": gs.Box(0, n, (3,), np.int64)}
        self.action_spaces = {"observer": gs.Discrete(1)}
        self.start, self.gamma, self.n = beta, gamma, n
        self.beta, self.counts = beta, [n - 10, 10, 0]

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed)
        self.beta, self.counts = self.start, [self.n - 10, 10, 0]
        return {"observer": np.array(self.counts)}, {"observer": {}}

    @intervention
    def distance(self, beta: float) -> None:
        """Change the rate of infection."""
        self.beta = beta

    def step(self, actions: Any) -> Any:
        assert self.rng is not None
        s, i, r = self.counts
        u, v = self.rng.random(2)
        new = binomial(u, s, 1 - np.exp(-self.beta * i / self.n))
        well = binomial(v, i, 1 - np.exp(-self.gamma))
        self.counts = [s - new, i + new - well, r + well]
        seen, no = {"observer": np.array(self.counts)}, {"observer": False}
        return seen, {"observer": float(new)}, no, no, {"observer": {}}


def binomial(u: float, n: int, p: float) -> int:
    """The u-quantile of Binomial(n, p), by its normal approximation: rises with p for the same u."""
    from scipy.special import ndtri

    return int(np.clip(round(n * p + float(ndtri(u)) * np.sqrt(n * p * (1 - p))), 0, n))


@scene
def outbreak(beta: float = 0.5, gamma: float = 0.2, n: int = 500, log: str = "", hold: float = 0.0, fault: str = "") -> Any:
    """An outbreak; it can note down that it was built, take its time, fail, or take its process with it."""
    if log:
        with open(log, "a") as file:
            file.write(f"{beta} {os.getpid()}\n")
    time.sleep(hold)
    if fault == "raise":
        raise ValueError("no such people")
    if fault == "die":
        os._exit(7)
    return Outbreak(beta, gamma, n), None


def cases(run: Any) -> dict[str, Any]:
    """Daily and total cases."""
    daily = run.steps.collect()["reward"].drop_nulls().to_list()
    return {"daily": daily, "total": sum(daily)}


def built(log: Path) -> int:
    """How often an outbreak was built."""
    return len(log.read_text().splitlines())
