"""What random actions and the best ones gain in the worlds of the study, to compare scores across worlds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ethogram.worlds.coded._bits import BitWorld
from ethogram.worlds.coded.pan_flute import PanFlute
from ethogram.worlds.coded.proc_maze import ProcMaze
from ethogram.worlds.coded.random_mdp import RandomMDP

__all__ = ["References", "references"]


class References(NamedTuple):
    """Expected scores in an examination, whose score is the mean return (mazes) or the mean reward a step."""

    random: float
    """Of uniformly random actions."""
    best: float
    """Of the best possible ones."""


def references(world: BitWorld, starts: np.ndarray, steps: int) -> References:
    """Both, exactly.

    Args:
        world: a PanFlute, ProcMaze or RandomMDP.
        starts: states that episodes begin with, (N, bits); means are over them.
        steps: of an examination.
    """
    if isinstance(world, PanFlute):
        return _flute(world, steps)
    if isinstance(world, ProcMaze):
        return References(*(float(np.mean([_maze(world, s, steps, p) for s in starts])) for p in (np.mean, np.max)))
    assert isinstance(world, RandomMDP)
    return References(*(float(_table(world, steps, p)[starts.argmax(1)].mean()) / steps for p in (np.mean, np.max)))


def _flute(world: PanFlute, steps: int) -> References:
    """From silence: a chord can sound first after n steps, and then every n; all ends sound by themselves from step 1 on."""
    n = world.pipes
    lucky = world.chance * (steps - 1)
    chords = {"random": max(steps - n, 0) / n**n, "best": float((steps - 1) // n)}
    return References(**{name: (lucky + (1 - world.chance) * played) / steps for name, played in chords.items()})


def _maze(world: ProcMaze, start: np.ndarray, steps: int, pick: Callable[..., np.ndarray]) -> float:
    """The expected return in one maze, by dynamic programming over cells; `pick` sums up the values of actions."""
    grid = start.reshape(-1, 4)
    cells = np.flatnonzero(grid[:, 3])
    goal = int(grid[:, 1].argmax())
    states = np.repeat(grid[None], len(cells), 0)
    states[:, :, 0] = cells[:, None] == np.arange(len(grid))
    flat, never = states.reshape(len(cells), -1), np.ones((len(cells), 1))
    to = [world.transition(flat, np.full(len(cells), a), never).bits for a in range(5)]
    reached = np.stack([np.searchsorted(cells, t.reshape(len(cells), -1, 4)[:, :, 0].argmax(1)) for t in to], 1)
    values, at_goal = np.zeros(len(cells)), cells == goal
    for _ in range(steps):
        onward = world.chance * values[at_goal] + (1 - world.chance) * pick(values[reached], axis=1)
        values = -1 + np.where(at_goal, 0.0, onward)
    return float(values[np.searchsorted(cells, grid[:, 0].argmax())])


def _table(world: RandomMDP, steps: int, pick: Callable[..., np.ndarray]) -> np.ndarray:
    """The expected sum of rewards from each state."""
    values = np.zeros(world.states)
    for _ in range(steps):
        onward = pick(values[world.successors], axis=1)
        onward[0] = values.mean()
        values = (np.arange(world.states) == 0) + world.chance * values[0] + (1 - world.chance) * onward
    return values
