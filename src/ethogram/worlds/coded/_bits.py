"""Worlds of one agent whose whole state is a row of bits that it sees, with dynamics written once for many copies.

A learner that needs 10**5 steps of many copies calls `starts` and `transition` on batches; `reset` and `step` are those on a
batch of one, so that both are the same world.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete, MultiBinary

from ethogram.errors import ConfigError
from ethogram.world import Step, World

__all__ = ["MOVES", "BitWorld", "Moved"]

MOVES = np.array([[0, 0], [-1, 0], [0, -1], [1, 0], [0, 1]])
"""(row, column) of the five actions in a grid: stay, up, left, down, right."""


class Moved(NamedTuple):
    """What a step brings to each of B copies."""

    bits: np.ndarray
    """The new states, (B, bits) bool."""
    rewards: np.ndarray
    """(B,) float64."""
    terminated: np.ndarray
    """(B,) bool."""


class BitWorld(World):
    """The base of such worlds.

    Args:
        bits: length of the state.
        actions: how many there are; idle is 0.
        steps: after so many an episode is truncated.
    """

    state_fields = ("bits", "left", "score", "reached")
    draws: int = 1
    """How many uniform random numbers a step of one copy takes."""

    def __init__(self, bits: int, actions: int, steps: int) -> None:
        if steps < 1:
            raise ConfigError(f"an episode takes at least one step, not {steps}")
        self.possible_agents, self.agents = ["agent"], []
        self.observation_spaces = {"agent": MultiBinary(bits)}
        self.action_spaces = {"agent": Discrete(actions)}
        self.steps = self.expected_steps = steps

    @abstractmethod
    def starts(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """`n` initial states, (n, bits) bool."""

    @abstractmethod
    def transition(self, bits: np.ndarray, actions: np.ndarray, luck: np.ndarray) -> Moved:
        """One step of B copies, a pure function.

        Args:
            bits: states, (B, bits) bool.
            actions: (B,) int.
            luck: uniform in [0, 1), (B, draws): all that is random in the step.
        """

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode in a random initial state."""
        super().reset(seed)
        assert self.rng is not None
        self.bits, self.left, self.score, self.reached = self.starts(self.rng, 1)[0], self.steps, 0.0, False
        return {"agent": self.bits.astype(np.int8)}, {"agent": {}}

    def step(self, actions: dict[str, Any]) -> Step:
        """One step of the only copy."""
        assert self.rng is not None
        luck = self.rng.random((1, self.draws))
        moved = self.transition(self.bits[None], np.array([int(actions["agent"])]), luck)
        reward, ended = float(moved.rewards[0]), bool(moved.terminated[0])
        self.bits, self.left, self.score = moved.bits[0], self.left - 1, self.score + reward
        self.reached = self.reached or ended or reward > 0
        truncated = not ended and self.left == 0
        if ended or truncated:
            self.agents = []
        seen = {"agent": self.bits.astype(np.int8)}
        return seen, {"agent": reward}, {"agent": ended}, {"agent": truncated}, {"agent": {}}

    def outcome(self) -> dict[str, float]:
        """`score`, the sum of rewards, and `success`: the goal was reached, or a reward had, at least once."""
        return {"score": self.score, "success": float(self.reached)}
