"""The learners of `pgd`: TD3+BC on real, generated and dreamt transitions, and what its guidance does to samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ethogram.nn.training import Training
from ethogram.policies.learned.td3bc import TD3BC
from ethogram.records.trajectories import Trajectories
from ethogram.scene import Scene
from ethogram.seeds import derive
from ethogram.simulation import rollouts
from ethogram.studies.dreams._pgd_data import ENV, Simulator
from ethogram.studies.dreams._pgd_diffusion import Array, Decide, Diffuser, Guidance, Segments, log_likelihood
from ethogram.world import GymWorld
from ethogram.worlds.learned.ensemble import Ensemble

REAL_SHARE = 16 / 256
"""Of a batch, where there are generated transitions too."""
Source = Callable[[int, TD3BC | None], Trajectories]
"""From the stage, and the policy so far (None at first), to generated episodes."""


def train_agent(data: Trajectories, source: Source | None, stages: int, updates: int, width: int, seed: int) -> TD3BC:
    """TD3+BC in stages; before each, generated transitions are renewed where there is a source of them."""
    policy = TD3BC(data.observation_space, data.action_space, {"hidden": (width, width)}, seed)
    real = len(data.steps().rewards)
    for stage in range(stages):
        training = Training(steps=updates, batch=256, lr=1e-3, seed=derive(seed, "stage", stage))
        if source is None:
            policy.fit(data, training, progress=False)
            continue
        made = source(stage, policy if stage else None)
        n = len(made.steps().rewards)
        weights = np.concatenate([np.full(real, REAL_SHARE / real), np.full(n, (1 - REAL_SHARE) / n)])
        policy.fit(data + made, training, weights=weights, progress=False)
    return policy


def returns(policy: TD3BC, episodes: int, length: int, seed: int) -> list[float]:
    """Returns of episodes in the world."""
    found = rollouts(Scene(GymWorld(ENV), policy), episodes=episodes, steps=length, seed=seed, progress=False)
    return [float(t.rewards.sum()) for t in found]


def dream(world: Ensemble, starts: Array, steps: int, decide: Decide, deviation: float, seed: int) -> Segments:
    """Rollouts of a policy in the ensemble, from given observations (N, D); its actions with noise added to them.

    Returns:
        Segments of `steps` + 1 steps; the last action and reward are those of the one before.
    """
    rng = np.random.default_rng(seed)
    state, seen, acted, rewards = {"seen": torch.from_numpy(starts.astype(np.float32))}, [], [], []
    with torch.inference_mode():
        for _ in range(steps):
            action = decide(state["seen"])
            luck = torch.from_numpy(rng.standard_normal(action.shape, np.float32))
            action = (action + deviation * luck).clamp(-1, 1)
            seen.append(state["seen"])
            moment = world.advance(state, action, rng)
            acted.append(action)
            rewards.append(moment.rewards)
            state = moment.dream
        parts = ([*seen, state["seen"]], [*acted, acted[-1]], [*rewards, rewards[-1]])
        return Segments(*(torch.stack(part, 1).numpy() for part in parts))


def at_random(seed: int, data: Trajectories) -> Decide:
    """Actions of the data, drawn at random."""
    noise = torch.Generator().manual_seed(seed)
    actions = torch.from_numpy(np.ascontiguousarray(data.steps().actions, np.float32))
    return lambda seen: actions[torch.randint(len(actions), (len(seen),), generator=noise)]


def real_starts(data: Trajectories, n: int, seed: int) -> Array:
    """Observations drawn from the data, (n, D)."""
    seen = data.steps().observations
    return seen[np.random.default_rng(seed).integers(len(seen), size=n)]


def steer(
    diffuser: Diffuser, world: Ensemble, data: Trajectories, policy: TD3BC, coefficients: list[float], n: int, seed: int
) -> dict[str, Any]:
    """Likelihood and dynamics error of samples steered more and more, of two other ways to steer, and of the ensemble.

    The ensemble is rolled out for as long as a segment, once with the policy's own actions, and once for each coefficient
    with as much noise on them as gives the likelihood of the segments.
    """
    scale = data.steps().observations.std(0) + 1e-6
    simulator, decide = Simulator(), policy.decide
    found: dict[str, Any] = {}

    def likelihood_of(segments: Segments) -> float:
        return float(log_likelihood(decide, segments.observations[:, :-1], segments.actions[:, :-1]).mean())

    def measure(name: str, segments: Segments) -> None:
        errors = simulator.errors(segments.observations.astype(np.float64), segments.actions[:, :-1], scale)
        found[name] = {
            "likelihood": likelihood_of(segments),
            "errors": errors.mean(0).tolist(),
            "error": float(errors.mean()),
        }

    for c in coefficients:
        measure(f"guided-{c:g}", diffuser.sample(n, derive(seed, "sample"), Guidance(c, decide)))
    other = coefficients[-1]
    measure("noisy", diffuser.sample(n, derive(seed, "sample"), Guidance(other, decide, denoised=False)))
    measure("raw", diffuser.sample(n, derive(seed, "sample"), Guidance(other, decide, normalised=False)))
    starts, steps = real_starts(data, n, derive(seed, "starts")), diffuser.length - 1

    def dreamt(deviation: float) -> Segments:
        return dream(world, starts, steps, decide, deviation, derive(seed, "dream"))

    measure("ensemble", dreamt(0.0))
    for c in coefficients:
        wanted = _gap(found[f"guided-{c:g}"]["likelihood"], policy.acted.size)
        deviation = np.sqrt(wanted / policy.acted.size)
        segments = dreamt(deviation)
        for _ in range(5):  # what is clipped at the bounds is made up for by more noise
            got = _gap(likelihood_of(segments), policy.acted.size)
            deviation *= np.sqrt(wanted / got)
            segments = dreamt(deviation)
        measure(f"matched-{c:g}", segments)
    return found


def _gap(likelihood: float, columns: int) -> float:
    """The mean squared distance from the policy's action that a log-likelihood stands for."""
    return max(1e-9, -2 * likelihood - columns * float(np.log(2 * np.pi)))
