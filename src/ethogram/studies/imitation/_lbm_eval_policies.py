"""The protocol on real rollouts: a policy of many tasks, fine-tuned to new ones, against policies fitted from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.policies.coded.advised import Advised
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories
from ethogram.scene import scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.world import Agent, World
from ethogram.worlds.coded.metaworld import MetaWorld

STEPS = 150
"""Of an episode; it ends at success."""
LED = 15
"""Steps for which the shift leads the hand away."""


class LedAway(Policy):
    """Another policy, whose hand is first led away in a direction of its own for each episode: a start it has not seen.

    What the policy wants in these steps is not done. The direction derives from the seed alone and so is the same whichever
    policy it is.

    Args:
        policy: acts from then on; it sees everything.
        steps: how long the hand is led.
    """

    def __init__(self, policy: Policy, steps: int = LED) -> None:
        self.policy, self.steps = policy, steps

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Draw the directions."""
        self.policy.reset(seed, agents)
        self._left = dict.fromkeys(agents, self.steps)
        self._ways = {agent: _direction(derive(seed, "led", agent)) for agent in agents}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """The other policy's actions, or the lead."""
        wanted = self.policy.act(observations, spaces)
        assert isinstance(wanted, Mapping)
        actions = dict(wanted)
        for agent in observations:
            if self._left[agent]:
                self._left[agent] -= 1
                actions[agent] = self._ways[agent]
        return actions


def _direction(seed: int) -> np.ndarray:
    """A unit vector in x, y and z, with the fingers left alone."""
    way = generator(seed).normal(size=3)
    return np.append(way / np.linalg.norm(way), 0.0).astype(np.float32)


@scene
def demonstrator(task: str, noise: float) -> tuple[World, Policy]:
    """The expert that ships with a task, with a trembling hand."""
    world = MetaWorld(task, steps=STEPS, stop=True)
    return world, Advised(world, noise, 0.5)


@scene
def fitted(task: str, policy: str, shifted: bool) -> tuple[World, Policy]:
    """A fitted policy at a task."""
    from ethogram.policies.learned.base import Learned

    found = Learned.load(policy)
    return MetaWorld(task, steps=STEPS, stop=True), LedAway(found) if shifted else found


def demonstrate(item: dict[str, Any], lab: Lab) -> dict[str, float]:
    """Gather `n` successful demonstrations of a `task` into the lab; the share that succeeded and the reward they reach."""
    found: dict[str, float] = {}

    def make(folder: Path) -> None:
        seed = derive(lab.seed, "demonstrations", item["task"])
        data = rollouts(demonstrator(item["task"], item["noise"]), episodes=round(1.5 * item["n"]) + 2, seed=seed)
        won = data.outcomes("success") > 0
        data[won][: item["n"]].save(folder)

    data = Trajectories.load(lab.made(f"demonstrations-{item['task']}", make))
    found["demonstrations"] = float(len(data))
    found["steps"] = float(np.mean(data.lengths))
    found["reward"] = float(np.mean([trajectory.rewards.max() for trajectory in data]))
    return found


def demonstrations(lab: Lab, task: str, n: int, seed: int) -> Trajectories:
    """A sample of n demonstrations of a task, nested in the larger ones of the same seed."""
    data = Trajectories.load(lab.dir / "made" / f"demonstrations-{task}")
    return data[generator(seed, "sample", task).permutation(len(data))[:n]]


def _policy(config: dict[str, Any], data: Trajectories, seed: int) -> Any:
    from ethogram.policies.learned import find

    return find(config["policy"])(data.observation_space, data.action_space, config["settings"], seed=seed)


def _training(config: dict[str, Any], steps: int, lr: float, seed: int) -> Any:
    from ethogram.nn.training import Training

    return Training(steps=steps, batch=config["batch"], lr=lr, schedule="cosine", seed=seed % 2**31)


def pretrain(item: dict[str, Any], lab: Lab) -> float:
    """Fit one policy to all pretraining tasks, `each` demonstrations of each; kept in the lab. Its last loss."""
    config, seed = item["config"], item["seed"]
    loss: list[float] = []

    def make(folder: Path) -> None:
        parts = [demonstrations(lab, task, item["each"], seed) for task in config["tasks"]]
        data = parts[0]
        for part in parts[1:]:
            data = data + part
        training = _training(config, config["pretrain_steps"], 1e-3, seed)
        policy = _policy(config, data, seed).fit(data, training, progress=False)
        policy.save(folder)
        loss.append(float(policy.history.losses[-100:].mean()))

    lab.made(pretrained(seed, item["each"]), make)
    return loss[0] if loss else float("nan")


def pretrained(seed: int, each: int) -> str:
    """The lab's name for a pretrained policy."""
    return f"pretrained-{seed}-{each}"


def evaluate(item: dict[str, Any], lab: Lab) -> dict[str, list[float]]:
    """Fit to `n` demonstrations of a target task, from scratch (`each` 0) or from a pretrained policy, and roll it out.

    Initial conditions depend on task and seed alone: the same for every policy.

    Returns:
        success and completion of each rollout, `success` and `completion`; with the hand led away `shifted_success` and
        `shifted_completion`, where the item asks for it.
    """
    config, task, seed = item["config"], item["task"], item["seed"]
    name = f"fitted-{task}-{seed}-{item['each']}-{item['n']}"
    folder = lab.made(name, lambda folder: _fit(item, lab).save(folder))
    found: dict[str, list[float]] = {}
    for prefix, shifted in (("", False), ("shifted_", True))[: 2 if item["shift"] else 1]:
        play = fitted(task, str(folder), shifted)
        done = rollouts(
            play, episodes=config["rollouts"], seed=derive(seed, "evaluation", task), together=config["together"]
        )
        won = done.outcomes("success")
        best = np.array([trajectory.rewards.max() for trajectory in done]) / item["reward"]
        found[f"{prefix}success"] = won.tolist()
        found[f"{prefix}completion"] = np.where(won > 0, 1.0, np.clip(best, 0.0, 0.9)).tolist()
    return found


def _fit(item: dict[str, Any], lab: Lab) -> Any:
    """The policy that an item of `evaluate` asks for."""
    from ethogram.policies.learned.base import Learned

    config, task, seed, n = item["config"], item["task"], item["seed"], item["n"]
    if not item["each"]:
        data = demonstrations(lab, task, n, seed)
        return _policy(config, data, seed).fit(data, _training(config, config["fit_steps"], 1e-3, seed), progress=False)
    policy = Learned.load(lab.dir / "made" / pretrained(seed, item["each"]))
    if n:
        training = _training(config, config["fit_steps"], config["fine_tune_lr"], seed)
        policy.fit(demonstrations(lab, task, n, seed), training, progress=False)
    return policy
