"""Bodies to learn from: what soft actor-critic (Haarnoja et al. 2018) did while it learnt to move the walker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from ethogram.seeds import derive
from ethogram.worlds.coded.walker import Walker

REPEAT = 2
"""Control steps for which an action is held, in every experiment of the study."""


class Solo(gymnasium.Env[np.ndarray, np.ndarray]):
    """A walker as the gymnasium env that stable-baselines3 wants. It keeps what was done.

    All is kept in arrays made at the start: small ones made on the way, between the large ones that training makes and
    drops, would cut up the memory until none is left.

    Args:
        world: of one agent.
        seed: of the episodes.
        episodes: how many can be kept.
        log: a text file that gets the return of each episode when it ends.
    """

    def __init__(self, world: Walker, seed: int, episodes: int, log: Path) -> None:
        self.world, self.seed, self.log = world, seed, log
        self.agent = world.possible_agents[0]
        self.observation_space, self.action_space = world.observation_space(self.agent), world.action_space(self.agent)
        length = world.expected_steps or 0
        self.observations = np.zeros((episodes, length + 1, *(self.observation_space.shape or ())), np.float32)
        self.actions = np.zeros((episodes, length, *(self.action_space.shape or ())), np.float32)
        self.rewards = np.zeros((episodes, length), np.float32)
        self.at = (-1, 0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The next episode; its seed follows from the env's and its number. What comes after the last one is not kept."""
        self.at = (self.at[0] + 1, 0)
        seen = self.world.reset(derive(self.seed, "episode", self.at[0]))[0][self.agent]
        if self.at[0] < len(self.actions):
            self.observations[self.at] = seen
        return seen, {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step of the world, which nothing but its clock ends."""
        seen: Any
        reward: Any
        cut: Any
        seen, reward, _, cut, _ = (by[self.agent] for by in self.world.step({self.agent: action}))
        episode, step = self.at
        if episode < len(self.actions):
            self.actions[episode, step], self.rewards[episode, step] = action, reward
            self.observations[episode, step + 1] = seen
        self.at = (episode, step + 1)
        if cut:
            with self.log.open("a") as file:
                file.write(f"{self.rewards[episode].sum():.1f}\n")
        return seen, reward, False, cut, {}


def train_expert(task: str, steps: int, seed: int, folder: Path) -> None:
    """Train SAC on the walker with velocities, and keep all that it did and the policy it came to.

    Args:
        task: `stand`, `walk` or `run`.
        steps: of the world (each of two control steps); the networks are updated once in two of them.
        seed: of weights, episodes and exploration.
        folder: gets `replay.npz` (observations (E, T + 1, 24), actions (E, T, 6), rewards (E, T)), `actor.safetensors` and
            `returns.txt`, a line an episode.
    """
    import torch
    from safetensors.torch import save_file
    from stable_baselines3 import SAC

    torch.set_num_threads(1)
    log = folder / "returns.txt"
    log.unlink(missing_ok=True)
    world = Walker(task, repeat=REPEAT)  # type: ignore[arg-type]
    env = Solo(world, seed, steps // (world.expected_steps or 1), log)
    sac = SAC(
        "MlpPolicy",
        env,
        learning_rate=1e-3,
        buffer_size=steps,
        learning_starts=min(5000, steps // 2),
        tau=0.01,
        train_freq=2,
        gradient_steps=1,
        policy_kwargs={"optimizer_kwargs": {"fused": True}},
        seed=derive(seed, "sac") % 2**31,
        device="cpu",
    )
    sac.learn(steps)
    np.savez(folder / "replay.npz", observations=env.observations, actions=env.actions, rewards=env.rewards)
    save_file(dict(sac.actor.state_dict()), folder / "actor.safetensors")
