"""Dropout's Dream Land, its parts: episodes lived at random, dreams fitted to them, controllers trained in the dreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import Space

from ethogram.nn.training import Training
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.world import Agent
from ethogram.worlds.coded.take_cover import TakeCover
from ethogram.worlds.learned.vae_mdn import Awake, VaeMdn

__all__ = ["Controller", "Restless", "Sweep", "dream_returns", "fit_dream", "live", "real_returns", "train_controller"]

STEER = 1 / 3
"""A controller's output, in (-1, 1), below minus this steps to the left, above this to the right, else stays."""
LONGEST = 10
"""Steps for which a random action is held at most, as by Ha & Schmidhuber: who draws anew each step never comes far from
where it began, and a dream fitted to that does not know the walls."""


class Restless(Policy):
    """Draws an action, holds it for 1 to 10 steps, and draws anew."""

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Nothing is held yet."""
        self._draws = {agent: generator(seed, "restless", agent) for agent in agents}
        self._held: dict[Agent, Any] = dict.fromkeys(agents)
        self._left = dict.fromkeys(agents, 0)

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """What is held."""
        for agent in observations:
            if not self._left[agent]:
                draws = self._draws[agent]
                self._left[agent] = int(draws.integers(1, LONGEST + 1))
                self._held[agent] = np.int64(draws.integers(3))
            self._left[agent] -= 1
        return {agent: self._held[agent] for agent in observations}


class Sweep(Policy):
    """Goes left and right in turn, for 12 steps each, whatever it sees."""

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Begin anew."""
        self._taken = 0

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Left or right."""
        self._taken += 1
        return dict.fromkeys(observations, np.int64(1 + self._taken // 12 % 2))


def live(pixels: int, repeat: int, episodes: int, seed: int, folder: Path) -> None:
    """Keep episodes in which actions were drawn at random, each held for some steps."""
    world = TakeCover(pixels, repeat)
    rollouts(Scene(world, Restless()), episodes=episodes, seed=seed).save(folder / "lived")
    world.close()


def fit_dream(
    data: Trajectories, settings: Mapping[str, Any], training: Training, eyes: VaeMdn | None, folder: Path
) -> None:
    """Fit a dream to what was lived, and save it. `eyes`: a dream of the same data whose autoencoder is taken."""
    torch.set_num_threads(1)
    dream = VaeMdn(data.observation_space, data.action_space, settings, seed=training.seed)
    dream.fit(data, training, to=folder / "checkpoints", progress=False, eyes=eyes).save(folder)


class Controller(Policy):
    """Acts by tanh(w [z, h] + b) in the world that was dreamt of. Dropout is off.

    Args:
        dream: whose autoencoder and LSTM it sees with.
        weights: w and then b, shape (latent + hidden + 1,).
    """

    def __init__(self, dream: VaeMdn, weights: Sequence[float]) -> None:
        self.dream, self.weights = dream.variant(), np.asarray(weights, np.float32)

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Forget the episode before."""
        self._eyes = {agent: Awake(self.dream) for agent in agents}
        self._done: dict[Agent, Any] = dict.fromkeys(agents)

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """Stay, left or right."""
        for agent, image in observations.items():
            features = self._eyes[agent].see(image, self._done[agent])
            output = np.tanh(features @ self.weights[:-1] + self.weights[-1])
            self._done[agent] = np.int64(1 if output < -STEER else 2 if output > STEER else 0)
        return {agent: self._done[agent] for agent in observations}


def dream_returns(world: VaeMdn, weights: np.ndarray[Any, Any], dreams: int, seed: int) -> np.ndarray[Any, Any]:
    """The return of controllers in dreams of their own, shape (n, dreams).

    Args:
        world: the dream.
        weights: of n controllers, shape (n, latent + hidden + 1).
        dreams: how many each has.
        seed: of the dreams.
    """
    rng = generator(seed, "dreams")
    gains, bias = torch.from_numpy(weights[:, :-1].astype(np.float32)), torch.from_numpy(weights[:, -1].astype(np.float32))
    owner = torch.arange(len(weights)).repeat_interleave(dreams)
    row, total = torch.arange(len(owner)), torch.zeros(len(owner))
    codes = torch.from_numpy(world.acted.vector(np.arange(3)))
    with torch.inference_mode():
        dream = world.begin(len(owner), rng)
        for _ in range(world.config.steps):
            features = torch.cat([dream["latent"], dream["hidden"]], -1)
            output = torch.tanh((features * gains[owner]).sum(-1) + bias[owner])
            action = (output < -STEER).long() + 2 * (output > STEER).long()
            moment = world.advance(dream, codes[action], rng)
            total[row] += moment.rewards
            dream, going = moment.dream, ~moment.ended
            if not going.all():  # what has ended is not dreamt on
                dream, owner, row = {name: value[going] for name, value in dream.items()}, owner[going], row[going]
            if not len(row):
                break
    return total.numpy().reshape(len(weights), dreams)


def train_controller(
    world: VaeMdn, generations: int, population: int, dreams: int, seed: int, spread: float = 0.1
) -> tuple[list[float], list[float]]:
    """Covariance matrix adaptation (Hansen 2016, package cma) of a controller in dreams.

    Args:
        world: the dream.
        generations: how many.
        population: candidates of a generation.
        dreams: that each candidate is tried in.
        seed: of candidates and dreams.
        spread: standard deviation of the first candidates.

    Returns:
        The mean of the last generation's distribution, and the mean return of each generation. The best candidate ever is
        not taken: its return is mostly luck.
    """
    import cma

    size = world.config.latent + world.config.hidden + 1
    options = {"popsize": population, "seed": derive(seed, "cma") % 2**31 + 1, "verbose": -9}
    search = cma.CMAEvolutionStrategy(np.zeros(size), spread, options)
    history = []
    for generation in range(generations):
        candidates = np.array(search.ask())
        returns = dream_returns(world, candidates, dreams, derive(seed, "generation", generation)).mean(1)
        search.tell(list(candidates), list(-returns))
        history.append(float(returns.mean()))
    return [float(x) for x in search.mean], history


def real_returns(policy: Policy, pixels: int, repeat: int, episodes: int, seed: int) -> list[float]:
    """Ticks that a policy lives in each of some episodes, the same beginnings for every policy."""
    world = TakeCover(pixels, repeat)
    found = rollouts(Scene(world, policy), episodes=episodes, seed=seed, progress=False)
    world.close()
    return [float(trajectory.rewards.sum()) for trajectory in found]
