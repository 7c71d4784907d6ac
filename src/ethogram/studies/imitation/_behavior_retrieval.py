"""Behaviour retrieval: data of mixed quality, the embedding, the scores, and the arms, for one task and seed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import Space

from ethogram.nn.scaling import Scaler
from ethogram.nn.training import Training, seeded, train
from ethogram.nn.vae import VAE
from ethogram.policies.learned.bc import BC
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories
from ethogram.scene import Scene
from ethogram.seeds import derive, generator, generator_from, generator_state
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.world import Agent
from ethogram.worlds.coded.metaworld import MetaWorld

__all__ = ["KINDS", "arm_weights", "embed", "part", "prior", "scores", "succeeded", "target_of", "training"]

Array = np.ndarray[Any, Any]

KINDS = ("useful", "wrong goal", "another task")
"""What the pairs of the prior come from."""

OBJECT, GOAL = slice(4, 7), slice(36, 39)
"""Where in Meta-World's observations the first object and the goal are."""


class Push:
    """What disturbs an agent's actions: noise that is correlated from step to step, as of something that leans on the arm.

    Args:
        noise: its standard deviation; actions are in [-1, 1].
        memory: its correlation from one step to the next.
    """

    def __init__(self, noise: float, memory: float = 0.9) -> None:
        self._noise, self._memory = noise, memory
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin anew."""
        self.rng = generator(seed, "push")
        self._drift = self._noise * self.rng.normal(size=4)

    def __call__(self, action: Array) -> Array:
        """The action with the noise of one step, clipped."""
        fresh = self._noise * np.sqrt(1 - self._memory**2) * self.rng.normal(size=4)
        self._drift = self._memory * self._drift + fresh
        return np.clip(action + self._drift, -1, 1).astype(np.float32)

    def state_dict(self) -> dict[str, Any]:
        """The random numbers and the drift."""
        return {"rng": generator_state(self.rng), "drift": self._drift.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put them back."""
        self.rng, self._drift = generator_from(state["rng"]), np.array(state["drift"])


class Scripted(Policy):
    """Meta-World's scripted policy for a task, pushed, and with object and goal believed to be elsewhere if asked.

    Args:
        task: the policy's own.
        noise: of the push.
        shift: how far away, in metres, in a direction on the table drawn for each episode.
    """

    def __init__(self, task: str, noise: float = 0.0, shift: float = 0.0) -> None:
        from metaworld.policies import ENV_POLICY_MAP

        self._expert: Any = ENV_POLICY_MAP[f"{task}-v3"]()
        self._push, self._shift = Push(noise), shift
        self.reset(0, [])

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Draw the direction of the shift."""
        self._push.reset(seed)
        angle = self._push.rng.uniform(0, 2 * np.pi)
        self._offset = self._shift * np.array([np.cos(angle), np.sin(angle), 0.0])

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What the scripted policy does, where it believes things to be."""
        return {agent: self._action(seen) for agent, seen in observations.items()}

    def _action(self, seen: Array) -> Array:
        believed = np.array(seen, np.float64)
        believed[OBJECT] += self._offset
        believed[GOAL] += self._offset
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of its own gains, which exceed the action's range
            return self._push(np.clip(self._expert.get_action(believed), -1, 1))

    def state_dict(self) -> dict[str, Any]:
        """The push and the shift."""
        return {"push": self._push.state_dict(), "offset": self._offset.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put them back."""
        self._push.load_state_dict(state["push"])
        self._offset = np.array(state["offset"])


# --- data ---


def gather(task: str, episodes: int, steps: int, seed: int, noise: float = 0.0, shift: float = 0.0) -> Trajectories:
    """Episodes of a scripted policy, as an agent sees them that is not told the goal."""
    world = MetaWorld(task, goal=True, steps=steps, stop=True)
    scene = Scene(world, Scripted(task, noise, shift))
    data = rollouts(scene, episodes=episodes, seed=seed, progress=False)
    hidden = []
    for trajectory in data:
        seen = np.array(trajectory.observations)
        seen[:, GOAL] = 0
        hidden.append(trajectory._replace(observations=seen))
    return Trajectories.of(hidden, data.observation_space, data.action_space)


def others(config: Mapping[str, Any], lab: Lab, seed: int) -> Trajectories:
    """Episodes of the tasks that nobody asks for, made once for all targets of a seed."""

    def make(folder: Path) -> None:
        parts = [
            gather(task, config["other_episodes"], config["steps"], derive(seed, task), config["prior_push"])
            for task in config["other_tasks"]
        ]
        whole = parts[0]
        for more in parts[1:]:
            whole = whole + more
        whole.save(folder / "data")

    return Trajectories.load(lab.made(f"others-{seed}", make) / "data")


def prior(config: Mapping[str, Any], lab: Lab, task: str, seed: int) -> tuple[Trajectories, Array]:
    """The data of mixed quality, and of each of its N pairs the position of its source in `KINDS`, (N,)."""
    common = (config["steps"], derive(seed, task, "useful"), config["prior_push"])
    useful = gather(task, config["useful"], *common)
    wrong = gather(task, config["wrong"], common[0], derive(seed, task, "wrong"), common[2], config["shift"])
    parts = [useful, wrong, others(config, lab, seed)]
    kinds = np.repeat(np.arange(len(parts)), [int(part.lengths.sum()) for part in parts])
    return parts[0] + parts[1] + parts[2], kinds


def target_of(config: Mapping[str, Any], task: str, seed: int) -> Trajectories:
    """The few clean demonstrations of the target task."""
    return gather(task, config["target"], config["steps"], derive(seed, task, "target"))


def pairs(data: Trajectories) -> tuple[Array, Array]:
    """Observations (N, 39) and actions (N, 4) of all steps; the observations that were constant in the data stay so."""
    seen = np.concatenate([t.observations[: len(t.actions)] for t in data])
    return seen, np.concatenate([t.actions for t in data])


# --- retrieval ---


def embed(seen: Array, actions: Array | None, config: Mapping[str, Any], seed: int) -> Any:
    """Fit the autoencoder on the prior's pairs; gives the function from pairs to embeddings (N, latent + 4).

    As in the authors' code the embedding is the posterior's mean beside the raw action; without actions, the mean alone of
    an autoencoder of observations.
    """
    scaler = Scaler.fit(seen)

    def inputs(seen: Array, actions: Array | None) -> torch.Tensor:
        scaled = scaler(torch.from_numpy(seen))
        return scaled if actions is None else torch.cat([scaled, torch.from_numpy(actions)], -1)

    x = inputs(seen, actions)
    with seeded(derive(seed, "vae")):
        model = VAE(x.shape[1], config["latent"], config["vae_hidden"])

    def draw(rng: np.random.Generator) -> dict[str, Array]:
        return {"x": x[torch.from_numpy(rng.integers(len(x), size=config["vae_batch"]))].numpy()}

    # the weight of the KL term goes with a mean squared error, which is 2 / columns of the log-likelihood's sum
    beta = config["kl_weight"] * x.shape[1] / 2

    def loss(batch: dict[str, torch.Tensor], noise: torch.Generator) -> torch.Tensor:
        return -model.elbo(batch["x"], generator=noise, beta=beta).mean()

    settings = Training(steps=config["vae_steps"], batch=config["vae_batch"], lr=1e-3, seed=derive(seed, "vae batches"))
    train(model, loss, draw, settings, progress=False)

    @torch.no_grad()
    def embedding(seen: Array, actions: Array) -> torch.Tensor:
        mean = model.encode(inputs(seen, None if x.shape[1] == seen.shape[1] else actions)).mean
        return mean if x.shape[1] == seen.shape[1] else torch.cat([mean, torch.from_numpy(actions)], -1)

    return embedding


def scores(prior: torch.Tensor, target: torch.Tensor) -> Array:
    """Similarity of each of N prior embeddings to the nearest target embedding, min-max-normalised over the prior; (N,)."""
    nearest = torch.cat([torch.cdist(some, target).min(1).values for some in prior.split(4096)]).numpy()
    return 1 - (nearest - nearest.min()) / max(float(nearest.max() - nearest.min()), 1e-12)


def arm_weights(kept: Array, target: int, demonstrations: bool = True) -> Array:
    """How often each pair is drawn, (N + target,): half of a batch from the kept prior pairs, half from the target's.

    Args:
        kept: (N,) bool.
        target: how many pairs the target set has.
        demonstrations: whether they are drawn from.
    """
    own = np.full(target, demonstrations / target)
    return np.concatenate([kept / max(1, kept.sum()), own])


# --- one part of the study: a task and a seed ---


def part(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """All arms for one task and seed: what each kept, and which of its rollouts succeeded."""
    torch.set_num_threads(1)
    config, task, seed = item["config"], item["task"], item["seed"]
    data, kinds = prior(config, lab, task, seed)
    target = target_of(config, task, seed)
    (seen, actions), (wanted, done) = pairs(data), pairs(target)
    embedding = embed(seen, actions, config, derive(seed, task))
    score = scores(embedding(seen, actions), embedding(wanted, done))
    seeing = embed(seen, None, config, derive(seed, task))
    by_state = scores(seeing(seen, actions), seeing(wanted, done))
    kept = score >= config["delta"]
    arms = {
        "target only": np.zeros(len(kept), bool),
        "balanced": np.ones(len(kept), bool),
        "prior only": np.ones(len(kept), bool),
        "retrieval": kept,
        "oracle": kinds == 0,
        "states only": by_state >= np.sort(by_state)[-max(1, int(kept.sum()))],
        **{f"delta {delta:g}": score >= delta for delta in config["deltas"] if delta != config["delta"]},
    }
    world = MetaWorld(task, goal=False, steps=config["steps"], stop=True)
    result: dict[str, Any] = {
        "demonstrations": {
            kind: float(np.mean(part.outcomes("success")))
            for kind, part in (("target", target), ("useful", data[: config["useful"]]))
        },
        "base": float((kinds == 0).mean()),
        "quantiles": {kind: np.quantile(score[kinds == i], np.linspace(0, 1, 21)).tolist() for i, kind in enumerate(KINDS)},
        "arms": {},
    }
    for name, chosen in arms.items():
        weights = arm_weights(chosen, len(wanted), demonstrations=name != "prior only")
        result["arms"][name] = {
            "kept": [int((chosen & (kinds == i)).sum()) for i in range(len(KINDS))],
            "successes": attempt(data + target, weights, world, config, derive(seed, task)),
        }
    return result


def attempt(data: Trajectories, weights: Array, world: MetaWorld, config: Mapping[str, Any], seed: int) -> list[int]:
    """Clone the pairs in proportion to their weights and roll out."""
    policy = BC(data.observation_space, data.action_space, config["policy"], seed=seed)
    policy.fit(data, training(config, config["policy_steps"], seed), weights=weights, progress=False)
    return succeeded(policy, world, config, seed)


def training(config: Mapping[str, Any], steps: int, seed: int) -> Training:
    """How every policy is trained."""
    return Training(steps=steps, batch=config["batch"], lr=config["lr"], seed=seed, clip=1.0)


def succeeded(policy: Policy, world: MetaWorld, config: Mapping[str, Any], seed: int) -> list[int]:
    """Which rollouts of a policy succeed; the same initial conditions for every arm."""
    found = rollouts(Scene(world, policy), episodes=config["rollouts"], seed=derive(seed, "rollouts"), progress=False)
    return found.outcomes("success").astype(int).tolist()
