"""Behaviour retrieval: goal-conditioned cloning of the whole prior, with and without tuning on the demonstrations."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Dict

from ethogram.policies.learned.bc import BC
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories
from ethogram.seeds import derive, generator
from ethogram.studies import Lab
from ethogram.studies.imitation._behavior_retrieval import KINDS, arm_weights, prior, succeeded, target_of, training
from ethogram.world import Agent
from ethogram.worlds.coded.metaworld import MetaWorld

__all__ = ["GOAL_ARMS", "Told", "goal_part", "with_goals"]

Array = np.ndarray[Any, Any]

GOAL_ARMS = ("gc-bc", "gc-bc tuned")
"""Of these the second spends the latter half of its updates on the demonstrations alone."""
RELABEL = {"kind": "future"}
"""Which later observation of the same episode is the goal in training: any, all alike."""


class Told(Policy):
    """A goal-conditioned policy in a world without goals: told one of several in each episode, drawn at the reset.

    Args:
        policy: sees `observation`, `achieved_goal` and `desired_goal`.
        goals: (N, columns), observations to be reached.
    """

    def __init__(self, policy: Policy, goals: Array) -> None:
        self._policy, self._goals = policy, goals
        self._goal = goals[0]

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Draw the goal."""
        self._goal = self._goals[generator(seed, "goal").integers(len(self._goals))]
        self._policy.reset(seed, agents)

    def act(
        self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]
    ) -> Mapping[Agent, Any] | Awaitable[Mapping[Agent, Any]]:
        """What the policy does that wants to see the goal."""
        told = {
            agent: {"observation": seen, "achieved_goal": seen, "desired_goal": self._goal}
            for agent, seen in observations.items()
        }
        return self._policy.act(told, spaces)

    def state_dict(self) -> dict[str, Any]:
        """The goal and the policy's state."""
        return {"goal": self._goal.copy(), "policy": self._policy.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put them back."""
        self._goal = np.array(state["goal"])
        self._policy.load_state_dict(state["policy"])


def with_goals(data: Trajectories) -> Trajectories:
    """The same episodes as of a world with goals: achieved is what is seen, desired is what was seen last."""

    def seen(observations: Array) -> dict[str, Array]:
        last = np.broadcast_to(observations[-1], observations.shape)
        return {"observation": observations, "achieved_goal": observations, "desired_goal": last}

    space = data.observation_space
    spaces = Dict({"observation": space, "achieved_goal": space, "desired_goal": space})
    return Trajectories.of([t._replace(observations=seen(t.observations)) for t in data], spaces, data.action_space)


def goal_part(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """The goal-conditioned arms for one task and seed, as `part` gives the others.

    Both have as many updates as any other arm, draw half of each batch from the whole prior and half from the
    demonstrations until they are tuned, and are told the last observation of one of the demonstrations, drawn for each
    rollout.
    """
    torch.set_num_threads(1)  # small networks, and the same sums on every machine
    config, task, seed = item["config"], item["task"], derive(item["seed"], item["task"])
    data, kinds = prior(config, lab, task, item["seed"])
    target = target_of(config, task, item["seed"])
    everything, demonstrations = with_goals(data + target), with_goals(target)
    weights = arm_weights(np.ones(len(kinds), bool), int(target.lengths.sum()))
    goals = np.stack([t.observations[-1] for t in target])
    settings = {**config["policy"], "goal": True, "relabel": RELABEL}
    world = MetaWorld(task, goal=False, steps=config["steps"], stop=True)
    kept = [int((kinds == i).sum()) for i in range(len(KINDS))]
    arms = {}
    for name in GOAL_ARMS:
        tuning = config["policy_steps"] // 2 if name == "gc-bc tuned" else 0
        policy = BC(everything.observation_space, everything.action_space, settings, seed=seed)
        before = training(config, config["policy_steps"] - tuning, seed)
        policy.fit(everything, before, weights=weights, progress=False)
        if tuning:
            policy.fit(demonstrations, training(config, tuning, derive(seed, "tuning")), progress=False)
        arms[name] = {"kept": kept, "successes": succeeded(Told(policy, goals), world, config, seed)}
    return {"arms": arms}
