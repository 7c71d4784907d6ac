"""A policy for a new goal from a few demonstrations, on features that stay as they are; and how well it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import Space
from torch import Tensor, nn

from ethogram.nn import saving
from ethogram.nn.networks import MLP
from ethogram.nn.training import Training, seeded, train
from ethogram.policies.coded.advised import Advised
from ethogram.policy import Policy
from ethogram.records.trajectories import Trajectories
from ethogram.scene import scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.studies.imitation._inverse_dynamics_objectives import FEATURES, HIDDEN, Features, shifted
from ethogram.world import Agent, World
from ethogram.worlds.coded.point_mass import PointMass, disc

SCALE = torch.tensor([0.3, 0.3, 0.3, 0.3])
"""Of position and velocity, for the arm that sees them."""
PIXELS = 32
"""Side of a picture."""


class Steering(nn.Module):
    """Actions from pictures uint8 (B, 1, P, P) through an encoder, or without one from position and velocity (B, 4)."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.features = Features(widths) if widths else None
        self.head = MLP(FEATURES if widths else 4, 2, HIDDEN, dropout=0.1)

    def see(self, observations: Tensor) -> Tensor:
        """Features of observations."""
        return observations / SCALE if self.features is None else self.features(observations)

    def forward(self, observations: Tensor) -> Tensor:
        """Actions (B, 2)."""
        return self.head(self.see(observations))


class Steered(Policy):
    """Acts as a `Steering` says."""

    def __init__(self, module: Steering) -> None:
        self.module = module.eval()

    def act(self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Mapping[Agent, Any]:
        """All agents in one forward pass."""
        seen = np.stack(list(observations.values()))
        if seen.ndim == 4:
            seen = np.ascontiguousarray(np.moveaxis(seen, -1, 1))
        with torch.inference_mode():
            actions = self.module(torch.from_numpy(seen)).clamp(-1, 1).numpy()
        return dict(zip(observations, actions, strict=True))


@scene
def demonstrator(pixels: int | None, goal: list[float] | None, noise: float) -> tuple[World, Policy]:
    """The controller that knows the goal (None: each episode has its own), with noise on its actions."""
    world = PointMass(pixels, goal=None if goal is None else (goal[0], goal[1]))
    return world, Advised(world, noise)


@scene
def steered(pixels: int | None, goal: list[float], path: str) -> tuple[World, Policy]:
    """A fine-tuned policy at its goal."""
    spec, tensors = saving.load(path, "steering")
    module = Steering(tuple(spec["widths"]))
    saving.restore(module, tensors, path)
    return PointMass(pixels, goal=(goal[0], goal[1])), Steered(module)


def goals(seed: int, count: int) -> list[list[float]]:
    """The new goals of a replication."""
    return generator(seed, "goals").uniform(-0.29, 0.29, (count, 2)).tolist()


def demonstrations(pixels: int | None, goal: list[float], count: int, seed: int) -> Trajectories:
    """Demonstrations without noise that lead to a goal; the same ones for whoever sees pictures or numbers."""
    return rollouts(demonstrator(pixels, goal, 0.0), episodes=count, seed=derive(seed, "demonstrations", str(goal)))


def fine_tune(features: Features | None, widths: tuple[int, ...], data: Trajectories, steps: int, seed: int) -> Steering:
    """Fit a policy to demonstrations.

    Args:
        features: a pretrained encoder, which is left as it is; None: the encoder is fitted too, from scratch, on randomly
            shifted pictures.
        widths: channels of the encoder; empty: position and velocity are seen in place of pictures.
        data: of the new goal.
        steps: updates, at 64 observations each.
        seed: of weights and batches.
    """
    with seeded(derive(seed, "weights")):
        module = Steering(widths)
    seen = np.concatenate([np.asarray(t.observations)[:-1] for t in data])
    actions = np.concatenate([np.asarray(t.actions) for t in data])
    if seen.ndim == 4:
        seen = np.ascontiguousarray(np.moveaxis(seen, -1, 1))
    scratch = features is None
    if features is not None:
        module.features = features
    if not scratch or not widths:
        with torch.no_grad():
            seen = module.see(torch.from_numpy(seen)).numpy()
    fitted: nn.Module = module if scratch and widths else module.head

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        chosen = rng.integers(len(seen), size=64)
        pictures = seen[chosen]
        return {"seen": shifted(pictures, rng) if fitted is module else pictures, "actions": actions[chosen]}

    def loss(batch: dict[str, Tensor], noise: torch.Generator) -> Tensor:
        return F.mse_loss(fitted(batch["seen"]), batch["actions"])

    train(fitted, loss, draw, Training(steps=steps, lr=1e-3, seed=seed % 2**31), progress=False)
    return module


def successes(module: Steering, widths: Sequence[int], goal: list[float], count: int, seed: int) -> list[float]:
    """Success of each rollout at a goal, from initial conditions that depend on seed and goal alone."""
    with TemporaryDirectory() as folder:
        saving.save(folder, "steering", {"widths": list(widths)}, module)
        play = steered(PIXELS if widths else None, goal, folder)
        done = rollouts(play, episodes=count, seed=derive(seed, "evaluation", str(goal)), together=count)
    return done.outcomes("success").tolist()


def probe_error(features: Features, seed: int, count: int = 1000) -> float:
    """How far off a linear readout of the disc's position from the features is, in units of the arena (half its side: 0.3).

    Ridge regression on pictures of `count` discs anywhere; the root mean square distance on as many others.
    """
    positions = generator(seed, "probe").uniform(-0.29, 0.29, (2 * count, 2))
    with torch.no_grad():
        found = features(torch.from_numpy(np.stack([disc(p, PIXELS)[None] for p in positions]))).double().numpy()
    found = np.concatenate([found, np.ones((len(found), 1))], 1)
    gram = found[:count].T @ found[:count] + 1e-3 * np.eye(found.shape[1])
    weights = np.linalg.solve(gram, found[:count].T @ positions[:count])
    return float(np.sqrt(((found[count:] @ weights - positions[count:]) ** 2).sum(1).mean()))
