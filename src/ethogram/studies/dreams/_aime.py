"""Action inference by maximising evidence, its parts: what a body did, demonstrations, policies inferred and cloned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import Space
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ethogram.nn import saving
from ethogram.nn.inverse import InverseDynamics
from ethogram.nn.networks import MLP
from ethogram.nn.rssm import State
from ethogram.nn.scaling import Scaler
from ethogram.nn.training import Training, train
from ethogram.policies.learned.bc import BC
from ethogram.policy import Policy, Random
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.scene import Policies, scene
from ethogram.seeds import derive
from ethogram.simulation import rollouts
from ethogram.studies.dreams._walkers import REPEAT
from ethogram.world import Agent, World
from ethogram.worlds.coded.walker import Walker
from ethogram.worlds.learned.rssm import RecurrentStateSpace

__all__ = ["Expert", "Imitator", "TanhGaussian", "clone", "episodes_of", "infer_policy", "inverse", "returns", "trial"]

BLIND = 15
"""Entries of an observation that are left where velocities are not seen."""
BEGINNINGS = 0.5
"""Share of what is drawn from episodes that is from their beginnings, in every method: a walker that has not learnt how to
get up after its fall, a twentieth of each demonstration, never comes to walk."""
SPREAD = 0.1
"""Standard deviation of what a model of the body sees, where all that can be seen has one of 1."""
Objective = Literal["both", "reconstruction", "kl"]


# --- data ---


def episodes_of(
    observations: np.ndarray[Any, Any], actions: np.ndarray[Any, Any], rewards: np.ndarray[Any, Any]
) -> Trajectories:
    """Episodes as a walker without velocities would have them.

    Args:
        observations: shape (E, T + 1, 24 or 15).
        actions: (E, T, 6).
        rewards: (E, T).
    """
    world = Walker(velocities=False, repeat=REPEAT)
    (agent,) = world.possible_agents
    blind, times = observations[..., :BLIND], np.arange(actions.shape[1]) * 0.025 * REPEAT
    episodes = [
        Trajectory(agent, i, blind[i], actions[i], rewards[i].astype(float), times, False) for i in range(len(actions))
    ]
    return Trajectories.of(episodes, world.observation_space(agent), world.action_space(agent))


def stacked(data: Trajectories, name: Literal["observations", "actions", "rewards"]) -> np.ndarray[Any, Any]:
    """What all episodes hold, (E, T or T + 1, ...)."""
    return np.stack([getattr(trajectory, name) for trajectory in data])


# --- policies and their trials ---


class Expert(Policy):
    """The mean action of a soft actor-critic's actor, which sees velocities."""

    def __init__(self, folder: Path) -> None:
        self.weights = load_file(folder / "actor.safetensors")

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """One forward pass for all."""
        x = torch.from_numpy(np.stack(list(observations.values())))
        for layer in ("latent_pi.0", "latent_pi.2"):
            x = F.relu(F.linear(x, self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"]))
        actions = torch.tanh(F.linear(x, self.weights["mu.weight"], self.weights["mu.bias"])).numpy()
        return dict(zip(observations, actions, strict=True))


class TanhGaussian(nn.Module):
    """A policy: actions are the hyperbolic tangent of a Gaussian, (..., features) → (..., actions)."""

    def __init__(self, features: int, actions: int, units: int = 128) -> None:
        super().__init__()
        self.body = MLP(features, 2 * actions, (units, units), "elu")

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The mode; with a generator a draw, through which gradients flow."""
        mean, raw = self.body(features).chunk(2, -1)
        if generator is None:
            return torch.tanh(mean)
        return torch.tanh(mean + (F.softplus(raw) + 0.01) * torch.randn(mean.shape, generator=generator))


class Imitator(Policy):
    """Acts by the mode of a policy that reads the state of a model, which it infers from what it sees.

    Args:
        world: the model.
        actor: the policy.
    """

    def __init__(self, world: RecurrentStateSpace, actor: TanhGaussian) -> None:
        self.world, self.actor = world, actor

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Nothing was seen or done yet."""
        self._agents = list(agents)
        self._state = self.world.model.initial(len(agents))
        self._done = torch.zeros(len(agents), self.world.acted.size)

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """One forward pass for all; the stochastic part of the state is taken to be its mean."""
        rows = [self._agents.index(agent) for agent in observations]
        model, seen = self.world.model, torch.from_numpy(np.stack(list(observations.values())))
        with torch.inference_mode():
            state = State(self._state.hidden[rows], self._state.sample[rows])
            hidden = model.advance(state, self._done[rows])
            state = State(hidden, model.posterior(hidden, model.embed(self.world.scaled(seen))).mean)
            actions = self.actor(state.features)
            self._done[rows] = actions
            for kept, new in zip(self._state, state, strict=True):
                kept[rows] = new
        return dict(zip(observations, actions.numpy(), strict=True))


@scene
def trial(kind: str, folder: str, velocities: bool) -> tuple[World, Policies]:
    """The walker that has to walk, with the policy in a folder: `expert`, `imitator`, `cloned` or `random`."""
    world = Walker("walk", velocities=velocities, repeat=REPEAT)
    if kind == "random":
        return world, Random()
    if kind == "expert":
        return world, Expert(Path(folder))
    if kind == "cloned":
        return world, BC.load(folder)
    spec, tensors = saving.load(folder, "imitator")
    model = RecurrentStateSpace.load(spec["model"])
    actor = TanhGaussian(spec["features"], spec["actions"])
    saving.restore(actor, tensors, folder)
    return world, Imitator(model, actor)


def returns(kind: str, folder: Path | str, episodes: int, seed: int, velocities: bool = False) -> list[float]:
    """The returns of a policy in some episodes, out of 1000; the same beginnings for every policy."""
    torch.set_num_threads(1)
    played = trial(kind, str(folder), velocities)
    found = rollouts(played, episodes=episodes, seed=seed, together=min(episodes, 25), progress=False)
    return [float(trajectory.rewards.sum()) for trajectory in found]


def demonstrate(folder: Path, episodes: int, seed: int) -> Trajectories:
    """What the expert does, seen without velocities."""
    found = rollouts(
        trial("expert", str(folder), True), episodes=episodes, seed=seed, together=min(episodes, 25), progress=False
    )
    return episodes_of(*(stacked(found, name) for name in ("observations", "actions", "rewards")))


def flail(episodes: int, seed: int) -> Trajectories:
    """What actions at random do."""
    found = rollouts(trial("random", "", False), episodes=episodes, seed=seed, together=min(episodes, 25), progress=False)
    return episodes_of(*(stacked(found, name) for name in ("observations", "actions", "rewards")))


# --- learning from demonstrations ---


def infer_policy(
    model: Path, demonstrations: np.ndarray[Any, Any], objective: Objective, training: Training, length: int, folder: Path
) -> None:
    """Find the policy whose actions make what was demonstrated likeliest by a model, which stays as it is (section 4.2).

    Args:
        model: the folder of a `RecurrentStateSpace`.
        demonstrations: observations alone, (E, T + 1, O).
        objective: the whole bound, or one of its parts.
        training: of the policy.
        length: observations in a sequence.
        folder: gets the policy.
    """
    torch.set_num_threads(1)
    world = RecurrentStateSpace.load(model)
    world.module.requires_grad_(False)
    features, actions = world.config.hidden + world.config.stochastic, world.acted.size
    torch_seed = torch.Generator().manual_seed(derive(training.seed, "actor"))
    actor = TanhGaussian(features, actions)
    for parameter in actor.parameters():  # weights of our own seed, not of torch's global one
        bound = 1 / np.sqrt(parameter.shape[-1])
        nn.init.uniform_(parameter, -bound, bound, generator=torch_seed)
    scaled = world.scaled(torch.from_numpy(demonstrations)).numpy()

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
        episode = rng.integers(len(scaled), size=training.batch)
        start = rng.integers(scaled.shape[1] - length + 1, size=training.batch)
        start[rng.random(training.batch) < BEGINNINGS] = 0
        return {"seen": scaled[episode[:, None], start[:, None] + np.arange(length)]}

    def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        states = world.model.filter(batch["seen"], lambda state: actor(state.features, noise), noise)
        evidence = world.model.elbo(batch["seen"], states, world.config.weigh)
        if objective == "reconstruction":
            return -evidence.log_likelihood.mean()
        return evidence.kl.mean() if objective == "kl" else (evidence.kl - evidence.log_likelihood).mean()

    train(actor, loss, draw, training, to=folder / "checkpoints", progress=False)
    saving.save(folder, "imitator", {"model": str(model), "features": features, "actions": actions}, actor)


def inferred_error(folder: Path, demonstrations: Trajectories) -> tuple[float, float]:
    """Mean squared error of the actions that an imitator does while it watches demonstrations, and that of doing nothing."""
    played = trial("imitator", str(folder), False)
    policy, truth = played.policies, stacked(demonstrations, "actions")
    assert isinstance(policy, Imitator)
    seen = policy.world.scaled(torch.from_numpy(stacked(demonstrations, "observations")))
    with torch.inference_mode():
        noise = torch.Generator().manual_seed(0)
        found = policy.world.model.filter(seen, lambda state: policy.actor(state.features), noise).actions.numpy()
    return float(np.square(found - truth).mean()), float(np.square(truth).mean())


def inverse(
    data: Trajectories, demonstrations: Trajectories, stack: int, training: Training, length: int
) -> np.ndarray[Any, Any]:
    """The actions (E, T, A) that an inverse model of `data` reads off demonstrations (Torabi et al. 2018, BCO(0)).

    Args:
        data: what the body did.
        demonstrations: whose observations alone are used.
        stack: observations that the inverse model sees, as many before the action as after it.
        training: of the inverse model.
        length: the first steps of episodes, which are drawn more often, as in `infer_policy`.
    """
    scaler = Scaler.fit(stacked(data, "observations").reshape(-1, BLIND))
    actions = stacked(data, "actions")
    with torch.random.fork_rng():
        torch.manual_seed(derive(training.seed, "inverse") % 2**63)
        model = InverseDynamics(BLIND, actions.shape[-1], length=stack)
    windows = _windows(scaler(torch.from_numpy(stacked(data, "observations"))).numpy(), stack)

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
        step = rng.integers(actions.shape[1], size=training.batch)
        early = rng.random(training.batch) < BEGINNINGS
        step[early] = rng.integers(length, size=early.sum())
        at = rng.integers(actions.shape[0], size=training.batch), step
        return {"seen": windows[at], "actions": actions[at]}

    train(model, lambda batch, _: model.loss(batch["seen"], batch["actions"]), draw, training, progress=False)
    watched = _windows(scaler(torch.from_numpy(stacked(demonstrations, "observations"))).numpy(), stack)
    found = model.predict(torch.from_numpy(watched.reshape(-1, stack, BLIND)))
    return found.clamp(-1, 1).numpy().reshape(*watched.shape[:2], -1)


def _windows(observations: np.ndarray[Any, Any], stack: int) -> np.ndarray[Any, Any]:
    """For each action the `stack` observations around it, (E, T, stack, O); at the ends the last one is repeated."""
    steps = observations.shape[1] - 1
    at = np.arange(steps)[:, None] + np.arange(stack) - (stack // 2 - 1)
    return observations[:, at.clip(0, steps)]


def clone(
    demonstrations: Trajectories, actions: np.ndarray[Any, Any], history: int, training: Training, folder: Path, length: int
) -> None:
    """Clone behaviour from demonstrated observations and actions (E, T, A), true or read off.

    The first `length` steps of demonstrations are drawn more often, as in `infer_policy`.
    """
    torch.set_num_threads(1)
    labelled = episodes_of(stacked(demonstrations, "observations"), actions, stacked(demonstrations, "rewards"))
    policy = BC(labelled.observation_space, labelled.action_space, {"history": history}, seed=training.seed)
    weights = np.full(actions.shape[:2], (1 - BEGINNINGS) / actions.shape[1])
    weights[:, :length] += BEGINNINGS / length
    policy.fit(labelled, training, weights=weights.reshape(-1), progress=False).save(folder)
