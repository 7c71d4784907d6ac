"""What the studies on the avoiding task share: demonstrations of all ways, a world with goals, and how a policy is tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict

from ethogram.errors import DataError
from ethogram.policies.coded.avoiding import AvoidingDemonstrator
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.scene import scene
from ethogram.seeds import derive
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.world import Step, World
from ethogram.worlds.coded.avoiding import FINISH, WORKSPACE, Avoiding

__all__ = ["EXITS", "MODES", "GoalAvoiding", "Near", "demonstrations", "paths", "toward", "ways", "with_goals"]

MODES = 24
EXITS = np.array([[0.28, FINISH], [0.425, FINISH], [0.575, FINISH], [0.72, FINISH]], np.float32)
"""Where the four gaps of the last row lead to at the finish line, (x, y) in metres."""
STYLES = ("smooth", "waypoints")
NEAR, SPREAD = np.array([0.5, -0.2]), 0.01


class Near(Avoiding):
    """The avoiding task begun 6 cm before a collision with the first post, straight below it or up to 1 cm aside.

    There is no time there to go between two ways first and decide later.
    """

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Put the rod near the first post, at rest."""
        _, infos = super().reset(seed, options)
        assert self.rng is not None
        self.desired = np.array([NEAR[0] + self.rng.uniform(-SPREAD, SPREAD), NEAR[1]])
        self.rod = self.desired.copy()
        return {"agent": self._seen()}, infos


@scene
def demonstrator(mode: int, style: str, near: bool) -> tuple[World, Policy]:
    """The task with a demonstrator of one way and style."""
    return Near() if near else Avoiding(), AvoidingDemonstrator(mode, style)  # type: ignore[arg-type]


@scene
def ways(policy: str, settings: Mapping[str, Any] | None = None) -> tuple[World, Policy]:
    """The task with a fitted policy out of a folder, some of its settings changed."""
    return Avoiding(), fitted(policy, settings)


@scene
def toward(policy: str, settings: Mapping[str, Any] | None = None, near: bool = True) -> tuple[World, Policy]:
    """The task with goals and a fitted policy out of a folder, some of its settings changed."""
    return GoalAvoiding(near), fitted(policy, settings)


def fitted(folder: str, settings: Mapping[str, Any] | None) -> Policy:
    """A policy out of a folder, with settings that only matter when it acts changed."""
    from ethogram.policies.learned import load

    policy = load(folder)
    policy.config = type(policy.config).model_validate({**policy.config.model_dump(), **(settings or {})})
    return policy


def demonstrations(lab: Lab, per_mode: int, near: bool = False) -> Trajectories:
    """Successful demonstrations of each way, `per_mode` (an even number) of each, half in either style; made once.

    Args:
        lab: keeps them.
        per_mode: how many of each way.
        near: from starts near the first post.
    """

    def make(folder: Path) -> None:
        asked = [(mode, style) for mode in range(MODES) for style in STYLES]
        found = [_demonstrated(mode, style, near, per_mode // 2, lab.seed) for mode, style in asked]
        episodes = [t for part in found for t in part]
        Trajectories.of(episodes, found[0].observation_space, found[0].action_space).save(folder)

    return Trajectories.load(lab.made(f"demonstrations-{per_mode}{'-near' if near else ''}", make))


def _demonstrated(mode: int, style: str, near: bool, count: int, seed: int) -> Trajectories:
    """The first `count` episodes in which a demonstrator took the way it was asked for."""
    episodes: list[Trajectory] = []
    seed = derive(seed, "demonstrator", mode, style)  # else all of them would share their luck
    for first in range(0, 20 * count, count):
        chosen = range(first, first + count)
        found = rollouts(demonstrator(mode, style, near), episodes=chosen, seed=seed, progress=False)
        episodes += found[found.outcomes("mode") == mode]
        if len(episodes) >= count:
            return Trajectories.of(episodes[:count], found.observation_space, found.action_space)
    raise DataError(f"the demonstrator of way {mode} in style {style} failed in more than 19 of 20 episodes")


def paths(found: Trajectories, count: int) -> list[list[list[float]]]:
    """Where the rod was in the first `count` episodes, every second step, in metres to the millimetre."""
    return [np.round(_rod(t.observations)[::2], 3).tolist() for t in found[:count]]


def _rod(observations: Any) -> np.ndarray:
    return (observations["observation"] if isinstance(observations, dict) else observations)[:, 2:]


# --- the task with goals ---


class GoalAvoiding(World):
    """The avoiding task with a goal: which of the four gaps of the last row to leave by.

    Args:
        near: begin near the first post; else where D3IL's episodes begin.

    Observation: `observation` as of `Avoiding`, `achieved_goal` the rod's position and `desired_goal` a point at the finish
    line in one of the gaps, drawn at the reset. Outcome: that of `Avoiding`, where `success` counts any gap, and `result`,
    whether it was the goal's; `goal`, the number of the gap.
    """

    metadata = {"name": "avoiding with goals", "render_modes": []}
    time_unit = "s"
    state_fields = ("goal",)

    def __init__(self, near: bool = True) -> None:
        self.world = Near() if near else Avoiding()
        self.possible_agents, self.agents = list(self.world.possible_agents), []
        self.expected_steps = self.world.expected_steps
        low, high = (edge.astype(np.float32) for edge in WORKSPACE)
        place = Box(low - np.float32(0.1), high + np.float32(0.1), (2,), np.float32)
        spaces = {"observation": self.world.observation_spaces["agent"], "achieved_goal": place, "desired_goal": place}
        self.observation_spaces = {"agent": Dict(spaces)}
        self.action_spaces = self.world.action_spaces
        self.goal = 0

    @property
    def now(self) -> float:
        """Seconds since the episode began."""
        return self.world.now

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Put the rod at the start and draw a goal."""
        super().reset(seed)
        assert self.rng is not None
        self.goal = int(self.rng.integers(4))
        observations, infos = self.world.reset(seed)
        return self._seen(observations), infos

    def step(self, actions: Mapping[str, Any]) -> Step:
        """As in `Avoiding`; the reward is 1 for the goal's gap."""
        observations, _, terminations, truncations, infos = self.world.step(dict(actions))
        self.agents = list(self.world.agents)
        return self._seen(observations), {"agent": self.outcome()["result"]}, terminations, truncations, infos

    def outcome(self) -> dict[str, float]:
        """Success by any gap, result by the goal's, and the way taken."""
        found = self.world.outcome()
        result = float(found["success"] and int(found["mode"]) % 4 == self.goal)
        return {**found, "result": result, "goal": float(self.goal)}

    def state_dict(self) -> dict[str, Any]:
        """The goal and the state of the task."""
        return {**super().state_dict(), "world": self.world.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        super().load_state_dict(state)
        self.world.load_state_dict(state["world"])

    def _seen(self, observations: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {
            agent: {"observation": seen, "achieved_goal": seen[2:], "desired_goal": EXITS[self.goal]}
            for agent, seen in observations.items()
        }


def with_goals(data: Trajectories) -> Trajectories:
    """Trajectories of the plain task as of the one with goals; the desired goal is where the episode came to."""

    def seen(t: Trajectory) -> dict[str, np.ndarray]:
        rod = t.observations[:, 2:]
        return {"observation": t.observations, "achieved_goal": rod, "desired_goal": np.broadcast_to(rod[-1], rod.shape)}

    world = GoalAvoiding()
    episodes = [t._replace(observations=seen(t)) for t in data]
    return Trajectories.of(episodes, world.observation_space("agent"), world.action_space("agent"))
