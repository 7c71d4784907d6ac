"""HalfCheetah for `pgd`: the data sets, the policy they come from, and the simulator set to any state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import Space

from ethogram.policy import Policy, Random
from ethogram.records.trajectories import Trajectories, Trajectory
from ethogram.scene import scene
from ethogram.seeds import generator
from ethogram.simulation import rollouts
from ethogram.world import Agent, GymWorld

ENV = "HalfCheetah-v5"
SETS = ("random", "medium", "replay")
HIDDEN = (128, 128)
"""Of the soft actor-critic's networks."""


class Snapshot(Policy):
    """The stochastic policy of a soft actor-critic, as its weights: a perceptron to mean and log deviation, then tanh."""

    def __init__(self, path: Path) -> None:
        arrays = np.load(path, allow_pickle=False)
        self._layers = [(arrays[f"w{i}"], arrays[f"b{i}"]) for i in range(len(HIDDEN))]
        self._mean, self._spread = ((arrays[f"{name}_w"], arrays[f"{name}_b"]) for name in ("mean", "spread"))
        self._seed = 0
        self._rngs: dict[Agent, np.random.Generator] = {}

    def reset(self, seed: int, agents: Sequence[Agent]) -> None:
        """Each agent's own random numbers."""
        self._seed, self._rngs = seed, {agent: generator(seed, "snapshot", agent) for agent in agents}

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> dict[Agent, Any]:
        """Draw an action for each."""
        return {agent: self._draw(seen, self._rngs[agent]) for agent, seen in observations.items()}

    def _draw(self, seen: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
        x = seen.astype(np.float32)
        for weight, bias in self._layers:
            x = np.maximum(weight @ x + bias, 0)
        mean = self._mean[0] @ x + self._mean[1]
        spread = np.exp(np.clip(self._spread[0] @ x + self._spread[1], -20, 2))
        return np.tanh(mean + spread * rng.standard_normal(len(mean), np.float32)).astype(np.float32)


@scene
def cheetah(snapshot: str) -> Any:
    """A HalfCheetah moved by a snapshot, or at random where none is named."""
    return GymWorld(ENV), Snapshot(Path(snapshot)) if snapshot else Random()


def make_sets(folder: Path, sac_steps: int, steps: int, length: int, seed: int) -> None:
    """Train a soft actor-critic for a while; keep it, what it lived (`replay`), episodes of it (`medium`), and random ones.

    Args:
        folder: where to.
        sac_steps: steps of training.
        steps: of the sets `random` and `medium`.
        length: steps of their episodes.
        seed: of all.
    """
    replay = _train(folder / "snapshot.npz", sac_steps, seed)
    replay.save(folder / "replay")
    for name, snapshot in (("random", ""), ("medium", str(folder / "snapshot.npz"))):
        episodes = max(1, steps // length)
        rollouts(cheetah(snapshot), episodes=episodes, steps=length, seed=seed, progress=False).save(folder / name)


def _train(path: Path, steps: int, seed: int) -> Trajectories:
    """Soft actor-critic (Haarnoja et al. 2018) by stable-baselines3, small; returns what it lived, in episodes."""
    import gymnasium
    import torch
    from stable_baselines3 import SAC

    torch.set_num_threads(1)
    env = gymnasium.make(ENV)
    model = SAC(
        "MlpPolicy",
        env,
        batch_size=128,
        learning_rate=1e-3,
        learning_starts=min(1000, steps // 2),
        buffer_size=steps,
        policy_kwargs={"net_arch": list(HIDDEN)},
        seed=seed % 2**31,
        device="cpu",
    )
    model.learn(steps)
    actor, arrays = model.policy.actor, {}
    linear = [layer for layer in actor.latent_pi if isinstance(layer, torch.nn.Linear)]
    named = {str(i): layer for i, layer in enumerate(linear)}
    for name, layer in {**named, "mean": actor.mu, "spread": actor.log_std}.items():
        keys = (f"w{name}", f"b{name}") if name.isdigit() else (f"{name}_w", f"{name}_b")
        arrays |= {keys[0]: layer.weight.detach().numpy(), keys[1]: layer.bias.detach().numpy()}
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    return _lived(model.replay_buffer, env.observation_space, env.action_space)


def _lived(buffer: Any, observation_space: Space[Any], action_space: Space[Any]) -> Trajectories:
    """A replay buffer as episodes."""
    n = buffer.size()
    seen, following = buffer.observations[:n, 0], buffer.next_observations[:n, 0]
    ends = [*(np.flatnonzero(buffer.dones[: n - 1, 0]) + 1).tolist(), n]
    episodes, start = [], 0
    for i, end in enumerate(ends):
        observations = np.concatenate([seen[start:end], following[end - 1 : end]]).astype(np.float64)
        actions, rewards = buffer.actions[start:end, 0], buffer.rewards[start:end, 0].astype(np.float64)
        episodes.append(Trajectory("agent", i, observations, actions, rewards, np.arange(float(end - start)), False, {}))
        start = end
    return Trajectories.of(episodes, observation_space, action_space)


class Simulator:
    """The true dynamics from any state: an observation of HalfCheetah is all of it but for x, which changes nothing."""

    def __init__(self) -> None:
        import gymnasium

        self.env: Any = gymnasium.make(ENV).unwrapped
        self.env.reset(seed=0)

    def step(self, observation: np.ndarray[Any, Any], action: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """What is observed after an action, (17,)."""
        positions = self.env.model.nq
        self.env.set_state(np.concatenate([[0.0], observation[: positions - 1]]), observation[positions - 1 :])
        return self.env.step(np.clip(action, -1, 1))[0]

    def errors(
        self, observations: np.ndarray[Any, Any], actions: np.ndarray[Any, Any], scale: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """The dynamics error of rollouts: how far each next state is from what the simulator makes of the one before.

        Args:
            observations: (N, H + 1, 17).
            actions: (N, H, 6).
            scale: (17,) what a difference is divided by.

        Returns:
            (N, H) mean squared error over the columns, each capped at 100 (a fling out of all bounds counts no more).
        """
        found = np.empty(actions.shape[:2])
        for i, (seen, acted) in enumerate(zip(observations, actions, strict=True)):
            for t, action in enumerate(acted):
                gap = (self.step(seen[t], action) - seen[t + 1]) / scale
                found[i, t] = np.minimum(np.nan_to_num(gap**2, nan=100.0, posinf=100.0), 100.0).mean()
        return found
