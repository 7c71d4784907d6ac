"""Users whose satisfaction wears off with clickbait: short-term engagement against long-term satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box

from ethogram.errors import ConfigError
from ethogram.world import Step, World

__all__ = ["COLUMNS", "REVEALED", "LongTermSatisfaction", "Response", "respond"]

KALE = 4.0
LOWEST, HIGHEST = 1.01, 2.6
SIGNAL_NOISE = 3.0
MOST = 100.0
COLUMNS = ("signal", "engagement")
"""What is seen of each user."""
REVEALED = ("choc", "memory", "sensitivity", "satisfaction")
"""What is seen as well where the users are revealed."""


class Response(NamedTuple):
    """What one item does to a user."""

    engagement: np.ndarray
    """Its mean, before noise."""
    exposure: np.ndarray
    """Net positive exposure afterwards."""


def respond(
    exposure: np.ndarray,
    clickbait: np.ndarray | float,
    choc: np.ndarray | float,
    memory: np.ndarray | float,
    sensitivity: np.ndarray | float,
    kale: float = KALE,
) -> Response:
    """How users take an item: engagement (c choc + (1 - c) kale) σ(h n), then n becomes g n - 2 (c - 1/2).

    Args:
        exposure: n, net positive exposure.
        clickbait: c, from 0 (all kale) to 1 (all clickbait).
        choc: engagement of a fully satisfied user with clickbait.
        memory: g, what is left of the exposure after a step.
        sensitivity: h.
        kale: engagement of a fully satisfied user with an item that is no clickbait at all.
    """
    satisfaction = 1 / (1 + np.exp(-sensitivity * exposure))
    engagement = (clickbait * choc + (1 - clickbait) * kale) * satisfaction
    return Response(engagement, memory * exposure - 2 * (clickbait - 0.5))


class LongTermSatisfaction(World):
    """Groups of users, each of whom is shown an item a step: how much clickbait, for the engagement of a whole session?

    The long-term satisfaction world of RecSim (Ie et al. 2019, arXiv:1909.04847) as Sim2Rec has it (Chen et al., ICDE 2023):
    the engagement is not exponentiated, groups differ in how much clickbait engages (`choc`), and users in their memory
    g = log U(1.01, 2.6) and sensitivity h = log U(1.01, 2.6). A user begins with an exposure of 0.5 / (1 - g). What is seen
    of a user is a signal of the group, N(choc, signal_noise), drawn once a session, and the engagement with the last item.

    One agent, `recommender`, acts for all users at once; users are in the order of their groups. Action, float32 (n,): the
    clickbait of the item shown to each user, in [0, 1]. Observation, float32 (n, 2): `COLUMNS`, or (n, 6) with `REVEALED`.
    The reward is the mean engagement. All users of a new episode are drawn anew; it is cut off after `horizon` steps.

    Outcome: `engagement`, its mean over users and steps so far.

    Args:
        groups: `choc` of each group.
        users: in each group.
        horizon: steps of a session.
        signal_noise: standard deviation of the users' signal of their group.
        engagement_noise: standard deviation of the engagement.
        reveal: show the users' parameters and satisfaction, too.

    Raises:
        ConfigError: no group, no user, a session without a step, or negative noise.
    """

    metadata = {"name": "long_term_satisfaction", "render_modes": []}
    state_fields = ("memory", "sensitivity", "exposure", "signal", "engagement", "total", "elapsed")

    def __init__(
        self,
        groups: Sequence[float] = (14.0,),
        users: int = 10,
        horizon: int = 140,
        signal_noise: float = SIGNAL_NOISE,
        engagement_noise: float = 0.01,
        reveal: bool = False,
    ) -> None:
        if not len(groups) or users < 1 or horizon < 1:
            raise ConfigError(
                f"long_term_satisfaction needs at least one group, one user in each and one step, not {len(groups)} groups "
                f"of {users} users for {horizon} steps"
            )
        if min(signal_noise, engagement_noise) < 0:
            raise ConfigError("signal_noise and engagement_noise are standard deviations, and cannot be negative")
        self.choc = np.repeat(np.asarray(groups, float), users)
        self.horizon = self.expected_steps = horizon
        self.signal_noise, self.engagement_noise, self.reveal = signal_noise, engagement_noise, reveal
        n, columns = self.choc.size, len(COLUMNS) + reveal * len(REVEALED)
        self.possible_agents, self.agents = ["recommender"], []
        self.observation_spaces = {"recommender": Box(-np.inf, np.inf, (n, columns), np.float32)}
        self.action_spaces = {"recommender": Box(0.0, 1.0, (n,), np.float32)}
        self.total, self.elapsed = 0.0, 0

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw all users anew."""
        super().reset(seed)
        assert self.rng is not None
        n = self.choc.size
        self.memory, self.sensitivity = np.log(self.rng.uniform(LOWEST, HIGHEST, (2, n)))
        self.exposure = 0.5 / (1 - self.memory)
        self.signal = self.choc + self.signal_noise * self.rng.standard_normal(n)
        self.engagement = np.zeros(n)
        self.total, self.elapsed = 0.0, 0
        return {"recommender": self._seen()}, {"recommender": {}}

    def step(self, actions: dict) -> Step:
        """Show everyone an item."""
        assert self.rng is not None
        clickbait = np.clip(np.asarray(actions["recommender"], float), 0, 1)
        mean, self.exposure = respond(self.exposure, clickbait, self.choc, self.memory, self.sensitivity)
        noise = self.engagement_noise * self.rng.standard_normal(mean.size)
        self.engagement = np.clip(mean + noise, 0, MOST)
        reward = float(self.engagement.mean())
        self.total, self.elapsed = self.total + reward, self.elapsed + 1
        late = self.elapsed >= self.horizon
        if late:
            self.agents = []
        me = self.possible_agents[0]
        return {me: self._seen()}, {me: reward}, {me: False}, {me: late}, {me: {}}

    def outcome(self) -> dict[str, float]:
        """Mean engagement so far."""
        return {"engagement": self.total / max(1, self.elapsed)}

    def _seen(self) -> np.ndarray:
        columns = [self.signal, self.engagement]
        if self.reveal:
            satisfaction = 1 / (1 + np.exp(-self.sensitivity * self.exposure))
            columns += [self.choc, self.memory, self.sensitivity, satisfaction]
        return np.stack(columns, 1).astype(np.float32)
