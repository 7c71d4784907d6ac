"""Training an agent of the study online, all seeds at once, and how well it does along the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ethogram.nn.stacked import Streams
from ethogram.seeds import generator
from ethogram.studies.dreams._mb_generalization_agents import Agent, Replay
from ethogram.worlds.coded._bits import BitWorld

__all__ = ["Curves", "Schedule", "learn"]


class Schedule(BaseModel):
    """How long an agent learns and how often it is examined; the same for all agents."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(default=1_000_000, ge=1, description="steps of the agent in its world")
    updates: float = Field(default=1.0, gt=0, description="updates a step; may be a fraction")
    begin: int = Field(default=1000, ge=1, description="steps before the first update")
    memory: int = Field(default=100_000, ge=1, description="transitions that are remembered")
    examine_every: int = Field(default=500, ge=1, description="steps between two examinations")
    examine_steps: int = Field(default=100, ge=1, description="steps of an examination")
    examine_copies: int = Field(default=32, ge=1, description="episodes side by side in an examination")


class Curves(NamedTuple):
    """What S copies achieved along the way."""

    steps: list[int]
    """When they were examined, E of them."""
    greedy: np.ndarray
    """(S, E): reward a step (of an episode: the return) of the greedy policy."""
    online: np.ndarray
    """(S, E): reward a step of the exploring policy since the last examination."""
    examination: np.ndarray
    """(S, N, D): the states that episodes of an examination begin with."""


def learn(agent: Agent, world: BitWorld, schedule: Schedule, seeds: Sequence[int], *, episodic: bool) -> Curves:
    """Let an agent's copies act and learn, each in a world of its own.

    The world's luck and the examinations are the same for every agent that has these seeds.

    Args:
        agent: to be trained.
        world: its dynamics.
        schedule: how long.
        seeds: one for each copy.
        episodic: whether episodes end; what is measured is then the return, and else the reward a step.
    """
    luck = Streams(seeds, "world")
    beginnings = [generator(seed, "beginnings") for seed in seeds]
    bits = np.concatenate([world.starts(rng, 1) for rng in beginnings])
    replay = Replay(len(seeds), min(schedule.memory, schedule.steps), bits.shape[1])
    examination = np.stack([world.starts(generator(seed, "examination"), schedule.examine_copies) for seed in seeds])
    steps, greedy, online, gained, owed = [], [], [], np.zeros(len(seeds)), 0.0
    for step in range(1, schedule.steps + 1):
        actions = agent.explore(bits)
        moved = world.transition(bits, actions.numpy(), luck.random(world.draws))
        replay.add(bits, actions, moved.rewards, moved.bits, moved.terminated)
        bits, gained = moved.bits, gained + moved.rewards
        for ended in np.flatnonzero(moved.terminated):
            bits[ended] = world.starts(beginnings[ended], 1)[0]
        owed += schedule.updates if step >= schedule.begin else 0.0
        while owed >= 1:
            agent.update(replay)
            owed -= 1
        if step % schedule.examine_every == 0:
            steps.append(step)
            greedy.append(examine(agent, world, examination, schedule.examine_steps, seeds, episodic=episodic))
            online.append(gained / schedule.examine_every)
            gained = np.zeros(len(seeds))
    return Curves(steps, np.stack(greedy, 1), np.stack(online, 1), examination)


def examine(
    agent: Agent, world: BitWorld, bits: np.ndarray, steps: int, seeds: Sequence[int], *, episodic: bool
) -> np.ndarray:
    """How well each copy's greedy policy does from given states (S, B, D): mean return, or mean reward a step, (S,)."""
    shape, alive, total = bits.shape, np.ones(bits.shape[:2], bool), np.zeros(bits.shape[:2])
    luck = Streams(seeds, "examination", "luck")
    for _ in range(steps):
        actions = agent.exploit(bits)
        chances = luck.random(shape[1], world.draws).reshape(-1, world.draws)
        moved = world.transition(bits.reshape(-1, shape[2]), actions.ravel(), chances)
        total += moved.rewards.reshape(shape[:2]) * alive
        alive &= ~moved.terminated.reshape(shape[:2])
        bits = moved.bits.reshape(shape)
    return total.mean(1) if episodic else total.mean(1) / steps
